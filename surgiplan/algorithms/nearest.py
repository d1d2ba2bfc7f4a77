"""Which triangle of a surface is nearest to each of many points: all points at once."""

import math
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ..errors import StepFailed
from ..progress import Report, silent
from ..values import FloatArray, FloatsArray, IntArray
from .spread import areas, rows
from .triangles import closest_on_triangles

_CANDIDATES = 8  # places that are looked at for a point
_AT_ONCE = 1 << 14  # points worked on at once: what belongs to them stays in the cache
_LARGER = 1.5  # a triangle up to so many times as long as usual has one place
_STEP_MM = 1.0  # and places are never farther apart, so that thin sheets are seen from both sides
_MOST_PLACES = 2_000_000
_THIN_MM = 2.0  # one place in a cube of this size stands for the others when a point is far away
_FAR_MM = 5.0  # farther than this the thinned places are asked first
_BEFORE_MM = 1.0  # how far before the place found the search goes on
_APPROACHES = 3
_NUMBERING = np.array([1, 1 << 20, 1 << 40])


class NearestTriangles:
    """Finds the nearest triangle of a surface for many points at once.

    A KD-tree over places on the triangles (several on large ones) gives a few candidates, whose distances
    are compared. The triangle found is the nearest, or beside it: up to 5 mm from a surface made from a scan
    the distance to it is too large by a micrometre at most. Farther away another side of the body may be
    taken that is up to half a millimetre farther.

    corners: (m, 3, 3) mm
    Raises StepFailed when no triangle has an area.
    """

    def __init__(self, corners: FloatArray) -> None:
        self._corners = corners
        self._middle = corners.reshape(-1, 3).mean(axis=0)
        self._frames = _frames(corners - self._middle)
        places, self._triangle = _spread(corners)
        self._tree = cKDTree(places, leafsize=8, balanced_tree=False)
        cubes = np.floor((places - self._middle) / _THIN_MM).astype(np.int64)
        self._thin = places[np.unique(cubes @ _NUMBERING, return_index=True)[1]]
        self._thin_tree = cKDTree(self._thin, leafsize=8, balanced_tree=False)

    @property
    def bytes(self) -> int:
        """Memory that the arrays and the tree take."""
        arrays = (self._frames, self._triangle, self._tree.data, self._tree.indices)
        return sum(int(one.nbytes) for one in arrays)

    def of(self, points: FloatArray, report: Report = silent, *, far: bool = True) -> IntArray:
        """The nearest triangle of each point.

        points: (n, 3) mm; quickest when neighbours follow each other
        report: told the progress; may raise Cancelled
        far: whether some may be far from the surface; without such it is a little quicker
        Returns (n,) int32 rows of the triangles.
        """
        found = np.empty(len(points), np.int32)
        for start in range(0, len(points), _AT_ONCE):
            report(start / len(points), "Measuring distances")
            some = points[start : start + _AT_ONCE]
            found[start : start + _AT_ONCE] = self._near_and_far(some) if far else self._best(some, some)
        return found

    def apart(self, points: FloatArray, triangles: IntArray) -> FloatsArray:
        """How far points are from a few triangles each.

        points: (n, 3) mm
        triangles: (n, k) rows of the triangles
        Returns (n, k) float32 mm, rounded by some 1e-5 mm.
        """
        from_middle = (points - self._middle).astype(np.float32)
        return np.sqrt(_squared_distances(from_middle, self._frames, triangles))

    def _near_and_far(self, points: FloatArray) -> IntArray:
        away, thin = (np.asarray(found) for found in self._thin_tree.query(points, workers=_workers(points)))
        far = away > _FAR_MM
        found: IntArray = np.empty(len(points), np.int32)
        found[~far] = self._best(points[~far], points[~far])
        found[far] = self._approached(points[far], self._thin[thin[far]])
        return found

    def _approached(self, points: FloatArray, places: FloatArray) -> IntArray:
        """The nearest triangle of far points: the search goes on shortly before the nearest place so far.

        A tree needs long for a point that is about as far from all of a surface, such as the middle of a
        shaft; shortly before the surface it is quick.
        """
        best, least = np.zeros(len(points), np.int32), np.full(len(points), np.inf)
        for _ in range(_APPROACHES if len(points) else 0):
            way = points - places
            before = places + way * (
                _BEFORE_MM / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), _BEFORE_MM)
            )
            triangle = self._best(before, points)
            found = closest_on_triangles(points, self._corners[triangle])[0]
            away = np.linalg.norm(points - found, axis=1)
            nearer = away < least
            best, least = np.where(nearer, triangle, best), np.minimum(away, least)
            places = np.where(nearer[:, None], found, places)
        return best

    def _best(self, points: FloatArray, measured: FloatArray) -> IntArray:
        """(n,) the triangle nearest to the measured points, of those that have a place near `points`."""
        count = min(_CANDIDATES, self._tree.n)
        _, place = self._tree.query(points, count, workers=_workers(points))
        triangle = self._triangle[place.reshape(-1, count)]
        squared = _squared_distances((measured - self._middle).astype(np.float32), self._frames, triangle)
        best: IntArray = triangle[np.arange(len(points)), squared.argmin(axis=1)]
        return best


