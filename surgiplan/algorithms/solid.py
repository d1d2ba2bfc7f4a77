"""Solid bodies: joined and subtracted, with every result checked."""

from typing import Any, Literal

import manifold3d
import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from ..errors import StepFailed
from ..values import FloatArray, Mesh, Part
from .space import require_one_frame
from .storing import require_no_error, require_sum, stored


def require_solid(mesh: Mesh, what: str) -> None:
    """Make sure that a mesh encloses a volume, so that it can be cut, joined and checked for collision.

    mesh: the shape to look at; it is never repaired
    what: its name in the message
    Raises StepFailed unless it is watertight, faces outwards and is taken by manifold3d. A surface that
    runs through itself is not noticed; what it encloses twice counts twice.
    """
    solid(mesh, mesh.points, what)


def solid_of(part: Part, centre: FloatArray, what: str) -> Any:
    """A part as a manifold3d body whose origin lies at `centre` (LPS mm); raises as `solid`."""
    return solid(part.mesh, part.points_lps - centre, what)


def solid(mesh: Mesh, points: ArrayLike, what: str) -> Any:
    """A mesh as a manifold3d body.

    mesh: a solid
    points: (n, 3) mm, where its points are: moved rigidly, in float64
    what: its name in the message
    Raises StepFailed unless it is watertight, faces outwards and is taken by manifold3d.
    """
    require_closed(mesh, what)
    given = manifold3d.Mesh64(np.array(points, np.float64, order="C"), mesh.triangles.astype(np.uint64))
    body = manifold3d.Manifold(given)
    require_no_error(body, f"{what} cannot be used as a solid")
    return body


def boolean(a: Part, b: Part, kind: Literal["union", "intersection", "difference"]) -> Part:
    """Join two solids, keep what they share, or take the second away from the first.

    a: a solid
    b: a solid in the same patient space
    kind: "union", "intersection" or "difference" (a without b)
    Returns a solid in patient coordinates whose pose is the identity.
    Raises StepFailed when one is not a solid, when nothing is left, or when the volumes do not
    add up: V(a) + V(b) = V(union) + V(intersection). Raises Mismatch for two patient spaces.
    """
    frame = require_one_frame(a, b)
    centre = middle(a, b)
    one = solid_of(a, centre, "the first body")
    other = solid_of(b, centre, "the second body")
    shared, both = one ^ other, a.mesh.volume_mm3 + b.mesh.volume_mm3
    match kind:
        case "union":
            result, rest, whole = one + other, shared, both
        case "intersection":
            result, rest, whole = shared, one + other, both
        case "difference":
            result, rest, whole = one - other, shared, a.mesh.volume_mm3
    require_no_error(result, f"the {kind} failed")
    if result.volume() <= _nothing(one, other):
        raise StepFailed(_why_empty(a, b, one, other, kind))
    mesh = stored(result, centre, f"the {kind}")
    require_sum(whole, rest.volume(), [mesh], f"the {kind}")
    return Part(mesh, frame_uid=frame)


def require_closed(mesh: Mesh, what: str) -> None:
    """Make sure that a mesh is watertight and faces outwards; raises StepFailed with the reason."""
    require_no_hole(mesh, what)
    if mesh.volume_mm3 <= 0:
        raise StepFailed(
            f"The surface is inside out: {what} has a volume of {mesh.volume_mm3:.3f} mm³. "
            "Turn its triangles round, or use a mesh that faces outwards."
        )


def require_no_hole(mesh: Mesh, what: str) -> None:
    """Make sure that each edge of a mesh joins two triangles; raises StepFailed with the reason."""
    if not len(mesh.triangles):
        raise StepFailed(f"There is nothing to work on: {what} has no triangles.")
    if mesh.open_edges:
        raise StepFailed(
            f"There is a hole: {what} has {mesh.open_edges} open or badly joined edges, so it encloses no "
            "volume. Close it first: make the surface again, or use a mesh without holes."
        )


def middle(*parts: Part) -> FloatArray:
    """(3,) LPS mm near the middle of these parts; whole numbers, which float64 takes off and adds exactly."""
    boxes = np.concatenate([part.bounds_lps for part in parts])
    centre: FloatArray = np.round((boxes.min(axis=0) + boxes.max(axis=0)) / 2)
    return centre


def _nothing(one: Any, other: Any) -> float:
    """A volume (mm³) that only rounding leaves: two faces that touch share a sheet of this size."""
    return 1e-12 * float(max(one.volume(), other.volume()))


def _why_empty(a: Part, b: Part, one: Any, other: Any, kind: str) -> str:
    if kind == "difference":
        return "Nothing is left: the second body covers the first wholly. Swap the two, or move one."
    reach = float(np.min(cKDTree(b.points_lps).query(a.points_lps)[0]))
    gap = one.min_gap(other, 1.001 * reach + 1e-6)
    return (
        f"The two bodies have nothing in common: they lie {gap:.3f} mm apart. "
        "Move one until they overlap, or choose other bodies."
    )
