"""One thing that is another in the second plan: in words, and as numbers for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray

_AXES = (("left", "right"), ("posterior", "anterior"), ("superior", "inferior"))
_NEAR_COSINE = 0.9  # a direction within 26 degrees of a patient axis has its name


@dataclass(frozen=True)
class Change:
    """What has changed of a parameter or a result.

    what: its name, such as "kerf", "plane" or "saw.a volume"
    text: how, such as "moved 1.8 mm / 3.1 degrees"
    numbers: the same for programs, each with its unit in its name
    """

    what: str
    text: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def number_words(before: float, now: float, unit: str, digits: int = 2) -> str:
    """Such as "+0.30 mm (1.00 -> 1.30)"; as many digits as it takes to see the difference."""
    while digits < 9 and f"{now - before:+.{digits}f}".strip("+-0.") == "":
        digits += 1
    gap = unit if unit in ("", "%", "°") else f" {unit}"
    return f"{now - before:+.{digits}f}{gap} ({before:.{digits}f} -> {now:.{digits}f})"


def shift_words(shift_lps: ArrayLike) -> str:
    """A shift by its length and its parts along the patient's axes, such as "2.2 mm (L +1.0, S -2.0)"."""
    shift = np.asarray(shift_lps, np.float64)
    parts = [f"{letter} {x:+.1f}" for letter, x in zip("LPS", shift, strict=True) if abs(x) >= 0.05]
    length = float(np.linalg.norm(shift))
    return f"{length:.1f} mm ({', '.join(parts)})" if parts else f"{length:.2g} mm"


def towards(direction_lps: ArrayLike) -> str:
    """A direction in the patient: "superior", "left and superior", or its three numbers."""
    unit = _unit(direction_lps)
    names = [pair[0] if x > 0 else pair[1] for pair, x in zip(_AXES, unit, strict=True)]
    order = np.argsort(-np.abs(unit))
    first, second, third = (int(n) for n in order)
    if abs(unit[first]) > _NEAR_COSINE:
        return names[first]
    if abs(unit[third]) < 0.3:
        return f"{names[first]} and {names[second]}"
    return f"{names[first]}, {names[second]} and {names[third]}"


def axis_words(axis_lps: ArrayLike) -> str:
    """An axis of a turn: by the patient axis it lies near, else by its three numbers L, P, S."""
    unit = _unit(axis_lps)
    nearest = int(np.argmax(np.abs(unit)))
    if abs(unit[nearest]) > _NEAR_COSINE:
        return f"the {_AXES[nearest][0]}-{_AXES[nearest][1]} axis"
    return "the axis L {:.2f}, P {:.2f}, S {:.2f}".format(*(unit + 0.0))


def _unit(direction: ArrayLike) -> FloatArray:
    array = np.asarray(direction, np.float64)
    unit: FloatArray = array / np.linalg.norm(array)
    return unit
