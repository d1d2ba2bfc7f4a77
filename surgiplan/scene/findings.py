"""What the planner should look at, gravest first, each with a place to zoom to where there is one."""

from collections.abc import Iterator

from ..plan.plan import Plan, Step
from ..values import Agreement, Collision, Finding, Plane, RangeOfMotion, Tolerance, Vec3, WallMap, vec3
from .bands import tolerance_severity, tolerance_text
from .boxes import box_of_inputs
from .marks import CLOSE_MM, agreement_text, collision_text, motion_text, place_of, severity_of
from .view import Results, each_output, value_of

_ORDER = ("danger", "warning", "info")


def findings(plan: Plan, results: Results) -> tuple[Finding, ...]:
    """Collisions, close passes, comparisons, failed and out-of-date steps, and those that wait for a hand.

    A step that only fails because one above it did is not listed again.
    """
    found = [finding for step in plan.steps for finding in _of_step(step, results)]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.severity)))


def _of_step(step: Step, results: Results) -> Iterator[Finding]:
    result = results.get(step.name)
    if result is None:
        return
    error = getattr(result, "error", None)
    if error is not None and not _told_above(step, results, error):
        text = str(error).removeprefix(f"{step.name}: ") or type(error).__name__
        severity = "danger" if result.status == "failed" else "warning"
        yield Finding(step.name, text, _place_of(step, results), severity)
    stale = result.status == "stale"
    if stale:
        yield Finding(step.name, "out of date: compute it again", _place_of(step, results), "info")
    for name, value in each_output(step.name, value_of(result)):
        if isinstance(value, Collision) and (severity := severity_of(value)) != "info":
            text = collision_text(step, value, name)
            close = severity == "warning" and 0 < value.clearance_mm < CLOSE_MM
            text += f", less than {CLOSE_MM:g} mm" if close else ""
            yield Finding(step.name, text + (" (out of date)" if stale else ""), place_of(value), severity)
        elif isinstance(value, WallMap):
            yield from _of_walls(step, value, " (out of date)" if stale else "")
        elif isinstance(value, Tolerance):
            text = tolerance_text(step, value) + (" (out of date)" if stale else "")
            yield Finding(step.name, text, value.at_lps, tolerance_severity(value))
        elif isinstance(value, RangeOfMotion):
            text = motion_text(step, value) + (" (out of date)" if stale else "")
            yield Finding(step.name, text, value.least_lps, "info")
        elif isinstance(value, Agreement):
            text = agreement_text(step, value) + (" (out of date)" if stale else "")
            yield Finding(step.name, text, value.at_lps, "info")


def _of_walls(step: Step, found: WallMap, stale: str) -> Iterator[Finding]:
    """A warning for walls that the scan cannot show, and one for each place where a body rests on them."""
    bone = str(step.references["bone"][0])
    if found.thin_share > 0:
        text = (
            f"{bone}: {100 * found.thin_share:.1f} % of the surface has a wall that looks thinner than "
            f"{found.thin_mm:.2f} mm; the scan shows it thinner than it is, or not at all"
        )
        yield Finding(step.name, text + stale, found.thinnest_lps, "warning")
    for place in found.resting_lps:
        (body,) = step.references["resting"]
        text = f"{body} rests on a wall of {bone} that the scan cannot show rightly"
        yield Finding(step.name, text + stale, place, "warning")


def _told_above(step: Step, results: Results, error: Exception) -> bool:
    above = (results.get(ref.step) for refs in step.references.values() for ref in refs)
    return any(getattr(one, "error", None) is error for one in above)


def _place_of(step: Step, results: Results) -> Vec3 | None:
    """The plane of a step, else the middle of what it is made of."""
    for field in step.operation.spec.fields:
        given = getattr(step.operation, field.name)
        if isinstance(given, Plane):
            return given.point
    box = box_of_inputs(step, results)
    return vec3(box.mean(axis=0)) if len(box) else None
