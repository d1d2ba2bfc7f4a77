"""The plans a case has had, and what is known of their results, to be compared with each other."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..casefile import CaseFile
from ..errors import Usage
from ..plan.evaluate import Evaluator
from ..plan.plan import Operations, Plan, plan_of
from ..plan.store import Store
from ..values import figures

Figures = Mapping[str, Any]
_TOLD = 20  # revisions that an error lists


def plan_at(case: CaseFile, operations: Operations, number: int | None = None) -> Plan:
    """The plan of a revision, also of one that was undone; the present one for None.

    Raises Usage, with the revisions there are, when there is none of this number.
    """
    if number is None:
        return plan_of(operations, case.head().steps)
    revisions = {one.id: one for one in case.revisions()}
    if number not in revisions:
        told = "; ".join(f"{one.id} {one.why}" for one in list(revisions.values())[-_TOLD:])
        raise Usage(f"{case.path.name} has no revision {number}; the last ones are: {told}")
    return plan_of(operations, revisions[number].steps)


def figures_kept(plan: Plan, cases: Iterable[CaseFile]) -> dict[str, Figures]:
    """The figures of the steps of a plan that some case keeps as evidence, by the name of the step."""
    found: dict[str, Figures] = {}
    for case in cases:
        for name, key in plan.keys().items():
            if name not in found and isinstance(kept := case.evidence(key), Mapping):
                found[name] = kept["fingerprint"]
    return found


def figures_computed(plan: Plan, blob: Callable[[str], bytes], store: Store) -> dict[str, Figures]:
    """The figures of all steps that can be computed now; steps that fail or wait for a hand are left out.

    blob: gives what was imported
    store: where results are looked up and kept
    """
    evaluator = Evaluator(store, blob)
    try:
        evaluator.pursue(plan, plan.names).result()
        values = {name: store.get(key) for name, key in plan.keys().items()}
        return {name: figures(value) for name, value in values.items() if value is not None}
    finally:
        evaluator.close()
