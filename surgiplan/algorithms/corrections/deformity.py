"""A deformity of a long bone in six numbers, and the one inclined cut that takes it away."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, Plane, Pose, Vec3, vec3
from .axes import Side, across, frontal_axis, place, unit

_LEAST_DEGREES = 0.05


@dataclass(frozen=True)
class Deformity:
    """Where the lower fragment stands to the upper one, as two radiographs and an axial view show it.

    valgus_degrees: lean of its axis to lateral in the view from the front; varus is negative
    procurvatum_degrees: lean of its axis to posterior in the view from the side (apex in front);
        recurvatum is negative
    outwards_degrees: turn about its own axis, outwards; inwards is negative
    lateral_mm, anterior_mm: where its end at the cut lies, seen from the upper fragment
    short_mm: how far it has gone up (shortening); apart is negative
    """

    valgus_degrees: float = 0.0
    procurvatum_degrees: float = 0.0
    outwards_degrees: float = 0.0
    lateral_mm: float = 0.0
    anterior_mm: float = 0.0
    short_mm: float = 0.0


@dataclass(frozen=True)
class Frame:
    """The upper fragment's own directions, unit vectors in LPS.

    lateral, anterior, upwards: right-handed for a left limb, left-handed for a right one
    side: of the patient
    """

    lateral: FloatArray
    anterior: FloatArray
    upwards: FloatArray
    side: Side

    @classmethod
    def of(
        cls, proximal: ArrayLike, distal: ArrayLike, medial: ArrayLike, lateral: ArrayLike, side: Side
    ) -> "Frame":
        """From the axis of the upper fragment and a line across its joint.

        proximal, distal: (3,) LPS mm, two points of the axis, hip end first
        medial, lateral: (3,) LPS mm, ends of the line across
        """
        upwards = unit(place(proximal, "proximal") - place(distal, "distal"), "axis of the upper fragment")
        anterior = frontal_axis(medial, lateral, upwards, "line across the joint")
        aside = np.cross(anterior, upwards)
        outwards = place(lateral, "lateral") - place(medial, "medial")
        return cls(aside if aside @ outwards > 0 else -aside, anterior, upwards, side)

    def turn(self, axis: FloatArray, degrees: float) -> FloatArray:
        """3x3 rotation, right-handed about a direction in LPS."""
        return Pose.of_rotation(axis, degrees).rotation


@dataclass(frozen=True)
class SingleCut:
    """One cut that corrects a deformity.

    cut: its normal is the axis of the turn, so that the fragments glide on each other; it points upwards
    pose: the whole correction of the lower fragment
    turn: the part of it that is a pure turn in the cut, about the axis through `pivot`
    pivot: a place on that axis, in the cut, LPS mm; the turn about it leaves nothing to shift in the cut
    degrees: angle of the turn
    left_over_mm: (3,) shift that the turn does not do: straight out of the cut, LPS
    lengthening_mm: how much of that opens the cut; closing it (bone must go) is negative
    steepness_degrees: angle between the cut and a cut straight across the bone
    """

    cut: Plane
    pose: Pose
    turn: Pose
    pivot: Vec3
    degrees: float
    left_over_mm: Vec3
    lengthening_mm: float
    steepness_degrees: float


def pose_of(deformity: Deformity, frame: Frame, level: ArrayLike) -> Pose:
    """Where the deformity has carried the lower fragment from its right place.

    Its axis leans by the two angles as they are seen in the two views (so its direction is
    down + tan(valgus) lateral + tan(procurvatum) posterior), by the shortest turn; before that it is turned
    about the axis of the bone.

    level: (3,) LPS mm, the middle of the bone at the apex
    Raises StepFailed when a lean is 80 degrees or more.
    """
    leans = (deformity.valgus_degrees, deformity.procurvatum_degrees)
    if max(map(abs, leans)) >= 80:
        raise StepFailed(
            "A lean of 80 degrees or more is no deformity that one cut corrects: check the angles."
        )
    aside, back = (math.tan(math.radians(angle)) for angle in leans)
    down = -frame.upwards
    leaning = unit(down + aside * frame.lateral - back * frame.anterior, "axis of the lower fragment")
    hinge = np.cross(down, leaning)
    bend = np.eye(3)
    if (sine := float(np.linalg.norm(hinge))) > 1e-12:
        bend = frame.turn(hinge, math.degrees(math.atan2(sine, float(down @ leaning))))
    outwards = deformity.outwards_degrees * (-1 if frame.side == "R" else 1)
    rotation = bend @ frame.turn(frame.upwards, outwards)
    shift = (
        deformity.lateral_mm * frame.lateral
        + deformity.anterior_mm * frame.anterior
        + deformity.short_mm * frame.upwards
    )
    centre = place(level, "level")
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, centre + shift - rotation @ centre
    return Pose.of(matrix)


def single_cut(deformity: Deformity, frame: Frame, level: ArrayLike) -> SingleCut:
    """Find the one cut and the one turn that undo a deformity (Sangeorzan, J. Orthop. Res. 7:442, 1989).

    The correction is the motion that undoes the deformity. Every motion is a turn about an axis and a shift
    along it (Chasles): the cut is laid at right angles to the axis, so that the turn makes the faces glide
    on each other; the shift along the axis is what is left over.

    deformity: the six numbers
    frame: the directions of the upper fragment
    level: (3,) LPS mm, the middle of the bone at the apex; the cut runs through it
    Raises StepFailed when nothing is turned: a shift alone needs no inclined cut.
    """
    centre = place(level, "level")
    pose = pose_of(deformity, frame, centre).inverse
    degrees = pose.degrees
    if degrees < _LEAST_DEGREES:
        raise StepFailed("There is no angle to correct: a shift alone is done with any cut, by hand.")
    axis = _axis(pose.rotation)
    axis = axis if axis @ frame.upwards > 0 else -axis
    pitch = float(axis @ pose.shift)
    pivot = _pivot(pose, axis, centre)
    left_over = pitch * axis
    return SingleCut(
        cut=Plane(vec3(centre), vec3(axis)),
        pose=pose,
        turn=Pose.of_shift(-left_over).after(pose),
        pivot=vec3(pivot),
        degrees=degrees,
        left_over_mm=vec3(left_over),
        lengthening_mm=-pitch,
        steepness_degrees=math.degrees(math.acos(min(float(axis @ frame.upwards), 1.0))),
    )


def _axis(rotation: FloatArray) -> FloatArray:
    """Unit axis of a turn: the direction that it leaves alone; true for half turns too."""
    _, _, rows = np.linalg.svd(rotation - np.eye(3))
    return np.asarray(rows[2])


def _pivot(pose: Pose, axis: FloatArray, centre: FloatArray) -> FloatArray:
    """The place in the cut that the motion carries along the axis alone: (1 - R) x = shift across it."""
    moved = across(pose.apply(centre) - centre, axis)
    solved, *_ = np.linalg.lstsq(np.eye(3) - pose.rotation, moved, rcond=None)
    place_on_axis: FloatArray = centre + across(np.asarray(solved, np.float64), axis)
    return place_on_axis
