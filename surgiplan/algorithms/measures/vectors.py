"""Directions and the angles between them, with a message where there is none."""

import math

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, vec3

_SHORTEST = 1e-6  # mm; a line shorter than this has no direction


def placed(*given: ArrayLike) -> FloatArray:
    """(n, 3) LPS mm; StepFailed when one is not three finite numbers."""
    try:
        return np.array([vec3(point) for point in given])
    except ValueError as problem:
        raise StepFailed(f"A landmark is not a place: {problem}. Place it again.") from problem


def line(start: FloatArray, end: FloatArray, what: str) -> FloatArray:
    """(3,) from one point to another, mm; StepFailed, naming the line, when they lie in one place."""
    way: FloatArray = end - start
    if np.linalg.norm(way) < _SHORTEST:
        raise StepFailed(f"The {what} has no direction: its two points lie in one place. Move one of them.")
    return way


def unit(start: FloatArray, end: FloatArray, what: str) -> FloatArray:
    """(3,) unit vector from one point to another; StepFailed, naming the line, when it has no length."""
    way = line(start, end, what)
    return way / float(np.linalg.norm(way))


def across(way: FloatArray, axis: FloatArray, what: str) -> FloatArray:
    """(3,) unit vector of a line seen along a unit axis; StepFailed when it points along that axis."""
    flat: FloatArray = way - (way @ axis) * axis
    length = float(np.linalg.norm(flat))
    if length < max(_SHORTEST, 1e-9 * float(np.linalg.norm(way))):
        raise StepFailed(f"The {what} points along the axis, so its turn about it cannot be seen.")
    return flat / length


def between(u: FloatArray, v: FloatArray) -> float:
    """Angle in radians, 0 to pi; exact for small and for blunt angles alike."""
    return math.atan2(float(np.linalg.norm(np.cross(u, v))), float(u @ v))


def turn(u: FloatArray, v: FloatArray, axis: FloatArray) -> float:
    """Angle in radians, -pi to pi, from one vector to another about a unit axis by the right-hand rule."""
    return math.atan2(float(axis @ np.cross(u, v)), float(u @ v - (u @ axis) * (v @ axis)))
