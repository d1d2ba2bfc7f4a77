"""What became of the results: their figures before and after, each with its unit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .change import Change, number_words

Figures = Mapping[str, Any]
# what a number is made by: two are only compared when all of these agree
_DEFINING = ("id", "unit", "definition", "frame", "sign")
# figures that count against a limit: not compared when the limit is another
_COUNTED = {
    "contact_share": "contact_mm",
    "nsd": "tolerance_mm",
    "thin_share": "thin_mm",
    "resting_share": "thin_mm",
    "short_chance": "least_margin_mm",
    "deep_chance": "most_breach_mm",
}
_UNTOLD = frozenset(
    (*_DEFINING, *_COUNTED.values(), "digest", "triangles", "euler_number", "error_mm", "trials")
)
# field, words, unit, factor from what is stored
_WORDS = {
    "volume_mm3": ("volume", "cm³", 1e-3),
    "area_mm2": ("area", "cm²", 1e-2),
    "depth_mm": ("overlap", "mm", 1.0),
    "clearance_mm": ("clearance", "mm", 1.0),
    "hd95_mm": ("HD95", "mm", 1.0),
    "assd_mm": ("average surface distance", "mm", 1.0),
    "hausdorff_mm": ("Hausdorff distance", "mm", 1.0),
    "thin_share": ("share of walls too thin", "%", 100.0),
    "contact_share": ("share in contact", "%", 100.0),
    "min_mm": ("thinnest wall", "mm", 1.0),
    "voxels": ("voxels", "", 1.0),
    "short_chance": ("chance of a smaller margin than wanted", "%", 100.0),
    "deep_chance": ("chance of a deeper breach than borne", "%", 100.0),
}
_SUFFIXES = (
    ("_mm3", "mm³", 1.0),
    ("_mm2", "mm²", 1.0),
    ("_mm", "mm", 1.0),
    ("_degrees", "degrees", 1.0),
    ("_deg", "degrees", 1.0),
    ("_percent", "%", 1.0),
    ("_share", "%", 100.0),
)
_SAME = 1e-9
_UNITS = {"deg": "degrees", "mm2": "mm²", "mm3": "mm³"}
_TRUTHS = {"watertight": "closed", "contained": "one inside the other"}


def result_changes(step: str, before: Figures, now: Figures) -> Iterator[Change]:
    """How the figures of a step differ.

    step: its name
    before, now: its figures (as `values.figures` or the evidence gives them); for several outputs a
        mapping of these
    """
    a, b = _outputs(step, before), _outputs(step, now)
    for name in [*a, *(name for name in b if name not in a)]:
        if name not in b:
            yield Change(name, "is no longer made")
        elif name not in a:
            yield Change(name, "is made now")
        else:
            yield from _of_one(name, a[name], b[name])


def _outputs(step: str, figures: Figures) -> dict[str, Figures]:
    inner = {name: one for name, one in figures.items() if name != "digest"}
    if inner and all(isinstance(one, Mapping) for one in inner.values()):
        return {f"{step}.{name}": one for name, one in inner.items()}
    return {step: figures}


def _of_one(name: str, a: Figures, b: Figures) -> Iterator[Change]:
    if (refused := _unlike(name, a, b)) is not None:
        yield refused
    elif "value" in a and "definition" in a:
        for one in _number(name, a["value"], b["value"], str(a.get("unit", "")), 1.0):
            yield replace(one, text=f"{one.text}: {b['definition']}")
    else:
        for field in (field for field in a if field in b and field not in _UNTOLD):
            refused = _unlike(f"{name} {_told(field)[0]}", a, b, (_COUNTED.get(field, ""),))
            yield from [refused] if refused else _of_field(name, field, a[field], b[field])


def _of_field(name: str, field: str, a: Any, b: Any) -> Iterator[Change]:
    if isinstance(a, bool) or isinstance(b, bool):
        if a != b:
            yes = ("no", "yes")
            text = f"{yes[bool(a)]} -> {yes[bool(b)]}"
            yield Change(f"{name} {_TRUTHS.get(field, field)}", text, {"before": a, "now": b})
    elif isinstance(a, int | float) and isinstance(b, int | float):
        words, unit, factor = _told(field)
        yield from _number(f"{name} {words}", a, b, unit, factor)


def _unlike(name: str, a: Figures, b: Figures, fields: Sequence[str] = _DEFINING) -> Change | None:
    """A refusal when two numbers are not of one kind: their difference would mean nothing."""
    for field in fields:
        one, other = a.get(field, ""), b.get(field, "")
        if one != other:
            rule = field.removesuffix("_mm").replace("_", " ")
            text = f"not compared: its {rule} was {_quoted(one)} and is {_quoted(other)}"
            return Change(name, text, {"unlike": field, "before": one, "now": other})
    return None


def _quoted(value: Any) -> str:
    return f"{value:g} mm" if isinstance(value, float | int) else f"{value or 'none'!s}"


def _number(what: str, before: float, now: float, unit: str, factor: float) -> Iterator[Change]:
    a, b = before * factor, now * factor
    if abs(b - a) > _SAME * max(1.0, abs(a), abs(b)):
        unit = _UNITS.get(unit, unit)
        whole = isinstance(before, int) and isinstance(now, int)
        text = number_words(a, b, unit, 0 if whole else 2)
        yield Change(what, text, {"before": a, "now": b, "change": b - a, "unit": unit})


def _told(field: str) -> tuple[str, str, float]:
    if field in _WORDS:
        return _WORDS[field]
    for suffix, unit, factor in _SUFFIXES:
        if field.endswith(suffix):
            return field.removesuffix(suffix).replace("_", " "), unit, factor
    return field.replace("_", " "), "", 1.0
