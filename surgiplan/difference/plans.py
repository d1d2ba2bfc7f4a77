"""Two plans beside each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ..plan.plan import Plan, Step
from ..values import Vec3, vec3
from .change import Change
from .matching import matched
from .parameters import parameter_changes
from .results import Figures, result_changes

Known: TypeAlias = Mapping[str, Figures]
"""What is known of the results of a plan: figures by the name of the step."""
Kind = Literal["added", "removed", "renamed", "changed", "follows"]


@dataclass(frozen=True)
class StepDifference:
    """What became of one step.

    kind: "added", "removed", "renamed" (and nothing else), "changed", or "follows" when only its results
        are others, because of a change above it
    name: its name in the second plan, or in the first when it was removed
    before: its name in the first plan, "" when it was added
    operation: what it does
    changes: of its parameters and words
    results: of its figures, as far as both were computed
    """

    kind: Kind
    name: str
    before: str
    operation: str
    changes: tuple[Change, ...] = ()
    results: tuple[Change, ...] = ()

    @property
    def title(self) -> str:
        """Such as "saw (cut) changed"."""
        if self.kind == "follows":
            return f"{self.name} ({self.operation}) has another result"
        was = f", was {self.before}" if self.before not in ("", self.name) else ""
        return f"{self.name} ({self.operation}) {self.kind}{was}"

    @property
    def lines(self) -> tuple[str, ...]:
        """The title, what changed, and below "->" what came of it."""
        changes = (f"  {one.what} {one.text}" for one in self.changes)
        return (self.title, *changes, *(f"  -> {one.what} {one.text}" for one in self.results))

    @property
    def data(self) -> dict[str, Any]:
        """The same for programs."""

        def told(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
            return [{"what": one.what, "text": one.text, **one.numbers} for one in changes]

        named = {"kind": self.kind, "name": self.name, "before": self.before, "operation": self.operation}
        return named | {"changes": told(self.changes), "results": told(self.results)}


@dataclass(frozen=True)
class Difference:
    """All that distinguishes two plans.

    steps: what became of each step that is not as it was: in the order of the second plan, removed ones last
    unknown: the changed steps whose results are not known of both plans, so that no consequence is told
    """

    steps: tuple[StepDifference, ...]
    unknown: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """In words, ready to be shown."""
        if not self.steps:
            return ("The plans are the same.",)
        lines = [line for step in self.steps for line in step.lines]
        if self.unknown:
            lines.append(f"Consequences are not known for {', '.join(self.unknown)}: not computed in both.")
        return tuple(lines)

    @property
    def data(self) -> dict[str, Any]:
        """The same for programs."""
        return {"same": not self.steps, "steps": [s.data for s in self.steps], "unknown": list(self.unknown)}


def between(before: Plan, now: Plan, known_before: Known, known_now: Known) -> Difference:
    """What distinguishes the second plan from the first.

    known_before, known_now: figures of the results of each, by name, as far as they are computed
    """
    renamed = matched(before, now)
    earlier = {name: step for step, name in renamed.items()}
    found: list[StepDifference] = []
    unknown: list[str] = []
    for step in now.steps:
        if step.name not in earlier:
            found.append(StepDifference("added", step.name, "", _kind(step)))
            continue
        one = before[earlier[step.name]]
        changes = tuple(_changes(one, step, renamed, known_before))
        other = before.keys()[one.name] != now.keys()[step.name]
        both = one.name in known_before and step.name in known_now
        results = _results(one, step, known_before, known_now) if other and both else ()
        if other and not both:
            unknown.append(step.name)
        if changes or results or one.name != step.name:
            kind: Kind = "changed" if changes else "renamed" if one.name != step.name else "follows"
            found.append(StepDifference(kind, step.name, one.name, _kind(step), changes, results))
    for step in before.steps:
        if step.name not in renamed:
            found.append(StepDifference("removed", step.name, step.name, _kind(step)))
    return Difference(tuple(found), tuple(unknown))


def _kind(step: Step) -> str:
    return step.operation.spec.name


def _changes(one: Step, other: Step, renamed: Mapping[str, str], known: Known) -> Iterator[Change]:
    middle = _middle(known.get(one.name, {}))
    yield from parameter_changes(one.operation, other.operation, renamed, middle)
    for what in ("title", "code", "colour"):
        a, b = getattr(one.label, what), getattr(other.label, what)
        if a != b:
            yield Change(f"label {what}", f"{a or 'none'} -> {b or 'none'}", {"before": a, "now": b})
    if one.note != other.note:
        yield Change("note", f"now says {other.note!r}" if other.note else "is gone", {"now": other.note})


def _results(one: Step, other: Step, before: Known, now: Known) -> tuple[Change, ...]:
    return tuple(result_changes(other.name, before[one.name], now[other.name]))


def _middle(figures: Figures) -> Vec3 | None:
    """The middle of a shape that a step has made; None when it has made none, or several."""
    bounds = figures.get("bounds_lps")
    return vec3(np.mean(np.asarray(bounds), axis=0)) if bounds is not None and np.size(bounds) else None
