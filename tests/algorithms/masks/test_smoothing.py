"""Closing, opening, median and the blur that keeps the volume."""

import numpy as np
import pytest

from surgiplan.algorithms.masks import box
from surgiplan.algorithms.masks.smoothing import closed, median, opened, smoothed
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.phantoms import EllipsoidPhantom, ShellPhantom, SpherePhantom, TorusPhantom
from surgiplan.values import Mask, digest

from .bodies import inside, mask_of, place_of, stop

BODIES = [SpherePhantom(), EllipsoidPhantom(), TorusPhantom(), ShellPhantom()]


def two_plates(gap: int) -> Mask:
    """Plates of 4.9 mm along i, so many voxels of 0.7 mm apart; spacing 1.5, 0.9, 0.7 mm."""
    voxels = np.zeros((20, 30, 40), np.bool_)
    voxels[4:16, 5:25, 6:13] = True
    voxels[4:16, 5:25, 13 + gap : 20 + gap] = True
    return mask_of(voxels, level=300.0)


@pytest.mark.parametrize(("gap", "shut"), [(3, True), (4, True), (6, True), (7, False), (9, False)])
def test_closing_shuts_gaps_narrower_than_the_ball(gap, shut) -> None:
    """A ball of 2.1 mm reaches 3 voxels of 0.7 mm, so it has room between plates 8 voxels from each other."""
    mask = two_plates(gap)
    result = closed(mask, 2.1)
    assert not (mask.voxels & ~result.voxels).any()
    assert result.voxels[10, 15, 13 : 13 + gap].all() == shut
    assert result.level == 300.0
    if not shut:
        assert np.array_equal(result.voxels, mask.voxels)


def test_closing_twice_changes_nothing_more_and_reaches_no_further() -> None:
    rough = mask_of(np.random.default_rng(1).random((15, 18, 21)) < 0.2)
    once = closed(rough, 1.6)
    assert np.array_equal(closed(once, 1.6).voxels, once.voxels)
    block = two_plates(3)
    assert np.argwhere(closed(block, 2.1).voxels).max(axis=0).tolist() == [15, 24, 22]


def test_closing_does_not_stick_to_the_edge_of_the_scan() -> None:
    voxels = np.zeros((8, 10, 12), np.bool_)
    voxels[1:7, 1:9, 2:10] = True
    assert np.array_equal(closed(mask_of(voxels), 3.0).voxels, voxels)


def test_opening_takes_a_thin_bridge_and_leaves_the_plates() -> None:
    mask = two_plates(8)
    bridged = mask.voxels.copy()
    bridged[8:11, 14:17, 13:21] = True
    result = opened(mask_of(bridged), 2.0)
    assert not result.voxels[9, 15, 15:19].any()
    assert not (result.voxels & ~bridged).any()
    assert np.count_nonzero(result.voxels) > 0.9 * np.count_nonzero(mask.voxels)
    with pytest.raises(StepFailed, match="nowhere thicker than 20 mm"):
        opened(mask, 10.0)


def test_the_median_keeps_flat_faces_and_takes_specks_and_pits() -> None:
    voxels = np.zeros((16, 20, 26), np.bool_)
    voxels[:, :, 12:] = True
    flat = voxels.copy()
    voxels[5, 6, 4] = True
    voxels[9, 9, 20] = False
    assert np.array_equal(median(mask_of(voxels), 1.6).voxels, flat)
    with pytest.raises(StepFailed, match=r"choose 1\.50 mm or more"):
        median(mask_of(voxels), 1.0)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.description)
@pytest.mark.parametrize("sigma", [0.8, 1.5])
def test_the_blur_keeps_the_volume_within_two_per_mille(body, sigma) -> None:
    """Of the voxels and of the closed form, from which the voxels differ by chance."""
    mask = inside(body.surface, place_of(body))
    smooth = smoothed(mask, sigma)
    assert smooth.volume_mm3 == pytest.approx(mask.volume_mm3, rel=0.002)
    assert smooth.volume_mm3 == pytest.approx(body.volume_mm3, rel=0.004)
    assert np.count_nonzero(smooth.voxels != mask.voxels) < 0.05 * np.count_nonzero(mask.voxels)


def test_the_blur_takes_most_of_a_roughness_and_the_volume_stays() -> None:
    """Every border voxel of a ball is flipped by chance: less than a third of the error is left."""
    body = SpherePhantom()
    clean = inside(body.surface, place_of(body))
    border = np.abs(body.surface.distance(clean.grid.to_lps(np.indices(clean.voxels.shape).reshape(3, -1).T)))
    flip = (border.reshape(clean.voxels.shape) < 0.8) & (
        np.random.default_rng(2).random(clean.voxels.shape) < 0.3
    )
    rough = Mask(clean.grid, clean.voxels ^ flip)
    smooth = smoothed(rough, 1.5)
    assert smooth.volume_mm3 == pytest.approx(rough.volume_mm3, rel=0.002)
    wrong = [np.count_nonzero(one.voxels != clean.voxels) for one in (rough, smooth)]
    assert wrong[1] < wrong[0] / 3


@pytest.mark.parametrize("way", [median, smoothed])
def test_slab_by_slab_it_is_the_same(way, monkeypatch) -> None:
    rough = mask_of(np.random.default_rng(1).random((29, 8, 9)) < 0.5)
    whole = way(rough, 1.6)
    monkeypatch.setattr(box, "_VOXELS_AT_ONCE", 100)
    assert np.array_equal(way(rough, 1.6).voxels, whole.voxels)


@pytest.mark.parametrize("way", [closed, opened, median, smoothed])
def test_inputs_stay_a_stop_is_heard_and_nothing_is_refused(way) -> None:
    mask = two_plates(4)
    before = digest(mask)
    way(mask, 1.6)
    assert digest(mask) == before
    with pytest.raises(Cancelled):
        way(mask, 1.6, stop)
    with pytest.raises(StepFailed, match="No voxel is chosen"):
        way(mask_of(np.zeros((3, 4, 5))), 1.6)
