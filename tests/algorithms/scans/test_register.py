"""Two scans of one head, one of them moved: the motion is known, so the error at any place is, too."""

import numpy as np
import pytest

from surgiplan.algorithms.scans.register import register_scans
from surgiplan.errors import StepFailed
from surgiplan.values import Grid, Pose, Volume
from tests.ops.shapes import ELSEWHERE, grid, head_scan

MIDDLE = (3.0, -4.0, 90.0)


def noisy(scan: Volume, seed: int) -> Volume:
    noise = np.random.default_rng(seed).normal(0, 20, scan.voxels.shape)
    return Volume(scan.grid, (scan.voxels + noise).astype(np.int16), scan.modality, scan.unit)


def as_mr(scan: Volume) -> Volume:
    """Other grey values: bone and air are dark, soft tissue is bright."""
    grey = np.where(scan.voxels > 500, 60, np.where(scan.voxels > -500, 300, 10))
    return Volume(scan.grid, grey.astype(np.int16), "MR", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("degrees", "shift", "mr"),
    [(7.0, (12.0, -9.0, 6.0), False), (12.0, (40.0, 30.0, -60.0), False), (5.0, (-8.0, 4.0, 10.0), True)],
)
def test_a_known_motion_is_found_to_half_a_voxel(degrees: float, shift: tuple[float, ...], mr: bool) -> None:
    fixed = noisy(head_scan((2.0, 1.6, 1.5)), 0)
    true = Pose.of_shift(shift).after(Pose.of_rotation((0.3, -0.5, 1.0), degrees, MIDDLE))
    other = head_scan((2.5, 2.0, 1.9), turned=20.0)
    place = Grid(other.grid.shape_kji, true.array @ other.grid.kji_to_lps, ELSEWHERE)
    moving = Volume(place, other.voxels)
    pose, information = register_scans(noisy(as_mr(moving) if mr else moving, 1), fixed)
    corners = fixed.grid.corners_lps
    error = np.linalg.norm(pose.apply(true.apply(corners)) - corners, axis=1)
    assert error.max() <= 0.5 * max(moving.grid.spacing_kji), error
    assert information > 0.3


def test_two_runs_agree_to_the_last_digit() -> None:
    fixed, moving = head_scan((5.0, 4.0, 4.0)), head_scan((5.0, 4.0, 4.0), turned=8.0)
    assert register_scans(moving, fixed)[0] == register_scans(moving, fixed)[0]


def test_scans_that_cannot_be_brought_together_are_refused() -> None:
    flat = Volume(grid((3, 38, 44)), np.zeros((3, 38, 44), np.int16))
    with pytest.raises(StepFailed, match="fewer than 8 slices"):
        register_scans(flat, head_scan((8.0, 6.4, 6.0)))
