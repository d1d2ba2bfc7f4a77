"""How solved corrections tell their figures, and which side of the patient they are for."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..algorithms.corrections.axes import Side
from ..algorithms.measures.definition import propagated_together
from ..errors import StepFailed
from ..progress import Report, silent
from ..values import FloatArray, Landmarks, Measurement, Part, Vec3


def figure(
    landmarks: Landmarks,
    value: float,
    unit: str,
    definition: str,
    word: str,
    points: Iterable[Vec3] = (),
    sign: str = "",
    error: float | None = None,
) -> Measurement:
    """A figure of a solved correction, in the patient space of its landmarks.

    word: the definition as one word, such as "tibia.osteotomy.gap"
    points: the places it is drawn between, LPS mm
    error: expected error (one standard deviation) in the same unit; None when it is not known
    """
    return Measurement(value, unit, definition, tuple(points), landmarks.frame_uid, error, id=word, sign=sign)


def errors_of(
    landmarks: Landmarks,
    names: Sequence[str],
    figures: Callable[[FloatArray], Mapping[str, float]],
    units: Mapping[str, str],
    report: Report = silent,
    whole: bool = False,
) -> dict[str, float | None]:
    """The expected errors of figures that follow from landmarks that are off by what they say of themselves.

    names: the landmarks
    figures: the figures by name for places (n, 3) of these, LPS mm
    units: of each figure by name
    report: told the progress; may raise Cancelled
    whole: for figures that are rough in the small, see `propagated_together`
    None for each where a landmark says nothing, or where there is no solution beside it.
    """
    errors = [landmarks.error_of(name) for name in names]
    count = 6 * sum(1 for error in errors if error) + 1
    done = iter(range(count))

    def told(places: FloatArray) -> Mapping[str, float]:
        report(next(done) / count, "Looking what the errors of the landmarks do")
        return figures(places)

    try:
        return propagated_together(told, landmarks.at(*names), errors, units, whole)
    except StepFailed:
        return dict.fromkeys(units)


def with_surface(error: float | None, part: Part, sides: int = 1) -> float | None:
    """An error that comes from landmarks, with that of the surface a figure is taken from.

    error: of the figure by the landmarks; None when it is not known
    part: the body; where it was made from a scan its surface lies off by its mean distance from the grey edge
    sides: how many places of the surface take part in the figure; they err independently
    """
    return None if error is None else math.hypot(error, math.sqrt(sides) * surface_error(part))


def surface_error(part: Part) -> float:
    """How far the surface of a body lies off its scan on average, mm; 0 where that is not known."""
    return (part.deviation.edge_mean_mm if part.deviation is not None else None) or 0.0


def together(*errors: float | None) -> float | None:
    """Independent errors of one figure, added in squares; None when one is not known."""
    known = [error for error in errors if error is not None]
    return math.hypot(*known) if len(known) == len(errors) else None


def side_of(landmarks: Landmarks) -> Side:
    """The side of the patient; StepFailed where the landmarks have none."""
    if not landmarks.side:
        raise StepFailed("the landmarks name no side of the body: choose left or right in their step")
    return "R" if landmarks.side == "right" else "L"
