"""Loops in a plane filled with triangles, from left to right."""

import numpy as np
from numpy.typing import NDArray

from ...values import FloatArray
from ..compiled import compiled

_LOW, _UP, _BOTTOM, _TOP, _LATEST = range(
    5
)  # of a gap: left ends of its edges, ends of its chain, latest link
Numbers = NDArray[np.int64]


def swept(flat: FloatArray, follower: Numbers) -> Numbers:
    """Fill loops with triangles by the sweep of Hertel and Mehlhorn (1983).

    flat: (n, 2) the points of all loops
    follower: for each the next one round its loop, the inside on the left
    Returns (m, 3) numbers of points, counter-clockwise. They fill loops that neither cross nor touch; who
    calls makes sure that they do.
    """
    leader, rank = np.empty_like(follower), np.empty_like(follower)
    leader[follower] = np.arange(len(follower))
    order = np.lexsort((flat[:, 1], flat[:, 0]))
    rank[order] = np.arange(len(order))
    return _swept(np.ascontiguousarray(flat), follower, leader, order, rank)


@compiled
def _swept(flat: FloatArray, follower: Numbers, leader: Numbers, order: Numbers, rank: Numbers) -> Numbers:
    """The sweep: where it stands it crosses gaps, parts of the inside between a lower and an upper edge.

    What lies left of a gap and is not filled yet ends at a chain of points, from the left end of the lower
    edge to that of the upper one. Each next point fills what it sees of the chains beside it and goes on with
    them. It is the latest of its chain then: between that and the sweep nothing is in the way.
    """
    count = len(flat)
    gap, gaps = np.empty((count, 5), np.int64), 0
    # for the left end of an edge, the gap over it and the gap under it
    over, under = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    # links of chains: their points, and the next links below and above; link n is for point n, and where
    # point n parts a gap, link count + n is for it in the upper part, 2 count + n for the latest before it
    point, chain = np.arange(3 * count) % count, np.full((3 * count, 2), -1, np.int64)
    found, filled = np.empty((3 * count, 3), np.int64), 0
    for v in order:
        before, after = leader[v], follower[v]
        above = over[before] if rank[before] < rank[v] else -1
        below = under[after] if rank[after] < rank[v] else -1
        if below >= 0:
            least = -np.inf if above == below else 0.0
            filled = _reached(flat, v, gap, below, _TOP, least, chain, point, found, filled)
        if above >= 0 and above != below:
            filled = _reached(flat, v, gap, above, _BOTTOM, 0.0, chain, point, found, filled)
        if above >= 0 and below >= 0:
            gaps = _joined(gap, below, above, gaps, over, under)
        elif above >= 0:
            gap[above, _LOW], over[v] = v, above
        elif below >= 0:
            gap[below, _UP], under[v] = v, below
        elif _turn(flat, before, v, after) > 0:  # a gap begins
            gap[gaps, :] = v
            over[v] = under[v] = gaps
            gaps += 1
        else:
            old = _around(flat, v, gap, gaps, follower, leader)
            if old == gaps:
                break
            _part(v, gap, old, gaps, chain, point)
            over[v], under[v], under[gap[gaps, _UP]] = gaps, old, gaps
            filled = _reached(flat, v, gap, old, _TOP, 0.0, chain, point, found, filled)
            filled = _reached(flat, v + count, gap, gaps, _BOTTOM, 0.0, chain, point, found, filled)
            gaps += 1
    return found[:filled]


@compiled
def _joined(gap: Numbers, below: int, above: int, gaps: int, over: Numbers, under: Numbers) -> int:
    """Join two gaps between which their edges end, or end one gap; returns how many are left."""
    if above != below:
        gap[below, _UP], gap[below, _TOP] = gap[above, _UP], gap[above, _TOP]
        under[gap[below, _UP]] = below
    last = gaps - 1
    if above < last:  # this one takes the row that is free
        for k in range(5):
            gap[above, k] = gap[last, k]
        over[gap[above, _LOW]] = under[gap[above, _UP]] = above
    return last


@compiled
def _around(flat: FloatArray, v: int, gap: Numbers, gaps: int, follower: Numbers, leader: Numbers) -> int:
    """The gap between whose edges a point lies; the number of gaps when there is none."""
    for n in range(gaps):
        low, up = gap[n, _LOW], gap[n, _UP]
        if _turn(flat, low, follower[low], v) > 0 and _turn(flat, up, leader[up], v) < 0:
            return n
    return gaps


@compiled
def _part(v: int, gap: Numbers, old: int, new: int, chain: Numbers, point: Numbers) -> None:
    """Part a gap at a point in it, and its chain at its latest link; the new one is the upper part."""
    here, twin = gap[old, _LATEST], v + 2 * len(gap)
    above = chain[here, 1]
    point[twin], chain[twin, 1], chain[here, 1] = point[here], above, -1
    if above >= 0:
        chain[above, 0] = twin
    gap[new, _LOW], gap[new, _UP] = v, gap[old, _UP]
    gap[new, _BOTTOM], gap[new, _TOP] = twin, gap[old, _TOP] if above >= 0 else twin
    gap[old, _UP], gap[old, _TOP] = v, here


@compiled
def _reached(
    flat: FloatArray,
    link: int,
    gap: Numbers,
    row: int,
    end: int,
    least: float,
    chain: Numbers,
    point: Numbers,
    found: Numbers,
    filled: int,
) -> int:
    """Fill what a point sees of the chain of a gap from one end on, and make it that end.

    link: of the point
    end: _BOTTOM or _TOP
    least: triangles turn by more than this
    Returns how many triangles are filled then.
    """
    here, up = gap[row, end], int(end == _TOP)
    there = chain[here, 1 - up]
    while there >= 0:
        one, other = (here, there) if up else (there, here)
        if not _turn(flat, point[link], point[one], point[other]) > least:
            break
        found[filled, 0], found[filled, 1], found[filled, 2] = point[link], point[one], point[other]
        filled += 1
        here, there = there, chain[there, 1 - up]
    chain[here, up], chain[link, 1 - up] = link, here
    gap[row, end] = gap[row, _LATEST] = link
    return filled


@compiled
def _turn(flat: FloatArray, a: int, b: int, c: int) -> float:
    """Twice the area of a triangle: above zero when it runs counter-clockwise."""
    x, y = flat[a, 0], flat[a, 1]
    area: float = (flat[b, 0] - x) * (flat[c, 1] - y) - (flat[b, 1] - y) * (flat[c, 0] - x)
    return area
