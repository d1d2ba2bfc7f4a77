import numpy as np
import pytest

from surgiplan.errors import Mismatch, StepFailed
from surgiplan.ops.range_of_motion import FindRangeOfMotion
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.scene.marks import motion_text
from surgiplan.values import Part, Plane, Pose, RangeOfMotion, vec3
from tests.algorithms.fields.joints import ball_and_neck, cup, first_touch_deg
from tests.ops.shapes import ELSEWHERE, TILTED

REFS = {"moving": Ref[Part]("stem"), "fixed": Ref[Part]("cup")}
STEM, CUP = Part(ball_and_neck(), TILTED), Part(cup(), TILTED)
JOINT = Plane(vec3(TILTED.shift), vec3(TILTED.rotation[:, 2]))


def found(limit: float, moving: Part = STEM, directions: int = 6) -> RangeOfMotion:
    operation = FindRangeOfMotion(**REFS, joint=JOINT, directions=directions, limit=limit)
    return operation.run(Work(), moving, CUP)


def test_a_neck_meets_the_rim_at_its_closed_form() -> None:
    """P18: acos(n / R), towards all sides."""
    one = found(110)
    assert np.abs(one.angle_deg - first_touch_deg()).max() <= 0.1
    assert one.touching == 6
    away = TILTED.inverse.apply(one.touch_lps) - [0, 0, 0]
    assert np.allclose(np.linalg.norm(away[:, :2], axis=1), 14, atol=0.05)
    assert np.abs(away[:, 2]).max() < 0.05
    towards = TILTED.rotation.T @ one.towards.T
    side = np.einsum("in,ni->n", towards[:2], away[:, :2]) / 14
    assert side.min() > 0.99


def test_a_stem_that_starts_askew_has_less_room_on_one_side() -> None:
    turned = STEM.moved(Pose.of_rotation(vec3(TILTED.rotation[:, 0]), 10.0, about=JOINT.point))
    angles = found(110, turned, 72).angle_deg
    assert angles.min() == pytest.approx(first_touch_deg() - 10, abs=0.1)
    assert angles.max() == pytest.approx(first_touch_deg() + 10, abs=0.15)


def test_nothing_touches_within_a_small_limit() -> None:
    one = found(50)
    assert (one.angle_deg == 50).all()
    assert one.touching == 0
    step = Step("rom", FindRangeOfMotion(**REFS))
    assert "free up to 50°" in motion_text(step, one)
    assert "touches first at 64.6°, 6 of 6 sides" in motion_text(step, found(110))


def test_bodies_that_overlap_at_the_start_are_refused() -> None:
    with pytest.raises(StepFailed, match=r"overlap by .* mm before anything turns"):
        found(110, STEM.moved(Pose.of_shift((4.0, 0, 0))))


def test_two_patient_spaces_are_not_mixed() -> None:
    with pytest.raises(Mismatch, match="different patient spaces"):
        FindRangeOfMotion(**REFS, joint=JOINT).run(
            Work(), Part(STEM.mesh, frame_uid=ELSEWHERE), Part(CUP.mesh, frame_uid="1.2.3")
        )
