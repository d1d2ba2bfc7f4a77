"""How planes, poses and places differ, in millimetres and degrees."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray, Plane, Pose, Vec3
from .change import Change, axis_words, shift_words, towards

_STEEP_COSINE = 0.1  # two planes this steep to each other: a shift along the normal has no meaning
_SAME = 1e-6  # mm or degrees
_SEEN = 0.05  # mm or degrees that the words show


def plane_change(what: str, before: Plane, now: Plane) -> Change:
    """How a plane lies to what it was: by how much it moved where it was held, and by how much it tilted.

    The shift is measured along the former normal, at the point of the former plane; a plane that was merely
    described by another of its points has not moved. The angle is the one between the normals.
    """
    normal, other = np.asarray(before.normal), np.asarray(now.normal)
    axis, cosine = np.cross(normal, other), float(normal @ other)
    degrees = float(np.degrees(np.arctan2(np.linalg.norm(axis), cosine)))
    to_point, steep = np.subtract(now.point, before.point), abs(cosine) < _STEEP_COSINE
    shift = float(to_point @ normal) if steep else float(to_point @ other) / cosine
    numbers = {"shift_mm": shift, "degrees": degrees, "sides_swapped": cosine < 0}
    if abs(shift) < _SAME and degrees < _SAME:
        return Change(what, "is the same, held at another of its points", numbers)
    aside = [f"towards {towards(normal * shift)}"] if abs(shift) >= _SEEN else []
    aside += [f"tilted about {axis_words(axis)}"] if _SEEN <= degrees <= 180 - _SEEN else []
    aside += ["its sides are swapped"] if cosine < 0 else []
    text = f"moved {_short(shift)} mm / {_short(degrees)} degrees"
    return Change(what, f"{text} ({', '.join(aside)})" if aside else text, numbers)


def pose_change(what: str, before: Pose, now: Pose, middle_lps: Vec3 | None = None) -> Change:
    """The motion from one place of a body to the other: its shift at the middle of the body, and its turn.

    middle_lps: the middle of the body where it was; None for where the origin of the body was
    """
    motion = now.after(before.inverse)
    middle = np.asarray(before.shift if middle_lps is None else middle_lps)
    at = "its origin" if middle_lps is None else "its middle"
    shift, degrees, axis = motion.apply(middle) - middle, motion.degrees, axis_of(motion)
    parts = [f"moved {shift_words(shift)} at {at}"] if np.linalg.norm(shift) > _SAME else []
    parts += [f"turned {_short(degrees)} degrees about {axis_words(axis)}"] if degrees > _SAME else []
    numbers = {"shift_lps_mm": shift.tolist(), "degrees": degrees, "axis_lps": axis.tolist(), "at": at}
    return Change(what, ", ".join(parts) or "is the same within rounding", numbers)


def axis_of(motion: Pose) -> FloatArray:
    """(3,) unit vector of the axis that a motion turns about, right-handed; zero for a mere shift."""
    r = motion.rotation
    axis = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    if np.linalg.norm(axis) < 1e-9 and motion.degrees > 90:  # half a turn: the axis is what stays
        axis = np.linalg.svd(r - np.eye(3))[2][2]
    length = float(np.linalg.norm(axis))
    unit: FloatArray = axis / length if length > 0 else axis
    return unit


def place_change(what: str, before: Vec3, now: Vec3) -> Change:
    """How far a place was moved."""
    shift = np.subtract(now, before)
    return Change(what, f"moved {shift_words(shift)}", {"shift_lps_mm": shift.tolist()})


def places_change(what: str, before: ArrayLike, now: ArrayLike) -> Change:
    """How far each of several places was moved, when there are as many as before."""
    a, b = (np.reshape(np.asarray(given, np.float64), (-1, 3)) for given in (before, now))
    if len(a) != len(b):
        return Change(what, f"{len(b)} instead of {len(a)}", {"before": len(a), "now": len(b)})
    moved = [n for n, shift in enumerate(b - a) if np.linalg.norm(shift) > 0]
    words = [f"number {n + 1} moved {shift_words(b[n] - a[n])}" for n in moved]
    return Change(what, "; ".join(words), {"shifts_lps_mm": (b - a).tolist()})


def landmarks_change(what: str, before: Mapping[str, Vec3], now: Mapping[str, Vec3]) -> Change:
    """Which landmarks were moved, added and removed."""
    both = [name for name in before if name in now and before[name] != now[name]]
    shifts = {name: np.subtract(now[name], before[name]) for name in both}
    words = [f"{name} moved {shift_words(shift)}" for name, shift in shifts.items()]
    words += [f"{name} added" for name in now if name not in before]
    words += [f"{name} removed" for name in before if name not in now]
    numbers = {name: shift.tolist() for name, shift in shifts.items()}
    return Change(what, "; ".join(words) or "in another order", {"shifts_lps_mm": numbers})


def _short(number: float) -> str:
    return f"{abs(number):.1f}" if abs(number) >= _SEEN or abs(number) < _SAME else f"{abs(number):.1g}"
