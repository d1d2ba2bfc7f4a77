"""Series that are right come back as they were written, whatever their grid, order and coding."""

import errno
import os
import pickle
import random
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from surgiplan.errors import BadInput, Cancelled, CaseError
from surgiplan.formats import dicom, sources
from surgiplan.formats.dicom.dicomwrite import COMPRESSED, NATIVE, uid_of, write_series
from surgiplan.formats.dicom.reading import READERS
from surgiplan.values import Volume

from .making import J2K, JPEG_LOSSLESS, edited, grid, only, recoded, volume, without_meta, written

ANGLES = st.tuples(*[st.floats(-180, 180)] * 3)
SPACINGS = st.tuples(*[st.floats(0.2, 6.0)] * 3)
SHAPES = st.tuples(st.integers(2, 5), st.integers(2, 6), st.integers(2, 6))
ORIGINS = st.tuples(*[st.floats(-900, 900)] * 3)


@settings(max_examples=40, deadline=None)
@given(ANGLES, SPACINGS, SHAPES, ORIGINS, st.sampled_from([1.0, 0.5, 2.0, 0.37]), st.randoms())
def test_any_grid_comes_back(turned, spacing, shape, origin, slope, chance) -> None:
    scan = volume(grid(shape, spacing, origin, turned), low=-1024, high=2000)
    with tempfile.TemporaryDirectory() as folder:
        files = write_series(scan, Path(folder), slope=slope, seed_uid="any")
        names = list(range(len(files)))
        chance.shuffle(names)
        for path, name in zip(files, names, strict=True):
            path.rename(path.with_name(f"x{name}"))
        series = only(Path(folder))
        read = dicom.read_series(series)
    assert series.usable
    assert series.warnings == ()
    assert read.grid.same_as(scan.grid)
    assert np.linalg.det(read.grid.axes[:, ::-1]) == pytest.approx(1)
    assert read.voxels.dtype == (np.int16 if slope in (1.0, 2.0) else np.float32)
    assert np.abs(read.voxels - scan.voxels.astype(float)).max() <= (0 if slope == 1 else slope / 2 + 1e-3)
    assert (read.modality, read.unit) == ("CT", "HU")


def test_the_order_is_that_of_space_not_of_names_or_instance_numbers(tmp_path: Path) -> None:
    files = written(tmp_path)
    for path, number in zip(files, (3, 1, 5, 2, 4), strict=True):
        edited([path], lambda d, n=number: setattr(d, "InstanceNumber", n))
        edited([path], lambda d: setattr(d, "SliceThickness", 99))
    read = dicom.read_series(only(tmp_path))
    assert np.array_equal(read.voxels, volume().voxels)
    assert read.grid.spacing_kji == pytest.approx((2.5, 0.7, 0.4))


@pytest.mark.parametrize(
    "turned", [(0, 0, 0), (180, 0, 0), (0, 0, 180), (90, 0, 0), (0, 90, 0), (20, -15, 30)]
)
def test_it_agrees_with_simpleitk_where_that_is_right(tmp_path: Path, turned) -> None:
    files = written(tmp_path, volume(grid(turned=turned)))
    read = dicom.read_series(only(tmp_path))
    image = SimpleITK.ReadImage([str(path) for path in files])
    ijk = [(0, 0, 0), (6, 5, 4), (1, 4, 2)]
    theirs = [image.TransformIndexToPhysicalPoint(index) for index in ijk]
    assert np.allclose(read.grid.to_lps([index[::-1] for index in ijk]), theirs, atol=1e-6)
    assert np.array_equal(read.voxels, SimpleITK.GetArrayFromImage(image))


@pytest.mark.parametrize("uid", [*NATIVE, *COMPRESSED])
def test_every_syntax_the_writer_knows_is_read(tmp_path: Path, uid) -> None:
    written(tmp_path, transfer_syntax=uid)
    series = only(tmp_path)
    assert series.transfer_syntax == uid
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels)


