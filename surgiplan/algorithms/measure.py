"""Distances, angles, volumes and areas, each with the convention it was taken by.

Expected errors are of first order, for landmarks whose coordinates err independently with the same
standard deviation along x, y and z.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ..errors import StepFailed
from ..values import FloatArray, Measurement, Part, Plane, vec3

_SHORTEST = 1e-6  # mm; a line shorter than this has no direction


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
    one, other = _points(p, q)
    error = None if landmark_sd_mm is None else math.sqrt(2) * _checked(landmark_sd_mm)
    return Measurement(
        value=float(np.linalg.norm(other - one)),
        unit="mm",
        definition="straight distance between two points",
        points_lps=(vec3(one), vec3(other)),
        frame_uid=frame_uid,
        expected_error=error,
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
    points = _points(p, vertex, q)
    first, second = _line(points[1], points[0], "first leg"), _line(points[1], points[2], "second leg")
    angle, a, b = _between(first, second), float(np.linalg.norm(first)), float(np.linalg.norm(second))
    spread = math.sqrt(max(2 / a**2 + 2 / b**2 - 2 * math.cos(angle) / (a * b), 0))
    return _degrees(
        angle,
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
    points = _points(p1, p2, q1, q2)
    first, second = _line(points[0], points[1], "first line"), _line(points[2], points[3], "second line")
    spread = math.sqrt(2 / float(first @ first) + 2 / float(second @ second))
    return _degrees(
        _between(first, second),
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
    points = _points(p1, p2, q1, q2, axis1, axis2)
    angle = _torsion(points)
    error = None
    if landmark_sd_mm is not None:
        error = _checked(landmark_sd_mm) * float(np.linalg.norm(_gradient(_torsion, points, angle)))
    return _degrees(
        angle,
        "signed angle from the first line to the second, both projected on the plane at right angles to the "
        "axis; positive by the right-hand rule about the axis from its first point to its second, "
        "-180 to 180 degrees",
        points,
        frame_uid,
        error,
    )


def angle_between_planes(a: Plane, b: Plane, frame_uid: str = "") -> Measurement:
    """Measure the angle between two oriented planes.

    a: a plane, LPS mm
    b: a plane, LPS mm
    frame_uid: frame of reference of the planes
    """
    return _degrees(
        _between(np.asarray(a.normal), np.asarray(b.normal)),
        "angle between the normals of two planes, 0 (facing the same way) to 180 degrees (opposite ways)",
        _points(a.point, b.point),
        frame_uid,
        None,
    )


def volume(part: Part) -> Measurement:
    """Measure the volume a part encloses.

    part: a watertight part
    Raises StepFailed when the surface is not closed or inside out, since it then encloses no volume.
    """
    if not part.mesh.watertight:
        raise StepFailed(
            f"There is no volume to measure: the surface has {part.mesh.open_edges} open or badly joined "
            "edges. Close it first: make the surface again, or use a mesh without holes."
        )
    if part.mesh.volume_mm3 <= 0:
        raise StepFailed(
            f"There is no volume to measure: the surface is inside out ({part.mesh.volume_mm3:.3f} mm³). "
            "Use a mesh that faces outwards."
        )
    definition = "volume enclosed by the triangles (divergence theorem); holes inside are taken off"
    return Measurement(part.mesh.volume_mm3, "mm3", definition, frame_uid=part.frame_uid)


def area(part: Part) -> Measurement:
    """Measure the area of the surface of a part.

    part: any part; the surfaces of holes inside count too
    """
    definition = "sum of the areas of all triangles, inner surfaces included"
    return Measurement(part.mesh.area_mm2, "mm2", definition, frame_uid=part.frame_uid)


def _points(*given: ArrayLike) -> FloatArray:
    try:
        return np.array([vec3(point) for point in given])
    except ValueError as problem:
        raise StepFailed(f"A landmark is not a place: {problem}. Place it again.") from problem


def _line(start: FloatArray, end: FloatArray, what: str) -> FloatArray:
    line: FloatArray = end - start
    if np.linalg.norm(line) < _SHORTEST:
        raise StepFailed(f"The {what} has no direction: its two points lie in one place. Move one of them.")
    return line


def _checked(landmark_sd_mm: float) -> float:
    if not (math.isfinite(landmark_sd_mm) and landmark_sd_mm >= 0):
        raise StepFailed(f"The landmark error must be 0 mm or more, not {landmark_sd_mm:g} mm.")
    return landmark_sd_mm


def _between(u: FloatArray, v: FloatArray) -> float:
    """Angle in radians, 0 to pi; exact for small and for blunt angles alike."""
    return math.atan2(float(np.linalg.norm(np.cross(u, v))), float(u @ v))


def _torsion(points: FloatArray) -> float:
    """Signed angle in radians for p1, p2, q1, q2, axis1, axis2."""
    axis = _line(points[4], points[5], "axis")
    axis = axis / np.linalg.norm(axis)
    seen = [_line(points[i], points[i + 1], what) for i, what in ((0, "first line"), (2, "second line"))]
    for what, line in zip(("first", "second"), seen, strict=True):
        line -= (line @ axis) * axis
        if np.linalg.norm(line) < _SHORTEST:
            raise StepFailed(f"The {what} line points along the axis, so its turn about it cannot be seen.")
    return math.atan2(float(axis @ np.cross(seen[0], seen[1])), float(seen[0] @ seen[1]))


def _gradient(of: Callable[[FloatArray], float], points: FloatArray, angle: float) -> FloatArray:
    """Change of an angle (radians) per mm of each coordinate, by central differences."""
    step = 1e-4
    slopes = np.empty(points.size)
    for n in range(points.size):
        moved = np.zeros(points.size)
        moved[n] = step
        ahead, behind = (of(points + sign * moved.reshape(points.shape)) - angle for sign in (1, -1))
        slopes[n] = (math.remainder(ahead, math.tau) - math.remainder(behind, math.tau)) / (2 * step)
    return slopes


def _degrees(
    radians: float, definition: str, points: FloatArray, frame_uid: str, error: float | None
) -> Measurement:
    return Measurement(
        value=math.degrees(radians),
        unit="deg",
        definition=definition,
        points_lps=tuple(vec3(point) for point in points),
        frame_uid=frame_uid,
        expected_error=None if error is None else math.degrees(error),
    )
