"""What is done to each element of a data set that loses its identity."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast

from pydicom.datadict import (
    dictionary_has_tag,
    dictionary_is_retired,
    dictionary_keyword,
    dictionary_VM,
    dictionary_VR,
)
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping
from pydicom.tag import BaseTag

from . import profile
from .pseudonyms import Options, Person, Pseudonyms, dated, registered, well_formed
from .terms import cleaned, cleaned_kernel, is_coded

MAX_DEPTH = 16
REMOVED = "REMOVED"
_NUMBER = re.compile(r" *[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})? *")
_ORIENTATION = re.compile(r"[APLRHF]{1,3}")
_AGE = re.compile(r"([0-9]{3})([DWMY])")
_COUNT = re.compile(r"(?P<least>[0-9]+)(-(?P<most>[0-9]+)?(?P<step>n)?)?")
_DATED = ("DA", "DT", "TM")
_DUMMIES = {"DA": "19000101", "TM": "000000", "DT": "19000101000000", "AS": "000Y"}
_TEXTS = ("LO", "SH", "ST", "LT", "UT", "UC", "PN", "CS", "AE")
_BINARY_NUMBERS = ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT")
_PLACED_LATER = (0x7FE00008, 0x7FE00009, 0x7FE00010, 0x00080005)  # pixels; all texts made here are ASCII
_SIDES = ("Laterality", "ImageLaterality", "FrameLaterality", "PatientPosition")  # never made up
_OTHER_TERM = {"ImageType": "OTHER", "FrameType": "OTHER", "ContentLabel": REMOVED, "RescaleType": "US"}
_TERMS_AS_TEXT = ("RescaleType", "ModalityLUTType", "FilterType")  # defined terms of the VR LO or SH
_CODE = ("CodeValue", "LongCodeValue", "URNCodeValue")
_CODE_TAGS = (0x00080100, 0x00080102, 0x00080104, 0x00080119, 0x00080120)  # those, their scheme and meaning
_KEPT_TEXT = {  # texts that some object must have: what stands there when no word of theirs may stay
    "Manufacturer": REMOVED,
    "ManufacturerModelName": REMOVED,
    "SoftwareVersions": REMOVED,
    "ConvolutionKernel": REMOVED,
    "PulseSequenceName": REMOVED,
    "ReceiveCoilName": REMOVED,
    "ReceiveCoilManufacturerName": "",
    "TransmitCoilName": REMOVED,
    "TransmitCoilManufacturerName": "",
    "MultiCoilElementName": REMOVED,
    "MultiCoilConfiguration": "",
    "PositionReferenceIndicator": "",
    "ContentDescription": "",
    "MetaboliteMapDescription": REMOVED,
    "SegmentLabel": "Segment",
    "SegmentDescription": "",
    "SegmentAlgorithmName": REMOVED,
    "TrackingID": REMOVED,
    "Radiopharmaceutical": REMOVED,
    "LUTExplanation": "",
    "RadiationMachineName": "",
}


class Treatment:
    """Treats the data sets of one file, and counts what it did.

    options: what may stay
    pseudonyms: where new names and UIDs come from
    person: whose file it is
    """

    def __init__(self, options: Options, pseudonyms: Pseudonyms, person: Person) -> None:
        self.options, self.pseudonyms, self.person = options, pseudonyms, person
        self.changes: Counter[tuple[str, str]] = Counter()

    def dataset(self, source: Dataset, depth: int = 0) -> Dataset:
        """A new data set of what may stay; the source is not changed."""
        made = Dataset()
        coded = any(keyword in source for keyword in _CODE)
        for tag in sorted(source.keys()):
            if tag in _PLACED_LATER or (coded and tag in _CODE_TAGS):
                continue
            what = label(tag)
            element, action = self._element(source, tag, depth)
            if element is not None:
                made.add(element)
            if action:
                self.changes[(what, action)] += 1
        if "LUTData" in made and not _is_table(made):
            del made.LUTData
        if coded:
            self._put_code(source, made)
        return made

    def _element(self, source: Dataset, tag: BaseTag, depth: int) -> tuple[DataElement | None, str]:
        """The element in the place of this one (None when it goes), and what was done ("" when it stays)."""
        if not _in_standard(tag):
            return None, "removed"
        try:
            element = source[tag]
            allowed = dictionary_VR(tag).split(" or ")
            if element.VR not in allowed:
                return None, "removed"
            if element.VR == "SQ":
                return self._sequence(element, depth)
            if tag in profile.LISTED:
                return self._listed(element)
            return self._unlisted(element)
        except Exception:  # pydicom converts late and raises whatever the damaged bytes lead to
            return None, "removed"

    def _sequence(self, element: DataElement, depth: int) -> tuple[DataElement | None, str]:
        if element.tag in profile.REMOVE or depth >= MAX_DEPTH:
            return None, "removed"
        if element.tag in profile.EMPTY:
            return DataElement(element.tag, "SQ", []), "emptied" if element.value else ""
        items = [self.dataset(item, depth + 1) for item in element.value]
        return DataElement(element.tag, "SQ", items), ""

    def _listed(self, element: DataElement) -> tuple[DataElement | None, str]:
        """What the table names: its options first, then its action."""
        tag, vr = element.tag, element.VR
        if tag in profile.UID:
            return self._with(element, self._uid, "new UID")
        if tag in profile.DATES and self.options.dates != "remove":
            done = "shifted" if self.options.dates == "shift" and vr != "TM" else ""
            kept = self._with(element, lambda text: dated(text, vr, self.options, self.person), done)
            if kept[0] is not None and kept[0].value:
                return kept
        if tag in profile.DESCRIPTORS and self.options.descriptors:
            kept = self._with(element, cleaned, "cleaned")
            if kept[0] is not None and kept[0].value:
                return kept
        if tag in profile.PATIENT_CHARACTERISTICS and self.options.characteristics:
            return self._characteristic(element)
        if tag in profile.DUMMY and vr in (*_TEXTS, *_DUMMIES):
            return DataElement(tag, vr, _DUMMIES.get(vr, REMOVED)), "replaced"
        if tag in profile.EMPTY:
            return DataElement(tag, vr, None), "emptied" if element.value not in (None, "") else ""
        return None, "removed"

    def _characteristic(self, element: DataElement) -> tuple[DataElement | None, str]:
        if element.VR != "AS":
            return self._unlisted(element)
        found = _AGE.fullmatch(str(element.value))
        if not found:
            return None, "removed"
        if found[2] == "Y" and int(found[1]) >= 90:  # so old that the age alone may name somebody
            return DataElement(element.tag, "AS", "090Y"), "replaced"
        return DataElement(element.tag, "AS", found[0]), ""

    def _unlisted(self, element: DataElement) -> tuple[DataElement | None, str]:
        """What the table does not name: only values stay that cannot name anybody."""
        tag, vr, keyword = element.tag, element.VR, dictionary_keyword(element.tag)
        if not _count_fits(element):
            return None, "removed"
        if vr == "UI":
            return self._with(element, self._uid, "new UID")
        if keyword == "StackID":
            return self._with(element, self.pseudonyms.label, "replaced")
        if keyword in _KEPT_TEXT:
            word = cleaned_kernel if keyword == "ConvolutionKernel" else cleaned
            return self._with(element, lambda text: word(text) or _KEPT_TEXT[keyword], "cleaned")
        if vr == "CS" or keyword in _TERMS_AS_TEXT:
            return self._coded(element, keyword)
        if vr in ("DS", "IS"):
            if not all(_NUMBER.fullmatch(str(part)) for part in _parts(element.value) if str(part)):
                return None, "removed"
            return DataElement(tag, vr, element.value), ""
        if vr in _BINARY_NUMBERS or keyword == "LUTData":
            return DataElement(tag, vr, element.value), ""
        return None, "removed"

    def _coded(self, element: DataElement, keyword: str) -> tuple[DataElement | None, str]:
        """Defined terms; in the place of another text stands one that keeps the object valid."""
        if keyword == "PatientOrientation":
            return self._with(element, lambda text: text if _ORIENTATION.fullmatch(text) else "", "emptied")
        if keyword in _SIDES and not all(map(is_coded, _texts(element))):
            return DataElement(element.tag, element.VR, None), "emptied"
        other = _OTHER_TERM.get(keyword, "UNKNOWN")
        return self._with(element, lambda text: text if is_coded(text) else other, "replaced")

    def _with(self, element: DataElement, new: Callable[[str], str], done: str) -> tuple[DataElement, str]:
        """The element with each of its values made anew, and what was done if one is another now."""
        before = _texts(element)
        after = [new(part) if part else "" for part in before]
        value = after[0] if len(after) == 1 else after
        return DataElement(element.tag, element.VR, value or None), done if before != after else ""

    def _uid(self, uid: str) -> str:
        if registered(uid) or (self.options.uids and well_formed(uid)):
            return uid
        return self.pseudonyms.uid(uid)

    def _put_code(self, source: Dataset, made: Dataset) -> None:
        """A coded concept stays when it is in the dictionary of the standard, with the meaning of that."""
        scheme = str(source.get("CodingSchemeDesignator", ""))
        value = next((str(source[word].value) for word in _CODE if word in source), "")
        meaning = known_meaning(scheme, value)
        if meaning:
            made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
        else:
            made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = REMOVED, "99SURGIPLAN", "removed"
            self.changes[("codes that are not in the dictionary of the standard", "replaced")] += 1


_MEANINGS: dict[tuple[str, str], str] = {
    (scheme, value): meaning
    for scheme, by_name in cast(Any, concepts).items()
    for by_value in by_name.values()
    for value, (meaning, _) in by_value.items()
}


def known_meaning(scheme: str, value: str) -> str:
    """The meaning of a coded concept in the dictionary of the standard; "" when it is not there."""
    if scheme in ("SRT", "SNM3", "99SDM"):
        return _MEANINGS.get(("SCT", mapping["SRT"].get(value, "")), "")
    return _MEANINGS.get((scheme, value), "")


def label(tag: BaseTag) -> str:
    """How an element is called in a report: a name of the standard, or only its kind."""
    if tag.is_private:
        return "private elements"
    if tag.group & 0xFF00 in (0x5000, 0x6000):
        return "curves and overlays (50xx, 60xx)"
    if not dictionary_has_tag(tag):
        return "elements that are not in the standard"
    return f"({tag.group:04X},{tag.element:04X}) {dictionary_keyword(tag)}"


def _in_standard(tag: BaseTag) -> bool:
    """Whether an element is one of the current standard that may stand in the data set of a file."""
    if tag.is_private or tag.group & 0xFF00 in (0x5000, 0x6000):
        return False
    if tag.group in (0x0000, 0x0002, 0x0400, 0xFFFA, 0xFFFC, 0xFFFE) or tag.element == 0:
        return False
    return dictionary_has_tag(tag) and not dictionary_is_retired(tag)


def _is_table(dataset: Dataset) -> bool:
    """Whether the LUT data have the length that their descriptor gives them."""
    descriptor, data = list(dataset.get("LUTDescriptor") or ()), dataset.LUTData
    if len(descriptor) != 3:
        return False
    entries = descriptor[0] or 0x10000
    size = len(data) if isinstance(data, bytes) else 2 * len(_parts(data))
    return size in (entries + entries % 2, 2 * entries)


def _parts(value: Any) -> Sequence[Any]:
    if value is None:
        return [""]
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        return [value]
    return value


def _texts(element: DataElement) -> list[str]:
    return [str(part) for part in _parts(element.value)]


def _count_fits(element: DataElement) -> bool:
    """Whether an element has as many values as the standard gives it, so that no text hides as numbers."""
    if element.VR == "OW":
        return True
    form = _COUNT.match(dictionary_VM(element.tag))
    many = len(_parts(element.value))
    if element.value in (None, "") or form is None:
        return form is not None
    if form["step"] or form["least"] is None or "n" in dictionary_VM(element.tag):
        return True
    return int(form["least"]) <= many <= int(form["most"] or form["least"])
