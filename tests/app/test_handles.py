"""Handles follow the cursor in true millimetres, whatever way the view looks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.app.views.eye import Eye, lps_words, place_words
from surgiplan.app.views.handles import (
    REACH_PIXELS,
    Drag,
    grip_at,
    grip_pixel,
    grips_of,
    pose_of,
    shift_of,
    turned_degrees,
)
from surgiplan.values import IDENTITY, Plane, Pose, vec3

PIVOT = (12.0, -30.0, 55.0)


def eye_looking(azimuth: float, elevation: float, mm_per_pixel: float = 0.3, size=(600, 450)) -> Eye:
    """A parallel view at the pivot from any side."""
    turn = Pose.of_rotation((0, 0, 1), azimuth).after(Pose.of_rotation((1, 0, 0), elevation)).rotation
    right, down = turn @ (1, 0, 0), turn @ (0, 0, -1)
    corner = np.asarray(PIVOT) - right * mm_per_pixel * size[0] / 2 - down * mm_per_pixel * size[1] / 2
    return Eye.of_slice(corner, right * mm_per_pixel, down * mm_per_pixel, size)


angles = st.floats(-170, 170, allow_nan=False)


@given(angles, st.floats(-80, 80), st.floats(0.05, 2.0))
def test_pixels_and_rays_agree(azimuth: float, elevation: float, scale: float) -> None:
    eye = eye_looking(azimuth, elevation, scale)
    point = np.add(PIVOT, (3.0, 5.0, -7.0))
    start, away = eye.ray(*eye.pixel(point))
    gap = np.cross(point - start, away)
    assert np.linalg.norm(gap) < 1e-6
    assert eye.mm_per_pixel(point) == pytest.approx(scale, rel=1e-6)


def test_clip_matrix_gives_pixels_with_y_down() -> None:
    eye = Eye.of_clip(np.diag([0.1, 0.2, 0.01, 1.0]), 200, 100)
    assert eye.pixel((0, 0, 0)) == (100, 50)
    assert eye.pixel((5, 2.5, 0)) == (150, 25)


@settings(max_examples=60)
@given(angles, st.floats(-70, 70), st.floats(-25, 25), st.sampled_from(["L-R", "P-A", "S-I"]))
def test_an_arrow_moves_the_pose_by_what_the_cursor_moves(
    azimuth: float, elevation: float, mm: float, axis_name: str
) -> None:
    eye = eye_looking(azimuth, elevation)
    grips = {(g.kind, g.name): g for g in grips_of(IDENTITY, PIVOT, eye)}
    grip = grips.get(("shift", axis_name))
    if grip is None:
        return  # it points at the viewer
    axis = np.asarray(grip.axis)
    start = grip_pixel(grip, eye)
    a, b = eye.pixels([PIVOT, np.asarray(PIVOT) + axis * mm])
    drag = Drag(IDENTITY, PIVOT, grip, eye, *start)
    moved, words = drag.to(start[0] + b[0] - a[0], start[1] + b[1] - a[1])
    assert isinstance(moved, Pose)
    assert moved.shift == pytest.approx(axis * mm, abs=1e-6)
    assert np.allclose(moved.rotation, np.eye(3))
    assert "mm" in words


@settings(max_examples=60)
@given(angles, st.floats(-70, 70), st.floats(-120, 120), st.sampled_from(["L-R", "P-A", "S-I"]))
def test_a_ring_turns_by_the_angle_of_the_cursor(
    azimuth: float, elevation: float, degrees: float, axis_name: str
) -> None:
    eye = eye_looking(azimuth, elevation)
    grips = {(g.kind, g.name): g for g in grips_of(IDENTITY, PIVOT, eye)}
    grip = grips.get(("turn", axis_name))
    if grip is None:
        return  # it is seen edge-on
    held = grip.line_lps[8]
    turned = Pose.of_rotation(grip.axis, degrees, about=PIVOT)
    drag = Drag(IDENTITY, PIVOT, grip, eye, *eye.pixel(held))
    pose, _ = drag.to(*eye.pixel(turned.apply(held)))
    assert isinstance(pose, Pose)
    assert np.allclose(pose.array, turned.array, atol=1e-5)
    assert np.allclose(pose.apply(PIVOT), PIVOT)


def test_the_normal_arrow_moves_a_plane_along_its_normal_only() -> None:
    plane = Plane(PIVOT, (0.2, 0.1, 0.97))
    eye = eye_looking(20, 10)
    grip = next(g for g in grips_of(plane, PIVOT, eye) if g.kind == "shift")
    start = grip_pixel(grip, eye)
    away = eye.pixels([PIVOT, np.asarray(PIVOT) + np.asarray(plane.normal) * 5])
    moved, words = Drag(plane, PIVOT, grip, eye, *start).to(*(np.asarray(start) + away[1] - away[0]))
    assert isinstance(moved, Plane)
    assert moved.normal == plane.normal
    assert np.allclose(np.asarray(moved.point) - plane.point, np.asarray(plane.normal) * 5, atol=1e-6)
    assert words == "+5.0 mm along normal"


def test_tilting_a_plane_keeps_its_point() -> None:
    plane = Plane(PIVOT, (0, 0, 1))
    eye = eye_looking(0, 0)
    ring = next(g for g in grips_of(plane, PIVOT, eye) if g.kind == "turn")
    turn = Pose.of_rotation(ring.axis, 12.0, about=PIVOT)
    held = ring.line_lps[5]
    tilted, words = Drag(plane, PIVOT, ring, eye, *eye.pixel(held)).to(*eye.pixel(turn.apply(held)))
    assert isinstance(tilted, Plane)
    assert tilted.point == pytest.approx(PIVOT)
    assert np.degrees(np.arccos(tilted.normal[2])) == pytest.approx(12, abs=1e-6)
    assert words.startswith("+12.0°")


def test_ctrl_goes_in_whole_steps() -> None:
    eye = eye_looking(0, 0, 0.25)
    grip = next(g for g in grips_of(IDENTITY, PIVOT, eye) if g.name == "S-I" and g.kind == "shift")
    x, y = grip_pixel(grip, eye)
    moved, _ = Drag(IDENTITY, PIVOT, grip, eye, x, y).to(x, y - 13, snap=True)
    assert isinstance(moved, Pose)
    assert moved.shift == pytest.approx((0, 0, 3))


def test_handles_have_one_size_on_the_screen_and_are_hit_there() -> None:
    for scale in (0.05, 0.3, 3.0):
        eye = eye_looking(25, 15, scale)
        grips = grips_of(IDENTITY, PIVOT, eye)
        assert {g.name for g in grips} == {"L-R", "P-A", "S-I", "free"}
        for grip in grips:
            away = np.linalg.norm(eye.pixels(grip.line_lps) - eye.pixel(PIVOT), axis=1)
            assert away.max() <= REACH_PIXELS + 1
            assert grip_at(grips, eye, *grip_pixel(grip, eye)) is grip
        assert grip_at(grips, eye, 5, 5) is None


def test_an_axis_that_points_at_the_viewer_has_no_arrow() -> None:
    eye = eye_looking(0, 0)  # looks towards posterior
    shifts = {g.name for g in grips_of(IDENTITY, PIVOT, eye) if g.kind == "shift"}
    turns = {g.name for g in grips_of(IDENTITY, PIVOT, eye) if g.kind == "turn"}
    assert shifts == {"L-R", "S-I"}
    assert turns == {"P-A"}


@given(
    st.tuples(*[st.floats(-300, 300)] * 3),
    st.tuples(st.floats(-179, 179), st.floats(-89, 89), st.floats(-179, 179)),
)
def test_numbers_of_a_pose_give_the_pose_again(shift: tuple, degrees: tuple) -> None:
    pose = pose_of(shift, degrees, PIVOT)
    assert shift_of(pose, PIVOT) == pytest.approx(shift, abs=1e-6)
    again = pose_of(shift_of(pose, PIVOT), turned_degrees(pose.rotation), PIVOT)
    assert np.allclose(again.array, pose.array, atol=1e-6)


def test_gimbal_lock_gives_the_same_rotation_again() -> None:
    pose = pose_of((0, 0, 0), (20, 90, 40), PIVOT)
    again = pose_of((0, 0, 0), turned_degrees(pose.rotation), PIVOT)
    assert np.allclose(again.rotation, pose.rotation, atol=1e-9)


def test_shifts_and_places_in_words() -> None:
    assert lps_words((3.2, 0, -1.0)) == "3.2 mm left, 1.0 mm down"
    assert lps_words((-3.2, 2.0, 0.01)) == "3.2 mm right, 2.0 mm posterior"
    assert lps_words((0, 0, 0)) == "0.0 mm"
    assert place_words(vec3((12.34, -4, 101.2))) == "L 12.3  A 4.0  S 101.2 mm"
