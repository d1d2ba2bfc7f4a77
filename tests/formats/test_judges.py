"""Judged by programs of others: our reading against dcm2niix and dcmtk, our writing by dciodvfy.

They are no part of surgiplan: dcm2niix, dcmtk and dicom3tools of Debian. CI installs them.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from surgiplan.formats import dicom
from surgiplan.formats.privacy.deidentify import treated
from surgiplan.formats.privacy.pseudonyms import Dates, Options, Pseudonyms
from surgiplan.formats.sources import Reader, listed
from surgiplan.values import Volume
from tests.formats.making import J2K, JPEG_LOSSLESS, edited, grid, only, recoded, volume, written

TURNED = {  # rotation vectors in degrees
    "axial": (0, 0, 0),
    "oblique": (12, -7, 20),
    "coronal": (-90, 0, 0),
    "sagittal": (0, 90, 0),
    "prone": (0, 0, 180),
    "feet first": (0, 180, 0),
}


def judge(name: str, package: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    return found


def told(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace")
    return done.stdout + done.stderr


def patient_volume(turned: tuple[float, ...]) -> Volume:
    """Larger than the smallest pictures that other programs take for scans."""
    return volume(grid((7, 24, 20), (2.5, 0.7, 0.4), turned=turned), seed=5)


@pytest.mark.parametrize("name", TURNED)
def test_dcm2niix_sees_the_same_values_at_the_same_places(tmp_path: Path, name: str) -> None:
    program = judge("dcm2niix", "dcm2niix")
    written(tmp_path / "in", patient_volume(TURNED[name]))
    (tmp_path / "out").mkdir()
    said = told(program, "-b", "n", "-z", "n", "-f", "scan", "-o", tmp_path / "out", tmp_path / "in")
    (made,) = (tmp_path / "out").glob("*.nii")
    theirs = SimpleITK.ReadImage(str(made))
    ours = dicom.read_series(only(tmp_path / "in"))
    values = SimpleITK.GetArrayFromImage(theirs)
    assert values.size == ours.voxels.size, said
    for kji in np.ndindex(*ours.grid.shape_kji):
        at = theirs.TransformPhysicalPointToContinuousIndex([float(x) for x in ours.grid.to_lps(kji)])
        i, j, k = np.rint(at).astype(int)
        assert np.abs(np.subtract(at, (i, j, k))).max() < 0.01
        assert values[k, j, i] == ours.voxels[kji]


@pytest.mark.parametrize("name", TURNED)
def test_gdcm_agrees_where_it_is_right(tmp_path: Path, name: str) -> None:
    """SimpleITK's reader is right on straight, even, complete stacks; on others it is no judge."""
    files = written(tmp_path, patient_volume(TURNED[name]))
    ours = dicom.read_series(only(tmp_path))
    theirs = SimpleITK.ReadImage([str(file) for file in files])
    assert np.array_equal(SimpleITK.GetArrayFromImage(theirs), ours.voxels)
    for kji in ((0, 0, 0), (6, 23, 19), (3, 0, 19)):
        place = theirs.TransformIndexToPhysicalPoint([int(n) for n in kji[::-1]])
        assert ours.grid.to_lps(kji) == pytest.approx(place, abs=1e-3)


@pytest.mark.parametrize(
    ("syntax", "program"),
    [(RLELossless, "dcmdrle"), (JPEGLSLossless, "dcmdjpls"), (JPEG_LOSSLESS, "dcmdjpeg")],
)
def test_dcmtk_decodes_the_same_pixels(tmp_path: Path, syntax: str, program: str) -> None:
    decoder = judge(program, "dcmtk")
    of = patient_volume((0, 0, 0))
    written_as = ExplicitVRLittleEndian if syntax == JPEG_LOSSLESS else syntax
    files = written(tmp_path, of, transfer_syntax=written_as)
    if syntax == JPEG_LOSSLESS:
        for file in files:
            recoded(file, syntax)
    ours = dicom.read_series(only(tmp_path))
    assert np.array_equal(ours.voxels, of.voxels)
    for k, file in enumerate(files):
        plain = tmp_path / f"{k}.plain"
        said = told(decoder, file, plain)
        theirs = pydicom.dcmread(plain)
        assert theirs.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian, said
        stored = theirs.pixel_array.astype(int) + int(theirs.RescaleIntercept)
        assert np.array_equal(stored, ours.voxels[k])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless])
