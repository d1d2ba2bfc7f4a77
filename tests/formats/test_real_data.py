"""Real series: which can be used, why the others cannot, and what is known of their content."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from scipy import ndimage

from benchmarks import import_table
from surgiplan.formats import dicom
from surgiplan.formats.dicom.plausible import hounsfield_doubts
from surgiplan.values import Volume

pytestmark = pytest.mark.real_data

USABLE = {  # archive: shape, spacing, lowest and highest value, unit of its foremost series
    "ct_skull_phantom/S21570_S2030_bone_1mm.zip": ((140, 512, 512), (1.0, 0.4512, 0.4512), -1024, 3071, "HU"),
    "ct_skull_phantom/S21570_mixed_study.zip": ((28, 512, 512), (5.0, 0.4512, 0.4512), -1024, 782, "HU"),
    "ct_pelvis_lumbar/ACRIN-FLT-Breast_001_series.zip": (
        (99, 512, 512),
        (4.25, 0.9766, 0.9766),
        -1024,
        1288,
        "HU",
    ),
    "ct_body_coronal/coronal_CView.zip": ((40, 432, 512), (1.6797, 1.6797, 1.3672), -1024, 3026, "HU"),
    "mr_head_t1_defaced/studyforrest_anat_T1w.zip": ((384, 384, 274), (0.6667, 0.6667, 0.7), 0, 278, ""),
    "dcm_seg_rtstruct/dcmqi_ct3slice_liver_seg.zip": (
        (3, 512, 512),
        (1.0, 0.8105, 0.8105),
        -1024,
        1381,
        "HU",
    ),
}
REASONS = {  # archive: words of the reasons of what cannot be used
    "ct_skull_phantom/S21570_mixed_study.zip": ["Secondary Capture"] * 3 + ["localizer"] + ["index"] * 4,
    "dcm_seg_rtstruct/dcmqi_ct3slice_liver_seg.zip": ["Segmentation"],
    "dcm_seg_rtstruct/dicompyler_rtss.zip": ["RT Plan", "RT Structure"],
    "dcm_small_cases/dicom2nifti_cases.zip": ["1 slice is missing between 28.11 and 38.11 mm"],
    "dcm_enhanced_multiframe/emri_small.dcm": ["without a position for each frame"],
}


def unpacked(folder: Path, archive: Path, wanted: str) -> Path:
    """The members of an archive whose names hold a text."""
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            if wanted in name and not name.endswith("/"):
                packed.extract(name, folder)
    return folder


@pytest.mark.parametrize("name", USABLE)
def test_real_series_are_read(shared_data: Path, name) -> None:
    shape, spacing, low, high, unit = USABLE[name]
    series = dicom.scan(shared_data / name).series[0]
    assert (series.usable, series.shape_kji, series.warnings) == (True, shape, ())
    assert series.spacing_kji == pytest.approx(spacing, abs=1e-4)
    scan = dicom.read_series(series)
    assert (scan.voxels.dtype, scan.voxels.min(), scan.voxels.max(), scan.unit) == (np.int16, low, high, unit)


@pytest.mark.parametrize("name", REASONS)
def test_what_cannot_be_used_says_why(shared_data: Path, name) -> None:
    reasons = [series.reason for series in dicom.scan(shared_data / name).series if not series.usable]
    assert len(reasons) == len(REASONS[name])
    assert all(any(words in reason for reason in reasons) for words in REASONS[name])


def largest_body(scan: Volume, above: float) -> tuple[np.ndarray, float]:
    """Extent in mm (x, y, z) and volume in ml of the largest body above so many HU."""
    labels, _ = ndimage.label(scan.voxels > above)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    extent = np.ptp(scan.grid.to_lps(np.argwhere(labels == sizes.argmax())), axis=0)
    return extent, float(sizes.max() * scan.grid.voxel_mm3 / 1000)


def test_a_tilted_skull_is_as_wide_and_long_as_it_is(shared_data: Path) -> None:
    series = dicom.scan(shared_data / "ct_skull_phantom_tilt_minus18" / "S21610_S2010.zip").series[0]
    assert "18.5 degrees" in series.warnings[0]
    assert series.spacing_kji == pytest.approx((2.3708, 0.4824, 0.4824), abs=1e-4)
    (width, length, _), _ = largest_body(dicom.read_series(series), 300)
    assert width == pytest.approx(138.0, abs=0.1)
    assert length == pytest.approx(182.1, abs=0.25)


@pytest.mark.parametrize(
    ("name", "above", "extent", "millilitres"),
    [
        ("ct_skull_phantom/S21570_S2030_bone_1mm.zip", 300, (138.5, 186.8, 133.0), 391),
        ("ct_pelvis_lumbar/ACRIN-FLT-Breast_001_series.zip", 250, (287, 172, 416), 848),
    ],
)
def test_bones_have_the_size_and_volume_that_are_known_of_them(
    shared_data: Path, name, above, extent, millilitres
) -> None:
    """Reference figures from each slice's own position, without this importer."""
    found, volume = largest_body(dicom.read_series(dicom.scan(shared_data / name).series[0]), above)
    assert found == pytest.approx(extent, abs=0.06 if above == 300 else 0.6)
    assert volume == pytest.approx(millilitres, abs=0.5)


def test_one_skull_is_as_wide_in_thick_slices_and_thin_and_tilted(shared_data: Path) -> None:
    names = ("ct_skull_phantom/S21570_S2030_bone_1mm", "ct_skull_phantom/S21570_mixed_study")
    for name in (*names, "ct_skull_phantom_tilt_minus18/S21610_S2010"):
        series = dicom.scan(shared_data / f"{name}.zip").series[0]
        (width, _, _), _ = largest_body(dicom.read_series(series), 300)
        assert 137.5 <= width <= 138.6


