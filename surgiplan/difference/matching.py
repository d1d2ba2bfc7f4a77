"""Which step of one plan is which step of another."""

from collections.abc import Callable

from ..plan.plan import Plan, Step


def matched(before: Plan, now: Plan) -> dict[str, str]:
    """The name in the second plan of each step of the first that is still there.

    Steps of one name and one operation belong together. Of the others, a step that makes the same result
    by another name was renamed; so was one whose parameters are the same while something above it changed.
    """
    found = {
        step.name: step.name
        for step in before.steps
        if step.name in now.names and _kind(step) == _kind(now[step.name])
    }
    _match(before, now, found, lambda one, other: before.keys()[one.name] == now.keys()[other.name])
    _match(before, now, found, lambda one, other: _same_recipe(one, other, found))
    return found


def _kind(step: Step) -> str:
    return step.operation.spec.name


def _match(before: Plan, now: Plan, found: dict[str, str], alike: Callable[[Step, Step], bool]) -> None:
    """Join the steps that are alike and have no partner yet, in the order of the first plan."""
    for one in before.steps:
        if one.name not in found:
            free = (other for other in now.steps if other.name not in found.values())
            partner = next((other for other in free if alike(one, other)), None)
            if partner is not None:
                found[one.name] = partner.name


def _same_recipe(one: Step, other: Step, found: dict[str, str]) -> bool:
    if one.own_digest != other.own_digest or one.references.keys() != other.references.keys():
        return False
    return all(
        [(found.get(a.step), a.output) for a in refs] == [(b.step, b.output) for b in other.references[field]]
        for field, refs in one.references.items()
    )
