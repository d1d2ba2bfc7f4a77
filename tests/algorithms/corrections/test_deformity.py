"""One inclined cut undoes a deformity in six numbers; checked by composing the motions."""

import math

import numpy as np
import pytest

from surgiplan.algorithms.corrections.deformity import Deformity, Frame, pose_of, single_cut
from surgiplan.errors import StepFailed
from surgiplan.values import Pose

LEVEL = np.array([40.0, -12.0, 210.0])


def frame(side: str = "R", pose: Pose | None = None) -> Frame:
    outwards = -1.0 if side == "R" else 1.0
    points = [(0, 0, 300), (0, 0, 100), (-35 * outwards, 0, 300), (35 * outwards, 0, 300)]
    turned = (pose or Pose()).apply(np.array(points, float))
    return Frame.of(*turned, side)


def seen_degrees(pose: Pose, one: Frame) -> tuple[float, float]:
    """Lean of the lower fragment's axis in the two views."""
    down = pose.rotation @ -one.upwards
    height = -down @ one.upwards
    return (
        math.degrees(math.atan2(down @ one.lateral, height)),
        math.degrees(math.atan2(-down @ one.anterior, height)),
    )


@pytest.mark.parametrize("side", ["R", "L"])
@pytest.mark.parametrize(("valgus", "procurvatum"), [(-12, 0), (0, 9), (14, -7), (-6, -18)])
def test_the_two_views_show_the_angles_that_were_typed(side: str, valgus: float, procurvatum: float) -> None:
    one = frame(side, Pose.of_rotation((1, 0.2, 0.1), 8))
    pose = pose_of(Deformity(valgus, procurvatum, outwards_degrees=11.0), one, LEVEL)
    assert seen_degrees(pose, one) == pytest.approx((valgus, procurvatum), abs=1e-9)


@pytest.mark.parametrize("side", ["R", "L"])
def test_a_turn_outwards_takes_the_toes_to_lateral(side: str) -> None:
    one = frame(side)
    pose = pose_of(Deformity(outwards_degrees=20.0), one, LEVEL)
    assert (pose.rotation @ one.anterior) @ one.lateral == pytest.approx(math.sin(math.radians(20)))


def trials() -> list[Deformity]:
    numbers = np.random.default_rng(5).uniform((-20, -20, -35, -8, -8, -10), (20, 20, 35, 8, 8, 10), (200, 6))
    return [Deformity(*row) for row in numbers.tolist()]


def test_the_correction_undoes_the_deformity() -> None:
    for n, one in enumerate(trials()):
        view = frame("RL"[n % 2])
        found = single_cut(one, view, LEVEL)
        whole = found.pose.after(pose_of(one, view, LEVEL))
        assert np.abs(whole.array - np.eye(4)).max() < 1e-9
        # the turn in the cut, then the shift that is left over, are the whole
        again = Pose.of_shift(found.left_over_mm).after(found.turn)
        assert np.abs(again.array - found.pose.array).max() < 1e-9


def test_in_the_cut_there_is_nothing_but_a_turn() -> None:
    for one in trials():
        view = frame()
        found = single_cut(one, view, LEVEL)
        normal = np.asarray(found.cut.normal)
        assert np.allclose(found.turn.apply(found.pivot), found.pivot, atol=1e-6)
        assert np.allclose(found.turn.rotation @ normal, normal, atol=1e-9)
        assert float(found.cut.distance(found.pivot)) == pytest.approx(0, abs=1e-6)
        face = np.cross(normal, (0.3, 0.5, 0.2)) * 9 + LEVEL  # a place of the sawn face stays in the face
        assert float(found.cut.distance(found.turn.apply(face))) == pytest.approx(0, abs=1e-9)
        assert np.allclose(np.cross(found.left_over_mm, normal), 0, atol=1e-9)
        assert found.lengthening_mm == pytest.approx(-float(np.dot(found.left_over_mm, normal)))


def test_angle_and_tilt_of_the_cut_follow_the_closed_form() -> None:
    """Lean a, turn t: cos(w/2) = cos(a/2) cos(t/2), and the axis leans by atan(tan(a/2) / sin(t/2))."""
    a, t = 15.0, 30.0
    found = single_cut(Deformity(valgus_degrees=a, outwards_degrees=t), frame(), LEVEL)
    half_a, half_t = math.radians(a) / 2, math.radians(t) / 2
    assert found.degrees == pytest.approx(math.degrees(2 * math.acos(math.cos(half_a) * math.cos(half_t))))
    lean = math.atan2(math.tan(half_a), math.sin(half_t))
    assert found.steepness_degrees == pytest.approx(math.degrees(lean))


def test_a_turn_alone_is_cut_straight_across_and_a_lean_alone_along_the_bone() -> None:
    assert single_cut(Deformity(outwards_degrees=25), frame(), LEVEL).steepness_degrees == pytest.approx(
        0, abs=1e-6
    )
    assert single_cut(Deformity(valgus_degrees=25), frame(), LEVEL).steepness_degrees == pytest.approx(
        90, abs=1e-6
    )


def test_it_refuses_what_it_cannot_do() -> None:
    with pytest.raises(StepFailed, match="no angle to correct"):
        single_cut(Deformity(lateral_mm=4), frame(), LEVEL)
    with pytest.raises(StepFailed, match="80 degrees or more"):
        single_cut(Deformity(valgus_degrees=85), frame(), LEVEL)
