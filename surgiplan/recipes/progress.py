"""How far a procedure is on a case: what the hand still has to place, and how the checks stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..algorithms.measures.templates import templates
from ..errors import NeedsHand
from ..ops.landmarks import NameLandmarks
from ..plan.operation import Ref
from ..plan.plan import Plan
from ..values import Value, figures
from .procedure import Check, Procedure, Stage

Verdict = Literal["pass", "warn", "open"]


@dataclass(frozen=True)
class Missing:
    """Something a person has to give.

    step: of the plan
    name: the landmark or parameter
    words: what it is and how it is found
    """

    step: str
    name: str
    words: str

    def __str__(self) -> str:
        return f"{self.step}: {self.name} ({self.words})"


@dataclass(frozen=True)
class Outcome:
    """How a check stands.

    check: which
    value: the figure; None while it is not known
    verdict: pass, warn, or open while it is not known
    error: expected error of a measurement, one standard deviation; None where it is not known
    """

    check: Check
    value: float | None
    verdict: Verdict
    error: float | None = None

    @property
    def text(self) -> str:
        """The figure and its limits in one line, and what to do when they do not hold."""
        spread = "" if self.error is None else f" ± {self.error:.2g}"
        number = (
            "not known yet"
            if self.value is None
            else f"{_rounded(self.value):.2f}{spread} {self.check.unit}".rstrip()
        )
        told = f"{self.check.title}: {number} ({limits_words(self.check)})"
        return f"{told}. {self.check.words}" if self.verdict == "warn" else told


def _rounded(value: float) -> float:
    """To hundredths, and never minus zero."""
    return round(value, 2) + 0.0


def limits_words(check: Check) -> str:
    """The limits of a check in words."""
    unit = f" {check.unit}".rstrip()
    if check.at_least is None:
        return f"at most {check.at_most:g}{unit}"
    if check.at_most is None:
        return f"at least {check.at_least:g}{unit}"
    return f"{check.at_least:g} to {check.at_most:g}{unit}"


def missing_marks(stage: Stage, plan: Plan, optional: bool = False) -> tuple[str, ...]:
    """The landmarks of a stage that nobody has placed.

    optional: those that may stay out as well
    """
    operation = plan[stage.step].operation
    placed = operation.points if isinstance(operation, NameLandmarks) else {}
    return tuple(
        name for name in stage.marks if name not in placed and (optional or name not in stage.optional)
    )


def missing_in(stage: Stage, plan: Plan) -> list[Missing]:
    """All that a person still has to give in a stage."""
    operation = plan[stage.step].operation
    found = []
    if isinstance(operation, NameLandmarks):
        template = templates()[operation.template]
        if template.sided and not operation.side:
            found.append(Missing(stage.step, "side", "left or right"))
        for name in missing_marks(stage, plan):
            mark = template.mark(name)
            found.append(Missing(stage.step, name, f"{mark.title}: {mark.how}"))
        return found
    for name in stage.steps:
        try:
            plan[name].operation.require_placed(name)
        except NeedsHand as problem:
            field, _, words = str(problem).removeprefix(f"{name}: ").partition(" is not ")
            found.append(Missing(name, field, words or str(problem)))
    return found


def missing(procedure: Procedure, plan: Plan) -> list[Missing]:
    """All that a person still has to give, stage by stage."""
    return [one for stage in procedure.stages for one in missing_in(stage, plan)]


def outcome(check: Check, values: Mapping[str, Value]) -> Outcome:
    """How a check stands.

    values: the up-to-date results by step
    """
    ref = Ref.of(check.of)
    value: Any = values.get(ref.step)
    value = value[ref.output] if ref.output and value is not None else value
    told = {} if value is None else figures(value)
    number = told.get(check.figure)
    if number is None or isinstance(number, str):
        return Outcome(check, None, "open")
    low, high = check.at_least, check.at_most
    holds = (low is None or number >= low) and (high is None or number <= high)
    error = told.get("expected_error") if check.figure == "value" else None
    return Outcome(check, float(number), "pass" if holds else "warn", error)
