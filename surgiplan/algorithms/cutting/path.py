"""Cuts along a path: limited, stepped, chevron and curved ones, and windows in a bone."""

import math
from typing import Any, Literal

import manifold3d
import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from ...errors import StepFailed
from ...values import FloatArray, IntArray, Part, Vec3
from ..solid import middle, solid_of
from ..storing import require_no_error
from .pieces import NOTHING, Cut, gap_between, joined, kept_pieces
from .ribbon import A, B, Blade

LEAST_KERF_MM = 0.01


def saw(part: Part, blade: Blade, kind: Literal["part", "slot"]) -> Cut:
    """Take the body of a blade out of a bone, and tell the pieces on its two sides apart.

    part: the solid
    blade: what the saw sweeps
    kind: "part" for a cut that must part the bone; "slot" for one that must leave it in one piece, which is
        then `a`, with an empty `b`
    Returns closed solids in patient coordinates with identity poses. A body that the saw does not touch goes
    with the side on which it lies.
    Raises StepFailed when the blade misses the bone, when it does not part it (or a slot does), or when
    the volumes do not add up.
    """
    centre = middle(part)
    whole = solid_of(part, centre, "the body to cut")
    tool, number = blade_body(blade, centre)
    kerf, rest = whole.split(tool)
    if kerf.volume() <= 1e-12 * whole.volume():
        raise StepFailed(
            f"The saw misses the body by {gap_between(whole, tool):.3f} mm: put its points on the bone, "
            "and the depth into it."
        )
    bodies, sides = _sided(rest, number, blade, centre)
    both = [n for n, side in enumerate(sides) if side is None]
    if kind == "slot":
        _require_one(bodies, sides)
        found = kept_pieces(whole, {"the slotted body": rest, "the kerf": kerf}, centre, part)
        return Cut(found["the slotted body"], Part(NOTHING, frame_uid=part.frame_uid), found["the kerf"])
    if both:
        held = sum(bodies[n].volume() for n in both)
        raise StepFailed(
            f"The saw does not part the bone: a body of {held / 1000:.2f} cm³ still hangs together round "
            "it. Saw deeper, lead the path out of the bone at both ends, or choose the kind slot."
        )
    for side, name in ((A, "a"), (B, "b")):
        if side not in sides:
            raise StepFailed(f"The saw leaves nothing on side {name}: move the path further into the bone.")
    pieces = {
        name: joined([body for body, one in zip(bodies, sides, strict=True) if one == side])
        for name, side in (("piece a", A), ("piece b", B))
    }
    found = kept_pieces(whole, pieces | {"the kerf": kerf}, centre, part)
    return Cut(found["piece a"], found["piece b"], found["the kerf"])


def normals_at(part: Part, points_lps: ArrayLike, within_mm: float = 5.0) -> FloatArray:
    """(n, 3) outward normals of a bone at points on it, LPS: the mean over the area within some mm.

    part: the bone
    points_lps: (n, 3) LPS mm
    within_mm: radius of the patch of the surface that counts
    Raises StepFailed for a point that is farther than that from the bone.
    """
    if not len(part.mesh.triangles):
        raise StepFailed("There is nothing to cut: the body has no triangles.")
    places = np.asarray(points_lps, np.float64)
    middles, size = _middles(part)
    low, high = places.min(axis=0) - within_mm - size, places.max(axis=0) + within_mm + size
    around = [(axis >= low[n]) & (axis <= high[n]) for n, axis in enumerate(middles)]
    rows = np.flatnonzero(around[0] & around[1] & around[2])
    corners = part.points_lps[part.mesh.triangles[rows]]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    tree = cKDTree(middles[:, rows].T)
    found = []
    for number, point in enumerate(places, 1):
        gap, nearest = tree.query(point)
        if (
            not len(rows)
            or gap > within_mm + np.linalg.norm(corners[nearest] - tree.data[nearest], axis=1).max()
        ):
            gap = np.linalg.norm(middles.T - point, axis=1).min()
            raise StepFailed(f"Point {number} lies {gap:.1f} mm off the bone: click it on the surface.")
        near = tree.query_ball_point(point, within_mm)
        facing = [n for n in near if areas[n] @ areas[nearest] > 0] or [nearest]
        normal = areas[facing].sum(axis=0)
        found.append(normal / np.linalg.norm(normal))
    return np.array(found)


