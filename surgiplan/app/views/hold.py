"""How a part is held while it is moved by hand: along which axes, about which point, by which steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PySide6.QtCore import Qt

from ...algorithms.motion import Guided
from ...plan.plan import Step
from ...session import Result
from ...values import FloatArray, Part, Pose, Vec3, vec3
from ..inputs import moved_part
from .eye import Eye
from .handles import ANATOMICAL, centre_of

Axes = Literal["patient", "own", "bone"]
Named = tuple[tuple[str, Vec3], ...]
_BONE = ("long", "middle", "short")
_SHIFTS = {  # pixels to the right and down
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_TURNS = {
    Qt.Key.Key_PageUp: -1,
    Qt.Key.Key_PageDown: 1,
}  # clockwise as seen is positive about the line of sight

_ALONG = 0.25  # cosine: an arrow key that points further off a guide than this does not move along it


@dataclass(frozen=True)
class Hold:
    """What a person has chosen for the part that is held.

    axes: patient (left, posterior, superior), own (those of the part's own coordinates, which turn with it)
        or bone (its principal axes, the long one first, which turn with it)
    pivot: the point it turns about, before the pose of the step, LPS mm; None for the middle of the part
    step_mm: a press of an arrow key shifts by so much
    step_degrees: a press of Page up or down turns by so much
    """

    axes: Axes = "patient"
    pivot: Vec3 | None = None
    step_mm: float = 0.5
    step_degrees: float = 1.0


def axes_of(hold: Hold, results: Mapping[str, Result], step: Step, pose: Pose) -> Named:
    """The named axes (unit vectors, LPS) that arrows and rings of a pose have at the moment.

    pose: the pose as it is now; axes of the part turn with it
    """
    part = moved_part(results, step)
    if hold.axes == "patient" or part is None:
        return ANATOMICAL
    if hold.axes == "own":
        turn = pose.rotation @ part.pose.rotation
        return tuple((f"own {name}", vec3(turn[:, n])) for n, (name, _) in enumerate(ANATOMICAL))
    turn = pose.rotation @ principal_axes(part)
    return tuple((name, vec3(turn[:, n])) for n, name in enumerate(_BONE))


def principal_axes(part: Part) -> FloatArray:
    """(3, 3) the principal axes of the corners of a part as right-handed columns, the longest first, LPS.

    The long one points up (LPS +z), the middle one to the left, as far as they can.
    """
    points = part.points_lps
    _, axes = np.linalg.eigh(np.cov(points - points.mean(axis=0), rowvar=False))
    long, middle = axes[:, 2], axes[:, 1]
    long = long if long[2] >= 0 else -long
    middle = middle if middle[0] >= 0 else -middle
    frame: FloatArray = np.stack([long, middle, np.cross(long, middle)], axis=1)
    return frame


def stepped_by(key: Qt.Key, pose: Pose, pivot: Vec3, hold: Hold, eye: Eye) -> Pose | None:
    """A pose after one press of a key: the arrows shift in the view, Page up and down turn about its line.

    pivot: what it turns about, before the pose, LPS mm
    eye: the view under the cursor
    Returns None for a key that means no step.
    """
    centre = np.asarray(centre_of(pose, pivot))
    if key in _TURNS:
        turn = _TURNS[key] * hold.step_degrees
        return Pose.of_rotation(eye.facing(centre), turn, about=centre).after(pose)
    towards = _shown_by(key, centre, eye)
    return None if towards is None else Pose.of_shift(towards * hold.step_mm).after(pose)


def guided_by(key: Qt.Key, motion: Guided, hold: Hold, eye: Eye) -> Guided | None:
    """A guided motion after one press of a key: it goes the way of the guide that the arrow points along.

    Page up and down turn it, clockwise as seen for Page down. A key across the guide means nothing, nor does
    any that its guide holds: then None.
    """
    centre = np.asarray(centre_of(motion, (0.0, 0.0, 0.0)))
    if key in _TURNS:
        facing = float(eye.facing(centre) @ motion.guide.normal)
        return motion.turned(_TURNS[key] * hold.step_degrees * (1 if facing >= 0 else -1))
    towards = _shown_by(key, centre, eye)
    if towards is None:
        return None
    let = motion.slid(towards).slide - motion.slide
    length = float(np.linalg.norm(let))
    return motion.slid(let / length * hold.step_mm) if length > _ALONG else None


def _shown_by(key: Qt.Key, centre: FloatArray, eye: Eye) -> FloatArray | None:
    """The unit direction (3,), LPS, that an arrow key points to in a view; None for any other key."""
    if key not in _SHIFTS:
        return None
    x, y = np.add(eye.pixel(centre), _SHIFTS[key])
    beside = eye.on_plane(float(x), float(y), centre, eye.facing(centre))
    if beside is None:
        return None
    away: FloatArray = (beside - centre) / np.linalg.norm(beside - centre)
    return away
