"""Slices lie the way the patient does, whatever way the grid lies."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.scene import AXES, Framing, Slice, View
from surgiplan.scene.slices import cut_through, letters_towards, patient_grid, round_length, shade
from surgiplan.scene.view import Axis
from surgiplan.values import Grid, Mask, Pose, Volume, vec3

from .steps import axis_grids, scan_with_marks

GRIDS = axis_grids()
FRONT = View()
LETTERS = {"axial": "RLAP", "coronal": "RLHF", "sagittal": "APHF"}


def seen(grid: Grid, axis: Axis, view: View = FRONT, volume: Volume | None = None) -> Slice:
    return cut_through(grid, None if volume is None else volume.voxels, axis, view)


def brightest(one: Slice) -> tuple[int, int]:
    row, column = np.unravel_index(int(np.argmax(one.pixels)), one.pixels.shape)
    return int(row), int(column)


def test_there_are_24_ways_to_lay_right_handed_axes() -> None:
    assert len({grid.kji_to_lps.tobytes() for grid in GRIDS}) == 24


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("axis", AXES)
def test_letters_are_the_same_for_every_way_the_grid_lies(grid: Grid, axis: Axis) -> None:
    assert "".join(seen(grid, axis).letters) == LETTERS[axis]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("axis", AXES)
def test_every_mark_lies_at_its_letter_and_its_millimetres(grid: Grid, axis: Axis) -> None:
    volume, places = scan_with_marks(grid)
    for edge, letter in zip(("left", "right", "top", "bottom"), LETTERS[axis], strict=True):
        at = places[letter]
        one = seen(grid, axis, View(crosshair_lps=at), volume)
        x, y = one.from_lps(at)
        row, column = round(y / one.pixel_mm[0]), round(x / one.pixel_mm[1])
        assert one.pixels[row, column] == 100 * ("LRPAHF".index(letter) + 1)
        rows, columns = one.pixels.shape
        wanted = {
            "left": (column, 0),
            "right": (column, columns - 1),
            "top": (row, 0),
            "bottom": (row, rows - 1),
        }
        assert wanted[edge][0] == wanted[edge][1]


@pytest.mark.parametrize("grid", GRIDS)
def test_right_of_the_centre_is_patient_left_in_axial_and_coronal_views(grid: Grid) -> None:
    for axis in ("axial", "coronal"):
        one = seen(grid, axis)
        x, y = one.centre_mm
        assert one.to_lps((x + 3.0, y))[0] > one.to_lps((x, y))[0]
    one = seen(grid, "sagittal")
    assert one.to_lps((one.centre_mm[0] + 3.0, 0.0))[1] > one.to_lps((one.centre_mm[0], 0.0))[1]


@pytest.mark.parametrize("grid", GRIDS)
def test_the_neurological_view_turns_axial_and_coronal_only(grid: Grid) -> None:
    volume, _ = scan_with_marks(grid)
    for axis in AXES:
        usual, other = (
            seen(grid, axis, View(crosshair_lps=vec3(grid.corners_lps.mean(axis=0)), convention=c), volume)
            for c in ("radiological", "neurological")
        )
        turned = usual.pixels if axis == "sagittal" else usual.pixels[:, ::-1]
        assert np.array_equal(other.pixels, turned)
        assert other.letters[:2] == (usual.letters[:2] if axis == "sagittal" else usual.letters[1::-1])


@pytest.mark.parametrize("grid", GRIDS[::5])
@pytest.mark.parametrize("axis", AXES)
def test_pixels_are_a_read_only_view_into_the_scan(grid: Grid, axis: Axis) -> None:
    volume, _ = scan_with_marks(grid)
    one = seen(grid, axis, volume=volume)
    assert np.shares_memory(one.pixels, volume.voxels)
    assert not one.pixels.flags.writeable


@pytest.mark.parametrize("axis", AXES)
def test_an_oblique_scan_is_shown_along_its_own_axes_with_pairs_of_letters(axis: Axis) -> None:
    tilted = np.eye(4)
    tilted[:3, :3] = Pose.of_rotation((0, 0, 1), 30.0).rotation[:, ::-1]
    one = seen(Grid((5, 6, 7), tilted), axis)
    assert (
        one.letters
        == {
            "axial": ("RA", "LP", "AL", "PR"),
            "coronal": ("RA", "LP", "H", "F"),
            "sagittal": ("AL", "PR", "H", "F"),
        }[axis]
    )


@pytest.mark.parametrize(
    ("degrees", "letters"), [(0, "L"), (14, "L"), (16, "LP"), (44, "LP"), (46, "PL"), (76, "P"), (180, "R")]
)
def test_a_second_letter_comes_at_15_degrees(degrees: float, letters: str) -> None:
    angle = np.radians(degrees)
    assert letters_towards((np.cos(angle), np.sin(angle), 0.0)) == letters


@given(
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    st.floats(-180, 180),
    st.tuples(*[st.floats(-40, 40)] * 3),
)
def test_sheet_and_patient_coordinates_are_each_others_inverse(
    axis: tuple[float, float, float], degrees: float, at: tuple[float, float, float]
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = Pose.of_rotation(axis, degrees).rotation[:, ::-1] * (1.5, 0.8, 0.5)
    grid = Grid((6, 9, 14), affine)
    for name in AXES:
        one = seen(grid, name, View(crosshair_lps=at))
        assert one.from_lps(one.to_lps((2.5, -1.0))) == pytest.approx((2.5, -1.0))
        assert abs(float(one.frame.distance(one.to_lps((2.5, -1.0))))) < 1e-9
        assert one.crosshair_mm == pytest.approx(tuple(one.from_lps(at)))
        sizes = sorted((one.count, *one.pixels.shape))
        assert sizes == [6, 9, 14]


def test_slices_are_counted_from_the_feet_from_the_front_and_from_the_right() -> None:
    for grid in GRIDS:
        low, high = grid.corners_lps.min(axis=0), grid.corners_lps.max(axis=0)
        for axis, patient in (("axial", 2), ("coronal", 1), ("sagittal", 0)):
            first, last = (seen(grid, axis, View(crosshair_lps=vec3(at))) for at in (low, high))
            assert (first.index, last.index) == (0, last.count - 1)
            assert first.frame.origin_lps[patient] == pytest.approx(low[patient])


def test_a_crosshair_outside_shows_the_nearest_slice() -> None:
    one = seen(GRIDS[0], "axial", View(crosshair_lps=(0.0, 0.0, 1e4)))
    assert one.index == one.count - 1


@pytest.mark.parametrize("grid", GRIDS[::3])
@pytest.mark.parametrize("axis", AXES)
def test_the_wheel_goes_one_slice_on_and_stops_at_the_last(grid: Grid, axis: Axis) -> None:
    start = vec3(grid.corners_lps.mean(axis=0))
    one = seen(grid, axis, View(crosshair_lps=start))
    on = seen(grid, axis, View(crosshair_lps=one.stepped(start, 1)))
    assert on.index == one.index + 1
    end = seen(grid, axis, View(crosshair_lps=one.stepped(start, 1000)))
    assert end.index == end.count - 1
    across = np.asarray(one.stepped(start, -2)) - start
    assert np.count_nonzero(np.abs(across) > 1e-9) <= 1


def test_the_place_of_the_slice_is_told_in_words() -> None:
    one = seen(GRIDS[0], "axial", View(crosshair_lps=(0.0, 0.0, 31.0)))
    assert one.position == f"H 31.5 mm, slice {one.index + 1} of {one.count}"


def test_the_scale_bar_is_round_and_follows_the_zoom() -> None:
    grid = patient_grid((-100, -100, -100), (100, 100, 100))
    view = View()
    assert seen(grid, "axial", view).scale_bar_mm == 50.0
    assert seen(grid, "axial", view.with_framing("axial", Framing(10.0))).scale_bar_mm == 5.0


@given(st.floats(0.01, 5000))
def test_a_round_length_is_the_longest_one_that_fits(at_most: float) -> None:
    length = round_length(at_most)
    assert length <= at_most * (1 + 1e-6) < 2.5 * length * (1 + 1e-6)
    assert f"{length:.0e}"[0] in "125"


def test_a_grid_round_shapes_lies_along_the_patient() -> None:
    grid = patient_grid((0, 0, 0), (10, 20, 40))
    assert np.allclose(grid.axes, np.eye(3)[:, ::-1])
    assert (grid.corners_lps.min(axis=0) < 0).all()
    assert (grid.corners_lps.max(axis=0) > (10, 20, 40)).all()
    assert seen(grid, "axial").pixels.max() == -32768


def test_a_small_move_of_a_shape_leaves_the_grid_round_it_as_it_was() -> None:
    assert patient_grid((0, 0, 0), (10, 20, 40)) is patient_grid((0.5, 0, 0), (9.8, 20.3, 40))


def test_a_mask_on_the_grid_of_the_scan_is_laid_over_without_a_copy() -> None:
    for grid in GRIDS[::7]:
        volume, _ = scan_with_marks(grid)
        mask = Mask(grid, volume.voxels > 0)
        for axis in AXES:
            one = cut_through(grid, volume.voxels, axis, View(), mask)
            assert one.overlay is not None
            assert np.array_equal(one.overlay, one.pixels > 0)
            assert np.shares_memory(one.overlay, mask.voxels)


def test_a_mask_on_another_grid_is_laid_over_at_its_place() -> None:
    grid = patient_grid((-10, -10, -10), (10, 12, 14))
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, ::-1] * 4.0
    affine[:3, 3] = (0.0, 0.0, 0.0)
    mask = Mask(Grid((2, 2, 2), affine), np.ones((2, 2, 2), np.bool_))
    one = cut_through(grid, None, "axial", View(crosshair_lps=(0.0, 0.0, 1.0)), mask)
    assert one.overlay is not None
    rows, columns = np.nonzero(one.overlay)
    places = one.to_lps(np.stack([columns * one.pixel_mm[1], rows * one.pixel_mm[0]], axis=1))
    assert (places[:, :2] >= -2.0 - one.pixel_mm[0]).all()
    assert (places[:, :2] <= 6.0 + one.pixel_mm[0]).all()
    assert len(rows) * one.pixel_mm[0] ** 2 == pytest.approx(64.0, rel=0.1)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_grey_values_become_brightness_along_a_straight_line(dtype: type) -> None:
    pixels = np.array([[-1000, -600, 0, 400, 1400, 3000]], dtype)
    exact = np.clip((pixels.astype(float) - (400 - 1000)) * 255 / 2000, 0, 255)
    shaded = shade(pixels, 2000.0, 400.0)
    assert shaded.dtype == np.uint8
    assert np.abs(shaded.astype(float) - exact).max() <= 1.0
    assert (shaded[0, 0], shaded[0, -1]) == (0, 255)


def test_a_strided_slice_is_shaded_like_a_plain_one() -> None:
    volume, _ = scan_with_marks(GRIDS[5])
    for axis in AXES:
        one = seen(GRIDS[5], axis, volume=volume)
        assert np.array_equal(shade(one.pixels, 900, 100), shade(np.ascontiguousarray(one.pixels), 900, 100))


def test_a_slice_tells_itself_in_one_line() -> None:
    volume, places = scan_with_marks(GRIDS[0])
    one = seen(GRIDS[0], "axial", View(crosshair_lps=places["L"]), volume)
    assert "left R right L top A bottom P" in one.to_text()
    assert replace(one, overlay=one.pixels > 0).to_text().endswith(f"overlay {int((one.pixels > 0).sum())}")
