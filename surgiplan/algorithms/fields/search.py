"""The smallest signed distance of a surface to another, in one pose or in many at once.

Groups of places are asked at one of their own places first: no distance is steeper than 1, so most groups
cannot hold the smallest one. Where the field only bounds the answer, the surface itself is asked.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...values import FloatArray, FloatsArray, Pose
from .cloud import Cloud
from .field import BAND_MM, DistanceField
from .lattice import CELL_MM, ERROR_MM, FAR_ERROR_MM

_FIRST = 2048  # so many groups are asked at once rather than by way of groups of them
_MOST = 64  # places of a pose that are looked at more closely
_ASKED = 8  # of them are measured on the surface; all while it stays open whether the bodies touch

ROUNDING_MM = 1e-4

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Ways:
    """From the coordinates of one surface to those of another, in some poses.

    turns: (m, 3, 3) rotations
    shifts: (m, 3) mm
    """

    turns: FloatArray
    shifts: FloatArray

    @classmethod
    def of(cls, poses: list[Pose], other: Pose) -> "Ways":
        """From a body in each of these poses to another body."""
        matrices = np.array([pose.array for pose in poses])
        turn = other.rotation
        return cls(turn.T @ matrices[:, :3, :3], (matrices[:, :3, 3] - other.shift) @ turn)

    @property
    def back(self) -> "Ways":
        """The ways back."""
        turns = self.turns.transpose(0, 2, 1)
        return Ways(turns, -(turns @ self.shifts[:, :, None])[:, :, 0])

    def some(self, rows: NDArray[np.bool_]) -> "Ways":
        """A few of them."""
        return self if rows.all() else Ways(self.turns[rows], self.shifts[rows])


@dataclass(frozen=True)
class Lowest:
    """The smallest signed distances of a surface to another, by pose.

    mm: (m,) distances, negative inside; infinite where none is below the limit
    number: (m,) of the place in the cloud
    least_mm: (m,) no place that was looked at has a smaller one; infinite where all are above the limit
    reaches_out: (m,) whether some place surely lies outside; a place that does can have been overlooked
    """

    mm: FloatArray
    number: Index
    least_mm: FloatArray
    reaches_out: NDArray[np.bool_]


def lowest(
    cloud: Cloud,
    field: DistanceField,
    ways: Ways,
    below: FloatArray | None = None,
    *,
    inside: bool = False,
    exact: bool = False,
) -> Lowest:
    """Find the smallest signed distance in each pose, and where.

    cloud: the places
    field: the other surface
    ways: from the coordinates of the cloud's mesh to those of the field's
    below: (m,) no answer is wanted where no distance is smaller than this
    inside: take distances the other way round: positive inside
    exact: ask the surface itself at all places that could hold the answer, not at a few; slower
    """
    return _Search(cloud, field, ways, below, inside).found(exact)


class _Search:
    """Narrows down which places can hold the smallest distance; `pose` and `item` are its open questions."""

    def __init__(
        self, cloud: Cloud, field: DistanceField, ways: Ways, below: FloatArray | None, inside: bool
    ) -> None:
        self._cloud, self._field, self._ways, self._below = cloud, field, ways, below
        self._sign = np.float32(-1 if inside else 1)
        turns = ways.turns / CELL_MM
        starts = turns @ cloud.middle + (ways.shifts - field.lattice.origin) / CELL_MM
        self._turns, self._starts = turns.astype(np.float32), starts.astype(np.float32)
        self._limit = np.full(len(turns), np.inf, np.float32)
        if below is not None:
            self._limit[:] = below

    def found(self, exact: bool) -> Lowest:
        """Go down from groups to places, and to the surface itself."""
        groups = self._cloud.groups
        first = max(n for n, (_, radii) in enumerate(groups) if n == 0 or radii.size <= _FIRST)
        pose, item, out = self._first(first)
        for level in range(first + 1, len(groups) + 1):
            row, item = self._cloud.opened(level - 1, item)
            pose = pose[row]
            last = level == len(groups)
            middles = self._cloud.places if last else groups[level][0]
            values, slack = self._sampled(pose, middles.take(item, axis=1))
            lower = values - slack
            self._lower_limit(pose, values + slack)
            if not last:
                lower -= groups[level][1].take(item)
            near = np.flatnonzero(lower <= self._limit.take(pose))
            pose, item = pose.take(near), item.take(near)
        return self._answered(pose, item, values.take(near), slack.take(near), out, exact)

    def _first(self, level: int) -> tuple[Index, Index, NDArray[np.bool_]]:
        """Ask all groups of a level in all poses: which stay open, and which poses have one outside."""
        middles, radii = self._cloud.groups[level]
        cells = self._turns @ middles + self._starts[:, :, None]
        count = len(cells)
        values, slack = self._field.sampled(np.ascontiguousarray(cells.transpose(1, 0, 2)).reshape(3, -1))
        values *= self._sign
        values, slack = values.reshape(count, -1), slack.reshape(count, -1)
        lower = values - slack
        out = (lower > 0).any(axis=1)
        self._limit = np.minimum(self._limit, (values + slack).min(axis=1))
        pose, item = np.nonzero(lower - radii <= self._limit[:, None])
        return pose, item, np.asarray(out)

    def _sampled(self, pose: Index, places: FloatsArray) -> tuple[FloatsArray, FloatsArray]:
        """Distances of places (3, n), each in its pose; the poses in order."""
        if len(self._turns) == 1:
            cells = self._turns[0] @ places + self._starts[0][:, None]
        else:
            cells = np.empty(places.shape, np.float32)
            ends = np.searchsorted(pose, np.arange(len(self._turns) + 1)).tolist()
            for turn, begin, end in zip(self._turns, ends, ends[1:], strict=False):
                np.matmul(turn, places[:, begin:end], out=cells[:, begin:end])
            cells += self._starts.T.take(pose, axis=1)
        values, slack = self._field.sampled(cells)
        values *= self._sign
        return values, slack

    def _lower_limit(self, pose: Index, values: FloatsArray) -> None:
        """No answer is larger than the smallest of these values; the poses in order."""
        if not len(pose):
            return
        if len(self._limit) == 1:
            self._limit = np.minimum(self._limit, values.min())
            return
        first = _firsts(pose)
        which = pose[first]
        self._limit[which] = np.minimum(self._limit[which], np.minimum.reduceat(values, first))

    def _answered(
        self,
        pose: Index,
        item: Index,
        values: FloatsArray,
        slack: FloatsArray,
        out: NDArray[np.bool_],
        exact: bool,
    ) -> Lowest:
        count = len(self._turns)
        mm, least = np.full(count, np.inf), np.full(count, np.inf)
        number: Index = np.zeros(count, np.intp)
        asked: list[_Asked] = []
        for start, end in pairwise([*_firsts(pose).tolist(), len(pose)]):
            which, some = int(pose[start]), slice(start, end)
            best = start + int(values[some].argmin())
            mm[which], number[which] = values[best], item[best]
            least[which] = (values[some] - slack[some]).min()
            enough = ERROR_MM if abs(mm[which]) <= BAND_MM else FAR_ERROR_MM
            if not self._field.ready and not exact:
                continue
            if exact or slack[some].max() > enough or abs(mm[which]) <= slack[best]:
                places = self._cloud.places.take(item[some], axis=1).T.astype(np.float64) + self._cloud.middle
                points = places @ self._ways.turns[which].T + self._ways.shifts[which]
                asked.append(_Asked(which, item[some], points, values[some], slack[some], exact))
                asked[-1].bound(self._field)
        self._measure(asked)
        for one in asked:
            mm[one.pose], number[one.pose], least[one.pose] = one.mm, one.number, one.least_mm
        if self._below is not None:
            mm[mm >= self._below] = np.inf
        return Lowest(mm, number, least, out)

    def _measure(self, asked: list["_Asked"]) -> None:
        """Measure on the surface itself until enough is known in each pose; all poses together."""
        while going := [(one, some) for one in asked if len(some := one.wanted())]:
            for deep in (True, False):
                group = [(one, some) for one, some in going if one.deep == deep]
                if not group:
                    continue
                points = np.concatenate([one.points[some] for one, some in group])
                exact = self._field.exact
                measured = -exact.unsigned(points) if deep else self._sign * exact.at(points)
                ends = np.cumsum([len(some) for _, some in group])
                for (one, some), found in zip(group, np.split(measured, ends[:-1]), strict=True):
                    one.learn(some, found)


def _firsts(pose: Index) -> Index:
    """Where each pose begins; the poses in order."""
    if not len(pose) or pose[0] == pose[-1]:
        return np.arange(min(len(pose), 1))
    return np.flatnonzero(np.diff(pose, prepend=-1))


class _Asked:
    """Places of one pose that can hold the smallest distance, of which some are measured on the surface.

    pose: its number
    item: (n,) numbers of the places
    points: (n, 3) mm, in the coordinates of the field
    values, slack: (n,) what the field says of each, and the bound of its error
    every: measure all of them, not a few
    """

    def __init__(
        self, pose: int, item: Index, points: FloatArray, values: FloatsArray, slack: FloatsArray, every: bool
    ) -> None:
        self.pose, self.points, self._item, self._every = pose, points, item, every
        self.deep = bool(values.min() < -BAND_MM) and not every
        """Whether all of them surely lie inside."""
        self.mm, self.number = np.inf, int(item[0])
        self._lower = (values - slack).astype(np.float64)
        most = len(values) if every else _MOST
        order = np.argpartition(values, most)[:most] if most < len(values) else np.arange(len(values))
        self._order: Index = order[values[order].argsort()]
        self._done = 0

    def bound(self, field: DistanceField) -> None:
        """Find out from the nodes of the field how deep places can be at most, the deepest first."""
        if self.deep and len(self._order) > 1:
            some = self._order
            self._lower[some] = np.maximum(self._lower[some], -field.at_most(self.points[some]))
            self._order = some[self._lower[some].argsort()]

    @property
    def least_mm(self) -> float:
        """None of them has a smaller distance."""
        return min(self.mm, float(self._lower.min())) - ROUNDING_MM

    def wanted(self) -> Index:
        """Which are to be measured next; none when it is known whether the bodies touch, or how deep."""
        if self._done:
            least = self._lower[self._order].min() if self.deep else self._lower.min()
            if self.deep and (self.mm - least <= FAR_ERROR_MM or self._done >= _ASKED):
                return self._order[:0]
            if not self.deep and (self.mm <= 0 or least > 0):
                return self._order[:0]
        many = len(self._order) if self._every else 1 if self.deep else _ASKED
        return self._order[self._done : self._done + many]

    def learn(self, some: Index, measured: FloatArray) -> None:
        """What was found at those places."""
        self._done += len(some)
        self._lower[some] = np.inf
        best = int(measured.argmin())
        if measured[best] < self.mm:
            self.mm, self.number = float(measured[best]), int(self._item[some[best]])
