"""The rigid motion that brings one body onto another: from landmark pairs, then from the surfaces."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from ..errors import StepFailed
from ..progress import Report, silent
from ..values import BoolArray, FloatArray, Part, Pose
from .distance import closest_on_triangles

_FIXED_SAMPLES = 100_000
_MOVING_SAMPLES = 5_000
_FEWEST_PAIRS = 50
_FACING = 0.5  # cosine of the angle up to which two surfaces face the same way
_STILL_MM = 1e-5
_PICKED_MM = 1.0  # landmarks are never picked better than this
_GOLDEN = (0.7548776662466927, 0.5698402909980532)  # steps of the two-dimensional golden ratio sequence


def fit_landmarks(moving_lps: ArrayLike, fixed_lps: ArrayLike) -> tuple[Pose, float]:
    """Find the rigid motion that brings landmarks closest to their partners.

    Least squares without scale or mirror (Kabsch 1976, Umeyama 1991).

    moving_lps: (n, 3) points on the moving body, LPS mm
    fixed_lps: (n, 3) the same anatomical points on the fixed body, in the same order, LPS mm
    Returns the motion, and the root mean square distance of the pairs after it in mm. That residual
    is not the accuracy of the registration elsewhere.
    Raises StepFailed for fewer than three pairs, for points on one line, and for pairs that only
    a mirror image could match.
    """
    moving = np.asarray(moving_lps, np.float64).reshape(-1, 3)
    fixed = np.asarray(fixed_lps, np.float64).reshape(-1, 3)
    _require_pairs(moving, fixed)
    moving_centre, fixed_centre = moving.mean(axis=0), fixed.mean(axis=0)
    a, b = moving - moving_centre, fixed - fixed_centre
    u, s, vt = np.linalg.svd(a.T @ b)
    hand = 1.0 if np.linalg.det(u @ vt) > 0 else -1.0
    turn = vt.T @ np.diag((1.0, 1.0, hand)) @ u.T
    residual = float(np.sqrt(np.square(a @ turn.T - b).sum(axis=1).mean()))
    spread = float(np.square(a).sum() + np.square(b).sum())
    mirrored = np.sqrt(max(spread - 2 * float(s.sum()), 0.0) / len(a))
    if hand < 0 and residual > max(_PICKED_MM, 3 * mirrored):
        raise StepFailed(
            f"These landmarks match as mirror images (to {mirrored:.2f} mm) but not by a rigid motion "
            f"({residual:.2f} mm). Check that left and right were not exchanged, or mirror the part first."
        )
    return _pose(turn, fixed_centre - turn @ moving_centre), residual


def icp_point_to_plane(
    moving: Part,
    fixed: Part,
    start: Pose,
    trim: float = 0.9,
    iterations: int = 60,
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
    source = _sampled(moving, _MOVING_SAMPLES, "moving")
    target = _sampled(fixed, _FIXED_SAMPLES, "fixed")
    search = cKDTree(target.points)
    motion, residual = start, np.inf
    for n in range(iterations):
        report(n / iterations, "Bringing the surfaces together")
        points = motion.apply(source.points)
        _, partner = search.query(points)
        place, _ = closest_on_triangles(points, target.corners[partner])
        planes = target.normals[partner]
        facing = np.einsum("ij,ij->i", source.normals @ motion.rotation.T, planes) > _FACING
        used = _nearest_pairs(np.linalg.norm(points - place, axis=1), facing, trim)
        step, residual = _towards_planes(points[used], place[used], planes[used])
        motion = step.after(motion)
        if np.linalg.norm(step.apply(points) - points, axis=1).max() < _STILL_MM:
            break
    return motion, residual


@dataclass(frozen=True)
class _Samples:
    """Points spread evenly over a surface: each with the corners and the normal of its triangle."""

    points: FloatArray
    normals: FloatArray
    corners: FloatArray


def _sampled(part: Part, count: int, which: str) -> _Samples:
    corners = part.points_lps[part.mesh.triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1)
    if not area.sum() > 0:
        raise StepFailed(f"The {which} part has no surface: choose a part with triangles.")
    upto = np.cumsum(area)
    number = np.arange(count)
    chosen = np.searchsorted(upto, (number + 0.5) / count * upto[-1])
    u, v = (np.outer(_GOLDEN, number + 1) % 1.0)[:, :, None]
    beyond = u + v > 1
    u, v = np.where(beyond, 1 - u, u), np.where(beyond, 1 - v, v)
    a, b, c = corners[chosen].transpose(1, 0, 2)
    normals = across[chosen] / area[chosen, None]
    return _Samples(a + u * (b - a) + v * (c - a), normals, corners[chosen])


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


def _pose(turn: FloatArray, shift: FloatArray) -> Pose:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, shift
    return Pose.of(matrix)


def _require_pairs(moving: FloatArray, fixed: FloatArray) -> None:
    if len(moving) != len(fixed):
        raise StepFailed(
            f"There are {len(moving)} landmarks on the moving part and {len(fixed)} on the fixed part: "
            "pick the same points on both, in the same order."
        )
    if len(moving) < 3:
        raise StepFailed(f"{len(moving)} pairs of landmarks do not fix a position: pick at least three.")
    if not (np.isfinite(moving).all() and np.isfinite(fixed).all()):
        raise StepFailed("A landmark is not a finite point: pick it again.")
    for points, which in ((moving, "moving"), (fixed, "fixed")):
        along, across, _ = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if across < 0.01 * along or along < 1e-6:
            beside = across / np.sqrt(len(points))
            raise StepFailed(
                f"The landmarks on the {which} part lie on one line (to {beside:.2f} mm), so the rotation "
                "about it stays open. Pick one more point well beside that line."
            )
