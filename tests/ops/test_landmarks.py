from dataclasses import replace

import numpy as np
import pytest

from surgiplan.cli.words import made, split_fields
from surgiplan.errors import NeedsHand, StepFailed, Usage
from surgiplan.ops.landmarks import NameLandmarks
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Deviation, Landmarks, Places
from tests.ops.shapes import CENTRE, FRAME, ball, ball_scan, beside, box

HEAD = {"head_centre": (1, 2, 3)}


def named(points: dict[str, tuple[float, float, float]], **fields: object) -> Landmarks:
    return NameLandmarks(points=Places(points), **fields).run(Work(), None)  # type: ignore[arg-type]


def test_landmarks_carry_their_template_side_space_and_error() -> None:
    step = NameLandmarks(side="left", points=Places(HEAD), on=Ref("b"), landmark_sd=0.5)
    for on in (box(), ball_scan()):
        found = step.run(Work(), on)
        assert replace(found, errors_mm=()) == Landmarks(Places(HEAD), "femur", "left", FRAME)


def test_without_any_point_the_first_landmark_is_asked_for() -> None:
    step = Step("marks", NameLandmarks(side="left"))
    with pytest.raises(NeedsHand, match=r"marks: points is not placed yet: click head_centre, the centre of"):
        run_step(step, {}, Work())


def test_a_name_the_template_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(StepFailed, match=r"femur has no landmark sella; it has: head_centre, neck_centre"):
        named({"sella": (0, 0, 0)}, side="left")


def test_a_bone_of_one_side_needs_that_side() -> None:
    with pytest.raises(StepFailed, match="femur belongs to one side of the body: choose left or right"):
        named(HEAD)


@pytest.mark.parametrize(("side", "sign"), [("left", 1), ("right", -1)])
def test_a_landmark_on_the_wrong_side_is_refused_by_how_much(side: str, sign: int) -> None:
    ends = {"medial_epicondyle": (0.0, 0.0, 0.0), "lateral_epicondyle": (sign * 80.0, 0.0, 0.0)}
    assert named(ends, side=side).side == side
    swapped = dict(zip(ends, reversed(ends.values()), strict=True))
    with pytest.raises(StepFailed, match=rf"80\.0 mm .*on the {side} side lateral_epicondyle lies farther"):
        named(swapped, side=side)


def test_left_is_left_in_the_patient() -> None:
    ends = {"left_asis": (120.0, 0.0, 0.0), "right_asis": (-115.0, 1.0, 2.0)}
    assert named(ends, template="pelvis").places["left_asis"][0] == 120
    with pytest.raises(StepFailed, match=r"left_asis lies 235\.0 mm to the right of right_asis"):
        named(dict(zip(ends, reversed(ends.values()), strict=True)), template="pelvis")


def test_landmarks_are_written_by_name_on_the_command_line() -> None:
    words = "--template femur --side left --points head_centre=1,2,3 knee_centre=-4,5,6.5 --landmark-sd 0.8"
    step = made(NameLandmarks, split_fields(words.split()))
    places = Places({"head_centre": (1, 2, 3), "knee_centre": (-4, 5, 6.5)})
    assert step == NameLandmarks(side="left", points=places, landmark_sd=0.8)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,2,3", "has no name"),
        ("a=1,2", "2 numbers, 3 would be right"),
        ("a=1,2,3 a=1,2,3", "given twice"),
        ("a=1,x,3", "'x' is no number"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, why: str) -> None:
    with pytest.raises(Usage, match=f"{why}.*name=x,y,z"):
        made(NameLandmarks, {"points": text})


def test_the_size_of_the_voxels_and_the_surface_add_to_the_error_of_a_hand() -> None:
    step = NameLandmarks(side="left", points=Places(HEAD), on=Ref("b"), landmark_sd=0.5)
    off = Deviation(0.3, 0.4, 0.5, 1.0, 0.1, 0.2, 0.3, 0.1)
    scan, bone = ball_scan(), replace(ball(), deviation=off)
    largest = max(scan.grid.spacing_kji)
    assert step.run(Work(), scan).error_of("head_centre") == pytest.approx(np.hypot(0.5, largest / 12**0.5))
    assert step.run(Work(), bone).error_of("head_centre") == pytest.approx(np.hypot(0.5, 0.3))
    assert step.run(Work(), None).error_of("head_centre") == 0.5


def test_a_snapped_head_lies_in_the_middle_of_its_ball() -> None:
    """The ball of the scan has a radius of 9 mm; the click is on its surface."""
    click = beside(CENTRE, 6, 5, 4)
    step = NameLandmarks(
        side="left", points=Places({"head_centre": click}), on=Ref("b"), snapped="head_centre"
    )
    found = step.run(Work(), ball())
    assert found.places["head_centre"] == pytest.approx(CENTRE, abs=0.1)
    error = found.error_of("head_centre")
    assert error is not None
    assert error < 0.2
    assert replace(step, snapped="all").run(Work(), ball()) == found
    assert replace(step, snapped="").run(Work(), ball()).places["head_centre"] == click


def test_snapping_needs_a_body_and_names_the_landmark_it_fails_for() -> None:
    step = NameLandmarks(side="left", points=Places(HEAD), on=Ref("b"), snapped="all")
    with pytest.raises(StepFailed, match="Snapping needs a surface: choose a body"):
        step.run(Work(), ball_scan())
    with pytest.raises(StepFailed, match=r"head_centre: No (ball|sphere) is found"):
        step.run(Work(), box())
    with pytest.raises(StepFailed, match="has no landmark neck"):
        replace(step, snapped="neck").run(Work(), ball())


def test_one_landmark_more_or_less_is_snapped() -> None:
    points = Places({"head_centre": CENTRE, "knee_centre": CENTRE})
    every = NameLandmarks(side="left", points=points, snapped="all")
    assert every.with_snap("head_centre", False) == "knee_centre"
    one = replace(every, snapped="head_centre")
    assert one.with_snap("knee_centre", True) == "head_centre,knee_centre"
    assert one.snaps("head_centre")
    assert not one.snaps("knee_centre")
