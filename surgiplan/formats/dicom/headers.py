"""What the header of one DICOM file says, read once and kept as plain values."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from blake3 import blake3
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from ...errors import BadInput
from ...values import Vec3
from ..sources import Member
from .datasets import dataset_of
from .elements import Elements, Places, number, numbers, once, text, whole
from .functional import frame_groups

_PIXEL_DATA = (0x7FE0, 0x0010)
_UNDEFINED = 0xFFFFFFFF
_NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)


@dataclass(frozen=True)
class Identity:
    """Whose scan it is, as the file states it; "" where it says nothing.

    patient_name, patient_id, birth_date, sex: of the patient; the date as YYYYMMDD
    study_date, study_uid: of the study
    laterality: "R", "L", "B" (both) or "U" (unpaired) as stated by the scanner
    """

    patient_name: str = ""
    patient_id: str = ""
    birth_date: str = ""
    sex: str = ""
    study_date: str = ""
    study_uid: str = ""
    laterality: str = ""


@dataclass(frozen=True)
class Header:
    """What holds for a whole file.

    study_description, patient_position: as the file states them, only to be shown
    padding: lowest and highest stored value that means "no measurement here"; None when not stated
    expected: number of images the acquisition should have; 0 when not stated
    instance: InstanceNumber; None when not stated
    model: manufacturer and model of the scanner
    fault: why its images cannot be used; "" when they can
    pixels_at: where its pixel data begins in the file; 0 where that is not known (a deflated file)
    head_size, head_digest: number and hash of the bytes before the pixel data element (of a deflated file: of
        those that were inflated for its header)
    """

    member: Member
    identity: Identity
    sop_class: str
    sop_uid: str
    series_uid: str
    frame_uid: str
    transfer_syntax: str
    modality: str
    description: str
    image_type: tuple[str, ...]
    photometric: str
    lossy: bool
    burned_in: bool
    rows: int = 0
    columns: int = 0
    frames: int = 1
    samples: int = 1
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    signed: bool = False
    padding: tuple[int, int] | None = None
    expected: int = 0
    instance: int | None = None
    model: str = ""
    study_description: str = ""
    patient_position: str = ""
    fault: str = ""
    pixels_at: int = 0
    head_size: int = 0
    head_digest: bytes = b""

    def __hash__(self) -> int:
        return hash((self.sop_uid, self.member.name))

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.rows, self.columns)

    @property
    def pixel_bytes(self) -> int:
        """Number of bytes that all its pixels have when they are not compressed."""
        return _pixel_bytes(self.rows, self.columns, self.samples, self.frames, self.bits_allocated)


def _pixel_bytes(
    rows: int, columns: int, samples: int, frames: int, bits_allocated: int, **others: object
) -> int:
    return rows * columns * samples * frames * bits_allocated // 8


@dataclass(frozen=True)
class Slice:
    """One picture: a single-frame file, or one frame of a multi-frame file.

    header: of its file
    frame: its place in the file
    position_lps: centre of the first pixel, mm; None when it is not stated
    directions: unit vectors along a row and down a column (row x, y, z, column x, y, z)
    spacing: distance in mm between rows, and between columns
    thickness: slice thickness in mm; 0 when not stated
    slope, intercept: stored value -> measured value
    hounsfield: whether slope and intercept are stated and lead to Hounsfield units
    marks: (name, value) of what tells phases, echoes and stacks apart
    fault: why it cannot be used; "" when it can
    """

    header: Header
    frame: int
    position_lps: Vec3 | None = None
    directions: tuple[float, ...] | None = None
    spacing: tuple[float, float] | None = None
    thickness: float = 0.0
    slope: float = 1.0
    intercept: float = 0.0
    hounsfield: bool = False
    marks: tuple[tuple[str, str], ...] = ()
    fault: str = ""


def slices_of(stream: BinaryIO, member: Member) -> tuple[Slice, ...]:
    """The pictures of a DICOM file; one with a fault when the file holds none that can be used.

    stream: stands at the beginning of the file
    Raises what pydicom raises when the file is damaged.
    """
    dataset = dataset_of(stream)
    if not text(dataset, "SOPClassUID") and not text(_meta(dataset), "MediaStorageSOPClassUID"):
        raise BadInput("it has no SOP Class UID: the file is cut short or is not DICOM")
    at = stream.tell()
    stream.seek(0)
    return slices_under(dataset, member, stream.read(at), stream.read(12))


def slices_under(dataset: Elements, member: Member, head: bytes, start: bytes) -> tuple[Slice, ...]:
    """The pictures of a file whose elements are read.

    head: all bytes before the pixel data element; of a deflated file those that were inflated for its header
    start: the first twelve bytes of the pixel data element; fewer when there is none
    """
    return pictures(dataset, _header(dataset, member, (head, start)))


def pictures(dataset: Elements, header: Header) -> tuple[Slice, ...]:
    """The pictures of a data set under its header."""
    if header.fault or not header.rows:
        return (Slice(header, 0, fault=header.fault),)
    groups = frame_groups(dataset, header.frames)
    if groups is None:
        if header.frames > 1:
            return (Slice(header, 0, fault="a multi-frame object without a position for each frame"),)
        return (_slice(header, 0, (dataset,)),)
    return tuple(_slice(header, frame, (group, dataset)) for frame, group in enumerate(groups))


def header_of(dataset: Elements, member: Member) -> Header:
    """The header of a data set, without the place of its pixels; a malformed element becomes its fault."""
    return _header(dataset, member, None)


def _header(dataset: Elements, member: Member, seen: tuple[bytes, bytes] | None) -> Header:
    meta = _meta(dataset)
    try:
        form, fault = once(_pixel_form, (dataset,)), ""
    except BadInput as problem:
        form, fault = {}, str(problem)
    syntax = text(meta, "TransferSyntaxUID") or _guessed_syntax(dataset)
    pixels: Mapping[str, Any] = {"fault": fault}
    if seen and form.get("rows"):
        pixels = _pixels_seen(syntax, _pixel_bytes(**form), member.size, *seen)
    return Header(
        member=member,
        identity=once(_identity, (dataset,)),
        sop_class=text(dataset, "SOPClassUID") or text(meta, "MediaStorageSOPClassUID"),
        sop_uid=text(dataset, "SOPInstanceUID") or text(meta, "MediaStorageSOPInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        frame_uid=text(dataset, "FrameOfReferenceUID"),
        transfer_syntax=syntax,
        modality=text(dataset, "Modality"),
        instance=_instance(dataset),
        **once(_about, (dataset,)),
        **form,
        **pixels,
    )


def _meta(dataset: Elements) -> Elements:
    return getattr(dataset, "file_meta", None) or Dataset()


def _guessed_syntax(dataset: Elements) -> str:
    """The syntax a file without meta information was read with."""
    implicit, little = dataset.original_encoding
    if implicit:
        return str(ImplicitVRLittleEndian)
    return str(ExplicitVRLittleEndian if little else ExplicitVRBigEndian)


def _instance(dataset: Elements) -> int | None:
    """The InstanceNumber; None when it is absent or no number, since nothing hangs on it."""
    try:
        found = number(dataset, "InstanceNumber")
    except BadInput:
        return None
    return None if found is None or found != int(found) else int(found)


def _about(places: Places) -> dict[str, Any]:
    """Fields of the header that are words."""
    (dataset,) = places
    return {
        "description": text(dataset, "SeriesDescription"),
        "image_type": tuple(text(dataset, "ImageType").upper().split("\\")),
        "photometric": text(dataset, "PhotometricInterpretation"),
        "lossy": text(dataset, "LossyImageCompression") == "01",
        "burned_in": text(dataset, "BurnedInAnnotation").upper() == "YES",
        "model": f"{text(dataset, 'Manufacturer')} {text(dataset, 'ManufacturerModelName')}".strip(),
        "study_description": text(dataset, "StudyDescription"),
        "patient_position": text(dataset, "PatientPosition"),
    }


def _identity(places: Places) -> Identity:
    (dataset,) = places
    return Identity(
        patient_name=text(dataset, "PatientName"),
        patient_id=text(dataset, "PatientID"),
        birth_date=text(dataset, "PatientBirthDate"),
        sex=text(dataset, "PatientSex"),
        study_date=text(dataset, "StudyDate"),
        study_uid=text(dataset, "StudyInstanceUID"),
        laterality=text(dataset, "Laterality") or text(dataset, "ImageLaterality"),
    )


def _pixel_form(places: Places) -> dict[str, Any]:
    """Fields of the header that say how pixels are stored. Raises BadInput for a malformed one."""
    (dataset,) = places
    stored = whole(dataset, "BitsStored", 0) or whole(dataset, "BitsAllocated", 16)
    signed = whole(dataset, "PixelRepresentation", 0) == 1
    return {
        "rows": whole(dataset, "Rows", 0),
        "columns": whole(dataset, "Columns", 0),
        "frames": whole(dataset, "NumberOfFrames", 1),
        "samples": whole(dataset, "SamplesPerPixel", 1),
        "bits_allocated": whole(dataset, "BitsAllocated", 16),
        "bits_stored": stored,
        "high_bit": whole(dataset, "HighBit", stored - 1),
        "signed": signed,
        "padding": _padding(dataset, signed),
        "expected": whole(dataset, "ImagesInAcquisition", 0),
    }


def _padding(dataset: Elements, signed: bool) -> tuple[int, int] | None:
    """PixelPaddingValue to PixelPaddingRangeLimit, read by PixelRepresentation whatever their VR says."""
    first = number(dataset, "PixelPaddingValue")
    if first is None:
        return None
    limit = number(dataset, "PixelPaddingRangeLimit")
    ends = [_as_stored(int(end), signed) for end in (first, first if limit is None else limit)]
    return (min(ends), max(ends))


def _as_stored(value: int, signed: bool) -> int:
    bits = value & 0xFFFF
    return bits - 0x10000 if signed and bits > 0x7FFF else bits


def _pixels_seen(syntax: str, needed: int, file_size: int, head: bytes, start: bytes) -> Mapping[str, Any]:
    """Fields of the header: its hash, and a fault when the pixel data behind it is missing or cut short.

    needed: bytes of the pixels when they are not compressed
    Only native (not compressed) data has a length that can be known beforehand.
    """
    size = len(head)
    known = {"head_size": size, "head_digest": head_hash(head)}
    if syntax == DeflatedExplicitVRLittleEndian:
        return known
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    if len(start) < 12 or struct.unpack_from(order + "HH", start) != _PIXEL_DATA:
        return {"fault": "it is cut short or holds no integer pixel data"}
    implicit = not start[4:6].isalpha() or not start[4:6].isupper()
    length = struct.unpack_from(order + "I", start, 4 if implicit else 8)[0]
    at = size + (8 if implicit else 12)
    present, undefined = min(length, file_size - at), length == _UNDEFINED
    fault = ""
    if not undefined and present < needed:
        fault = f"it is cut short: {present} of {needed} bytes of pixel data are there"
    plain = undefined is (syntax not in _NATIVE)
    return {**known, "fault": fault, "pixels_at": at if plain else 0}


def head_hash(head: bytes | memoryview) -> bytes:
    """The hash by which a file is known again."""
    return blake3(head).digest()


def _slice(header: Header, frame: int, places: Places) -> Slice:
    """One picture, its elements taken from the first place that has them."""
    try:
        position = _found(places, "ImagePositionPatient", 3)
        return Slice(
            header,
            frame,
            position_lps=None if position is None else (position[0], position[1], position[2]),
            marks=(*once(_marks, places), *_times(places), ("TransferSyntaxUID", header.transfer_syntax)),
            **once(_grid_and_scale, places),
        )
    except BadInput as problem:
        return Slice(header, frame, fault=str(problem))


def _grid_and_scale(places: Places) -> dict[str, Any]:
    """Fields of a picture that its neighbours mostly share. Raises BadInput for a malformed one."""
    spacing = _found(places, "PixelSpacing", 2)
    slope, intercept = _found(places, "RescaleSlope", 1), _found(places, "RescaleIntercept", 1)
    return {
        "directions": _found(places, "ImageOrientationPatient", 6),
        "spacing": None if spacing is None else (spacing[0], spacing[1]),
        "thickness": max((_found(places, "SliceThickness", 1) or (0.0,))[0], 0.0),
        "slope": slope[0] if slope else 1.0,
        "intercept": intercept[0] if intercept else 0.0,
        "hounsfield": bool(slope and intercept and slope[0]) and _text(places, "RescaleType") in ("", "HU"),
    }


def _found(places: Places, keyword: str, count: int) -> tuple[float, ...] | None:
    for place in places:
        if (found := numbers(place, keyword, count)) is not None:
            return found
    return None


def _text(places: Places, keyword: str) -> str:
    for place in places:
        if found := text(place, keyword):
            return found
    return ""


_MARKS = (
    "AcquisitionNumber",
    "StackID",
    "ConvolutionKernel",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "EchoNumbers",
    "EchoTime",
    "EffectiveEchoTime",
    "InversionTime",
    "DiffusionBValue",
    "NominalCardiacTriggerDelayTime",
    "NominalPercentageOfCardiacPhase",
    "TriggerTime",
    "FrameReferenceTime",
    "ImageType",
    "FrameType",
    "ComplexImageComponent",
    "DiffusionGradientOrientation",
)
_TIMES = ("AcquisitionDateTime", "AcquisitionTime", "FrameAcquisitionDateTime")


def _marks(places: Places) -> tuple[tuple[str, str], ...]:
    """What may tell the pictures of one position apart, in the order in which it is tried."""
    return tuple((name, _text(places, name)) for name in _MARKS)


def _times(places: Places) -> tuple[tuple[str, str], ...]:
    """Marks that are tried last; they often differ from picture to picture."""
    return tuple((name, _text(places, name)) for name in _TIMES)
