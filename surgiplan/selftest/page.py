"""The outcome of a selftest as lines for a terminal and as a page."""

from collections.abc import Sequence

from .. import SAFETY_LINE
from .row import Figure, Outcome

_HEAD = """# What is measured on phantoms

Made by `surgiplan selftest --to docs/selftest.md`. Every installation can make its own: `surgiplan selftest`.

Shapes of known truth are scanned by a simulated scanner (partial volume, and noise where it is said), written
as DICOM, found, read, thresholded, made a surface, written as STL and read again. What comes out is compared
with the formula. These figures verify our computation. **They are not the accuracy in a patient**, which has
the errors of scanner, motion, threshold and surgeon in it besides; anchors of others mostly contain those.
{safety}

| row | measured | goal | outcome | figures | anchor |
|---|---|---|---|---|---|
"""


def document(outcomes: Sequence[Outcome]) -> str:
    """The page in Markdown: one row of a table for each promise."""
    return _HEAD.format(safety=f"{SAFETY_LINE}.".replace("..", ".")) + "".join(map(_row, outcomes))


def _row(outcome: Outcome) -> str:
    row = outcome.row
    told = [said(figure) for figure in outcome.figures] + ([outcome.trouble] if outcome.trouble else [])
    cells = (row.key, row.name, row.goal, outcome.verdict, "; ".join(told) or row.absent, row.anchor)
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |\n"


def lines(outcome: Outcome) -> list[str]:
    """The same for a terminal: the promise, then each figure."""
    row = outcome.row
    told = [f"{outcome.verdict:<8}{row.key:<5}{row.name}: {row.goal}   ({outcome.seconds:.1f} s)"]
    told += [f"             {'' if one.holds else 'TOO LARGE: '}{said(one)}" for one in outcome.figures]
    told += [f"             {text}" for text in (outcome.trouble, row.absent) if text]
    return told + ([f"             others: {row.anchor}"] if row.anchor else [])


def said(figure: Figure) -> str:
    """A figure with its unit and its limit."""
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{figure.name} {figure.value:.3g}{unit} (<= {figure.limit:g})"
