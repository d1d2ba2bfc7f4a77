"""De-identification: nothing of an identity stays, and what stays is a valid series of the same pixels."""

import io
import random
from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import keyword_dict
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, JPEGLSLossless

from surgiplan.acts.deidentify import deidentify
from surgiplan.formats import dicom
from surgiplan.formats.privacy import bare
from surgiplan.formats.privacy.deidentify import Treated, treated
from surgiplan.formats.privacy.pseudonyms import Options, Pseudonyms
from surgiplan.formats.privacy.terms import cleaned

from .canaries import CHARSETS, CLASSES, canary_series, found_in, planted_file
from .making import J2K, edited, only, recoded, volume, written

SECRET = b"s" * 32
EVERYTHING = Options(dates="keep", descriptors=True, uids=True, characteristics=True)


def after(path: Path, options: Options | None = None) -> Dataset:
    made = treated(path.read_bytes(), options or Options(), Pseudonyms(SECRET))
    assert made.reason == ""
    return pydicom.dcmread(io.BytesIO(made.data))


KINDS = [("CT", Options()), *((kind, EVERYTHING) for kind in CLASSES), ("MR", Options(dates="shift"))]
SLOW = [pytest.param(*one, marks=pytest.mark.slow) for one in KINDS[1:]]


@pytest.mark.parametrize(("kind", "options"), [KINDS[0], *SLOW])
def test_no_canary_comes_through(tmp_path: Path, kind: str, options: Options) -> None:
    files = written(tmp_path / "in")
    assert planted_file(files[0], kind) > 3000
    (tmp_path / "out").mkdir()
    made = treated(files[0].read_bytes(), options, Pseudonyms(SECRET))
    assert made.reason == ""
    (tmp_path / "out" / "file").write_bytes(made.data)
    assert found_in(tmp_path / "in") == [files[0].name]
    assert found_in(tmp_path / "out") == []
    assert "anary" not in repr(made.changes)
    assert "CARLA" not in repr(made.changes)


