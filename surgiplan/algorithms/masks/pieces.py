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

_VOXELS_AT_ONCE = 2_000_000
Indices = NDArray[Any]
"""int32, or int64 where a scan has more voxels than that can count."""


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
        counted = np.bincount(self.piece, weights=self.ends - self.starts, minlength=self.count)
        return counted.astype(np.int64)

    @property
    def first(self) -> Indices:
        """(count,) first voxel of each part, counted as `starts` are."""
        found = np.unique(self.piece, return_index=True)[1]
        return self.starts[found]

    def at(self, kji: tuple[int, int, int]) -> int | None:
        """Number of the part that holds this voxel; None when it is not chosen."""
        k, j, i = kji
        place = (k * self.shape[1] + j) * (self.shape[2] + 1) + i
        run = int(np.searchsorted(self.starts, place, "right")) - 1
        return int(self.piece[run]) if run >= 0 and place < self.ends[run] else None

    def voxels(self, kept: BoolArray, report: Report = silent) -> BoolArray:
        """Choose the voxels of some parts.

        kept: (count,) whether a part is kept
        report: told the progress; may raise Cancelled
        """
        return self.numbered(kept.astype(np.int8), report).view(np.bool_)

    def numbered(self, number: NDArray[Any], report: Report = silent) -> NDArray[Any]:
        """Give the voxels of each part a number; 0 where there is none.

        number: (count,) of each part, small integers; 0 leaves a part out
        report: told the progress; may raise Cancelled
        """
        _, height, width = self.shape
        labels = np.empty(self.shape, number.dtype)
        taken = number[self.piece] != 0
        starts, ends, value = self.starts[taken], self.ends[taken], number[self.piece[taken]]
        plane = height * (width + 1)
        for some in slabs(self.shape):
            report(some.start / self.shape[0], "Keeping the parts")
            first, last = np.searchsorted(starts, (some.start * plane, some.stop * plane))
            steps = np.zeros((some.stop - some.start) * plane, number.dtype)
            steps[starts[first:last] - some.start * plane] = value[first:last]
            steps[ends[first:last] - some.start * plane] = -value[first:last]
            np.cumsum(steps, out=steps)
            labels[some] = steps.reshape(-1, height, width + 1)[:, :, :width]
        return labels


def pieces_of(chosen: BoolArray, report: Report = silent, *, in_slices: bool = False) -> Pieces:
    """Find the parts that chosen voxels fall into.

    chosen: [k, j, i]
    report: told the progress; may raise Cancelled
    in_slices: parts of different slices (k) stay apart
    """
    depth, height, width = chosen.shape
    row, plane = width + 1, height * (width + 1)
    kind = np.int32 if (depth + 1) * plane < 2**31 else np.int64
    starts, ends, pieces = [np.zeros(0, kind)], [np.zeros(0, kind)], [np.zeros(0, kind)]
    joins: list[tuple[Indices, Indices]] = []
    count = 0
    for some in slabs(chosen.shape, _VOXELS_AT_ONCE):
        report(0.9 * some.start / depth, "Finding the connected parts")
        first, last = ((turns + some.start * plane).astype(kind) for turns in _runs(chosen[some]))
        a, b = _touches(first, last, first, last, row)
        within = (first[a] // row) % height != height - 1
        touches = [(a[within], b[within])]
        if not in_slices:
            touches.append(_touches(first, last, first, last, plane))
            tail = np.searchsorted(starts[-1], (some.start - 1) * plane)
            a, b = _touches(starts[-1][tail:], ends[-1][tail:], first, last, plane)
            before = pieces[-1][tail:][a]
        number, own = _connected(len(first), touches)
        own = (own + count).astype(kind)
        if not in_slices:
            joins.append((before, own[b]))
        count += number
        starts, ends, pieces = [*starts, first], [*ends, last], [*pieces, own]
    report(0.9, "Finding the connected parts")
    piece = np.concatenate(pieces)
    if joins:
        count, joined = _connected(count, joins)
        piece = joined[piece]
    return Pieces((depth, height, width), np.concatenate(starts), np.concatenate(ends), piece, count)


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


def _touches(
    starts: Indices, ends: Indices, other_starts: Indices, other_ends: Indices, away: int
) -> tuple[Indices, Indices]:
    """Pairs of runs, the second of which overlaps the first moved this many voxels on."""
    step = starts.dtype.type(away)
    low = np.searchsorted(other_ends, starts + step, "right")
    high = np.searchsorted(other_starts, ends + step, "left")
    number = high - low
    a = np.repeat(np.arange(len(starts)), number)
    before = np.cumsum(number) - number
    b = np.arange(len(a)) + np.repeat(low - before, number)
    return a, b


def _connected(number: int, touches: list[tuple[Indices, Indices]]) -> tuple[int, Indices]:
    a = np.concatenate([pair[0] for pair in touches])
    b = np.concatenate([pair[1] for pair in touches])
    graph = coo_array((np.ones(len(a), np.bool_), (a, b)), shape=(number, number))
    count, piece = connected_components(graph, directed=False)
    return int(count), piece
