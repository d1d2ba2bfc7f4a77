"""A scan at other places: formulas of what must be read there."""

from dataclasses import replace

import numpy as np
import pytest

from surgiplan.algorithms.scans.sampling import cropped, even_grid, reach, resampled
from surgiplan.errors import Mismatch, StepFailed
from surgiplan.values import FloatArray, Grid, Mask, Pose, Volume
from tests.ops.shapes import CENTRE, ELSEWHERE, ball_mask, ball_scan, beside, grid

TURN = Pose.of_rotation((1, 2, 3), 17.0, CENTRE).array


def plane_of(place: Grid, slope: tuple[float, float, float] = (3.0, -2.0, 5.0)) -> FloatArray:
    """Grey values that rise evenly in the patient: linear reading has no error on them."""
    points = place.to_lps(np.indices(place.shape_kji).reshape(3, -1).T)
    return ((points - CENTRE) @ slope).reshape(place.shape_kji)


def oblique() -> Grid:
    return Grid(grid().shape_kji, TURN @ grid().kji_to_lps, grid().frame_uid)


def test_cropping_keeps_values_and_places() -> None:
    scan = ball_scan()
    box = cropped(scan, np.array([beside(CENTRE, -5, -4, -3), beside(CENTRE, 5, 6, 7)]), margin_mm=1.0)
    assert box.grid.shape_kji == (12, 15, 17)
    for kji in ((0, 0, 0), (4, 5, 6), (11, 14, 16)):
        there = scan.grid.nearest(box.grid.to_lps(kji))
        assert np.allclose(scan.grid.to_lps(there), box.grid.to_lps(kji))
        assert box.voxels[kji] == scan.voxels[there]
    assert (box.modality, box.unit, box.grid.frame_uid) == (scan.modality, scan.unit, scan.grid.frame_uid)


def test_cropping_round_a_mask_holds_all_of_it() -> None:
    mask = ball_mask()
    turned = Mask(replace(mask.grid, kji_to_lps=oblique().kji_to_lps), mask.voxels)
    box = cropped(ball_scan(), np.zeros((0, 3)), turned, 0.0)
    places = turned.grid.to_lps(np.argwhere(turned.voxels))
    inside = np.rint(box.grid.to_kji(places))
    there = np.rint(ball_scan().grid.to_kji(places))
    scanned = ((there >= 0) & (there < ball_scan().grid.shape_kji)).all(axis=1)
    assert ((inside >= 0) & (inside < box.grid.shape_kji)).all(axis=1)[scanned].all()


def test_a_box_beside_the_scan_is_refused() -> None:
    with pytest.raises(StepFailed, match="holds no voxel"):
        cropped(ball_scan(), np.array([[500.0, 0, 0], [510.0, 5, 5]]))


def test_an_even_grid_covers_the_same_stretch() -> None:
    even = even_grid(oblique(), 0.5)
    assert even.spacing_kji == pytest.approx((0.5, 0.5, 0.5))
    assert np.allclose(even.axes, oblique().axes)
    middle = [(np.asarray(one.shape_kji) - 1) / 2 for one in (even, oblique())]
    assert np.allclose(even.to_lps(middle[0]), oblique().to_lps(middle[1]))
    assert np.multiply(even.shape_kji, 0.5) == pytest.approx(
        np.multiply(oblique().shape_kji, oblique().spacing_kji), abs=0.5
    )
    with pytest.raises(StepFailed, match="choose a larger spacing"):
        even_grid(grid((4000, 4000, 4000)), 0.5)


@pytest.mark.parametrize("how", ["linear", "cubic"])
def test_an_even_rise_is_read_exactly_on_any_grid(how: str) -> None:
    scan = Volume(grid(), plane_of(grid()).astype(np.float32), "MR", "")
    inner = even_grid(
        cropped(scan, np.array([beside(CENTRE, -7, -7, -7), beside(CENTRE, 7, 7, 7)])).grid, 0.7
    )
    turned = replace(inner, kji_to_lps=TURN @ inner.kji_to_lps)
    read = resampled(scan, turned, how)
    tolerance = 0.01 if how == "linear" else 1.0  # a cubic spline feels the edge of the scan
    assert np.abs(read.voxels - plane_of(turned)).max() < tolerance


def test_a_ball_on_larger_voxels_keeps_its_volume_and_place() -> None:
    scan = ball_scan()
    read = resampled(scan, even_grid(scan.grid, 2.0))
    for one in (scan, read):
        share = one.voxels / 1000.0
        centre = one.grid.to_lps(np.argwhere(share > 0)).T @ share[share > 0] / share.sum()
        assert share.sum() * one.grid.voxel_mm3 == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.02)
        assert centre == pytest.approx(CENTRE, abs=0.05)


def test_a_pattern_finer_than_the_new_voxels_turns_grey_and_not_into_another_pattern() -> None:
    stripes = np.zeros(grid().shape_kji, np.int16)
    stripes[:, :, ::2] = 1000
    read = resampled(Volume(grid(), stripes), even_grid(grid(), 2.2)).voxels[3:-3, 3:-3, 3:-3]
    assert np.abs(read - 500.0).max() < 60


def test_outside_of_a_ct_is_air_and_nearest_invents_no_value() -> None:
    scan = ball_scan()
    moved = replace(scan.grid, kji_to_lps=Pose.of_shift((10, 0, 0)).array @ scan.grid.kji_to_lps)
    read = resampled(scan, moved, "nearest")
    assert set(np.unique(read.voxels)) <= {-1024, *np.unique(scan.voxels)}
    assert (read.voxels[:, :, -10:] == -1024).all()
    assert np.array_equal(resampled(scan, scan.grid).voxels, scan.voxels)


def test_another_patient_space_is_refused() -> None:
    with pytest.raises(Mismatch, match="register step"):
        resampled(ball_scan(), grid(frame=ELSEWHERE))


@pytest.mark.parametrize("spacing", [0.6, 1.7])
@pytest.mark.parametrize("how", ["nearest", "linear"])
def test_some_slices_are_read_as_they_are_with_all_others(spacing: float, how: str) -> None:
    """What lies far from them has no say, so a scan can be read a stretch at a time."""
    noise = np.random.default_rng(4).normal(0, 300, grid().shape_kji).astype(np.float32)
    scan, even = Volume(grid(), noise), even_grid(oblique(), spacing)
    whole = resampled(scan, even, how).voxels
    some = slice(len(whole) // 2, len(whole) // 2 + 3)
    part = even.part((some, slice(None), slice(None)))
    k, j, i = reach(scan.grid, part)
    assert k.stop - k.start < len(noise) or spacing > 1
    near = Volume(scan.grid.part((k, j, i)), noise[k, j, i])
    assert np.allclose(resampled(near, part, how).voxels, whole[some], atol=1e-3)
