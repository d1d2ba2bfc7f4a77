"""Proof that a surface lies within a distance of another one: everywhere, not only at places looked at.

Simplification envelopes (Cohen, Varshney, Manocha and others 1996): each triangle is copied twice, its
corners moved outwards and inwards by the distance, along normals that neighbours share. A copy that does not
run through the other surface lies wholly on one side of it. Where that is the outer side for the one and the
inner side for the other copy, a straight line no longer than the distance either way leads through the other
surface from every place of the triangle. What is left, at sharp ridges, is cut into pieces: the distance to
one triangle is convex, so on a piece it is nowhere more than at its farthest corner; and from place to place
the distance to a surface changes by no more than the way.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..progress import Report, part_of, silent
from ..values import BoolArray, FloatArray, IntArray, Mesh, given_away
from .crossing import Boxes
from .distance import SignedDistance
from .filters import run_apart
from .smooth import normals_of
from .triangles import at_most_apart, closest_on_triangles

_USED = 0.9993  # of the distance: the rest is for rounding, and a number as no lattice has it
_FEW, _FEW_AT_LEAST = 0.02, 50  # share of the triangles, or how many, that are worth being cut into pieces
_HALVINGS = 14
_MOST_PIECES = 50_000


def not_within(one: Mesh, other: SignedDistance, within_mm: float, report: Report = silent) -> BoolArray:
    """Find the triangles of a surface that are not proven to lie within a distance of another one.

    one: the surface
    other: the surface to which the distance counts; closed, faces outwards, does not run through itself
    within_mm: the distance
    report: told the progress; may raise Cancelled
    Returns (m,) for each triangle of `one`; where they are more than a few, some that do lie within are
    among them.
    """
    text, used = "Proving the distance", _USED * within_mm
    normals = run_apart(lambda: normals_of(one), part_of(report, 0.0, 0.0), text)
    boxes = run_apart(lambda: Boxes(other.mesh), part_of(report, 0.0, 0.0), text)
    proven: BoolArray = (np.abs(normals).sum(axis=1) > 0)[one.triangles].all(axis=1)
    for n, side in enumerate((1.0, -1.0)):
        told = part_of(report, 0.4 * n, 0.4 * (n + 1))
        points = (one.points + side * used * normals).astype(np.float32)
        proven &= _beyond(Mesh(given_away(points), one.triangles), other, boxes, side, told)
    left = np.flatnonzero(~proven)
    if len(left) <= max(_FEW * len(proven), _FEW_AT_LEAST):
        corners = one.points.astype(np.float64)[one.triangles[left]]
        proven[left] = _piece_by_piece(corners, other, used, part_of(report, 0.8, 1.0))
    return ~proven


def _beyond(moved: Mesh, other: SignedDistance, boxes: Boxes, side: float, report: Report) -> BoolArray:
    """(m,) triangles that lie wholly on the outer (side 1) or inner (-1) side of a surface.

    Those that hang together without a crossing lie on the same side, so one corner tells for all.
    """
    beyond = np.ones(len(moved.triangles), np.bool_)
    beyond[boxes.crossed_by(moved, part_of(report, 0.0, 0.9))[:, 0]] = False
    patch, count = _patches(moved.triangles[beyond], len(moved.points))
    first = np.full(count, len(patch))
    np.minimum.at(first, patch, np.arange(len(patch)))
    right = side * other.at(moved.points[first], part_of(report, 0.9, 1.0)) > 0
    return beyond & right[patch[moved.triangles[:, 0]]]


def _patches(triangles: IntArray, many: int) -> tuple[IntArray, int]:
    """(n,) for each of so many corners the number of what it hangs together with, and how many those are."""
    ends = triangles[:, [0, 1, 1, 2]].reshape(-1, 2)
    edges = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(many, many))
    count, patch = connected_components(edges, directed=False)
    return patch, int(count)


def _piece_by_piece(
    corners: FloatArray, other: SignedDistance, within_mm: float, report: Report
) -> BoolArray:
    """(k,) triangles (k, 3, 3) that are proven to lie within a distance of a surface, by halving them."""
    proven = np.ones(len(corners), np.bool_)
    pieces, of = corners, np.arange(len(corners))
    for n in range(_HALVINGS):
        middle = pieces.mean(axis=1)
        told = part_of(report, n / _HALVINGS, (n + 1) / _HALVINGS)
        nearest = other.corners[other.nearest_triangles(middle, told)]
        away = np.linalg.norm(middle - closest_on_triangles(middle, nearest)[0], axis=1)
        reach = np.linalg.norm(pieces - middle[:, None], axis=2).max(axis=1)
        proven[of[away > within_mm]] = False
        open_still = (away + reach > within_mm) & (at_most_apart(pieces, nearest) > within_mm) & proven[of]
        pieces, of = pieces[open_still], np.tile(of[open_still], 2)
        if not len(pieces) or len(of) > _MOST_PIECES:
            break
        edges = np.linalg.norm(np.roll(pieces, -1, axis=1) - pieces, axis=2)
        turned = (edges.argmax(axis=1)[:, None] + np.arange(3)) % 3
        a, b, c = pieces[np.arange(len(pieces))[:, None], turned].transpose(1, 0, 2)
        half = (a + b) / 2
        pieces = np.concatenate([np.stack([a, half, c], axis=1), np.stack([half, b, c], axis=1)])
    proven[of] = False
    return proven
