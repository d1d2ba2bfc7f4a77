"""The walker over headers says what pydicom says, or nothing."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from surgiplan.formats.dicom.datasets import looks_like_dicom
from surgiplan.formats.dicom.headers import Slice, slices_of
from surgiplan.formats.dicom.walker import MAX_HEAD, Walker
from surgiplan.formats.sources import Member

from .making import edited, recoded, volume, without_meta, written

SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    DeflatedExplicitVRLittleEndian,
)
Slices = tuple[Slice, ...]


def member_of(data: bytes) -> Member:
    return Member("x", "x", len(data))


def walked(data: bytes, walker: Walker | None = None) -> Slices | None:
    return (walker or Walker()).slices(member_of(data), lambda count: data[:count])


def parsed(data: bytes) -> Slices | None:
    """What pydicom gives; None where it refuses."""
    try:
        return slices_of(io.BytesIO(data), member_of(data))
    except Exception:
        return None


def agrees(data: bytes, walker: Walker | None = None) -> bool:
    """Whether the walker took the file. It must then say what pydicom says."""
    found = walked(data, walker)
    if found is not None:
        assert found == parsed(data)
    return found is not None


def rich(folder: Path, syntax: str) -> bytes:
    """A header with all that a scanner's has: private elements, sequences in each other, odd text."""

    def enrich(dataset: Dataset) -> None:
        block = dataset.private_block(0x0043, "SCANNER", create=True)
        for n, (vr, value) in enumerate(
            [("LO", "text"), ("DS", "1.5"), ("SS", -7), ("FD", 2.5), ("OB", b"12")]
        ):
            block.add_new(n, vr, value)
        inner, outer = Dataset(), Dataset()
        inner.CodeValue, inner.CodeMeaning = "T-D1100", "Head"
        outer.ConceptNameCodeSequence = Sequence([inner, Dataset()])
        outer["ConceptNameCodeSequence"].is_undefined_length = True
        outer.Modality = "PT"
        dataset.AnatomicRegionSequence = Sequence([outer, outer])
        dataset["AnatomicRegionSequence"].is_undefined_length = syntax != ImplicitVRLittleEndian
        dataset.ProcedureCodeSequence = Sequence([inner])
        dataset.add_new("SmallestImagePixelValue", "US", 0)
        dataset.add_new("PixelPaddingValue", "US", 63536)
        dataset.SeriesDescription = "Kopf über alles"
        dataset.EchoTime, dataset.TriggerTime, dataset.AcquisitionNumber = "2.50", 7, "03"
        dataset.ImagesInAcquisition = 5

    files = written(folder, transfer_syntax=syntax, name="Müller^Jörg^^Dr.")
    edited(files[:1], enrich)
    return files[0].read_bytes()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_it_takes_plain_files_and_says_what_pydicom_says(tmp_path: Path, syntax) -> None:
    assert agrees(rich(tmp_path / "rich", syntax))
    assert all(agrees(path.read_bytes()) for path in written(tmp_path / "plain", transfer_syntax=syntax))


def test_what_it_says_does_not_depend_on_the_files_before(tmp_path: Path) -> None:
    walker = Walker()
    for syntax in SYNTAXES:
        for path in written(tmp_path / syntax, volume(seed=len(syntax)), transfer_syntax=syntax):
            data = path.read_bytes()
            assert walker.slices(member_of(data), lambda n, data=data: data[:n]) == parsed(data)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 192", "", "ISO_IR 6"])
