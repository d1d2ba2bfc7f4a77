"""DICOM files that carry a canary name in every place that can hold text."""

import io
from pathlib import Path

import pydicom
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    MRImageStorage,
    RTStructureSetStorage,
    SegmentationStorage,
)

from .making import written

CLASSES = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "enhanced CT": EnhancedCTImageStorage,
    "SEG": SegmentationStorage,
    "RTSTRUCT": RTStructureSetStorage,
}
CHARSETS = {  # defined term, name in it, codec of its bytes
    "ISO_IR 100": ("Kanarienvögel^Änne", "latin-1"),
    "ISO_IR 192": ("Канарейка^山田", "utf-8"),
    "ISO_IR 144": ("Канарейка^Карла", "iso8859_5"),
    "GB18030": ("金丝雀^小姐", "gb18030"),
    "ISO 2022 IR 87": ("金糸雀^花子", "iso2022_jp"),
}
NEEDED = {  # without these it is no image, or it would be left out for what they say
    "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID PhotometricInterpretation ImageType"
    " BurnedInAnnotation ConversionType SpecificCharacterSet PatientID NumberOfFrames PixelSpacing"
    " ImagePositionPatient ImageOrientationPatient RescaleSlope RescaleIntercept RescaleType Modality"
    " SliceThickness ImagesInAcquisition"
}
TEXT = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
TEXT |= {"OB", "OW", "UN"}
WORD = b"CANARY^CARLA"
IN_ITEMS = (
    *("PatientName", "CodeValue", "CodingSchemeDesignator", "CodeMeaning"),
    *("TextValue", "SegmentLabel", "ROIName"),
)


def raw(tag: int, vr: str, value: bytes = WORD) -> RawDataElement:
    """An element whose bytes stand as they are, fitting its VR or not."""
    value += b" " * (len(value) % 2)
    return RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def plant(dataset: Dataset, word: bytes = WORD) -> int:
    """Put the word into every element of the DICOM dictionary that can carry text; gives how many."""
    needed = set(" ".join(NEEDED).split())
    planted = 0
    for tag, (vrs, _, _, _, keyword) in DicomDictionary.items():
        if not 0x00080000 <= tag < 0x7FE00000 or keyword in needed or tag & 0xFFFF == 0:
            continue
        for vr in vrs.split(" or "):
            if vr in TEXT:
                dataset[tag] = raw(tag, vr, word)
                planted += 1
                break
    return planted


def planted_file(path: Path, kind: str, sequences: bool = True) -> int:
    """Turn a CT file into one of this kind with canaries everywhere; gives how many elements carry one."""
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CLASSES[kind]
    dataset.PatientID = "CANARY-7"
    count = plant(dataset)
    for tag, (vrs, _, _, _, _) in DicomDictionary.items():
        if sequences and vrs == "SQ" and 0x00080000 <= tag < 0xFF000000:
            dataset[tag] = pydicom.DataElement(tag, "SQ", Sequence([_item()]))
            count += 1
    for group in (0x5000, 0x6000, 0x6002):
        for element, vr in ((0x0022, "LO"), (0x1500, "LO"), (0x4000, "LT"), (0x3000, "OW")):
            dataset[group << 16 | element] = raw(group << 16 | element, vr)
    for element, vr in ((0x0010, "LO"), (0x1001, "LO"), (0x1002, "OB"), (0x1003, "UN"), (0x1004, "PN")):
        dataset[0x00290000 | element] = raw(0x00290000 | element, vr)
    dataset[0xFFFCFFFC] = raw(0xFFFCFFFC, "OB")
    dataset[0x0040FFF1] = raw(0x0040FFF1, "LO")  # a group of the standard, an element that is not in it
    dataset["PixelData"].value += WORD
    dataset.file_meta.ImplementationVersionName = "CANARY"
    dataset.file_meta.SourceApplicationEntityTitle = "CANARY"
    dataset.preamble = (b"MZ CANARY CARLA " * 8)[:128]
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=False)
    path.write_bytes(file.getvalue())
    return count


def _item() -> Dataset:
    """An item of a sequence with text of many kinds, codes, and a sequence in it."""
    item, inner = Dataset(), Dataset()
    for dataset in (item, inner):
        for keyword in IN_ITEMS:
            tag = Tag(pydicom.datadict.tag_for_keyword(keyword))
            dataset[tag] = raw(tag, pydicom.datadict.dictionary_VR(tag))
        dataset[0x00291001] = raw(0x00291001, "LO")
        dataset[0x00081155] = raw(0x00081155, "UI", b"1.2.3.4")
        dataset[0x7FE00010] = raw(0x7FE00010, "OB")
    item.ReferencedImageSequence = Sequence([inner])
    return item


def found_in(path: Path) -> list[str]:
    """The files below a path whose bytes or names hold the canary, in any of the usual encodings."""
    needles = [form for word in ("canary", "carla") for form in (word.encode(), word.encode("utf-16-le"))]
    needles += [name.partition("^")[0].encode(codec) for name, codec in CHARSETS.values()]
    hits = []
    for file in path.rglob("*"):
        data = (file.read_bytes() if file.is_file() else b"") + str(file.relative_to(path)).encode()
        if any(needle in data or needle in data.lower() for needle in needles):
            hits.append(str(file.relative_to(path)))
    return hits


def canary_series(folder: Path, kind: str = "CT") -> int:
    """A whole series with canaries, in folders and files whose names are canaries too."""
    place = folder / "Canary^Carla"
    files = written(place, name="Canary^Carla", patient_id="CANARY-7", description="Canary Carla")
    count = 0
    for number, file in enumerate(files):
        count += planted_file(file, kind, sequences=number == 0)
        file.rename(file.with_name(f"CANARY_CARLA_{number}.dcm"))
    return count
