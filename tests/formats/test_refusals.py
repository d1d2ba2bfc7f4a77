"""What is not right is refused with its reason, or used with a warning; never silently."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from surgiplan.errors import BadInput
from surgiplan.formats import dicom
from surgiplan.formats.dicom.dicomwrite import uid_of

from .making import edited, grid, only, texts, volume, written

SERIES = uid_of("test", "series", "1")


def changed(**elements):
    return lambda dataset: [setattr(dataset, name, value) for name, value in elements.items()]


def raw(keyword: str, value: bytes):
    """An element of exactly these bytes, as no careful writer would make it."""
    return lambda dataset: setattr(dataset[keyword], "_value", value.decode())


def moved(k: float, sideways: float = 0.0):
    return changed(ImagePositionPatient=[-31.0 + sideways, 12.5, 104.25 + k])


def without(keyword: str):
    return lambda dataset: delattr(dataset, keyword)


def comma(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b"0.7\\0.4", b"0,7\\0,4"))


ONE_FILE = {
    "ImagePositionPatient": without("ImagePositionPatient"),
    "ImageOrientationPatient": without("ImageOrientationPatient"),
    "PixelSpacing": without("PixelSpacing"),
    "PixelSpacing is 0 x 0": changed(PixelSpacing=[0, 0]),
    "not at right angles (5.7": changed(ImageOrientationPatient=[1, 0, 0, 0.1, 0.995, 0]),
    "not hold unit vectors": changed(ImageOrientationPatient=[2, 0, 0, 0, 1, 0]),
    "must hold 3 finite numbers": changed(ImagePositionPatient=[1, 2]),
    "bits": changed(BitsAllocated=32),
    "high bit is 15": changed(HighBit=15),
    "in colours": changed(PhotometricInterpretation="RGB"),
    "too large": changed(Rows=60000, Columns=60000),
    "of the kind Secondary Capture": changed(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"),
    "of the kind Segmentation": changed(SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4"),
}


@pytest.mark.parametrize("reason", ONE_FILE)
def test_a_series_in_which_all_files_are_wrong_is_refused(tmp_path: Path, reason) -> None:
    files = written(tmp_path)
    edited(files, ONE_FILE[reason])
    found = dicom.scan(tmp_path)
    assert not any(series.usable for series in found.series)
    assert reason in texts(found)
    assert found.series[0].kji_to_lps is None
    with pytest.raises(BadInput, match="cannot be used"):
        dicom.read_series(found.series[0])


@pytest.mark.parametrize("reason", list(ONE_FILE)[:8])
@pytest.mark.parametrize("which", [0, 2, 4])
def test_one_file_of_unknown_place_makes_the_whole_series_unusable(tmp_path: Path, reason, which) -> None:
    files = written(tmp_path)
    edited(files[which : which + 1], ONE_FILE[reason])
    series = only(tmp_path)
    assert not series.usable
    assert reason in series.reason
    assert files[which].name in series.reason


def test_a_decimal_comma_is_never_guessed_at(tmp_path: Path) -> None:
    for path in written(tmp_path):
        comma(path)
    assert "decimal comma" in only(tmp_path).reason


def test_detector_spacing_does_not_stand_in_for_pixel_spacing(tmp_path: Path) -> None:
    edited(written(tmp_path), lambda d: (without("PixelSpacing")(d), changed(ImagerPixelSpacing=[1, 1])(d)))
    assert "detector" in only(tmp_path).reason


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ([2], "1 slice is missing between 106.75 and 111.75 mm"),
        ([1, 2], "2 slices are missing between 104.25 and 111.75 mm"),
        ([1, 3], "and 1 more gap"),
    ],
)
def test_missing_slices_are_named_with_their_place(tmp_path: Path, gone, says) -> None:
    files = written(tmp_path, volume(grid((7, 6, 7))))
    for k in gone:
        files[k].unlink()
    series = only(tmp_path)
    assert not series.usable
    assert says in series.reason
    assert files[gone[0] - 1].name in series.reason


def test_a_slice_beside_the_line_is_refused(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[2:3], moved(5.0, sideways=0.4))
    assert "do not lie on one line" in only(tmp_path).reason


def test_two_slices_side_by_side_are_no_stack(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[2:3], moved(2.5, sideways=40))
    assert "in the plane of another slice" in only(tmp_path).reason


def test_slices_that_are_not_parallel_are_refused(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[2:3], changed(ImageOrientationPatient=[1, 0, 0, 0, np.cos(0.005), np.sin(0.005)]))
    assert "not parallel" in only(tmp_path).reason


def test_identical_copies_are_dropped_with_a_warning(tmp_path: Path) -> None:
    files = written(tmp_path)
    (tmp_path / "copy").write_bytes(files[1].read_bytes())
    resent = pydicom.dcmread(files[3])
    resent.SOPInstanceUID = generate_uid()
    resent.save_as(tmp_path / "resent", enforce_file_format=True)
    series = only(tmp_path)
    assert series.usable
    assert len(series.files) == 5
    assert "2 images that are there twice" in series.warnings[0]
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels)


@pytest.mark.parametrize("same_uid", [True, False])
def test_different_images_at_one_place_are_refused(tmp_path: Path, same_uid) -> None:
    files = written(tmp_path)
    other = pydicom.dcmread(files[1])
    other.PixelData = bytes(len(other.PixelData))
    if not same_uid:
        other.SOPInstanceUID = generate_uid()
    other.save_as(tmp_path / "other", enforce_file_format=True)
    series = only(tmp_path)
    assert not series.usable
    assert "106.75 mm" in series.reason
    assert "different images" in series.reason
    assert files[1].name in series.reason


def test_phases_of_one_series_are_told_apart_by_their_mark(tmp_path: Path) -> None:
    written(tmp_path / "a")
    late = volume(seed=7)
    edited(
        written(tmp_path / "b", late),
        lambda d: changed(AcquisitionNumber=2, SOPInstanceUID=generate_uid())(d),
    )
    first, second = dicom.scan(tmp_path).series
    assert (first.uid, second.uid) == (SERIES, f"{SERIES}#2")
    assert "AcquisitionNumber 1" in first.warnings[0]
    assert np.array_equal(dicom.read_series(first).voxels, volume().voxels)
    assert np.array_equal(dicom.read_series(second).voxels, late.voxels)


@pytest.mark.parametrize("element", ["PatientID", "PatientName", "PatientBirthDate"])
def test_two_patients_in_one_series_are_refused_without_their_names(tmp_path: Path, element) -> None:
    files = written(tmp_path, name="Geheim^Anna")
    edited(files, changed(PatientBirthDate="19500101"))
    edited(files[3:], changed(**{element: "19600606" if "Date" in element else "Streng^Otto"}))
    found = dicom.scan(tmp_path)
    assert "more than one patient" in found.series[0].reason
    assert found.series[0].identity == found.series[0].slices[0].header.identity  # not put together of both
    assert not any(secret in texts(found) for secret in ("Geheim", "Otto", "1950", "1960"))


def test_other_spellings_of_one_name_are_one_patient(tmp_path: Path) -> None:
    files = written(tmp_path, name="Doe^Jane")
    edited(files[3:], changed(PatientName="DOE^JANE^^"))
    assert only(tmp_path).usable


def test_two_patients_in_one_folder_are_noted(tmp_path: Path) -> None:
    written(tmp_path / "a", seed_uid="a", patient_id="1")
    written(tmp_path / "b", seed_uid="b", patient_id="2")
    found = dicom.scan(tmp_path)
    assert all(series.usable for series in found.series)
    assert "more than one patient" in found.notes[0]


@pytest.mark.parametrize("flagged", [True, False])
def test_a_localizer_in_the_series_is_split_off(tmp_path: Path, flagged) -> None:
    files = written(tmp_path)
    scout = pydicom.dcmread(files[0])
    scout.SOPInstanceUID = generate_uid()
    if flagged:
        scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    else:
        scout.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    scout.save_as(tmp_path / "scout", enforce_file_format=True)
    series, other = dicom.scan(tmp_path).series
    assert (series.usable, other.usable) == (True, False)
    assert ("localizer" if flagged else "single image") in other.reason
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels)


def test_other_sizes_in_one_series_are_split_off(tmp_path: Path) -> None:
    written(tmp_path / "a")
    files = written(tmp_path / "b", volume(grid((3, 9, 9))))
    edited(files, lambda d: setattr(d, "SOPInstanceUID", generate_uid()))
    assert sorted(series.shape_kji for series in dicom.scan(tmp_path).series) == [(3, 9, 9), (5, 6, 7)]


def test_objects_without_images_are_listed_with_their_kind(tmp_path: Path) -> None:
    written(tmp_path)
    plan = pydicom.dcmread(next(tmp_path.iterdir()), stop_before_pixels=True)
    for element in list(plan.group_dataset(0x28)):
        del plan[element.tag]
    plan.SOPClassUID, plan.Modality = "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"
    plan.SOPInstanceUID, plan.SeriesInstanceUID = generate_uid(), generate_uid()
    plan.save_as(tmp_path / "rt", enforce_file_format=True)
    series, other = dicom.scan(tmp_path).series
    assert series.usable
    assert (other.modality, other.usable, other.shape_kji) == ("RTSTRUCT", False, (1, 0, 0))
    assert "RT Structure Set" in other.reason


def test_a_medium_index_is_not_followed(tmp_path: Path) -> None:
    written(tmp_path)
    index = pydicom.dcmread(next(tmp_path.iterdir()), stop_before_pixels=True)
    index.SOPClassUID = "1.2.840.10008.1.3.10"
    item = Dataset()
    item.ReferencedFileID = ["..", "..", "secret"]
    index.DirectoryRecordSequence = Sequence([item])
    index.SeriesInstanceUID = ""
    index.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    found = dicom.scan(tmp_path)
    assert [series.usable for series in found.series] == [True, False]
    assert "index of a medium" in found.series[1].reason


WARNED = {
    "MONOCHROME1": changed(PhotometricInterpretation="MONOCHROME1"),
    "slope of 0": changed(RescaleSlope=0),
    "Hounsfield": lambda d: (without("RescaleSlope")(d), without("RescaleIntercept")(d)),
    "not stated to be Hounsfield": changed(RescaleType="US"),
    "loss": changed(LossyImageCompression="01"),
    "burned": changed(BurnedInAnnotation="YES"),
    "Frame of Reference": changed(FrameOfReferenceUID=""),
    "an end may be missing": changed(ImagesInAcquisition=9),
}


@pytest.mark.parametrize("warning", WARNED)
def test_what_the_planner_should_know_is_a_warning(tmp_path: Path, warning) -> None:
    edited(written(tmp_path), WARNED[warning])
    series = only(tmp_path)
    assert series.usable
    assert len(series.warnings) == (2 if warning == "slope of 0" else 1)
    assert warning in series.warnings[0]
    read = dicom.read_series(series)
    shift = 1024 if warning == "Hounsfield" else 0
    assert np.array_equal(read.voxels, volume().voxels + shift)
    assert read.unit == (
        "" if warning in ("slope of 0", "Hounsfield", "not stated to be Hounsfield") else "HU"
    )


def test_series_without_a_frame_of_reference_share_none(tmp_path: Path) -> None:
    edited(written(tmp_path / "a"), changed(FrameOfReferenceUID=""))
    edited(written(tmp_path / "b", series_number=2), changed(FrameOfReferenceUID=""))
    first, second = (dicom.read_series(series).grid for series in dicom.scan(tmp_path).series)
    assert first.frame_uid
    assert second.frame_uid
    assert first.frame_uid != second.frame_uid


def test_a_single_slice_without_thickness_is_no_volume(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files, changed(SliceThickness=None))
    assert "single slice without a thickness" in only(files[0]).reason


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        dicom.scan(tmp_path / "nowhere")


@pytest.mark.parametrize("gone", [[0], [6], [1, 3, 5]])
def test_slices_lost_where_positions_do_not_show_it_are_seen_by_their_numbers(tmp_path: Path, gone) -> None:
    files = written(tmp_path, volume(grid((7, 6, 7))))
    for k in gone:
        files[k].unlink()
    at_an_end = gone in ([0], [6])
    series = only(tmp_path)
    assert series.usable
    assert bool(series.warnings) is not at_an_end  # a number may begin and end anywhere
    if not at_an_end:
        assert "numbered 1 to 7 and 3 of these are not here" in series.warnings[0]


def test_images_that_state_different_sides_are_told_of(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[:2], changed(Laterality="R"))
    assert only(tmp_path).warnings == ()
    edited(files[3:], changed(Laterality="L"))
    assert only(tmp_path).warnings == ("its images state different sides (L, R): make sure of the side",)


def test_the_identity_is_that_of_all_images(tmp_path: Path) -> None:
    files = written(tmp_path, patient_id="", name="")
    edited(files[2:3], changed(PatientID="A1"))
    edited(files[4:], changed(PatientName="Doe^Jane", PatientBirthDate="19500101"))
    who = only(tmp_path).identity
    assert (who.patient_id, who.patient_name, who.birth_date) == ("A1", "Doe^Jane", "19500101")
