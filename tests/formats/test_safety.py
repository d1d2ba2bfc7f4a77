"""Files that are damaged or made to do harm cost a sentence, never the program."""

import os
import random
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from surgiplan.errors import BadInput
from surgiplan.formats import dicom, sources
from surgiplan.formats.dicom import pixels

from .making import edited, only, texts, volume, written


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_a_truncated_file_is_named_and_blocks_its_series(tmp_path: Path, kept) -> None:
    files = written(tmp_path)
    size = files[2].stat().st_size
    os.truncate(files[2], int(size * kept) if kept > 0.5 else 400)
    found = dicom.scan(tmp_path)
    assert not any(series.usable for series in found.series)
    assert files[2].name in texts(found)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pytest takes our own filter away
@pytest.mark.parametrize("uid", [RLELossless, JPEGLSLossless])
def test_a_truncated_compressed_file_is_named_when_read(tmp_path: Path, uid) -> None:
    files = written(tmp_path, transfer_syntax=uid)
    os.truncate(files[2], files[2].stat().st_size - 30)
    series = only(tmp_path)
    with pytest.raises(BadInput, match=files[2].name):
        dicom.read_series(series)


def test_a_damaged_last_file_is_told_of_though_nothing_else_shows_it(tmp_path: Path) -> None:
    files = written(tmp_path)
    files[-1].write_bytes(files[-1].read_bytes()[:140])
    found = dicom.scan(tmp_path)
    assert files[-1].name in found.notes[0]
    assert any(files[-1].name in warning for warning in found.series[0].warnings)


def test_ten_thousand_sequences_in_each_other_are_survived(tmp_path: Path) -> None:
    files = written(tmp_path)
    item = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    data = files[0].read_bytes()
    place = data.index(b"\x08\x00\x18\x00UI")
    (tmp_path / "deep").write_bytes(data[:place] + item * 10_000)
    found = dicom.scan(tmp_path)
    assert found.series[0].usable
    assert "deep is damaged" in found.notes[0]


def test_a_deflate_bomb_stays_small(tmp_path: Path) -> None:
    files = written(tmp_path, transfer_syntax=DeflatedExplicitVRLittleEndian)
    data = files[0].read_bytes()
    meta = data.index(b"\x02\x00\x00\x00UL") + 12
    start = meta + struct.unpack_from("<I", data, meta - 4)[0]
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    plain = zlib.decompress(data[start:], -zlib.MAX_WBITS)
    zeros = bytes(1 << 20)
    bomb = (
        squeezer.compress(plain) + b"".join(squeezer.compress(zeros) for _ in range(200)) + squeezer.flush()
    )
    files[0].write_bytes(data[:start] + bomb)
    tracemalloc.start()
    series = only(tmp_path)
    with pytest.raises(BadInput, match="inflates to more"):
        dicom.read_series(series)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(bomb) < 1 << 20
    assert peak < 190 << 20


def test_a_codestream_that_claims_more_than_its_header_is_not_decoded(tmp_path: Path, monkeypatch) -> None:
    def enlarge(dataset: pydicom.Dataset) -> None:
        dataset.PixelData = encapsulate([imagecodecs.jpegls_encode(np.zeros((3000, 3000), np.uint16))])

    edited(written(tmp_path, transfer_syntax=JPEGLSLossless)[:1], enlarge)
    series = only(tmp_path)
    monkeypatch.setattr(pixels, "get_decoder", lambda uid: pytest.fail("it was decoded"))
    with pytest.raises(BadInput, match="another size"):
        dicom.read_series(series)


class Panic(BaseException):
    """What a Rust decoder raises."""


@pytest.mark.parametrize("raised", [Panic, MemoryError, ValueError])
def test_whatever_a_decoder_raises_ends_at_the_border(tmp_path: Path, monkeypatch, raised) -> None:
    class Broken:
        is_available = True

        def iter_array(self, *args, **how):
            raise raised("Doe^Jane")

    (path, *_) = written(tmp_path)
    header = only(tmp_path).slices[0].header
    monkeypatch.setattr(pixels, "get_decoder", lambda uid: Broken())
    with pytest.raises(BadInput, match=r"S1_IM00001\.dcm") as caught:
        list(pixels.stored_pictures(pydicom.dcmread(path), header, [0]))
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_the_users_stop_passes_the_border(tmp_path: Path, monkeypatch, raised) -> None:
    (path, *_) = written(tmp_path)
    header = only(tmp_path).slices[0].header

    def stop(uid: str) -> None:
        raise raised

    monkeypatch.setattr(pixels, "get_decoder", stop)
    with pytest.raises(raised):
        list(pixels.stored_pictures(pydicom.dcmread(path), header, [0]))


def test_a_file_that_changed_since_the_scan_is_noticed(tmp_path: Path) -> None:
    files = written(tmp_path)
    series = only(tmp_path)
    edited(files[1:2], lambda d: setattr(d, "ImagePositionPatient", [0, 0, 0]))
    with pytest.raises(BadInput, match=f"{files[1].name} is damaged or has changed"):
        dicom.read_series(series)
    files[1].unlink()
    with pytest.raises(BadInput, match=files[1].name):
        dicom.read_series(series)


