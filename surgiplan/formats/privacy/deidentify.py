"""DICOM files without an identity, by the Basic Profile of DICOM PS3.15 Annex E and some of its options.

Two lists hold at once, and the stricter wins: what Table E.1-1 names gets the action of the table; of all
else only elements of the current standard stay whose values cannot name anybody (numbers, registered UIDs,
defined terms, references, pixels). The table alone would keep any text that it does not know; an allow-list
alone would not be the profile that a receiver can look up.
"""

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from ...errors import BadInput
from ...progress import Report, silent
from ..dicom.datasets import dataset_of, looks_like_dicom
from ..dicom.dicomwrite import IMPLEMENTATION
from ..dicom.headers import Header, header_of
from ..sources import Member
from . import bare, kinds
from .profile import EDITION
from .pseudonyms import Options, Pseudonyms
from .treatment import Treatment

_OVERHEAD = 64 << 20
_CODES = {
    "profile": ("113100", "Basic Application Confidentiality Profile"),
    "descriptors": ("113105", "Clean Descriptors Option"),
    "keep": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "shift": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "characteristics": ("113108", "Retain Patient Characteristics Option"),
    "uids": ("113110", "Retain UIDs Option"),
}
_TEMPORAL = {"remove": "REMOVED", "shift": "MODIFIED", "keep": "UNMODIFIED"}


@dataclass(frozen=True)
class Treated:
    """One file after its de-identification, or why it is left out.

    data: the bytes of the new file; empty when it is left out
    reason: why it is left out, without any name; "" when it is not
    dicom: whether it is a DICOM file at all
    patient: the pseudonym
    series: Series Instance UID in the new file
    modality: of the file
    changes: by (element, what was done) how often
    """

    data: bytes = b""
    reason: str = ""
    dicom: bool = True
    patient: str = ""
    series: str = ""
    modality: str = ""
    changes: Mapping[tuple[str, str], int] | None = None


def treated(data: bytes, options: Options, pseudonyms: Pseudonyms, report: Report = silent) -> Treated:
    """De-identify the bytes of one file.

    data: the whole file
    options: what may stay
    pseudonyms: where the new names, UIDs and dates come from; one for all files that belong together
    report: told nothing; a quarantined function has one
    Never raises for damaged data: the reason is in the answer.
    """
    if not looks_like_dicom(data[:132]):
        return Treated(reason="it is no DICOM file", dicom=False)
    try:
        return _treated(data, options, pseudonyms)
    except MemoryError:
        raise
    except BadInput as problem:
        return Treated(reason=str(problem))
    except Exception as problem:  # damaged bytes make pydicom raise nearly anything
        return Treated(reason=f"it is damaged ({type(problem).__name__})")


def _treated(data: bytes, options: Options, pseudonyms: Pseudonyms) -> Treated:
    stream = io.BytesIO(data)
    header = header_of(dataset_of(stream), Member("", "", len(data)))
    if reason := ("its header is malformed" if header.fault else "") or kinds.unknown(header):
        return Treated(reason=reason)
    needed = header.rows * header.columns * header.frames * header.samples * header.bits_allocated // 8
    stream.seek(0)
    source = dataset_of(stream, pixels_up_to=needed + _OVERHEAD)
    if not options.burned_in and (reason := kinds.may_show_text(header, source)):
        return Treated(reason=reason)
    treatment = Treatment(options, pseudonyms, pseudonyms.person(header.identity))
    made = treatment.dataset(source)
    if missing := [word for word in ("SOPInstanceUID", "SeriesInstanceUID") if not made.get(word)]:
        return Treated(reason=f"it has no {missing[0]}")
    if header.rows:
        _put_pixels(source, header, made, treatment.changes)
    _state(made, options, treatment)
    return Treated(
        data=_written(made, header),
        patient=str(made.PatientID),
        series=str(made.SeriesInstanceUID),
        modality=str(made.get("Modality", "")),
        changes=treatment.changes,
    )


def _put_pixels(source: Dataset, header: Header, made: Dataset, changes: Counter[tuple[str, str]]) -> None:
    """The pixels as they are, without what rides behind the last one or in comments of a stream."""
    found = [word for word in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if word in source]
    if not found:
        raise BadInput("it holds no pixel data")
    for keyword in found:
        element = source[keyword]
        value = bytes(element.value)
        if UID(header.transfer_syntax).is_encapsulated:
            bared = bare.stream(value)
        else:
            bared = bare.native(value, header)
        if bared != value:
            changes[
                (f"({element.tag.group:04X},{element.tag.element:04X}) {keyword}", "what rode along removed")
            ] += 1
        made.add_new(element.tag, element.VR, bared)
        made[keyword].is_undefined_length = element.is_undefined_length


def _state(made: Dataset, options: Options, treatment: Treatment) -> None:
    """Say in the file what was done to it."""
    made.PatientName = made.PatientID = treatment.person.pseudonym
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = ["surgiplan", EDITION, "Basic Profile and allow-list"]
    made.DeidentificationMethodCodeSequence = [_code(*_CODES[name]) for name in codes(options)]
    made.LongitudinalTemporalInformationModified = _TEMPORAL[options.dates]


def codes(options: Options) -> list[str]:
    """The names of the profile and of the options that were used, in the order of their codes."""
    used = {"profile", options.dates}
    used |= {name for name in ("descriptors", "characteristics", "uids") if getattr(options, name)}
    return [name for name in _CODES if name in used]


def spoken(options: Options) -> list[str]:
    """The profile and the options in the words of the standard."""
    return [_CODES[name][1] for name in codes(options)]


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _written(made: Dataset, header: Header) -> bytes:
    """A file in the transfer syntax of the source, with an empty preamble and meta information of our own."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.SOPClassUID = UID(header.sop_class)
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    meta.TransferSyntaxUID = UID(header.transfer_syntax)
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    made.file_meta = meta
    file = io.BytesIO()
    dcmwrite(file, made, enforce_file_format=True)
    return file.getvalue()
