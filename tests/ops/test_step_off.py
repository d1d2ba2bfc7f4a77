import pytest

from surgiplan.ops.cut import Cut
from surgiplan.ops.step_off import StepOff
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Part, Plane, Pose
from tests.ops.shapes import CENTRE, FRAME, box

REFS = {"a": Ref[Part]("shaft"), "b": Ref[Part]("reduced")}


def test_a_fragment_that_was_set_with_a_step_of_two_and_a_gap_of_one_millimetre() -> None:
    pose = Pose.of_shift(CENTRE)
    block = box((60, 20, 12), pose)
    sides = Cut(part=Ref("b"), plane=Plane(CENTRE, (1, 0, 0)), kerf=0.0).run(Work(), block)
    set_ = sides["b"].moved(Pose.of_shift((-1.0, 0.0, 2.0)))
    found = StepOff(**REFS).run(Work(), sides["a"], set_)
    assert found["largest_gap"].value == pytest.approx(1.0, abs=0.01)
    assert found["largest_step"].value == pytest.approx(2.0, abs=0.01)
    assert found["largest_step"].id == "fracture.step.largest"
    assert found["largest_step"].frame_uid == FRAME
    assert "at right angles to the surface" in found["largest_step"].definition
    assert 0 < found["mean_step"].value < found["largest_step"].value
