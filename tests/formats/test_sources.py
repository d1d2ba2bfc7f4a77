"""Folders and archives that are not what they seem."""

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from surgiplan.errors import BadInput
from surgiplan.formats import dicom

from .making import only, texts, volume, written


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    files, others = written(inside), written(outside, seed_uid="other")
    try:
        (inside / "secret.dcm").symlink_to(others[0])
        (inside / "folder").symlink_to(outside)
        (inside / "again.dcm").symlink_to(files[0])  # is seen where it lies
        (inside / "broken").symlink_to(tmp_path / "nothing")
    except OSError:
        pytest.skip("links cannot be made here")
    found = dicom.scan(inside)
    assert (found.seen, len(found.series)) == (5, 1)
    assert found.series[0].warnings == ()
    assert "3 links lead out of the folder and were not followed: broken, folder, secret.dcm" in found.notes


def test_a_folder_that_is_itself_a_link_is_looked_at(tmp_path: Path) -> None:
    written(tmp_path / "real")
    try:
        (tmp_path / "link").symlink_to(tmp_path / "real")
    except OSError:
        pytest.skip("links cannot be made here")
    assert only(tmp_path / "link").usable


def test_the_index_of_a_medium_is_not_trusted_but_its_folder_looked_at(tmp_path: Path) -> None:
    written(tmp_path / "IMAGES")
    (tmp_path / "DICOMDIR").write_bytes(b"whatever")
    found = dicom.scan(tmp_path / "DICOMDIR")
    assert [series.usable for series in found.series] == [True]
    assert "the index is not trusted: all files were looked at" in found.notes


@pytest.mark.parametrize("magic", [b"MZ\x90\x00", b"\x7fELF\x02"])
def test_a_file_that_is_a_program_too_is_read_with_a_warning(tmp_path: Path, magic) -> None:
    files = written(tmp_path)
    for path in files[:2]:
        path.write_bytes(magic + path.read_bytes()[len(magic) :])
    found = dicom.scan(tmp_path)
    assert found.series[0].usable
    assert "begins like a program" in texts(found)
    assert "(2 files are of this kind)" in texts(found)
    assert np.array_equal(dicom.read_series(found.series[0]).voxels, volume().voxels)


def test_archives_in_the_folder_are_counted_and_named(tmp_path: Path) -> None:
    written(tmp_path)
    for n in range(5):
        with zipfile.ZipFile(tmp_path / f"more{n}.zip", "w") as archive:
            archive.writestr("x", "x")
    (note,) = dicom.scan(tmp_path).notes
    assert "more0.zip, more1.zip, more2.zip" in note
    assert "(5 files are of this kind)" in note


def packed(path: Path, files: list[Path], **how) -> Path:
    with zipfile.ZipFile(path, "w", **how) as archive:
        for file in files:
            archive.write(file, file.name)
    return path


@pytest.mark.parametrize("claimed", [100, 3_000, 10_000_000, 0xFFFFFFF0])
def test_the_size_that_an_archive_claims_is_not_believed(tmp_path: Path, claimed) -> None:
    """Too small, it would hide; too large, it would take memory that the member does not need."""
    path = packed(tmp_path / "x.zip", written(tmp_path / "in"), compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", claimed)
    path.write_bytes(data)
    found = dicom.scan(path)
    if found.series[0].usable and len(found.series[0].slices) == 5:
        with pytest.raises(BadInput, match=r"S1_IM00001\.dcm"):
            dicom.read_series(found.series[0])
    else:
        assert "S1_IM00001.dcm" in texts(found)


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_cannot_be_held_to_a_size_is_refused(tmp_path: Path, how) -> None:
    path = packed(tmp_path / "x.zip", written(tmp_path / "in"), compression=how)
    with pytest.raises(BadInput, match="unpack it and give the folder"):
        dicom.scan(path)


def test_files_in_the_thousands_are_found(tmp_path: Path) -> None:
    files = written(tmp_path / "one")
    for n in range(400):
        folder = tmp_path / f"{n % 7}" / f"{n}"
        folder.mkdir(parents=True)
        for path in files:
            (folder / path.name).write_bytes(path.read_bytes())
    for path in files:
        path.unlink()
    found = dicom.scan(tmp_path)
    assert found.seen == 2000
    (series,) = found.series
    assert series.usable
    assert len(series.slices) == 5
    assert "1995 images that are there twice" in texts(found)