@pytest.mark.parametrize("uid", [J2K, JPEG_LOSSLESS, "1.2.840.10008.1.2.2"])
@pytest.mark.parametrize("low", [-1000, -3000])
def test_other_syntaxes_are_read_signed_and_unsigned(tmp_path: Path, uid, low) -> None:
    scan = volume(low=low)
    for path in written(tmp_path, scan):
        recoded(path, uid)
    series = only(tmp_path)
    assert series.transfer_syntax == uid
    assert np.array_equal(dicom.read_series(series).voxels, scan.voxels)


def test_files_without_preamble_and_meta_are_read(tmp_path: Path) -> None:
    for path in written(tmp_path):
        without_meta(path)
    assert np.array_equal(dicom.read_series(only(tmp_path)).voxels, volume().voxels)


def test_a_zip_is_read_as_its_folder_and_has_the_same_digest(tmp_path: Path) -> None:
    files = written(tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in reversed(files):
            archive.write(path, f"検査/Müller/{path.name}")
        archive.writestr("検査/readme.txt", "hello")
    found = dicom.scan(tmp_path / "set.zip")
    assert (found.seen, found.skipped, found.notes) == (6, 1, ())
    read = dicom.read(found.series[0])
    assert np.array_equal(read.volume.voxels, volume().voxels)
    assert read.files_digest == dicom.read(only(tmp_path / "folder")).files_digest


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.1", RLELossless, DeflatedExplicitVRLittleEndian])
def test_the_digest_is_that_of_all_bytes(tmp_path: Path, uid) -> None:
    files = written(tmp_path, transfer_syntax=uid)
    files[0].write_bytes(files[0].read_bytes() + bytes(4))  # behind the pixels
    hashes = sorted(blake3(path.read_bytes()).digest() for path in files)
    assert dicom.read(only(tmp_path)).files_digest == "blake3:" + blake3(b"".join(hashes)).hexdigest()


def test_names_with_accents_and_kanji_and_deep_folders(tmp_path: Path) -> None:
    deep = tmp_path / "Größe" / "患者 一"
    for n, path in enumerate(written(deep)):
        path.rename(deep / f"画像é{n}")
    assert np.array_equal(dicom.read_series(only(tmp_path)).voxels, volume().voxels)


def test_a_single_file_is_a_slice_with_a_warning(tmp_path: Path) -> None:
    files = written(tmp_path)
    series = only(files[2])
    assert series.usable
    assert any("2.5 mm" in warning for warning in series.warnings)
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels[2:3])


def test_two_series_of_one_study_are_told_apart(tmp_path: Path) -> None:
    other = volume(grid((3, 9, 9)), seed=5)
    written(tmp_path)
    written(tmp_path, other, series_number=2, description="thin")
    first, second = dicom.scan(tmp_path).series
    assert [first.uid, second.uid] == [uid_of("test", "series", "2"), uid_of("test", "series", "1")]
    assert first.identity.study_uid == second.identity.study_uid
    assert first.description == "thin"
    assert np.array_equal(dicom.read_series(first).voxels, other.voxels)


