"""Handles that belong to the type of a parameter, and the marks of what was found."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args, get_origin

from ..plan.operation import Field
from ..plan.plan import Plan, Step
from ..values import (
    Agreement,
    Collision,
    Landmarks,
    Measurement,
    Part,
    Places,
    Plane,
    Pose,
    RangeOfMotion,
    Tolerance,
    Value,
    Vec3,
    vec3,
)
from .arcs import arc_of, legs_of
from .bands import margin_text, tolerance_severity
from .boxes import box_of_inputs, section_half_mm
from .items import Colour, LineMark, PlaneMark, PointMark, PoseMark
from .view import Results, View, each_output, value_of

PLANE_COLOUR: Colour = "#F2B705"
FOUND_HALF_MM = 32.0  # half the side of the square for a plane that was found
CLOSE_MM = 2.0  # a clearance below this is worth a warning
_UNITS = {"deg": "°", "mm2": " mm²", "mm3": " mm³"}


def handles(plan: Plan, results: Results, view: View) -> Iterator[PlaneMark | PoseMark | PointMark]:
    """A mark for each Plane, Pose and point of the chosen step, of whatever operation, ready to drag.

    The planes that it has found, and those of failed steps, are shown too, but cannot be dragged: the
    latter tell why a cut found nothing.
    """
    for step in plan.steps:
        result = results.get(step.name)
        chosen = step.name == view.chosen
        if view.hides(step.name) and not chosen:
            continue
        if chosen or (result is not None and result.status == "failed"):
            for mark in _handles_of(step, results):
                if chosen or isinstance(mark, PlaneMark):
                    yield replace(mark, active=chosen)
        if chosen:
            yield from _found_planes(step, results, view)


def _found_planes(step: Step, results: Results, view: View) -> Iterator[PlaneMark]:
    """The planes that a step has found; they cannot be dragged."""
    for name, value in each_output(step.name, value_of(results.get(step.name))):
        if isinstance(value, Plane) and not view.hides(name):
            field = name.removeprefix(f"{step.name}.")
            yield PlaneMark(step.name, field, value, FOUND_HALF_MM, PLANE_COLOUR)


def is_point(field: Field) -> bool:
    """Whether a parameter is a place in the patient: three numbers."""
    return bool(field.kind == Vec3)


def is_points(field: Field) -> bool:
    """Whether a parameter is a list of places in the patient."""
    return get_origin(field.kind) is tuple and get_args(field.kind) == (Vec3, ...)


def _handles_of(step: Step, results: Results) -> Iterator[PlaneMark | PoseMark | PointMark]:
    for field in step.operation.spec.fields:
        given: Any = getattr(step.operation, field.name)
        if given is None:
            continue
        if field.kind is Plane:
            mark = PlaneMark(step.name, field.name, given, 1.0, PLANE_COLOUR)
            half = section_half_mm(box_of_inputs(step, results), given, mark.axes)
            yield replace(mark, half_extent_mm=half)
        elif field.kind is Pose:
            yield PoseMark(step.name, field.name, given, _middle(step, given, results))
        elif is_point(field):
            name = f"{step.name}:{field.name}"
            yield PointMark(name, vec3(given), field.name, step=step.name, field=field.name)
        elif is_points(field):
            for n, place in enumerate(given):
                name, text = f"{step.name}:{field.name}:{n}", f"{_one_of(field.name)} {n + 1}"
                yield PointMark(name, vec3(place), text, step=step.name, field=field.name, index=n)
        elif field.kind is Places:
            value = value_of(results.get(step.name))  # where they were drawn to, when they were snapped
            found = value.places if isinstance(value, Landmarks) else given
            for n, (name, place) in enumerate(given.items()):
                at, text = found.get(name, place), name.replace("_", " ")
                yield PointMark(f"{step.name}:{name}", at, text, step=step.name, field=field.name, index=n)


def _one_of(name: str) -> str:
    """What one of several is called: "points" are made of a "point"."""
    return name.replace("_", " ").removesuffix("s")


def _middle(step: Step, pose: Pose, results: Results) -> Vec3:
    """Where the arrows of a pose stand: in the middle of the step's shape, else at the moved origin."""
    value = value_of(results.get(step.name))
    if isinstance(value, Part) and len(value.mesh.points):
        return vec3(value.pose.apply(value.mesh.bounds.mean(axis=0)))
    return vec3(pose.shift)


def found_marks(plan: Plan, results: Results, view: View) -> Iterator[PointMark | LineMark]:
    """The places of collisions and close passes, landmarks, and the lines of measurements.

    The landmarks of the chosen step are among its handles.
    """
    shown: list[tuple[str, Measurement, bool]] = []
    for step in plan.steps:
        result = results.get(step.name)
        dimmed = result is not None and result.status == "stale"
        for name, value in each_output(step.name, value_of(result)):
            if view.hides(name):
                continue
            if isinstance(value, Measurement):
                if value.lines_lps or len(value.points_lps) > 1:
                    shown.append((name, value, dimmed))
            else:
                yield from _points(step, name, value, view.chosen == step.name, dimmed)
    yield from _lines(shown)


