import numpy as np
import pytest

from surgiplan.errors import NeedsHand
from surgiplan.ops.crop import Crop
from surgiplan.ops.threshold import Threshold
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from tests.ops.shapes import CENTRE, ball_mask, ball_scan, beside


def test_a_cropped_scan_gives_the_same_mask_inside() -> None:
    scan = ball_scan()
    corners = (beside(CENTRE, -9, 8, -7), beside(CENTRE, 6, -10, 11))
    box = Crop(volume=Ref("ct"), points=corners, margin=0).run(Work(), scan, None)
    small = Threshold(volume=Ref("box"), low=500).run(Work(), box)
    large = Threshold(volume=Ref("ct"), low=500).run(Work(), scan)
    k, j, i = np.rint(scan.grid.to_kji(box.grid.to_lps((0, 0, 0)))).astype(int)
    depth, height, width = box.grid.shape_kji
    assert np.array_equal(small.voxels, large.voxels[k : k + depth, j : j + height, i : i + width])


def test_round_a_mask_there_is_room() -> None:
    box = Crop(volume=Ref("ct"), around=Ref("m"), margin=2).run(Work(), ball_scan(), ball_mask())
    assert np.multiply(box.grid.shape_kji, box.grid.spacing_kji) == pytest.approx((28, 28, 28), abs=2.2)


def test_a_box_nobody_has_placed_needs_a_hand() -> None:
    step = Step("box", Crop(volume=Ref("ct"), points=(CENTRE,)))
    with pytest.raises(NeedsHand, match="box: the box is not placed yet: click two opposite corners"):
        run_step(step, {"volume": ball_scan(), "around": None}, Work())