def test_the_writer_is_deterministic_and_leaves_no_preamble(tmp_path: Path) -> None:
    for one, other in zip(written(tmp_path / "a"), written(tmp_path / "b"), strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.read_bytes()[:132] == bytes(128) + b"DICM"


def test_the_writer_fills_what_the_ct_object_requires(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(written(tmp_path, patient_id="P1", name="A^B", kernel="BONE")[0])
    type_1 = (
        "ImageType SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality FrameOfReferenceUID"
    )
    type_1 += (
        " PixelSpacing ImageOrientationPatient ImagePositionPatient SamplesPerPixel PhotometricInterpretation"
    )
    type_1 += (
        " Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation RescaleIntercept RescaleSlope"
    )
    type_1 += " RescaleType PatientPosition PixelData"
    type_2 = (
        "PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID"
    )
    type_2 += (
        " AccessionNumber SeriesNumber PositionReferenceIndicator Manufacturer InstanceNumber SliceThickness"
    )
    type_2 += " KVP AcquisitionNumber"
    assert all(dataset.get(keyword) not in (None, "") for keyword in type_1.split())
    assert all(keyword in dataset for keyword in type_2.split())
    assert (dataset.PatientName, dataset.PatientID, dataset.ConvolutionKernel) == ("A^B", "P1", "BONE")


def test_nothing_of_the_source_is_changed(tmp_path: Path) -> None:
    files = written(tmp_path)
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
    read = dicom.read_series(only(tmp_path))
    assert not read.voxels.flags.writeable
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in files] == before
    assert sorted(tmp_path.iterdir()) == files


def test_each_file_is_opened_once_and_an_archive_once_in_each_thread(tmp_path: Path, monkeypatch) -> None:
    files = written(tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in files:
            archive.write(path, path.name)
    opened, archives = [], []
    real_open, real_zip = sources.Reader.open, zipfile.ZipFile
    monkeypatch.setattr(sources.Reader, "open", lambda r, m: opened.append(m) or real_open(r, m))
    monkeypatch.setattr(zipfile, "ZipFile", lambda *a: archives.append(a) or real_zip(*a))
    series = only(tmp_path / "set.zip")
    assert (len(opened), len(archives)) == (5, 2)  # once to list, once to read
    dicom.read_series(series)
    assert len(opened) == 10
    assert 3 <= len(archives) <= 2 + READERS


def test_progress_rises_and_a_stop_is_heard(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(dicom, "paced", lambda report: report)
    written(tmp_path)
    said: list[float] = []
    series = dicom.scan(tmp_path, lambda fraction, text: said.append(fraction)).series[0]
    assert said == sorted(said)
    assert said[-1] == 1.0
    said.clear()
    dicom.read_series(series, lambda fraction, text: said.append(fraction))
    assert said == sorted(said)
    assert said[-1] == 1.0

    def stop(fraction: float, text: str) -> None:
        if fraction > 0.3:
            raise Cancelled("stopped")

    for work in (lambda: dicom.scan(tmp_path, stop), lambda: dicom.read_series(series, stop)):
        with pytest.raises(Cancelled):
            work()


def test_a_series_crosses_to_another_process(tmp_path: Path) -> None:
    written(tmp_path)
    series = pickle.loads(pickle.dumps(only(tmp_path)))
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels)


def test_a_folder_without_dicom_says_how_much_it_saw(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    chance = random.Random(1)
    for n in range(5):
        (tmp_path / "sub" / f"{n}.txt").write_bytes(chance.randbytes(50 * n))
    found = dicom.scan(tmp_path)
    assert (found.series, found.seen, found.skipped) == ((), 5, 5)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_folder_is_not_waited_for(tmp_path: Path) -> None:
    written(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert only(tmp_path).usable


def test_a_series_that_cannot_be_finished_is_not_left_half(tmp_path: Path, monkeypatch) -> None:
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if "00003" in path.name:
            real(path, data[:50])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CaseError, match="the disk is full"):
        written(tmp_path)
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()

    def stop(fraction: float, text: str) -> None:
        if fraction > 0:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        written(tmp_path, volume(grid((300, 3, 3))), report=stop)
    assert not list(tmp_path.iterdir())


def test_only_ct_of_16_bits_is_written(tmp_path: Path) -> None:
    mr = Volume(grid(), volume().voxels, "MR", "")
    wide = Volume(grid(), volume().voxels.astype(np.float32) * 100)
    for scan, how in ((mr, {}), (wide, {}), (volume(), {"transfer_syntax": J2K})):
        with pytest.raises(BadInput):
            write_series(scan, tmp_path / "out", **how)
    assert not (tmp_path / "out").exists()
