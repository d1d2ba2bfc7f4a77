"""The small picture of one slice: the right one, in its place, thinned without a shift."""

from pathlib import Path

import numpy as np
import pytest

from surgiplan.errors import BadInput
from surgiplan.formats import dicom
from surgiplan.formats.dicom.dicomwrite import write_series
from surgiplan.formats.dicom.preview import grey_window, preview
from surgiplan.phantoms import PHANTOMS
from surgiplan.values import Grid, Volume, given_away


def slanted() -> Volume:
    """A small scan, turned against the patient, no two of whose values are alike."""
    voxels = np.arange(3 * 24 * 20, dtype=np.int16).reshape(3, 24, 20)
    turn, _ = np.linalg.qr(np.array([[9.0, 1, 0], [-1, 9, 2], [0, -2, 9]]))
    turn = turn * np.sign(np.diag(turn))
    affine = np.eye(4)
    affine[:3, :3] = turn[:, ::-1] * (2.5, 0.75, 0.5)
    affine[:3, 3] = (-6.0, -12.0, -20.0)
    return Volume(Grid(voxels.shape, affine, "1.2.3"), given_away(voxels))


def test_each_picture_has_the_values_and_the_place_of_its_slice(tmp_path: Path) -> None:
    volume = slanted()
    write_series(volume, tmp_path)
    (series,) = dicom.scan(tmp_path).series
    for k in range(3):
        one = preview(series, k, 100)
        assert np.array_equal(one.values, volume.voxels[k])
        assert one.pixel_mm == pytest.approx((0.75, 0.5))
        assert one.grid is not None
        for j, i in ((0, 0), (23, 0), (0, 19)):
            assert one.grid.to_lps((0, j, i)) == pytest.approx(volume.grid.to_lps((k, j, i)), abs=1e-4)


def test_thinning_takes_the_mean_and_keeps_every_block_in_its_place(tmp_path: Path) -> None:
    volume = slanted()
    write_series(volume, tmp_path)
    (series,) = dicom.scan(tmp_path).series
    one = preview(series, 1, 12)
    assert one.values.shape == (12, 10)
    assert one.values[5, 3] == pytest.approx(volume.voxels[1, 10:12, 6:8].mean())
    assert one.pixel_mm == pytest.approx((1.5, 1.0))
    assert one.grid is not None
    assert one.grid.to_lps((0, 5, 3)) == pytest.approx(volume.grid.to_lps((1, 10.5, 6.5)), abs=1e-4)


def test_a_file_that_has_gone_is_refused_by_name(tmp_path: Path) -> None:
    files = write_series(slanted(), tmp_path)
    (series,) = dicom.scan(tmp_path).series
    files[1].unlink()
    with pytest.raises(BadInput, match="IM00002"):
        preview(series, 1, 100)


def test_the_window_leaves_the_empty_rim_out() -> None:
    values = PHANTOMS["ellipsoid"]().volume().voxels[20].astype(np.float32)
    values = np.pad(values, 200, constant_values=-2000.0)
    width, level = grey_window(values)
    assert level - width / 2 > -1100, "padding says nothing of the scan"
    assert grey_window(np.zeros((4, 4))) == (pytest.approx(1e-3), 0.0)
