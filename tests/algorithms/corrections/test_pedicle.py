"""Screws through pedicles that are plain rods: breach and grade are closed forms."""

import numpy as np
import pytest

from surgiplan.algorithms.corrections import pedicle
from surgiplan.algorithms.corrections.pedicle import Screw, grade_of, grey_along, laid
from surgiplan.errors import StepFailed
from surgiplan.phantoms import Vertebra
from surgiplan.values import Part

BONE = Vertebra()


@pytest.fixture(scope="module")
def vertebra() -> Part:
    return BONE.mesh(0.6)


def plan_screw(
    bone: Part, entry, isthmus, diameter: float, length: float, target=None, pedicle_mm=10.0, **more
) -> Screw:
    """A screw laid through its landmarks, and graded."""
    places = [entry, isthmus] if target is None else [entry, isthmus, target]
    return pedicle.plan_screw(bone, laid(bone, places, length, pedicle_mm), diameter, length, **more)


def placed(bone: Part, side: str, off: tuple[float, float], diameter: float = 5.5, **more) -> Screw:
    """A screw parallel to the axis of a pedicle; its landmark is 2 mm off in each direction."""
    entry, target = BONE.way(side, off)
    isthmus = BONE.axis(side)[0] + (2.0, -2.0, 2.0)
    more = {"target": target, "midline": BONE.canal_centre} | more
    return plan_screw(bone, entry, isthmus, diameter, 45.0, **more)


@pytest.mark.parametrize(
    ("breach", "grade"),
    [
        (0.0, "A"),
        (1e-4, "A"),
        (0.02, "B"),
        (1.99, "B"),
        (2.0, "C"),
        (3.98, "C"),
        (4.0, "D"),
        (5.98, "D"),
        (6.0, "E"),
    ],
)
def test_the_limits_belong_to_the_worse_grade(breach: float, grade: str) -> None:
    assert grade_of(breach) == grade


@pytest.mark.parametrize("side", ["R", "L"])
@pytest.mark.parametrize(
    ("limit", "below", "beyond"), [(0, "A", "B"), (2, "B", "C"), (4, "C", "D"), (6, "D", "E")]
)
def test_grades_are_right_beyond_two_hundredths_of_a_limit(
    vertebra: Part, side: str, limit: float, below: str, beyond: str
) -> None:
    room = BONE.radius_mm(side) - 2.75
    for more, grade in ((-0.02, below), (0.02, beyond)):
        found = placed(vertebra, side, (0.0, room + limit + more))
        assert found.breach_mm == pytest.approx(BONE.breach_mm(side, room + limit + more, 2.75), abs=0.02)
        assert found.grade == grade, found.breach_mm


@pytest.mark.parametrize(
    ("off", "way"),
    [((4.5, 0.0), "medial"), ((-4.5, 0.0), "lateral"), ((0.0, 4.5), "cranial"), ((0.0, -4.5), "caudal")],
)
@pytest.mark.parametrize("side", ["R", "L"])
def test_it_says_to_which_side_the_screw_leaves_the_bone(vertebra: Part, side: str, off, way: str) -> None:
    assert placed(vertebra, side, off).way == way


def test_the_narrowest_place_is_found(vertebra: Part) -> None:
    for side in "RL":
        found = placed(vertebra, side, (1.5, 0.8)).pedicle
        middle, along = BONE.axis(side)
        away = np.asarray(found.centre) - middle
        assert found.width_mm == pytest.approx(2 * BONE.radius_mm(side), abs=0.05)
        assert np.linalg.norm(away - (away @ along) * along) < 0.05


def test_pointing_through_the_middle_brings_the_screw_into_it(vertebra: Part) -> None:
    off = placed(vertebra, "R", (2.6, 0.0))
    better = placed(vertebra, "R", (2.6, 0.0), target=None)
    assert off.grade == "B"
    middle, _ = BONE.axis("R")
    axis = better.pose.rotation[:, 2]
    away = middle - better.pose.shift
    assert better.grade == "A"
    assert np.linalg.norm(away - (away @ axis) * axis) < 0.2


def test_the_head_and_the_hole_of_entry_are_no_breach(vertebra: Part) -> None:
    """The screw begins 8 mm behind the joint, outside of the bone, and is graded A all the same."""
    entry, _ = BONE.way("R")
    assert BONE.surface_distance([entry])[0] > -9
    assert placed(vertebra, "R", (0.0, 0.0)).grade == "A"


def test_a_screw_that_is_too_long_leaves_the_body_in_front(vertebra: Part) -> None:
    entry, isthmus = BONE.way("R")[0], BONE.axis("R")[0]
    short = plan_screw(vertebra, entry, isthmus, 5.5, 45.0)
    assert short.anterior_mm == 0
    long = plan_screw(vertebra, entry, isthmus, 5.5, short.bone_mm + 6.0)
    assert long.anterior_mm == pytest.approx(6.0, abs=1.5)
    assert long.grade == short.grade == "A"


def test_the_thickest_screw_takes_four_fifths_of_the_width(vertebra: Part) -> None:
    assert placed(vertebra, "R", (0.0, 0.0)).widest_mm == pytest.approx(8.0, abs=0.05)


def test_the_grey_values_along_it_are_those_of_the_bone() -> None:
    volume = BONE.volume((1.6, 1.0, 1.2))
    entry, isthmus = BONE.way("R")[0], BONE.axis("R")[0]
    found = plan_screw(BONE.mesh(1.2), entry, isthmus, 5.5, 45.0)
    mean, least, most = grey_along(volume, found.pose, 5.5, 45.0)
    assert BONE.background_hu < least < mean < most < BONE.cortex_hu
    assert mean == pytest.approx(BONE.spongy_hu, abs=60)
    with pytest.raises(StepFailed, match="leaves the scan"):
        grey_along(volume, found.pose, 5.5, 200.0)


def test_it_refuses_a_way_past_the_bone(vertebra: Part) -> None:
    with pytest.raises(StepFailed, match="does not lie in a pedicle"):
        plan_screw(vertebra, (200.0, 0.0, 0.0), (240.0, 0.0, 0.0), 5.5, 45.0)
    with pytest.raises(StepFailed, match="ends before the pedicle"):
        plan_screw(vertebra, BONE.way("R")[0], BONE.axis("R")[0], 5.5, 8.0)
