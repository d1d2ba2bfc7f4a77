"""The closed triangle surface between the 1 and the 0 of a lattice."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from threading import local

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from ..progress import Report, part_of, silent
from ..values import BoolArray, FloatArray, FloatsArray, IntArray, given_away
from .compiled import compiled
from .filters import run_side_by_side

NUDGE = 0.01
"""No corner comes nearer to a voxel centre than this share of a step, so that every triangle has an area."""

_SITES = 400_000  # of a slab: what is known of them stays in the cache of the processor
_LAYERS = 16  # of a slab at most, so that a stop is heard
_WORD = 8  # sites that are looked at at once
_CASES = 256  # ways to choose the eight sites of a cell; bit 1 is its first, 2, 4, 16 the next along i, j, k
_ACROSS = ((0, 0), (1, 0), (0, 1), (1, 1))
_EDGES = np.array([(axis, *np.insert(at, axis, 0)) for axis in range(3) for at in _ACROSS], np.int64)
"""(12, 4) axis of each edge of a cell, 0, 1, 2 for i, j, k, and the site i, j, k of the cell before it."""

Sites = NDArray[np.uint8] | BoolArray
Counts = NDArray[np.int64]
Placing = Callable[[FloatsArray, BoolArray], None]
"""Says where corners lie: given (n, 3) the middles of their steps, as indices i, j, k, which it replaces by
their places, and (n,) whether the site before each is a 1, so that its step leads outwards."""


@dataclass(frozen=True)
class Border:
    """The closed triangle surface between the 1 and the 0 of a lattice.

    Each corner lies on the step from one site to the next along one axis. How far along is for the
    caller to say; whatever is said, the triangles stay closed.

    middle_ijk: (n, 3) float32 middle of the step of each corner: two whole indices, and one and a half
    triangles: (m, 3) counter-clockwise seen from outside, where the axes i, j, k are right-handed
    """

    middle_ijk: FloatsArray
    triangles: IntArray

    def at(self, share: FloatArray) -> FloatArray:
        """(n, 3) indices [k, j, i] of the corners when they lie this (n,) share of a step along."""
        beyond = np.clip(share, NUDGE, 1 - NUDGE) - 0.5
        kji: FloatArray = (self.middle_ijk + self.step_ijk * beyond[:, None])[:, ::-1]
        return kji

    @property
    def low_kji(self) -> IntArray:
        """(n, 3) index of the site before each corner."""
        return np.floor(self.middle_ijk[:, ::-1]).astype(np.int32)

    @property
    def axis(self) -> IntArray:
        """(n,) axis of the step of each corner: 0 for k, 1 for j, 2 for i."""
        axis: IntArray = np.argmax(self.step_ijk[:, ::-1], axis=1).astype(np.int32)
        return axis

    @cached_property
    def step_ijk(self) -> FloatArray:
        """(n, 3) the step of each corner: 1 along its axis and 0 else."""
        return 2.0 * (self.middle_ijk - np.floor(self.middle_ijk)).astype(np.float64)


def border_of(inside: Sites, report: Report = silent) -> Border:
    """Find the surface between the 1 and the 0 of a lattice.

    inside: [k, j, i] 0 or 1; round it lie 0, so the surface is closed
    report: told the progress; may raise Cancelled
    """
    return Border(*placed_border(inside, lambda _middle_ijk, _starts_inside: None, report))


def placed_border(inside: Sites, place: Placing, report: Report = silent) -> tuple[FloatsArray, IntArray]:
    """Find the surface between the 1 and the 0 of a lattice, and place its corners as they are found.

    Corners and triangles are those of Flying Edges (Schroeder, Maynard, Geveci 2015) at a level of one half,
    in the same order. As there, the lattice is gone through twice: once to find the cells that the surface
    crosses and to count; then each row knows the numbers of its corners, and all are written. Both is done
    in slabs, some at a time; the result does not depend on that.

    inside: [k, j, i] 0 or 1; round it lie 0, so the surface is closed
    place: says where corners lie; called for slab after slab, from several threads
    report: told the progress; may raise Cancelled
    Returns (n, 3) float32 corners and (m, 3) triangles, counter-clockwise seen from outside, where the axes
    i, j, k are right-handed.
    """
    slabs, text = _Slabs(inside, place), "Finding the border"
    found = run_side_by_side(slabs.find, slabs.firsts, part_of(report, 0.0, 0.4), text)
    points = np.empty((slabs.number(), 3), np.float32)
    firsts = np.cumsum([0, *(one.triangles for one in found)])
    triangles = np.empty((firsts[-1], 3), np.int32)

    def put(n: int) -> None:
        slabs.put(found[n], points, triangles[firsts[n] : firsts[n + 1]])

    run_side_by_side(put, range(len(found)), part_of(report, 0.4, 1.0), text)
    return given_away(points), given_away(triangles)


@dataclass(frozen=True)
class _Found:
    """What a slab holds of the surface.

    first: its first layer
    cells: (n,) the cells that the surface crosses, row by row: 256 times the index along i, plus the case
    ends: (layers, rows) how many there are up to the end of each row
    triangles: how many it holds
    """

    first: int
    cells: NDArray[np.uint32]
    ends: NDArray[np.int32]
    triangles: int


class _Desk(local):
    """Memory that each thread uses again for slab after slab.

    shape: (layers, rows, row) of the sites of a slab
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.sites = np.zeros(shape, np.uint8)
        self.cases = np.zeros(shape[1] * shape[2], np.uint8)
        self.cells = np.empty(self.sites.size, np.uint32)


