"""Shifts and turns of planes, poses and places, against motions that were put in."""

import numpy as np
import pytest

from surgiplan.difference.change import axis_words, number_words, shift_words, towards
from surgiplan.difference.geometry import (
    axis_of,
    landmarks_change,
    place_change,
    places_change,
    plane_change,
    pose_change,
)
from surgiplan.values import IDENTITY, Plane, Pose, vec3

RNG = np.random.default_rng(5)


def turned(plane: Plane, axis: tuple[float, float, float], degrees: float) -> Plane:
    return plane.moved(Pose.of_rotation(axis, degrees, plane.point))


def test_a_plane_that_moved_and_tilted_says_both() -> None:
    plane = Plane((10, 20, 30), (0, 0, 1))
    moved = turned(plane, (1, 0, 0), 3.1).moved(Pose.of_shift((0, 0, 1.8)))
    change = plane_change("plane", plane, moved)
    assert change.text == "moved 1.8 mm / 3.1 degrees (towards superior, tilted about the left-right axis)"
    assert change.numbers["shift_mm"] == pytest.approx(1.8)
    assert change.numbers["degrees"] == pytest.approx(3.1)
    assert "towards inferior" in plane_change("plane", moved, plane).text


def test_a_plane_described_by_another_of_its_points_has_not_moved() -> None:
    plane = Plane((10, 20, 30), (1, 2, 3))
    along = np.cross(plane.normal, (0, 0, 1)) * 40
    other = Plane(vec3(np.add(plane.point, along)), plane.normal)
    change = plane_change("plane", plane, other)
    assert change.text == "is the same, held at another of its points"
    assert change.numbers["shift_mm"] == pytest.approx(0, abs=1e-9)


def test_the_shift_of_a_tilted_plane_does_not_depend_on_how_it_is_held() -> None:
    plane = Plane((0, 0, 0), (0, 0, 1))
    tilted = turned(Plane((0, 0, 2.5), (0, 0, 1)), (0, 1, 0), 20)
    along = np.cross(tilted.normal, (0, 1, 0)) * 70
    again = Plane(vec3(np.add(tilted.point, along)), tilted.normal)
    for one in (tilted, again):
        assert plane_change("plane", plane, one).numbers["shift_mm"] == pytest.approx(2.5)


def test_a_plane_whose_normal_points_back_has_its_sides_swapped() -> None:
    plane = Plane((0, 0, 5), (0, 0, 1))
    change = plane_change("plane", plane, Plane((0, 0, 6), (0, 0, -1)))
    assert change.numbers["sides_swapped"]
    assert change.numbers["shift_mm"] == pytest.approx(1)
    assert "moved 1.0 mm / 180.0 degrees" in change.text
    assert "its sides are swapped" in change.text


def test_small_changes_are_not_told_as_nothing() -> None:
    plane = Plane((0, 0, 0), (0, 0, 1))
    assert "0.02 mm" in plane_change("plane", plane, Plane((0, 0, 0.02), (0, 0, 1))).text
    assert number_words(1.0, 1.0004, "mm") == "+0.0004 mm (1.0000 -> 1.0004)"


@pytest.mark.parametrize("seed", range(10))
def test_a_pose_gives_back_the_motion_that_was_put_in(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = Pose.of_rotation(rng.normal(size=3), 70, rng.normal(size=3) * 50)
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    middle, shift, degrees = vec3(rng.normal(size=3) * 100), rng.normal(size=3), rng.uniform(1, 179)
    motion = Pose.of_shift(shift).after(Pose.of_rotation(axis, degrees, middle))
    change = pose_change("pose", before, motion.after(before), middle)
    assert change.numbers["shift_lps_mm"] == pytest.approx(shift.tolist(), abs=1e-9)
    assert change.numbers["degrees"] == pytest.approx(degrees)
    assert change.numbers["axis_lps"] == pytest.approx(axis.tolist())


def test_half_a_turn_has_an_axis() -> None:
    for axis in ((0, 0, 1), (0.6, 0, 0.8), (0, -1, 0)):
        found = axis_of(Pose.of_rotation(axis, 180))
        assert abs(found @ np.asarray(axis)) == pytest.approx(1)
    assert axis_of(IDENTITY).tolist() == [0, 0, 0]


def test_a_pose_in_words() -> None:
    shift = Pose.of_shift((1.25, 0, -3.5))
    text = pose_change("pose", IDENTITY, shift, (0, 0, 0)).text
    assert text == "moved 3.7 mm (L +1.2, S -3.5) at its middle"
    turn = Pose.of_rotation((0, 0, 1), 4, (100, 0, 0))
    assert pose_change("pose", IDENTITY, turn, (100, 0, 0)).text == (
        "turned 4.0 degrees about the superior-inferior axis"
    )
    assert "at its origin" in pose_change("pose", IDENTITY, turn).text


def test_places_tell_which_of_them_moved() -> None:
    before, now = ((0, 0, 0), (1, 1, 1), (2, 2, 2)), ((0, 0, 0), (1, 3, 1), (2, 2, 2))
    assert places_change("points", before, now).text == "number 2 moved 2.0 mm (P +2.0)"
    assert places_change("points", before, now[:2]).text == "2 instead of 3"
    assert place_change("entry", (0, 0, 0), (3, 0, 4)).text == "moved 5.0 mm (L +3.0, S +4.0)"


def test_landmarks_go_by_name() -> None:
    change = landmarks_change(
        "points", {"hip": (0, 0, 0), "knee": (0, 0, 1)}, {"hip": (0, 2, 0), "toe": (9, 9, 9)}
    )
    assert change.text == "hip moved 2.0 mm (P +2.0); toe added; knee removed"
    assert change.numbers["shifts_lps_mm"] == {"hip": [0, 2, 0]}


def test_directions_have_the_patients_names() -> None:
    assert towards((0, 0, -2)) == "inferior"
    assert towards((1, 0, 1)) == "left and superior"
    assert towards((-1, -1, -1)) == "right, anterior and inferior"
    assert axis_words((0, -5, 0.1)) == "the posterior-anterior axis"
    assert axis_words((1, 1, 0)) == "the axis L 0.71, P 0.71, S 0.00"
    assert shift_words((0.001, 0, 0)) == "0.001 mm"
