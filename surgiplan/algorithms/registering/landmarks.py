"""The rigid motion that brings one body onto another, found from pairs of landmarks."""

from contextlib import suppress

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, Pose

_PICKED_MM = 1.0  # landmarks are never picked better than this


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
    return moved_about(turn, moving_centre, fixed_centre), residual


def left_out_errors(moving_lps: ArrayLike, fixed_lps: ArrayLike) -> FloatArray:
    """How far each landmark lands from its partner when only the others fix the motion.

    The leave-one-out target registration error: a landmark that had no say in the fit is a target. It tells
    more than the residual of the fit, which does not predict the error elsewhere (Fitzpatrick 2009), and is
    rather too large, since the motion rests on one pair fewer.

    moving_lps: (n, 3) points on the moving body, n at least 4, LPS mm
    fixed_lps: (n, 3) the same anatomical points on the fixed body, in the same order, LPS mm
    Returns (n,) distances in mm; NaN for a landmark whose others do not fix a motion.
    """
    moving = np.asarray(moving_lps, np.float64).reshape(-1, 3)
    fixed = np.asarray(fixed_lps, np.float64).reshape(-1, 3)
    errors = np.full(len(moving), np.nan)
    for n in range(len(moving)):
        others = np.arange(len(moving)) != n
        with suppress(StepFailed):
            pose, _ = fit_landmarks(moving[others], fixed[others])
            errors[n] = np.linalg.norm(pose.apply(moving[n]) - fixed[n])
    return errors


def moved_about(turn: FloatArray, here: FloatArray, there: FloatArray) -> Pose:
    """The rigid motion with this rotation (3x3) that brings one place to another (LPS mm)."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, there - turn @ here
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
