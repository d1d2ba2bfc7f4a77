"""The signed distance field of a shape: made once, asked by everybody."""

from dataclasses import replace
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...progress import Report, part_of, silent
from ...values import FloatArray, FloatsArray, Mesh
from ..distance import SignedDistance
from ..nearest import NearestTriangles
from .lattice import CELL_MM, ERROR_MM, FINER, SIDE, UNMEASURED, Bricks, Lattice, Levels, hard_cells

BAND_MM = 2.0
"""So near to the surface a finished field is right within 0.05 mm."""
_MARGIN_MM = 4.0
_BENDING_MM = 0.05  # how far a tangent may miss before a cell is not trusted to interpolate
_FAR_BENDING_MM = 0.2  # the same in a coarse cell
_AT_ONCE = 2_000  # bricks filled at once


class DistanceField:
    """Signed distances to a surface, interpolated between nodes that are exact; negative inside.

    A new field knows a lattice of 4 mm and answers at once. `refine` measures a lattice of 2 mm, and bricks
    of 0.5 mm wherever the surface is nearer than 2 mm; after it, answers in that band are right within
    0.05 mm (in cells where the distance bends too much to be interpolated, the surface itself is asked).
    The sign holds for any closed surface that faces outwards.

    mesh: the surface, in its own coordinates
    report: told the progress; may raise Cancelled
    Raises StepFailed when it has no triangle with an area.
    """

    def __init__(self, mesh: Mesh, report: Report = silent) -> None:
        self.exact = SignedDistance(mesh)
        """The surface itself, for answers without an error."""
        self.nearest = NearestTriangles(self.exact.corners)
        self.lattice = Lattice.round(mesh.bounds, _MARGIN_MM)
        self._levels = self._first(report)
        self._making = Lock()

    @property
    def finished(self) -> bool:
        """Whether the fine bricks are there."""
        return self._levels.bricks is not None

    @property
    def coarse(self) -> FloatsArray:
        """(nodes along x, y, z) float32, the distances at the nodes of the coarse lattice, mm."""
        return self._levels.values.reshape(self.lattice.shape)

    @property
    def megabytes(self) -> float:
        """Memory that the nodes and the surface take, in units of 1e6 bytes."""
        levels, bricks = self._levels, self._levels.bricks
        fine = (bricks.slots.nbytes + bricks.values.nbytes + bricks.hard.nbytes) if bricks else 0
        return (
            levels.values.nbytes + levels.hard.nbytes + fine + self.exact.bytes + self.nearest.bytes
        ) / 1e6

    def at(self, points: ArrayLike, report: Report = silent) -> FloatArray:
        """Signed distances of points in mm, negative inside; right within 0.05 mm near the surface.

        points: (n, 3) mm, in the coordinates of the mesh
        report: told the progress; may raise Cancelled
        Returns (n,) float64.
        """
        asked = np.asarray(points, np.float64).reshape(-1, 3)
        found, slack = self.sampled(self.to_cells(asked))
        signed = found.astype(np.float64)
        if not self.finished:
            return signed
        hard = np.flatnonzero((slack > ERROR_MM) & (np.abs(found) - slack <= BAND_MM))
        if len(hard):
            signed[hard] = self.exactly(asked[hard], report)[0]
        return signed

    def gradient_at(self, points: ArrayLike) -> FloatArray:
        """Where the distance grows: unit vectors away from the surface outside, towards it inside.

        points: (n, 3) mm, in the coordinates of the mesh
        Returns (n, 3) float64.
        """
        asked = np.asarray(points, np.float64).reshape(-1, 3)
        signed, places = self.exactly(asked)
        away = asked - places
        steep = np.abs(signed) < 1e-4  # on the surface: ask a little above it
        if steep.any():
            triangle = self.nearest.of(asked[steep])
            away[steep] = self.exact.face_normals(triangle)
            signed[steep] = 1.0
        away *= np.sign(signed)[:, None]
        unit: FloatArray = away / np.linalg.norm(away, axis=1, keepdims=True)
        return unit

    def exactly(self, points: FloatArray, report: Report = silent) -> tuple[FloatArray, FloatArray]:
        """Signed distances from the surface itself, and the nearest places on it.

        points: (n, 3) mm, in the coordinates of the mesh
        report: told the progress; may raise Cancelled
        Returns (n,) mm and (n, 3) mm; as exact as `NearestTriangles`.
        """
        return self.exact.beside(points, self.nearest.of(points, report))

    def to_cells(self, points: FloatArray) -> FloatsArray:
        """(3, n) float32 places in cells of the lattice, of points (n, 3) in the coordinates of the mesh."""
        return np.ascontiguousarray(((points - self.lattice.origin) / CELL_MM).T, dtype=np.float32)

    def sampled(self, cells: FloatsArray) -> tuple[FloatsArray, FloatsArray]:
        """Interpolated distances alone: the quickest answer.

        cells: (3, n) float32, from `to_cells`
        Returns (n,) float32 mm, and (n,) a bound of the error of each.
        """
        return self._levels.interpolated(cells)

    def refine(self, report: Report = silent) -> "DistanceField":
        """Measure the finer nodes, unless they are there; others may go on asking meanwhile.

        report: told the progress; may raise Cancelled, and the field stays as it was
        Returns this field.
        """
        with self._making:
            if not self.finished:
                self._levels = self._second(part_of(report, 0.0, 0.2))
                bricks = self._bricks(self._levels.values, part_of(report, 0.2, 1.0))
                self._levels = replace(self._levels, bricks=bricks)
        return self

    def _nodes(self, index: NDArray[np.int_], step: float) -> FloatArray:
        return self.lattice.origin + step * index

    def _first(self, report: Report) -> Levels:
        """Measured at every other node along each axis, with means between them."""
        shape = self.lattice.shape
        values = np.zeros(shape, np.float32)
        some = np.stack(np.meshgrid(*(np.arange(0, n, 2) for n in shape), indexing="ij"), axis=-1)
        signed = self.exactly(self._nodes(some.reshape(-1, 3), CELL_MM), report)[0]
        values[::2, ::2, ::2] = signed.reshape(some.shape[:3])
        values[1::2, ::2, ::2] = (values[:-1:2, ::2, ::2] + values[2::2, ::2, ::2]) / 2
        values[:, 1::2, ::2] = (values[:, :-1:2, ::2] + values[:, 2::2, ::2]) / 2
        values[:, :, 1::2] = (values[:, :, :-1:2] + values[:, :, 2::2]) / 2
        return Levels(self.lattice, values.ravel(), np.full(values.size, UNMEASURED))

    def _second(self, report: Report) -> Levels:
        """Measured at all nodes of the coarse lattice."""
        shape = self.lattice.shape
        some = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
        nodes = self._nodes(some.reshape(-1, 3), CELL_MM)
        values, slopes = _with_slopes(nodes, *self.exactly(nodes, report))
        grids = values.reshape(1, *shape), slopes.reshape(1, *shape, 3)
        return Levels(self.lattice, values, hard_cells(*grids, CELL_MM, _FAR_BENDING_MM).ravel())

    def _bricks(self, coarse: FloatsArray, report: Report) -> Bricks:
        """A brick for each cell with a place in the band.

        A place in a cell that is no farther than the band from the surface has a corner of the cell within
        the diagonal of half a face and the band, at a right angle.
        """
        lattice, shape = self.lattice, self.lattice.shape
        near = np.abs(coarse.reshape(shape)) <= np.hypot(BAND_MM, CELL_MM / np.sqrt(2)) + 1e-3
        cells = np.logical_or.reduce(
            [
                near[i : shape[0] - 1 + i, j : shape[1] - 1 + j, k : shape[2] - 1 + k]
                for i, j, k in np.ndindex(2, 2, 2)
            ]
        )
        chosen = np.argwhere(cells)
        slots = np.full(len(coarse), -1, np.int32)
        slots[chosen @ np.array(lattice.strides)] = np.arange(len(chosen), dtype=np.int32)
        values = np.empty((len(chosen), SIDE, SIDE, SIDE), np.float32)
        hard = np.empty(values.shape, np.uint8)
        for start in range(0, len(chosen), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            told = part_of(report, start / len(chosen), min(start + _AT_ONCE, len(chosen)) / len(chosen))
            values[some], hard[some] = self._filled(chosen[some], told)
        return Bricks(slots, values.ravel(), hard.ravel())

    def _filled(self, cells: NDArray[np.intp], report: Report) -> tuple[FloatsArray, NDArray[np.uint8]]:
        """(n, 5, 5, 5) distances at the nodes of bricks, and their hard cells; shared nodes measured once."""
        within = np.stack(np.meshgrid(*(np.arange(SIDE),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        nodes = (cells[:, None] * FINER + within).reshape(-1, 3)
        spans = np.array(self.lattice.cells) * FINER + 1
        number = (nodes[:, 0] * spans[1] + nodes[:, 1]) * spans[2] + nodes[:, 2]
        _, first, back = np.unique(number, return_index=True, return_inverse=True)
        points = self._nodes(nodes[first], CELL_MM / FINER)
        exact = self.exact.beside(points, self.nearest.of(points, report, far=False))
        values, slopes = (found[back] for found in _with_slopes(points, *exact))
        shape = (len(cells), SIDE, SIDE, SIDE)
        values, slopes = values.reshape(shape), slopes.reshape(*shape, 3)
        return values, hard_cells(values, slopes, CELL_MM / FINER, _BENDING_MM)


def _with_slopes(
    points: FloatArray, signed: FloatArray, places: FloatArray
) -> tuple[FloatsArray, FloatsArray]:
    """(n,) distances and (n, 3) the unit vectors along which they grow, both float32."""
    slopes = (points - places) / np.where(np.abs(signed) > 1e-6, signed, 1)[:, None]
    return signed.astype(np.float32), slopes.astype(np.float32)


class Fields:
    """The fields of the last shapes that were asked for, by the digest of the shape.

    most_megabytes: what they take together at most; those not asked for the longest go first, the last one
        stays in any case
    """

    def __init__(self, most_megabytes: float = 800.0) -> None:
        self._most, self._lock = most_megabytes, Lock()
        self._kept: dict[str, DistanceField] = {}

    @property
    def megabytes(self) -> float:
        """What they take now, in units of 1e6 bytes."""
        with self._lock:
            return sum(one.megabytes for one in self._kept.values())

    def known(self, mesh: Mesh) -> DistanceField | None:
        """The field of a shape if there is one; makes none."""
        with self._lock:
            return self._kept.get(mesh.digest)

    def of(self, mesh: Mesh, report: Report = silent, *, finished: bool = True) -> DistanceField:
        """The field of a shape, made if there is none.

        mesh: the surface
        report: told the progress; may raise Cancelled
        finished: whether the fine bricks are wanted; without them the answer comes at once
        Raises StepFailed when it has no triangle with an area.
        """
        field = self.known(mesh) or DistanceField(mesh, part_of(report, 0.0, 0.1))
        with self._lock:
            field = self._kept.pop(mesh.digest, field)
            self._kept[mesh.digest] = field
        if finished:
            field.refine(part_of(report, 0.1, 1.0))
        with self._lock:
            while len(self._kept) > 1 and sum(one.megabytes for one in self._kept.values()) > self._most:
                self._kept.pop(next(iter(self._kept)))
        return field


FIELDS = Fields()
"""The fields of this process."""
