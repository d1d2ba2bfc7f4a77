"""A series is split where it holds several volumes, and only there."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from surgiplan.formats import dicom
from surgiplan.formats.dicom.crowds import volumes_in
from surgiplan.values import Volume

from .making import edited, grid, only, volume, written


def marked(files, **values) -> None:
    """Give each file its own value of some elements: a function of its number."""
    for k, path in enumerate(files):
        edited([path], lambda d, k=k: [setattr(d, name, of(k)) for name, of in values.items()])


def uid(number: int) -> str:
    return f"1.2.3.{number}"


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("AcquisitionNumber", lambda k: 1 + k // 3),
        ("AcquisitionNumber", lambda k: k),
        ("AcquisitionTime", lambda k: f"1200{k:02}"),
        ("ContentTime", lambda k: f"1200{k:02}"),
        ("TriggerTime", lambda k: 7.0 * k),
        ("EchoTime", lambda k: 4.5 + 0.001 * k),
        ("ImageType", lambda k: ["DERIVED" if k == 2 else "ORIGINAL", "PRIMARY", "AXIAL"]),
        ("ConvolutionKernel", lambda k: "" if k == 2 else "STANDARD"),
        ("StackID", lambda k: "1"),
        ("ContrastBolusAgent", lambda k: "" if k < 2 else "iodine"),
        ("SliceThickness", lambda k: 1.0 + k % 2),
    ],
)
def test_one_scan_is_never_split(tmp_path: Path, name, of) -> None:
    marked(written(tmp_path), **{name: of})
    series = only(tmp_path)
    assert series.warnings == ()
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ConvolutionKernel", ("SOFT", "BONE")),
        ("EchoNumbers", (1, 2)),
        ("DiffusionBValue", (0.0, 800.0)),
        ("ImageType", (["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "SECONDARY", "MPR"])),
    ],
)
def test_kinds_are_split_where_no_positions_repeat(tmp_path: Path, name, values) -> None:
    marked(written(tmp_path, volume(grid((8, 6, 7)))), **{name: lambda k: values[k // 5]})
    first, second = dicom.scan(tmp_path).series
    assert (first.shape_kji[0], second.shape_kji[0]) == (5, 3)
    assert "3 more images of the series are not in this volume" in first.warnings[0]
    whole = volume(grid((8, 6, 7))).voxels
    assert np.array_equal(dicom.read_series(first).voxels, whole[:5])
    assert np.array_equal(dicom.read_series(second).voxels, whole[5:])


def test_two_marks_together_tell_four_volumes_apart(tmp_path: Path) -> None:
    for n in range(4):
        files = written(tmp_path / str(n), volume(seed=n))
        about = {
            "TemporalPositionIdentifier": lambda k, n=n: 1 + n // 2,
            "EchoTime": lambda k, n=n: 5 + n % 2,
        }
        marked(files, SOPInstanceUID=lambda k, n=n: uid(10 * n + k), **about)
    found = dicom.scan(tmp_path).series
    assert len(found) == 4
    for n, series in enumerate(found):
        told = f"TemporalPositionIdentifier {1 + n // 2}, EchoTime {5 + n % 2}"
        assert f"holds 4 volumes; this is the one with {told}" in series.warnings[0]
        assert np.array_equal(dicom.read_series(series).voxels, volume(seed=n).voxels)


def test_phases_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    for n, value in enumerate((30.0, 4.0, 100.0)):
        files = written(tmp_path / str(n), volume(seed=n))
        marked(files, SOPInstanceUID=lambda k, n=n: uid(10 * n + k), TriggerTime=lambda k, v=value: v)
    told = [series.warnings[0].rsplit(" ", 1)[1] for series in dicom.scan(tmp_path).series]
    assert list(map(float, told)) == [4, 30, 100]


def test_phases_that_nothing_tells_apart_are_refused_without_a_choice(tmp_path: Path) -> None:
    written(tmp_path / "a")
    marked(written(tmp_path / "b", volume(seed=1)), SOPInstanceUID=uid)
    series = only(tmp_path)
    assert "nothing tells them apart" in series.reason
    assert series.choices == ()


def test_a_time_of_each_image_alone_is_no_phase(tmp_path: Path) -> None:
    """Two phases whose every image has a time of its own: split by the echo, not into single images."""
    for n in range(2):
        about = {"AcquisitionTime": lambda k, n=n: f"12{n}0{k:02}", "EchoTime": lambda k, n=n: 5 + n}
        files = written(tmp_path / str(n), volume(seed=n))
        marked(files, SOPInstanceUID=lambda k, n=n: uid(10 * n + k), **about)
    assert [series.shape_kji[0] for series in dicom.scan(tmp_path).series] == [5, 5]


def test_one_slice_of_another_pixel_spacing_spoils_the_stack_even_at_its_end(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[-1:], lambda d: setattr(d, "PixelSpacing", [0.7, 0.5]))
    series = only(tmp_path)
    assert "contradict each other" in series.reason
    assert "0.7 x 0.4 mm" in series.reason
    assert "0.7 x 0.5 mm" in series.reason
    assert files[-1].name in series.reason


def test_two_fields_of_view_one_behind_the_other_are_two_volumes(tmp_path: Path) -> None:
    files = written(tmp_path, volume(grid((8, 6, 7))))
    edited(files[5:], lambda d: setattr(d, "PixelSpacing", [0.9, 0.8]))
    first, second = dicom.scan(tmp_path).series
    assert first.spacing_kji == pytest.approx((2.5, 0.7, 0.4))
    assert second.spacing_kji == pytest.approx((2.5, 0.9, 0.8))


def test_an_end_slice_of_another_frame_of_reference_is_told_of(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[-1:], lambda d: setattr(d, "FrameOfReferenceUID", uid(1)))
    series, other = dicom.scan(tmp_path).series
    assert "1 more image of the series is not in this volume" in series.warnings[0]
    assert "single image" in other.reason


def test_the_first_of_duplicates_is_that_of_the_lowest_number_not_name(tmp_path: Path) -> None:
    files = written(tmp_path)
    first = pydicom.dcmread(files[1])
    first.InstanceNumber, first.SOPInstanceUID = 0, uid(1)
    first.PixelData = bytes(len(first.PixelData))
    first.save_as(tmp_path / "zz", enforce_file_format=True)
    made = dicom.accepted(only(tmp_path), ("duplicates",))
    assert files[1].name in made.warnings[0]
    read = dicom.read_series(made).voxels
    assert np.all(read[1] == -1024)
    assert np.array_equal(read[2:], volume().voxels[2:])


@pytest.mark.parametrize("number", ["", "many"])
def test_a_bad_instance_number_harms_nothing(tmp_path: Path, number) -> None:
    for path in written(tmp_path):
        data = pydicom.dcmread(path)
        data["InstanceNumber"]._value = number
        data.save_as(path, enforce_file_format=True)
    assert only(tmp_path).usable


def test_two_patients_of_one_study_are_noted_and_stay_apart(tmp_path: Path) -> None:
    written(tmp_path / "a", patient_id="1")
    written(tmp_path / "b", patient_id="2", series_number=2)
    found = dicom.scan(tmp_path)
    assert "more than one patient" in found.notes[0]
    assert {series.identity.patient_id for series in found.series} == {"1", "2"}
    assert all(series.usable for series in found.series)


def test_an_empty_slice_that_two_phases_share_is_in_both(tmp_path: Path) -> None:
    voxels = volume().voxels.copy()
    voxels[[0, 2]] = -1000
    for n in range(2):
        files = written(tmp_path / str(n), Volume(grid(), np.where(voxels > -1000, voxels + n, voxels)))
        marked(files, SOPInstanceUID=lambda k, n=n: uid(10 * n + k), EchoTime=lambda k, n=n: 5 + n)
    for n, series in enumerate(dicom.scan(tmp_path).series):
        assert series.usable
        assert len(series.warnings) == 1
        assert np.array_equal(dicom.read_series(series).voxels[1], voxels[1] + n)


def test_phases_that_a_mark_tells_apart_are_found_without_looking_at_pixels(tmp_path: Path) -> None:
    for n in range(2):
        files = written(tmp_path / str(n), volume(seed=n))
        marked(files, SOPInstanceUID=lambda k, n=n: uid(10 * n + k), EchoTime=lambda k, n=n: 5 + n)
    pictures = [picture for series in dicom.scan(tmp_path).series for picture in series.slices]
    assert len(volumes_in(pictures, lambda picture: pytest.fail("pixels were looked at"))) == 2


def test_a_mosaic_of_slices_in_one_picture_is_refused(tmp_path: Path) -> None:
    marked(written(tmp_path), ImageType=lambda k: ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])
    assert "mosaic" in only(tmp_path).reason
