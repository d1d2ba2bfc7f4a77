"""What a step works on, taken from the results that are known."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..plan.operation import Field, Ref
from ..plan.plan import Plan, Step
from ..session import Ready, Result
from ..values import Mask, Part, Places, Plane, Value, Vec3, Volume, vec3

_ORIGIN: Vec3 = (0.0, 0.0, 0.0)


def seen_value(results: Mapping[str, Result], ref: Ref[Any]) -> Value | None:
    """The value a reference points to, up to date or stale; None when there is none."""
    value = getattr(results.get(ref.step), "value", None)
    return value.get(ref.output) if ref.output and isinstance(value, dict) else value


def free_name(plan: Plan, stem: str) -> str:
    """A name for a new step that no other has: the stem, else with the first number that is free."""
    names = (stem, *(f"{stem}{n}" for n in range(2, len(plan.steps) + 3)))
    return next(name for name in names if name not in plan.names)


def fitting(plan: Plan, step: str | None, field: Field) -> list[tuple[str, Ref[Any]]]:
    """The results a reference may point to: those of the right kind above a step, the nearest first.

    step: the step that refers; None for one that will be added at the end
    """
    above = plan.steps if step is None else plan.steps[: plan.names[step]]
    wanted = field.takes or object
    return [
        (f"{one.name}.{output}" if output else one.name, Ref(one.name, output))
        for one in reversed(above)
        for output, kind in one.operation.outputs().items()
        if issubclass(kind, wanted)
    ]


def with_point(kind: Any, before: Any, point: Vec3, landmark: str) -> Any:
    """What a field becomes by a click: a point, one more of several, or a landmark of a name.

    kind: of the field
    before: its value so far
    point: the place that was clicked, LPS mm
    landmark: the name it gets, for a field of landmarks; nothing is placed without one
    """
    if kind is Places:
        return before.put(landmark, point) if landmark else before
    return (*(before or ()), point) if kind == tuple[Vec3, ...] else point


def inputs_of(results: Mapping[str, Result], step: Step) -> dict[str, Any] | None:
    """The values that the operation of a step is given; None while one is not up to date."""
    given: dict[str, Any] = {}
    for field in step.operation.spec.fields:
        if field.takes is None:
            continue
        refs = step.references.get(field.name, ())
        if not all(isinstance(results.get(ref.step), Ready) for ref in refs):
            return None
        values = tuple(seen_value(results, ref) for ref in refs)
        given[field.name] = values if field.many else values[0] if values else None
    return given


def box_of(results: Mapping[str, Result], step: Step) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """(2, 3) corners of the first shape, mask or scan that a step works on, LPS mm."""
    for refs in step.references.values():
        for ref in refs:
            value = seen_value(results, ref)
            if isinstance(value, Part):
                return value.bounds_lps
            if isinstance(value, Mask | Volume):
                corners = value.grid.corners_lps
                return np.stack([corners.min(axis=0), corners.max(axis=0)])
    return None


def pivot_of(results: Mapping[str, Result], step: Step) -> Vec3 | None:
    """The middle of what a pose of this step moves, before it is moved, LPS mm.

    The origin of its own coordinates for a shape that the step makes itself, such as an implant; None
    while the shape it moves is not known.
    """
    if not any(step.references.get(name) for name in _moves(step)):
        return _ORIGIN
    part = moved_part(results, step)
    return vec3(part.bounds_lps.mean(axis=0)) if part is not None else None


def moved_part(results: Mapping[str, Result], step: Step) -> Part | None:
    """The part that a pose of this step moves, before it is moved; None where it is not known, or none."""
    for name in _moves(step):
        for ref in step.references.get(name, ()):
            value = seen_value(results, ref)
            return value if isinstance(value, Part) else None
    return None


def _moves(step: Step) -> list[str]:
    return [f.name for f in step.operation.spec.fields if f.takes is not None and issubclass(Part, f.takes)]


def first_plane(results: Mapping[str, Result], step: Step, crosshair_lps: Vec3) -> Plane:
    """Where a plane starts that a person is about to place.

    Across the longest extent of the part, at the crosshair when that lies in it, else in its middle.
    """
    box = box_of(results, step)
    if box is None:
        return Plane(crosshair_lps, (0.0, 0.0, 1.0))
    inside = bool((box[0] <= crosshair_lps).all() and (crosshair_lps <= box[1]).all())
    normal = np.eye(3)[int(np.argmax(box[1] - box[0]))]
    return Plane(crosshair_lps if inside else vec3(box.mean(axis=0)), vec3(normal))