def _workers(points: FloatArray) -> int:
    """All processors for many points; for a few it takes longer to wake them."""
    return -1 if len(points) > 4000 else 1


def _spread(corners: FloatArray) -> tuple[FloatArray, IntArray]:
    """Places all over some triangles, about as far apart as the usual triangle is long."""
    longest = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2).max(axis=1)
    area = float(areas(corners).sum())
    if not area > 0:
        raise StepFailed("There is no surface to measure from: the mesh has no triangle with an area.")
    usual = min(float(np.median(longest)) * _LARGER, _STEP_MM)
    return rows(corners, max(usual, math.sqrt(area / _MOST_PLACES)))


def _frames(corners: FloatArray) -> FloatsArray:
    """(15, m) each triangle in a plane of its own.

    Its first corner, the direction of its first edge, the one across in its plane, its normal, the length of
    its first edge, and where its third corner lies along and across.
    """
    a, b, c = corners.transpose(1, 0, 2)
    along, third = b - a, c - a
    length = np.linalg.norm(along, axis=1)
    unit = along / np.where(length > 0, length, 1)[:, None]
    normal = np.cross(unit, third)
    height = np.linalg.norm(normal, axis=1)
    normal /= np.where(height > 0, height, 1)[:, None]
    across = np.cross(normal, unit)
    x, y = np.einsum("ij,ij->i", third, unit), np.einsum("ij,ij->i", third, across)
    frames: Any = np.concatenate([a.T, unit.T, across.T, normal.T, length[None], x[None], y[None]])
    # a sliver without a direction: one that lies along its edge at least keeps its distances to the edges
    return np.ascontiguousarray(frames.T.astype(np.float32))


def _squared_distances(points: FloatsArray, frames: FloatsArray, triangle: IntArray) -> FloatsArray:
    """(n, k) squared distance of points (n, 3) to k triangles each (n, k), mm²."""
    own = frames[triangle.T]  # (k, n, 15)
    px, py, pz = (points[:, axis] - own[..., axis] for axis in range(3))
    x = px * own[..., 3] + py * own[..., 4] + pz * own[..., 5]
    y = px * own[..., 6] + py * own[..., 7] + pz * own[..., 8]
    z = px * own[..., 9] + py * own[..., 10] + pz * own[..., 11]
    length, cx, cy = own[..., 12], own[..., 13], own[..., 14]
    ab = np.square(x - np.clip(x, 0, length)) + y * y
    ac, out_ac = _beside(x, y, cx, cy)
    bc, out_bc = _beside(x - length, y, cx - length, cy)
    inside = (y > 0) & (out_ac < 0) & (out_bc > 0)
    flat = np.where(inside, 0, np.minimum(np.minimum(ab, ac), bc))
    squared: FloatsArray = (flat + z * z).T
    return squared


def _beside(
    x: FloatsArray, y: FloatsArray, ex: FloatsArray, ey: FloatsArray
) -> tuple[FloatsArray, FloatsArray]:
    """Squared distance in the plane to an edge from the origin to (ex, ey), and on which side of it."""
    long = ex * ex + ey * ey
    share = np.clip((x * ex + y * ey) / np.where(long > 0, long, 1), 0, 1)
    dx, dy = x - share * ex, y - share * ey
    squared: Any = dx * dx + dy * dy
    return squared, ex * y - ey * x
