"""A scan taken with a tilted gantry shows a ball where it is, and says what was done."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from numpy.typing import NDArray

from surgiplan.formats import dicom
from surgiplan.formats.dicom.shear import upright
from surgiplan.values import Volume

from .making import edited, grid, only, written

BALL, RADIUS, STEP = np.array([3.0, 31.0, -8.0]), 6.0, 1.5


def ball(points: NDArray) -> NDArray:
    """A ball of 1000 HU with an edge 1 mm wide, in air."""
    away = np.linalg.norm(points - BALL, axis=-1) - RADIUS
    return np.rint(np.clip(0.5 - away, 0, 1) * 2000 - 1000)


def tilted_series(folder: Path, degrees: float, turned=(0, 0, 0)) -> list[Path]:
    """Slices tilted about the left-right axis and stacked along the table (z)."""
    base = grid((24, 40, 30), (STEP, 0.8, 0.9), (-10.0, 15.0, -25.0), (degrees, *turned[1:]))
    files = written(folder, Volume(base, np.zeros(base.shape_kji, np.int16)))
    ji = np.stack(np.meshgrid(np.arange(40), np.arange(30), indexing="ij"), axis=-1)
    for k, path in enumerate(files):
        start = base.kji_to_lps[:3, 3] + (0, 0, k * STEP)
        values = ball(start + ji @ base.kji_to_lps[:3, 1:3].T)

        def tilt(dataset: pydicom.Dataset, start=start, values=values) -> None:
            dataset.ImagePositionPatient = [round(float(x), 6) for x in start]
            dataset.PixelData = (values + 1024).astype("<u2").tobytes()
            dataset.GantryDetectorTilt = 3.0  # a tag that lies

        edited([path], tilt)
    return files


def centre(scan: Volume) -> NDArray:
    """Centroid of what is brighter than air, mm."""
    weight = np.clip(scan.voxels.astype(float) + 1000, 0, None)
    places = scan.grid.to_lps(np.argwhere(weight > 0))
    return weight[weight > 0] @ places / weight.sum()


@pytest.mark.parametrize("degrees", [-18.5, -3.0, 4.0, 15.0, 30.0])
def test_a_ball_is_where_it_is(tmp_path: Path, degrees) -> None:
    files = tilted_series(tmp_path, degrees)
    series = only(tmp_path)
    assert series.usable
    assert f"{abs(degrees):.1f} degrees" in series.warnings[0]
    assert series.spacing_kji[0] == pytest.approx(STEP * np.cos(np.radians(degrees)), abs=1e-5)
    scan = dicom.read_series(series)
    assert scan.grid.shape_kji == series.shape_kji
    assert np.abs(centre(scan) - BALL).max() < 0.02
    volume = np.count_nonzero(scan.voxels > 0) * scan.grid.voxel_mm3
    assert volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.03)
    if abs(degrees) > 10:  # what the usual reader makes of the same files, without a word
        image = SimpleITK.ReadImage([str(path) for path in files])
        bright = np.argwhere(SimpleITK.GetArrayFromImage(image) > 0)[:, ::-1].mean(axis=0)
        assert np.linalg.norm(image.TransformContinuousIndexToPhysicalPoint(bright) - BALL) > 1


def test_no_pixel_is_lost_and_none_invented(tmp_path: Path) -> None:
    tilted_series(tmp_path, 15.0)
    series = only(tmp_path)
    scan = dicom.read_series(series)
    corners = np.array([picture.position_lps for picture in series.slices])
    inside = scan.grid.to_kji(corners)
    assert inside.min() > -1e-6
    assert np.all(inside < scan.grid.shape_kji)
    assert scan.voxels.min() == -1024
    assert scan.voxels.max() <= 1000


def test_a_turned_patient_is_upright_too(tmp_path: Path) -> None:
    tilted_series(tmp_path, 12.0, (0, 7.0, 20.0))
    scan = dicom.read_series(only(tmp_path))
    assert np.abs(centre(scan) - BALL).max() < 0.03


def test_a_drift_too_small_to_see_is_no_tilt(tmp_path: Path) -> None:
    for k, path in enumerate(written(tmp_path)):
        place = [-31.0 + 0.005 * k, 12.5, 104.25 + 2.5 * k]
        edited([path], lambda d, place=place: setattr(d, "ImagePositionPatient", place))
    series = only(tmp_path)
    assert series.warnings == ()
    assert series.shape_kji == (5, 6, 7)


def test_a_stack_too_aslant_is_refused(tmp_path: Path) -> None:
    for k, path in enumerate(written(tmp_path)):
        place = [-31.0 + 4 * k, 12.5, 104.25 + 2.5 * k]
        edited([path], lambda d, place=place: setattr(d, "ImagePositionPatient", place))
    assert "58.0 degrees aslant" in only(tmp_path).reason


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_whole_and_half_pixels(kind) -> None:
    image = np.array([[[10, 20], [30, 40]]], kind)
    moved = upright(image, np.array([[1.0, 0.5]]), (1, 4, 3), -100, lambda fraction, text: None)
    assert moved.dtype == kind
    assert moved[0].tolist() == [[-100] * 3, [-45, 15, -40], [-35, 35, -30], [-100] * 3]
