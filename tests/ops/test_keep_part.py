import numpy as np
import pytest

from surgiplan.errors import StepFailed
from surgiplan.ops.keep_part import KeepPart
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Mask
from tests.ops.shapes import CENTRE, beside, no_mask, scan_of

REF = Ref[Mask]("m")
LARGE, SMALL = beside(CENTRE, -7, 0, 0), beside(CENTRE, 9, 0, 0)


def two_balls() -> Mask:
    volume = scan_of((LARGE, 6.0), (SMALL, 4.0))
    return Mask(volume.grid, volume.voxels >= 500, level=500.0)


def test_without_a_seed_it_keeps_the_largest() -> None:
    mask = KeepPart(mask=REF).run(Work(), two_balls())
    assert mask.voxels[mask.grid.nearest(LARGE)]
    assert not mask.voxels[mask.grid.nearest(SMALL)]
    assert mask.volume_mm3 == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.05)
    assert mask.level == 500


def test_with_a_seed_it_keeps_the_part_there() -> None:
    both = two_balls()
    large, small = (KeepPart(mask=REF, seed=seed).run(Work(), both) for seed in (LARGE, SMALL))
    assert np.array_equal(large.voxels, KeepPart(mask=REF).run(Work(), both).voxels)
    assert np.array_equal(large.voxels | small.voxels, both.voxels)
    assert not (large.voxels & small.voxels).any()


def test_one_part_is_kept_as_it_is() -> None:
    one = KeepPart(mask=REF).run(Work(), two_balls())
    assert np.array_equal(KeepPart(mask=REF).run(Work(), one).voxels, one.voxels)


def test_an_empty_mask_has_no_part() -> None:
    for seed in (None, CENTRE):
        with pytest.raises(StepFailed, match=r"No voxel is chosen.*Widen the range of the threshold"):
            KeepPart(mask=REF, seed=seed).run(Work(), no_mask())


def test_a_seed_beside_the_parts_says_how_far_it_is() -> None:
    """Middle of the gap of 6 mm between the balls: 3 mm, to a voxel."""
    with pytest.raises(
        StepFailed, match=r"lies beside the chosen voxels, (2\.[5-9]|3\.[0-7]) mm from the nearest"
    ):
        KeepPart(mask=REF, seed=beside(CENTRE, 2, 0, 0)).run(Work(), two_balls())


def test_a_seed_outside_the_scan_is_refused() -> None:
    with pytest.raises(StepFailed, match="mm outside the scan"):
        KeepPart(mask=REF, seed=(0.0, 0.0, 0.0)).run(Work(), two_balls())
