"""When a front that starts from some voxels reaches others, held for the chosen voxels alone.

The eikonal equation with upwind differences of first order (Rouy and Tourin 1992), whose solution does not
depend on the order in which voxels are worked on. So a whole stretch of the front is worked on at once,
what comes first in time before the rest, until nothing comes any sooner.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import Report
from ...values import BoolArray, FloatsArray, Vec3

_SHARE = 0.12  # of the front that is worked on before the rest
_FEWEST = 1_000
_AT_ONCE = 100_000
_BEYOND = 4  # voxels
_LOOKED = 10_000  # voxels, for the progress
_SOONER = np.float32(1 - 1e-7)  # a smaller change is rounding
_WORD = 64
Places = NDArray[Any]
"""Voxels as bits counted through words, int32, or int64 where there are more than that can count."""


class Chosen:
    """The chosen voxels, numbered in the order of the array.

    A bit for each voxel of the array, and for each word the number of chosen ones before it, tell the number
    of a voxel. Round them lie bits that are never chosen, so that every neighbour can be asked for.

    chosen: [k, j, i]
    """

    def __init__(self, chosen: BoolArray) -> None:
        depth, height, width = chosen.shape
        self._row = width + 1
        self._plane = -(-(height + 1) * self._row // _WORD) * _WORD
        self._words = np.zeros(((depth + 2) * self._plane + self._plane) // _WORD, "<u8")
        per_slice = self._plane // _WORD
        room = np.zeros(self._plane, np.bool_)
        for k in range(depth):
            room[: height * self._row].reshape(height, self._row)[:, :width] = chosen[k]
            first = (k + 1) * per_slice
            self._words[first : first + per_slice] = np.packbits(room, bitorder="little").view("<u8")
        counts = np.bitwise_count(self._words)
        self._kind = np.int32 if len(self._words) * _WORD < 2**31 else np.int64
        self._before = np.cumsum(counts, dtype=self._kind) - counts
        self.count = int(self._before[-1]) + int(counts[-1])
        steps = (-self._plane, self._plane, -self._row, self._row, -1, 1)
        self.beside = np.array(steps, self._kind)
        """Steps to the neighbours along k, j and i, back and on."""

    def places(self, kji: NDArray[np.int64]) -> Places:
        """(n,) places of voxels (n, 3)."""
        found: Places = (kji[:, 0] + 1) * self._plane + kji[:, 1] * self._row + kji[:, 2]
        return found.astype(self._kind)

    def numbers(self, places: Places) -> NDArray[Any]:
        """Number of the voxel at each place; `count` where none is chosen."""
        at = places >> 6
        word = self._words[at]
        bit = np.uint64(1) << (places & 63).astype(np.uint64)
        number = self._before[at] + np.bitwise_count(word & (bit - np.uint64(1)))
        found: NDArray[Any] = np.where((word & bit) != 0, number, self.count)
        return found


class Front:
    """A front that runs through chosen voxels.

    space: the chosen voxels
    speed: (space.count,) of the front in each voxel, from 1 on
    fastest: the speed of 1 mm in a unit of time
    spacing_kji: mm
    """

    def __init__(self, space: Chosen, speed: NDArray[np.uint16], fastest: int, spacing_kji: Vec3) -> None:
        self._space, self._speed, self._fastest = space, speed, np.float32(fastest)
        self._weights = [np.float32(step**-2) for step in spacing_kji]
        self._beyond_mm = np.float32(_BEYOND * max(spacing_kji))
        self._mark = np.empty(space.count + 1, np.int32)

    def arrival(
        self, start: NDArray[np.int64], before: FloatsArray, report: Report, text: str
    ) -> FloatsArray:
        """When it reaches each voxel; infinite where it does not come.

        It is followed only a few voxels beyond where another front was before it.

        start: (n, 3) chosen voxels from where it starts at time 0
        before: (space.count,) when the earliest other front comes
        report: told the progress; may raise Cancelled
        text: what is being done
        Returns (space.count,) float32.
        """
        space = self._space
        time = np.full(space.count + 1, np.inf, np.float32)  # the last is that of all that is not chosen
        places = space.places(start)
        time[space.numbers(places)] = 0
        now, waiting, until = [places], [places[:0]], np.float32(0)
        while now:
            part = now.pop()
            report(float(np.isfinite(time[:: 1 + len(time) // _LOOKED]).mean()), text)
            if len(part) > _AT_ONCE:
                now += [part[_AT_ONCE:], part[:_AT_ONCE]]
                continue
            reached, when = self._spread(time, part, before)
            soon = when <= until
            waiting.append(reached[~soon])
            if soon.any():
                now.append(reached[soon])
            if not now:
                until, first, rest = self._first(time, np.concatenate(waiting), until)
                waiting = [rest]
                if len(first):
                    now.append(first)
        return time[:-1]

    def _first(
        self, time: FloatsArray, waiting: Places, since: np.float32
    ) -> tuple[np.float32, Places, Places]:
        """Up to when, and which of those that wait come first; and the rest of them."""
        number = self._space.numbers(waiting)
        when = time[number]
        here = self._once(number) & (when > since)
        waiting, when = waiting[here], when[here]
        if not len(when):
            return since, waiting, waiting
        some = min(max(_FEWEST, int(_SHARE * len(when))), len(when) - 1)
        until = np.partition(when, some)[some]
        return until, waiting[when <= until], waiting[when > until]

    def _spread(self, time: FloatsArray, places: Places, before: FloatsArray) -> tuple[Places, FloatsArray]:
        """Bring the neighbours of some voxels up to date: which come sooner than was known, and when."""
        space = self._space
        here = np.repeat(time[space.numbers(places)], len(space.beside))
        beside = (places[:, None] + space.beside).ravel()
        number = space.numbers(beside)
        later = (time[number] > here) & (number < space.count)
        beside, number = beside[later], number[later]
        once = self._once(number)
        beside, number = beside[once], number[once]
        along = [time[space.numbers(beside + step)] for step in space.beside]
        slowness = self._fastest / self._speed[number]
        when = _when([np.minimum(*along[n : n + 2]) for n in (0, 2, 4)], self._weights, slowness)
        sooner = (when < time[number] * _SOONER) & (when <= before[number] + slowness * self._beyond_mm)
        time[number[sooner]] = when[sooner]
        return beside[sooner], when[sooner]

    def _once(self, number: NDArray[Any]) -> BoolArray:
        """(n,) chooses one of those with the same number."""
        order = np.arange(len(number), dtype=np.int32)
        self._mark[number] = order
        once: BoolArray = self._mark[number] == order
        return once


def _when(times: list[FloatsArray], weights: list[np.float32], slowness: FloatsArray) -> FloatsArray:
    """The time t at which the sum of weight (t - time)² over the axes that are before t is slowness².

    times: for k, j and i the sooner one of both neighbours, (n,)
    weights: 1 / spacing² of each axis
    slowness: (n,) units of time a mm
    """
    time = list(times)
    weight: list[FloatsArray] = [np.full_like(slowness, one) for one in weights]
    for a, b in ((0, 1), (1, 2), (0, 1)):  # in the order of time
        turned = time[b] < time[a]
        time[a], time[b] = np.where(turned, time[b], time[a]), np.where(turned, time[a], time[b])
        one = np.where(turned, weight[b], weight[a])
        weight[a], weight[b] = one, np.where(turned, weight[a], weight[b])
    after: FloatsArray = slowness * weight[0] ** np.float32(-0.5)  # the first of them
    square, line, rest = weight[0], np.zeros_like(slowness), -np.square(slowness)
    which = np.arange(len(slowness))
    for n in (1, 2):
        late = time[n][which] - time[0][which]
        both = after[which] > late
        which, late = which[both], late[both]
        more = weight[n][which]
        square, line, rest = square[both] + more, line[both] + more * late, rest[both] + more * late * late
        after[which] = (line + np.sqrt(np.maximum(line * line - square * rest, 0))) / square
    when: FloatsArray = time[0] + after
    return when
