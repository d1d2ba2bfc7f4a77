"""The rigid motion that brings one body onto another, found from their surfaces."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatArray, Part, Pose
from ..distance import SignedDistance
from ..triangles import closest_on_triangles
from .landmarks import moved_about

_FIXED_SAMPLES = 100_000
_MOVING_SAMPLES = 5_000
_ROUGH_SAMPLES = 1_000
_ITERATIONS, _ROUGH_ITERATIONS = 60, 20
_ALIKE, _ALIKE_MM = 1.3, 0.02  # up to this times, and mm above, the best residual a position fits as well
_ELSEWHERE = 0.03  # positions farther apart than this share of the body are not the same
_FEWEST_PAIRS = 50
_FACING = 0.5  # cosine of the angle up to which two surfaces face the same way
_STILL_MM = 1e-5
_GOLDEN = (0.7548776662466927, 0.5698402909980532)  # steps of the two-dimensional golden ratio sequence


@dataclass(frozen=True)
class Registered:
    """How a body was brought onto another.

    pose: the motion to apply after the pose of the moving body, in patient space
    residual_mm: root mean square distance of the pairs that counted to their tangent planes; it is not the
        accuracy of the registration
    start: the start it was found from, such as "landmarks"
    """

    pose: Pose
    residual_mm: float
    start: str


def register_surfaces(
    moving: Part,
    fixed: Part,
    landmarks: Pose | None = None,
    trim: float = 0.9,
    only: Part | None = None,
    report: Report = silent,
) -> Registered:
    """Bring a surface onto another one, from the best of several starts.

    With landmarks there are two: what they say, and the bodies as they lie. Without, the second is that
    their middles and principal axes fall on one another, in each of the four ways. Each is followed a little
    on few points; the one that fits best goes on.

    moving: the part to bring over, at its pose
    fixed: the part to bring it onto, at its pose
    landmarks: the motion that brings landmarks onto their partners; None when there are none
    trim: share of the moving surface that has a counterpart on the fixed one, 0 to 1
    only: a closed body, such as one round the bone that no saw has touched: what of `fixed` lies outside
        does not count; None for all of it
    report: told the progress; may raise Cancelled
    Raises StepFailed for an empty part, a share out of range, surfaces that do not come together, and, when
    there are no landmarks, for two positions that fit alike.
    """
    pair = _Pair(_of(moving, _MOVING_SAMPLES, "moving"), _target(fixed, only, report), trim)
    starts = {"as they lie": Pose()}
    if landmarks is not None:
        starts = {"landmarks": landmarks} | starts
    else:
        turns = _axes_together(pair.source.points, pair.target.points)
        starts |= {f"principal axes {n + 1}": turn for n, turn in enumerate(turns)}
    tried = _tried(starts, _Pair(pair.source.some(_ROUGH_SAMPLES), pair.target, trim), report)
    best = min(tried, key=lambda name: tried[name][1])
    if landmarks is None:
        _require_one_position(pair.source.points, best, tried)
    pose, residual = pair.followed(tried[best][0], _ITERATIONS, part_of(report, 0.5, 1.0))
    return Registered(pose, residual, best)


def icp_point_to_plane(
    moving: Part,
    fixed: Part,
    start: Pose,
    trim: float = 0.9,
    iterations: int = _ITERATIONS,
    report: Report = silent,
) -> tuple[Pose, float]:
    """Bring a surface onto another one from a start that is nearly right.

    Iterated closest points, each drawn to the tangent plane of its partner (Chen and Medioni 1992),
    without the worst pairs (trimmed as in Chetverikov 2005) and without pairs that face apart.

    moving: the part to bring over, at its pose
    fixed: the part to bring it onto, at its pose
    start: motion in patient space, applied after the pose of `moving`, that nearly fits
    trim: share of the pairs that counts, 0 to 1: what of `moving` has a counterpart on `fixed`
    iterations: most steps to make; it ends earlier when nothing moves by 1e-5 mm any more
    report: told the progress; may raise Cancelled
    Returns the motion to apply after the pose of `moving`, and the root mean square distance in mm of the
    pairs that counted to their tangent planes. That residual is not the accuracy of the registration.
    Raises StepFailed for an empty part, a share out of range, and surfaces that do not come together.
    """
    source = _of(moving, _MOVING_SAMPLES, "moving")
    return _Pair(source, _target(fixed, None, report), trim).followed(start, iterations, report)


@dataclass(frozen=True)
class Samples:
    """Points spread evenly over a surface: each with the corners and the normal of its triangle."""

    points: FloatArray
    normals: FloatArray
    corners: FloatArray

    @cached_property
    def search(self) -> cKDTree:
        """Finds the sample that is nearest to a place."""
        return cKDTree(self.points)

    def chosen(self, rows: BoolArray | slice) -> "Samples":
        """Those of these rows."""
        return Samples(self.points[rows], self.normals[rows], self.corners[rows])

    def some(self, count: int) -> "Samples":
        """About so many of them, as evenly spread."""
        return self.chosen(slice(None, None, max(len(self.points) // count, 1)))


@dataclass(frozen=True)
class _Pair:
    """A surface and the one it shall be brought onto, of which a share counts."""

    source: Samples
    target: Samples
    trim: float

    def followed(self, start: Pose, iterations: int, report: Report) -> tuple[Pose, float]:
        """The motion that a start leads to, and the residual there."""
        motion, residual, target = start, np.inf, self.target
        for n in range(iterations):
            report(n / iterations, "Bringing the surfaces together")
            points = motion.apply(self.source.points)
            _, partner = target.search.query(points)
            place, _ = closest_on_triangles(points, target.corners[partner])
            planes = target.normals[partner]
            facing = np.einsum("ij,ij->i", self.source.normals @ motion.rotation.T, planes) > _FACING
            used = _nearest_pairs(np.linalg.norm(points - place, axis=1), facing, self.trim)
            step, residual = _towards_planes(points[used], place[used], planes[used])
            motion = step.after(motion)
            if np.linalg.norm(step.apply(points) - points, axis=1).max() < _STILL_MM:
                break
        return motion, residual


def _tried(starts: Mapping[str, Pose], pair: _Pair, report: Report) -> dict[str, tuple[Pose, float]]:
    """Where each start leads; StepFailed when none leads anywhere."""
    found: dict[str, tuple[Pose, float]] = {}
    problem: StepFailed | None = None
    for n, (name, start) in enumerate(starts.items()):
        told = part_of(report, 0.5 * n / len(starts), 0.5 * (n + 1) / len(starts))
        try:
            found[name] = pair.followed(start, _ROUGH_ITERATIONS, told)
        except StepFailed as failed:
            problem = problem or failed
    if not found and problem is not None:
        raise problem
    return found


def _target(fixed: Part, only: Part | None, report: Report) -> Samples:
    """Samples of the fixed part; only those inside a closed body when one is given."""
    samples = _of(fixed, _FIXED_SAMPLES, "fixed")
    if only is None:
        return samples
    if not only.mesh.watertight:
        raise StepFailed("The body that limits what counts has holes, so it has no inside: use a closed one.")
    inside = SignedDistance(only.mesh).at(only.pose.inverse.apply(samples.points), report) <= 0
    if (count := np.count_nonzero(inside)) < _FEWEST_PAIRS:
        raise StepFailed(
            f"Only {count} of {len(inside)} places of the fixed part lie inside the body that limits what "
            "counts: choose one that encloses the untouched bone."
        )
    return samples.chosen(inside)


def _axes_together(moving: FloatArray, fixed: FloatArray) -> list[Pose]:
    """The four motions that bring middle and principal axes of points onto those of others."""
    (here, ours), (there, theirs) = (
        (points.mean(axis=0), np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2].T)
        for points in (moving, fixed)
    )
    found = []
    for first, second in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        signs = np.array([first, second, 1.0])
        signs[2] = np.sign(np.linalg.det(theirs * signs) * np.linalg.det(ours))
        found.append(moved_about((theirs * signs) @ ours.T, here, there))
    return found


def _require_one_position(points: FloatArray, best: str, tried: Mapping[str, tuple[Pose, float]]) -> None:
    """Raise StepFailed when another start ends elsewhere and fits as well."""
    home, residual = tried[best][0].apply(points), tried[best][1]
    span = float(np.linalg.norm(np.ptp(home, axis=0)))
    for pose, other in tried.values():
        apart = float(np.sqrt(np.square(pose.apply(points) - home).sum(axis=1).mean()))
        if apart > _ELSEWHERE * span and other <= _ALIKE * residual + _ALIKE_MM:
            raise StepFailed(
                f"Two positions {apart:.0f} mm apart fit alike (to {residual:.2f} and {other:.2f} mm): start "
                "from landmarks, at least three on both parts, so that it is known which one is meant."
            )


def sampled(corners: FloatArray, count: int) -> Samples:
    """Spread points evenly over the area of triangles, the same ones each time.

    corners: (m, 3, 3) mm
    count: number of points
    Raises StepFailed when the triangles have no area.
    """
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1)
    if not area.sum() > 0:
        raise StepFailed("A surface without any area cannot be compared: choose a part with triangles.")
    upto = np.cumsum(area)
    number = np.arange(count)
    chosen = np.searchsorted(upto, (number + 0.5) / count * upto[-1])
    u, v = (np.outer(_GOLDEN, number + 1) % 1.0)[:, :, None]
    beyond = u + v > 1
    u, v = np.where(beyond, 1 - u, u), np.where(beyond, 1 - v, v)
    a, b, c = corners[chosen].transpose(1, 0, 2)
    normals = across[chosen] / area[chosen, None]
    return Samples(a + u * (b - a) + v * (c - a), normals, corners[chosen])


def _of(part: Part, count: int, which: str) -> Samples:
    try:
        return sampled(part.points_lps[part.mesh.triangles], count)
    except StepFailed as problem:
        raise StepFailed(f"The {which} part has no surface: choose a part with triangles.") from problem


def _nearest_pairs(apart_mm: FloatArray, facing: BoolArray, trim: float) -> NDArray[np.intp]:
    """Indices of the pairs that count: the nearest of those whose surfaces face the same way."""
    if not 0 < trim <= 1:
        raise StepFailed(f"The share of pairs that counts is {trim:g}: give more than 0 and up to 1.")
    candidates = np.flatnonzero(facing)
    order = np.argsort(apart_mm[candidates], kind="stable")
    used = candidates[order[: int(np.ceil(trim * len(apart_mm)))]]
    if len(used) < _FEWEST_PAIRS:
        raise StepFailed(
            f"The surfaces do not come together: only {len(used)} of {len(apart_mm)} places face a "
            f"counterpart, {np.median(apart_mm):.1f} mm away. Pick landmarks so that the start is nearer."
        )
    return used


def _towards_planes(points: FloatArray, places: FloatArray, planes: FloatArray) -> tuple[Pose, float]:
    """The small motion that brings points to planes in least squares, and the rms distance before it.

    Directions in which the planes hold nothing (a ball turns freely) are left as they are.
    """
    centre = points.mean(axis=0)
    arm = points - centre
    size = np.sqrt(np.square(arm).sum(axis=1).mean()) or 1.0
    away = np.einsum("ij,ij->i", places - points, planes)
    rows = np.concatenate([np.cross(arm, planes) / size, planes], axis=1)
    answer = np.linalg.lstsq(rows.T @ rows, rows.T @ away, rcond=1e-9)[0]
    angle = float(np.linalg.norm(answer[:3]) / size)
    turn = Pose.of_rotation(answer[:3], np.degrees(angle), centre) if angle > 0 else Pose()
    return Pose.of_shift(answer[3:]).after(turn), float(np.sqrt(np.square(away).mean()))
