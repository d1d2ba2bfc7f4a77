import numpy as np
import pytest

from surgiplan.errors import NeedsHand, StepFailed
from surgiplan.ops.grow import Grow
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Vec3, Volume
from tests.ops.shapes import CENTRE, ball_scan, beside, grid, scan_of

REF = Ref[Volume]("ct")
ONE, OTHER = beside(CENTRE, -7, 0, 0), beside(CENTRE, 9, 0, 0)


def grown(seed: Vec3, volume: Volume, low: float = 500, high: float = 3071) -> object:
    return run_step(Step("bone", Grow(volume=REF, seed=seed, low=low, high=high)), {"volume": volume}, Work())


def test_it_keeps_the_ball_under_the_seed_and_not_the_one_beside() -> None:
    both = scan_of((ONE, 6.0), (OTHER, 4.0))
    for seed, radius in ((ONE, 6.0), (OTHER, 4.0)):
        mask = Grow(volume=REF, seed=seed, low=500).run(Work(), both)
        assert mask.volume_mm3 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.05)
        assert mask.level == 500
    whole = Grow(volume=REF, seed=ONE, low=-50).run(Work(), both)
    assert whole.voxels.all()


def test_voxels_that_touch_at_a_corner_do_not_hang_together() -> None:
    voxels = np.zeros(grid().shape_kji, np.int16)
    voxels[5, 5, 5:8] = 700
    voxels[6, 6, 8] = 700
    mask = Grow(volume=REF, seed=tuple(grid().to_lps((5, 5, 6))), low=500).run(Work(), Volume(grid(), voxels))
    assert np.array_equal(np.argwhere(mask.voxels), [[5, 5, 5], [5, 5, 6], [5, 5, 7]])


def test_a_seed_in_air_says_what_lies_there_and_what_to_do() -> None:
    with pytest.raises(
        StepFailed, match=r"^bone: The seed at .* lies on 0 HU, outside the range 500 to 3071"
    ):
        grown(beside(CENTRE, 14, 0, 0), ball_scan())


def test_a_seed_outside_the_scan_says_how_far() -> None:
    with pytest.raises(StepFailed, match=r"10\.0 mm outside the scan. Place it inside the body"):
        grown((-71.0, 39.0, 157.0), ball_scan())


def test_a_seed_nobody_has_placed_needs_a_hand() -> None:
    with pytest.raises(NeedsHand, match="bone: seed is not placed yet: click a point inside the object"):
        run_step(Step("bone", Grow(volume=REF)), {"volume": ball_scan()}, Work())


def test_values_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(StepFailed):
        grown(CENTRE, ball_scan(), low=900, high=500)


def test_a_ball_that_touches_another_stays_alone_behind_a_narrow_opening() -> None:
    """Balls of 6 and 4 mm that overlap by half a millimetre: a neck of about 3 mm."""
    both = scan_of((ONE, 6.0), (beside(ONE, 9.5, 0, 0), 4.0))
    whole = Grow(volume=REF, seed=ONE, low=500).run(Work(), both)
    alone = Grow(volume=REF, seed=ONE, low=500, kind="neighbourhood", radius=2.5).run(Work(), both)
    assert whole.voxels[whole.grid.nearest(beside(ONE, 9.5, 0, 0))]
    assert not alone.voxels[alone.grid.nearest(beside(ONE, 9.5, 0, 0))]
    assert alone.volume_mm3 == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.08)


def test_likeness_needs_no_range() -> None:
    noisy = ball_scan().voxels + np.random.default_rng(1).normal(0, 20, grid().shape_kji)
    scan = Volume(grid(), noisy.round().astype(np.int16))
    mask = Grow(volume=REF, seed=CENTRE, kind="confidence", low=-1, high=0, spread=5).run(Work(), scan)
    assert mask.volume_mm3 == pytest.approx(4 / 3 * np.pi * 11.5**3, rel=0.05), "without the soft edge"


def test_the_reach_ends_it() -> None:
    mask = Grow(volume=REF, seed=CENTRE, low=500, reach=4.0).run(Work(), ball_scan())
    sides = np.ptp(np.argwhere(mask.voxels), axis=0) + 1
    assert sides.tolist() == [9, 11, 11]  # 4 mm in steps of 1.1, 0.9 and 0.8 mm, rounded up, to both sides
