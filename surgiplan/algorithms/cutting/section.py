"""What one plane makes of the triangles it crosses: both sides, and the section that closes them."""

from dataclasses import dataclass
from typing import Any

import manifold3d
import numpy as np
from numpy.typing import NDArray

from ...errors import StepFailed
from ...values import FloatArray, IntArray
from ..compiled import compiled
from .filling import swept

_NEAR_MM = 1e-6  # a triangle with more than one corner this close to a plane is not decided here
_AREAS_AGREE = 1e-6
Numbers = NDArray[np.int64]


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
    upper, lower, crossed, keys = _sides(triangles, height)
    if not len(crossed):
        return None
    edges, place = _numbered(keys)
    rim, more_upper, more_lower, follower = _halves(points, height, crossed, edges, place.reshape(-1, 2))
    round_once = len(crossed) == len(rim) and (np.sort(follower) == np.arange(len(rim))).all()
    cap = _filled(rim, follower, normal) if round_once else None
    if cap is None:
        return None
    return Level(
        rim,
        np.concatenate([upper, more_upper]),
        np.concatenate([lower, more_lower]),
        (cap + len(points)).astype(np.int32),
    )


@compiled
def _sides(triangles: IntArray, height: FloatArray) -> tuple[IntArray, IntArray, Numbers, Numbers]:
    """Sort triangles by where they lie; none is crossed where an edge lies in the plane.

    Returns those above, those below, and those that the plane crosses, their corners from the one on that is
    alone on its side; and for the two edges that start there their ends as one number, the smaller end first.
    """
    upper, lower = np.empty(triangles.shape, np.int32), np.empty(triangles.shape, np.int32)
    crossed, edges = np.empty(triangles.shape, np.int64), np.empty((len(triangles), 2), np.int64)
    over = under = across = 0
    for n in range(len(triangles)):
        p, q, r = triangles[n, 0], triangles[n, 1], triangles[n, 2]
        one, two, three = height[p], height[q], height[r]
        above = (one > 0) + (two > 0) + (three > 0)
        if above == 3:
            upper[over, 0], upper[over, 1], upper[over, 2] = p, q, r
            over += 1
        elif above == 0:
            lower[under, 0], lower[under, 1], lower[under, 2] = p, q, r
            under += 1
        elif (abs(one) < _NEAR_MM) + (abs(two) < _NEAR_MM) + (abs(three) < _NEAR_MM) > 1:
            across = 0
            break
        else:
            while (height[p] > 0) != (above == 1):
                p, q, r = q, r, p
            crossed[across, 0], crossed[across, 1], crossed[across, 2] = p, q, r
            edges[across, 0] = min(p, q) * len(height) + max(p, q)
            edges[across, 1] = min(p, r) * len(height) + max(p, r)
            across += 1
    return upper[:over], lower[:under], crossed[:across], edges[:across].ravel()


def _numbered(keys: Numbers) -> tuple[Numbers, Numbers]:
    """The different keys in their order, and for each key its number among these."""
    order = np.argsort(keys)
    row = keys[order]
    new = np.ones(len(row), np.bool_)
    new[1:] = row[1:] > row[:-1]
    place = np.empty(len(row), np.int64)
    place[order] = np.cumsum(new) - 1
    return row[new], place