class _Slabs:
    """Some layers at a time of a lattice with 0 round it: in all that follows index 0 is of these.

    inside: the lattice without them
    place: says where corners lie
    """

    def __init__(self, inside: Sites, place: Placing) -> None:
        self._inside, self._place = inside.view(np.uint8), place
        layers, rows, columns = inside.shape
        row = -(-(columns + 2) // _WORD) * _WORD
        self._layers = max(min(_SITES // ((rows + 2) * row), _LAYERS), 1)
        self._desk = _Desk((self._layers + 1, rows + 2, row))
        self._corners = np.zeros((layers + 2, rows + 2, 3), np.int64)
        self.firsts = range(0, layers + 1, self._layers)

    def find(self, first: int) -> _Found:
        """Find what the slab from this layer of cells on holds of the surface, and count corners by rows."""
        desk, (layers, rows, columns) = self._desk, self._inside.shape
        stop = min(first + self._layers, layers + 1)
        sites = desk.sites[: stop + 1 - first]
        some = self._inside[max(first - 1, 0) : stop]
        lowest = 1 if first == 0 else 0
        sites[:lowest] = 0
        sites[lowest : lowest + len(some), 1:-1, 1 : columns + 1] = some
        sites[lowest + len(some) :] = 0
        ends = np.empty((stop - first, rows + 1), np.int32)
        table, counts = _table(), self._corners[first:stop]
        triangles = _find(sites, table.starts, table.crossed, desk.cases, desk.cells, ends, counts)
        return _Found(first, desk.cells[: ends[-1, -1]].copy(), ends, triangles)

    def number(self) -> int:
        """Number the corners, now that those of each row are counted; returns how many there are."""
        counts = self._corners.reshape(-1)
        upto = np.cumsum(counts)
        np.subtract(upto, counts, out=counts)
        return int(upto[-1])

    def put(self, found: _Found, points: FloatsArray, triangles: IntArray) -> None:
        """Write the corners and triangles of a slab.

        points: of the whole border
        triangles: of the slab
        """
        table, first = _table(), found.first
        numbers = self._corners[first : first + len(found.ends) + 1]
        own = points[numbers[0, 0, 0] : numbers[-1, 0, 0]]
        inside = np.empty(len(own), np.bool_)
        case = table.starts, table.edges, table.crossed
        _put(found.cells, found.ends, first, numbers, *case, own, inside, triangles)
        self._place(own, inside)


@compiled
def _find(
    sites: NDArray[np.uint8],
    starts: NDArray[np.int32],
    crossed: NDArray[np.int32],
    cases: NDArray[np.uint8],
    cells: NDArray[np.uint32],
    ends: NDArray[np.int32],
    corners: Counts,
) -> int:
    """Find the cells of a slab that have both 1 and 0 among their sites; returns the number of triangles.

    sites: (layers + 1, rows + 1, row) 0 or 1
    starts, crossed: of the table
    cases: memory for those of a layer
    cells: memory; filled as in _Found
    ends: (layers, rows) filled as there
    corners: (layers, rows, 3) filled with how many corners lie on steps along i, j, k from sites of each row
    """
    layers, rows = ends.shape
    row = sites.shape[2]
    words = cases.view(np.uint64)
    triangles = n = 0
    for k in range(layers):
        a = sites[k:].ravel()
        b, c, d, e = a[1:], a[row:], a[row + 1 :], sites[k + 1 :].ravel()
        f, g, h = e[1:], e[row:], e[row + 1 :]
        for m in range(rows * row - 1):
            low = a[m] | b[m] << 1 | c[m] << 2 | d[m] << 3
            cases[m] = low | e[m] << 4 | f[m] << 5 | g[m] << 6 | h[m] << 7
        for j in range(rows):
            begin, start = j * row, n
            for word in range(begin // _WORD, (begin + row) // _WORD):
                if words[word] + np.uint64(1) > np.uint64(1):  # neither all 0 nor all 1
                    for m in range(_WORD * word, _WORD * word + _WORD):
                        cells[n] = m - begin << 8 | cases[m]
                        n += 0 < cases[m] < 255
            ends[k, j] = n
            x = y = z = 0
            for m in range(start, n):
                case = cells[m] & 255
                x, y, z = x + crossed[case, 0], y + crossed[case, 4], z + crossed[case, 8]
                triangles += starts[case + 1] - starts[case]
            corners[k, j, 0], corners[k, j, 1], corners[k, j, 2] = x, y, z
    return triangles


@compiled
def _put(
    cells: NDArray[np.uint32],
    ends: NDArray[np.int32],
    first: int,
    row_numbers: Counts,
    starts: NDArray[np.int32],
    edges: NDArray[np.uint8],
    crossed: NDArray[np.int32],
    middle_ijk: FloatsArray,
    starts_inside: BoolArray,
    triangles: IntArray,
) -> None:
    """Write the corners and triangles of a slab.

    Each edge of a cell knows the number that a corner on it has. It is the number of the first corner on
    such steps of its row, plus one for each cell of the row before that has a corner on that edge.

    cells, ends, first: of _Found
    row_numbers: (layers + 1, rows + 1, 3) number of the first corner on steps along i, j, k from each row
    starts, edges, crossed: of the table
    middle_ijk, starts_inside: (n, 3), (n,) filled for the corners of the slab (see Placing)
    triangles: (m, 3) filled
    """
    numbers = np.empty(12, np.int32)
    first_corner = row_numbers[0, 0, 0]
    end = triangle = 0
    for k in range(ends.shape[0]):
        for j in range(ends.shape[1]):
            start, end = end, ends[k, j]
            for n in range(12):
                axis, _, along_j, along_k = _EDGES[n]
                numbers[n] = row_numbers[k + along_k, j + along_j, axis]
            for cell in cells[start:end]:
                case = cell & 255
                for axis in range(3):
                    if crossed[case, 4 * axis]:
                        corner = numbers[4 * axis] - first_corner
                        starts_inside[corner] = case & 1
                        _put_middle(middle_ijk[corner], cell >> 8, j, first + k, axis)
                for m in range(starts[case], starts[case + 1]):
                    for n in range(3):
                        triangles[triangle, n] = numbers[edges[m, n]]
                    triangle += 1
                for n in range(12):
                    numbers[n] += crossed[case, n]


@compiled
def _put_middle(middle_ijk: FloatsArray, i: int, j: int, k: int, axis: int) -> None:
    """Write the middle of the step along an axis from a site, counted with the 0 round the lattice."""
    middle_ijk[0], middle_ijk[1], middle_ijk[2] = i - 1, j - 1, k - 1
    middle_ijk[axis] += np.float32(0.5)


@dataclass(frozen=True)
class _Table:
    """The triangles of a cell, for each case of its eight sites.

    starts: (257,) where the triangles of each case start
    edges: (n, 3) on which of the _EDGES of the cell the corners of each triangle lie
    crossed: (256, 12) 1 where a case has a corner on an edge, else 0
    """

    starts: NDArray[np.int32]
    edges: NDArray[np.uint8]
    crossed: NDArray[np.int32]


@cache
def _table() -> _Table:
    """The triangles that Flying Edges gives each case."""
    bits = np.arange(_CASES)[:, None] >> np.arange(8) & 1
    side_by_side = np.empty((2, 2, _CASES, 2), np.uint8)  # every other cell is one of them
    side_by_side[:] = bits.reshape(_CASES, 2, 2, 2).transpose(1, 2, 0, 3)
    image = vtkImageData()
    image.SetDimensions(2 * _CASES, 2, 2)
    image.GetPointData().SetScalars(numpy_to_vtk(side_by_side.reshape(-1)))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.5)
    edges.ComputeNormalsOff()
    edges.ComputeGradientsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    middles = vtk_to_numpy(edges.GetOutput().GetPoints().GetData())
    corners = middles[vtk_to_numpy(edges.GetOutput().GetPolys().GetConnectivityArray()).reshape(-1, 3)]
    cell = corners[:, :, 0].mean(axis=1).astype(np.int32)
    case, corners = cell[cell % 2 == 0] // 2, corners[cell % 2 == 0]
    corners[:, :, 0] -= 2 * case[:, None]
    axis, site = _EDGES[:, 0], _EDGES[:, 1:]
    on_edge = (corners[:, :, None] == site + 0.5 * np.eye(3)[axis]).all(axis=3)
    low = site @ (1, 2, 4)
    return _Table(
        starts=np.searchsorted(case, np.arange(_CASES + 1)).astype(np.int32),
        edges=on_edge.argmax(axis=2).astype(np.uint8),
        crossed=(bits[:, low] ^ bits[:, low + (1 << axis)]).astype(np.int32),
    )
