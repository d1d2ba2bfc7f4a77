"""The telling figures of a result, in one line."""

from collections.abc import Callable, Mapping
from typing import Any

Numbers = Mapping[str, Any]


def brief(numbers: Numbers) -> str:
    """What a person wants to see first of the figures of a result (of each, where it has several)."""
    if numbers and all(isinstance(inner, Mapping) for inner in numbers.values()):
        return "  ".join(f"{name}: {_of_several(inner)}" for name, inner in numbers.items())
    told = (phrase(numbers) for key, phrase in _PHRASES if numbers.get(key) is not None)
    return ", ".join(filter(None, told))


def _of_several(numbers: Numbers) -> str:
    """A measurement that stands beside others: its number alone; `surgiplan ops measure` defines each."""
    return _number(numbers) if "definition" in numbers else brief(numbers)


def _number(numbers: Numbers) -> str:
    error = numbers.get("expected_error")
    spread = f" ± {error:.2g}" if error is not None else ""
    return f"{numbers['value']:.2f}{spread} {numbers['unit']}".rstrip()


def _measurement(numbers: Numbers) -> str:
    words = (numbers["definition"], numbers.get("frame"), numbers.get("sign"))
    return f"{_number(numbers)}: {'; '.join(filter(None, words))}"


def _landmarks(numbers: Numbers) -> str:
    side = f", {numbers['side']}" if numbers["side"] else ""
    return f"{numbers['template']}{side}: {', '.join(numbers['landmarks'])}"


def _shape(numbers: Numbers) -> str:
    if not numbers["triangles"]:
        return ""
    return f"{numbers['triangles']} triangles, {'closed' if numbers['watertight'] else 'open'}"


def _deviation(numbers: Numbers) -> str:
    off = numbers["deviation"]
    if off["edge_mean_mm"] is None:
        return ""
    return f"from the grey edge {_spread(off, 'edge_')}"


def _change(numbers: Numbers) -> str:
    change = numbers["change"]
    return ", ".join([*change["done"], f"moved {_spread(change)}"])


def _spread(numbers: Numbers, of: str = "", digits: int = 3) -> str:
    mean, p95, most = (numbers[f"{of}{name}_mm"] for name in ("mean", "p95", "max"))
    return f"mean {mean:.{digits}f}, p95 {p95:.{digits}f}, max {most:.{digits}f} mm"


def _walls(numbers: Numbers) -> str:
    return f"wall min {numbers['min_mm']:.2f} mm, {100 * numbers['thin_share']:.1f} % too thin to show"


def _collision(numbers: Numbers) -> str:
    held = ", one inside the other" if numbers["contained"] else ""
    return f"depth {numbers['depth_mm']:.2f} mm, clearance {numbers['clearance_mm']:.2f} mm{held}"


def _agreement(numbers: Numbers) -> str:
    dice = "" if numbers["dice"] is None else f"Dice {numbers['dice']:.3f}, "
    return f"{dice}HD95 {numbers['hd95_mm']:.2f}, ASSD {numbers['assd_mm']:.2f} mm"


def _tolerance(numbers: Numbers) -> str:
    low, high, planned = (numbers[f"margin{name}_mm"] for name in ("_p5", "_p95", ""))
    short, deep = 100 * numbers["short_chance"], 100 * numbers["deep_chance"]
    chances = f"below {numbers['least_margin_mm']:g} mm in {short:.1f} %, breach above "
    chances += f"{numbers['most_breach_mm']:g} mm in {deep:.1f} %"
    return f"margin {planned:.2f} mm, {low:.2f} to {high:.2f} mm in 90 % of trials, {chances}"


_PHRASES: tuple[tuple[str, Callable[[Numbers], str]], ...] = (
    ("volume_mm3", lambda n: f"{n['volume_mm3'] / 1000:.2f} ml"),
    ("triangles", _shape),
    ("deviation", _deviation),
    ("change", _change),
    ("thin_share", _walls),
    ("edge_share", lambda n: f"off the grey edge {_spread(n, 'edge_')}, on {100 * n['edge_share']:.1f} %"),
    ("shape", lambda n: " x ".join(map(str, n["shape"])) + " voxels"),
    ("depth_mm", _collision),
    ("definition", _measurement),
    ("template", _landmarks),
    ("profile_unit", lambda n: f"{n['samples']} values over {n['length_mm']:.1f} mm"),
    ("hd95_mm", _agreement),
    ("short_chance", _tolerance),
    ("contact_share", lambda n: f"gap {_spread(n, digits=2)}"),
)
"""The figure that calls for a phrase, and the phrase, in the order in which they are said."""
