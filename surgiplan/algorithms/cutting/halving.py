"""A closed surface parted along parallel planes: only the triangles that a plane crosses are touched.

The work grows with the section, not with the surface, and every other point and triangle stays as it was.
What is too close to a plane to be decided in this simple way is left to the geometry engine.
"""

from dataclasses import dataclass

import manifold3d
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...errors import StepFailed
from ...values import FloatArray, FloatsArray, IntArray, Mesh
from ..storing import rounded

_NEAR_MM = 1e-6  # a point this close to a plane is not decided here
_AREAS_AGREE = 1e-6


@dataclass(frozen=True)
class _Level:
    """A surface parted along one plane.

    points: all points, with those of the rim at the end
    upper, lower: the triangles above and below
    rim: the triangles among them that are new
    cap: (k, 3) what closes the upper side; turned round it closes the lower one
    """

    points: FloatArray
    upper: IntArray
    lower: IntArray
    rim: IntArray
    cap: IntArray


def parted(
    points: FloatArray, triangles: IntArray, normal: FloatArray, offsets: tuple[float, ...], exact: bool
) -> list[Mesh] | None:
    """The pieces of a closed surface between parallel planes, the uppermost first, each closed.

    points: (n, 3) float64 mm
    triangles: (m, 3) of a closed surface
    normal: unit vector
    offsets: of each plane along the normal, from the highest to the lowest, mm
    exact: whether the points are float32 numbers, as those of a part that was never moved are
    Returns as many meshes as there are planes and one more; they share the corners of their cuts bit for bit,
    and their volumes add up to that of the whole; None when a point lies on a plane, or a section cannot be
    filled.
    Raises StepFailed when the surface runs through itself where it is cut.
    """
    shells, caps, rims = [], [], []
    rest, given = triangles, len(points) if exact else 0
    for offset in offsets:
        level = _level(points, rest, normal, offset)
        if level is None:
            return None
        points, rest = level.points, level.lower
        shells.append(level.upper)
        caps.append(level.cap)
        rims += [level.rim, level.cap]
    shells.append(rest)
    stored = rounded(points, np.concatenate(shells), given)
    same = _same(stored, np.concatenate(rims))
    if same is not None:
        shells, caps = [_merged(one, same) for one in shells], [_merged(one, same) for one in caps]
    pieces = []
    for number, shell in enumerate(shells):
        above = [caps[number - 1][:, ::-1]] if number else []
        below = [caps[number]] if number < len(caps) else []
        pieces.append(_compact(stored, np.concatenate([shell, *above, *below])))
    closed = same is None or all(piece.watertight for piece in pieces)
    return pieces if closed and all(piece.volume_mm3 > 0 for piece in pieces) else None


def _level(points: FloatArray, triangles: IntArray, normal: FloatArray, offset: float) -> _Level | None:
    height = points @ normal - offset
    above = height > 0
    a, b, c = (above[triangles[:, corner]].astype(np.int8) for corner in range(3))
    count = a + b + c
    crossed, lone_above = triangles[(count == 1) | (count == 2)], count[(count == 1) | (count == 2)] == 1
    if not len(crossed) or np.abs(height[crossed]).min() < _NEAR_MM:
        return None
    first = (above[crossed] == lone_above[:, None]).argmax(axis=1)
    p, q, r = crossed[np.arange(len(crossed))[:, None], (first[:, None] + np.arange(3)) % 3].T
    ends = np.sort(np.stack([np.concatenate([p, p]), np.concatenate([q, r])], axis=1), axis=1)
    keys, place = np.unique(ends[:, 0].astype(np.int64) * len(points) + ends[:, 1], return_inverse=True)
    start, end = keys // len(points), keys % len(points)
    share = height[start] / (height[start] - height[end])
    rim = points[start] + share[:, None] * (points[end] - points[start])
    pq, pr = (len(points) + place.ravel().reshape(2, -1)).astype(np.int32)
    alone = np.stack([p, pq, pr], axis=1)
    pair = np.stack([np.stack([pq, q, r], axis=1), np.stack([pq, r, pr], axis=1)], axis=1)
    upper = np.concatenate([alone[lone_above], pair[~lone_above].reshape(-1, 3)])
    lower = np.concatenate([alone[~lone_above], pair[lone_above].reshape(-1, 3)])
    into, out = np.where(lone_above, pr, pq), np.where(lone_above, pq, pr)
    cap = _filled(rim, into - len(points), out - len(points), normal)
    if cap is None:
        return None
    return _Level(
        np.concatenate([points, rim]),
        np.concatenate([triangles[count == 3], upper]),
        np.concatenate([triangles[count == 0], lower]),
        np.concatenate([upper, lower]),
        (cap + len(points)).astype(np.int32),
    )


