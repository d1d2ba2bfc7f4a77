"""The threshold that follows the brightness round a voxel."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from surgiplan.algorithms.masks import box
from surgiplan.algorithms.masks.local import local_threshold
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.values import Volume

from .bodies import stop, volume_of


def sloped() -> tuple[Volume, np.ndarray]:
    """Two plates, 200 HU above a background that rises from 0 to 900 HU along j."""
    plates = np.zeros((12, 60, 50), np.bool_)
    plates[:, 8:11, 5:45] = plates[:, 48:51, 5:45] = True
    slope = np.linspace(0, 900, 60)[None, :, None]
    return volume_of(slope + 200 * plates), plates


def test_plates_on_a_slope_are_found_where_no_single_threshold_can() -> None:
    scan, plates = sloped()
    assert scan.voxels[plates].min() < scan.voxels[~plates].max()
    found = local_threshold(scan, 9.0, 70, 100, 3071)
    inner = np.s_[:, 8:52, 5:45]
    assert np.array_equal(found.voxels[inner], plates[inner])
    assert found.level is None


def test_it_is_the_mean_of_the_block_that_counts() -> None:
    scan = volume_of(np.random.default_rng(4).integers(-100, 900, (9, 14, 17)))
    mean = uniform_filter(scan.voxels.astype(float), (3, 5, 5), mode="nearest")  # 1.9 of 1.5, 0.9 and 0.7 mm
    truth = (scan.voxels >= mean + 50) & (scan.voxels >= 200) & (scan.voxels <= 800)
    assert np.array_equal(local_threshold(scan, 1.9, 50, 200, 800).voxels, truth)


def test_slab_by_slab_it_is_the_same(monkeypatch) -> None:
    scan = volume_of(np.random.default_rng(4).integers(-100, 900, (33, 6, 7)))
    whole = local_threshold(scan, 1.9, 50, 200, 800)
    monkeypatch.setattr(box, "_VOXELS_AT_ONCE", 80)
    assert np.array_equal(local_threshold(scan, 1.9, 50, 200, 800).voxels, whole.voxels)


def test_what_cannot_be_is_refused_and_a_stop_is_heard() -> None:
    scan, _ = sloped()
    with pytest.raises(StepFailed, match="exchange them"):
        local_threshold(scan, 9.0, 70, 500, 400)
    with pytest.raises(StepFailed, match=r"choose 1\.50 mm or more"):
        local_threshold(scan, 1.0, 70, 100, 400)
    with pytest.raises(Cancelled):
        local_threshold(scan, 9.0, 70, 100, 400, stop)
