"""Solid bodies: joined, subtracted and sawn, with every result checked."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import manifold3d
import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from ..errors import StepFailed
from ..values import FloatArray, Mesh, Part, Plane
from .space import require_one_frame

_VOLUMES_AGREE = 1e-6  # share of the volume by which a sum of volumes may differ
_TIDYINGS = 5


@dataclass(frozen=True)
class Cut:
    """A bone sawn in two.

    a: the piece on the side the normal of the plane points to
    b: the piece on the other side
    kerf: the bone the saw turns to dust; None for a cut without thickness
    """

    a: Part
    b: Part
    kerf: Part | None


def require_solid(mesh: Mesh, what: str) -> None:
    """Make sure that a mesh encloses a volume, so that it can be cut, joined and checked for collision.

    mesh: the shape to look at; it is never repaired
    what: its name in the message
    Raises StepFailed unless it is watertight, faces outwards and is taken by manifold3d. A surface that
    runs through itself is not noticed; what it encloses twice counts twice.
    """
    solid(mesh, mesh.points, what)


def solid(mesh: Mesh, points: ArrayLike, what: str) -> Any:
    """A mesh as a manifold3d body that keeps its identity through a boolean.

    mesh: a solid
    points: (n, 3) mm, where its points are: moved rigidly, in float64
    what: its name in the message
    Raises StepFailed unless it is watertight, faces outwards and is taken by manifold3d.
    """
    _require_closed_outward(mesh, what)
    given = manifold3d.Mesh64(np.array(points, np.float64, order="C"), mesh.triangles.astype(np.uint64))
    body = manifold3d.Manifold(given)
    require_no_error(body, f"{what} cannot be used as a solid")
    return body.as_original()


def require_no_error(body: Any, problem: str) -> None:
    """Make sure that manifold3d has done what it was asked.

    body: a manifold3d body
    problem: what failed, for the message
    Raises StepFailed with manifold3d's reason when it has not.
    """
    status = body.status()
    if status != manifold3d.Error.NoError:
        raise StepFailed(
            f"Geometry engine: {problem} ({status.name}). "
            "Use a closed mesh in which every edge joins exactly two triangles."
        )


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
    centre = _middle(a, b)
    one = solid(a.mesh, a.points_lps - centre, "the first body")
    other = solid(b.mesh, b.points_lps - centre, "the second body")
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
    mesh = _stored(result, centre, f"the {kind}")
    _require_sum(whole, rest.volume(), [mesh], f"the {kind}")
    return Part(mesh, frame_uid=frame)


def cut(part: Part, plane: Plane, kerf_mm: float, kerf_side: Literal["a", "b", "both"]) -> Cut:
    """Saw a solid in two along a plane with a blade of real thickness.

    part: the solid
    plane: where to saw, LPS mm; side a is where its normal points
    kerf_mm: thickness of the removed slab, 0 for an ideal cut
    kerf_side: the side that loses it: "a", "b", or half from each with "both"
    Returns closed, capped solids in patient coordinates with identity poses.
    Raises StepFailed when the part is not a solid, the plane misses it, the blade swallows a side,
    or the volumes of the pieces do not add up to the whole.
    """
    if not (np.isfinite(kerf_mm) and kerf_mm >= 0):
        raise StepFailed(f"The saw cannot be {kerf_mm:g} mm thick: give 0 mm or more.")
    into_a = {"a": kerf_mm, "b": 0.0, "both": kerf_mm / 2}[kerf_side]
    into_b = kerf_mm - into_a
    _require_hit(part, plane, into_a, into_b)
    centre = _middle(part)
    whole = solid(part.mesh, part.points_lps - centre, "the body to cut")
    upper = plane.distance(centre)
    piece_a, rest = whole.split_by_plane(plane.normal, float(into_a - upper))
    slab, piece_b = rest.split_by_plane(plane.normal, float(-into_b - upper)) if kerf_mm else (None, rest)
    pieces = {"piece a": piece_a, "piece b": piece_b} | ({"the kerf": slab} if kerf_mm else {})
    parts = {
        name: Part(_stored(body, centre, name), frame_uid=part.frame_uid) for name, body in pieces.items()
    }
    _require_sum(part.mesh.volume_mm3, 0.0, [piece.mesh for piece in parts.values()], "the cut")
    return Cut(parts["piece a"], parts["piece b"], parts.get("the kerf"))


def _require_closed_outward(mesh: Mesh, what: str) -> None:
    if not len(mesh.triangles):
        raise StepFailed(f"There is nothing to work on: {what} has no triangles.")
    if mesh.open_edges:
        raise StepFailed(
            f"There is a hole: {what} has {mesh.open_edges} open or badly joined edges, so it encloses no "
            "volume. Close it first: make the surface again, or use a mesh without holes."
        )
    if mesh.volume_mm3 <= 0:
        raise StepFailed(
            f"The surface is inside out: {what} has a volume of {mesh.volume_mm3:.3f} mm³. "
            "Turn its triangles round, or use a mesh that faces outwards."
        )


def _middle(*parts: Part) -> FloatArray:
    boxes = np.concatenate([part.bounds_lps for part in parts])
    middle: FloatArray = (boxes.min(axis=0) + boxes.max(axis=0)) / 2
    return middle


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


def _require_hit(part: Part, plane: Plane, into_a: float, into_b: float) -> None:
    away = plane.distance(part.points_lps)
    if not len(away):
        raise StepFailed("There is nothing to cut: the body has no points.")
    low, high = float(away.min()), float(away.max())
    if low >= 0 or high <= 0:
        missed = min(abs(low), abs(high))
        raise StepFailed(f"The plane misses the body by {missed:.3f} mm. Move the plane into the bone.")
    for side, taken, there in (("a", into_a, high), ("b", into_b, -low)):
        if there <= taken:
            raise StepFailed(
                f"The saw leaves nothing on side {side}: it takes {taken:g} mm there and the body reaches "
                f"only {there:.3f} mm past the plane. Move the plane, or use a thinner blade."
            )


def _stored(body: Any, centre: FloatArray, what: str) -> Mesh:
    """The body as a mesh of float32 patient coordinates in which no edge has length zero.

    Points closer than the float32 step at this place become one when stored; the edge between them is
    taken out, lest it fold up in a file that joins equal points (STL).
    """
    require_no_error(body, f"{what} failed")
    raw = body.to_mesh64()
    mesh = Mesh((raw.vert_properties[:, :3] + centre).astype(np.float32), raw.tri_verts.astype(np.int32))
    for _ in range(_TIDYINGS):
        if not _folded(mesh):
            break
        tidy = manifold3d.Manifold(manifold3d.Mesh(mesh.points.copy(), mesh.triangles.astype(np.uint32)))
        require_no_error(tidy, f"{what} failed")
        raw = tidy.to_mesh()
        mesh = Mesh(raw.vert_properties[:, :3], raw.tri_verts.astype(np.int32))
    lost = abs(mesh.volume_mm3 - body.volume())
    whole = mesh.watertight and mesh.volume_mm3 > 0 and not _folded(mesh)
    if not whole or lost > _allowed_mm3(body.volume(), mesh):
        raise StepFailed(
            f"The result is thinner than can be stored: {what} holds {body.volume():.3g} mm³ "
            f"in an area of {body.surface_area():.3g} mm². Move the plane or a body a little."
        )
    return mesh


def _folded(mesh: Mesh) -> bool:
    """Whether an edge has length zero."""
    corners = mesh.points[mesh.triangles]
    return bool((corners == np.roll(corners, 1, axis=1)).all(axis=2).any())


def _allowed_mm3(volume_mm3: float, *meshes: Mesh) -> float:
    """How far volumes may be apart: a share, and what rounding the points to float32 can move at most.

    The latter is the area times half the diagonal of a float32 step at that place.
    """
    steps = [float(np.spacing(np.float32(np.abs(mesh.bounds).max()))) for mesh in meshes]
    moved = sum(mesh.area_mm2 * step for mesh, step in zip(meshes, steps, strict=True)) * math.sqrt(3) / 2
    return _VOLUMES_AGREE * volume_mm3 + moved


def _require_sum(whole_mm3: float, rest_mm3: float, meshes: list[Mesh], what: str) -> None:
    parts_mm3 = rest_mm3 + sum(mesh.volume_mm3 for mesh in meshes)
    if abs(parts_mm3 - whole_mm3) > _allowed_mm3(whole_mm3, *meshes):
        raise StepFailed(
            f"The volumes do not add up: {what} has {parts_mm3:.6f} mm³ where {whole_mm3:.6f} mm³ are due. "
            "Make the surfaces of the bodies again, or move the plane or a body a little."
        )
