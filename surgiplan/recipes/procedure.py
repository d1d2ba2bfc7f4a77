"""A procedure: a recipe with the hand's part in words, stage by stage, and checks with limits."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from typing import Any

from ..errors import NeedsHand, Usage
from ..ops import OPERATIONS
from ..plan.plan import Plan
from .files import joined, known


@dataclass(frozen=True)
class Given:
    """Something of the case that a procedure works on.

    name: the word for it in the procedure's steps
    title: what it is, such as "the tibia"
    kind: part, mask or volume
    optional: whether it may stay out
    """

    name: str
    title: str
    kind: str
    optional: bool = False


@dataclass(frozen=True)
class Stage:
    """What a person does in one go.

    title, words: what is done, for the person
    step: the step that is worked on: its landmarks are placed or its parameters are chosen
    marks: the landmarks to place in that step, in this order; empty when none are
    optional: those of them that may stay out
    fields: parameters of that step to look at
    steps: all steps that belong to the stage, `step` among them
    """

    title: str
    words: str
    step: str
    marks: tuple[str, ...]
    optional: tuple[str, ...]
    fields: tuple[str, ...]
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """A figure and its limits.

    title: what it is
    of: the step or step.output that gives it
    figure: which of its numbers
    at_least, at_most: the limits; None where there is none
    unit: of the figure
    words: what to do when it does not hold
    """

    title: str
    of: str
    figure: str
    at_least: float | None
    at_most: float | None
    unit: str
    words: str


@dataclass(frozen=True)
class Count:
    """A number that a person chooses beforehand, such as the pieces of a flap.

    title: what is counted
    number: as it stands
    low, high: its range
    """

    title: str
    number: int
    low: int
    high: int


@dataclass(frozen=True)
class Procedure:
    """A procedure, ready to be put on a case.

    name: its word on the command line
    title, about: what it is and what it does
    needs: what the case must hold
    source: where its rules and limits are from
    given: what of the case it works on
    count: how often its numbered steps are there; None when it has none
    stages: in the order in which they are gone through
    steps: of the plan, as data
    checks: what must hold
    """

    name: str
    title: str
    about: str
    needs: str
    source: str
    given: tuple[Given, ...]
    count: Count | None
    stages: tuple[Stage, ...]
    steps: tuple[Mapping[str, Any], ...]
    checks: tuple[Check, ...]

    def prefixed(self, prefix: str) -> "Procedure":
        """The same with all its steps named `prefix_...`, to be put on a case a second time."""
        if not prefix:
            return self
        own = {str(step["name"]) for step in self.steps}

        def name(text: str) -> str:
            step, dot, output = text.partition(".")
            return f"{prefix}_{step}{dot}{output}" if step in own else text

        steps = [_references(step, name) | {"name": f"{prefix}_{step['name']}"} for step in self.steps]
        stages = [replace(s, step=name(s.step), steps=tuple(map(name, s.steps))) for s in self.stages]
        checks = [replace(check, of=name(check.of)) for check in self.checks]
        return replace(self, steps=tuple(steps), stages=tuple(stages), checks=tuple(checks))

    def using(self, chosen: Mapping[str, str]) -> "Procedure":
        """The same, working on these results of a case.

        chosen: "step" or "step.output" by the name in `given`; "" leaves an optional one out
        Raises Usage for a name that the procedure does not have.
        """
        if strange := set(chosen) - {one.name for one in self.given}:
            known_names = ", ".join(one.name for one in self.given) or "none"
            raise Usage(
                f"{self.name} does not work on {sorted(strange)[0]!r}; what it works on: {known_names}"
            )
        steps = [_references(step, lambda text: chosen.get(text, text)) for step in self.steps]
        return replace(self, steps=tuple(steps))

    def put_on(self, plan: Plan, values: Mapping[str, Mapping[str, Any]]) -> Plan:
        """A plan with the steps of this procedure below its own.

        values: what the hand gives: parameters by step, in the shape of the plan file
        Raises Usage for a step or parameter the procedure does not have.
        """
        names = [str(step["name"]) for step in self.steps]
        if strange := [name for name in values if name not in names]:
            raise Usage(
                f"{self.name} has no step {strange[0]!r} to give values to; its steps: {', '.join(names)}"
            )
        steps = [
            dict(step) | {"with": {**step["with"], **values.get(str(step["name"]), {})}}
            for step in self.steps
        ]
        return joined(plan, steps, keep=True)

    def stands_in(self, plan: Plan) -> bool:
        """Whether a plan holds all steps of this procedure."""
        return all(
            step["name"] in plan.names and plan[step["name"]].operation.spec.name == step["operation"]
            for step in self.steps
        )


def procedures() -> dict[str, Traversable]:
    """The files of all procedures by name."""
    return known("procedures")


def chosen_for(procedure: Procedure, plan: Plan, chosen: Mapping[str, str]) -> dict[str, str]:
    """What a procedure works on in a plan: what is chosen, else the step of that name.

    chosen: "step" or "step.output" by name; what is optional and neither chosen nor there stays out
    Raises NeedsHand, naming them, when something it needs is not chosen and not there.
    """
    found, lacking = dict(chosen), []
    for one in procedure.given:
        if one.name not in chosen and one.name not in plan.names:
            found[one.name] = ""
            if not one.optional:
                lacking.append(f"{one.name} ({one.title}, a {one.kind})")
    if lacking:
        there = ", ".join(_all_results(plan)) or "nothing"
        raise NeedsHand(f"{procedure.name} needs to know which is {'; '.join(lacking)}. There is: {there}")
    return found


def _all_results(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        for output in step.operation.outputs():
            yield f"{step.name}.{output}".rstrip(".")


def _references(step: Mapping[str, Any], renamed: Callable[[str], str]) -> dict[str, Any]:
    """A step whose references are named anew; an empty name leaves one out."""
    spec = OPERATIONS[step["operation"]].spec
    fields = dict(step["with"])
    for field in spec.fields:
        given = fields.get(field.name)
        if field.takes is None or given is None:
            continue
        fields[field.name] = [renamed(one) for one in given] if field.many else (renamed(given) or None)
    return dict(step) | {"with": fields}
