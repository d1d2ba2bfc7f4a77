"""Distances and angles between points, lines and planes.

Expected errors are of first order, for landmarks whose coordinates err independently with the same
standard deviation along x, y and z.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, Measurement, Plane, vec3
from .definition import propagated
from .vectors import across, between, line, placed, turn, unit


def distance(
    p: ArrayLike, q: ArrayLike, frame_uid: str = "", landmark_sd_mm: float | None = None
) -> Measurement:
    """Measure the straight distance between two points.

    p: (3,) LPS mm
    q: (3,) LPS mm
    frame_uid: frame of reference of the points
    landmark_sd_mm: standard deviation of each coordinate of a landmark, mm; None when it is not known
    Raises StepFailed when a point is not three finite numbers.
    """
    one, other = placed(p, q)
    error = None if landmark_sd_mm is None else math.sqrt(2) * _checked(landmark_sd_mm)
    return Measurement(
        value=float(np.linalg.norm(other - one)),
        unit="mm",
        definition="straight distance between two points",
        points_lps=(vec3(one), vec3(other)),
        frame_uid=frame_uid,
        expected_error=error,
        id="distance",
    )


def angle_at(
    p: ArrayLike, vertex: ArrayLike, q: ArrayLike, frame_uid: str = "", landmark_sd_mm: float | None = None
) -> Measurement:
    """Measure the angle at a point between the lines to two others.

    p: (3,) LPS mm, end of the first leg
    vertex: (3,) LPS mm, where the legs meet
    q: (3,) LPS mm, end of the second leg
    frame_uid: frame of reference of the points
    landmark_sd_mm: standard deviation of each coordinate of a landmark, mm; None when it is not known
    Raises StepFailed when a leg has no length.
    """
    points = placed(p, vertex, q)
    first, second = line(points[1], points[0], "first leg"), line(points[1], points[2], "second leg")
    angle, a, b = between(first, second), float(np.linalg.norm(first)), float(np.linalg.norm(second))
    spread = math.sqrt(max(2 / a**2 + 2 / b**2 - 2 * math.cos(angle) / (a * b), 0))
    return _degrees(
        angle,
        "angle",
        "angle at the second point between the lines to the first and the third, 0 to 180 degrees",
        points,
        frame_uid,
        None if landmark_sd_mm is None else spread * _checked(landmark_sd_mm),
    )


def angle_between_lines(
    p1: ArrayLike,
    p2: ArrayLike,
    q1: ArrayLike,
    q2: ArrayLike,
    frame_uid: str = "",
    landmark_sd_mm: float | None = None,
) -> Measurement:
    """Measure the angle between the directions of two lines, which need not meet.

    p1, p2: (3,) LPS mm, begin and end of the first line
    q1, q2: (3,) LPS mm, begin and end of the second line
    frame_uid: frame of reference of the points
    landmark_sd_mm: standard deviation of each coordinate of a landmark, mm; None when it is not known
    Raises StepFailed when a line has no length.
    """
    points = placed(p1, p2, q1, q2)
    first, second = line(points[0], points[1], "first line"), line(points[2], points[3], "second line")
    spread = math.sqrt(2 / float(first @ first) + 2 / float(second @ second))
    return _degrees(
        between(first, second),
        "line-angle",
        "angle between the directions of two lines, each from its first point to its second, "
        "0 (same way) to 180 degrees (opposite ways)",
        points,
        frame_uid,
        None if landmark_sd_mm is None else spread * _checked(landmark_sd_mm),
    )


def angle_projected(
    p1: ArrayLike,
    p2: ArrayLike,
    q1: ArrayLike,
    q2: ArrayLike,
    axis1: ArrayLike,
    axis2: ArrayLike,
    frame_uid: str = "",
    landmark_sd_mm: float | None = None,
) -> Measurement:
    """Measure the torsion of one line against another, seen along an axis (such as femoral version).

    Both lines are projected on the plane at right angles to the axis. Positive by the right-hand rule:
    with the thumb from axis1 to axis2 the fingers turn line p into line q. For someone who looks from
    axis2 towards axis1 that is counter-clockwise.

    p1, p2: (3,) LPS mm, begin and end of the line of reference
    q1, q2: (3,) LPS mm, begin and end of the line whose turn is measured
    axis1, axis2: (3,) LPS mm, begin and end of the axis
    frame_uid: frame of reference of the points
    landmark_sd_mm: standard deviation of each coordinate of a landmark, mm; None when it is not known
    Raises StepFailed when a line has no length or points along the axis.
    """
    points = placed(p1, p2, q1, q2, axis1, axis2)
    angle = _torsion(points)
    error = None
    if landmark_sd_mm is not None:
        sd = _checked(landmark_sd_mm)
        error = propagated(lambda moved: math.degrees(_torsion(moved)), points, [sd] * 6, "deg")
    return _degrees(
        angle,
        "projected-angle",
        "signed angle from the first line to the second, both projected on the plane at right angles to the "
        "axis; positive by the right-hand rule about the axis from its first point to its second, "
        "-180 to 180 degrees",
        points,
        frame_uid,
        None if error is None else math.radians(error),
        "positive by the right-hand rule about the axis",
    )


def angle_between_planes(a: Plane, b: Plane, frame_uid: str = "") -> Measurement:
    """Measure the angle between two oriented planes.

    a: a plane, LPS mm
    b: a plane, LPS mm
    frame_uid: frame of reference of the planes
    """
    return _degrees(
        between(np.asarray(a.normal), np.asarray(b.normal)),
        "plane-angle",
        "angle between the normals of two planes, 0 (facing the same way) to 180 degrees (opposite ways)",
        placed(a.point, b.point),
        frame_uid,
        None,
    )


def angle_to_plane(
    p1: ArrayLike, p2: ArrayLike, plane: Plane, frame_uid: str = "", landmark_sd_mm: float | None = None
) -> Measurement:
    """Measure how steeply a line leaves a plane.

    p1, p2: (3,) LPS mm, begin and end of the line
    plane: LPS mm
    frame_uid: frame of reference of both
    landmark_sd_mm: standard deviation of each coordinate of a landmark, mm; None when it is not known
    Raises StepFailed when the line has no length.
    """
    points = placed(p1, p2)
    way = line(points[0], points[1], "line")
    error = None
    if landmark_sd_mm is not None:
        error = math.sqrt(2) / float(np.linalg.norm(way)) * _checked(landmark_sd_mm)
    return _degrees(
        math.pi / 2 - between(way, np.asarray(plane.normal)),
        "line-plane-angle",
        "angle between a line, from its first point to its second, and a plane, -90 to 90 degrees",
        points,
        frame_uid,
        error,
        "positive when the line leaves on the side the normal points to",
    )


def _checked(landmark_sd_mm: float) -> float:
    if not (math.isfinite(landmark_sd_mm) and landmark_sd_mm >= 0):
        raise StepFailed(f"The landmark error must be 0 mm or more, not {landmark_sd_mm:g} mm.")
    return landmark_sd_mm


def _torsion(points: FloatArray) -> float:
    """Signed angle in radians for p1, p2, q1, q2, axis1, axis2."""
    axis = unit(points[4], points[5], "axis")
    first, second = (
        across(line(points[n], points[n + 1], what), axis, what)
        for n, what in ((0, "first line"), (2, "second line"))
    )
    return turn(first, second, axis)


def _degrees(
    radians: float,
    name: str,
    definition: str,
    points: FloatArray,
    frame_uid: str,
    error: float | None,
    sign: str = "",
) -> Measurement:
    return Measurement(
        value=math.degrees(radians),
        unit="deg",
        definition=definition,
        points_lps=tuple(vec3(point) for point in points),
        frame_uid=frame_uid,
        expected_error=None if error is None else math.degrees(error),
        id=name,
        sign=sign,
    )
