"""The handles of planes, poses and guided motions: pure geometry, the same in 3D and in the slices.

A handle is drawn at a constant size on the screen, and follows the cursor in true millimetres.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...algorithms.motion import Guided
from ...scene.items import Item, LineMark
from ...values import FloatArray, Plane, Pose, Vec3, vec3
from .eye import Eye, lps_words

REACH_PIXELS = 78.0
HIT_PIXELS = 8.0
_RING = np.linspace(0.0, 2 * np.pi, 65)
ANATOMICAL: tuple[tuple[str, Vec3], ...] = (
    ("L-R", (1.0, 0.0, 0.0)),
    ("P-A", (0.0, 1.0, 0.0)),
    ("S-I", (0.0, 0.0, 1.0)),
)
Placed = Plane | Pose | Guided


@dataclass(frozen=True, eq=False)
class Grip:
    """One thing of a handle that can be taken hold of.

    kind: "shift" along the axis, "turn" about it, or "free" in the plane that the axis stands on
    name: what the axis is called
    axis: unit vector, LPS
    line_lps: (n, 3) what is drawn and hit, LPS mm
    """

    kind: Literal["shift", "turn", "free"]
    name: str
    axis: Vec3
    line_lps: FloatArray


def centre_of(value: Placed, pivot: Vec3) -> Vec3:
    """Where the handle of a value sits, LPS mm.

    pivot: for a pose, the middle of what it moves, before it is moved
    """
    if isinstance(value, Guided):
        return vec3(np.asarray(value.guide.point) + value.slide)
    return value.point if isinstance(value, Plane) else vec3(value.apply(pivot))


def grips_of(
    value: Placed, pivot: Vec3, eye: Eye, axes: tuple[tuple[str, Vec3], ...] = ANATOMICAL
) -> list[Grip]:
    """The grips of a value as they lie in one view; those seen end-on are left out.

    axes: for a pose, the named axes (unit vectors, LPS) it is shifted along and turned about
    """
    centre = np.asarray(centre_of(value, pivot))
    reach = REACH_PIXELS * eye.mm_per_pixel(centre)
    away = eye.facing(centre)
    shifts, turns = _axes(value, axes)
    grips = [_arrow(name, axis, centre, reach) for name, axis in shifts if abs(away @ axis) < 0.93]
    grips += [_ring(name, axis, centre, reach * 0.8) for name, axis in turns if abs(away @ axis) > 0.12]
    if isinstance(value, Pose):
        grips.append(Grip("free", "free", vec3(away), centre[None, :]))
    elif isinstance(value, Guided) and value.kind == "plane" and abs(away @ value.guide.normal) > 0.12:
        grips.append(Grip("free", "free", value.guide.normal, centre[None, :]))
    return grips


def _axes(
    value: Placed, axes: tuple[tuple[str, Vec3], ...]
) -> tuple[list[tuple[str, FloatArray]], list[tuple[str, FloatArray]]]:
    """Named axes to shift along and to turn about."""
    if isinstance(value, Pose):
        named = [(name, np.asarray(axis)) for name, axis in axes]
        return named, named
    if isinstance(value, Guided):
        return list(value.ways.items()), [("angle", np.asarray(value.guide.normal))]
    normal = np.asarray(value.normal)
    order = np.argsort(np.abs(normal), kind="stable")
    first = np.eye(3)[order[0]]
    across = first - normal * (first @ normal)
    across /= np.linalg.norm(across)
    tilts = [
        (f"tilt about {ANATOMICAL[order[0]][0]}", across),
        (f"tilt about {ANATOMICAL[order[1]][0]}", np.cross(normal, across)),
    ]
    return [("normal", normal)], tilts


def _arrow(name: str, axis: FloatArray, centre: FloatArray, reach: float) -> Grip:
    return Grip("shift", name, vec3(axis), np.stack([centre + axis * reach * 0.18, centre + axis * reach]))


def _ring(name: str, axis: FloatArray, centre: FloatArray, radius: float) -> Grip:
    start = np.eye(3)[np.argmin(np.abs(axis))]
    u = np.cross(axis, start)
    u /= np.linalg.norm(u)
    line = centre + radius * (np.outer(np.cos(_RING), u) + np.outer(np.sin(_RING), np.cross(axis, u)))
    return Grip("turn", name, vec3(axis), line)


def grip_at(grips: list[Grip], eye: Eye, x: float, y: float, tolerance: float = HIT_PIXELS) -> Grip | None:
    """The grip under a pixel: the nearest one within the tolerance; arrows win over rings."""
    best: tuple[float, Grip] | None = None
    for grip in grips:
        line = eye.pixels(grip.line_lps)
        away = _distance(line, np.array([x, y])) + (2.0 if grip.kind == "turn" else 0.0)
        if away <= tolerance and (best is None or away < best[0]):
            best = (away, grip)
    return best[1] if best else None


def _distance(line: FloatArray, at: FloatArray) -> float:
    """Distance in pixels from a point to a line of (n, 2) points."""
    if len(line) == 1:
        return float(np.linalg.norm(line[0] - at))
    start, step = line[:-1], np.diff(line, axis=0)
    square = np.maximum((step**2).sum(axis=1), 1e-12)
    share = np.clip(((at - start) * step).sum(axis=1) / square, 0, 1)
    return float(np.linalg.norm(start + step * share[:, None] - at, axis=1).min())


def line_at(marks: Iterable[Item], eye: Eye, x: float, y: float) -> LineMark | None:
    """The measurement whose line runs under a pixel; None when there is none."""
    best: tuple[float, LineMark] | None = None
    for mark in marks:
        if isinstance(mark, LineMark):
            pixels, at = eye.pixels(np.asarray(mark.points_lps)), np.array([x, y])
            away = min(_distance(pixels[[a, b]], at) for a, b in mark.pairs)
            if away <= HIT_PIXELS and (best is None or away < best[0]):
                best = (away, mark)
    return best[1] if best else None


def grip_pixel(grip: Grip, eye: Eye) -> tuple[float, float]:
    """A pixel of the view at which this grip, and no other of its handle, is taken hold of."""
    points = eye.pixels(grip.line_lps)
    index = {"shift": len(points) - 1, "turn": len(points) // 8, "free": 0}[grip.kind]
    return (float(points[index, 0]), float(points[index, 1]))


class Drag:
    """One drag of a grip, from the press to the release.

    value: what is dragged, as it was at the press
    pivot: for a pose, the middle of what it moves, before it is moved
    grip: what was taken hold of
    eye: the view it is dragged in
    x, y: the pixel of the press
    """

    def __init__(self, value: Placed, pivot: Vec3, grip: Grip, eye: Eye, x: float, y: float) -> None:
        self.value, self._grip, self._eye = value, grip, eye
        self._centre = np.asarray(centre_of(value, pivot))
        self._read: Callable[[float, float], float | FloatArray | None] = {
            "shift": self._along,
            "turn": self._angle,
            "free": self._across,
        }[grip.kind]
        self._start = self._read(x, y)

    def to(self, x: float, y: float, snap: bool = False) -> tuple[Placed, str]:
        """The value with the grip at this pixel, and the change in words.

        snap: go in whole millimetres and degrees
        """
        now = self._read(x, y)
        if now is None or self._start is None:
            return self.value, ""
        if self._grip.kind == "turn":
            degrees = float(np.degrees((now - self._start + np.pi) % (2 * np.pi) - np.pi))
            return self._turned(round(degrees) if snap else degrees)
        moved = now - self._start
        shift = np.asarray(self._grip.axis) * moved if self._grip.kind == "shift" else np.asarray(moved)
        if snap:
            length = float(np.linalg.norm(shift))
            shift = shift * (round(length) / length) if length > 0.5 else shift * 0.0
        return self._shifted(shift)

    def _shifted(self, shift: FloatArray) -> tuple[Placed, str]:
        value = self.value
        if isinstance(value, Guided):
            return (slid := value.slid(shift)), guided_words(value, slid)
        if isinstance(value, Plane):
            along = float(shift @ np.asarray(self._grip.axis))
            return Plane(vec3(np.asarray(value.point) + shift), value.normal), f"{along:+.1f} mm along normal"
        return Pose.of_shift(shift).after(value), lps_words(shift)

    def _turned(self, degrees: float) -> tuple[Placed, str]:
        value = self.value
        if isinstance(value, Guided):
            return (turned := value.turned(degrees)), guided_words(value, turned)
        turn = Pose.of_rotation(self._grip.axis, degrees, about=self._centre)
        if isinstance(value, Plane):
            return value.moved(turn), f"{degrees:+.1f}° {self._grip.name}"
        return turn.after(value), f"{degrees:+.1f}° about {self._grip.name}"

    def _along(self, x: float, y: float) -> float | None:
        return self._eye.along_axis(x, y, self._centre, self._grip.axis)

    def _across(self, x: float, y: float) -> FloatArray | None:
        return self._eye.on_plane(x, y, self._centre, self._grip.axis)

    def _angle(self, x: float, y: float) -> float | None:
        """Angle of the cursor round the axis, in radians."""
        axis = np.asarray(self._grip.axis)
        met = self._eye.on_plane(x, y, self._centre, axis)
        if met is None:
            return None
        u = self._grip.line_lps[0] - self._centre
        u = u / np.linalg.norm(u)
        arm = met - self._centre
        return float(np.arctan2(arm @ np.cross(axis, u), arm @ u))


def guided_words(before: Guided, now: Guided) -> str:
    """A change of a guided motion in words, such as "shift 12.0 mm (+3.2)"."""
    told = {name: (getattr(now, name), getattr(now, name) - getattr(before, name)) for name in now.ways}
    words = [f"{name} {value:.1f} mm ({by:+.1f})" for name, (value, by) in told.items() if abs(by) >= 0.05]
    turned = math.remainder(now.angle - before.angle, 360)
    words += [f"angle {now.angle:.1f}° ({turned:+.1f})"] if abs(turned) >= 0.05 else []
    return ", ".join(words) or "0.0 mm"


def turned_degrees(rotation: ArrayLike) -> Vec3:
    """Turns about the patient axes L, then P, then S, in degrees, that give a 3x3 rotation.

    At a turn of 90 degrees about P the one about L is set to 0 (gimbal lock).
    """
    r = np.asarray(rotation, np.float64)
    level = float(np.hypot(r[0, 0], r[1, 0]))
    about_p = float(np.arctan2(-r[2, 0], level))
    if level < 1e-9:
        return vec3(np.degrees((0.0, about_p, np.arctan2(-r[0, 1], r[1, 1]))))
    return vec3(np.degrees((np.arctan2(r[2, 1], r[2, 2]), about_p, np.arctan2(r[1, 0], r[0, 0]))))


def pose_of(shift_lps: ArrayLike, degrees: ArrayLike, pivot: Vec3) -> Pose:
    """The pose that turns about the pivot (L, then P, then S, in degrees), then shifts by mm."""
    pose = Pose.of_shift(shift_lps)
    for (_, axis), angle in reversed(list(zip(ANATOMICAL, vec3(degrees), strict=True))):
        pose = pose.after(Pose.of_rotation(axis, angle, about=pivot))
    return pose


def shift_of(pose: Pose, pivot: Vec3) -> Vec3:
    """How far a pose carries the pivot, LPS mm."""
    return vec3(pose.apply(pivot) - np.asarray(pivot))
