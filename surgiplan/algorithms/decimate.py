"""Fewer triangles, no farther from the surface than a bound that is checked."""

from functools import partial

import fast_simplification
import numpy as np
from numpy.typing import NDArray

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import BoolArray, IntArray, Mesh, Part, given_away
from .change import require_closed, reworked
from .crossing import crossings
from .distance import SignedDistance
from .envelope import not_within
from .filters import run_apart

_TRIES = 7
_TAKE_BACKS = 5  # rounds in which single places are given their corners back
_FEW = 0.05  # share of the corners of the collapsed surface that may need that
_SOME, _MANY = 4_000, 3 * _FEW  # triangles looked at before, and the share of them that is surely too much
_LOOKS = 50  # times that places are looked for on the collapsed surface
_FEWEST = 64  # triangles


def decimate(part: Part, within_mm: float, report: Report = silent) -> Part:
    """Take away as many triangles as can go while both surfaces stay near each other.

    Edges are collapsed by quadric error (Garland and Heckbert 1997; fast-simplification). That no place of
    either surface is farther from the other than the bound is proven for each result (envelope.not_within).
    Where single triangles are not proven to be, open or run through others, the collapses there are taken
    back; a result of which such places remain does not count.

    part: the shape
    within_mm: the bound, mm
    report: told the progress; may raise Cancelled
    Raises StepFailed when the shape is not closed, or no triangle can go.
    """
    run_apart(lambda: require_closed(part), part_of(report, 0.0, 0.0), "Checking that the shape is closed")
    if not within_mm > 0:
        raise StepFailed("Fewer triangles need room to move: give a distance above 0 mm.")
    many, text = len(part.mesh.triangles), "Taking triangles away"
    search = run_apart(lambda: _Search(part.mesh, within_mm), part_of(report, 0.0, 0.0), text)
    low, high, best = min(_FEWEST / many, 1.0), 1.0, None
    for n in range(_TRIES):
        share = float(np.sqrt(low * high))
        told = part_of(report, 0.7 * n / _TRIES, 0.7 * (n + 1) / _TRIES)
        found = search.collapsed(max(int(share * many), 4), told)
        if found is None or len(found.triangles) >= many:
            low = share
            continue
        high = share
        if best is None or len(found.triangles) < len(best.triangles):
            best = found
    if best is None:
        raise StepFailed(
            f"No triangle can go within {within_mm:g} mm of the surface. Give a larger distance, "
            "or repair the shape first if it runs through itself."
        )
    told_done = f"{many} triangles made {len(best.triangles)}, allowed {within_mm:g} mm"
    made = reworked(part, best, [told_done], part_of(report, 0.7, 1.0))
    assert made.change is not None
    if made.change.max_mm > within_mm:
        raise StepFailed(
            f"The surface would move by {made.change.max_mm:.3f} mm where {within_mm:g} mm are allowed. "
            "Give a larger distance."
        )
    return made


