"""What a measurement is: its definition, what it needs, its error, and what it may be compared with."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ...errors import Mismatch, NeedsHand, StepFailed
from ...progress import Report, silent
from ...values import FloatArray, Landmarks, Measurement, Part, Plane, Vec3, Volume, vec3
from ..space import require_one_frame

_STEP_MM = 1e-3  # a landmark is moved by this to see what its error does to the number


@dataclass(frozen=True)
class Given:
    """What a measurement is taken from; each definition uses some of it.

    points: places without a name, LPS mm
    landmarks: places with names
    frame: which variant of the definition, by its name; "" for its first
    plane_a, plane_b: planes
    part, other: bodies
    volume: a scan
    first, second: measurements to compare
    radius_mm, gap_mm, reach_mm: how far round a place is looked, what counts as contact, the thickest wall
    landmark_sd_mm: standard deviation of each coordinate of a place; None for what the landmarks say
    report: told the progress; may raise Cancelled
    """

    points: tuple[Vec3, ...] = ()
    landmarks: Landmarks | None = None
    frame: str = ""
    plane_a: Plane | None = None
    plane_b: Plane | None = None
    part: Part | None = None
    other: Part | None = None
    volume: Volume | None = None
    first: Measurement | None = None
    second: Measurement | None = None
    radius_mm: float = 5.0
    gap_mm: float = 0.5
    reach_mm: float = 20.0
    landmark_sd_mm: float | None = None
    report: Report = silent

    @property
    def frame_uid(self) -> str:
        """The frame of reference of all that is given; Mismatch when it is not one."""
        values = (self.part, self.other, self.volume, self.landmarks)
        return require_one_frame(*(value for value in values if value is not None))


@dataclass(frozen=True)
class Frame:
    """A variant of a definition: the anatomical frame the number is told in.

    words: what it is
    landmarks: the names it needs besides those of the definition
    """

    words: str
    landmarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spot:
    """Where the landmarks of one measurement lie.

    at: (3,) LPS mm by name; own_... and other_... stand for those of the side and of the other side
    side: "left", "right" or ""
    frame: the name of the variant
    part: the body, where the definition needs one
    """

    at: Mapping[str, FloatArray]
    side: str
    frame: str
    part: Part | None = None


@dataclass(frozen=True)
class Reading:
    """A number and the lines that show it: each of two or more points, LPS mm."""

    value: float
    lines: tuple[FloatArray, ...] = ()


Measured = Measurement | dict[str, Any]


@dataclass(frozen=True)
class Definition:
    """One way to measure something.

    id: its word in files and on the command line
    title: what it is called
    group: the heading it stands under
    unit: of the number
    words: how it is defined
    measure: takes the number
    needs: which of what can be given it looks at
    points: how many places without a name it needs at least
    most: how many it takes at most; None for any number
    landmarks: the names it needs
    frames: its variants by name; the first is the usual one
    sign: what a positive number means; "" when it has no sign
    source: where the definition comes from
    usual: what is usual in the healthy; a help to read it by, never a rule
    outputs: names and kinds of its results, where it gives several
    """

    id: str
    title: str
    group: str
    unit: str
    words: str
    measure: Callable[[Given], Measured]
    needs: tuple[str, ...]
    points: int = 0
    most: int | None = None
    landmarks: tuple[str, ...] = ()
    frames: Mapping[str, Frame] = field(default_factory=lambda: MappingProxyType({}))
    sign: str = ""
    source: str = ""
    usual: str = ""
    outputs: Mapping[str, type] = field(default_factory=lambda: MappingProxyType({}))


def from_landmarks(
    name: str,
    title: str,
    group: str,
    unit: str,
    words: str,
    landmarks: tuple[str, ...],
    read: Callable[[Spot], Reading],
    *,
    frames: Mapping[str, Frame] | None = None,
    sided: bool = False,
    body: bool = False,
    sign: str = "",
    source: str = "",
    usual: str = "",
) -> Definition:
    """Define a measurement by the names of its landmarks.

    name: its id
    title, group, unit, words, landmarks, frames, sign, source, usual: see Definition
    read: takes the number from where the landmarks lie
    sided: whether it must be known which side they are on
    body: whether it needs a body too
    """
    variants = MappingProxyType(dict(frames or {}))
    needs = ("landmarks", "landmark_sd") + (("frame",) if len(variants) > 1 else ())

    def measure(given: Given) -> Measurement:
        return _taken(definition, read, given, sided)

    definition = Definition(
        name,
        title,
        group,
        unit,
        words,
        measure,
        needs + (("part",) if body else ()),
        landmarks=landmarks,
        frames=variants,
        sign=sign,
        source=source,
        usual=usual,
    )
    return definition


def _taken(definition: Definition, read: Callable[[Spot], Reading], given: Given, sided: bool) -> Measurement:
    landmarks = given.landmarks
    if landmarks is None:
        raise NeedsHand(f"{definition.title} is measured between landmarks: choose a step that names them")
    frame = chosen_frame(definition, given.frame)
    if sided and not landmarks.side:
        raise StepFailed(f"{definition.title} belongs to one side: choose left or right for the landmarks")
    names = definition.landmarks
    names += tuple(n for n in (definition.frames[frame].landmarks if frame else ()) if n not in names)
    called = [_on_side(name, landmarks.side) for name in names]
    points = landmarks.at(*called)

    def reading(moved: FloatArray) -> Reading:
        spot = Spot(dict(zip(names, moved, strict=True)), landmarks.side, frame, given.part)
        return read(spot)

    found = reading(points)
    errors = [
        landmarks.error_of(name) if given.landmark_sd_mm is None else given.landmark_sd_mm for name in called
    ]
    return Measurement(
        value=found.value,
        unit=definition.unit,
        definition=definition.words,
        points_lps=tuple(vec3(point) for point in points),
        frame_uid=given.frame_uid,
        expected_error=propagated(lambda moved: reading(moved).value, points, errors, definition.unit),
        id=definition.id,
        frame=f"{frame}: {definition.frames[frame].words}" if frame else "",
        sign=definition.sign,
        landmarks=tuple(called),
        lines_lps=tuple(tuple(vec3(point) for point in line) for line in found.lines),
    )


def _on_side(name: str, side: str) -> str:
    """The name of a landmark in the template: own_teardrop is left_teardrop on the left."""
    other = {"left": "right", "right": "left"}.get(side, "")
    return name.replace("own_", f"{side}_", 1).replace("other_", f"{other}_", 1)


def chosen_frame(definition: Definition, wanted: str) -> str:
    """The variant of a definition; StepFailed, with those it has, when it has no such one."""
    if not definition.frames:
        return ""
    if not wanted:
        return next(iter(definition.frames))
    if wanted not in definition.frames:
        known = ", ".join(definition.frames)
        raise StepFailed(f"{definition.title} is not told in the frame {wanted}: choose one of {known}")
    return wanted


def propagated(
    of: Callable[[FloatArray], float], points: FloatArray, errors: list[float | None], unit: str
) -> float | None:
    """The standard deviation of a number whose landmarks err independently along x, y and z.

    of: the number for (n, 3) landmarks, LPS mm
    points: (n, 3) where they lie
    errors: standard deviation of each coordinate for each of them, mm
    unit: of the number; degrees go round at 360
    Of first order, by central differences. None when an error is not known.
    """
    return propagated_together(lambda moved: {"": of(moved)}, points, errors, {"": unit})[""]


def propagated_together(
    of: Callable[[FloatArray], Mapping[str, float]],
    points: FloatArray,
    errors: Sequence[float | None],
    units: Mapping[str, str],
    whole: bool = False,
) -> dict[str, float | None]:
    """The standard deviations of numbers that come from the same landmarks; see `propagated`.

    of: the numbers by name for (n, 3) landmarks, LPS mm
    units: of each number by name
    whole: move each landmark by its whole error instead of a thousandth of a millimetre, for numbers that are
        rough in the small, as the largest of many
    """
    if any(error is None for error in errors):
        return dict.fromkeys(units)
    total = dict.fromkeys(units, 0.0)
    for n, error in enumerate(errors):
        step = float(error or 0) if whole else _STEP_MM
        for axis in range(3 if error else 0):
            ends = []
            for way in (1, -1):
                moved = points.copy()
                moved[n, axis] += way * step
                ends.append(of(moved))
            for name, unit in units.items():
                slope = ends[0][name] - ends[1][name]
                slope = math.remainder(slope, 360) if unit == "deg" else slope
                total[name] += (slope / (2 * step) * float(error or 0)) ** 2
    return {name: math.sqrt(square) for name, square in total.items()}


def difference(a: Measurement, b: Measurement) -> Measurement:
    """Subtract the second number from the first, where the two may be compared.

    a, b: measurements with a definition of their own
    Raises Mismatch, telling what is unlike, when definition, unit or frame differ.
    """
    if not a.id or not b.id:
        raise Mismatch("a number without a named definition is compared with nothing: measure it again")
    told = {
        "definitions": (a.id, b.id),
        "units": (a.unit, b.unit),
        "frames": (a.frame or "none", b.frame or "none"),
        "words": (a.definition, b.definition),
    }
    for what, (one, other) in told.items():
        if one != other:
            raise Mismatch(
                f"These two numbers have unlike {what}, so their difference means nothing: {one} - {other}. "
                "Measure both in one way."
            )
    value = a.value - b.value
    errors = (a.expected_error, b.expected_error)
    known = [error for error in errors if error is not None]
    return replace(
        a,
        value=math.remainder(value, 360) if a.unit == "deg" else value,
        definition=f"difference of two measurements: {a.definition}",
        points_lps=(),
        landmarks=(),
        lines_lps=(),
        expected_error=math.hypot(*known) if len(known) == 2 else None,
        id=f"difference.{a.id}",
        sign="positive when the first is larger",
    )
