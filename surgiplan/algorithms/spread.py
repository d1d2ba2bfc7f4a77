"""Places spread evenly over a surface, however it is cut into triangles."""

import math

import numpy as np
from numpy.typing import NDArray

from ..values import FloatArray, FloatsArray, IntArray, Mesh
from .compiled import compiled

# steps of the R2 sequence (Roberts 2018): powers of the plastic number, x^3 = x + 1
_PLASTIC = 1.324717957244746
_STEPS = np.array([1 / _PLASTIC, 1 / _PLASTIC**2])
_MOST_TRIANGLES = 100_000


class Sample:
    """Places on a surface, chosen as `spread` does, and which way is outwards there.

    Of more than 100 000 triangles not all are looked at, evenly left out.

    mesh: the surface
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh, self._every = mesh, 1 + len(mesh.triangles) // _MOST_TRIANGLES
        self._reached = np.empty(-(-len(mesh.triangles) // self._every))
        _sum_areas(mesh.points, mesh.triangles, self._every, self._reached)

    def spread(self, count: int) -> tuple[FloatArray, FloatArray]:
        """(n, 3) places in mm and (n, 3) outward unit vectors; none when the surface has no area."""
        triangle = self.mesh.triangles[self._every * _evenly(self._reached, count)]
        corners = self.mesh.points[triangle].astype(np.float64)
        normals = crossed(corners)
        unit: FloatArray = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        return _inside(corners, *_sequence(np.arange(len(corners)))), unit


@compiled
def _sum_areas(points: FloatsArray, triangles: IntArray, every: int, reached: FloatArray) -> None:
    """Add up the areas of every so many-th triangle; all sums on the way are filled in."""
    total = 0.0
    for n in range(len(reached)):
        a, b, c = triangles[n * every]
        ax, ay, az = np.float64(points[a, 0]), np.float64(points[a, 1]), np.float64(points[a, 2])
        ux, uy, uz = points[b, 0] - ax, points[b, 1] - ay, points[b, 2] - az
        vx, vy, vz = points[c, 0] - ax, points[c, 1] - ay, points[c, 2] - az
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        total += math.sqrt(x * x + y * y + z * z) / 2
        reached[n] = total


def spread(corners: FloatArray, count: int) -> tuple[FloatArray, IntArray]:
    """Choose places evenly over the area of a surface, so that each stands for the same share of it.

    The area is walked through triangle by triangle and one place is taken from each stretch of equal area,
    anywhere in it (stratified sampling: equal steps would fall in step with the rows of a mesh made from
    voxels); where in its triangle it lies follows a low-discrepancy sequence. Every run gives the same.

    corners: (m, 3, 3) mm, the corners of the triangles
    count: how many places
    Returns (n, 3) places in mm and (n,) the triangle of each; none when the surface has no area.
    """
    triangle = _evenly(np.cumsum(areas(corners)), count)
    return _inside(corners[triangle], *_sequence(np.arange(len(triangle)))), triangle


def _evenly(reached: FloatArray, count: int) -> IntArray:
    """(n,) the triangle of each place, given (m,) the area up to the end of each triangle."""
    if not len(reached) or reached[-1] <= 0:
        return np.zeros(0, np.int32)
    walked = (np.arange(count) + np.random.default_rng(0).random(count)) * (reached[-1] / count)
    triangle: IntArray = np.minimum(np.searchsorted(reached, walked), len(reached) - 1).astype(np.int32)
    return triangle


def cover(corners: FloatArray, step_mm: float, most: int) -> tuple[FloatArray, FloatArray]:
    """Choose places on every triangle of a surface, more on larger ones, to sum up over the area.

    A small triangle gives its middle, a larger one a place for every square of this step.

    corners: (m, 3, 3) mm, the corners of the triangles
    step_mm: about how far the places on large triangles are apart
    most: a surface that needs more places than this is covered by so many of equal weight (`spread`)
    Returns (n, 3) places in mm and (n,) the share of the area that each stands for.
    """
    area = areas(corners)
    counts = np.maximum(np.ceil(area / step_mm**2), 1).astype(np.int64)
    if counts.sum() > most:
        return spread(corners, most)[0], np.full(most, 1 / most)
    triangle = np.repeat(np.arange(len(corners)), counts)
    number = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
    alone = counts[triangle] == 1
    u, v = (np.where(alone, 1 / 3, along) for along in _sequence(number))
    return _inside(corners[triangle], u, v), (area / counts)[triangle] / area.sum()


def rows(corners: FloatArray, step_mm: float) -> tuple[FloatArray, IntArray]:
    """Choose places in rows along the longest edge of each triangle, for searches among neighbours.

    A triangle no larger than the step gives one place, its middle; long slivers give a row.

    corners: (m, 3, 3) mm, the corners of the triangles
    step_mm: how far the places on large triangles are apart at most, along and across
    Returns (n, 3) places in mm and (n,) the triangle of each.
    """
    lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    longest = lengths.max(axis=1)
    turned = (lengths.argmax(axis=1)[:, None] + np.arange(3)) % 3
    a, b, c = corners[np.arange(len(corners))[:, None], turned].transpose(1, 0, 2)
    height = 2 * areas(corners) / np.where(longest > 0, longest, 1)
    across = np.ceil(height / step_mm).clip(1).astype(np.intp)
    triangle = np.repeat(np.arange(len(corners), dtype=np.int32), across)
    up = (counted(across) + 1 / 3) / across[triangle]
    many = np.ceil(longest[triangle] * (1 - up) / step_mm).clip(1).astype(np.intp)
    row = np.repeat(np.arange(len(triangle)), many)
    triangle, up = triangle[row], up[row][:, None]
    along = ((counted(many) + 1 / 2) / many[row])[:, None]
    return up * c[triangle] + (1 - up) * (along * b[triangle] + (1 - along) * a[triangle]), triangle


def counted(many: NDArray[np.intp]) -> NDArray[np.intp]:
    """0 1 2 ... up to each of these numbers, one after the other.

    many: (n,) how many to count
    """
    ends = np.cumsum(many)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - many, many)


def percentile(values: FloatArray, share: FloatArray, wanted: float) -> float:
    """The smallest value that this share (0 to 1) of the area does not exceed.

    values: (n,) at the places
    share: (n,) of the area that each place stands for
    wanted: such as 0.95
    """
    order = np.argsort(values)
    reached = np.cumsum(share[order])
    return float(values[order][min(int(np.searchsorted(reached, wanted)), len(values) - 1)])


def areas(corners: FloatArray) -> FloatArray:
    """Areas (m,) of triangles (m, 3, 3), mm²."""
    x, y, z = crossed(corners).T
    area: FloatArray = np.sqrt(x * x + y * y + z * z) / 2
    return area


def crossed(corners: FloatArray) -> FloatArray:
    """(m, 3) outward normals of triangles (m, 3, 3), twice as long as their area."""
    (ax, bx, cx), (ay, by, cy), (az, bz, cz) = np.ascontiguousarray(corners.transpose(2, 1, 0))
    ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
    return np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], axis=1)


def area_of_points(mesh: Mesh) -> FloatArray:
    """(n,) a third of the area of the triangles round each point of a mesh, mm²."""
    third = areas(mesh.points.astype(np.float64)[mesh.triangles]) / 3
    return np.bincount(mesh.triangles.ravel(), np.repeat(third, 3), len(mesh.points)).astype(np.float64)


def _sequence(number: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Weights of the second and the third corner of the places with these numbers, evenly over a triangle."""
    u, v = np.mod(0.5 + number[:, None] * _STEPS, 1.0).T
    beyond = u + v > 1
    return np.where(beyond, 1 - u, u), np.where(beyond, 1 - v, v)


def _inside(corners: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
    a, b, c = (corners[:, n] for n in range(3))
    places: FloatArray = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    return places
