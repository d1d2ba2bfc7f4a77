"""Voxels chosen by grey value, by connection and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.filters import threshold_otsu

from surgiplan.algorithms import segment
from surgiplan.algorithms.segment import grow, half_maximum, largest_part, otsu, painted, part_at, threshold
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


def two_boxes() -> np.ndarray:
    """A box of 24 voxels and one of 8 that touches it along an edge only."""
    voxels = np.zeros((7, 8, 9), np.bool_)
    voxels[1:3, 1:4, 1:5] = True
    voxels[3:5, 4:6, 2:4] = True
    return voxels


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
    monkeypatch.setattr(segment, "_VOXELS_AT_ONCE", 30)
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


# -- connection -----------------------------------------------------------------------------------


def test_largest_part_is_connected_through_faces_only() -> None:
    kept = largest_part(mask_of(two_boxes(), level=226.0))
    assert np.count_nonzero(kept.voxels) == 24
    assert kept.voxels[1, 1, 1]
    assert not kept.voxels[3, 4, 2]
    assert kept.level == 226.0


def test_largest_part_of_many_is_found_across_slabs(monkeypatch) -> None:
    monkeypatch.setattr(segment, "_VOXELS_AT_ONCE", 20)
    voxels = np.zeros((9, 3, 7), np.bool_)
    voxels[::2, 0, ::2] = True
    voxels[1:8, 2, 6] = True
    kept = largest_part(mask_of(voxels))
    assert np.argwhere(kept.voxels).tolist() == [[k, 2, 6] for k in range(1, 8)]


def test_largest_part_of_nothing_fails() -> None:
    with pytest.raises(StepFailed, match="No voxel is chosen"):
        largest_part(mask_of(np.zeros((2, 3, 4))))


def test_part_at_keeps_the_part_under_the_seed() -> None:
    mask = mask_of(two_boxes(), level=1.0)
    small = part_at(mask, tuple(mask.grid.to_lps((3.4, 4.0, 3.0))))
    assert np.count_nonzero(small.voxels) == 8
    assert small.level == 1.0
    large = part_at(mask, tuple(mask.grid.to_lps((2, 2, 2))))
    assert np.count_nonzero(large.voxels) == 24
    assert (small.voxels | large.voxels == mask.voxels).all()


@given(st.tuples(st.integers(0, 6), st.integers(0, 7), st.integers(0, 8)))
def test_a_seed_in_air_fails_with_its_distance(voxel) -> None:
    mask = mask_of(two_boxes())
    if mask.voxels[voxel]:
        return
    away = np.linalg.norm((np.argwhere(mask.voxels) - voxel) * SPACING_KJI, axis=1).min()
    with pytest.raises(StepFailed, match=rf"{away:.1f} mm from the nearest"):
        part_at(mask, tuple(mask.grid.to_lps(voxel)))


def test_a_seed_outside_the_scan_fails_with_its_distance() -> None:
    mask = mask_of(two_boxes())
    with pytest.raises(StepFailed, match=r"6\.0 mm outside the scan"):
        part_at(mask, tuple(mask.grid.to_lps((-4, 3, 3))))
    with pytest.raises(StepFailed, match="No voxel"):
        part_at(mask_of(np.zeros((2, 3, 4))), tuple(mask.grid.to_lps((1, 1, 1))))


def test_grow_keeps_what_the_seed_reaches_within_the_range() -> None:
    grey = np.where(two_boxes(), 400, 20)
    grey[1, 1, 1] = 3000
    scan = volume(grey)
    grown = grow(scan, tuple(scan.grid.to_lps((2, 2, 2))), 300, 2000)
    assert np.count_nonzero(grown.voxels) == 23
    assert grown.level == 300.0


def test_grow_says_what_it_found_at_a_seed_out_of_range() -> None:
    scan = volume(np.where(two_boxes(), 400, 20))
    with pytest.raises(StepFailed, match=r"lies on 20 HU, outside the range 300 to 2000"):
        grow(scan, tuple(scan.grid.to_lps((0, 0, 0))), 300, 2000)
    with pytest.raises(StepFailed, match="outside the scan"):
        grow(scan, tuple(scan.grid.to_lps((0, 0, 99))), 300, 2000)


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
    scan, mask = volume(np.where(two_boxes(), 400, 20)), mask_of(two_boxes())
    before = digest(scan), digest(mask)
    seed = tuple(scan.grid.to_lps((2, 2, 2)))
    grow(scan, seed, 300, 2000)
    largest_part(mask)
    part_at(mask, seed)
    otsu(scan)
    assert (digest(scan), digest(mask)) == before


def test_a_stop_is_heard() -> None:
    scan, mask = volume(np.where(two_boxes(), 400, 20)), mask_of(two_boxes())
    seed = tuple(scan.grid.to_lps((2, 2, 2)))
    for work in (
        lambda: threshold(scan, 1, 2, stop),
        lambda: grow(scan, seed, 300, 2000, stop),
        lambda: largest_part(mask, stop),
        lambda: part_at(mask, seed, stop),
        lambda: half_maximum(scan, stop),
    ):
        with pytest.raises(Cancelled):
            work()
