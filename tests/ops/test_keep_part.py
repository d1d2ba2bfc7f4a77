import numpy as np
import pytest

from surgiplan.errors import NeedsHand, StepFailed
from surgiplan.ops import OPERATIONS
from surgiplan.ops.keep_part import KeepPart
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import from_json
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
    large, small = (
        KeepPart(mask=REF, kind="seeds", seeds=(seed,)).run(Work(), both) for seed in (LARGE, SMALL)
    )
    assert np.array_equal(large.voxels, KeepPart(mask=REF).run(Work(), both).voxels)
    assert np.array_equal(large.voxels | small.voxels, both.voxels)
    assert not (large.voxels & small.voxels).any()


def test_one_part_is_kept_as_it_is() -> None:
    one = KeepPart(mask=REF).run(Work(), two_balls())
    assert np.array_equal(KeepPart(mask=REF).run(Work(), one).voxels, one.voxels)


def test_the_two_largest_and_all_above_a_volume() -> None:
    """Balls of 6, 4 and 2 mm: 905, 268 and 34 mm³."""
    volume = scan_of((LARGE, 6.0), (SMALL, 4.0), (beside(CENTRE, 2, 8, -7), 2.0))
    three = Mask(volume.grid, volume.voxels >= 500, level=500.0)
    two = KeepPart(mask=REF, count=2).run(Work(), three)
    assert np.array_equal(two.voxels, two_balls().voxels)
    assert np.array_equal(KeepPart(mask=REF, count=9).run(Work(), three).voxels, three.voxels)
    for smallest, left in ((100.0, two.voxels), (20.0, three.voxels)):
        kept = KeepPart(mask=REF, kind="above", smallest=smallest).run(Work(), three)
        assert np.array_equal(kept.voxels, left)
    with pytest.raises(
        StepFailed, match=r"Every part is smaller than 2000 mm³.*the largest has (8|9)\d\d\.\d mm³"
    ):
        KeepPart(mask=REF, kind="above", smallest=2000).run(Work(), three)


def test_parts_at_seeds_wait_for_a_hand() -> None:
    with pytest.raises(NeedsHand, match="part: seeds is not placed yet"):
        KeepPart(mask=REF, kind="seeds").require_placed("part")


def test_an_older_plan_keeps_its_part() -> None:
    seeded = {"operation": "keep_part", "version": 1, "with": {"mask": "m", "seed": [1.0, 2.0, 3.0]}}
    assert from_json(OPERATIONS, seeded) == KeepPart(mask=REF, kind="seeds", seeds=((1.0, 2.0, 3.0),))
    largest = {"operation": "keep_part", "version": 1, "with": {"mask": "m", "seed": None}}
    assert from_json(OPERATIONS, largest) == KeepPart(mask=REF)


def test_an_empty_mask_has_no_part() -> None:
    for kind in ("largest", "above", "seeds"):
        with pytest.raises(StepFailed, match=r"No voxel is chosen.*Widen the range of the threshold"):
            KeepPart(mask=REF, kind=kind, seeds=(CENTRE,)).run(Work(), no_mask())


def test_a_seed_beside_the_parts_says_how_far_it_is() -> None:
    """Middle of the gap of 6 mm between the balls: 3 mm, to a voxel."""
    with pytest.raises(
        StepFailed, match=r"lies beside the chosen voxels, (2\.[5-9]|3\.[0-7]) mm from the nearest"
    ):
        KeepPart(mask=REF, kind="seeds", seeds=(beside(CENTRE, 2, 0, 0),)).run(Work(), two_balls())


def test_a_seed_outside_the_scan_is_refused() -> None:
    with pytest.raises(StepFailed, match="mm outside the scan"):
        KeepPart(mask=REF, kind="seeds", seeds=((0.0, 0.0, 0.0),)).run(Work(), two_balls())
