"""How things are said in the window: names of operations and fields, states, figures."""

from collections.abc import Callable, Mapping
from typing import Any

from .. import SAFETY_LINE, __version__
from ..errors import SurgiplanError
from ..plan.plan import Step
from ..session import Failed, Ready, Result, Stale, Waiting
from ..values import Landmarks, Mask, Measurement, Part, Region, Spatial, Volume

STATUS_WORDS = {"ready": "Ready", "stale": "Stale", "failed": "Failed", "waiting": "Waiting"}


def label_of(name: str) -> str:
    """A name such as "keep_part" as words: "Keep part"."""
    words = name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def status_of(result: Result | None) -> tuple[str, str]:
    """The state of a step as one of the four words, and what the person should know about it."""
    match result:
        case Failed():
            return "failed", error_words(result.error)
        case Stale():
            return "stale", "Out of date: it is shown as it was before the last change above."
        case Waiting() if result.error is not None:
            return "waiting", str(result.error)
        case Ready():
            return "ready", ""
    return "waiting", ""


def error_words(error: Exception) -> str:
    """What went wrong, for the person; a fault of ours is named but not spelled out."""
    if isinstance(error, SurgiplanError):
        return str(error) or type(error).__name__
    return f"A fault in surgiplan ({type(error).__name__}) while computing this step. Please report it."


def figure_lines(figures: Mapping[str, Any] | None) -> list[str]:
    """Figures of a result as the form shows them, one line each; nothing when there are none."""
    if not figures:
        return []
    several = {name: one for name, one in figures.items() if name != "digest"}
    if several and all(isinstance(one, Mapping) for one in several.values()):
        told = {name: _lines(one) for name, one in several.items()}
        shared = [line for line in next(iter(told.values())) if all(line in lines for lines in told.values())]
        shared = shared if len(told) > 1 else []
        own = [
            f"{name.replace('_', ' ')}: {', '.join(line for line in lines if line not in shared)}"
            for name, lines in told.items()
            if lines
        ]
        return own + shared
    return _lines(figures)


def _lines(figures: Mapping[str, Any]) -> list[str]:
    lines = [text for name, value in figures.items() if (text := _line(name, value))]
    if "value" in figures and "unit" in figures:
        error = figures.get("expected_error")
        spread = f" ± {error:.2g}" if error is not None else ""
        lines.insert(0, f"{figures['value']:.2f}{spread} {figures['unit']}".rstrip())
    return lines


def _line(name: str, value: Any) -> str:
    """One figure in words; empty for those that only serve comparison."""
    told = _FIGURES.get(name)
    return told(value) if told is not None and value is not None else ""


def _deviation(found: Mapping[str, Any]) -> str:
    grey = "" if found["edge_mean_mm"] is None else f"{found['edge_mean_mm']:.2f} mm from the grey edge, "
    mask = f"{found['mask_mean_mm']:.2f} mm from the mask on average"
    way = ", smoothed for the noise" if found.get("way") == "smoothed" else ""
    return f"{grey}{mask}, volume {found['volume_percent']:+.1f} %{way}"


def _change(found: Mapping[str, Any]) -> str:
    volume = "" if found["volume_percent"] is None else f", volume {found['volume_percent']:+.2f} %"
    moved = f"moved by {found['mean_mm']:.3f} mm on average, {found['max_mm']:.2f} mm at most{volume}"
    return "; ".join([*found["done"], moved])


