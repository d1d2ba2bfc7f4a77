"""Compressed pixels: the quick way gives what pydicom gives, and what is lost is noticed."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from blake3 import blake3
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from surgiplan.errors import BadInput, Cancelled
from surgiplan.formats import dicom, quarantine
from surgiplan.formats.dicom import apart
from surgiplan.formats.dicom.codecs import quickly_decoded
from surgiplan.formats.dicom.layouts import only_fragment
from surgiplan.formats.dicom.pixels import measured, settled, stored_pictures, used_bits

from . import trials
from .making import edited, grid, only, volume, written
from .test_quarantine import both_ready

Encoder = Callable[[np.ndarray, int], bytes]
ENCODERS: dict[str, Encoder | None] = {
    RLELossless: None,
    JPEGLSLossless: lambda a, bits: imagecodecs.jpegls_encode(a.view(f"u{a.itemsize}")),
    JPEG2000Lossless: lambda a, bits: imagecodecs.jpeg2k_encode(
        a, codecformat="j2k", level=0, reversible=True, bitspersample=bits
    ),
    JPEGLossless: lambda a, bits: imagecodecs.ljpeg_encode(
        a.view(f"u{a.itemsize}"), bitspersample=8 * a.itemsize
    ),
    JPEGLosslessSV1: lambda a, bits: imagecodecs.ljpeg_encode(
        a.view(f"u{a.itemsize}"), bitspersample=8 * a.itemsize
    ),
    HTJ2KLossless: lambda a, bits: imagecodecs.htj2k_encode(a, reversible=True),
}
CASES = list(itertools.product(ENCODERS, (False, True), ((8, 8), (16, 10), (16, 12), (16, 16))))


def stored_values(signed: bool, allocated: int, bits: int, shape=(64, 48), seed: int = 1) -> np.ndarray:
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    values = np.random.default_rng(seed).integers(low, high, shape)
    return values.astype(f"{'i' if signed else 'u'}{allocated // 8}")


def coded(path: Path, uid: str, values: np.ndarray, bits: int) -> None:
    """Give a file these stored values in a transfer syntax."""
    dataset = pydicom.dcmread(path)
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8 * values.itemsize, bits, bits - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.RescaleIntercept = 0
    dataset.PixelData = values.tobytes()
    encode = ENCODERS[uid]
    if encode is None:
        dataset.compress(uid, generate_instance_uid=False)
    else:
        dataset.PixelData = encapsulate([encode(values, bits)])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = uid
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path)


def single(folder: Path, uid: str, values: np.ndarray, bits: int) -> Path:
    path, *others = written(folder)
    for other in others:
        other.unlink()
    coded(path, uid, values, bits)
    return path


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("uid", "signed", "depth"), CASES)
def test_every_coding_signedness_and_depth_is_exact(tmp_path: Path, uid, signed, depth) -> None:
    values = stored_values(signed, *depth)
    path = single(tmp_path, uid, values, depth[1])
    read = dicom.read_series(only(tmp_path))
    if uid != JPEGLSLossless or not signed or depth[1] in (8, 16):
        assert np.array_equal(read.voxels[0], values)
    dataset = pydicom.dcmread(path)
    header = only(tmp_path).slices[0].header
    (picture,) = generate_frames(dataset.PixelData, number_of_frames=1)
    quick = quickly_decoded(picture, header)
    if quick is not None:
        (parsed,) = stored_pictures(dataset, header, [0])
        assert np.array_equal(used_bits(quick, header), parsed)


@pytest.mark.parametrize("uid", ENCODERS)
def test_the_quick_way_is_taken(tmp_path: Path, uid) -> None:
    path = single(tmp_path, uid, stored_values(False, 16, 16), 16)
    (picture,) = generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    assert quickly_decoded(picture, only(tmp_path).slices[0].header) is not None


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("uid", ENCODERS)
def test_a_codestream_that_is_cut_short_is_refused(tmp_path: Path, uid, kept) -> None:
    """The encapsulation is whole, so only the codestream itself shows it."""
    path = single(tmp_path, uid, stored_values(False, 16, 16), 16)
    dataset = pydicom.dcmread(path)
    (picture,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([picture[: int(len(picture) * kept)]])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    with pytest.raises(BadInput, match=path.name):
        dicom.read_series(only(tmp_path))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("depth", [8, 16])
def test_spoiled_run_lengths_are_read_as_pydicom_reads_them_or_not_at_all(tmp_path: Path, depth) -> None:
    values = (stored_values(False, depth, depth) // 50).repeat(4, axis=1)
    path = single(tmp_path, RLELossless, values, depth)
    dataset, header, chance = pydicom.dcmread(path), only(tmp_path).slices[0].header, random.Random(3)
    (picture,) = generate_frames(dataset.PixelData, number_of_frames=1)
    taken = 0
    for n in range(400):
        spoiled = bytearray(picture)
        at = chance.randrange(16) if n % 4 == 0 else chance.randrange(64, len(picture))
        spoiled[at] = chance.randrange(256)
        quick = quickly_decoded(bytes(spoiled), header)
        if quick is not None:
            quick, taken = quick.copy(), taken + 1
            dataset.PixelData = encapsulate([bytes(spoiled)])
            (parsed,) = stored_pictures(dataset, header, [0])
            assert np.array_equal(quick, parsed)
    assert 20 < taken < 400


def test_one_fragment_is_found_and_all_else_is_left_to_pydicom() -> None:
    end = b"\xfe\xff\xdd\xe0\0\0\0\0"
    one = encapsulate([b"0123456789"]) + end
    for lead in (b"", b"abcd"):
        table = b"\xfe\xff\x00\xe0" + len(lead).to_bytes(4, "little") + lead
        rest = one[one.index(b"0123") - 8 :]
        assert only_fragment(memoryview(table + rest + b"behind")) == b"0123456789"
        assert only_fragment(memoryview(table + rest[:18] + rest)) is None
        assert only_fragment(memoryview(table + rest[:12])) is None
        assert only_fragment(memoryview(table + end)) is None
        assert only_fragment(memoryview(table)) is None
    assert only_fragment(memoryview(b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + one)) is None
    assert only_fragment(memoryview(b"")) is None


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("intercept", [-1024, 0, 1, 900, -32768, 40000])
@pytest.mark.parametrize("padding", [None, (0, 0), (-2000, -2000), (63000, 65000)])
def test_values_made_in_place_are_those_made_step_by_step(tmp_path, signed, bits, intercept, padding) -> None:
    values = stored_values(signed, 16, 16, seed=bits)  # unused bits filled too

    def change(dataset: pydicom.Dataset) -> None:
        dataset.Rows, dataset.Columns = values.shape
        dataset.PixelData = values.tobytes()
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, int(signed)
        dataset.RescaleIntercept = intercept
        if padding:
            for keyword, value in zip(("PixelPaddingValue", "PixelPaddingRangeLimit"), padding, strict=True):
                dataset.add_new(keyword, "SS" if value < 0 else "US", value)

    edited(written(tmp_path)[:1], change)
    (picture,) = (p for p in dicom.scan(tmp_path).series[-1].slices if p.header.rows == 64)
    expected = measured(used_bits(values, picture.header), picture)
    if expected.min() < -32768 or expected.max() > 32767:
        assert np.array_equal(dicom.read_series(alone(tmp_path)).voxels[0], expected.astype(np.float32))
        return
    room = values.view(np.int16).copy()
    settled(room, picture, room)
    assert np.array_equal(room, expected)
    apart = np.empty_like(room)
    settled(values, picture, apart)
    assert np.array_equal(apart, expected)


def alone(folder: Path) -> dicom.Series:
    """The series of the first file when the others are away."""
    for path in sorted(folder.iterdir())[1:]:
        path.unlink()
    return only(folder)


@pytest.mark.parametrize("uid", [DeflatedExplicitVRLittleEndian, RLELossless])
def test_a_stop_is_heard_while_the_child_reads(tmp_path: Path, uid) -> None:
    written(tmp_path, transfer_syntax=uid)
    series = only(tmp_path)

    def stop(fraction: float, text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        dicom.read_series(series, stop)
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels)


@pytest.fixture(params=[1, 2])
def children(request, monkeypatch) -> None:
    """One child, or two that share the files."""
    both_ready()
    monkeypatch.setattr(quarantine, "ready", lambda: list(range(request.param)))
    monkeypatch.setattr(apart, "_WORTH", 1)


@pytest.mark.usefixtures("children")
@pytest.mark.parametrize("uid", [DeflatedExplicitVRLittleEndian, RLELossless])
@pytest.mark.parametrize("threads", [2, 8])
def test_children_that_share_the_files_give_what_one_gives(tmp_path: Path, monkeypatch, uid, threads) -> None:
    monkeypatch.setattr(apart, "THREADS", threads)
    tall = volume(grid((67, 6, 7)))
    written(tmp_path, tall, transfer_syntax=uid)
    series = only(tmp_path)
    found = dicom.read(series)
    assert np.array_equal(found.volume.voxels, tall.voxels)
    hashes = sorted(blake3(path.read_bytes()).digest() for path in tmp_path.iterdir())
    assert found.files_digest == f"blake3:{blake3(b''.join(hashes)).hexdigest()}"


@pytest.mark.usefixtures("children")
def test_a_file_that_is_damaged_is_named_whoever_reads_it(tmp_path: Path) -> None:
    written(tmp_path, transfer_syntax=RLELossless)
    series = only(tmp_path)
    bad = sorted(tmp_path.iterdir())[4]
    bad.write_bytes(bad.read_bytes()[:-100])
    with pytest.raises(BadInput, match=bad.name):
        dicom.read_series(series)


@pytest.mark.usefixtures("children")
@pytest.mark.parametrize(
    ("decoder", "says"),
    [
        (trials.dies, "ended"),
        (trials.hangs, "given up"),
        (trials.hangs_without_the_interpreter, "given up"),
    ],
)
def test_a_file_that_ends_the_child_is_named(tmp_path: Path, monkeypatch, decoder, says) -> None:
    written(tmp_path, transfer_syntax=RLELossless)
    series = only(tmp_path)
    monkeypatch.setattr(quarantine, "ROOMS", ("surgiplan.formats.", trials.__name__))
    monkeypatch.setattr(apart, "decoded_into", decoder)
    monkeypatch.setattr(apart, "_seconds", lambda errands: 3.0)
    with pytest.raises(BadInput, match=rf"S1_IM00004\.dcm: reading it .*{says}"):
        dicom.read_series(series)


@pytest.mark.usefixtures("children")
def test_files_that_the_child_could_not_bear_together_are_read_one_by_one(tmp_path, monkeypatch) -> None:
    written(tmp_path, transfer_syntax=RLELossless)
    series = only(tmp_path)
    monkeypatch.setattr(quarantine, "ROOMS", ("surgiplan.formats.", trials.__name__))
    monkeypatch.setattr(apart, "decoded_into", trials.bears_one)
    assert np.array_equal(dicom.read_series(series).voxels, volume().voxels)
