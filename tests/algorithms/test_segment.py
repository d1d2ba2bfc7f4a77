"""Voxels chosen by grey value, by connection and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.filters import threshold_otsu

from surgiplan.algorithms.masks import box
from surgiplan.algorithms.segment import (
    half_maximum,
    half_maximum_across,
    multi_otsu,
    otsu,
    painted,
    threshold,
)
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.phantoms.bodies import SpherePhantom
from surgiplan.phantoms.femur import Femur
from surgiplan.values import Bits, Grid, Mask, Volume, digest

SPACING_KJI = (1.5, 0.9, 0.7)


def grid(shape) -> Grid:
    """An oblique, anisotropic grid."""
    turn = np.linalg.qr(np.array([[2.0, 1.0, 0.3], [0.1, 1.7, -0.6], [0.4, -0.2, 1.1]]))[0]
    turn *= np.sign(np.linalg.det(turn[:, ::-1]))
    matrix = np.eye(4)
    matrix[:3, :3] = turn * SPACING_KJI
    matrix[:3, 3] = (-31.0, 12.0, 407.0)
    return Grid(shape, matrix, "1.2.3")


def volume(voxels, dtype=np.int16, unit="HU") -> Volume:
    array = np.asarray(voxels, dtype)
    return Volume(grid(array.shape), array, unit=unit)


def mask_of(voxels, level=None) -> Mask:
    array = np.asarray(voxels, np.bool_)
    return Mask(grid(array.shape), array, level)


def stop(fraction: float, text: str) -> None:
    raise Cancelled("stopped")


# -- threshold ------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(-32768, 32767), min_size=24, max_size=24),
    st.floats(-40000, 40000) | st.just(float("-inf")),
    st.floats(-40000, 40000) | st.just(float("inf")),
)
def test_threshold_keeps_exactly_what_lies_between_both_values(grey, low, high) -> None:
    scan = volume(np.reshape(grey, (2, 3, 4)))
    if low > high:
        low, high = high, low
    chosen = threshold(scan, low, high).voxels
    exact = scan.voxels.astype(np.float64)
    assert (chosen == ((exact >= low) & (exact <= high))).all()


def test_threshold_includes_both_ends_and_keeps_its_level() -> None:
    mask = threshold(volume([[[99, 100, 101, 200, 201]]]), 100, 200)
    assert mask.voxels.tolist() == [[[False, True, True, True, False]]]
    assert mask.level == 100.0
    assert mask.grid.frame_uid == "1.2.3"


def test_threshold_between_whole_numbers() -> None:
    mask = threshold(volume([[[99, 100, 101]]]), 99.5, 100.5)
    assert mask.voxels.tolist() == [[[False, True, False]]]


def test_threshold_of_fractions_and_of_nothing() -> None:
    mask = threshold(volume([[[0.1, 0.2, np.nan]]], np.float32), 0.15, 1.0)
    assert mask.voxels.tolist() == [[[False, True, False]]]
    assert not threshold(volume([[[1, 2]]]), 50, 60).voxels.any()


def test_threshold_is_the_same_slab_by_slab(monkeypatch) -> None:
    scan = volume(np.random.default_rng(1).integers(-1000, 2000, (7, 5, 3)))
    whole = threshold(scan, 226, 1500)
    monkeypatch.setattr(box, "_VOXELS_AT_ONCE", 30)
    said = []
    piecewise = threshold(scan, 226, 1500, lambda fraction, text: said.append(fraction))
    assert len(said) == 4
    assert (whole.voxels == piecewise.voxels).all()


def test_threshold_refuses_exchanged_values() -> None:
    with pytest.raises(StepFailed, match="exchange"):
        threshold(volume([[[1]]]), 300, 200)
    with pytest.raises(StepFailed):
        threshold(volume([[[1]]]), float("nan"), 200)


# -- suggestions ----------------------------------------------------------------------------------


def test_otsu_is_the_middle_of_the_gap_between_two_classes() -> None:
    assert otsu(volume([[[10, 12, 500, 504, 11]]])) == pytest.approx(256.0)


def test_otsu_parts_the_voxels_as_scikit_image_does() -> None:
    rng = np.random.default_rng(4)
    grey = np.concatenate([rng.normal(40, 25, 3000), rng.normal(700, 150, 1000)]).reshape(10, 20, 20)
    whole = volume(grey.round())
    assert ((whole.voxels >= otsu(whole)) == (whole.voxels > threshold_otsu(whole.voxels))).all()
    fractions = volume(grey / 1000, np.float32, unit="")
    assert otsu(fractions) == pytest.approx(threshold_otsu(fractions.voxels, nbins=4096), abs=2e-3)


def test_otsu_leaves_out_what_is_not_a_number() -> None:
    with_nan = volume([[[0.0, np.nan, 4.0, np.inf]]], np.float32)
    assert otsu(with_nan) == pytest.approx(2.0, abs=1e-3)


def test_otsu_does_not_count_the_padding_of_a_ct() -> None:
    assert otsu(volume([[[-3024, -3024, -3024, -1024, 40]]])) == pytest.approx(-492.0)
    assert otsu(volume([[[-3024, -3024, -3024, -1024, 40]]], unit="")) == pytest.approx(-2024.0)


def test_otsu_of_an_even_scan_fails() -> None:
    with pytest.raises(StepFailed, match="one grey value"):
        otsu(volume([[[7, 7]]]))


def test_multi_otsu_parts_three_classes() -> None:
    rng = np.random.default_rng(6)
    classes = [rng.normal(-900, 30, 2000), rng.normal(50, 40, 2000), rng.normal(1200, 120, 1500)]
    scan = volume(np.concatenate(classes).round().reshape(10, 11, 50))
    darker, brighter = multi_otsu(scan)
    assert -780 < darker < -110
    assert 210 < brighter < 720


def test_multi_otsu_sets_three_values_apart() -> None:
    darker, brighter = multi_otsu(volume([[[0, 0, 100, 100, 900]]]))
    assert 0 <= darker < 100 <= brighter < 900
    with pytest.raises(StepFailed, match="fewer than three"):
        multi_otsu(volume([[[0, 0, 100]]]))


@pytest.fixture(scope="module")
def ball() -> Volume:
    return SpherePhantom().volume((1.3, 1.0, 1.0), psf_sigma_mm=0.6, noise_hu=10, seed=4)


@pytest.mark.parametrize("way", [(1, 0, 0), (0, -1, 0), (0.3, 0.5, 0.8)])
@pytest.mark.parametrize("end_mm", [8.0, -23.0])
def test_half_maximum_across_an_edge_is_half_its_height(ball, way, end_mm) -> None:
    """From 24 mm off the middle of a ball of 20 mm, into it or all the way through."""
    body, unit = SpherePhantom(), np.divide(way, np.linalg.norm(way))
    line = (tuple(body.centre + 24 * unit), tuple(body.centre + end_mm * unit))
    assert half_maximum_across(ball, line) == pytest.approx(body.level_hu, abs=25)


def test_a_line_that_crosses_no_edge_is_refused(ball) -> None:
    body = SpherePhantom()
    outside, inside = tuple(np.add(body.centre, (24, 0, 0))), body.centre
    for line in ((outside, tuple(np.add(body.centre, (23, 4, 0)))), (inside, outside)):
        with pytest.raises(StepFailed, match="does not rise from its first point"):
            half_maximum_across(ball, line)
    with pytest.raises(StepFailed, match="leaves the scan"):
        half_maximum_across(ball, (outside, (999.0, 0.0, 0.0)))


@pytest.fixture(scope="module")
def thigh() -> Volume:
    return Femur().volume((1.5, 1.1, 1.1), psf_sigma_mm=0.5, noise_hu=25, seed=3)


def test_half_maximum_lies_half_way_between_cortex_and_muscle(thigh) -> None:
    assert half_maximum(thigh) == pytest.approx(Femur().level_hu, rel=0.05)


def test_half_maximum_is_not_led_astray_by_noise(thigh) -> None:
    noise = np.random.default_rng(5).normal(0, 110, thigh.voxels.shape)
    noisy = Volume(thigh.grid, np.clip(thigh.voxels + noise, -1024, 3071).astype(np.int16))
    assert half_maximum(noisy) == pytest.approx(Femur().level_hu, rel=0.08)


@pytest.mark.parametrize(("inside", "around"), [(1000.0, 0.0), (900.0, -1000.0)])
def test_half_maximum_of_one_body(inside, around) -> None:
    body = SpherePhantom(hu=inside)
    scan = body.volume((1.3, 1.0, 1.0), noise_hu=10)
    voxels = np.where(scan.voxels < 0.02 * inside, around, scan.voxels) if around else scan.voxels
    found = half_maximum(Volume(scan.grid, np.asarray(voxels, np.int16)))
    assert found == pytest.approx((inside + around) / 2, abs=0.02 * (inside - around))


def test_half_maximum_without_a_unit_starts_from_otsu() -> None:
    scan = SpherePhantom().volume((1.3, 1.0, 1.0))
    bare = Volume(scan.grid, scan.voxels.astype(np.float32) / 1000, "MR", "")
    assert half_maximum(bare) == pytest.approx(0.5, abs=0.01)


def test_half_maximum_without_bone_fails() -> None:
    with pytest.raises(StepFailed, match="Only 0 edges"):
        half_maximum(volume(np.full((6, 7, 8), 40)))


# -- by hand --------------------------------------------------------------------------------------


def test_painted_is_mask_or_added_and_not_removed() -> None:
    mask = mask_of([[[True, True, False, False]]], level=50.0)
    added = Bits.of([[0, 0, 2], [0, 0, 3], [40, 0, 0]])
    removed = Bits.of([[0, 0, 1], [0, 0, 3]])
    result = painted(mask, added, removed)
    assert result.voxels.tolist() == [[[True, False, True, False]]]
    assert result.level == 50.0
    assert mask.voxels.tolist() == [[[True, True, False, False]]]


# -- for all --------------------------------------------------------------------------------------


def test_inputs_stay_what_they_were() -> None:
    scan = volume(np.random.default_rng(2).integers(-100, 900, (4, 5, 6)))
    before = digest(scan)
    threshold(scan, 1, 2)
    otsu(scan)
    multi_otsu(scan)
    assert digest(scan) == before


def test_a_stop_is_heard() -> None:
    scan = volume(np.random.default_rng(2).integers(-100, 900, (4, 5, 6)))
    for work in (lambda: threshold(scan, 1, 2, stop), lambda: half_maximum(scan, stop)):
        with pytest.raises(Cancelled):
            work()
