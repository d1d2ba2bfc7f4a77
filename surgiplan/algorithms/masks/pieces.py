"""How chosen voxels hang together, found on their runs along a row.

A scan of a hundred million voxels has some hundred thousand runs of bone. Which of them touch follows from
two binary searches for each direction, which of them hang together from the graph of those touches: no image
of labels is made, and the interpreter is free meanwhile.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...progress import Report, silent
from ...values import BoolArray
from .box import slabs

_VOXELS_AT_ONCE = 1_000_000
_RUNS_AT_ONCE = 1_000_000
Indices = NDArray[Any]
"""int32, or int64 where a scan has more voxels than that can count."""
Touches = tuple[Indices, Indices]
"""Numbers of the first and of the second of each two that touch."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """The parts that chosen voxels fall into; voxels connect through their faces.

    shape: (slices, rows, columns)
    starts, ends: (n,) first voxel of each run and the one behind its last, counted through rows that are one
        voxel longer than they are, in order
    piece: (n,) number of the part each run belongs to; parts are numbered in the order of their first voxel
    count: number of parts
    """

    shape: tuple[int, int, int]
    starts: Indices
    ends: Indices
    piece: Indices
    count: int

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """(count,) voxels of each part."""
        counted = np.zeros(self.count, np.int64)
        for start in range(0, len(self.piece), _RUNS_AT_ONCE):
            some = slice(start, start + _RUNS_AT_ONCE)
            np.add.at(counted, self.piece[some], (self.ends[some] - self.starts[some]).astype(np.int64))
        return counted

    @property
    def first(self) -> Indices:
        """(count,) first voxel of each part, counted as `starts` are."""
        found = np.flatnonzero(np.diff(np.maximum.accumulate(self.piece), prepend=-1))
        return self.starts[found]

    def at(self, kji: tuple[int, int, int]) -> int | None:
        """Number of the part that holds this voxel; None when it is not chosen."""
        k, j, i = kji
        place = (k * self.shape[1] + j) * (self.shape[2] + 1) + i
        run = _first_from(self.starts, place + 1)[0] - 1
        return int(self.piece[run]) if run >= 0 and place < self.ends[run] else None

    def under(self, kji: NDArray[np.int64]) -> Indices:
        """(n,) number of the parts that hold these chosen voxels, (n, 3)."""
        places = (kji[:, 0] * self.shape[1] + kji[:, 1]) * (self.shape[2] + 1) + kji[:, 2]
        found: Indices = self.piece[
            np.searchsorted(self.starts, places.astype(self.starts.dtype), "right") - 1
        ]
        return found

    def voxels(self, kept: BoolArray, report: Report = silent) -> BoolArray:
        """Choose the voxels of some parts.

        kept: (count,) whether a part is kept
        report: told the progress; may raise Cancelled
        """
        return self.numbered(kept.astype(np.int8), report).view(np.bool_)

    def numbered(
        self, number: NDArray[Any], report: Report = silent, onto: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Give the voxels of each part a number; 0 where there is none.

        number: (count,) of each part, small integers; 0 leaves a part out
        report: told the progress; may raise Cancelled
        onto: numbers of the same kind to which these are added, in place; a new array when not given
        """
        _, height, width = self.shape
        labels = np.zeros(self.shape, number.dtype) if onto is None else onto
        plane = height * (width + 1)
        for some in slabs(self.shape):
            report(some.start / self.shape[0], "Keeping the parts")
            first, last = _first_from(self.starts, some.start * plane, some.stop * plane)
            value = number[self.piece[first:last]]
            steps = np.zeros((some.stop - some.start) * plane, number.dtype)
            steps[self.starts[first:last] - some.start * plane] = value
            steps[self.ends[first:last] - some.start * plane] = -value
            np.cumsum(steps, out=steps)
            labels[some] += steps.reshape(-1, height, width + 1)[:, :, :width]
        return labels


