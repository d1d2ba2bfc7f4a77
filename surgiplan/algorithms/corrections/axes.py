"""Directions of a limb: along its bone, to the front, to the side."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, Vec3, vec3

Side = Literal["R", "L"]
_SHORTEST_MM = 1e-6
_ANTERIOR = np.array([0.0, -1.0, 0.0])
_FACING = 0.2  # cosine; less of it towards the front, and front and back cannot be told apart


def place(point: ArrayLike, what: str) -> FloatArray:
    """A landmark as an array.

    point: (3,) LPS mm
    what: its name, for messages
    Raises StepFailed when it is not three finite numbers.
    """
    try:
        return np.array(vec3(point))
    except ValueError as problem:
        raise StepFailed(f"The landmark {what} is not a place: {problem}. Place it again.") from problem


def direction(start: ArrayLike, end: ArrayLike, what: str) -> FloatArray:
    """The unit vector from one landmark to another.

    start, end: (3,) LPS mm
    what: what the line is, for messages
    Raises StepFailed when both lie in one place.
    """
    return unit(place(end, what) - place(start, what), what)


def unit(vector: FloatArray, what: str) -> FloatArray:
    """A vector made 1 long.

    what: what the line is, for messages
    Raises StepFailed when it has no length.
    """
    length = float(np.linalg.norm(vector))
    if length < _SHORTEST_MM:
        raise StepFailed(f"The {what} has no direction: its points lie in one place. Move one of them.")
    made: FloatArray = vector / length
    return made


def across(vector: FloatArray, axis: FloatArray) -> FloatArray:
    """What of a vector lies at right angles to a unit axis."""
    rest: FloatArray = vector - (vector @ axis) * axis
    return rest


def frontal_axis(medial: ArrayLike, lateral: ArrayLike, upwards: FloatArray, what: str) -> FloatArray:
    """The axis that a surgeon looks along who sees the limb from the front, pointing to anterior.

    It is at right angles to the line across the joint and to the axis of the bone.

    medial, lateral: (3,) LPS mm, the ends of the line across the joint
    upwards: (3,) unit axis of the bone, towards the hip
    what: what the line is, for messages
    Raises StepFailed when the line runs along the bone, or front and back of the limb cannot be told.
    """
    seen = unit(np.cross(direction(medial, lateral, what), upwards), what)
    facing = float(seen @ _ANTERIOR)
    if abs(facing) < _FACING:
        raise StepFailed(
            f"The {what} runs from front to back, not from side to side: check its two landmarks, {what}."
        )
    return seen if facing > 0 else -seen


def signed_degrees(start: FloatArray, end: FloatArray, axis: FloatArray) -> float:
    """The turn about a unit axis that carries one direction onto another, as seen along it; -180 to 180."""
    one, other = across(start, axis), across(end, axis)
    return float(np.degrees(np.arctan2(axis @ np.cross(one, other), one @ other)))


def told(point: FloatArray) -> Vec3:
    """A place as a value."""
    return vec3(point)
