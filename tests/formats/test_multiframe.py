"""A multi-frame object gives the same volume as single files, frame by frame."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import RLELossless

from surgiplan.formats import dicom
from surgiplan.formats.dicom import apart

from .making import ENHANCED_CT, macro, only, volume, written
from .test_quarantine import both_ready


def multiframe(folder: Path, order, slopes=None, **changes) -> Path:
    """The written series as one object, its frames in this order (None: a frame that is not there)."""
    pictures = [pydicom.dcmread(path) for path in written(folder / "single")]
    whole = pydicom.dcmread(folder / "single" / "S1_IM00001.dcm")
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = ENHANCED_CT
    whole.NumberOfFrames = len(order)
    whole.PixelData = b"".join(pictures[n].PixelData for n in order)
    groups = []
    for n in order:
        group = Dataset()
        group.PlanePositionSequence = macro(ImagePositionPatient=pictures[n].ImagePositionPatient)
        group.FrameContentSequence = macro(StackID="1")
        slope = 1 if slopes is None else slopes[n]
        group.PixelValueTransformationSequence = macro(
            RescaleIntercept=-1024, RescaleSlope=slope, RescaleType="HU"
        )
        groups.append(group)
    shared = Dataset()
    shared.PixelMeasuresSequence = macro(PixelSpacing=whole.PixelSpacing, SliceThickness=1)
    shared.PlaneOrientationSequence = macro(ImageOrientationPatient=whole.ImageOrientationPatient)
    whole.SharedFunctionalGroupsSequence = Sequence([shared])
    whole.PerFrameFunctionalGroupsSequence = Sequence(groups)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(whole, name)
    del whole.RescaleSlope, whole.RescaleIntercept
    for name, value in changes.items():
        setattr(whole, name, value)
    path = folder / "multi.dcm"
    whole.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (3, 0, 4, 1, 2)])
@pytest.mark.parametrize("packed", [False, True])
def test_frames_in_any_order_give_the_volume(tmp_path: Path, order, packed) -> None:
    path = multiframe(tmp_path, order)
    if packed:
        whole = pydicom.dcmread(path)
        whole.compress(RLELossless)
        whole.save_as(path)
    series = only(path)
    assert (series.usable, series.warnings, len(series.files)) == (True, (), 1)
    read = dicom.read_series(series)
    assert np.array_equal(read.voxels, volume().voxels)
    assert read.grid.same_as(volume().grid)
    assert read.unit == "HU"


def test_children_share_objects_that_make_one_volume(tmp_path: Path, monkeypatch) -> None:
    """Each object is read by one child alone, its frames by several threads."""
    both_ready()
    monkeypatch.setattr(apart, "_WORTH", 1)
    monkeypatch.setattr(apart, "THREADS", 8)
    (tmp_path / "both").mkdir()
    for name, order in (("1.2.1", (0, 3, 1)), ("1.2.2", (4, 2))):
        path = multiframe(tmp_path, order, SOPInstanceUID=name)
        whole = pydicom.dcmread(path)
        whole.compress(RLELossless, generate_instance_uid=False)
        whole.save_as(tmp_path / "both" / f"{name}.dcm")
    series = only(tmp_path / "both")
    assert (series.usable, len(series.files)) == (True, 2)
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels)


def test_each_frame_has_its_own_rescale(tmp_path: Path) -> None:
    series = only(multiframe(tmp_path, range(5), slopes=(1, 2, 3, 0.5, 1)))
    read = dicom.read_series(series).voxels
    stored = volume().voxels.astype(float) + 1024
    assert np.array_equal(read, stored * np.array([1, 2, 3, 0.5, 1])[:, None, None] - 1024)


def test_a_frame_that_is_not_in_hounsfield_units_is_told_of(tmp_path: Path) -> None:
    path = multiframe(tmp_path, range(5))
    whole = pydicom.dcmread(path)
    whole.PerFrameFunctionalGroupsSequence[2].PixelValueTransformationSequence[0].RescaleType = "US"
    whole.save_as(path)
    series = only(path)
    assert "not stated to be Hounsfield" in series.warnings[0]
    assert dicom.read_series(series).unit == ""


def test_a_missing_frame_is_named(tmp_path: Path) -> None:
    series = only(multiframe(tmp_path, (0, 1, 3, 4)))
    assert "1 slice is missing between 106.75 and 111.75" in series.reason
    assert "multi.dcm frame 2" in series.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"NumberOfFrames": 4}, "without a position for each frame"),
        ({"NumberOfFrames": 2_000_000_000}, "too large"),
        ({"PerFrameFunctionalGroupsSequence": Sequence([])}, "without a position for each frame"),
        ({"SharedFunctionalGroupsSequence": Sequence([])}, "ImageOrientationPatient"),
    ],
)
def test_an_object_whose_frames_have_no_place_is_refused(tmp_path: Path, changes, reason) -> None:
    series = only(multiframe(tmp_path, range(5), **changes))
    assert not series.usable
    assert reason in series.reason


def test_some_frames_of_a_phase_are_read_alone(tmp_path: Path) -> None:
    path = multiframe(tmp_path, (0, 1, 2, 3, 4, 0, 1, 2, 3, 4))
    whole = pydicom.dcmread(path)
    pixels = np.frombuffer(whole.PixelData, "<u2").copy().reshape(2, 5, 6, 7)
    pixels[1] += 7
    whole.PixelData = pixels.tobytes()
    for n, group in enumerate(whole.PerFrameFunctionalGroupsSequence):
        group.FrameContentSequence[0].TemporalPositionIndex = 1 + n // 5
    whole.save_as(path)
    first, second = dicom.scan(path).series
    assert "TemporalPositionIndex 1" in first.warnings[0]
    assert np.array_equal(dicom.read_series(first).voxels, volume().voxels)
    assert np.array_equal(dicom.read_series(second).voxels, volume().voxels + 7)
