"""Lists of landmarks for each anatomy: the files of resources/landmarks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from ...errors import BadInput, StepFailed
from ...shipped import resource_folder
from ...values import Landmarks, Places

SNAPS = ("surface", "sphere", "shaft", "neck", "inside", "ridge", "extreme", "saddle", "middle", "between")
_WRONG_SIDE_MM = 0.5  # nearer to each other than this, two points say nothing of their sides


@dataclass(frozen=True)
class Mark:
    """One landmark of a template.

    name: its word in files and on the command line
    title: what it is called
    how: how a person finds it
    snap: what a click near it is drawn to: "surface", the centre of a "sphere", the axis of a "shaft", the
        centre of the "neck" below a head, the middle of the bone "inside" of it, a "ridge", what is
        farthest in a direction, such as "extreme posterior", the pass between two rises, such as
        "saddle superior", the middle of the joint face that looks somewhere, such as "middle inferior", or
        midway between two rises within so many mm, such as "between superior 14"
    """

    name: str
    title: str
    how: str
    snap: str


@dataclass(frozen=True)
class Template:
    """The landmarks of an anatomy.

    name: such as "femur"
    title: what it is for
    sided: whether it belongs to one side of the body
    marks: in the order in which they are asked for
    lateral: pairs of names of which the second lies farther to the side
    """

    name: str
    title: str
    sided: bool
    marks: tuple[Mark, ...]
    lateral: tuple[tuple[str, str], ...]

    def mark(self, name: str) -> Mark:
        """The landmark of this name; StepFailed when the template has none."""
        for mark in self.marks:
            if mark.name == name:
                return mark
        known = ", ".join(mark.name for mark in self.marks)
        raise StepFailed(f"the template {self.name} has no landmark {name}; it has: {known}")


@cache
def templates() -> Mapping[str, Template]:
    """All templates by name, in the order of the alphabet; BadInput when a file is damaged."""
    found = {}
    for file in sorted(resource_folder("landmarks").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            name = file.name.removesuffix(".json")
            found[name] = read_template(name, file.read_text(encoding="utf-8"))
    return MappingProxyType(found)


def read_template(name: str, text: str) -> Template:
    """Read a template.

    name: the name it gets
    text: JSON with title, sided, landmarks (each with name, title, how and snap) and lateral
    Raises BadInput when something is missing, a name comes twice, or a snap is not known.
    """
    try:
        content = json.loads(text)
        marks = tuple(_mark(one) for one in content["landmarks"])
        lateral = tuple((str(medial), str(side)) for medial, side in content.get("lateral", ()))
        template = Template(name, str(content["title"]), bool(content["sided"]), marks, lateral)
    except (ValueError, KeyError, TypeError) as problem:
        raise BadInput(
            f"The template of landmarks {name} needs title, sided and landmarks with name, title, how and "
            f"snap: {problem}."
        ) from problem
    names = [mark.name for mark in marks]
    strange = [one for one in {*names, *(end for pair in lateral for end in pair)} if names.count(one) != 1]
    if strange:
        raise BadInput(f"The template of landmarks {name} must list {', '.join(sorted(strange))} once.")
    return template


def _mark(given: Mapping[str, Any]) -> Mark:
    mark = Mark(*(str(given[key]) for key in ("name", "title", "how", "snap")))
    if mark.snap.split()[0] not in SNAPS:
        raise ValueError(f"{mark.name} snaps to {mark.snap!r}; it may be one of {', '.join(SNAPS)}")
    return mark


def require_sides(landmarks: Landmarks, template: Template) -> None:
    """Refuse landmarks that lie on the wrong side of the body.

    A landmark named for the left must lie left of the one named for the right; in a template of one side
    the lateral landmark of a pair must lie farther to that side than the other.

    Raises StepFailed, naming both landmarks and by how many mm they are wrong.
    """
    for right, left, words in _pairs(landmarks.places, template, landmarks.side):
        wrong = landmarks.places[right][0] - landmarks.places[left][0]
        if wrong > _WRONG_SIDE_MM:
            raise StepFailed(
                f"{left} lies {wrong:.1f} mm to the right of {right}, but {words}: exchange them, or choose "
                "the other side"
            )


def _pairs(places: Places, template: Template, side: str) -> Iterator[tuple[str, str, str]]:
    """Names of two placed landmarks, the one that must lie to the right first, and why."""
    for name in places:
        other = f"right_{name.removeprefix('left_')}"
        if name.startswith("left_") and other in places:
            yield other, name, "left is left in the patient"
    for medial, lateral in template.lateral:
        if side and medial in places and lateral in places:
            ends = (medial, lateral) if side == "left" else (lateral, medial)
            yield *ends, f"on the {side} side {lateral} lies farther {side}"
