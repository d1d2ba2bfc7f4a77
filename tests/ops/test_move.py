import json

import numpy as np
import pytest
from hypothesis import given, settings

from surgiplan.errors import StepFailed
from surgiplan.ops.move import Move
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import to_json
from surgiplan.plan.work import Work
from surgiplan.values import Part, Plane, Pose, encode
from tests.ops.shapes import ELSEWHERE, FRAME, ball, box
from tests.values.samples import poses

REF = Ref[Part]("fragment")
TURN = Pose.of_rotation((0, 0, 1), 12.0, (5, 5, 5))


def test_moving_changes_sixteen_numbers_and_no_mesh() -> None:
    part = ball()
    moved = Move(part=REF, pose=TURN).run(Work(), part)
    assert moved.mesh is part.mesh
    assert moved.mesh.digest == part.mesh.digest
    assert moved.frame_uid == FRAME
    assert moved.pose != part.pose
    assert np.size(moved.pose.matrix) == 16


def test_a_move_is_small_in_the_plan() -> None:
    assert len(json.dumps(to_json(Move(part=REF, pose=TURN)))) < 500
    big, small = len(encode(ball(rings=60))), len(encode(ball(rings=10)))
    assert big > small


@settings(max_examples=30)
@given(poses())
def test_points_go_where_the_motion_takes_them(pose: Pose) -> None:
    block = box()
    moved = Move(part=REF, pose=pose).run(Work(), block)
    assert np.allclose(moved.points_lps, pose.apply(block.points_lps), atol=1e-7)
    back = Move(part=REF, pose=pose.inverse).run(Work(), moved)
    assert np.allclose(back.points_lps, block.points_lps, atol=1e-7)


def test_moves_follow_each_other_in_patient_space() -> None:
    """A shift to the left after a turn goes to the left, not along the turned body."""
    turned = Move(part=REF, pose=Pose.of_rotation((0, 0, 1), 90.0)).run(Work(), box())
    shifted = Move(part=REF, pose=Pose.of_shift((4, 0, 0))).run(Work(), turned)
    assert np.allclose(shifted.points_lps - turned.points_lps, (4, 0, 0))


def test_without_a_pose_nothing_moves() -> None:
    block = box()
    still = Move(part=REF).run(Work(), block)
    assert np.allclose(still.points_lps, block.points_lps, atol=1e-12)


def test_the_figures_of_a_shape_do_not_change() -> None:
    moved = Move(part=REF, pose=TURN).run(Work(), box())
    assert moved.mesh.volume_mm3 == pytest.approx(6000, rel=1e-9)
    assert moved.placed().volume_mm3 == pytest.approx(6000, rel=1e-5)


def test_a_move_takes_no_time() -> None:
    """It runs here: on the thread that draws."""
    assert Move.spec.runs == "here"
    plane = Plane((0, 0, 0), (1, 1, 0)).moved(TURN)
    assert np.dot(plane.normal, TURN.rotation @ (np.array([1, 1, 0]) / np.sqrt(2))) == pytest.approx(1)


def test_a_motion_that_another_step_has_found_comes_first() -> None:
    block, found = box(), Pose.of_rotation((0, 0, 1), 90.0)
    moved = Move(part=REF, pose=Pose.of_shift((4, 0, 0)), by=Ref("solution", "motion")).run(
        Work(), block, found
    )
    assert np.allclose(moved.points_lps - found.apply(block.points_lps), (4, 0, 0))


def test_only_a_found_motion_leads_into_another_patient_space() -> None:
    block, jaw = box(), ball(frame=ELSEWHERE)
    carried = Move(part=REF, by=Ref("solution", "motion"), into=Ref("jaw")).run(Work(), block, TURN, jaw)
    assert carried.frame_uid == ELSEWHERE
    with pytest.raises(StepFailed, match="leads into another patient space"):
        Move(part=REF, into=Ref("jaw")).run(Work(), block, into=jaw)
