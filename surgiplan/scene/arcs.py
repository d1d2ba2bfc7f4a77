"""The arc that shows which angle a number is."""

import math

import numpy as np

from ..values import FloatArray, Measurement, Vec3, vec3

_POINTS = 17
_LEAST_MM, _MOST_MM, _SHARE = 2.0, 15.0, 0.3
_SAME_DEG, _LEAST_DEG = 0.1, 0.5
_REACH = 1.0  # lines may be drawn out by so many of their lengths to meet


def legs_of(value: Measurement) -> tuple[tuple[Vec3, ...], ...]:
    """The lines that show a measurement: its own, else its points as they are joined.

    Up to three points make one line; four and more make lines two by two.
    """
    points = value.points_lps
    if value.lines_lps:
        return value.lines_lps
    return (points,) if len(points) < 4 else tuple(points[n : n + 2] for n in range(0, len(points) - 1, 2))


def arc_of(value: Measurement) -> tuple[Vec3, ...]:
    """Points along the arc between the legs of an angle; none for what is no angle between two legs.

    It lies about the apex, or where the first of two lines comes nearest to the second, and begins and ends
    with the ends of lines that must be drawn out to there. An angle that is
    told in a projection is not the angle between its legs, and lines that would meet far away show theirs
    badly: both get none.
    """
    if value.unit != "deg":
        return ()
    lines = [np.asarray(line, float) for line in legs_of(value)]
    if len(lines) == 1 and len(lines[0]) == 3:
        first, apex, last = lines[0]
        return _between(apex, first - apex, last - apex, value.value)
    if len(lines) == 2 and all(len(line) == 2 for line in lines):
        (a, b), (c, d) = lines
        shares = _nearest(a, b - a, c, d - c)
        if shares is None:
            return ()
        arc = _between(a + shares[0] * (b - a), b - a, d - c, value.value)
        return arc and (*_outside(a, b, shares[0]), *arc, *_outside(c, d, shares[1]))
    return ()


def _outside(begin: FloatArray, end: FloatArray, share: float) -> tuple[Vec3, ...]:
    """The end from which a line must be drawn out to a place on it; none when the place lies on it."""
    return () if 0 <= share <= 1 else (vec3(begin if share < 0 else end),)


def _nearest(
    a: FloatArray, along: FloatArray, c: FloatArray, other: FloatArray
) -> tuple[float, float] | None:
    """Where two lines come nearest, as shares of their lengths; None when that is far off, or nowhere."""
    across = np.cross(along, other)
    size = float(across @ across)
    if size < 1e-12 * float(along @ along) * float(other @ other):
        return None
    shares = float(np.cross(c - a, other) @ across) / size, float(np.cross(c - a, along) @ across) / size
    return shares if all(-_REACH <= share <= 1 + _REACH for share in shares) else None


def _between(apex: FloatArray, one: FloatArray, other: FloatArray, told_deg: float) -> tuple[Vec3, ...]:
    """The arc from one leg to the other, when that is the angle told, or what lacks to a half turn."""
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if min(lengths) <= 0:
        return ()
    first, second = one / lengths[0], other / lengths[1]
    for leg in (second, -second):
        turn = math.acos(float(np.clip(first @ leg, -1, 1)))
        if abs(math.degrees(turn) - abs(told_deg)) <= _SAME_DEG:
            break
    else:
        return ()
    aside = leg - first * float(first @ leg)
    size = float(np.linalg.norm(aside))
    if abs(told_deg) < _LEAST_DEG or size < 1e-9:
        return ()
    radius = min(max(_SHARE * min(lengths), _LEAST_MM), _MOST_MM)
    way = np.linspace(0, turn, _POINTS)[:, None]
    return tuple(map(vec3, apex + radius * (np.cos(way) * first + np.sin(way) * aside / size)))
