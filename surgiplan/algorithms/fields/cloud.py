"""A surface as places that are asked for their distance to another body, in groups that are asked first."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...values import FloatArray, FloatsArray, IntArray, Mesh
from ..spread import counted, rows

STEP_MM = 1.0
"""Places on a surface are at most about so far apart, along its edges and over its faces."""

_PLACES = 12  # in the smallest groups, on the average at least
_WIDER = 2  # a cube round cubes is twice as wide so many times
_ROOTS = 256  # so many groups are asked without a group round them
_HALVINGS = 10  # the curve goes through 1024 cubes along each axis
_MOST = 400_000
_LONG = 3.0  # steps; an edge longer than this may be a sharp one, and has two places for each step
_NUMBERING = np.array([1, 1 << 20, 1 << 40])


class Cloud:
    """The corners of a surface and, where its triangles are large, places between them.

    mesh: the surface, in its own coordinates
    step_mm: places are at most about so far apart; on bodies that would need more than 400,000 farther
    """

    def __init__(self, mesh: Mesh, step_mm: float = STEP_MM) -> None:
        used = np.flatnonzero(np.bincount(mesh.triangles.ravel()))
        corners = mesh.points.astype(np.float64)
        between, apart_mm = _between(corners, mesh.triangles, step_mm)
        places = np.concatenate([corners[used], between])
        self.middle: FloatArray = mesh.bounds.mean(axis=0)
        """(3,) the places are kept relative to it, for their precision."""
        self.apart_mm = apart_mm
        """No place of the surface is so far from all of these."""
        key = _along_a_curve(places)
        order = np.argsort(key, kind="stable")
        key, places = key[order], places[order] - self.middle
        self.places: FloatsArray = np.ascontiguousarray(places.T, dtype=np.float32)
        """(3, n) mm; neighbours follow each other."""
        self.groups: list[tuple[FloatsArray, FloatsArray]] = []
        """The largest first: (3, k) a place in the midst of each, (k,) the radius of a sphere round it that
        holds all places of the group."""
        self._starts: list[NDArray[np.intp]] = []  # (k + 1,) where each begins among the next smaller ones
        for starts in _cubes(key):
            middles, radii = (
                self.groups[0] if self.groups else (self.places, np.zeros(len(places), np.float32))
            )
            self.groups.insert(0, _grouped(middles, radii, starts))
            self._starts.insert(0, starts)

    @property
    def count(self) -> int:
        """How many places there are."""
        return int(self.places.shape[1])

    @property
    def bytes(self) -> int:
        """Memory that the places take."""
        grouped = sum(middles.nbytes + radii.nbytes for middles, radii in self.groups)
        return self.places.nbytes + grouped + sum(one.nbytes for one in self._starts)

    @property
    def reach_mm(self) -> float:
        """How far the places reach from the middle."""
        return float(np.sqrt(np.square(self.places).sum(axis=0).max()))

    def place(self, number: int) -> FloatArray:
        """(3,) one place in the coordinates of the mesh, mm."""
        found: FloatArray = self.places[:, number].astype(np.float64) + self.middle
        return found

    def opened(self, level: int, chosen: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """What lies in the chosen groups of a level: smaller groups, or places.

        Returns the row of `chosen` that each lies in, and its number.
        """
        first = self._starts[level][chosen]
        many = self._starts[level][chosen + 1] - first
        row = np.repeat(np.arange(len(chosen)), many)
        ends = many.cumsum()
        return row, np.arange(len(row)) + (first - ends + many)[row]


def _between(corners: FloatArray, triangles: IntArray, step: float) -> tuple[FloatArray, float]:
    """Places along edges that are longer than the step, and within the triangles that have such edges.

    Returns (n, 3) mm, and how far the surface is from the nearest place or corner at most: no place of a
    triangle is farther from its corners than its longest edge / sqrt 3 (Jung).
    """
    a, b, c = (corners.take(triangles[:, n], axis=0) for n in range(3))
    squared = np.maximum.reduce([np.einsum("ij,ij->i", edge, edge) for edge in (a - b, b - c, c - a)])
    large, from_corners = squared > step**2, math.sqrt(float(squared.max()) / 3)
    if not large.any():
        return np.zeros((0, 3)), from_corners
    ends = np.sort(triangles[large][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    ends = np.unique(ends, axis=0)
    abc = corners[triangles[large]]
    area = float(np.linalg.norm(np.cross(abc[:, 1] - abc[:, 0], abc[:, 2] - abc[:, 0]), axis=1).sum()) / 2
    step = max(step, math.sqrt(area / _MOST))
    a, b = corners[ends[:, 0]], corners[ends[:, 1]]
    length = np.linalg.norm(b - a, axis=1) / step
    many = np.floor(np.where(length > _LONG, 2 * length, length)).astype(np.intp)
    edge = np.repeat(np.arange(len(ends)), many)
    share = ((counted(many) + 1) / (many[edge] + 1))[:, None]
    places = np.concatenate([a[edge] + share * (b[edge] - a[edge]), rows(abc, step)[0]])
    cubes = np.floor((places - places.min(axis=0)) / (step / 2)).astype(np.int64)
    _, first = np.unique(cubes @ _NUMBERING, return_index=True)  # long slivers lie close to each other
    return places[first], min(from_corners, 2 * step)


def _along_a_curve(places: FloatArray) -> NDArray[np.uint64]:
    """(n,) where each lies on a curve on which neighbours follow each other.

    Morton's curve through 1024 cubes along each axis: three bits of the number for each halving.
    """
    low = places.min(axis=0)
    size = max(float(np.ptp(places, axis=0).max()), 1e-9)
    cube = ((places - low) / size * (2**_HALVINGS - 1)).astype(np.uint64)
    for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
        cube = (cube | (cube << np.uint64(shift))) & np.uint64(mask)
    key: NDArray[np.uint64] = cube[:, 0] | (cube[:, 1] << np.uint64(1)) | (cube[:, 2] << np.uint64(2))
    return key


def _cubes(key: NDArray[np.uint64]) -> Iterator[NDArray[np.intp]]:
    """Where the cubes begin that hold what follows each other on the curve: places, smaller cubes, and so on.

    key: (n,) of the places, growing
    Yields (k + 1,) starts, from the smallest cubes to the largest.
    """
    most, halvings = max(len(key) // _PLACES, 1), 0
    while True:
        cube = key >> np.uint64(3 * halvings)
        starts = np.flatnonzero(np.concatenate([[True], cube[1:] != cube[:-1]]))
        if len(starts) <= most or halvings >= _HALVINGS:
            yield np.append(starts, len(key))
            if len(starts) <= _ROOTS:
                return
            key, most, halvings = key[starts], len(starts), halvings + _WIDER
        else:
            halvings += 1


def _grouped(
    centres: FloatsArray, radii: FloatsArray, starts: NDArray[np.intp]
) -> tuple[FloatsArray, FloatsArray]:
    """The member in the midst of each group, and the radius of a sphere round it that holds all members.

    That a group is asked at one of its own places makes its distance one that is reached.
    """
    sizes = np.diff(starts)
    group = np.repeat(np.arange(len(sizes)), sizes)
    means = np.add.reduceat(centres, starts[:-1], axis=1) / sizes
    from_mean = np.square(centres - means.take(group, axis=1)).sum(axis=0)
    nearest = np.flatnonzero(from_mean == np.minimum.reduceat(from_mean, starts[:-1])[group])
    middles = centres.take(nearest[np.searchsorted(nearest, starts[:-1])], axis=1)
    away = np.sqrt(np.square(centres - middles.take(group, axis=1)).sum(axis=0)) + radii
    return middles, np.maximum.reduceat(away, starts[:-1]).astype(np.float32)
