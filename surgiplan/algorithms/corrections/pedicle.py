"""A screw through a pedicle: where the pedicle is narrowest, how thick a screw it takes, and its grade."""

import math
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
_LIMITS_MM: tuple[tuple[float, Grade], ...] = ((2.0, "B"), (4.0, "C"), (6.0, "D"))
_TOUCHING_MM = 1e-3  # the rounding of the corners of a bone
_STEP_MM = 0.25
_EVEN_MM = 0.02  # of places as narrow as that, the nearest to the landmark is taken
_SEARCH_MM = 6.0  # the narrowest place is looked for so far to both sides of the landmark


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


def plan_screw(
    bone: Part,
    entry: ArrayLike,
    isthmus: ArrayLike,
    diameter_mm: float,
    length_mm: float,
    *,
    target: ArrayLike | None = None,
    midline: ArrayLike | None = None,
    pedicle_mm: float = 10.0,
    share: float = 0.8,
    report: Report = silent,
) -> Screw:
    """Find the narrowest place of a pedicle, lay a screw through it, and grade that.

    The breach is the largest distance outside of the bone of all places of the thread's envelope in the
    pedicle window: from half the length of the pedicle before the narrowest place to as much beyond.
    So neither the hole where the screw goes in nor its head counts.

    bone: the vertebra, closed
    entry: (3,) LPS mm, where the screw goes in: the seat of its head
    isthmus: (3,) LPS mm, in the narrow part of the pedicle
    diameter_mm, length_mm: outer diameter of the thread, and length from the head to the tip
    target: (3,) LPS mm, a place the screw points to; without one it goes through the middle of the
        narrowest place
    midline: (3,) LPS mm, a place in the middle of the spinal canal; tells medial from lateral
    pedicle_mm: length of the pedicle along the screw
    share: of the least width that a screw may take
    report: told the progress; may raise Cancelled
    Raises StepFailed when the isthmus does not lie in a pedicle, or the screw ends before it.
    """
    start, waist = place(entry, "entry"), place(isthmus, "isthmus")
    axis = direction(start, waist if target is None else target, "way of the screw")
    found = _narrowest(bone, start, axis, waist, part_of(report, 0.0, 0.3))
    if target is None:
        for _ in range(3):
            axis = direction(start, found.centre, "way of the screw")
            found = _narrowest(bone, start, axis, waist, silent)
    ends = (max(found.at_mm - pedicle_mm / 2, 0.0), min(found.at_mm + pedicle_mm / 2, length_mm))
    if ends[1] <= ends[0]:
        raise StepFailed(
            f"The screw of {length_mm:g} mm ends before the pedicle, whose narrowest place lies "
            f"{found.at_mm:.1f} mm from the entry: choose a longer one."
        )
    distance, into = SignedDistance(bone.mesh), bone.pose.inverse
    envelope = _envelope(start, axis, diameter_mm / 2, *ends)
    away = distance.at(into.apply(envelope), part_of(report, 0.3, 0.7))
    worst = int(np.argmax(away))
    breach = float(away[worst]) if away[worst] > _TOUCHING_MM else 0.0
    beyond = _envelope(start, axis, diameter_mm / 2, ends[1], max(length_mm, ends[1]), 1.0, tip=True)
    out = distance.at(into.apply(beyond), part_of(report, 0.7, 1.0))
    way = ""
    if breach > 0 and midline is not None:
        way = _way(across(envelope[worst] - start, axis), place(midline, "midline") - start)
    return Screw(
        pose=_pose(start, axis),
        pedicle=found,
        breach_mm=breach,
        breach_lps=vec3(envelope[worst]),
        way=way,
        grade=grade_of(breach),
        anterior_mm=max(float(out.max()), 0.0),
        widest_mm=share * found.width_mm,
        bone_mm=_bone_on_line(bone, start, axis, found.at_mm),
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
    bone: Part, start: FloatArray, axis: FloatArray, isthmus: FloatArray, report: Report
) -> Pedicle:
    """The place of the least width near a landmark, by outlines across the way half a millimetre apart."""
    across_way = _across(axis)
    own = (bone.points_lps - start) @ np.column_stack([across_way.T, axis])
    landmark = (isthmus - start) @ np.column_stack([across_way.T, axis])
    best: tuple[float, float, FloatArray] | None = None
    steps = sorted(np.arange(-_SEARCH_MM, _SEARCH_MM + 0.1, 0.5).tolist(), key=abs)
    for n, step in enumerate(steps):
        report(n / len(steps), "Looking for the narrowest place")
        at = float(landmark[2]) + step
        lines = crossed(own, bone.mesh.triangles, at)
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


def _envelope(
    start: FloatArray,
    axis: FloatArray,
    radius: float,
    begin_mm: float,
    end_mm: float,
    step_mm: float = _STEP_MM,
    tip: bool = False,
) -> FloatArray:
    """(n, 3) places of the thread's outer envelope between two heights, and of its flat end."""
    ring = radius * np.stack([np.cos(rays()), np.sin(rays())], axis=1) @ _across(axis)
    heights = np.linspace(begin_mm, end_mm, max(int(np.ceil((end_mm - begin_mm) / step_mm)), 1) + 1)
    sides: FloatArray = (start + heights[:, None, None] * axis + ring).reshape(-1, 3)
    if not tip:
        return sides
    disc = np.concatenate([share * ring for share in (0.0, 0.25, 0.5, 0.75)])
    whole: FloatArray = np.concatenate([sides, start + end_mm * axis + disc])
    return whole


def _pose(start: FloatArray, axis: FloatArray) -> Pose:
    """The screw's z along the axis, its x as near to the patient's left as can be."""
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


def _bone_on_line(bone: Part, start: FloatArray, axis: FloatArray, behind_mm: float) -> float:
    """From the entry to where the line of the screw leaves the bone at last (Moeller and Trumbore)."""
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
    hit = ~flat & (one >= 0) & (two >= 0) & (one + two <= 1) & (at > behind_mm)
    return float(at[hit].max()) if hit.any() else 0.0
