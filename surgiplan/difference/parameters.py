"""How the parameters of a step differ: planes, poses, places, paint and numbers, each in its own words."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from ..plan.operation import Field, Operation, Ref
from ..values import IDENTITY, Bits, Plane, Pose, Vec3
from .change import Change, number_words
from .geometry import landmarks_change, place_change, places_change, plane_change, pose_change

Renamed: TypeAlias = Mapping[str, str]


def parameter_changes(
    before: Operation[Any], now: Operation[Any], renamed: Renamed, middle_lps: Vec3 | None = None
) -> Iterator[Change]:
    """What differs between the parameters of two steps of one operation.

    before, now: the operations of the steps
    renamed: the name in the second plan of each step of the first
    middle_lps: middle of what the first step made, LPS mm: poses are told there; None for the place that
        the pose itself brings the origin of the body to
    """
    for field in now.spec.fields:
        a, b = getattr(before, field.name), getattr(now, field.name)
        if field.kind is Ref:
            a = _carried(a, renamed)
        if a != b:
            yield _change(field, a, b, middle_lps)


def _carried(given: Any, renamed: Renamed) -> Any:
    """References of the first plan by the names of the second."""
    if isinstance(given, tuple):
        return tuple(_carried(one, renamed) for one in given)
    return Ref(renamed.get(given.step, given.step), given.output) if isinstance(given, Ref) else given


def _change(field: Field, a: Any, b: Any, middle_lps: Vec3 | None) -> Change:
    what = field.name.replace("_", " ")
    if field.kind is Pose:
        return pose_change(what, a or IDENTITY, b or IDENTITY, middle_lps)
    if field.kind is Bits:
        return _paint(what, a or Bits(), b or Bits())
    if a is None or b is None:
        return _set_or_not(what, field, a, b)
    if field.kind == Vec3:
        return place_change(what, a, b)
    if field.kind == tuple[Vec3, ...]:
        return places_change(what, a, b)
    match a, b:
        case Plane(), Plane():
            return plane_change(what, a, b)
        case Mapping(), Mapping():
            return landmarks_change(what, a, b)
        case (int() | float(), int() | float()) if not isinstance(b, bool):
            unit = field.number.unit if field.number else ""
            return Change(what, number_words(a, b, unit), {"before": a, "now": b, "unit": unit})
    return _words(what, field, a, b)


def _set_or_not(what: str, field: Field, a: Any, b: Any) -> Change:
    if field.hand is not None:
        text = "was placed" if a is None else "is not placed any more"
    else:
        text = f"was set to {_word(b)}" if a is None else f"was {_word(a)} and is not set any more"
    return Change(what, text, {"before": _plain(a), "now": _plain(b)})


def _paint(what: str, a: Bits, b: Bits) -> Change:
    more, fewer = (b - a).count, (a - b).count
    return Change(what, f"{more} voxels more, {fewer} fewer", {"more": more, "fewer": fewer})


def _words(what: str, field: Field, a: Any, b: Any) -> Change:
    if field.kind is Ref:
        text = f"made from {_word(b)} instead of {_word(a)}"
    elif field.name == "digest":
        text = "is of other data that was imported"
    else:
        text = f"{_word(a)} -> {_word(b)}"
    return Change(what, text, {"before": _plain(a), "now": _plain(b)})


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, float | int):
        return f"{value:g}"
    return str(value) if value not in (None, "") else "nothing"


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else _word(value)