def pieces_of(
    chosen: BoolArray, report: Report = silent, *, in_slices: bool = False, corners: bool = False
) -> Pieces:
    """Find the parts that chosen voxels fall into.

    chosen: [k, j, i]
    report: told the progress; may raise Cancelled
    in_slices: parts of different slices (k) stay apart
    corners: voxels connect through their edges and corners too
    """
    depth, height, width = chosen.shape
    plane = height * (width + 1)
    kind = np.int32 if (depth + 1) * plane < 2**31 else np.int64
    starts, ends, piece = (np.empty(_most_runs(chosen), kind) for _ in range(3))
    rows = _Rows(height, width + 1, corners)
    joins: list[Touches] = []
    count = before = last = 0  # parts so far, and where the runs of the slab before begin and end
    for some in slabs(chosen.shape, _VOXELS_AT_ONCE):
        report(0.9 * some.start / depth, "Finding the connected parts")
        here = [(turns + some.start * plane).astype(kind) for turns in _runs(chosen[some])]
        touches = [rows.in_slice(*here, *here)]
        if not in_slices:
            touches.append(rows.across(*here, *here))
        number, own = _connected(len(here[0]), touches)
        own = (own + count).astype(kind)
        if not in_slices:
            tail = slice(before + _first_from(starts[before:last], (some.start - 1) * plane)[0], last)
            a, b = rows.across(starts[tail], ends[tail], *here)
            joins.append(_changes(piece[tail][a], own[b]))
        count, before, last = count + number, last, last + len(own)
        starts[before:last], ends[before:last], piece[before:last] = *here, own
    report(0.9, "Finding the connected parts")
    if joins:
        count, joined = _connected(count, joins)
        for start in range(0, last, _RUNS_AT_ONCE):
            run = slice(start, min(start + _RUNS_AT_ONCE, last))
            piece[run] = joined[piece[run]]
    return Pieces((depth, height, width), starts[:last], ends[:last], piece[:last], count)


def _most_runs(chosen: BoolArray) -> int:
    """No fewer than there are: one for every two turns in a row, and one for every row."""
    rows: int = chosen.shape[0] * chosen.shape[1]
    turns = sum(
        int(np.count_nonzero(chosen[some, :, 1:] != chosen[some, :, :-1]))
        for some in slabs(chosen.shape, _VOXELS_AT_ONCE)
    )
    return turns // 2 + rows


def _runs(chosen: BoolArray) -> tuple[Indices, Indices]:
    """Where runs start and where they have ended, in rows with one voxel more that is never chosen."""
    depth, height, width = chosen.shape
    rows = np.zeros((depth * height, width + 1), np.bool_)
    rows[:, :width] = chosen.reshape(-1, width)
    flat = rows.ravel()
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if len(flat) and flat[0]:
        turns = np.concatenate([[0], turns])
    return turns[0::2], turns[1::2]


@dataclass(frozen=True)
class _Rows:
    """Which runs touch others in a row beside theirs.

    height: rows of a slice
    length: voxels of a row, with the one more
    corners: whether they touch over edges and corners too
    """

    height: int
    length: int
    corners: bool

    def in_slice(self, *runs: Indices) -> Touches:
        """Pairs of runs and runs of the next row; runs: starts and ends of the ones and of the others."""
        return self._pairs(0, 1, *runs)

    def across(self, *runs: Indices) -> Touches:
        """Pairs of runs and runs of the next slice; runs: starts and ends of the ones and of the others."""
        if not self.corners:
            return self._pairs(1, 0, *runs)
        a, b = zip(*(self._pairs(1, rows, *runs) for rows in (-1, 0, 1)), strict=True)
        return np.concatenate(a), np.concatenate(b)

    def _pairs(
        self,
        slices: int,
        rows: int,
        starts: Indices,
        ends: Indices,
        other_starts: Indices,
        other_ends: Indices,
    ) -> Touches:
        """Pairs of runs, the second of which overlaps the first moved this many slices and rows on."""
        step = starts.dtype.type((slices * self.height + rows) * self.length)
        low = np.searchsorted(other_ends, starts + step, "left" if self.corners else "right")
        high = np.searchsorted(other_starts, ends + step, "right" if self.corners else "left")
        number = high - low
        a = np.repeat(np.arange(len(starts)), number)
        before = np.cumsum(number) - number
        b = np.arange(len(a)) + np.repeat(low - before, number)
        if rows:
            row = (starts[a] // self.length) % self.height + rows
            within = (row >= 0) & (row < self.height)
            a, b = a[within], b[within]
        return a, b


def _first_from(starts: Indices, *places: int) -> list[int]:
    """Number of the first run that starts at each place or behind it (no copy in a wider type is made)."""
    found: list[int] = np.searchsorted(starts, np.array(places, starts.dtype)).tolist()
    return found


def _changes(a: Indices, b: Indices) -> Touches:
    """The pairs without those that are like the one before."""
    new = np.ones(len(a), np.bool_)
    new[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return a[new], b[new]


def _connected(number: int, touches: list[Touches]) -> tuple[int, Indices]:
    a = np.concatenate([pair[0] for pair in touches])
    b = np.concatenate([pair[1] for pair in touches])
    graph = coo_array((np.ones(len(a), np.bool_), (a, b)), shape=(number, number))
    count, piece = connected_components(graph, directed=False)
    return int(count), piece
