"""Where the scans of a case came from: when they were made, and what has to be kept in mind of them."""

from collections.abc import Mapping
from typing import Any

from ...acts import intake
from ...casefile import CaseFile
from ...plan.plan import Plan, Step


class Origins:
    """What the case remembers of its imports, read once for each.

    case: the open case
    """

    def __init__(self, case: CaseFile) -> None:
        self._case = case
        self._known: dict[Any, Mapping[str, Any]] = {}

    def forget(self) -> None:
        """Read again from the case: something was imported."""
        self._known.clear()

    def _of(self, step: Step) -> Mapping[str, Any]:
        if step.operation not in self._known:
            self._known[step.operation] = intake.origin(self._case, step)
        return self._known[step.operation]

    def day(self, step: Step) -> str:
        """The day on which an imported scan was made, such as "2024-01-31"; "" when it is not known."""
        return str(self._of(step).get("study_date", ""))

    def warnings(self, step: Step) -> tuple[str, ...]:
        """All that the import of a step warned of."""
        return tuple(self._of(step).get("warnings", ()))

    def cautions(self, plan: Plan, name: str) -> tuple[str, ...]:
        """What stays in sight with a step: doubts in the grey values of its scans, and what was accepted."""
        told = list[str]()
        for step in map(plan.__getitem__, _above(plan, name)):
            words = [text for text in self.warnings(step) if "Hounsfield" in text]
            words += [f"accepted on import: {text}" for text in self._of(step).get("accepted", ())]
            told += [f"{step.name}: {text}" for text in words]
        return tuple(told)


def _above(plan: Plan, name: str) -> list[str]:
    """A step and all it rests on, in the order of the plan."""
    found = {name}
    for step in reversed(plan.steps):
        if step.name in found:
            found |= {ref.step for refs in step.references.values() for ref in refs}
    return [step.name for step in plan.steps if step.name in found]


def takes_grey_values(step: Step) -> bool:
    """Whether a step has a parameter in Hounsfield units."""
    return any(field.number is not None and field.number.unit == "HU" for field in step.operation.spec.fields)
