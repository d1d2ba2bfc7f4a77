"""The closed triangle surface between the 1 and the 0 of a lattice."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from threading import local
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from ..progress import Report, silent
from ..values import BoolArray, FloatArray, FloatsArray, IntArray, given_away

NUDGE = 0.01
"""No corner comes nearer to a voxel centre than this share of a step, so that every triangle has an area."""

_SITES = 400_000  # of a slab: what is known of them stays in the cache of the processor
_LAYERS = 16  # of a slab at most, so that a stop is heard
_LEAST_LAYERS = 4  # one more is looked at for the corners that the next slab will make
_MOST_AT_A_TIME = 4  # slabs
_COUNTED_LAYERS = 32  # by which the memory is taken
_SPARE = 1.1  # room for more rows than expected
_CASES = 256  # ways to choose the eight sites of a cell; bit 1 is its first, 2, 4, 16 the next along i, j, k
_ALONG = (1, 2, 4)
Sites = NDArray[np.uint8] | BoolArray
Indices = NDArray[np.intp]
Placing = Callable[[int, tuple[Indices, Indices, Indices], BoolArray], Sequence[NDArray[Any]]]
"""Says where corners lie: given the axis of their steps (0, 1, 2 for i, j, k), the indices (n,) i, j, k of
the site before each, and whether that is a 1; returns the three coordinates (n,) of each."""


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
    return Border(*placed_border(inside, _middles, report))


def _middles(
    axis: int, low_ijk: tuple[Indices, Indices, Indices], _starts_inside: BoolArray
) -> list[FloatsArray]:
    middle = [index.astype(np.float32) for index in low_ijk]
    middle[axis] += np.float32(0.5)
    return middle


def placed_border(inside: Sites, place: Placing, report: Report = silent) -> tuple[FloatsArray, IntArray]:
    """Find the surface between the 1 and the 0 of a lattice, and place its corners as they are found.

    Corners and triangles are those of Flying Edges (Schroeder, Maynard, Geveci 2015) at a level of one half,
    in the same order, but only cells that the surface crosses are looked at one by one. The lattice is gone
    through in slabs that know nothing of each other, some at a time; the result does not depend on that.

    inside: [k, j, i] 0 or 1; round it lie 0, so the surface is closed
    place: says where corners lie; called for many corners at a time, from several threads
    report: told the progress; may raise Cancelled
    Returns (n, 3) float32 corners and (m, 3) triangles, counter-clockwise seen from outside, where the axes
    i, j, k are right-handed.
    """
    layers = len(inside) + 1
    slabs = _Slabs(inside, place)
    starts = range(0, layers, slabs.layers)
    expected = _expected_corners(inside)
    points, triangles = _Rows(expected, np.float32), _Rows(2 * expected, np.int32)  # by Euler's formula
    at_a_time = min(os.cpu_count() or 1, _MOST_AT_A_TIME)
    pool = ThreadPoolExecutor(at_a_time)
    try:
        coming = (pool.submit(slabs.of, first) for first in starts)
        waiting = deque(islice(coming, at_a_time + 1))
        for first in starts:
            placed, found = waiting.popleft().result()
            waiting.extend(islice(coming, 1))
            report(first / layers, "Finding the border")
            np.add(found, np.int32(points.count), out=triangles.more(len(found)))
            points.more(placed.shape[1])[:] = placed.T
    finally:
        pool.shutdown(cancel_futures=True)
    return given_away(points.all), given_away(triangles.all)


def _expected_corners(inside: Sites) -> int:
    """About how many corners there are, by the steps crossed in some layers and from them to the next."""
    every = max(len(inside) // _COUNTED_LAYERS, 1)
    crossed = 0
    for k in range(0, len(inside), every):
        layer, beyond = inside[k], inside[min(k + 1, len(inside) - 1)]
        for one, other in ((layer[:, 1:], layer[:, :-1]), (layer[1:], layer[:-1]), (layer, beyond)):
            crossed += int(np.count_nonzero(one != other))
    return every * crossed


class _Rows:
    """An array that grows: into one piece of memory, since touching memory first costs as much as the rest.

    expected: about how many rows of three there will be
    dtype: of what they hold
    """

    def __init__(self, expected: int, dtype: DTypeLike) -> None:
        self._array, self.count = np.empty((int(_SPARE * expected), 3), dtype), 0

    def more(self, count: int) -> NDArray[Any]:
        """(count, 3) new rows, to be filled."""
        start, self.count = self.count, self.count + count
        if self.count > len(self._array):
            before = self._array[:start]
            self._array = np.empty((2 * self.count, 3), before.dtype)
            self._array[:start] = before
        return self._array[start : self.count]

    @property
    def all(self) -> NDArray[Any]:
        """(n, 3) the rows so far."""
        return self._array[: self.count]


class _Desk(local):
    """Memory that each thread uses again for slab after slab.

    sites: of a slab
    """

    def __init__(self, sites: int) -> None:
        room = -(-sites // 8) * 8  # shifted eight at once
        self.sites, self.shifted, self.pairs, self.cases = (np.zeros(room, np.uint8) for _ in range(4))
        self.numbers = np.empty(3 * sites, np.int32)


class _Slabs:
    """Some layers at a time of a lattice with a layer of 0 round it, numbered through along i, j, k.

    inside: the lattice without that layer
    place: says where corners lie
    """

    def __init__(self, inside: Sites, place: Placing) -> None:
        self._inside, self._place = inside.view(np.uint8), place
        _, self._rows, self._row = (n + 2 for n in inside.shape)
        self._layer = self._row * self._rows
        self.layers = min(max(_SITES // self._layer, _LEAST_LAYERS), _LAYERS, len(inside) + 1)
        self._desk = _Desk((self.layers + 2) * self._layer)
        self._starts, low_ijk, axis = _triangles_of_cases()
        self._steps = np.ascontiguousarray((3 * (low_ijk @ (1, self._row, self._layer)) + axis).T)
        case = np.arange(_CASES)
        self._crossed = [(case & 1) != (case >> bit & 1) for bit in _ALONG]

    def of(self, first: int) -> tuple[FloatsArray, IntArray]:
        """The corners (3, n) on steps from the layers of this slab, and the triangles (m, 3) of its cells.

        Corners are numbered from 0; those from n on are the first ones of the next slab.

        first: its first layer
        """
        self._lay_out(first)
        cells, cases = self._crossed_cells()
        of_axis = [cells.compress(crossed.take(cases)) for crossed in self._crossed]
        rows = (self.layers + 1) * self._rows
        row_of = [sites // self._row for sites in of_axis]
        counts = np.stack([np.bincount(row, minlength=rows) for row in row_of], axis=1)
        ends, own_rows = np.cumsum(counts).reshape(rows, 3), self.layers * self._rows
        points = np.empty((3, ends[own_rows - 1, 2]), np.float32)
        numbers = self._desk.numbers
        for axis, (sites, row) in enumerate(zip(of_axis, row_of, strict=True)):
            until = np.cumsum(counts[:, axis])
            number = (ends[:, axis] - until).take(row)
            number += np.arange(len(number))
            numbers[3 * sites + axis] = number
            own = slice(until[own_rows - 1])
            self._put(points, number[own], axis, sites[own], row[own], first)
        own = np.searchsorted(cells, self.layers * self._layer)
        return points, self._triangles(cells[:own], cases[:own])

    def _triangles(self, cells: Indices, cases: NDArray[np.uint8]) -> IntArray:
        """(m, 3) the triangles of cells of these cases, once the corners on their steps are numbered."""
        many = np.diff(self._starts).take(cases)
        which = np.repeat(self._starts.take(cases) + many - np.cumsum(many), many)
        which += np.arange(len(which))
        cell = np.repeat(3 * cells, many)
        triangles = np.empty((len(which), 3), np.int32)
        for n, steps in enumerate(self._steps):
            step = steps.take(which)
            step += cell
            triangles[:, n] = self._desk.numbers.take(step)
        return triangles

    def _lay_out(self, first: int) -> None:
        """Put the sites of a slab on the desk, and the two layers beyond."""
        start, stop = max(first - 1, 0), min(first + self.layers + 1, len(self._inside))
        sites = self._desk.sites[: (self.layers + 2) * self._layer].reshape(-1, self._rows, self._row)
        below, above = start - first + 1, stop - first + 1
        sites[:below] = 0
        sites[below:above, 1:-1, 1:-1] = self._inside[start:stop]
        sites[above:] = 0

    def _crossed_cells(self) -> tuple[Indices, NDArray[np.uint8]]:
        """(n,) the cells on the desk that have both 1 and 0 among their sites, and the case of each."""
        desk, words = self._desk, np.uint64
        count = (self.layers + 1) * self._layer
        np.left_shift(desk.sites.view(words), 1, out=desk.shifted.view(words))
        np.bitwise_or(desk.sites[:-1], desk.shifted[1:], out=desk.pairs[:-1])
        np.left_shift(desk.pairs.view(words), 2, out=desk.shifted.view(words))
        np.bitwise_or(desk.pairs[: -self._row], desk.shifted[self._row :], out=desk.cases[: -self._row])
        np.left_shift(desk.cases.view(words), 4, out=desk.shifted.view(words))
        cases = desk.cases[:count]
        np.bitwise_or(cases, desk.shifted[self._layer : self._layer + count], out=cases)
        crossed = np.less(cases - np.uint8(1), _CASES - 2, out=desk.pairs.view(np.bool_)[:count])
        cells = _where(crossed)
        return cells, cases.take(cells)

    def _put(
        self, points: FloatsArray, at: Indices, axis: int, sites: Indices, row: Indices, first: int
    ) -> None:
        """Place the corners on the steps along an axis from these sites, in these rows of the desk."""
        each = np.arange((self.layers + 1) * self._rows)
        k, j = each // self._rows + (first - 1), each % self._rows - 1
        low_ijk = sites - (each * self._row + 1).take(row), j.take(row), k.take(row)
        starts_inside = self._desk.sites.take(sites).view(np.bool_)
        for points_along, along in zip(points, self._place(axis, low_ijk, starts_inside), strict=True):
            points_along[at] = along


def _where(chosen: BoolArray) -> Indices:
    """(n,) the places of what is chosen; first of eight at once, since few are."""
    whole = len(chosen) // 8 * 8
    words = chosen[:whole].view(np.uint64)
    eights = np.flatnonzero(words != 0)
    within = np.flatnonzero(words.take(eights).view(np.bool_))
    found = (8 * eights).take(within >> 3)
    found += within & 7
    rest = np.flatnonzero(chosen[whole:])
    return np.concatenate([found, rest + whole]) if len(rest) else found


@cache
def _triangles_of_cases() -> tuple[Indices, Indices, Indices]:
    """The triangles that Flying Edges gives a cell, for each case of its eight sites.

    Returns (257,) where the triangles of each case start; of the three corners of each (n, 3) the site
    [i, j, k] of the cell where its step begins, (n, 3, 3), and the axis of that, 0, 1, 2 for i, j, k.
    """
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
    low = np.floor(corners)
    starts = np.searchsorted(case, np.arange(_CASES + 1))
    return starts, low.astype(np.intp), np.argmax(corners - low, axis=2)
