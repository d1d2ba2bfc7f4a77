"""Growing from a seed: by range, through wide openings only, and by likeness."""

import numpy as np
import pytest

from surgiplan.algorithms.masks.growing import grow, grow_alike, grow_smooth
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.phantoms.solids import Sphere, cylinder
from surgiplan.values import Vec3, Volume, digest

from .bodies import centres, grid, stop, two_boxes, volume_of

PLACE = grid((40, 60, 70))
MIDDLE = PLACE.to_lps((18, 28, 34))


def beside(along_mm: float) -> Vec3:
    """A point along a slanted line through the middle."""
    x, y, z = MIDDLE + along_mm * np.array([0.6, 0.64, 0.48])
    return (float(x), float(y), float(z))


LARGE, SMALL = Sphere(beside(-7.0), 9.0), Sphere(beside(11.0), 6.0)
BRIDGE = cylinder(beside(-7.0), beside(11.0), 1.5)


def bridged(noise: float = 0.0) -> Volume:
    """Two balls of 800 HU, joined by a rod of 3 mm, in 0 HU."""
    field = (LARGE | SMALL | BRIDGE).field(centres(PLACE)).reshape(PLACE.shape_kji)
    grey = np.where(field < 0, 800.0, 0.0) + noise * np.random.default_rng(8).standard_normal(field.shape)
    return Volume(PLACE, grey.round().astype(np.int16))


def seed_at(volume: Volume, *kji: float) -> Vec3:
    x, y, z = volume.grid.to_lps(kji)
    return (float(x), float(y), float(z))


def test_grow_keeps_what_the_seed_reaches_within_the_range() -> None:
    grey = np.where(two_boxes(), 400, 20)
    grey[1, 1, 1] = 3000
    scan = volume_of(grey)
    grown = grow(scan, seed_at(scan, 2, 2, 2), 300, 2000)
    assert np.count_nonzero(grown.voxels) == 23
    assert grown.level == 300.0


def test_grow_says_what_it_found_at_a_seed_out_of_range() -> None:
    scan = volume_of(np.where(two_boxes(), 400, 20))
    with pytest.raises(StepFailed, match=r"lies on 20 HU, outside the range 300 to 2000"):
        grow(scan, seed_at(scan, 0, 0, 0), 300, 2000)
    with pytest.raises(StepFailed, match="outside the scan"):
        grow(scan, seed_at(scan, 0, 0, 99), 300, 2000)


def test_nothing_is_chosen_beyond_the_reach() -> None:
    scan = volume_of(np.full((9, 9, 9), 500))
    grown = grow(scan, seed_at(scan, 4, 4, 4), 300, 900, reach_mm=1.9)  # 2, 3 and 3 voxels of 1.5, 0.9, 0.7
    assert np.array_equal(np.argwhere(grown.voxels).min(axis=0), (2, 1, 1))
    assert np.array_equal(np.argwhere(grown.voxels).max(axis=0), (6, 7, 7))


def test_connected_takes_the_bridge_and_neighbourhood_does_not() -> None:
    scan = bridged()
    both = grow(scan, LARGE.centre, 400, 2000)
    assert both.voxels[PLACE.nearest(SMALL.centre)]
    alone = grow_smooth(scan, LARGE.centre, 400, 2000, 2.0)
    assert not alone.voxels[PLACE.nearest(SMALL.centre)]
    ball = LARGE.field(centres(PLACE)).reshape(PLACE.shape_kji) < 0
    assert np.count_nonzero(alone.voxels & ball) > 0.98 * np.count_nonzero(ball)  # single voxels stick out
    assert np.count_nonzero(alone.voxels & ~ball) < 0.01 * np.count_nonzero(ball)
    assert not (alone.voxels & ~both.voxels).any()
    assert np.array_equal(grow_smooth(scan, LARGE.centre, 400, 2000, 0.1).voxels, both.voxels)


def test_a_ball_that_does_not_fit_round_the_seed_is_refused() -> None:
    with pytest.raises(StepFailed, match=r"Within 2 mm of the seed .* outside the range 400 to 2000"):
        grow_smooth(bridged(), beside(4.0), 400, 2000, 2.0)


def test_confidence_learns_the_range_from_the_noise_of_the_body() -> None:
    """800 +- 40 HU: with 4 standard deviations all but one voxel in 16,000 of the body, nothing round it."""
    scan = bridged(noise=40.0)
    body = (LARGE | SMALL | BRIDGE).field(centres(PLACE)).reshape(PLACE.shape_kji) < 0
    grown = grow_alike(scan, LARGE.centre, 4.0, 2.0, 4)
    assert not (grown.voxels & ~body).any()
    assert np.count_nonzero(grown.voxels) > 0.999 * np.count_nonzero(body)
    assert grown.level == pytest.approx(800 - 4 * 40, abs=4)


def test_confidence_without_rounds_takes_the_range_of_the_block() -> None:
    grey = np.full((5, 5, 40), 100)
    grey[..., 0] = 90
    grey[..., 3:] = 108
    scan = volume_of(grey)  # block of columns 0 to 2: 96.7 +- 4.7, so 87 to 106
    seed = seed_at(scan, 2, 2, 1)
    first = grow_alike(scan, seed, 2.0, 0.5, 0)
    assert np.array_equal(first.voxels, grey < 108)
    with pytest.raises(
        StepFailed, match=r"learnt round the seed, 94 to 96, does not hold the seed itself, 90"
    ):
        grow_alike(scan, seed_at(scan, 2, 2, 0), 0.1, 0.5, 0)


def test_a_range_that_runs_away_from_its_seed_is_refused() -> None:
    """A small mottled body of 500 HU beside a large even one of 452."""
    grey = np.full((9, 11, 40), 452)
    grey[..., :4] = 0
    grey[3:6, 4:7, :4] = np.where(np.indices((3, 3, 4)).sum(axis=0) % 2, 540, 460)
    grey[4, 5, 1] = 500
    scan = volume_of(grey)
    with pytest.raises(StepFailed, match=r"learnt in round \d, 4\d\d to 4\d\d, does not hold the seed"):
        grow_alike(scan, seed_at(scan, 4, 5, 1), 2.5, 0.5, 9)


def test_inputs_stay_and_a_stop_is_heard() -> None:
    scan = bridged()
    before = digest(scan)
    grow_smooth(scan, LARGE.centre, 400, 2000, 2.0)
    assert digest(scan) == before
    for work in (
        lambda: grow(scan, LARGE.centre, 400, 2000, None, stop),
        lambda: grow_smooth(scan, LARGE.centre, 400, 2000, 2.0, None, stop),
        lambda: grow_alike(scan, LARGE.centre, 3.0, 2.0, 4, None, stop),
    ):
        with pytest.raises(Cancelled):
            work()
