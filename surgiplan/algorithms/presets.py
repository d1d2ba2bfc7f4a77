"""Ranges of grey values of tissues: the files of resources/presets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from ..errors import BadInput
from ..shipped import resource_folder


@dataclass(frozen=True)
class Preset:
    """The usual range of grey values of a tissue.

    low, high: faintest and brightest value
    unit: of both; a preset fits scans of this unit alone
    source: where the range comes from
    """

    low: float
    high: float
    unit: str
    source: str


@cache
def presets() -> Mapping[str, Preset]:
    """All presets there are to choose from, by name, in the order of the files.

    Raises BadInput when a file is damaged or names a preset twice.
    """
    found: dict[str, Preset] = {}
    for file in sorted(resource_folder("presets").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            for name, preset in read_presets(file.read_text(encoding="utf-8"), file.name).items():
                if name in found:
                    raise BadInput(f"The presets name {name} twice, the second time in {file.name}.")
                found[name] = preset
    return MappingProxyType(found)


def read_presets(text: str, where: str) -> dict[str, Preset]:
    """Read a file of presets.

    text: JSON with unit, source and ranges; each range has a name, low and high
    where: the name of the file, for messages
    Raises BadInput when something is missing or no number, or low lies above high.
    """
    try:
        content = json.loads(text)
        unit, source = str(content["unit"]), str(content["source"])
        read = {
            str(one["name"]): Preset(_number(one["low"]), _number(one["high"]), unit, source)
            for one in content["ranges"]
        }
    except (ValueError, KeyError, TypeError) as problem:
        raise BadInput(
            f"The file of presets {where} needs unit, source and ranges with name, low and high: {problem}."
        ) from problem
    for name, preset in read.items():
        if not preset.low <= preset.high:
            raise BadInput(f"The preset {name} in {where} begins above its end: exchange low and high.")
    return read


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{given!r} is no number")
    return float(given)
