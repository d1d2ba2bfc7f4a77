"""What a tool will take, seen at once while a hand places it and before the step is computed."""

from functools import lru_cache
from typing import Any

from ..errors import SurgiplanError
from ..plan.operation import Operation
from ..plan.plan import Plan
from ..values import Part
from .items import Surface
from .shapes import SAW
from .view import Results, View, value_of

OPACITY = 0.45


def sketches(plan: Plan, results: Results, view: View) -> tuple[Surface, ...]:
    """The sketch of the chosen step, of whatever operation, while it has no result that is up to date.

    Nothing while its inputs are not known, or while its parameters fix no body yet.
    """
    if view.chosen is None or view.chosen not in plan.names:
        return ()
    step = plan[view.chosen]
    result = results.get(step.name)
    if result is not None and result.status == "ready":
        return ()
    given: dict[str, Any] = {}
    for field in step.operation.spec.fields:
        if field.takes is None:
            continue
        values = []
        for ref in step.references.get(field.name, ()):
            value = value_of(results.get(ref.step))
            values.append(value.get(ref.output) if isinstance(value, dict) else value)
        if None in values or (not values and not field.optional and not field.many):
            return ()
        given[field.name] = tuple(values) if field.many else values[0] if values else None
    drawn = _drawn(step.operation, tuple(given.items()))
    return tuple(
        Surface(f"{step.name}.sketch{n}", part.mesh, part.pose, SAW, OPACITY) for n, part in enumerate(drawn)
    )


@lru_cache(maxsize=4)
def _drawn(operation: Operation[Any], given: tuple[tuple[str, Any], ...]) -> tuple[Part, ...]:
    try:
        return operation.sketch(**dict(given))
    except SurgiplanError:  # the step itself will say what is wrong
        return ()
