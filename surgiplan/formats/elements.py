"""Elements of a DICOM data set, read strictly: a number that is not a number is a fault, never a guess."""

import math
from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset

from ..errors import BadInput


def text(dataset: Dataset, keyword: str) -> str:
    """The text of an element; "" when it is absent, empty or not readable."""
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom converts late and raises whatever the damaged bytes lead to
        return ""
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "\\".join(str(part) for part in value)
    return str(value).strip(" \0")


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """The `count` finite numbers of an element; None when it is absent or empty.

    Raises BadInput when they are fewer, more, or not numbers (a decimal comma, text).
    """
    try:
        value = dataset.get(keyword)
    except Exception:
        raise BadInput(f"{keyword} cannot be read") from None
    if value is None or value == "":
        return None
    parts = list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
    try:
        found = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        comma = any("," in str(part) for part in parts)
        hint = "decimal comma instead of a point" if comma else "text or an empty value among them"
        raise BadInput(f"{keyword} does not hold numbers ({hint})") from None
    if len(found) != count or not all(map(math.isfinite, found)):
        raise BadInput(f"{keyword} must hold {count} finite numbers and has {len(found)}")
    return found


def number(dataset: Dataset, keyword: str) -> float | None:
    """The finite number of an element; None when it is absent or empty. Raises BadInput when it is none."""
    found = numbers(dataset, keyword, 1)
    return None if found is None else found[0]


def whole(dataset: Dataset, keyword: str, missing: int) -> int:
    """The whole number of an element, `missing` when it is absent. Raises BadInput when it is not whole."""
    found = number(dataset, keyword)
    if found is None:
        return missing
    if found != int(found):
        raise BadInput(f"{keyword} must be a whole number")
    return int(found)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty when it is absent or not a sequence."""
    try:
        value: Any = dataset.get(keyword)
        return [item for item in value or () if isinstance(item, Dataset)]
    except Exception:
        return []
