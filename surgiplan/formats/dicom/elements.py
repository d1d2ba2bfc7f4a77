"""Elements of a DICOM data set, read strictly: a number that is not a number is a fault, never a guess."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from pydicom.dataset import Dataset

from ...errors import BadInput


class Elements(Protocol):
    """What has elements: a pydicom data set, or what the walker saw of a plain file."""

    @property
    def file_meta(self) -> Any:
        """The meta information of its file."""

    @property
    def original_encoding(self) -> Any:
        """Whether its VR are implicit, and its bytes in little endian."""

    def get(self, keyword: str, /) -> Any:
        """The value of an element; None when it is absent."""


Places = tuple[Elements, ...]
Found = TypeVar("Found")


def once(reading: Callable[[Places], Found], places: Places) -> Found:
    """What a function reads from the places of a picture; files of one scan that agree share the work.

    reading: looks at nothing but elements of these places (not at their `file_meta`), and gives what is
        never changed
    """
    remembered = getattr(places[0], "once", None) if len(places) == 1 else None
    found: Found = reading(places) if remembered is None else remembered(reading)
    return found


def text(dataset: Elements, keyword: str) -> str:
    """The text of an element; "" when it is absent, empty or not readable."""
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom converts late and raises whatever the damaged bytes lead to
        return ""
    if value is None:
        return ""
    if type(value) is str:
        return value.strip(" \0")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "\\".join(str(part) for part in value)
    return str(value).strip(" \0")


def numbers(dataset: Elements, keyword: str, count: int) -> tuple[float, ...] | None:
    """The `count` finite numbers of an element; None when it is absent or empty.

    Raises BadInput when they are fewer, more, or not numbers (a decimal comma, text).
    """
    try:
        value = dataset.get(keyword)
    except Exception:
        raise BadInput(f"{keyword} cannot be read") from None
    if value is None or value == "":
        return None
    if type(value) is str or not isinstance(value, Sequence) or isinstance(value, str | bytes):
        value = [value]
    try:
        found = tuple(float(part) for part in value)
    except (TypeError, ValueError):
        comma = any("," in str(part) for part in value)
        hint = "decimal comma instead of a point" if comma else "text or an empty value among them"
        raise BadInput(f"{keyword} does not hold numbers ({hint})") from None
    if len(found) != count or not all(map(math.isfinite, found)):
        raise BadInput(f"{keyword} must hold {count} finite numbers and has {len(found)}")
    return found


def number(dataset: Elements, keyword: str) -> float | None:
    """The finite number of an element; None when it is absent or empty. Raises BadInput when it is none."""
    found = numbers(dataset, keyword, 1)
    return None if found is None else found[0]


def whole(dataset: Elements, keyword: str, missing: int) -> int:
    """The whole number of an element, `missing` when it is absent. Raises BadInput when it is not whole."""
    found = number(dataset, keyword)
    if found is None:
        return missing
    if found != int(found):
        raise BadInput(f"{keyword} must be a whole number")
    return int(found)


def items(dataset: Elements, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty when it is absent or not a sequence."""
    try:
        value: Any = dataset.get(keyword)
        return [item for item in value or () if isinstance(item, Dataset)]
    except Exception:
        return []
