import numpy as np
import pytest

from surgiplan.errors import NeedsHand, Usage
from surgiplan.ops import OPERATIONS
from surgiplan.ops.keep_part import KeepPart
from surgiplan.ops.smooth_masks import SmoothMasks
from surgiplan.ops.source import Source
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan, Step, from_json, to_json
from surgiplan.plan.work import Work
from surgiplan.values import Mask
from tests.ops.shapes import CENTRE, ball_mask, grid


def test_results_have_the_names_of_their_masks() -> None:
    operation = SmoothMasks(masks=(Ref("bones", "femur"), Ref("liver")))
    assert dict(operation.outputs()) == {"femur": Mask, "liver": Mask}
    plan = Plan().add("a", Source(digest="d", kind="mask")).add("b", Source(digest="e", kind="mask"))
    plan = plan.add("both", SmoothMasks(masks=(Ref("a"), Ref("b")))).add(
        "one", KeepPart(mask=Ref("both", "b"))
    )
    assert from_json(OPERATIONS, to_json(plan["both"].operation)) == plan["both"].operation
    with pytest.raises(Usage, match="two masks would give results of one name: femur, femur"):
        SmoothMasks(masks=(Ref("left", "femur"), Ref("right", "femur")))
    with pytest.raises(NeedsHand, match="x: choose two masks"):
        SmoothMasks(masks=(Ref("a"),)).require_placed("x")


def test_halves_of_a_ball_fill_it_together() -> None:
    ball = ball_mask()
    left = grid().to_lps(np.indices(grid().shape_kji).reshape(3, -1).T)[:, 0].reshape(ball.voxels.shape)
    halves = tuple(
        Mask(ball.grid, ball.voxels & side, ball.level) for side in (left < CENTRE[0], left >= CENTRE[0])
    )
    operation = SmoothMasks(masks=(Ref("a"), Ref("b")), radius=1.0)
    value = run_step(Step("both", operation), {"masks": halves}, Work())
    assert not (value["a"].voxels & value["b"].voxels).any()
    for name, given in zip("ab", halves, strict=True):
        assert value[name].volume_mm3 == pytest.approx(given.volume_mm3, rel=2e-3)
