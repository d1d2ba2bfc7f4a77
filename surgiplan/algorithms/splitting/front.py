"""A contour that moves through cubic voxels: a level set of which only a thin band is kept (sparse field).

Whitaker, A level-set approach to 3D reconstruction from range data, 1998. Where the contour passes (the
active voxels) its distance is moved by the forces; two layers of voxels on either side follow it at whole
steps. Of all others only the side is known, and nothing but their numbers is held.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...progress import Report, silent
from ...values import FloatsArray
from ..compiled import compiled

_STILL = 0.005  # voxels a round, root of the mean square
_AT_ONCE = 200_000  # voxels
_FAR = 3  # the layer of all that are not in the band, times their side
_GOING = 10  # the layer of what leaves the contour in this round, times its side
_TEXT = "Moving the contour to the edges"

Places = NDArray[np.int32]
Layers = NDArray[np.int8]


class Front:
    """A contour and what moves it.

    level: [k, j, i] how far each voxel lies outside of the contour, in voxels; negative within. The contour
        moves in it: right within half a voxel of the contour, farther out it is the number of the layer
    speed: [k, j, i] 0 to 1: weight of growth and curvature at each place
    edges: [k, j, i] the same, smoothed: the contour is drawn to where it is low
    growth: pressure outwards
    smoothness: weight of the curvature
    pull: weight of the pull towards edges
    """

    def __init__(
        self,
        level: FloatsArray,
        speed: FloatsArray,
        edges: FloatsArray,
        growth: float,
        smoothness: float,
        pull: float,
    ) -> None:
        self._level, self._speed, self._edges = level, speed, edges
        self._weights = (float(growth), float(smoothness), float(pull))
        self._layer = np.where(level < 0, np.int8(-_FAR), np.int8(_FAR))
        self._active = _crossed(level)
        values = _from_contour(level, self._active)
        level.ravel()[self._active] = values
        self._layer.ravel()[self._active] = 0
        self._bands = {side: _Band(level, self._layer, self._active, side) for side in (-1, 1)}
        for values, layers in zip(level, self._layer, strict=True):
            np.copyto(values, layers, where=np.abs(layers) == _FAR)

    def run(self, rounds: int, report: Report = silent) -> None:
        """Move until the contour goes by less than 0.005 voxels a round.

        rounds: most rounds
        report: told the progress; may raise Cancelled
        """
        for n in range(rounds):
            if self._round(partial(report, n / rounds, _TEXT)) <= _STILL:
                return

    def _round(self, hear: Callable[[], None]) -> float:
        """Move once; returns by how many voxels, the root of the mean square."""
        active, change = self._active, np.empty(len(self._active), np.float32)
        fastest = np.zeros(3)
        for some in _stretches(len(active)):
            hear()
            now = _forces(self._level, self._speed, self._edges, active[some], change[some], *self._weights)
            fastest = np.maximum(fastest, now)
        grown, drawn, curved = fastest
        if not fastest.any():
            return 0.0
        step = 1 / (6 * max(grown + drawn, curved))  # stable in three dimensions
        goes = np.empty(len(active), np.int8)
        moved = _moved(self._level, self._layer, active, change, step, goes)
        for band in self._bands.values():
            band.follow(hear)
        arrived = [band.arrive(active[goes == side]) for side, band in self._bands.items()]
        self._active = np.concatenate([active[goes == 0], *arrived])
        return float(np.sqrt(moved / len(active)))


class _Band:
    """The two layers of voxels on one side of a contour.

    level, layer: [k, j, i] as in Front
    active: the voxels where the contour is
    side: 1 outside, -1 within
    """

    def __init__(self, level: FloatsArray, layer: Layers, active: Places, side: int) -> None:
        self._level, self._layer, self._side = level, layer, side
        self._near = self._joined(active, 1)
        self._next = self._joined(self._near, 2)
        self._inwards = self._outwards = self._back = active[:0]

    def follow(self, hear: Callable[[], None]) -> None:
        """Measure both layers anew from the contour, and find which voxels change their layer."""
        self._near, self._inwards, self._outwards = self._measured(self._near, 1, hear)
        self._next, self._back, lost = self._measured(self._next, 2, hear)
        self._level.ravel()[lost] = self._layer.ravel()[lost] = self._side * _FAR

    def arrive(self, gone: Places) -> Places:
        """Put them into their new layers, and what has left the contour; returns what is active now."""
        layer, side = self._layer.ravel(), self._side
        layer[self._inwards] = 0
        layer[gone] = layer[self._back] = side
        layer[self._outwards] = 2 * side
        self._near = np.concatenate([self._near, self._back, gone])
        self._next = np.concatenate([self._next, self._outwards, self._joined(self._back, 2)])
        return self._inwards

    def _measured(
        self, places: Places, number: int, hear: Callable[[], None]
    ) -> tuple[Places, Places, Places]:
        """The voxels of a layer that stay in it, those that go towards the contour, those that go away."""
        goes = np.empty(len(places), np.int8)
        for some in _stretches(len(places)):
            hear()
            _measure(self._level, self._layer, places[some], self._side, number, goes[some])
        return places[goes == 0], places[goes < 0], places[goes > 0]

    def _joined(self, places: Places, number: int) -> Places:
        """The far voxels beside these, which become this layer."""
        new = np.empty(6 * len(places), np.int32)
        return new[: _join(self._level, self._layer, places, self._side, number, new)].copy()


def _stretches(length: int) -> Iterator[slice]:
    for start in range(0, length, _AT_ONCE):
        yield slice(start, start + _AT_ONCE)


def _crossed(level: FloatsArray) -> Places:
    """The voxels that lie nearest to the contour: across it lies one at least as far from it."""
    found = np.zeros(level.shape, np.bool_)
    for axis in range(3):
        along, marked = np.moveaxis(level, axis, 0), np.moveaxis(found, axis, 0)
        for k in range(len(along) - 1):
            a, b = along[k], along[k + 1]
            meet = (a < 0) != (b < 0)
            nearer = np.abs(a) <= np.abs(b)
            marked[k] |= meet & nearer
            marked[k + 1] |= meet & ~nearer
    return np.flatnonzero(found).astype(np.int32)


@compiled
def _from_contour(level: FloatsArray, places: Places) -> FloatsArray:
    """(n,) how far voxels beside the contour lie outside of it: their level by its steepest slopes."""
    many, rows, columns = level.shape
    values = np.empty(len(places), np.float32)
    for n in range(len(places)):
        at = places[n]
        i, row = at % columns, at // columns
        j, k = row % rows, row // rows
        here = level[k, j, i]
        dk = max(abs(level[min(k + 1, many - 1), j, i] - here), abs(here - level[max(k - 1, 0), j, i]))
        dj = max(abs(level[k, min(j + 1, rows - 1), i] - here), abs(here - level[k, max(j - 1, 0), i]))
        di = max(abs(level[k, j, min(i + 1, columns - 1)] - here), abs(here - level[k, j, max(i - 1, 0)]))
        slope = np.sqrt(dk * dk + dj * dj + di * di + 1e-12)
        values[n] = min(max(here / slope, -0.5), 0.5)
    return values


@compiled
def _between(values: FloatsArray, z: float, y: float, x: float) -> float:
    """A value between voxels (trilinear); at the edge that of the edge."""
    many, rows, columns = values.shape
    z, y, x = (
        min(max(z, 0.0), many - 1.0),
        min(max(y, 0.0), rows - 1.0),
        min(max(x, 0.0), columns - 1.0),
    )
    k, j, i = int(z), int(y), int(x)
    c, b, a = z - k, y - j, x - i
    k1, j1, i1 = min(k + 1, many - 1), min(j + 1, rows - 1), min(i + 1, columns - 1)
    low: float = (values[k, j, i] * (1 - a) + values[k, j, i1] * a) * (1 - b) + (
        values[k, j1, i] * (1 - a) + values[k, j1, i1] * a
    ) * b
    high: float = (values[k1, j, i] * (1 - a) + values[k1, j, i1] * a) * (1 - b) + (
        values[k1, j1, i] * (1 - a) + values[k1, j1, i1] * a
    ) * b
    return low * (1 - c) + high * c


@compiled
def _steeper(before: float, after: float, here: float) -> float:
    """Of the slopes on either side of a voxel the one that leads to the contour."""
    if before * after >= 0:
        return after if abs(after) > abs(before) else before
    return after if (here + after) * here < 0 else before


@compiled
def _upwind(before: float, after: float, way: float) -> float:
    """The square of the slope where a contour that moves outwards (way > 0) or inwards comes from."""
    if way > 0:
        return max(before, 0.0) ** 2 + min(after, 0.0) ** 2
    return min(before, 0.0) ** 2 + max(after, 0.0) ** 2


@compiled
def _forces(
    level: FloatsArray,
    speed: FloatsArray,
    edges: FloatsArray,
    active: Places,
    change: FloatsArray,
    growth: float,
    smoothness: float,
    pull: float,
) -> tuple[float, float, float]:
    """Find by how much the level of each active voxel changes in a unit of time.

    Growth and the pull are taken from where the contour comes (upwind), the curvature from both sides, the
    speed where the contour passes beside the voxel. Returns the most that each of the three moves it.
    """
    many, rows, columns = level.shape
    most_grown = most_drawn = most_curved = 0.0
    for n in range(len(active)):
        at = active[n]
        i, row = at % columns, at // columns
        j, k = row % rows, row // rows
        k0, j0, i0 = max(k - 1, 0), max(j - 1, 0), max(i - 1, 0)
        k1, j1, i1 = min(k + 1, many - 1), min(j + 1, rows - 1), min(i + 1, columns - 1)
        here = level[k, j, i]
        bk, bj, bi = here - level[k0, j, i], here - level[k, j0, i], here - level[k, j, i0]
        fk, fj, fi = level[k1, j, i] - here, level[k, j1, i] - here, level[k, j, i1] - here
        dk, dj, di = 0.5 * (bk + fk), 0.5 * (bj + fj), 0.5 * (bi + fi)
        sk, sj, si = _steeper(bk, fk, here), _steeper(bj, fj, here), _steeper(bi, fi, here)
        off = here / (sk * sk + sj * sj + si * si + 1e-6)
        z, y, x = k - sk * off, j - sj * off, i - si * off
        g = _between(speed, z, y, x)
        kj = 0.25 * (level[k1, j1, i] - level[k1, j0, i] - level[k0, j1, i] + level[k0, j0, i])
        ki = 0.25 * (level[k1, j, i1] - level[k1, j, i0] - level[k0, j, i1] + level[k0, j, i0])
        ji = 0.25 * (level[k, j1, i1] - level[k, j1, i0] - level[k, j0, i1] + level[k, j0, i0])
        curved = (
            (fk - bk) * (dj * dj + di * di)
            + (fj - bj) * (dk * dk + di * di)
            + (fi - bi) * (dk * dk + dj * dj)
            - 2 * (dk * dj * kj + dk * di * ki + dj * di * ji)
        ) / (dk * dk + dj * dj + di * di + 1e-6)
        curved *= smoothness * g
        way = growth * g
        grown = way * np.sqrt(_upwind(bk, fk, way) + _upwind(bj, fj, way) + _upwind(bi, fi, way))
        ak = -0.5 * pull * (_between(edges, z + 1, y, x) - _between(edges, z - 1, y, x))
        aj = -0.5 * pull * (_between(edges, z, y + 1, x) - _between(edges, z, y - 1, x))
        ai = -0.5 * pull * (_between(edges, z, y, x + 1) - _between(edges, z, y, x - 1))
        drawn = ak * (bk if ak > 0 else fk) + aj * (bj if aj > 0 else fj) + ai * (bi if ai > 0 else fi)
        change[n] = curved - grown - drawn
        most_grown = max(most_grown, abs(way))
        most_drawn = max(most_drawn, abs(ak), abs(aj), abs(ai))
        most_curved = max(most_curved, abs(curved))
    return most_grown, most_drawn, most_curved


@compiled
def _moved(
    level: FloatsArray, layer: Layers, active: Places, change: FloatsArray, step: float, goes: Layers
) -> float:
    """Move the contour by a stretch of time; voxels that it leaves are marked by the side that they go to.

    One beside which another goes the other way waits for a round, so that no hole comes about.
    Returns the sum of the squared moves.
    """
    many, rows, columns = level.shape
    levels, layers = level.ravel(), layer.ravel()
    moved = 0.0
    for n in range(len(active)):
        at = active[n]
        value = levels[at] + step * change[n]
        side = 1 if value >= 0.5 else -1 if value < -0.5 else 0
        i, row = at % columns, at // columns
        j, k = row % rows, row // rows
        against = -side * _GOING
        if side != 0 and (
            (i > 0 and layers[at - 1] == against)
            or (i + 1 < columns and layers[at + 1] == against)
            or (j > 0 and layers[at - columns] == against)
            or (j + 1 < rows and layers[at + columns] == against)
            or (k > 0 and layers[at - rows * columns] == against)
            or (k + 1 < many and layers[at + rows * columns] == against)
        ):
            goes[n] = 0
            continue
        moved += (value - levels[at]) ** 2
        levels[at] = value
        goes[n] = side
        if side != 0:
            layers[at] = side * _GOING
    return moved


@compiled
def _nearer(value: float, layer: int, side: int, number: int, least: float) -> float:
    """The least so far, or the value beside when it lies nearer to the contour and in a layer further in."""
    inner = abs(layer) == _GOING or side * layer < number
    return min(least, side * value) if inner else least


@compiled
def _measure(level: FloatsArray, layer: Layers, places: Places, side: int, number: int, goes: Layers) -> None:
    """Put voxels of a layer a step farther out than what lies beside them further in.

    They go towards the contour (-1), stay (0) or go away (1), by what they are now.
    """
    many, rows, columns = level.shape
    levels, layers = level.ravel(), layer.ravel()
    for n in range(len(places)):
        at = places[n]
        i, row = at % columns, at // columns
        j, k = row % rows, row // rows
        least = np.inf
        if i > 0:
            least = _nearer(levels[at - 1], layers[at - 1], side, number, least)
        if i + 1 < columns:
            least = _nearer(levels[at + 1], layers[at + 1], side, number, least)
        if j > 0:
            least = _nearer(levels[at - columns], layers[at - columns], side, number, least)
        if j + 1 < rows:
            least = _nearer(levels[at + columns], layers[at + columns], side, number, least)
        if k > 0:
            least = _nearer(levels[at - rows * columns], layers[at - rows * columns], side, number, least)
        if k + 1 < many:
            least = _nearer(levels[at + rows * columns], layers[at + rows * columns], side, number, least)
        away = min(least + 1.0, number + 1.0)
        levels[at] = side * away
        goes[n] = -1 if away < number - 0.5 else 1 if away >= number + 0.5 else 0


@compiled
def _join(level: FloatsArray, layer: Layers, places: Places, side: int, number: int, new: Places) -> int:
    """Make the far voxels beside some voxels a layer, a step farther out; returns how many are new."""
    many, rows, columns = level.shape
    levels, layers = level.ravel(), layer.ravel()
    count = 0
    steps = (-1, 1, -columns, columns, -rows * columns, rows * columns)
    for n in range(len(places)):
        at = places[n]
        i, row = at % columns, at // columns
        j, k = row % rows, row // rows
        within = (i > 0, i + 1 < columns, j > 0, j + 1 < rows, k > 0, k + 1 < many)
        for way in range(6):
            beside = at + steps[way]
            if not within[way]:
                continue
            if layers[beside] == _FAR * side:
                layers[beside] = number * side
                levels[beside] = levels[at] + side
                new[count] = beside
                count += 1
            elif layers[beside] == number * side:
                levels[beside] = side * min(side * levels[beside], side * levels[at] + 1)
    return count
