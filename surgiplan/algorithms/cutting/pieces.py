"""The pieces a saw leaves, each a closed solid, and the proof that nothing is lost."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import manifold3d
import numpy as np
from scipy.spatial import cKDTree

from ...errors import StepFailed
from ...values import FloatArray, Mesh, Part
from ..storing import require_sum, stored

KEPT = 1e-9  # share of the volume by which the pieces may differ from the whole before they are stored
NOTHING = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))


@dataclass(frozen=True)
class Cut:
    """A bone sawn in two.

    a: the piece on the side the normal of the plane points to
    b: the piece on the other side
    kerf: the bone the saw turns to dust; empty for a cut without thickness
    """

    a: Part
    b: Part
    kerf: Part


def require_thick(thick_mm: float, least_mm: float = 0.0) -> None:
    """Make sure that a blade has a thickness that can be sawn with; raises StepFailed."""
    if not (math.isfinite(thick_mm) and thick_mm >= least_mm):
        raise StepFailed(f"The saw cannot be {thick_mm:g} mm thick: give {least_mm:g} mm or more.")


def shares_of(kerf_mm: float, owner: str, one: str, other: str) -> tuple[float, float]:
    """How much of a kerf each of two sides loses, mm; any other owner stands for both alike."""
    into_one = {one: kerf_mm, other: 0.0}.get(owner, kerf_mm / 2)
    return into_one, kerf_mm - into_one


def kept_pieces(whole: Any, bodies: Mapping[str, Any], centre: FloatArray, part: Part) -> dict[str, Part]:
    """Store the pieces of a body, in patient coordinates with identity poses.

    whole: the manifold3d body that was cut
    bodies: its pieces by name; one that holds nothing becomes an empty part
    centre: (3,) LPS mm, where their origin lies
    part: the body as it was given
    Raises StepFailed when the pieces do not add up to the whole.
    """
    found, total = {}, whole.volume()
    lost = sum(body.volume() for body in bodies.values()) - total
    if not abs(lost) <= KEPT * total:
        raise StepFailed(
            f"The pieces do not add up to the whole: {lost:+.3g} mm³ of {total:.3f} mm³. The surface may run "
            "through itself there: repair it, make it again, or move the cut a little."
        )
    for name, body in bodies.items():
        empty = body.volume() <= 1e-12 * total
        mesh = NOTHING if empty else stored(body, centre, name)
        found[name] = Part(mesh, frame_uid=part.frame_uid)
    require_sum(total, 0.0, [piece.mesh for piece in found.values() if len(piece.mesh.points)], "the cut")
    return found


def joined(bodies: list[Any]) -> Any:
    """Bodies that do not overlap as one body."""
    return manifold3d.Manifold.batch_boolean(bodies, manifold3d.OpType.Add)


def gap_between(whole: Any, tool: Any) -> float:
    """The distance of two manifold3d bodies that do not meet, mm."""
    corners, others = (body.to_mesh64().vert_properties[:, :3] for body in (whole, tool))
    reach = float(np.min(cKDTree(corners).query(others)[0]))
    return float(whole.min_gap(tool, 1.001 * reach + 1e-6))


def region(size_mm: float, *sides: tuple[FloatArray, float]) -> Any:
    """A convex body: where the distance along each unit normal is at least its offset, in a large cube.

    size_mm: half the side of the cube, about the origin
    sides: (normal, offset in mm from the origin)
    """
    body = manifold3d.Manifold.cube((2 * size_mm,) * 3, True)
    for normal, offset in sides:
        body = body.trim_by_plane(tuple(map(float, normal)), float(offset))
    return body


def reach_of(part: Part, centre: FloatArray) -> float:
    """A distance from `centre` that no point of the part exceeds, with room, mm."""
    low, high = part.bounds_lps
    return 2 * float(np.linalg.norm(np.maximum(high - centre, centre - low))) + 10
