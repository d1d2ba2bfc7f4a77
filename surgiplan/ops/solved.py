"""How solved corrections tell their figures, and which side of the patient they are for."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..algorithms.corrections.axes import Side
from ..algorithms.measures.definition import propagated_together
from ..errors import StepFailed
from ..values import FloatArray, Landmarks, Measurement, Vec3


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
) -> dict[str, float | None]:
    """The expected errors of figures that follow from landmarks that are off by what they say of themselves.

    names: the landmarks
    figures: the figures by name for places (n, 3) of these, LPS mm
    units: of each figure by name
    None for each where a landmark says nothing, or where there is no solution beside it.
    """
    errors = [landmarks.error_of(name) for name in names]
    try:
        return propagated_together(figures, landmarks.at(*names), errors, units)
    except StepFailed:
        return dict.fromkeys(units)


def side_of(landmarks: Landmarks) -> Side:
    """The side of the patient; StepFailed where the landmarks have none."""
    if not landmarks.side:
        raise StepFailed("the landmarks name no side of the body: choose left or right in their step")
    return "R" if landmarks.side == "right" else "L"
