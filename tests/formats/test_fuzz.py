"""Two thousand spoiled files: the host lives, each is answered in time, and no geometry changes unseen."""

import random
import struct
import time
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from surgiplan.errors import BadInput
from surgiplan.formats import dicom

from .making import J2K, JPEG_LOSSLESS, edited, recoded, texts, volume, written

SECONDS = 10.0
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless)
SYNTAXES += (JPEGLSLossless, J2K, JPEG_LOSSLESS)


def answered(folder: Path) -> tuple[dicom.Scan, list[dicom.Read | str]]:
    """What a folder gives, each series read or refused, within the time."""
    start = time.monotonic()
    found = dicom.scan(folder)
    answers = list[dicom.Read | str]()
    for series in found.series:
        if series.usable:
            try:
                answers.append(dicom.read(series))
            except BadInput as problem:
                answers.append(str(problem))
    assert time.monotonic() - start < SECONDS
    return found, answers


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """Bit flips, lying lengths, lost or doubled stretches, a lost end; anywhere behind the preamble."""
    spoilt = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(132, len(spoilt) - 4)
        kind = chance.randrange(7)
        if kind < 3:
            spoilt[at] ^= 1 << chance.randrange(8)
        elif kind == 3:
            spoilt[at : at + 2] = struct.pack("<H", chance.choice((0, 1, 0x7FFF, 0xFFFE, 0xFFFF)))
        elif kind == 4:
            spoilt[at : at + 4] = struct.pack("<I", chance.choice((0xFFFFFFFF, 0x7FFFFFFE, 2_000_000_000)))
        elif kind == 5:
            del spoilt[at : at + chance.randint(1, 30)]
        else:
            spoilt[at:at] = spoilt[at : at + chance.randint(1, 30)]
        if len(spoilt) < 200:
            break
    return bytes(spoilt[: chance.randrange(132, len(spoilt))] if chance.random() < 0.08 else spoilt)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_spoiled_files_are_read_or_refused_in_time(tmp_path: Path, syntax) -> None:
    """A usable series of the five keeps its grid; with one file spoiled it may only lose it or be refused."""
    chance = random.Random(f"{syntax}")
    recode = syntax in (J2K, JPEG_LOSSLESS)
    files = written(tmp_path, transfer_syntax=ExplicitVRLittleEndian if recode else syntax)
    for path in files if recode else []:
        recoded(path, syntax)
    (series,) = dicom.scan(tmp_path).series
    truth, original = series.kji_to_lps, files[2].read_bytes()
    whole = 0
    for _ in range(2000 // len(SYNTAXES) + 1):
        files[2].write_bytes(spoiled(original, chance))
        found, answers = answered(tmp_path)
        for one in found.series:
            if one.usable and len(one.slices) > 1:
                assert len(one.slices) == 5
                assert one.kji_to_lps is not None
                assert np.abs(one.kji_to_lps - truth).max() < 0.05
        whole += any(not isinstance(answer, str) and len(answer.volume.voxels) == 5 for answer in answers)
    assert 0 < whole < 280


def bombs(folder: Path) -> dict[str, bytes]:
    """Files that claim or hide more than a computer has."""

    def made(name: str, change, syntax: str = ExplicitVRLittleEndian) -> bytes:
        path = written(folder / name, transfer_syntax=syntax)[0]
        edited([path], change)
        return path.read_bytes()

    def huge_jpegls(dataset: pydicom.Dataset) -> None:
        dataset.Rows = dataset.Columns = 12000
        dataset.PixelData = encapsulate([imagecodecs.jpegls_encode(np.zeros((12000, 12000), np.uint8))])

    def lying_jpegls(dataset: pydicom.Dataset) -> None:
        dataset.PixelData = encapsulate([imagecodecs.jpegls_encode(np.zeros((12000, 12000), np.uint8))])

    def huge_rle(dataset: pydicom.Dataset) -> None:
        dataset.Rows = dataset.Columns = 30000

    def large_rle(dataset: pydicom.Dataset) -> None:
        dataset.Rows = dataset.Columns = 8000

    plain = made("plain", lambda dataset: None)
    at = plain.index(b"\x08\x00\x18\x00UI")
    item = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    nested = b"\x00\x10\x00\x00\x00\xff\xff\xff\xff"
    deflated = made("deflated", lambda dataset: None, DeflatedExplicitVRLittleEndian)
    meta = deflated.index(b"\x02\x00\x00\x00UL") + 12
    start = meta + struct.unpack_from("<I", deflated, meta - 4)[0]
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    inside = zlib.decompress(deflated[start:], -zlib.MAX_WBITS)
    bomb = squeezer.compress(inside[:-100]) + squeezer.compress(bytes(600 << 20)) + squeezer.flush()
    return {
        "nested": plain[:at] + item * 200_000,
        "nested elsewhere": plain[:at] + nested * 200_000,
        "deflate": deflated[:start] + bomb,
        "JPEG-LS 12000": made("a", huge_jpegls, JPEGLSLossless),
        "JPEG-LS lie": made("b", lying_jpegls, JPEGLSLossless),
        "RLE 30000": made("c", huge_rle, RLELossless),
        "RLE 8000": made("d", large_rle, RLELossless),
        "frames": made("e", lambda dataset: setattr(dataset, "NumberOfFrames", 2_000_000_000)),
        "frames, RLE": made("f", lambda d: setattr(d, "NumberOfFrames", 2_000_000_000), RLELossless),
        "rows": made("g", lambda dataset: setattr(dataset, "Rows", 65535)),
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_bombs_are_refused_in_time(tmp_path: Path) -> None:
    for name, data in bombs(tmp_path / "made").items():
        place = tmp_path / name
        place.mkdir()
        (place / "bomb").write_bytes(data)
        found, answers = answered(place)
        assert all(isinstance(answer, str) for answer in answers), name
        said = texts(found) + " ".join(map(str, answers))
        assert "bomb" in said, name


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_bomb_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    files = written(tmp_path, transfer_syntax=DeflatedExplicitVRLittleEndian)  # read by the child too
    data = written(tmp_path / "other")[0].read_bytes()
    at = data.index(b"\x08\x00\x18\x00UI")
    item = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    for path in (tmp_path / "other").iterdir():
        path.unlink()
    (tmp_path / "A first").write_bytes(data[:at] + item * 20_000)
    found, answers = answered(tmp_path)
    assert "A first is damaged" in texts(found)
    assert len(found.series[0].files) == len(files)
    assert np.array_equal(answers[0].volume.voxels, volume().voxels)
