"""The body of a saw that follows a path: open or closed, straight or bevelled, as deep as it is let in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from ...errors import StepFailed
from ...values import FloatArray, IntArray

A, B, EDGE = 1, -1, 0
_SHARPEST = -0.9  # cosine between two legs of a path: a turn of more than 154 degrees is no path of a saw


@dataclass(frozen=True, eq=False)
class Blade:
    """A closed body in patient space that a saw sweeps.

    points: (n, 3) LPS mm
    triangles: (m, 3) counter-clockwise seen from outside
    wall: (m,) which side the face looks at: 1 for side a, -1 for side b, 0 for neither
    path: (k, 3) the path on the bone, LPS mm
    aside: (k, 3) the direction from the path towards side a; its length is that of the mitre
    """

    points: FloatArray
    triangles: IntArray
    wall: NDArray[np.int8]
    path: FloatArray
    aside: FloatArray


def smooth_path(points: ArrayLike, closed: bool, step_mm: float = 1.0) -> FloatArray:
    """A smooth curve through points (cubic spline over the chord length), sampled evenly.

    points: (n, 3) LPS mm
    closed: whether it returns to the first point
    step_mm: largest distance of two samples
    Returns (k, 3) LPS mm; a closed curve does not repeat its first point.
    """
    given = np.asarray(points, np.float64)
    loop = np.vstack([given, given[:1]]) if closed else given
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(loop, axis=0), axis=1))])
    curve = CubicSpline(lengths, loop, bc_type="periodic" if closed else "natural")
    at = np.linspace(0, lengths[-1], int(np.ceil(lengths[-1] / step_mm)) + 1)
    sampled: FloatArray = curve(at[:-1] if closed else at)
    return sampled


def ribbon(
    path: FloatArray,
    into: FloatArray,
    kerf: tuple[float, float],
    reach: tuple[float, float],
    bevel_deg: float = 0.0,
    closed: bool = False,
) -> Blade:
    """The body swept by a blade that is led along a path.

    path: (n, 3) LPS mm on the bone; of an open path side a lies to the left as the surgeon sees it, looking
        along the blade into the bone; of a closed one inside
    into: (n, 3) unit vectors into the bone, one for each point
    kerf: thickness on side a and on side b of the path, mm
    reach: how far the blade stands out above the path and how deep it goes below, mm
    bevel_deg: tilt of the blade; positive narrows side a with the depth, so that a lid cannot fall in
    closed: whether the path returns to its first point
    Raises StepFailed when the path has no length, crosses itself, or turns so sharply that the blade
    would run through itself.
    """
    _require_path(path, closed)
    if closed and _turns(path, into) < 0:
        path, into = path[::-1], into[::-1]
    aside = _mitres(path, into, closed)
    tilt = np.tan(np.radians(bevel_deg))
    levels = (-reach[0], reach[1])
    rails = [
        path + depth * into + (depth * tilt + share) * aside
        for depth, share in (
            (levels[0], kerf[0]),
            (levels[0], -kerf[1]),
            (levels[1], -kerf[1]),
            (levels[1], kerf[0]),
        )
    ]  # round the section: above on side a, above on side b, below on side b, below on side a
    _require_forward(path, rails, closed)
    count = len(path)
    points = np.stack(rails, axis=1).reshape(-1, 3)
    here = np.arange(count if closed else count - 1)
    there = (here + 1) % count
    quads, wall = [], []
    for side, looks in enumerate((EDGE, B, EDGE, A)):
        turned = (side + 1) % 4
        quads.append(np.stack([4 * here + side, 4 * there + side, 4 * there + turned, 4 * here + turned], 1))
        wall.append(np.full(len(here), looks, np.int8))
    if not closed:
        last = 4 * (count - 1)
        quads.append(np.array([[0, 1, 2, 3], [last + 3, last + 2, last + 1, last]]))
        wall.append(np.zeros(2, np.int8))
    rows = np.concatenate(quads)
    triangles = np.concatenate([rows[:, [0, 1, 2]], rows[:, [0, 2, 3]]])
    sides = np.tile(np.concatenate(wall), 2)
    corners = points[triangles] - points.mean(axis=0)
    if np.einsum("ni,ni->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) < 0:
        triangles = triangles[:, ::-1]
    return Blade(points, triangles.astype(np.int32), sides, path, aside)


def _legs(path: FloatArray, closed: bool) -> FloatArray:
    legs: FloatArray = np.diff(np.vstack([path, path[:1]]) if closed else path, axis=0)
    return legs


def _require_path(path: FloatArray, closed: bool) -> None:
    if len(path) < (3 if closed else 2):
        raise StepFailed(f"A path of {len(path)} points is no cut: click {3 if closed else 2} or more.")
    short = np.linalg.norm(_legs(path, closed), axis=1) < 1e-3
    if short.any():
        number = int(short.argmax()) + 1
        raise StepFailed(f"Point {number} of the path and the one after it are the same: remove one.")


def _turns(path: FloatArray, into: FloatArray) -> float:
    """Above 0 for a closed path that runs counter-clockwise as the surgeon sees it (area of its shadow)."""
    spokes = path - path.mean(axis=0)
    area = np.cross(spokes, np.roll(spokes, -1, axis=0)).sum(axis=0)
    return float(area @ -into.mean(axis=0))


def _mitres(path: FloatArray, into: FloatArray, closed: bool) -> FloatArray:
    """(n, 3) from each point towards side a, so long that every leg is shifted by 1 mm."""
    legs = _legs(path, closed)
    facing = (into + np.roll(into, -1, axis=0)) / 2 if closed else (into[:-1] + into[1:]) / 2
    normals = np.cross(legs, facing)
    lengths = np.linalg.norm(normals, axis=1)
    if (lengths < 0.05 * np.linalg.norm(legs, axis=1)).any():
        number = int((lengths < 0.05 * np.linalg.norm(legs, axis=1)).argmax()) + 1
        raise StepFailed(
            f"Leg {number} of the path runs along the blade: place its points side by side, "
            "as seen along the saw."
        )
    normals /= lengths[:, None]
    before = np.roll(normals, 1, axis=0) if closed else np.vstack([normals[:1], normals])
    after = normals if closed else np.vstack([normals, normals[-1:]])
    alike = np.einsum("ni,ni->n", before, after)
    if alike.min() < _SHARPEST:
        raise StepFailed(
            f"The path turns back on itself at point {int(alike.argmin()) + 1}: no saw can follow. "
            "Move that point."
        )
    mitres: FloatArray = (before + after) / (1 + alike)[:, None]
    mitres -= np.einsum("ni,ni->n", mitres, into)[:, None] * into
    return mitres


def _require_forward(path: FloatArray, rails: list[FloatArray], closed: bool) -> None:
    """Make sure that no edge of the blade runs backwards, and that the path does not cross itself."""
    legs = _legs(path, closed)
    for rail in rails:
        ahead = np.einsum("ni,ni->n", _legs(rail, closed), legs)
        if ahead.min() <= 0:
            raise StepFailed(
                f"The blade runs into itself at point {int(ahead.argmin()) + 1} of the path, which turns "
                "more sharply there than its thickness, depth and bevel allow. Move that point, or saw "
                "less deep."
            )
    for rail in rails:
        crossed = _crossing(rail, closed)
        if crossed is not None:
            raise StepFailed(
                f"The path crosses itself between points {crossed[0] + 1} and {crossed[1] + 1}: "
                "move one of them."
            )


def _crossing(path: FloatArray, closed: bool) -> tuple[int, int] | None:
    """Two legs of a path that cross as seen along its thinnest direction, None when there are none."""
    flat = (path - path.mean(axis=0)) @ np.linalg.svd(path - path.mean(axis=0), full_matrices=False)[2][:2].T
    start, way = flat, _legs(flat, closed)
    count = len(way)
    start = start[:count]

    def turn(u: FloatArray, v: FloatArray) -> FloatArray:
        area: FloatArray = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
        return area

    for n in range(count - 2):
        others = np.arange(n + 2, count - 1 if closed and n == 0 else count)
        if not len(others):
            continue
        between, whole = start[others] - start[n], turn(way[n], way[others])
        with np.errstate(divide="ignore", invalid="ignore"):
            mine, theirs = turn(between, way[others]) / whole, turn(between, way[n]) / whole
        hit = (mine >= 0) & (mine <= 1) & (theirs >= 0) & (theirs <= 1)
        if hit.any():
            return n, int(others[hit.argmax()])
    return None
