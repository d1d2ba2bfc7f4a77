"""The eye moves; lengths stay true."""

from collections.abc import Iterator

import numpy as np
import pytest

from surgiplan.scene import Scene, Surface
from surgiplan.stage.stage import Stage
from surgiplan.values import IDENTITY
from tests.scene.steps import box

pytestmark = pytest.mark.usefixtures("graphics")
SIZE = (300, 200)
LOW, HIGH = (-10.0, -20.0, -70.0), (30.0, 25.0, 90.0)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    made.window.SetSize(*SIZE)
    made.show(
        Scene(items=(Surface("bone", box(LOW, HIGH), IDENTITY, "#EADFC8"),), low_lps=LOW, high_lps=HIGH)
    )
    made.render()
    yield made
    made.close()
    made.window.Finalize()


@pytest.mark.parametrize("look", ["anterior", "posterior", "left", "right", "superior", "inferior"])
def test_from_every_side_all_is_in_sight_and_large(stage: Stage, look: str) -> None:
    stage.camera.look(look)  # type: ignore[arg-type]
    corners = [stage.world_to_pixel((x, y, z)) for x in (-10, 30) for y in (-20, 25) for z in (-70, 90)]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    assert (low >= 0).all()
    assert (high <= SIZE).all()
    assert ((high - low) / SIZE).max() > 0.85


def test_a_millimetre_is_as_long_anywhere(stage: Stage) -> None:
    stage.camera.orbit(25, 15)
    right = stage.camera.axes[0]
    for start in ((0, 0, 0), (0, -20, 80), (30, 25, -70)):
        a, b = stage.world_to_pixel(start), stage.world_to_pixel(np.asarray(start) + 10 * right)
        assert b[0] - a[0] == pytest.approx(10 / stage.camera.mm_per_pixel)
        assert b[1] == pytest.approx(a[1])


def test_zooming_to_a_place_brings_it_into_the_middle(stage: Stage) -> None:
    stage.camera.zoom_to((20.0, 0.0, 60.0), 15.0)
    assert stage.world_to_pixel((20.0, 0.0, 60.0)) == pytest.approx((150, 100))
    assert stage.camera.mm_per_pixel == pytest.approx(30.0 / 200)


def test_zooming_at_a_pixel_leaves_what_is_under_it(stage: Stage) -> None:
    place = np.mean(stage.ray(60.0, 50.0), axis=0)
    stage.camera.zoom(1.5, (60.0, 50.0))
    assert stage.world_to_pixel(place) == pytest.approx((60.0, 50.0))
    before = stage.camera.mm_per_pixel
    stage.camera.zoom(2.0)
    assert stage.camera.mm_per_pixel == pytest.approx(before / 2)


def test_panning_pushes_the_picture_by_pixels(stage: Stage) -> None:
    stage.camera.pan(12.0, 7.0)
    assert stage.world_to_pixel((10.0, 2.5, 10.0)) == pytest.approx((162.0, 107.0))


def test_turning_keeps_the_middle_and_brings_what_was_right_to_the_front(stage: Stage) -> None:
    stage.camera.orbit(-90, 0)
    right, up, towards = stage.camera.axes
    assert towards == pytest.approx((1, 0, 0), abs=1e-9)
    assert up == pytest.approx((0, 0, 1), abs=1e-9)
    assert right == pytest.approx((0, 1, 0), abs=1e-9)
    stage.camera.orbit(40, 35)
    axes = np.stack(stage.camera.axes)
    assert np.allclose(axes @ axes.T, np.eye(3))
    assert np.linalg.det(axes) == pytest.approx(1.0)
    assert stage.world_to_pixel((10.0, 2.5, 10.0)) == pytest.approx((150, 100))


def test_a_way_of_looking_can_be_come_back_to(stage: Stage) -> None:
    stage.camera.orbit(33, -21)
    stage.camera.zoom(1.7)
    state, matrix = stage.camera.state, stage.camera.lps_to_clip()
    stage.camera.look("superior")
    stage.camera.state = state
    assert stage.camera.lps_to_clip()[:2] == pytest.approx(matrix[:2])


def test_a_new_scene_does_not_move_the_eye_but_the_first_is_framed(stage: Stage) -> None:
    state = stage.camera.state
    assert state[0] == pytest.approx((10.0, 2.5, 10.0))
    stage.show(Scene(items=(Surface("far", box((500, 0, 0), (600, 9, 9)), IDENTITY, "#EADFC8"),)))
    assert stage.camera.state == state
