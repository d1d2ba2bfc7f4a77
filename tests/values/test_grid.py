from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.values import Grid, Pose
from tests.values.samples import axial_affine, grid, grids, points, poses

SPACING = (1.2, 0.7, 0.9)


def test_an_index_is_a_place_in_the_patient() -> None:
    assert np.allclose(grid().to_lps((0, 0, 0)), (-31.5, 12.25, 77))
    assert np.allclose(grid().to_lps([[2, 1, 3]]), [[-31.5 + 3 * 0.9, 12.25 + 0.7, 77 + 2 * 1.2]])
    assert np.allclose(grid().to_kji((-31.5, 12.25, 77 + 0.6)), (0.5, 0, 0))


def test_spacing_and_voxel_come_from_the_affine() -> None:
    assert grid().spacing_kji == pytest.approx(SPACING)
    assert grid().voxel_mm3 == pytest.approx(1.2 * 0.7 * 0.9)
    assert np.allclose(grid().axes, np.eye(3)[:, ::-1])


@given(grids())
def test_a_part_of_a_grid_has_its_voxels_at_the_same_places(lattice: Grid) -> None:
    low = [min(1, n - 1) for n in lattice.shape_kji]
    part = lattice.part((slice(low[0], None), slice(low[1], 999), slice(low[2], low[2] + 1)))
    assert part.shape_kji == (lattice.shape_kji[0] - low[0], lattice.shape_kji[1] - low[1], 1)
    assert np.allclose(part.to_lps((0, 0, 0)), lattice.to_lps(low))
    assert part.frame_uid == lattice.frame_uid


@given(grids(), st.data())
def test_there_and_back_on_any_oblique_grid(lattice: Grid, data: st.DataObject) -> None:
    kji = data.draw(st.tuples(*[st.floats(-3, n + 2) for n in lattice.shape_kji]))
    assert np.allclose(lattice.to_kji(lattice.to_lps(kji)), kji, rtol=0, atol=1e-6)
    assert np.allclose(lattice.kji_to_lps @ lattice.lps_to_kji, np.eye(4), rtol=0, atol=1e-8)


@given(grids())
def test_any_grid_is_told_by_its_axes_spacing_and_corner(lattice: Grid) -> None:
    assert np.allclose(lattice.axes.T @ lattice.axes, np.eye(3), atol=1e-6)
    assert np.allclose(np.cross(lattice.axes[:, 2], lattice.axes[:, 1]), lattice.axes[:, 0], atol=1e-6)
    again = np.eye(4)
    again[:3, :3] = lattice.axes * lattice.spacing_kji
    again[:3, 3] = lattice.to_lps((0, 0, 0))
    assert np.allclose(again, lattice.kji_to_lps, atol=1e-9)


@given(grids(), st.data())
def test_the_nearest_voxel_of_a_point_in_it_is_that_voxel(lattice: Grid, data: st.DataObject) -> None:
    kji = data.draw(st.tuples(*[st.integers(0, n - 1) for n in lattice.shape_kji]))
    off = data.draw(st.tuples(*[st.floats(-0.49, 0.49)] * 3))
    assert lattice.nearest(lattice.to_lps(np.add(kji, off))) == kji


@given(grids(), st.integers(0, 2), st.booleans(), st.floats(0.51, 1e6))
def test_a_point_outside_has_no_voxel(lattice: Grid, axis: int, above: bool, away: float) -> None:
    kji = np.zeros(3)
    kji[axis] = lattice.shape_kji[axis] - 1 + away if above else -away
    assert lattice.nearest(lattice.to_lps(kji)) is None


@pytest.mark.parametrize("point", [(np.nan, 0, 0), (1e300, 0, 0), (np.inf, 0, 0)])
def test_what_is_no_place_has_no_voxel(point: tuple[float, float, float]) -> None:
    with np.errstate(invalid="ignore"):
        assert grid().nearest(point) is None


@given(grids())
def test_the_corners_are_the_ends_of_the_diagonals(lattice: Grid) -> None:
    corners = lattice.corners_lps
    assert corners.shape == (8, 3)
    middle = lattice.to_lps((np.array(lattice.shape_kji) - 1) / 2)
    assert np.allclose(corners + corners[::-1], 2 * middle, atol=1e-6)


@given(grids(), poses(), st.integers(0, 2))
def test_a_mirrored_grid_is_refused(lattice: Grid, pose: Pose, axis: int) -> None:
    mirror = np.eye(4)
    mirror[axis, axis] = -1
    with pytest.raises(ValueError, match="right-handed: this one is mirrored"):
        replace(lattice, kji_to_lps=pose.array @ mirror @ lattice.kji_to_lps)


@given(grids(), st.sampled_from([(0, 1), (0, 2), (1, 2), (2, 0)]), st.floats(0.001, 0.5))
def test_a_sheared_grid_is_refused(lattice: Grid, axes: tuple[int, int], by: float) -> None:
    """A gantry tilt: each slice shifted along its rows."""
    sheared = lattice.kji_to_lps.copy()
    along = sheared[:3, axes[1]] / np.linalg.norm(sheared[:3, axes[1]])
    sheared[:3, axes[0]] += by * np.linalg.norm(sheared[:3, axes[0]]) * along
    with pytest.raises(ValueError, match="orthogonal: resample a sheared scan"):
        replace(lattice, kji_to_lps=sheared)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5, 6), (0, 4, 5), (3, -1, 5)])
def test_a_grid_needs_three_sizes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="three positive sizes"):
        Grid(shape, axial_affine())  # type: ignore[arg-type]


def broken(row: int, column: int, value: float) -> np.ndarray:
    affine = axial_affine()
    affine[row, column] = value
    return affine


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.eye(3), "finite 4x4"),
        (broken(0, 3, np.nan), "finite 4x4"),
        (broken(3, 0, 0.1), "last row"),
        (broken(2, 0, 0.0), "spacing must be positive"),
    ],
)
def test_an_affine_that_places_nothing_is_refused(affine: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Grid((3, 4, 5), affine)


def test_grids_are_compared_by_shape_place_and_frame() -> None:
    assert grid().same_as(grid())
    assert grid().same_as(replace(grid(), kji_to_lps=axial_affine() + broken_by(5e-7)))
    assert not grid().same_as(replace(grid(), kji_to_lps=axial_affine() + broken_by(1e-5)))
    assert not grid().same_as(replace(grid(), frame_uid="9"))
    assert not grid().same_as(replace(grid(), shape_kji=(3, 4, 6)))


def broken_by(shift: float) -> np.ndarray:
    away = np.zeros((4, 4))
    away[0, 3] = shift
    return away


def test_the_affine_is_kept_apart_from_the_one_given() -> None:
    mine = axial_affine()
    kept = Grid((3, 4, 5), mine)
    mine[0, 3] = 1000
    assert kept.kji_to_lps[0, 3] == -31.5
    with pytest.raises(ValueError, match="read-only"):
        kept.kji_to_lps[0, 3] = 0


@given(grids(), points)
def test_a_motion_of_the_grid_moves_its_places(lattice: Grid, shift: tuple[float, float, float]) -> None:
    moved = replace(lattice, kji_to_lps=Pose.of_shift(shift).array @ lattice.kji_to_lps)
    assert np.allclose(moved.corners_lps, lattice.corners_lps + shift, atol=1e-8)
    assert moved.spacing_kji == pytest.approx(lattice.spacing_kji)
