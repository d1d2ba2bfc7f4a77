"""How solved corrections tell their figures, and which side of the patient they are for."""

from collections.abc import Iterable

from ..algorithms.corrections.axes import Side
from ..errors import StepFailed
from ..values import Landmarks, Measurement, Vec3


def figure(
    landmarks: Landmarks,
    value: float,
    unit: str,
    definition: str,
    word: str,
    points: Iterable[Vec3] = (),
    sign: str = "",
) -> Measurement:
    """A figure of a solved correction, in the patient space of its landmarks.

    word: the definition as one word, such as "tibia.osteotomy.gap"
    points: the places it is drawn between, LPS mm
    """
    return Measurement(value, unit, definition, tuple(points), landmarks.frame_uid, id=word, sign=sign)


def side_of(landmarks: Landmarks) -> Side:
    """The side of the patient; StepFailed where the landmarks have none."""
    if not landmarks.side:
        raise StepFailed("the landmarks name no side of the body: choose left or right in their step")
    return "R" if landmarks.side == "right" else "L"