def _filled(
    rim: FloatArray, starts: NDArray[np.int32], ends: NDArray[np.int32], normal: FloatArray
) -> IntArray | None:
    """The triangles that fill the loops of a section, seen against the normal; None when they do not fit.

    starts, ends: the segments of the loops, the inside on the left as seen against the normal
    """
    follower = np.full(len(rim), -1, np.int64)
    follower[starts] = ends
    if len(starts) != len(rim) or (follower < 0).any() or len(np.unique(ends)) != len(rim):
        return None
    loops = _loops(follower)
    first = np.eye(3)[int(np.argmin(np.abs(normal)))]
    first = np.cross(normal, first)
    first /= np.linalg.norm(first)
    flat = (rim - rim.mean(axis=0)) @ np.stack([first, np.cross(first, normal)]).T
    polygons = [flat[loop] for loop in loops]
    area = sum(_area(polygon) for polygon in polygons)
    _require_simple(polygons, area)
    order = np.concatenate(loops)
    try:
        cap = order[manifold3d.triangulate(polygons)]
    except RuntimeError:  # the engine gives up on what is no polygon
        return None
    return cap if _fits(cap, flat, follower, area) else None


def _loops(follower: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    loops, left, after = [], np.ones(len(follower), np.bool_), follower.tolist()
    while left.any():
        first = int(left.argmax())
        loop, here = [first], after[first]
        while here != first:
            loop.append(here)
            here = after[here]
        left[loop] = False
        loops.append(np.array(loop))
    return loops


def _area(polygon: FloatArray) -> float:
    x, y = polygon.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _require_simple(polygons: list[FloatArray], area: float) -> None:
    """Make sure that no part of a section is enclosed twice: there the surface would run through itself."""
    covered = manifold3d.CrossSection(polygons, manifold3d.FillRule.Positive).area()
    length = sum(float(np.linalg.norm(np.diff(p, axis=0), axis=1).sum()) for p in polygons)
    if abs(covered - area) > _AREAS_AGREE * (abs(area) + length):
        raise StepFailed(
            f"The surface runs through itself where it is cut: {abs(covered - area):.3f} mm² of the section "
            f"of {covered:.3f} mm² are enclosed twice or inside out. Repair the body first, or cut elsewhere."
        )


def _fits(cap: NDArray[np.int64], flat: FloatArray, follower: NDArray[np.int64], area: float) -> bool:
    """Whether triangles fill a section wholly, none turned over, and end at its loops alone."""
    a, b, c = flat[cap].transpose(1, 0, 2)
    doubles = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    if abs(doubles.sum() / 2 - area) > _AREAS_AGREE * abs(area) or doubles.min() < -_AREAS_AGREE * abs(area):
        return False
    size = len(follower)
    edges = (cap.astype(np.int64) * size + np.roll(cap, -1, axis=1)).ravel()
    turned = (np.roll(cap, -1, axis=1).astype(np.int64) * size + cap).ravel()
    if len(np.unique(edges)) != len(edges):
        return False
    border = np.setdiff1d(edges, turned, assume_unique=True)
    return bool(np.array_equal(np.sort(border), np.sort(np.arange(size) * size + follower)))


def _same(points: FloatsArray, triangles: IntArray) -> IntArray | None:
    """For each point the one it becomes where float32 leaves an edge no length; None where none does."""
    starts, ends = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    alike = (points[starts] == points[ends]).all(axis=1)
    if not alike.any():
        return None
    starts, ends = starts[alike], ends[alike]
    links = coo_array((np.ones(len(starts), np.bool_), (starts, ends)), shape=(len(points), len(points)))
    _, group = connected_components(links, directed=False)
    lowest = np.full(group.max() + 1, len(points), np.int32)
    np.minimum.at(lowest, group, np.arange(len(points), dtype=np.int32))
    same: IntArray = lowest[group]
    return same


def _merged(triangles: IntArray, same: IntArray) -> IntArray:
    """The triangles with points that became one, without those that have no area any more."""
    a, b, c = (named := same[triangles]).T
    kept: IntArray = named[(a != b) & (b != c) & (c != a)]
    return kept


def _compact(points: FloatsArray, triangles: IntArray) -> Mesh:
    """A mesh of these triangles with the points they use."""
    used = np.zeros(len(points), np.bool_)
    used[triangles] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    return Mesh(points[used], number[triangles])