def _points(step: Step, name: str, value: Value, chosen: bool, dimmed: bool) -> Iterator[PointMark]:
    """The places of one result: where bodies meet, where a margin is least, landmarks."""
    late = " (out of date)" if dimmed else ""
    match value:
        case Collision():
            severity = severity_of(value)
            if severity != "info" or chosen:
                text = collision_text(step, value, name) + late
                yield PointMark(name, place_of(value), text, severity, step=step.name)
        case RangeOfMotion(least_lps=least) if least is not None:
            yield PointMark(name, least, motion_text(step, value) + late, "info", step=step.name)
        case Landmarks() if not chosen:
            for mark, place in value.places.items():
                yield PointMark(f"{name}:{mark}", place, "", step=step.name)
        case Tolerance():
            text, severity = margin_text(value) + late, tolerance_severity(value)
            yield PointMark(f"{name}:margin", value.at_lps, text, severity, step=step.name)


def _lines(shown: list[tuple[str, Measurement, bool]]) -> Iterator[LineMark]:
    """A mark for each step that measured; the numbers that it gives side by side share it."""
    for step in dict.fromkeys(name.partition(".")[0] for name, _, _ in shown):
        group = [one for one in shown if one[0].partition(".")[0] == step]
        points, lines, arcs = _joined([value for _, value, _ in group])
        told = [f"{name.partition('.')[2]} {measured_text(value)}".strip() for name, value, _ in group]
        text = f"{told[0]}, {step}" if len(group) == 1 else "\n ".join([step, *told])
        about = "\n".join(about_measurement(value) for _, value, _ in group)
        yield LineMark(group[0][0], points, text, group[0][2], about, lines, arcs)


def _joined(values: list[Measurement]) -> tuple[tuple[Vec3, ...], tuple[tuple[int, ...], ...], int]:
    """The points that show measurements, what of them makes a line each, and how many arcs come first."""
    arcs = [arc for value in values if (arc := arc_of(value))]
    if len(values) == 1 and not values[0].lines_lps and not arcs:
        return values[0].points_lps, (), 0
    points: list[Vec3] = []
    lines = []
    for line in dict.fromkeys((*arcs, *(leg for value in values for leg in legs_of(value)))):
        lines.append(tuple(range(len(points), len(points) + len(line))))
        points += line
    return tuple(points), tuple(lines), len(set(arcs))


def about_measurement(value: Measurement) -> str:
    """What must be known to read a number rightly: its definition, frame and sign."""
    words = (value.definition, value.frame, value.sign)
    return f"{value.id} {measured_text(value)}: {'; '.join(filter(None, words))}".lstrip()


def severity_of(collision: Collision) -> str:
    """How grave it is.

    Of bodies meant to lie apart: danger when they overlap, warning when they come within 2 mm. Of one meant
    to sit inside the other: danger when it does not, warning when less than 2 mm cover it, or when it
    reaches out.
    """
    overlap = collision.depth_mm > 0 or collision.contained
    if collision.meant == "inside":
        if not overlap:
            return "danger"
        return "info" if collision.contained and collision.clearance_mm >= CLOSE_MM else "warning"
    if overlap:
        return "danger"
    return "warning" if collision.clearance_mm < CLOSE_MM else "info"


def place_of(collision: Collision) -> Vec3:
    """Where to look first: what a body meant to sit inside reaches out with, or where it is covered least."""
    if collision.meant == "inside":
        return collision.out_lps or collision.near_lps or collision.at_lps
    return collision.at_lps


def agreement_text(step: Step, found: Agreement) -> str:
    """Both regions, and all figures of the comparison."""
    told = (
        f"{name} {one.value:.2f} mm" if one.unit else f"{name} {one.value:.3f}"
        for name, one in found.measurements.items()
    )
    return f"{_both(step)}: {', '.join(told)}"


def _both(step: Step) -> str:
    return " - ".join(str(ref) for refs in step.references.values() for ref in refs)


def collision_text(step: Step, collision: Collision, name: str = "") -> str:
    """Both bodies, and the depth or the clearance between them in mm.

    name: "step.output" for a step that looks at several bodies with a tool of its own
    """
    bodies = name.replace(".", " - ", 1) if "." in name else _both(step)
    overlap = collision.depth_mm > 0 or collision.contained
    if collision.meant == "inside":
        if not overlap:
            return f"{bodies}: {collision.clearance_mm:.2f} mm outside, meant to sit inside"
        if collision.contained:
            return f"{bodies}: wholly inside, covered by {collision.clearance_mm:.2f} mm at least"
        return f"{bodies}: sits inside, reaches out by {collision.out_mm or 0.0:.2f} mm"
    if overlap:
        inside = ", one wholly inside the other" if collision.contained else ""
        return f"{bodies}: depth {collision.depth_mm:.2f} mm{inside}"
    return f"{bodies}: clearance {collision.clearance_mm:.2f} mm"


def motion_text(step: Step, found: RangeOfMotion) -> str:
    """Both bodies, the smallest angle, and that bone alone was looked at."""
    if not found.touching:
        return f"{_both(step)}: free up to {found.limit_deg:g}° towards all sides (bone only)"
    return (
        f"{_both(step)}: touches first at {found.angle_deg.min():.1f}°, "
        f"{found.touching} of {len(found.angle_deg)} sides before {found.limit_deg:g}° (bone only)"
    )


def measured_text(measurement: Measurement) -> str:
    """The number, its expected error where that is known, and its unit."""
    error = measurement.expected_error
    spread = f" ± {error:.1f}" if error is not None else ""
    return f"{measurement.value:.1f}{spread}{_UNITS.get(measurement.unit, ' ' + measurement.unit)}".rstrip()