def archive_with(path: Path, files: list[Path], **extra: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
        for name, data in extra.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "name", ["../../evil.dcm", "/etc/evil.dcm", "a/../../b", "..\\evil", "C:\\evil", "\\\\host\\x"]
)
def test_an_archive_that_points_outside_is_refused(tmp_path: Path, name) -> None:
    path = archive_with(tmp_path / "x.zip", written(tmp_path / "in"), **{name: b"x"})
    with pytest.raises(BadInput, match="outside the archive"):
        dicom.scan(path)


def test_an_archive_with_a_link_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadInput, match="is a link"):
        dicom.scan(tmp_path / "x.zip")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = archive_with(tmp_path / "x.zip", written(tmp_path / "in"))
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match="encrypted"):
        dicom.scan(path)


def test_an_archive_in_an_archive_is_not_looked_into(tmp_path: Path) -> None:
    files = written(tmp_path / "in")
    inner = archive_with(tmp_path / "inner.zip", files)
    found = dicom.scan(archive_with(tmp_path / "x.zip", files, **{"inner.zip": inner.read_bytes()}))
    assert found.series[0].usable
    assert (found.skipped, "inner.zip" in found.notes[0]) == (1, True)


def test_the_bounds_of_an_archive_hold(tmp_path: Path, monkeypatch) -> None:
    path = archive_with(tmp_path / "x.zip", written(tmp_path / "in"))
    for bound, says in (
        ("MAX_MEMBERS", "at most 4"),
        ("MAX_MEMBER_BYTES", "unpacks"),
        ("MAX_ARCHIVE_BYTES", "more"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(sources, bound, 4)
            with pytest.raises(BadInput, match=says):
                dicom.scan(path)
    assert dicom.scan(path).series[0].usable


def test_a_damaged_archive_is_refused_and_a_damaged_member_named(tmp_path: Path) -> None:
    path = archive_with(tmp_path / "x.zip", written(tmp_path / "in"))
    data = path.read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match="damaged zip"):
        dicom.scan(tmp_path / "cut.zip")
    spoiled = bytearray(data)
    spoiled[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(spoiled)
    found = dicom.scan(path)
    said = texts(found)
    if not said:
        with pytest.raises(BadInput) as caught:
            dicom.read_series(found.series[0])
        said = str(caught.value)
    assert "S1_IM" in said


def test_nothing_is_unpacked_and_no_name_is_used(tmp_path: Path, monkeypatch) -> None:
    path = archive_with(tmp_path / "x.zip", written(tmp_path / "in"))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    dicom.read_series(only(path))
    assert sorted(tmp_path.rglob("*")) == before


def test_no_identity_gets_into_a_message(tmp_path: Path, capfd, caplog, recwarn) -> None:
    files = written(tmp_path, name="Geheim^Anna", patient_id="GEHEIM77")
    edited(files[:1], lambda d: setattr(d, "PatientID", "GEHEIM78"))
    edited(files[1:2], lambda d: d.add_new("StudyDate", "DA", "Geheim"))
    os.truncate(files[2], 900)
    found = dicom.scan(tmp_path)
    said = texts(found) + capfd.readouterr().err + caplog.text + " ".join(str(w.message) for w in recwarn)
    assert said
    assert "geheim" not in said.lower()
    assert found.series[0].identity.patient_name == "Geheim^Anna"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_files_are_read_or_refused_but_never_crash(tmp_path: Path) -> None:
    chance = random.Random(11)
    originals = [
        written(tmp_path / f"o{n}", transfer_syntax=uid)[0].read_bytes()
        for n, uid in enumerate((RLELossless, JPEGLSLossless, "1.2.840.10008.1.2.1"))
    ]
    broken = 0
    for n in range(240):
        data = bytearray(originals[n % 3])
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(132, len(data))] = chance.randrange(256)
        path = tmp_path / "mutant"
        path.write_bytes(data)
        try:
            for series in dicom.scan(path).series:
                dicom.read_series(series)
        except BadInput:
            broken += 1
    assert broken > 20


def test_junk_that_begins_like_dicom_is_a_note(tmp_path: Path) -> None:
    chance = random.Random(3)
    written(tmp_path)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "magic").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "noise").write_bytes(bytes(128) + b"DICM" + chance.randbytes(3000))
    (tmp_path / "old").write_bytes(b"\x08\x00" + chance.randbytes(3000))
    found = dicom.scan(tmp_path)
    assert found.series[0].usable
    assert (found.seen, found.skipped) == (9, 1)
    assert len(found.notes) + sum(not series.usable for series in found.series) == 3
    assert np.array_equal(dicom.read_series(found.series[0]).voxels, volume().voxels)


def test_an_unreadable_stream_is_a_note(tmp_path: Path, monkeypatch) -> None:
    files = written(tmp_path)
    real = sources.Reader.open

    def fail(reader, member):
        if member.name == files[4].name:
            raise OSError("input/output error")
        return real(reader, member)

    monkeypatch.setattr(sources.Reader, "open", fail)
    found = dicom.scan(tmp_path)
    assert files[4].name in found.notes[0]
