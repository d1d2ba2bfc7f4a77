"""What one plane makes of the triangles it crosses: both sides, and the section that closes them."""

from dataclasses import dataclass
from typing import Any

import manifold3d
import numpy as np
from numpy.typing import NDArray

from ...errors import StepFailed
from ...values import FloatArray, IntArray

_NEAR_MM = 1e-6  # a triangle with more than one corner this close to a plane is not decided here
_AREAS_AGREE = 1e-6


@dataclass(frozen=True)
class Level:
    """Triangles parted along one plane.

    rim: (k, 3) mm, the new points, where the plane crosses edges; numbered behind the points given
    upper, lower: the triangles above and below
    cap: what closes the upper side; turned round it closes the lower one
    """

    rim: FloatArray
    upper: IntArray
    lower: IntArray
    cap: IntArray


def level(points: FloatArray, triangles: IntArray, height: FloatArray, normal: FloatArray) -> Level | None:
    """Part triangles along a plane, and fill the section.

    points: (n, 3) mm
    triangles: (m, 3) all those of a closed surface that the plane crosses, and any others
    height: (n,) mm, how far the points lie above the plane
    normal: unit vector of the plane
    A corner on the plane counts as below it; what has no length then is for the caller to take out.
    Returns None when no triangle is crossed, an edge lies in the plane, or the section cannot be filled.
    Raises StepFailed when the surface runs through itself where it is cut.
    """
    above = height > 0
    a, b, c = (above[triangles[:, corner]].astype(np.int8) for corner in range(3))
    count = a + b + c
    crossed, lone_above = triangles[(count == 1) | (count == 2)], count[(count == 1) | (count == 2)] == 1
    close = np.abs(height) < _NEAR_MM
    if not len(crossed) or (close[crossed].sum(axis=1) > 1).any():
        return None
    first = (above[crossed] == lone_above[:, None]).argmax(axis=1)
    p, q, r = crossed[np.arange(len(crossed))[:, None], (first[:, None] + np.arange(3)) % 3].T
    one, other = np.concatenate([p, p]).astype(np.int64), np.concatenate([q, r])
    edges, place = _numbered(np.minimum(one, other) * len(points) + np.maximum(one, other))
    start, end = edges // len(points), edges % len(points)
    share = height[start] / (height[start] - height[end])
    rim = points[start] + share[:, None] * (points[end] - points[start])
    pq, pr = (len(points) + place.reshape(2, -1)).astype(np.int32)
    alone = np.stack([p, pq, pr], axis=1)
    pair = np.stack([np.stack([pq, q, r], axis=1), np.stack([pq, r, pr], axis=1)], axis=1)
    upper = np.concatenate([alone[lone_above], pair[~lone_above].reshape(-1, 3)])
    lower = np.concatenate([alone[~lone_above], pair[lone_above].reshape(-1, 3)])
    into, out = np.where(lone_above, pr, pq), np.where(lone_above, pq, pr)
    cap = _filled(rim, into - len(points), out - len(points), normal)
    if cap is None:
        return None
    return Level(
        rim,
        np.concatenate([triangles[count == 3], upper]),
        np.concatenate([triangles[count == 0], lower]),
        (cap + len(points)).astype(np.int32),
    )


def _numbered(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different keys in their order, and for each key its number among these."""
    order = np.argsort(keys)
    row = keys[order]
    new = np.ones(len(row), np.bool_)
    new[1:] = row[1:] > row[:-1]
    place = np.empty(len(row), np.int64)
    place[order] = np.cumsum(new) - 1
    return row[new], place


def _filled(
    rim: FloatArray, starts: NDArray[np.int32], ends: NDArray[np.int32], normal: FloatArray
) -> IntArray | None:
    """The triangles that fill the loops of a section, seen against the normal; None when they do not fit.

    starts, ends: the segments of the loops, the inside on the left as seen against the normal
    """
    follower = np.full(len(rim), -1, np.int64)
    follower[starts] = ends
    if len(starts) != len(rim) or (follower < 0).any() or (np.bincount(ends) != 1).any():
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
    (xa, xb, xc), (ya, yb, yc) = (axis[cap.T] for axis in np.ascontiguousarray(flat.T))
    doubles = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
    if abs(doubles.sum() / 2 - area) > _AREAS_AGREE * abs(area) or doubles.min() < -_AREAS_AGREE * abs(area):
        return False
    starts, ends = cap.ravel(), np.roll(cap, -1, axis=1).ravel()
    border = np.arange(len(follower))
    return each_way_once(np.concatenate([starts, follower]), np.concatenate([ends, border]), len(follower))


def each_way_once(starts: NDArray[Any], ends: NDArray[Any], count: int) -> bool:
    """Whether each edge is walked once one way and once the other.

    starts, ends: (n,) numbers of points
    count: of points
    """
    starts, ends = starts.astype(np.int64), ends.astype(np.int64)
    ways, back = np.sort(starts * count + ends), np.sort(ends * count + starts)
    return bool((ways == back).all() and (ways[1:] > ways[:-1]).all())