def _middles(part: Part) -> tuple[FloatArray, float]:
    """(3, m) middles of the triangles, LPS mm, and a distance that none of their corners exceeds."""
    corners, middles, squared = part.mesh.triangles.T.astype(np.intp), [], 0.0
    for axis in np.ascontiguousarray(part.points_lps.T):
        a, b, c = axis.take(corners)
        middle = (a + b + c) / 3
        middles.append(middle)
        squared += max(float(np.abs(one - middle).max()) for one in (a, b, c)) ** 2
    return np.array(middles), math.sqrt(squared)


def into_bone(part: Part, points_lps: ArrayLike, path: FloatArray, even: bool) -> FloatArray:
    """(k, 3) unit vectors into a bone along a closed path, from its normals at the points that fix it.

    part: the bone
    points_lps: (n, 3) LPS mm on the bone
    path: (k, 3) the curve through them
    even: one direction everywhere, the mean, instead of one for each place
    Raises StepFailed for a point off the bone, and when the normals have no mean.
    """
    normals = normals_at(part, points_lps)
    mean = normals.mean(axis=0)
    if np.linalg.norm(mean) < 0.2:
        raise StepFailed("The curve runs round the bone, so that the saw has no direction: make it smaller.")
    if even:
        return np.broadcast_to(-mean / np.linalg.norm(mean), path.shape)
    places = np.asarray(points_lps, np.float64)
    away = np.linalg.norm(path[:, None] - places, axis=2)
    weights = 1 / np.maximum(away, 0.1) ** 2
    blended = -(weights @ normals)
    unit: FloatArray = blended / np.linalg.norm(blended, axis=1, keepdims=True)
    return unit


def direction_to(path: ArrayLike, towards_lps: Vec3) -> FloatArray:
    """The unit vector from the middle of a path towards a point; StepFailed when they are the same."""
    way = np.asarray(towards_lps, np.float64) - np.asarray(path, np.float64).mean(axis=0)
    length = float(np.linalg.norm(way))
    if length < 1e-3:
        raise StepFailed("The saw has no direction: put the point it goes towards deeper than the path.")
    unit: FloatArray = way / length
    return unit


def blade_body(blade: Blade, centre: FloatArray) -> tuple[Any, int]:
    """The blade as a manifold3d body whose faces can be told in a result, and its number there.

    blade: in patient space
    centre: (3,) LPS mm, where the origin of the body lies
    """
    number = manifold3d.Manifold.reserve_ids(1)
    count = len(blade.triangles)
    tool = manifold3d.Manifold(
        manifold3d.Mesh64(
            np.ascontiguousarray(blade.points - centre),
            blade.triangles.astype(np.uint64),
            run_index=np.array([0, 3 * count], np.uint64),
            run_original_id=np.array([number], np.uint32),
            face_id=np.arange(count, dtype=np.uint64),
        )
    )
    require_no_error(tool, "the blade has no body")
    return tool, number


def _sided(rest: Any, number: int, blade: Blade, centre: FloatArray) -> tuple[list[Any], list[int | None]]:
    """The bodies that are left, and the side of each; None for one that lies on both sides of the saw."""
    bodies = rest.decompose()
    sides: list[int | None] = []
    for body in bodies:
        raw = body.to_mesh64()
        points, triangles = raw.vert_properties[:, :3], raw.tri_verts
        sawn = np.repeat(
            np.asarray(raw.run_original_id) == number, np.diff(raw.run_index).astype(np.intp) // 3
        )
        # a face of the bone at the blade's side a looks back at the blade: it was the blade's wall towards a
        walls = blade.wall[np.asarray(raw.face_id)[sawn].astype(np.intp)]
        areas = _areas(points, triangles[sawn])
        touched = [side for side in (A, B) if areas[walls == side].sum() > 1e-9]
        if len(touched) == 1:
            sides.append(touched[0])
        elif touched:
            sides.append(None)
        else:
            sides.append(_lies(points.mean(axis=0) + centre, blade))
    return bodies, sides


def _areas(points: FloatArray, triangles: IntArray) -> FloatArray:
    a, b, c = points[triangles].transpose(1, 0, 2)
    areas: FloatArray = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return areas


def _lies(place: FloatArray, blade: Blade) -> int:
    """The side of a path on which a place lies."""
    nearest = int(np.linalg.norm(blade.path - place, axis=1).argmin())
    return A if (place - blade.path[nearest]) @ blade.aside[nearest] > 0 else B


def _require_one(bodies: list[Any], sides: list[int | None]) -> None:
    if None not in sides:
        raise StepFailed(
            f"The slot parts the bone into {len(bodies)} bodies: saw less deep or shorter, "
            "or choose the kind part."
        )