def test_a_missing_slice_is_made_up_when_that_is_accepted(shared_data: Path, tmp_path: Path) -> None:
    folder = unpacked(tmp_path, shared_data / "dcm_small_cases" / "dicom2nifti_cases.zip", "sliceincrement")
    (series,) = dicom.scan(folder).series
    assert series.choices == ("missing",)
    made = dicom.accepted(series, series.choices)
    assert made.spacing_kji[0] == pytest.approx(5.0, abs=1e-3)
    assert "1 slice is missing between 28.11 and 38.11 mm" in made.warnings[0]
    read = dicom.read_series(made)
    assert read.grid.shape_kji == (5, 512, 512)
    mean = (read.voxels[2].astype(float) + read.voxels[4]) / 2
    assert np.abs(read.voxels[3] - mean).max() <= 0.5
    for picture in made.slices:
        at = read.grid.to_kji(picture.position_lps)
        assert np.linalg.norm(read.grid.to_lps(np.rint(at)) - picture.position_lps) <= 1e-3


def test_a_tilted_gantry_of_another_scanner_is_seen(shared_data: Path, tmp_path: Path) -> None:
    folder = unpacked(tmp_path, shared_data / "dcm_small_cases" / "dicom2nifti_cases.zip", "gantrytilting")
    series = dicom.scan(folder).series[0]
    assert "14.0 degrees" in series.warnings[0]
    assert dicom.read_series(series).grid.shape_kji == series.shape_kji


@pytest.mark.parametrize("coding", ["", "_RLE", "_big_endian", "_jpeg_2k_lossless", "_jpeg_ls_lossless"])
def test_frames_without_a_place_are_refused_in_every_coding(shared_data: Path, coding) -> None:
    (series,) = dicom.scan(shared_data / "dcm_enhanced_multiframe" / f"emri_small{coding}.dcm").series
    assert "without a position for each frame" in series.reason
    assert series.choices == ()


def test_the_values_of_real_ct_are_taken_for_hounsfield_units(shared_data: Path) -> None:
    for name, (*_, unit) in USABLE.items():
        if unit == "HU":
            series = dicom.scan(shared_data / name).series[0]
            one = series.slices[0].header
            assert hounsfield_doubts(dicom.read_series(series), one.sop_class, one.model) == ()


def test_the_table_in_the_page_is_what_the_importer_says(shared_data: Path) -> None:
    assert import_table.table(shared_data) == import_table.PAGE.shown(), (
        "run: python -m benchmarks.import_table --write"
    )


def test_every_coding_gives_the_same_pixels(shared_data: Path, tmp_path: Path) -> None:
    unpacked(tmp_path, shared_data / "dcm_compressed" / "wg04_ct_mr_syntaxes.zip", "wg04/")
    files = sorted(tmp_path.rglob("*.dcm"))
    assert len(files) == 22
    for path in files:
        plain = path.with_name(f"{path.stem.split('_')[0]}_UNC.dcm")
        series, reference = dicom.scan(path).series[0], dicom.scan(plain).series[0]
        read, truth = dicom.read_series(series), dicom.read_series(reference)
        lossy = any(end in path.stem for end in ("J2KI", "JLSN", "JPLY"))
        assert any("loss" in warning for warning in series.warnings) is lossy
        inside = truth.voxels > -1024  # loss blurs the border of the padding
        away = np.abs(read.voxels.astype(float) - truth.voxels)[inside]
        assert away.mean() <= (40 if lossy else 0), path.name
        assert np.array_equal(read.grid.kji_to_lps, truth.grid.kji_to_lps)


def test_a_multi_frame_object_equals_its_single_files(shared_data: Path) -> None:
    found = dicom.scan(shared_data / "dcm_enhanced_multiframe" / "dcmqi_legacy_converted_ct_23x38x3.zip")
    usable = [series for series in found.series if series.usable]
    assert sorted(len(series.files) for series in usable) == [1, 3]
    one, other = (dicom.read_series(series) for series in usable)
    assert np.array_equal(one.voxels, other.voxels)
    assert np.allclose(one.grid.kji_to_lps, other.grid.kji_to_lps)


NIFTI = ["ge/anatomical", "philips_enhanced/anatomical", "generic/compressed_rle", "generic/compressed_jpeg/"]


@pytest.mark.parametrize(
    "case", [*NIFTI, "generic/compressed_jpegls", "generic/compressed_j2k", "generic/anatomical"]
)
def test_they_agree_with_the_truth_another_project_keeps(shared_data: Path, tmp_path: Path, case) -> None:
    folder = unpacked(tmp_path, shared_data / "dcm_small_cases" / "dicom2nifti_cases.zip", case)
    (truth,) = folder.rglob("*.nii.gz")
    series = dicom.scan(folder).series
    read = dicom.read_series(series[0])
    image = SimpleITK.ReadImage(str(truth))
    values = SimpleITK.GetArrayFromImage(image)
    at: Callable = image.TransformPhysicalPointToContinuousIndex
    kji = np.argwhere(np.ones(read.grid.shape_kji, bool))[::9973]
    index = np.array([at([float(x) for x in read.grid.to_lps(place)]) for place in kji])
    assert np.abs(index - np.rint(index)).max() < 1e-2
    i, j, k = np.rint(index).astype(int).T
    assert np.allclose(values[k, j, i], read.voxels[tuple(kji.T)], atol=0.51)