_FIGURES: Mapping[str, Callable[[Any], str]] = {
    "volume_mm3": lambda v: f"volume {v / 1000:.2f} cm³",
    "area_mm2": lambda v: f"area {v / 100:.1f} cm²",
    "triangles": lambda v: f"{v:,} triangles".replace(",", " "),
    "watertight": lambda v: "closed" if v else "open surface",
    "deviation": _deviation,
    "change": _change,
    "min_mm": lambda v: f"thinnest wall {v:.2f} mm",
    "p5_mm": lambda v: f"95 % of the wall thicker than {v:.2f} mm",
    "thin_mm": lambda v: f"walls below {v:.2f} mm are not shown rightly",
    "sigma_mm": lambda v: f"blur of the scan {v:.2f} mm",
    "thin_share": lambda v: f"{100 * v:.1f} % of the surface is such a wall",
    "resting_share": lambda v: f"{100 * v:.0f} % of the touched bone is such a wall",
    "edge_mean_mm": lambda v: f"{v:.3f} mm from the grey edge on average",
    "edge_p95_mm": lambda v: f"95 % within {v:.3f} mm",
    "edge_max_mm": lambda v: f"{v:.2f} mm at most",
    "edge_share": lambda v: f"{100 * v:.1f} % of the surface has such an edge",
    "contained": lambda v: "one lies wholly inside the other" if v else "",
    "depth_mm": lambda v: f"overlap {v:.2f} mm deep" if v > 0 else "no overlap",
    "clearance_mm": lambda v: f"clearance {v:.2f} mm",
    "contact_share": lambda v: f"{100 * v:.0f} % in contact",
    "mean_mm": lambda v: f"mean gap {v:.2f} mm",
    "p95_mm": lambda v: f"95 % of gaps within {v:.2f} mm",
    "max_mm": lambda v: f"largest gap {v:.2f} mm",
    "dice": lambda v: f"Dice {v:.3f}",
    "jaccard": lambda v: f"Jaccard {v:.3f}",
    "hausdorff_mm": lambda v: f"Hausdorff distance {v:.2f} mm",
    "hd95_mm": lambda v: f"HD95 {v:.2f} mm",
    "assd_mm": lambda v: f"average surface distance {v:.2f} mm",
    "nsd": lambda v: f"{100 * v:.1f} % of the surface within the tolerance",
    "shape": lambda v: f"{v[2]} × {v[1]} × {v[0]} voxels",
    "spacing_mm": lambda v: f"{v[2]:.3g} × {v[1]:.3g} × {v[0]:.3g} mm each",
    "margin_mm": lambda v: f"margin as planned {v:.2f} mm",
    "margin_mean_mm": lambda v: f"mean margin of the trials {v:.2f} mm",
    "margin_p5_mm": lambda v: f"larger than {v:.2f} mm in 95 % of the trials",
    "margin_p95_mm": lambda v: f"smaller than {v:.2f} mm in 95 %",
    "least_margin_mm": lambda v: f"wanted: {v:g} mm",
    "short_chance": lambda v: f"smaller than wanted in {100 * v:.1f} %",
    "breach_p95_mm": lambda v: f"breach below {v:.2f} mm in 95 %",
    "most_breach_mm": lambda v: f"borne: {v:g} mm",
    "deep_chance": lambda v: f"deeper than borne in {100 * v:.1f} %",
    "place_sd_mm": lambda v: f"all errors of place together: standard deviation {v:.2f} mm",
    "definition": str,
    "frame": str,
    "sign": str,
    "length_mm": lambda v: f"{v:.1f} mm long",
    "landmarks": lambda v: f"{len(v)} landmarks",
}


def told_figures(evidence: Mapping[str, Any] | None) -> list[str]:
    """The lines of what is kept as evidence of a result."""
    return figure_lines((evidence or {}).get("fingerprint"))


def why(verb: str, step: Step) -> str:
    """The words in the history for adding or removing a step, such as "add bone (threshold)"."""
    return f"{verb} {step.name} ({step.operation.spec.name})"


def kind_words(kind: type) -> str:
    """A kind of value in plain words."""
    words = {Volume: "scan", Mask: "mask", Part: "shape", Measurement: "measurement", Region: "mask or shape"}
    words |= {Landmarks: "set of landmarks", Spatial: "scan, mask or shape"}
    return words.get(kind, "result")


def about_text() -> str:
    """What this program is, and what it is not."""
    return (
        f"surgiplan {__version__}\n\nSurgical planning on a recipe.\n\n{SAFETY_LINE}\n\nApache License 2.0."
    )