@pytest.mark.parametrize("name", ["axial", "oblique"])
def test_what_we_write_is_valid(tmp_path: Path, name: str, syntax: str) -> None:
    program = judge("dciodvfy", "dicom3tools")
    files = written(tmp_path, patient_volume(TURNED[name]), transfer_syntax=syntax)
    for file in (files[0], files[-1]):
        said = told(program, "-new", file)
        assert "CTImage" in said
        assert [line for line in said.splitlines() if line.startswith("Error")] == []


def test_the_validator_would_notice(tmp_path: Path) -> None:
    program = judge("dciodvfy", "dicom3tools")
    file = written(tmp_path)[0]
    dataset = pydicom.dcmread(file)
    del dataset.ImagePositionPatient
    dataset.save_as(file, enforce_file_format=True)
    assert "ImagePositionPatient" in told(program, "-new", file)


def test_a_recoded_picture_is_still_the_same_to_another_decoder(tmp_path: Path) -> None:
    """JPEG 2000: dcmtk has no decoder for it, GDCM has."""
    of = patient_volume((0, 0, 0))
    files = written(tmp_path, of)
    for file in files:
        recoded(file, J2K)
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage([str(file) for file in files]))
    assert np.array_equal(theirs, of.voxels)
    assert np.array_equal(dicom.read_series(only(tmp_path)).voxels, of.voxels)


@pytest.mark.parametrize("dates", ["remove", "shift", "keep"])
def test_dciodvfy_finds_no_error_in_a_deidentified_file_that_it_had_not(tmp_path: Path, dates: Dates) -> None:
    program = judge("dciodvfy", "dicom3tools")
    (file, *_) = written(tmp_path)

    def put(dataset: pydicom.Dataset) -> None:
        dataset.DeviceSerialNumber, dataset.OperatorsName, dataset.ProtocolName = "4711", "Op^One", "Knee"
        dataset.ContrastBolusAgent, dataset.PatientAge = "Ultravist", "055Y"

    edited([file], put)
    made = treated(file.read_bytes(), Options(dates=dates), Pseudonyms(b"s" * 32))
    (tmp_path / "made").write_bytes(made.data)
    before, after = (told(program, "-new", path) for path in (file, tmp_path / "made"))
    assert "CTImage" in after
    assert errors_of(after) <= errors_of(before)


@pytest.mark.real_data
@pytest.mark.parametrize(
    "archive",
    [
        "dcm_seg_rtstruct/dicompyler_rtss.zip",
        "dcm_seg_rtstruct/dcmqi_ct3slice_liver_seg.zip",
        "dcm_enhanced_multiframe/dcmqi_legacy_converted_ct_23x38x3.zip",
        "dcm_small_cases/dicom2nifti_cases.zip",
        "dcm_compressed/wg04_ct_mr_syntaxes.zip",
    ],
)
def test_dciodvfy_finds_no_error_in_real_files_that_it_had_not(
    tmp_path: Path, shared_data: Path, archive: str
) -> None:
    program = judge("dciodvfy", "dicom3tools")
    seen = set()
    with Reader() as reader:
        for member in listed(shared_data / archive).members:
            data = reader.open(member).read()
            made = treated(data, Options(), Pseudonyms(b"s" * 32))
            if made.reason or made.series in seen:
                continue
            seen.add(made.series)
            (tmp_path / "before").write_bytes(data)
            (tmp_path / "after").write_bytes(made.data)
            before, after = (
                errors_of(told(program, "-new", tmp_path / name)) for name in ("before", "after")
            )
            assert after <= before, member.name
    assert seen


def errors_of(said: str) -> set[str]:
    """The errors without the values that they quote."""
    return {line.partition(" = <")[0] for line in said.splitlines() if line.startswith("Error")}