@pytest.mark.parametrize("charset", CHARSETS)
def test_names_of_other_alphabets_do_not_come_through(tmp_path: Path, charset: str) -> None:
    name, _ = CHARSETS[charset]
    (file, *_) = written(tmp_path / "in")

    def put(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = ["", charset] if "2022" in charset else charset
        dataset.PatientName = name
        dataset.StudyDescription = dataset.InstitutionName = dataset.ManufacturerModelName = name

    edited([file], put)
    assert found_in(tmp_path / "in")
    deidentify(tmp_path / "in", tmp_path / "out", EVERYTHING)
    assert found_in(tmp_path / "out") == []


def test_a_whole_series_with_canaries_is_read_as_before(tmp_path: Path) -> None:
    canary_series(tmp_path / "in")
    before = {file: file.read_bytes() for file in (tmp_path / "in").rglob("*.dcm")}
    deidentify(tmp_path / "in", tmp_path / "out", Options())
    assert found_in(tmp_path / "out") == []
    assert {file: file.read_bytes() for file in (tmp_path / "in").rglob("*.dcm")} == before
    mine, theirs = dicom.read_series(only(tmp_path / "out")), dicom.read_series(only(tmp_path / "in"))
    assert (mine.voxels == theirs.voxels).all()
    assert (mine.grid.kji_to_lps == theirs.grid.kji_to_lps).all()
    assert (mine.modality, mine.unit) == ("CT", "HU")


@pytest.mark.parametrize("syntax", ["native", "big endian", "JPEG-LS", "JPEG 2000"])
def test_pixels_and_syntax_stay(tmp_path: Path, syntax: str) -> None:
    how = {"transfer_syntax": JPEGLSLossless} if syntax == "JPEG-LS" else {}
    (file, *_) = written(tmp_path, **how)
    if syntax in ("big endian", "JPEG 2000"):
        recoded(file, ExplicitVRBigEndian if syntax == "big endian" else J2K)
    before, made = pydicom.dcmread(file), after(file)
    assert made.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    if syntax == "JPEG 2000":  # its encoder leaves its name in a comment
        assert len(made.PixelData) == len(before.PixelData)
        assert (made.pixel_array == before.pixel_array).all()
    else:
        assert made.PixelData == before.PixelData
    assert made.preamble == bytes(128)


def test_it_says_what_was_done(tmp_path: Path) -> None:
    (file, *_) = written(tmp_path)
    made = after(file, Options(dates="shift", descriptors=True))
    assert made.PatientIdentityRemoved == "YES"
    assert made.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in made.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107"]
    assert after(file).LongitudinalTemporalInformationModified == "REMOVED"
    assert after(file, Options(dates="keep")).LongitudinalTemporalInformationModified == "UNMODIFIED"


def test_references_between_files_survive(tmp_path: Path) -> None:
    first, second, *_ = written(tmp_path)

    def refer(dataset: Dataset) -> None:
        item = Dataset()
        item.ReferencedSOPClassUID = dataset.SOPClassUID
        item.ReferencedSOPInstanceUID = pydicom.dcmread(first).SOPInstanceUID
        dataset.ReferencedImageSequence = [item]

    edited([second], refer)
    one, other = after(first), after(second)
    assert other.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert other.ReferencedImageSequence[0].ReferencedSOPClassUID == one.SOPClassUID
    assert one.StudyInstanceUID == other.StudyInstanceUID
    assert one.SOPInstanceUID.startswith("2.25.")
    assert one.SOPInstanceUID != pydicom.dcmread(first).SOPInstanceUID
    assert after(first, Options(uids=True)).SOPInstanceUID == pydicom.dcmread(first).SOPInstanceUID


def test_dates_go_keep_their_distance_or_stay(tmp_path: Path) -> None:
    first, second, *_ = written(tmp_path)
    edited([second], lambda dataset: setattr(dataset, "StudyDate", "20240111"))
    assert after(first).StudyDate == ""
    assert after(first, Options(dates="keep")).StudyDate == "20240101"
    shifted = [pydicom.valuerep.DA(after(file, Options(dates="shift")).StudyDate) for file in (first, second)]
    assert (shifted[1] - shifted[0]).days == 10
    assert shifted[0] < pydicom.valuerep.DA("20240101")
    assert after(first, Options(dates="shift")).PatientBirthDate == ""


def test_patients_stay_apart_and_files_of_one_together(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[:2], lambda dataset: setattr(dataset, "PatientID", "OTHER"))
    ids = [after(file).PatientID for file in files]
    assert ids[0] == ids[1] != ids[2]
    assert len(set(ids)) == 2
    other = treated(files[0].read_bytes(), Options(), Pseudonyms(b"t" * 32))
    assert other.patient not in ids


def test_characteristics_stay_on_request_but_a_great_age(tmp_path: Path) -> None:
    (file, *_) = written(tmp_path)

    def put(dataset: Dataset) -> None:
        dataset.PatientSex, dataset.PatientAge, dataset.PatientWeight = "F", "097Y", "61.5"

    edited([file], put)
    assert "PatientAge" not in after(file)
    assert "PatientWeight" not in after(file)
    kept = after(file, Options(characteristics=True))
    assert (kept.PatientSex, kept.PatientAge, kept.PatientWeight) == ("F", "090Y", 61.5)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT HEAD axial 1.0 mm, Mrs. Carla Canary", "CT HEAD axial 1.0 mm"),
        ("Carla 1942-11-03", ""),
        ("left femur 0012345", "left femur"),
    ],
)
def test_of_descriptions_stay_words_that_name_nobody(text: str, left: str) -> None:
    assert cleaned(text) == left