@compiled
def _halves(
    points: FloatArray, height: FloatArray, crossed: Numbers, edges: Numbers, place: Numbers
) -> tuple[FloatArray, IntArray, IntArray, Numbers]:
    """Where a plane crosses edges, and what the crossed triangles come apart into.

    crossed: (k, 3) their corners from the one on that is alone on its side
    edges: ends of the crossed edges as one number each
    place: (k, 2) which of these are the two edges that start at the lone corner of each triangle
    Returns the rim, the triangles above and those below, single ones first; and for each point of the rim
    a next one round the section, the inside on the left as seen against the normal, or -1.
    """
    count, rim = len(points), np.empty((len(edges), 3))
    for n in range(len(edges)):
        start, end = edges[n] // count, edges[n] % count
        share = height[start] / (height[start] - height[end])
        for axis in range(3):
            rim[n, axis] = points[start, axis] + share * (points[end, axis] - points[start, axis])
    upper, lower = np.empty((2 * len(crossed), 3), np.int32), np.empty((2 * len(crossed), 3), np.int32)
    follower, over, under = np.full(len(rim), -1, np.int64), 0, 0
    for n in range(len(crossed)):
        p, one, other = crossed[n, 0], place[n, 0], place[n, 1]
        if height[p] > 0:
            upper[over, 0], upper[over, 1], upper[over, 2] = p, count + one, count + other
            follower[other] = one
            over += 1
        else:
            lower[under, 0], lower[under, 1], lower[under, 2] = p, count + one, count + other
            follower[one] = other
            under += 1
    for n in range(len(crossed)):
        q, r, one, other = crossed[n, 1], crossed[n, 2], count + place[n, 0], count + place[n, 1]
        for a, b, c in ((one, q, r), (one, r, other)):
            if height[crossed[n, 0]] > 0:
                lower[under, 0], lower[under, 1], lower[under, 2] = a, b, c
                under += 1
            else:
                upper[over, 0], upper[over, 1], upper[over, 2] = a, b, c
                over += 1
    return rim, upper[:over], lower[:under], follower


def _filled(rim: FloatArray, follower: Numbers, normal: FloatArray) -> Numbers | None:
    """The triangles that fill the loops of a section, seen against the normal; None when they do not fit.

    follower: for each point of the rim the next one, the inside on the left as seen against the normal
    """
    first = np.eye(3)[int(np.argmin(np.abs(normal)))]
    first = np.cross(normal, first)
    first /= np.linalg.norm(first)
    flat = (rim - rim.mean(axis=0)) @ np.stack([first, np.cross(first, normal)]).T
    order, ends, area, length = _walked(flat, follower)
    polygons = np.split(flat[order], ends[:-1])
    _require_simple(polygons, area, length)
    cap = swept(flat, follower)
    if _fits(cap, flat, follower, area):
        return cap
    try:  # loops that touch
        cap = order[manifold3d.triangulate(polygons)]
    except RuntimeError:  # the engine gives up on what is no polygon
        return None
    return cap if _fits(cap, flat, follower, area) else None


@compiled
def _walked(flat: FloatArray, follower: Numbers) -> tuple[Numbers, Numbers, float, float]:
    """The points (n, 2) of loops one after the other, where each loop ends, their area mm² and length mm."""
    order, ends, loops = np.empty(len(follower), np.int64), np.empty(len(follower), np.int64), 0
    seen, count, area, length = np.zeros(len(follower), np.bool_), 0, 0.0, 0.0
    for first in range(len(follower)):
        here = first
        while not seen[here]:
            seen[here] = True
            order[count] = here
            count += 1
            x, y = flat[here]
            here = follower[here]
            area += x * flat[here, 1] - y * flat[here, 0]
            length += np.hypot(flat[here, 0] - x, flat[here, 1] - y)
        if loops == 0 or ends[loops - 1] < count:
            ends[loops] = count
            loops += 1
    return order, ends[:loops], area / 2, length


def _require_simple(polygons: list[FloatArray], area: float, length: float) -> None:
    """Make sure that no part of a section is enclosed twice: there the surface would run through itself."""
    covered = manifold3d.CrossSection(polygons, manifold3d.FillRule.Positive).area()
    if abs(covered - area) > _AREAS_AGREE * (abs(area) + length):
        raise StepFailed(
            f"The surface runs through itself where it is cut: {abs(covered - area):.3f} mm² of the section "
            f"of {covered:.3f} mm² are enclosed twice or inside out. Repair the body first, or cut elsewhere."
        )


def _fits(cap: Numbers, flat: FloatArray, follower: Numbers, area: float) -> bool:
    """Whether triangles fill a section wholly, none turned over, and end at its loops alone."""
    if not len(cap):
        return False
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
