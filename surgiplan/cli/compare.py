"""The verb `compare`: how well two shapes or masks agree, wherever they lie."""

from argparse import Namespace
from pathlib import Path

from ..acts import intake
from ..algorithms.agreement import agreement
from ..errors import BadInput, Usage
from ..ops.compare import Compare
from ..plan.operation import Ref
from ..values import Agreement, Mask, Part, Value, figures
from . import verbs
from .words import say

CASE_SUFFIX = ".surgiplan"


def compare(arguments: Namespace) -> int:
    """Print all figures by which two regions are compared, each with unit and definition."""
    tolerance = Compare(a=Ref("a"), b=Ref("b"), tolerance=arguments.tolerance).tolerance
    found = agreement(region(arguments.a), region(arguments.b), tolerance)
    say(arguments, figures(found), "\n".join(_lines(found)))
    return 0


def region(text: str) -> Mask | Part:
    """The mask or shape of a file, of one segment of a label map (FILE:SEGMENT), or of a step (CASE:STEP).

    Raises BadInput when there is none, Usage when it is not said which.
    """
    path, name = _path_and_name(text)
    if path.suffix == CASE_SUFFIX:
        if not name:
            raise Usage(f"{path.name} is a case: say which step of it, as {path.name}:STEP")
        with verbs.opened(path, only_look=True) as session:
            value = session.value(name)
    elif intake.kind_of(path) in ("volume", "segments"):
        value = _segment(path, name)
    else:
        value = intake.load(path).value
    if not isinstance(value, Mask | Part):
        raise BadInput(f"{path.name} is no mask and no shape: make one of it with threshold or surface first")
    return value


def _path_and_name(text: str) -> tuple[Path, str]:
    if Path(text).exists():
        return Path(text), ""
    path, colon, name = text.rpartition(":")
    if not colon or not Path(path).exists():
        raise BadInput(f"{path if colon else text} does not exist: check the path")
    return Path(path), name


def _segment(path: Path, name: str) -> Value:
    segments = {one.name: one.value for one in intake.load_segments(path)}
    if not name and len(segments) == 1:
        return next(iter(segments.values()))
    if name not in segments:
        raise Usage(
            f"say which segment of {path.name}: {', '.join(f'{path.name}:{one}' for one in segments)}"
        )
    return segments[name]


def _lines(found: Agreement) -> list[str]:
    lines = [
        f"{name:<8}{one.value:10.4f} {one.unit:<3} {one.definition}"
        for name, one in found.measurements.items()
    ]
    if found.dice is None:
        lines.insert(0, "no Dice and no Jaccard: a surface that is not closed encloses no volume")
    place = ", ".join(f"{x:.1f}" for x in found.at_lps)
    return [*lines, f"the largest distance lies at ({place}) LPS mm"]
