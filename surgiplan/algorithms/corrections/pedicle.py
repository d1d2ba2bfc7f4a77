"""A screw through a pedicle: where the pedicle is narrowest, how thick a screw it takes, and its grade."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import map_coordinates

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import FloatArray, Part, Pose, Vec3, Volume, vec3
from ..distance import SignedDistance
from .axes import across, direction, place, unit
from .shaft import ANGLES, crossed, rays, reach

Grade = Literal["A", "B", "C", "D", "E"]
_TOUCHING_MM = 1e-3  # the rounding of the corners of a bone
_LIMITS_MM: tuple[tuple[float, Grade], ...] = ((_TOUCHING_MM, "A"), (2.0, "B"), (4.0, "C"), (6.0, "D"))
_STEP_MM = 0.25
_EVEN_MM = 0.02  # of places as narrow as that, the nearest to the landmark is taken
_SEARCH_MM = 6.0  # the narrowest place is looked for so far to both sides of the landmark
_STEPS = tuple(sorted(np.arange(-_SEARCH_MM, _SEARCH_MM + 0.1, 0.5).tolist(), key=abs))


@dataclass(frozen=True)
class Pedicle:
    """The narrowest place on the way of a screw.

    centre: middle of the bone there, LPS mm
    width_mm: its least width there, through that middle
    at_mm: how far from the entry
    """

    centre: Vec3
    width_mm: float
    at_mm: float


@dataclass(frozen=True)
class Screw:
    """A screw in a pedicle.

    pose: from the screw's own coordinates (seat of the head in the origin, z to the tip) to the patient
    pedicle: the narrowest place on its way
    breach_mm: how far its thread leaves the pedicle at most, 0 when it does not
    breach_lps: where
    way: medial, lateral, cranial or caudal of the axis; "" without a breach or without a midline
    grade: of Gertzbein and Robbins
    anterior_mm: how far it leaves the vertebra beyond the pedicle at most
    widest_mm: the thickest screw that takes no more than the share of the width
    bone_mm: how much bone lies on the line of the screw from the entry to the far cortex
    """

    pose: Pose
    pedicle: Pedicle
    breach_mm: float
    breach_lps: Vec3
    way: str
    grade: Grade
    anterior_mm: float
    widest_mm: float
    bone_mm: float


def grade_of(breach_mm: float) -> Grade:
    """The grade of Gertzbein and Robbins (modified): A none, B below 2, C below 4, D below 6, E from 6 mm.

    breach_mm: beyond the cortex of the pedicle; what lies within the rounding of a surface is none
    """
    if breach_mm <= _TOUCHING_MM:
        return "A"
    return next((grade for limit, grade in _LIMITS_MM if breach_mm < limit), "E")


@dataclass(frozen=True, eq=False)
class Laid:
    """How a screw lies in a vertebra.

    start: (3,) the seat of its head, LPS mm
    axis: (3,) unit vector to its tip
    pedicle: the narrowest place on its way
    step_mm: how far that lies beyond the landmark
    window_mm: where along the screw the pedicle begins and ends
    """

    start: FloatArray
    axis: FloatArray
    pedicle: Pedicle
    step_mm: float
    window_mm: tuple[float, float]

    def thread(self, radius_mm: float, like: "Laid | None" = None) -> FloatArray:
        """(n, 3) places of the thread's outer envelope in the pedicle, LPS mm.

        like: another laying, to get as many places as it has, in the same order
        """
        return self._envelope(radius_mm, self.window_mm, (like or self).window_mm, _STEP_MM)

    def beyond(self, radius_mm: float, length_mm: float, like: "Laid | None" = None) -> FloatArray:
        """(n, 3) places of the envelope beyond the pedicle, and of its flat end, LPS mm."""
        end, last = self.window_mm[1], (like or self).window_mm[1]
        reach = max(length_mm, end)
        sides = self._envelope(radius_mm, (end, reach), (last, max(length_mm, last)), 1.0)
        ring = radius_mm * np.stack([np.cos(rays()), np.sin(rays())], axis=1) @ _across(self.axis)
        disc = np.concatenate([share * ring for share in (0.0, 0.25, 0.5, 0.75)])
        whole: FloatArray = np.concatenate([sides, self.start + reach * self.axis + disc])
        return whole

    def _envelope(
        self, radius: float, span: tuple[float, float], counted: tuple[float, float], step_mm: float
    ) -> FloatArray:
        ring = radius * np.stack([np.cos(rays()), np.sin(rays())], axis=1) @ _across(self.axis)
        heights = np.linspace(*span, max(int(np.ceil((counted[1] - counted[0]) / step_mm)), 1) + 1)
        sides: FloatArray = (self.start + heights[:, None, None] * self.axis + ring).reshape(-1, 3)
        return sides


def laid(
    bone: Part,
    places: ArrayLike,
    length_mm: float,
    pedicle_mm: float,
    report: Report = silent,
    step_mm: float | None = None,
) -> Laid:
    """Lay a screw through a pedicle.

    bone: the vertebra, closed
    places: (2 or 3, 3) LPS mm: entry, isthmus, and a place the screw points to; without that it goes through
        the middle of the narrowest place
    length_mm, pedicle_mm: of the screw, and of the pedicle along it
    report: told the progress; may raise Cancelled
    step_mm: look for the middle of the pedicle only so far beyond the landmark; None looks for the narrowest
    Raises StepFailed when the isthmus does not lie in a pedicle, or the screw ends before it.
    """
    given = np.asarray(places, np.float64)
    start, waist = place(given[0], "entry"), place(given[1], "isthmus")
    axis = direction(start, given[-1], "way of the screw")
    steps = _STEPS if step_mm is None else (step_mm,)
    found = _narrowest(bone, start, axis, waist, steps, report)
    for _ in range(3 if len(given) < 3 else 0):
        axis = direction(start, found.centre, "way of the screw")
        found = _narrowest(bone, start, axis, waist, steps, report)
    ends = (max(found.at_mm - pedicle_mm / 2, 0.0), min(found.at_mm + pedicle_mm / 2, length_mm))
    if ends[1] <= ends[0]:
        raise StepFailed(
            f"The screw of {length_mm:g} mm ends before the pedicle, whose narrowest place lies "
            f"{found.at_mm:.1f} mm from the entry: choose a longer one."
        )
    return Laid(start, axis, found, found.at_mm - float((waist - start) @ axis), ends)


def plan_screw(
    bone: Part,
    way: Laid,
    diameter_mm: float,
    length_mm: float,
    *,
    midline: ArrayLike | None = None,
    share: float = 0.8,
    distance: SignedDistance | None = None,
    report: Report = silent,
) -> Screw:
    """Grade a screw that is laid through a pedicle, and tell what it has room for.

    The breach is the largest distance outside of the bone of all places of the thread's envelope in the
    pedicle window: from half the length of the pedicle before the narrowest place to as much beyond.
    So neither the hole where the screw goes in nor its head counts.

    bone: the vertebra, closed
    way: how it lies
    diameter_mm, length_mm: outer diameter of the thread, and length from the head to the tip
    midline: (3,) LPS mm, a place in the middle of the spinal canal; tells medial from lateral
    share: of the least width that a screw may take
    distance: of the bone, where it is made already
    report: told the progress; may raise Cancelled
    """
    distance, into, found = distance or SignedDistance(bone.mesh), bone.pose.inverse, way.pedicle
    envelope = way.thread(diameter_mm / 2)
    away = distance.at(into.apply(envelope), part_of(report, 0.0, 0.5))
    worst = int(np.argmax(away))
    breach = float(away[worst]) if away[worst] > _TOUCHING_MM else 0.0
    out = distance.at(into.apply(way.beyond(diameter_mm / 2, length_mm)), part_of(report, 0.5, 1.0))
    towards = ""
    if breach > 0 and midline is not None:
        towards = _way(across(envelope[worst] - way.start, way.axis), place(midline, "midline") - way.start)
    return Screw(
        pose=pose_of(way),
        pedicle=found,
        breach_mm=breach,
        breach_lps=vec3(envelope[worst]),
        way=towards,
        grade=grade_of(breach),
        anterior_mm=max(float(out.max()), 0.0),
        widest_mm=share * found.width_mm,
        bone_mm=bone_on_line(bone, way),
    )


def grey_along(
    volume: Volume, pose: Pose, diameter_mm: float, length_mm: float
) -> tuple[float, float, float]:
    """Mean, least and largest mean grey value of the bone that a screw takes the place of, along its axis.

    volume: the scan
    pose: of the screw
    diameter_mm, length_mm: of its thread
    Gives the mean over the whole thread, and the least and largest mean of its slices 1 mm apart.
    Raises StepFailed when the screw leaves the scan.
    """
    heights = np.arange(0.5, max(length_mm, 1.0), 1.0)
    rings = np.linspace(0.0, diameter_mm / 2, 5)
    turns = np.arange(24) * (2 * np.pi / 24)
    shares = np.repeat(np.maximum(rings, 0.25 * rings[1]), 24)
    disc = np.stack([np.outer(rings, np.cos(turns)).ravel(), np.outer(rings, np.sin(turns)).ravel()], axis=1)
    own = np.column_stack([np.tile(disc, (len(heights), 1)), np.repeat(heights, len(disc))])
    places = volume.grid.to_kji(pose.apply(own))
    if (places < -0.5).any() or (places > np.asarray(volume.voxels.shape) - 0.5).any():
        raise StepFailed("The screw leaves the scan: its grey values are not known. Place it inside.")
    grey: FloatArray = map_coordinates(
        volume.voxels, places.T, output=np.float64, order=1, mode="nearest", prefilter=False
    )
    slices = (grey.reshape(len(heights), -1) * shares).sum(axis=1) / shares.sum()
    return float(slices.mean()), float(slices.min()), float(slices.max())


def _narrowest(
    bone: Part,
    start: FloatArray,
    axis: FloatArray,
    isthmus: FloatArray,
    steps: Sequence[float],
    report: Report,
) -> Pedicle:
    """The place of the least width near a landmark, by outlines across the way so far beyond it."""
    across_way = _across(axis)
    own = (bone.points_lps - start) @ np.column_stack([across_way.T, axis])
    landmark = (isthmus - start) @ np.column_stack([across_way.T, axis])
    off = own[bone.mesh.triangles, 2] - landmark[2]
    near = bone.mesh.triangles[(off.min(axis=1) <= _SEARCH_MM + 0.1) & (off.max(axis=1) >= -_SEARCH_MM - 0.1)]
    best: tuple[float, float, FloatArray] | None = None
    for n, step in enumerate(steps):
        report(n / len(steps), "Looking for the narrowest place")
        at = float(landmark[2]) + step
        lines = crossed(own, near, at)
        width, middle = _waist(lines, landmark[:2])
        if math.isfinite(width) and (best is None or width < best[0] - _EVEN_MM):
            best = (width, at, middle)
    if best is None or best[1] <= 0:
        raise StepFailed(
            "The isthmus does not lie in a pedicle in front of the entry: place it in the middle of the "
            "narrow bridge of bone between the joint and the body."
        )
    width, at_mm, middle = best
    return Pedicle(vec3(start + middle @ across_way + at_mm * axis), width, at_mm)


def _waist(lines: FloatArray, inside: FloatArray) -> tuple[float, FloatArray]:
    """Least width of the outline round a place, through its middle; infinite where it is not closed.

    The middle is looked for from the middle of the area on, and that place is taken that lies farthest from
    the outline.
    """
    middle, best = inside, (0.0, math.inf, inside)
    ways, half = np.stack([np.cos(rays()), np.sin(rays())], axis=1), ANGLES // 2
    for _ in range(6):
        radii = reach(lines, middle, nearest=True) if len(lines) else np.full(ANGLES, np.inf)
        if not np.isfinite(radii).all():
            break
        if radii.min() > best[0]:
            best = (float(radii.min()), float((radii[:half] + radii[half:]).min()), middle)
        corners = radii[:, None] * ways
        after = np.roll(corners, -1, axis=0)
        double = corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]
        middle = middle + ((corners + after) * double[:, None]).sum(axis=0) / (3 * double.sum())
    return best[1], best[2]


def _across(axis: FloatArray) -> FloatArray:
    """(2, 3) unit vectors at right angles to an axis and to each other, right-handed with it."""
    first = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(axis, first)])


def pose_of(way: Laid) -> Pose:
    """The pose of a screw that lies so: z along its axis, x as near to the patient's left as can be."""
    start, axis = way.start, way.axis
    left = across(np.array([1.0, 0.0, 0.0]), axis)
    if np.linalg.norm(left) < 0.1:
        left = across(np.array([0.0, 1.0, 0.0]), axis)
    first = unit(left, "way of the screw")
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([first, np.cross(axis, first), axis], axis=1)
    matrix[:3, 3] = start
    return Pose.of(matrix)


def _way(off: FloatArray, to_midline: FloatArray) -> str:
    """To which side of its axis a screw leaves the bone."""
    aside, up = float(off[0]) * (1 if to_midline[0] > 0 else -1), float(off[2])
    if abs(aside) >= abs(up):
        return "medial" if aside > 0 else "lateral"
    return "cranial" if up > 0 else "caudal"


def bone_on_line(bone: Part, way: Laid) -> float:
    """From the entry to where the line of a screw leaves the bone at last, mm (Moeller and Trumbore)."""
    start, axis = way.start, way.axis
    a, b, c = bone.points_lps[bone.mesh.triangles].transpose(1, 0, 2)
    u, v, w = b - a, c - a, start - a
    p = np.cross(axis, v)
    volume = np.einsum("ij,ij->i", u, p)
    flat = np.abs(volume) < 1e-12
    safe = np.where(flat, 1.0, volume)
    one = np.einsum("ij,ij->i", w, p) / safe
    q = np.cross(w, u)
    two = (q @ axis) / safe
    at = np.einsum("ij,ij->i", v, q) / safe
    hit = ~flat & (one >= 0) & (two >= 0) & (one + two <= 1) & (at > way.pedicle.at_mm)
    return float(at[hit].max()) if hit.any() else 0.0
