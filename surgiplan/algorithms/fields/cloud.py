"""A surface as places that are asked for their distance to another body, in groups that are asked first."""

import numpy as np
from numpy.typing import NDArray

from ...values import FloatArray, FloatsArray, IntArray, Mesh, Pose
from ..spread import counted, rows
from .field import DistanceField
from .lattice import CELL_MM

STEP_MM = 1.0
"""Places on a surface are at most about so far apart, along its edges and over its faces."""

_PLACES = 8  # in a group of places
_GROUPS = 32  # in a group of groups
_ROOTS = 256  # so many groups are asked without a group round them
_MOST = 400_000
_NUMBERING = np.array([1, 1 << 20, 1 << 40])


class Cloud:
    """The corners of a surface and, where its triangles are large, places between them.

    mesh: the surface, in its own coordinates
    step_mm: places are at most about so far apart; on bodies that would need more than 400,000 farther
    """

    def __init__(self, mesh: Mesh, step_mm: float = STEP_MM) -> None:
        used = np.unique(mesh.triangles)
        corners = mesh.points.astype(np.float64)
        places = np.concatenate([corners[used], *_between(corners, mesh.triangles, step_mm)])
        self.middle: FloatArray = mesh.bounds.mean(axis=0)
        """(3,) the places are kept relative to it, for their precision."""
        places = places[_along_a_curve(places)] - self.middle
        self.places: FloatsArray = np.ascontiguousarray(places.T, dtype=np.float32)
        """(3, n) mm; neighbours follow each other."""
        self.groups: list[tuple[FloatsArray, FloatsArray]] = []
        """The largest first: (3, k) their middles, (k,) radius of a sphere round all places of each."""
        centres, radii = self.places, np.zeros(len(places), np.float32)
        while centres.shape[1] > _ROOTS or not self.groups:
            centres, radii = _grouped(centres, radii, _GROUPS if self.groups else _PLACES)
            self.groups.insert(0, (centres, radii))

    @property
    def count(self) -> int:
        """How many places there are."""
        return int(self.places.shape[1])

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
        last = level + 1 == len(self.groups)
        below, most = (self.count, _PLACES) if last else (self.groups[level + 1][1].size, _GROUPS)
        number = (chosen[:, None] * most + np.arange(most)).ravel()
        row = np.repeat(np.arange(len(chosen)), most)
        there = number < below
        return (row, number) if there.all() else (row[there], number[there])


class Way:
    """From the places of a cloud to the cells of a field.

    pose: from the coordinates of the cloud's mesh to those of the field's
    """

    def __init__(self, cloud: Cloud, field: DistanceField, pose: Pose) -> None:
        self._turn = (pose.rotation / CELL_MM).astype(np.float32)
        start = pose.rotation @ cloud.middle + pose.shift - field.lattice.origin
        self._start = (start / CELL_MM).astype(np.float32)[:, None]

    def cells(self, places: FloatsArray) -> FloatsArray:
        """(3, n) float32 for `DistanceField.sampled`."""
        found: FloatsArray = self._turn @ places
        found += self._start
        return found


def _between(corners: FloatArray, triangles: IntArray, step: float) -> list[FloatArray]:
    """Places along edges that are longer than the step, and within the triangles that have such edges."""
    ends = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    lengths = np.linalg.norm(corners[ends[:, 0]] - corners[ends[:, 1]], axis=1).reshape(-1, 3)
    large = lengths.max(axis=1) > step
    if not large.any():
        return []
    ends = np.unique(ends.reshape(-1, 3, 2)[large].reshape(-1, 2), axis=0)
    abc = corners[triangles[large]]
    area = float(np.linalg.norm(np.cross(abc[:, 1] - abc[:, 0], abc[:, 2] - abc[:, 0]), axis=1).sum()) / 2
    step = max(step, np.sqrt(area / _MOST))
    a, b = corners[ends[:, 0]], corners[ends[:, 1]]
    many = np.floor(np.linalg.norm(b - a, axis=1) / step).astype(np.intp)
    edge = np.repeat(np.arange(len(ends)), many)
    share = ((counted(many) + 1) / (many[edge] + 1))[:, None]
    places = np.concatenate([a[edge] + share * (b[edge] - a[edge]), rows(abc, step)[0]])
    cubes = np.floor((places - places.min(axis=0)) / (step / 2)).astype(np.int64)
    _, first = np.unique(cubes @ _NUMBERING, return_index=True)  # long slivers lie close to each other
    return [places[first]]


def _along_a_curve(places: FloatArray) -> NDArray[np.intp]:
    """An order in which neighbours follow each other (Morton's curve through 1024 cubes along each axis)."""
    low = places.min(axis=0)
    size = max(float(np.ptp(places, axis=0).max()), 1e-9)
    cube = ((places - low) / size * 1023).astype(np.uint64)
    for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
        cube = (cube | (cube << np.uint64(shift))) & np.uint64(mask)
    order: NDArray[np.intp] = np.argsort(
        cube[:, 0] | (cube[:, 1] << np.uint64(1)) | (cube[:, 2] << np.uint64(2)), kind="stable"
    )
    return order


def _grouped(centres: FloatsArray, radii: FloatsArray, many: int) -> tuple[FloatsArray, FloatsArray]:
    """Middles and radii of spheres round every so many that follow each other."""
    starts = np.arange(0, centres.shape[1], many)
    sizes = np.diff(np.append(starts, centres.shape[1]))
    middles = (np.add.reduceat(centres.astype(np.float64), starts, axis=1) / sizes).astype(np.float32)
    away = np.linalg.norm(centres - np.repeat(middles, sizes, axis=1), axis=0) + radii
    return np.ascontiguousarray(middles), np.maximum.reduceat(away, starts).astype(np.float32)
