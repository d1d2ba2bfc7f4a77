"""A contour runs to the edge of a ball from inside, and from outside."""

import numpy as np
import pytest

from surgiplan.algorithms.splitting.contour import fitted_contour
from surgiplan.errors import StepFailed
from surgiplan.values import Mask, Volume
from tests.ops.shapes import CENTRE, ball_scan, no_mask

NOISE = np.random.default_rng(0).normal(0, 60, ball_scan().voxels.shape)
SCAN = Volume(ball_scan().grid, (ball_scan().voxels + NOISE).astype(np.int16))
POINTS = SCAN.grid.to_lps(np.indices(SCAN.grid.shape_kji).reshape(3, -1).T)
AWAY = np.linalg.norm(POINTS - CENTRE, axis=1).reshape(SCAN.grid.shape_kji)


@pytest.mark.parametrize(("start", "growth"), [(7.0, 1.0), (14.0, -1.0)])
def test_it_ends_on_the_edge_of_the_ball(start: float, growth: float) -> None:
    """The ball has a radius of 12 mm; the noise has 60 HU of its 1000."""
    found = fitted_contour(SCAN, Mask(SCAN.grid, start > AWAY, 500.0), 7.0, growth=growth)
    radius = (found.volume_mm3 / (4 / 3 * np.pi)) ** (1 / 3)
    assert radius == pytest.approx(12.0, abs=0.5)
    wrong = found.voxels != (AWAY < 12.0)
    assert np.abs(AWAY[wrong] - 12.0).max() < 1.5
    assert found.level is None


def test_it_comes_no_farther_than_its_reach() -> None:
    even = Volume(SCAN.grid, np.zeros_like(SCAN.voxels))
    found = fitted_contour(even, Mask(SCAN.grid, AWAY < 5.0), 3.0, growth=3.0)
    assert np.abs(np.argwhere(found.voxels) - np.argwhere(AWAY < 5.0).mean(axis=0)).max() < 14
    assert found.volume_mm3 > 4 / 3 * np.pi * 7**3


def test_what_leaves_nothing_is_refused() -> None:
    with pytest.raises(StepFailed, match="No voxel is chosen"):
        fitted_contour(SCAN, no_mask())
    with pytest.raises(StepFailed, match="shrank to nothing"):
        fitted_contour(SCAN, Mask(SCAN.grid, AWAY < 3.0), 2.0, growth=-5.0, edge=5000.0)
