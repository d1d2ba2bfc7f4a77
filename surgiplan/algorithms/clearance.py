"""How two bodies lie to each other: how deep one is in the other, or how far they are apart.

What they share is found by manifold3d. Depth and clearance are then sought over whole triangles, not over
corners. The distance d to a surface bounds itself on a triangle that fits in a sphere of radius r:

- to a single triangle t of that surface d is convex, so it is nowhere more than at the corner that is
  farthest from t; this bounds the depth from above.
- no surface comes nearer to a corner than its own d, so with all corners at least d away no point of the
  triangle is nearer than sqrt(d² - r²); this bounds the clearance from below.

A triangle that may still hold the answer is halved along its longest edge. Triangles that are as small as
those of the other surface are not halved for the clearance but measured against them exactly.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import BoolArray, Collision, FloatArray, IntArray, Part, vec3
from .distance import SignedDistance
from .solid import solid
from .space import require_one_frame
from .storing import require_no_error
from .triangles import at_most_apart, between_triangles, closest_on_triangles

_MOST_PIECES = 250_000  # a search that needs more ends with the bound it has reached
_BLOCKS = (1 / 8, 1 / 32, 1 / 128)  # sizes of the blocks looked at first, as shares of the body
_BATCH = 512  # triangles whose neighbours are looked up at once
_PAIRS = 20_000  # pairs of triangles measured at once


@dataclass(frozen=True)
class _Overlap:
    """What a and b share, in the coordinates of b.

    a_inside: (k, 3, 3) the surface of a that lies in b
    b_inside: (k, 3, 3) the surface of b that lies in a
    a_outside: (k, 3, 3) the surface of a that lies out of b; none unless it was asked for
    volume_mm3: of what they share
    """

    a_inside: FloatArray
    b_inside: FloatArray
    a_outside: FloatArray
    volume_mm3: float
    crossing: bool
    a_in_b: bool
    b_in_a: bool


@dataclass(frozen=True)
class _Found:
    """A distance, where it was found, and by how much it can be wrong."""

    mm: float
    place: FloatArray
    error_mm: float


@dataclass(frozen=True)
class _Pieces:
    """Triangles that are measured at their corners against a surface.

    corners: (k, 3, 3) mm
    away: (k, 3) unsigned distance of each corner
    """

    corners: FloatArray
    away: FloatArray

    def chosen(self, rows: BoolArray) -> "_Pieces":
        return _Pieces(self.corners[rows], self.away[rows])

    @property
    def edges(self) -> FloatArray:
        """(k, 3) lengths of the edges that begin at each corner."""
        lengths: FloatArray = np.linalg.norm(np.roll(self.corners, -1, axis=1) - self.corners, axis=2)
        return lengths

    @property
    def radius(self) -> FloatArray:
        """(k,) of a sphere that holds the triangle (Jung: the longest edge / sqrt 3)."""
        longest: FloatArray = self.edges.max(axis=1) / math.sqrt(3)
        return longest

    @property
    def at_least(self) -> FloatArray:
        """(k,) no point of the triangle is nearer to the surface."""
        least: FloatArray = np.sqrt(np.maximum(self.away.min(axis=1) ** 2 - self.radius**2, 0))
        return least

    def corner(self, number: np.intp) -> tuple[float, FloatArray]:
        """Distance and place of one of the 3k corners."""
        return float(self.away.flat[number]), self.corners.reshape(-1, 3)[number]


Meant = Literal["apart", "inside"]


def collide(
    a: Part,
    b: Part,
    tolerance_mm: float = 0.005,
    report: Report = silent,
    *,
    meant: Meant = "apart",
) -> Collision:
    """Find out whether two bodies touch, overlap or contain each other, and by how many millimetres.

    Distances are taken from surface to surface, never from corner to corner. Where the surface of the
    first body lies nowhere in the second but they overlap (the first encloses the second), the depth is
    how deep the second lies in the first.

    a: a solid, such as a screw
    b: a solid in the same patient space, such as a bone
    tolerance_mm: how exact depth and clearance are to be; a search for the depth that would take too
        long ends early, and the finding then carries a larger error_mm
    report: told the progress; may raise Cancelled
    meant: how they are meant to lie; for "inside" it is also found how far a reaches out of b
    Raises StepFailed when one is not a solid, Mismatch for two patient spaces.
    """
    require_one_frame(a, b)
    if not (math.isfinite(tolerance_mm) and tolerance_mm > 0):
        raise StepFailed(f"The tolerance of a collision check must be above 0 mm, not {tolerance_mm:g} mm.")
    report(0.0, "Comparing the two bodies")
    overlap = _overlap(a, b, meant == "inside")
    deep = _depth(a, b, overlap, tolerance_mm, part_of(report, 0.1, 0.5))
    near = None if overlap.crossing else _clearance(a, b, tolerance_mm, part_of(report, 0.5, 0.9))
    out = None
    if len(overlap.a_outside):
        out = _deepest(overlap.a_outside, SignedDistance(b.mesh), tolerance_mm, part_of(report, 0.9, 1.0))
    found = [one for one in (deep, near, out) if one is not None]
    return Collision(
        depth_mm=deep.mm if deep else 0.0,
        clearance_mm=near.mm if near else 0.0,
        contained=overlap.a_in_b or overlap.b_in_a,
        at_lps=vec3(found[0].place),
        error_mm=max(one.error_mm for one in found),
        near_lps=vec3(near.place) if near else None,
        meant=meant,
        out_mm=(out.mm if out else 0.0) if meant == "inside" else None,
        out_lps=vec3(b.pose.apply(out.place)) if out else None,
        volume_mm3=overlap.volume_mm3,
    )


def _seen_from(host: Part, part: Part) -> FloatArray:
    """(n, 3) the points of a part in the coordinates of another body."""
    if part.pose == host.pose:
        return part.mesh.points.astype(np.float64)
    return host.pose.inverse.after(part.pose).apply(part.mesh.points)


def _overlap(a: Part, b: Part, outside: bool) -> _Overlap:
    one = solid(a.mesh, _seen_from(b, a), "the first body").as_original()
    other = solid(b.mesh, b.mesh.points, "the second body")
    shared = one ^ other
    require_no_error(shared, "the two bodies cannot be compared")
    points, triangles, of_a = _by_origin(shared, one)
    a_outside = np.zeros((0, 3, 3))
    if outside:
        left, corners, own = _by_origin(one - other, one)
        a_outside = left[corners[own]]

    def covered(inner: Any, outer: Any) -> bool:
        alike = math.isclose(shared.volume(), inner.volume(), rel_tol=1e-6)
        return alike and bool((inner - outer).is_empty())

    return _Overlap(
        a_inside=points[triangles[of_a]],
        b_inside=points[triangles[~of_a]],
        crossing=bool(np.intersect1d(triangles[of_a], triangles[~of_a]).size),
        a_in_b=covered(one, other),
        b_in_a=covered(other, one),
        a_outside=a_outside,
        volume_mm3=float(shared.volume()),
    )


def _by_origin(body: Any, one: Any) -> tuple[FloatArray, IntArray, BoolArray]:
    """Points and triangles of a boolean's result, and which triangles come from the first body."""
    raw = body.to_mesh64()
    origin = np.repeat(raw.run_original_id, np.diff(raw.run_index).astype(np.intp) // 3)
    return raw.vert_properties[:, :3], raw.tri_verts, origin == one.original_id()


def _depth(a: Part, b: Part, overlap: _Overlap, tolerance: float, report: Report) -> _Found | None:
    """How deep a lies in b, or b in a where no surface of a lies in b; None when they share nothing."""
    a_around_b = overlap.b_in_a and not overlap.a_in_b
    if len(overlap.a_inside) and not a_around_b:
        host, corners = b, overlap.a_inside
    elif len(overlap.b_inside):
        host, corners = a, a.pose.inverse.after(b.pose).apply(overlap.b_inside)
    else:
        return None
    found = _deepest(corners, SignedDistance(host.mesh), tolerance, report)
    return _Found(found.mm, host.pose.apply(found.place), found.error_mm)


def _clearance(a: Part, b: Part, tolerance: float, report: Report) -> _Found:
    """The smallest distance of two surfaces that do not cross; the body with fewer points is walked over."""
    walked, host = (a, b) if len(a.mesh.points) <= len(b.mesh.points) else (b, a)
    corners = _seen_from(host, walked)[walked.mesh.triangles]
    found = _closest(corners, SignedDistance(host.mesh), tolerance, report)
    return _Found(found.mm, host.pose.apply(found.place), found.error_mm)


def _measured(points: FloatArray, surface: SignedDistance, report: Report) -> tuple[IntArray, FloatArray]:
    """(n,) the nearest triangle and its distance for each point; equal points are measured once."""
    alone, index = np.unique(points, axis=0, return_inverse=True)
    nearest = surface.nearest_triangles(alone, report)
    places, _ = closest_on_triangles(alone, surface.corners[nearest])
    return nearest[index.ravel()], np.linalg.norm(alone - places, axis=1)[index.ravel()]


def _promising(corners: FloatArray, surface: SignedDistance, sign: int, report: Report) -> _Pieces:
    """The triangles that can hold the largest (sign 1) or smallest (sign -1) distance, block by block.

    One distance bounds those of a whole block of triangles, so most corners need not be measured.
    """
    size = max(float(np.ptp(corners.reshape(-1, 3), axis=0).max()), 1e-9)
    for share in _BLOCKS:
        centres, radii = _spheres(corners)
        cell = np.floor(centres / (size * share)).astype(np.int64)
        block = np.unique(cell, axis=0, return_inverse=True)[1].ravel()
        held = np.bincount(block)
        if 4 * len(held) > len(corners):
            break
        middle = np.stack([np.bincount(block, x) / held for x in centres.T], axis=1)
        reach = np.zeros(len(held))
        np.maximum.at(reach, block, np.linalg.norm(centres - middle[block], axis=1) + radii)
        away = sign * _measured(middle, surface, report)[1]
        corners = corners[(away + reach >= (away - reach).max())[block]]
    _, away = _measured(corners.reshape(-1, 3), surface, report)
    return _Pieces(corners, away.reshape(-1, 3))


def _halved(pieces: _Pieces, surface: SignedDistance, report: Report) -> _Pieces:
    """Each triangle as two, parted at the middle of its longest edge."""
    rows = np.arange(len(pieces.corners))[:, None]
    turned = (pieces.edges.argmax(axis=1)[:, None] + np.arange(3)) % 3
    corners, away = pieces.corners[rows, turned], pieces.away[rows, turned]
    middle = (corners[:, 0] + corners[:, 1]) / 2
    return _Pieces(_parted(corners, middle), _parted(away, _measured(middle, surface, report)[1]))


def _parted(of_corners: FloatArray, of_middle: FloatArray) -> FloatArray:
    first, second, third = of_corners[:, 0], of_corners[:, 1], of_corners[:, 2]
    return np.concatenate(
        [np.stack([first, of_middle, third], axis=1), np.stack([of_middle, second, third], axis=1)]
    )


def _deepest(corners: FloatArray, surface: SignedDistance, tolerance: float, report: Report) -> _Found:
    """The point of these triangles that is farthest from the surface."""
    pieces = _promising(corners, surface, 1, report)
    best, place, count = -1.0, corners[0, 0], 0
    while True:
        if pieces.away.max() > best:
            best, place = pieces.corner(pieces.away.argmax())
        pieces = pieces.chosen(pieces.away.max(axis=1) + pieces.edges.max(axis=1) > best + tolerance)
        middle = pieces.corners.mean(axis=1)
        nearest, away = _measured(middle, surface, report)
        if len(away) and away.max() > best:
            best, place = float(away.max()), middle[away.argmax()]
        bound = at_most_apart(pieces.corners, surface.corners[nearest])
        undecided = bound > best + tolerance
        count += int(np.count_nonzero(undecided))
        if not undecided.any():
            return _Found(best, place, tolerance)
        if count > _MOST_PIECES:
            return _Found(best, place, float(bound.max()) - best)
        pieces = _halved(pieces.chosen(undecided), surface, report)


def _closest(corners: FloatArray, surface: SignedDistance, tolerance: float, report: Report) -> _Found:
    """The point of these triangles that is nearest to the surface, which they do not cross."""
    neighbours = _Neighbours(surface.corners)
    pieces = _promising(corners, surface, -1, report)
    (best, place), count = pieces.corner(pieces.away.argmin()), 0
    small = []
    while len(pieces.corners):
        if pieces.away.min() < best:
            best, place = pieces.corner(pieces.away.argmin())
        undecided = pieces.at_least < best - tolerance
        count += int(np.count_nonzero(undecided))
        fine = pieces.radius <= neighbours.grain(best, tolerance)
        if count > _MOST_PIECES:
            fine[:] = True
        small.append(pieces.chosen(undecided & fine))
        pieces = _halved(pieces.chosen(undecided & ~fine), surface, report)
    least = np.concatenate([some.at_least for some in small])
    order = np.argsort(least)
    corners, least = np.concatenate([some.corners for some in small])[order], least[order]
    for start in range(0, len(corners), _BATCH):
        report(start / len(corners), "Measuring the clearance")
        batch = corners[start : start + _BATCH][least[start : start + _BATCH] < best - tolerance]
        for row, other in neighbours.within(batch, best):
            ones, others = batch[row], surface.corners[other]
            open_ = np.maximum(_beside(ones, others), _beside(others, ones)) < best - tolerance
            if open_.any():
                apart, places = between_triangles(ones[open_], others[open_])
                if apart.min() < best:
                    best, place = float(apart.min()), places[apart.argmin()]
    return _Found(best, place, tolerance)


def _beside(ones: FloatArray, others: FloatArray) -> FloatArray:
    """(n,) how far the first triangle keeps to one side of the plane of the second; they are not nearer."""
    normals = np.cross(others[:, 1] - others[:, 0], others[:, 2] - others[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals /= np.where(lengths > 0, lengths, 1)  # a triangle without an area keeps nothing away
    heights = np.einsum("nij,nj->ni", ones - others[:, :1], normals)
    beside: FloatArray = np.maximum(heights.min(axis=1), -heights.max(axis=1))
    return beside


class _Neighbours:
    """Finds the triangles of a surface that lie near other triangles.

    Triangles of alike size are kept together, so that the few large ones of a saw cut do not make
    all searches wide.
    """

    def __init__(self, corners: FloatArray) -> None:
        self._centres, self._radii = _spheres(corners)
        self._usual = float(np.median(self._radii))
        size = np.frexp(self._radii)[1]
        self._groups = []
        for one in np.unique(size):
            rows = np.flatnonzero(size == one)
            self._groups.append((rows, cKDTree(self._centres[rows]), self._radii[rows].max()))

    def grain(self, distance: float, tolerance: float) -> float:
        """How small (mm, radius) a piece at this distance is halved before it is measured exactly.

        As small as the triangles of the surface; far away halving goes on (0), since pieces of that size
        are settled by their corners alone and have many neighbours.
        """
        return 0.0 if math.sqrt(2 * distance * tolerance) > self._usual else self._usual

    def within(
        self, corners: FloatArray, distance: float
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Rows of `corners` and of the surface for all pairs that may be this near, in portions."""
        centres, radii = _spheres(corners)
        for rows, tree, largest in self._groups:
            found = tree.query_ball_point(centres, radii + distance + largest)
            counts = np.fromiter(map(len, found), np.intp, len(found))
            row = np.repeat(np.arange(len(corners)), counts)
            other = rows[np.fromiter(chain.from_iterable(found), np.intp, int(counts.sum()))]
            apart = np.linalg.norm(centres[row] - self._centres[other], axis=1)
            near = np.flatnonzero(apart <= radii[row] + self._radii[other] + distance)
            for start in range(0, len(near), _PAIRS):
                some = near[start : start + _PAIRS]
                yield row[some], other[some]


def _spheres(corners: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre and radius of a sphere round each triangle."""
    centres = corners.mean(axis=1)
    return centres, np.linalg.norm(corners - centres[:, None], axis=2).max(axis=1)