@pytest.mark.parametrize("name", ["Doe^Jane", "Müller^Jörg", "Doe^Jane^^", " Doe ^Jane ", "山田^太郎", "A=B"])
def test_names_are_read_as_pydicom_reads_them_or_left_to_it(tmp_path: Path, charset, name) -> None:
    def change(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = charset
        dataset.PatientName, dataset.PatientID = name, name

    files = written(tmp_path)
    try:
        edited(files[:1], change)
    except UnicodeEncodeError:
        pytest.skip("this name cannot be written in this character set")
    taken = agrees(files[0].read_bytes())
    assert taken or not name.isascii() or "=" in name


def called_deflated(plain: bytes) -> bytes:
    return plain.replace(b"UI\x14\x001.2.840.10008.1.2.1\0", b"UI\x16\x001.2.840.10008.1.2.1.99", 1)


def parts_of_deflated(data: bytes) -> tuple[bytes, bytes]:
    """The meta information, and what is deflated behind it, inflated."""
    at = 144 + int.from_bytes(data[140:144], "little")
    return data[:at], zlib.decompress(data[at:], -zlib.MAX_WBITS)


def deflated(meta: bytes, body: bytes) -> bytes:
    return meta + zlib.compress(body, wbits=-zlib.MAX_WBITS)


def odd_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    plain = rich(folder, ExplicitVRLittleEndian)
    yield "no preamble", plain[132:]
    yield "wrong magic", plain[:128] + b"DICN" + plain[132:]
    path = folder / "S1_IM00002.dcm"
    recoded(path, ExplicitVRBigEndian)
    yield "big endian", path.read_bytes()
    without_meta(folder / "S1_IM00003.dcm")
    yield "without meta", (folder / "S1_IM00003.dcm").read_bytes()
    deflated = written(folder / "deflated", transfer_syntax=DeflatedExplicitVRLittleEndian)[0].read_bytes()
    yield "damaged deflated header", deflated[:500] + bytes(100) + deflated[600:]
    yield "called deflated", called_deflated(plain)
    rows = plain.index(b"\x28\x00\x10\x00US")
    yield "twice", plain[:rows] + plain[rows : rows + 10] + plain[rows:]
    columns = plain.index(b"\x28\x00\x11\x00US")
    yield (
        "descending",
        plain[:rows] + plain[columns : columns + 10] + plain[rows : rows + 10] + plain[columns + 10 :],
    )
    yield "another VR", plain[:rows] + plain[rows : rows + 4] + b"SS" + plain[rows + 6 :]
    yield "unknown VR", plain[:rows] + plain[rows : rows + 4] + b"QQ" + plain[rows + 6 :]
    uid = plain.index(b"\x20\x00\x0e\x00UI")
    yield "letters in a UID", plain[: uid + 12] + b"x" + plain[uid + 13 :]
    spacing = plain.index(b"\x28\x00\x30\x00DS")
    yield "comma", plain[: spacing + 9] + b"," + plain[spacing + 10 :]
    yield "cut within an element", plain[: rows + 9]


def test_what_is_odd_is_left_to_pydicom(tmp_path: Path) -> None:
    for name, data in odd_files(tmp_path):
        assert walked(data) is None, name


def test_a_deflated_header_is_inflated_as_far_as_it_goes(tmp_path: Path) -> None:
    meta, body = parts_of_deflated(rich(tmp_path, DeflatedExplicitVRLittleEndian))
    at = body.index(b"\x10\x00\x10\x00PN")
    for size, taken in ((0, True), (40_000, True), (300_000, False)):
        blob = b"\x09\x00\x10\x10OB\x00\x00" + struct.pack("<I", size) + bytes(size)
        assert agrees(deflated(meta, body[:at] + blob + body[at:])) is taken
    pixels = body.index(b"\xe0\x7f\x10\x00")
    for behind, taken in ((bytes(4), False), (b"", True), (body[pixels:], True)):
        assert agrees(deflated(meta, body[:pixels] + behind)) is taken
    assert agrees(deflated(meta, b"\x02\x00\xff\xffUL\x04\x00\0\0\0\0" + body)) is False


def test_a_file_that_is_only_called_deflated_is_not_taken_for_one_of_its_neighbours(tmp_path: Path) -> None:
    true = rich(tmp_path, DeflatedExplicitVRLittleEndian)
    walker = Walker()
    assert agrees(true, walker)
    assert not agrees(b"".join(parts_of_deflated(true)), walker)


def test_a_header_longer_than_the_first_read_is_walked_and_an_endless_one_is_not(tmp_path: Path) -> None:
    data = rich(tmp_path, ExplicitVRLittleEndian)
    for size, taken in ((40_000, True), (1_000_000, True), (MAX_HEAD, False)):
        blob = b"\x09\x00\x10\x10OB\x00\x00" + struct.pack("<I", size) + bytes(size)
        at = data.index(b"\x10\x00\x10\x00PN")
        longer = data[:at] + blob + data[at:]
        assert agrees(longer) is taken


def test_sequences_without_end_are_not_followed(tmp_path: Path) -> None:
    data = rich(tmp_path, ExplicitVRLittleEndian)
    at = data.index(b"\x08\x00\x18\x00UI")
    item = b"\x08\x00\x12\x00SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    assert walked(data[:at] + item * 200_000) is None
    assert agrees(data[:at] + item.replace(b"\x12\x00SQ", b"\x14\x00SQ") + data[at:]) is False


def real_files(shared_data: Path) -> Iterator[bytes]:
    for path in sorted(shared_data.rglob("*.dcm")):
        yield path.read_bytes()
    for path in sorted(shared_data.rglob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                data = b"" if entry.is_dir() else archive.read(entry)
                if looks_like_dicom(data[:132]):
                    yield data


@pytest.mark.real_data
@pytest.mark.slow
def test_it_agrees_on_all_real_files(shared_data: Path) -> None:
    walker = Walker()
    taken = [agrees(data, walker) for data in real_files(shared_data)]
    assert len(taken) > 800
    assert sum(taken) > 0.95 * len(taken)


def mutant(data: bytes, chance: random.Random) -> bytes:
    """A file with some damage in its header."""
    end = data.index(b"\xe0\x7f\x10\x00") + 16
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 1, 2, 4))):
        at = chance.randrange(128, end)
        kind = chance.choice((0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 5))
        if kind == 0:
            spoiled[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            spoiled[at] = chance.choice(b" \0,.=\\^-0129AZ\xff\x1b\xe9")
        elif kind == 2:
            spoiled[at : at + 2] = struct.pack("<H", chance.choice((0, 1, 2, 8, 0xFFFF, 0x7FFF)))
        elif kind == 3:
            del spoiled[at : at + chance.randint(1, 12)]
        elif kind == 4:
            length = chance.randint(1, 40)
            spoiled[at:at] = spoiled[at : at + length]
        else:
            spoiled[at:at] = chance.randbytes(chance.randint(1, 4))
    return bytes(spoiled[: chance.randrange(end)] if chance.random() < 0.05 else spoiled)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_agrees_or_declines_on_three_thousand_mutants(tmp_path: Path) -> None:
    chance, walker = random.Random(7), Walker()
    originals = [rich(tmp_path / syntax, syntax) for syntax in SYNTAXES[:-1]]
    originals += [
        written(tmp_path / f"p{syntax}", transfer_syntax=syntax)[1].read_bytes() for syntax in SYNTAXES[:-1]
    ]
    taken = sum(agrees(mutant(originals[n % len(originals)], chance), walker) for n in range(3000))
    assert 300 < taken < 2900


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_agrees_or_declines_on_a_thousand_deflated_mutants(tmp_path: Path) -> None:
    chance, walker = random.Random(8), Walker()
    meta, body = parts_of_deflated(rich(tmp_path, DeflatedExplicitVRLittleEndian))
    original, taken = deflated(meta, body), 0
    for n in range(1000):
        if n % 4:
            spoiled = mutant(meta + body, chance)
            data = deflated(spoiled[: len(meta)], spoiled[len(meta) :])
        else:
            at = chance.randrange(len(meta), len(original))
            data = original[:at] + chance.randbytes(1) + original[at + 1 :]
        taken += agrees(data, walker)
    assert 100 < taken < 950
