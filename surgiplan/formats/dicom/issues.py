"""What makes a series unusable until a person accepts it, with words for each moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .geometry import Layout, axes_of, named, places
from .headers import Slice
from .spacing import Gap

CHOICES: Mapping[str, str] = {
    "missing": "fill in the missing slices, linearly from their neighbours",
    "duplicates": "where several images lie at one place, keep the first by instance number",
}
MOST_NAMED = 8


@dataclass(frozen=True)
class Issue:
    """One thing that a person may accept.

    choice: the word for accepting it, one of CHOICES
    words: what is wrong; names no file, so that a journal may keep it
    reason: the same for the person who chooses, with the files
    notice: what is done about it once it is accepted
    """

    choice: str
    words: str
    reason: str
    notice: str


def missing(slices: Sequence[Slice], layout: Layout) -> Issue | None:
    """The issue of the slices that a stack lacks.

    slices: along the normal, one at each place
    """
    gaps = layout.spacing.gaps
    if not gaps:
        return None
    first = gaps[0]
    words = _gap(first) + _more(len(gaps) - 1, "gap")
    between = f"between {named(slices[first.after])} and {named(slices[first.after + 1])}"
    told = "; ".join(_gap(gap) for gap in gaps[:MOST_NAMED])
    told += _more(len(gaps) - MOST_NAMED, "gap")
    return Issue(
        "missing",
        words,
        f"{words} ({between}): fetch the complete series",
        f"made up from the slices on both sides, as was accepted: {told}",
    )


def _gap(gap: Gap) -> str:
    what = "1 slice is" if gap.count == 1 else f"{gap.count} slices are"
    return f"{what} missing between {gap.start:.2f} and {gap.end:.2f} mm along the stack"


def duplicates(crowds: Sequence[Sequence[Slice]]) -> Issue | None:
    """The issue of several images at one place.

    crowds: the pictures of each place, the one to keep foremost
    """
    crowded = [crowd for crowd in crowds if len(crowd) > 1]
    if not crowded:
        return None
    axes = axes_of(crowded[0])
    at = float(places(crowded[0][:1], axes)[0, 2])
    words = f"{len(crowded[0])} different images lie at one place ({at:.2f} mm along the stack)"
    words += _more(len(crowded) - 1, "such place")
    left = [named(picture) for crowd in crowded for picture in crowd[1:]]
    others = ", ".join(left[:MOST_NAMED]) + (", ..." if len(left) > MOST_NAMED else "")
    return Issue(
        "duplicates",
        words,
        f"{words}: {named(crowded[0][0])} and {named(crowded[0][1])}; give only one of them",
        f"{words}; the first by instance number is kept, as was accepted, and left out: {others}",
    )


def _more(count: int, what: str) -> str:
    """How many of a thing there are besides; "" when none."""
    return f", and {count} more {what}{'s' if count > 1 else ''}" if count > 0 else ""