class _Search:
    """Collapsed surfaces that are closed, do not run through themselves and stay near the first one.

    mesh: the surface to collapse
    within_mm: how near, mm
    """

    def __init__(self, mesh: Mesh, within_mm: float) -> None:
        self._mesh, self._within = mesh, within_mm
        self._middle = mesh.bounds.mean(axis=0)  # collapsed round it for the sake of rounding
        self._points = mesh.points - self._middle
        self._before = SignedDistance(mesh)

    def collapsed(self, count: int, report: Report) -> Mesh | None:
        """The surface with about so many triangles, more where it needs them; None where too many do."""
        text = "Taking triangles away"
        points, triangles, collapses = run_apart(
            lambda: fast_simplification.simplify(
                self._points, self._mesh.triangles.copy(), target_count=count, agg=5, return_collapses=True
            ),
            part_of(report, 0.0, 0.0),
            text,
        )
        if self._hopeless(self._placed(points, triangles), part_of(report, 0.0, 0.0)):
            return None
        for n in range(_TAKE_BACKS):
            found = self._placed(points, triangles)
            told = part_of(report, n / _TAKE_BACKS, (n + 1) / _TAKE_BACKS)
            bad = self._bad(found, told)
            if not bad.any():
                return found if found.euler_number == self._mesh.euler_number else None
            if bad.mean() > _FEW:
                return None
            back = partial(self._taken_back, collapses, bad, n)
            points, triangles, collapses = run_apart(back, part_of(told, 1.0, 1.0), text)
        return None

    def _placed(self, points: NDArray[np.float64], triangles: NDArray[np.int64]) -> Mesh:
        return Mesh(
            given_away((np.asarray(points) + self._middle).astype(np.float32)),
            given_away(np.asarray(triangles).astype(np.int32)),
        )

    def _hopeless(self, found: Mesh, report: Report) -> bool:
        """Whether so many middles of triangles lie too far away that no taking back helps."""
        step = max(len(found.triangles) // _SOME, 1)
        middles = found.points.astype(np.float64)[found.triangles[::step]].mean(axis=1)
        far = np.abs(self._before.at(middles, report)) > self._within
        return bool(far.mean() > _MANY)

    def _bad(self, found: Mesh, report: Report) -> BoolArray:
        """(n,) corners of a collapsed surface where it is open, runs through itself or lies too far away."""
        bad = np.zeros(len(found.points), np.bool_)
        if not run_apart(lambda: found.watertight, part_of(report, 0.0, 0.0), "Looking for open edges"):
            bad[_ends_of_odd_edges(found.triangles)] = True
            return bad
        far = not_within(found, self._before, self._within, part_of(report, 0.0, 0.4))
        bad[found.triangles[far]] = True
        if bad.mean() > _FEW:
            return bad
        bad[found.triangles[crossings(found, part_of(report, 0.4, 0.5))]] = True
        after = run_apart(lambda: SignedDistance(found), part_of(report, 0.5, 0.5), "Measuring distances")
        far = not_within(self._mesh, after, self._within, part_of(report, 0.5, 0.9))
        places = self._mesh.points[np.unique(self._mesh.triangles[far])]
        for n in range(_LOOKS):  # spread over all, so that it is soon known when they are too many
            if bad.mean() > _FEW:
                break
            told = part_of(report, 0.9 + 0.1 * n / _LOOKS, 0.9 + 0.1 * (n + 1) / _LOOKS)
            bad[found.triangles[after.nearest_triangles(places[n::_LOOKS], told)]] = True
        return bad

    def _taken_back(
        self, collapses: NDArray[np.int64], bad: BoolArray, times: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Points, triangles and collapses without the later half of those that made each bad corner."""
        into = fast_simplification.replay_simplification(
            self._points, self._mesh.triangles.copy(), collapses
        )[2]
        made = into[collapses[:, 1]]
        order = np.argsort(made, kind="stable")
        sizes = np.bincount(made, minlength=len(bad))
        rank = np.empty(len(made), np.int64)
        rank[order] = np.arange(len(made)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        kept = np.ascontiguousarray(collapses[~bad[made] | (rank < sizes[made] >> (times + 1))])
        return self._replayed(kept)

    def _replayed(
        self, kept: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Points and triangles after some collapses, and those without the ones whose corner flew away."""
        while True:
            points, triangles, into = fast_simplification.replay_simplification(
                self._points, self._mesh.triangles.copy(), kept
            )
            away = self._flown(np.asarray(points), into)[into[kept[:, 1]]]
            if not away.any():
                return points, triangles, kept
            kept = np.ascontiguousarray(kept[~away])

    def _flown(self, points: NDArray[np.float64], into: NDArray[np.int64]) -> BoolArray:
        """(n,) corners that lie far outside the box round those they were made of: by its size and the bound.

        A place of least error is not defined where the surface is flat: with other collapses before it may
        come to lie anywhere.

        into: which corner each one of the surface has become
        """
        order = np.argsort(into, kind="stable")
        starts = np.searchsorted(into[order], np.arange(len(points)))
        there = self._points[order]
        low, high = np.minimum.reduceat(there, starts), np.maximum.reduceat(there, starts)
        room = (high - low).max(axis=1, keepdims=True) + self._within
        flown: BoolArray = np.any((points < low - room) | (points > high + room), axis=1)
        return flown


def _ends_of_odd_edges(triangles: IntArray) -> NDArray[np.int64]:
    """The corners at edges that have another number of triangles than two."""
    ends = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2), axis=2).astype(np.int64)
    size = int(triangles.max()) + 1
    edges, count = np.unique(ends[..., 0] * size + ends[..., 1], return_counts=True)
    return np.concatenate(np.divmod(edges[count != 2], size))