def risky(**elements: object):
    def change(dataset: Dataset) -> None:
        for keyword, value in elements.items():
            if keyword == "SOPClassUID":
                dataset.file_meta.MediaStorageSOPClassUID = value
            if keyword in keyword_dict:
                setattr(dataset, keyword, value)
            else:
                dataset.add_new(0x60000102, "US", 12)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (risky(BurnedInAnnotation="YES"), "says itself"),
        (risky(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"), "often shows burned-in text"),
        (risky(SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1"), "Ultrasound"),
        (risky(PhotometricInterpretation="RGB"), "colours"),
        (risky(ConversionType="WSD"), "capture"),
        (risky(drawing=True), "unused bits"),
    ],
)
def test_pictures_that_may_show_a_name_are_left_out_unless_asked_for(
    tmp_path: Path, change, reason: str
) -> None:
    (file, *_) = written(tmp_path)
    edited([file], change)
    assert reason in treated(file.read_bytes(), Options(), Pseudonyms(SECRET)).reason
    assert after(file, Options(burned_in=True)).PatientIdentityRemoved == "YES"


@pytest.mark.parametrize("kind", ["1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.104.1", "1.2.3"])
def test_kinds_that_are_all_text_are_left_out(tmp_path: Path, kind: str) -> None:
    (file, *_) = written(tmp_path)
    edited([file], risky(SOPClassUID=kind))
    assert (
        "cannot be judged" in treated(file.read_bytes(), Options(burned_in=True), Pseudonyms(SECRET)).reason
    )


def test_damage_is_answered_without_a_word_of_the_file(tmp_path: Path) -> None:
    (file, *_) = written(tmp_path, name="Canary^Carla")
    data = file.read_bytes()
    assert treated(b"no dicom, Canary", Options(), Pseudonyms(SECRET)) == Treated(
        reason="it is no DICOM file", dicom=False
    )
    for cut in range(132, len(data) - 1, 37):
        made = treated(data[:cut], Options(), Pseudonyms(SECRET))
        assert "anary" not in made.reason
        assert b"anary" not in made.data


def test_mutated_files_are_answered_and_tell_nothing(tmp_path: Path) -> None:
    (file, *_) = written(tmp_path)

    def put(dataset: Dataset) -> None:
        inner = Dataset()
        inner.PatientName, inner.ReferencedSOPInstanceUID = "CANARY", "1.2.3"
        dataset.ReferencedImageSequence = [inner]
        for keyword in (
            "PatientName",
            "InstitutionName",
            "StudyDescription",
            "PatientAddress",
            "ImageComments",
        ):
            setattr(dataset, keyword, "CANARY^CARLA")
        dataset.add_new(0x60003000, "OW", b"CANARYCA")

    edited([file], put)
    data, chance, answered = file.read_bytes(), random.Random(5), 0
    for _ in range(300):
        mutant = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            mutant[chance.randrange(132, len(data) - 84)] = chance.randrange(256)
        made = treated(bytes(mutant), EVERYTHING, Pseudonyms(SECRET))
        assert bool(made.data) != bool(made.reason)
        assert b"ANARY" not in made.data
        assert b"CARLA" not in made.data
        assert "ANARY" not in made.reason
        answered += bool(made.data)
    assert answered > 100


def test_comments_of_compressed_pixels_are_blanked_and_pixels_are_not() -> None:
    jpeg = b"\xff\xd8\xff\xfe\x00\x08CANARY\xff\xe1\x00\x08CARLA!\xff\xee\x00\x04ok"
    jpeg += b"\xff\xda\x00\x04ab\xff\xfeCANARY"
    value = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0" + len(jpeg).to_bytes(4, "little") + jpeg
    bared = bare.stream(value + b"\xfe\xff\xdd\xe0\0\0\0\0CANARY behind")
    assert bared.count(b"CANARY") == 1  # after the start of scan all bytes are pixels
    assert b"CARLA" not in bared
    assert b"ok\xff\xda" in bared
    assert len(bared) == len(value) + 8


def test_a_jpeg_2000_comment_is_blanked_and_the_pixels_decode_as_before(tmp_path: Path) -> None:
    (file, *_) = written(tmp_path, volume())
    recoded(file, J2K)
    dataset = pydicom.dcmread(file)
    pixels = dataset.pixel_array
    comment = b"\xff\x64\x00\x10\x00\x01CANARY CARLA"
    data = dataset.PixelData
    at = data.index(b"\xff\x52")
    start = data.index(b"\xff\x4f") - 4
    length = int.from_bytes(data[start : start + 4], "little") + len(comment)
    dataset.PixelData = (
        data[:start] + length.to_bytes(4, "little") + data[start + 4 : at] + comment + data[at:]
    )
    dataset.save_as(file)
    made = after(file)
    assert b"CANARY" not in made.PixelData
    assert (made.pixel_array == pixels).all()
