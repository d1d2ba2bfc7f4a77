"""The signed distance field of a shape: made once, asked by everybody."""

from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...progress import Report, part_of, silent
from ...values import FloatArray, FloatsArray, IntArray, Mesh
from ..distance import SignedDistance
from ..nearest import NearestTriangles
from ..spread import areas
from .cloud import Cloud
from .first import first_distances
from .lattice import CELL_MM, ERROR_MM, FINER, SIDE, UNMEASURED, Lattice, Levels, marked

BAND_MM = 2.0
"""So near to the surface a finished field is right within 0.05 mm."""
_MARGIN_MM = 4.0
_AT_ONCE = 2_000  # bricks filled at once
_NEIGHBOURS = (3, 2, 1, 3, 2, 1)  # nodes from one that is asked to the one that asks, round by round
_NODES_AT_ONCE = 1 << 13
_ROUNDING_MM = 1e-4
_LOOKED_AT = 1000  # triangles of which one has an area


class DistanceField:
    """Signed distances to a surface, interpolated between nodes that are exact; negative inside.

    A new field knows a lattice of 4 mm from places on the surface, and answers at once. `refine` measures a
    lattice of 2 mm, and bricks of 0.5 mm wherever the surface is nearer than 2 mm; after it, answers in that
    band are right within 0.05 mm (in cells where the distance bends too much to be interpolated, the surface
    itself is asked). The sign holds for any closed surface that faces outwards.

    mesh: the surface, in its own coordinates
    Raises StepFailed when it has no triangle with an area.
    """

    def __init__(self, mesh: Mesh) -> None:
        if not areas(mesh.points.astype(np.float64)[mesh.triangles[:_LOOKED_AT]]).any():
            SignedDistance(mesh)  # tells when there is no other triangle either
        self._mesh = mesh
        self.cloud = Cloud(mesh)
        """Places on the surface."""
        self.lattice = Lattice.round(mesh.bounds, _MARGIN_MM)
        self._opening, self._making = Lock(), Lock()
        self._surface: tuple[SignedDistance, NearestTriangles] | None = None
        self._levels = self._first()

    @property
    def ready(self) -> bool:
        """Whether the surface itself can be asked without having to be made ready first."""
        return self._surface is not None

    @property
    def exact(self) -> SignedDistance:
        """The surface itself, for answers without an error."""
        return self._opened()[0]

    @property
    def nearest(self) -> NearestTriangles:
        """The triangles of the surface, for many points at once."""
        return self._opened()[1]

    def _opened(self) -> tuple[SignedDistance, NearestTriangles]:
        with self._opening:
            if self._surface is None:
                exact = SignedDistance(self._mesh)
                self._surface = exact, NearestTriangles(exact.corners)
            return self._surface

    @property
    def finished(self) -> bool:
        """Whether the fine bricks are there."""
        return self._levels.bricks is not None

    @property
    def measured(self) -> bool:
        """Whether the nodes of the coarse lattice are exact."""
        return self._levels.nearest is not None

    @property
    def coarse(self) -> FloatsArray:
        """(nodes along x, y, z) float32, the distances at the nodes of the coarse lattice, mm."""
        return self._levels.coarse

    @property
    def megabytes(self) -> float:
        """Memory that the nodes and the surface take, in units of 1e6 bytes."""
        surface = sum(one.bytes for one in self._surface) if self._surface else 0
        return (self._levels.bytes + self.cloud.bytes + surface) / 1e6

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

    def at_most(self, points: FloatArray) -> FloatArray:
        """No place is farther from the surface than this: the nearest of the triangles that the nodes round
        it are nearest to, and mostly it is no nearer either. A field that is not finished knows no bound.

        points: (n, 3) mm, in the coordinates of the mesh
        Returns (n,) mm, unsigned.
        """
        levels = self._levels
        if levels.nearest is None:
            return np.full(len(points), np.inf)
        known = levels.nearest[levels.nodes_round(self.to_cells(points)).T]
        least: FloatArray = self.nearest.apart(points, known).min(axis=1).astype(np.float64)
        return least + _ROUNDING_MM

    def refine(self, report: Report = silent, *, bricks: bool = True) -> "DistanceField":
        """Measure the finer nodes, unless they are there; others may go on asking meanwhile.

        report: told the progress; may raise Cancelled, and the field stays as far as it was
        bricks: also those along the surface; without them a part of the time narrows the bound of a new field
        Returns this field.
        """
        with self._making:
            if not self.measured:
                self._levels = self._second(part_of(report, 0.0, 0.2 if bricks else 1.0))
            if bricks and not self.finished:
                self._levels = self._third(self._levels, part_of(report, 0.2, 1.0))
        return self

    def _nodes(self, index: NDArray[np.int_], step: float) -> FloatArray:
        return self.lattice.origin + step * index

    def _first(self) -> Levels:
        """Guessed at every other node along each axis, with means between them."""
        shape = self.lattice.shape
        values = np.zeros(shape, np.float32)
        x, y, z = ((n + 1) // 2 for n in shape)
        values[::2, ::2, ::2], unsure = first_distances(
            self._mesh, self.cloud, self.lattice.origin, (x, y, z), 2 * CELL_MM
        )
        values[1::2, ::2, ::2] = (values[:-1:2, ::2, ::2] + values[2::2, ::2, ::2]) / 2
        values[:, 1::2, ::2] = (values[:, :-1:2, ::2] + values[:, 2::2, ::2]) / 2
        values[:, :, 1::2] = (values[:, :, :-1:2] + values[:, :, 2::2]) / 2
        marks = np.full(values.size, UNMEASURED)
        return Levels(self.lattice, values.ravel(), marks, unsure_mm=unsure)

    def _second(self, report: Report) -> Levels:
        """Measured at all nodes of the coarse lattice."""
        shape = self.lattice.shape
        some = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
        nodes = self._nodes(some.reshape(-1, 3), CELL_MM)
        nearest = self.nearest.of(nodes, report)
        for far in _NEIGHBOURS:
            report(1.0, "Measuring distances")
            self._as_neighbours(nodes, nearest, far)
        values, slopes = _with_slopes(nodes, *self.exact.beside(nodes, nearest, report))
        grids = values.reshape(1, *shape), slopes.reshape(1, *shape, 3)
        return Levels(self.lattice, values, marked(*grids, CELL_MM).ravel(), nearest=nearest)

    def _as_neighbours(self, nodes: FloatArray, nearest: IntArray, far: int) -> None:
        """Let nodes take over the nearest triangle of others, so many nodes away, where that is nearer.

        Far from a surface the search may have found one on another side of the body, but not for all nodes.
        """
        steps = [sign * far * one for one in self.lattice.strides for sign in (-1, 1)]
        for start in range(0, len(nodes), _NODES_AT_ONCE):
            own = np.arange(start, min(start + _NODES_AT_ONCE, len(nodes)))
            others = np.stack([own, *(np.clip(own + step, 0, len(nodes) - 1) for step in steps)], axis=1)
            known = nearest[others]
            best = self.nearest.apart(nodes[own], known).argmin(axis=1)
            nearest[own] = known[np.arange(len(own)), best]

    def _third(self, levels: Levels, report: Report) -> Levels:
        """Measured in a brick for each cell with a place in the band.

        A place in a cell that is no farther than the band from the surface has a corner of the cell within
        the diagonal of half a face and the band, at a right angle.
        """
        shape = self.lattice.shape
        near = np.abs(levels.coarse) <= np.hypot(BAND_MM, CELL_MM / np.sqrt(2)) + 1e-3
        cells = np.logical_or.reduce(
            [
                near[i : shape[0] - 1 + i, j : shape[1] - 1 + j, k : shape[2] - 1 + k]
                for i, j, k in np.ndindex(2, 2, 2)
            ]
        )
        chosen = np.argwhere(cells)
        values = np.empty((len(chosen), SIDE, SIDE, SIDE), np.float32)
        marks = np.empty(values.shape, np.uint8)
        for start in range(0, len(chosen), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            told = part_of(report, start / len(chosen), min(start + _AT_ONCE, len(chosen)) / len(chosen))
            values[some], marks[some] = self._filled(chosen[some], told)
        return levels.with_bricks(chosen @ np.array(self.lattice.strides), values, marks)

    def _filled(self, cells: NDArray[np.intp], report: Report) -> tuple[FloatsArray, NDArray[np.uint8]]:
        """(n, 5, 5, 5) distances at the nodes of bricks and marks of cells; shared ones measured once."""
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
        return values, marked(values, slopes, CELL_MM / FINER)


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

    def of(
        self, mesh: Mesh, report: Report = silent, *, finished: bool = True, measured: bool = False
    ) -> DistanceField:
        """The field of a shape, made if there is none.

        mesh: the surface
        report: told the progress; may raise Cancelled
        finished: whether the fine bricks are wanted; without them the answer comes at once
        measured: whether at least the nodes of the coarse lattice are to be exact
        Raises StepFailed when it has no triangle with an area.
        """
        report(0.0, "Measuring distances")
        field = self.known(mesh) or DistanceField(mesh)
        with self._lock:
            field = self._kept.pop(mesh.digest, field)
            self._kept[mesh.digest] = field
        if finished or measured:
            field.refine(report, bricks=finished)
        with self._lock:
            while len(self._kept) > 1 and sum(one.megabytes for one in self._kept.values()) > self._most:
                self._kept.pop(next(iter(self._kept)))
        return field


FIELDS = Fields()
"""The fields of this process."""
