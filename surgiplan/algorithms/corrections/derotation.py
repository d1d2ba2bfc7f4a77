"""Derotation: a cut across a bone, and a turn about its axis from the version it has to the one wanted."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import Plane, Pose, vec3
from .axes import Side, direction, place

Bone = Literal["femur", "tibia"]
Fragment = Literal["distal", "proximal"]
_LEAST_DEGREES = 0.05


@dataclass(frozen=True)
class Derotation:
    """A turn about the axis of a bone.

    cut: at right angles to the axis; its normal points to the hip
    pose: how the fragment that is turned moves
    outwards_degrees: how far it turns outwards (external rotation); inwards is negative
    """

    cut: Plane
    pose: Pose
    outwards_degrees: float


def derotation(
    proximal: ArrayLike,
    distal: ArrayLike,
    level: ArrayLike,
    measured_degrees: float,
    target_degrees: float,
    side: Side,
    bone: Bone = "femur",
    turns: Fragment = "distal",
) -> Derotation:
    """Solve a femoral or tibial derotation.

    Femoral version is positive when the neck points to the front of the condyles (anteversion): less of it
    needs the lower fragment turned outwards. Tibial torsion is positive when the ankle points outwards of
    the knee: less of it needs the lower fragment turned inwards.

    proximal, distal: (3,) LPS mm, two points of the axis of the bone, hip end first
    level: (3,) LPS mm, where the bone is cut
    measured_degrees: version (torsion) as it is, by a method that looks along this axis
    target_degrees: as it shall be, by the same method
    side: of the patient
    bone: which
    turns: which fragment is turned; the other stays
    Raises StepFailed when the axis has no length, the level lies beyond it or there is nothing to turn.
    """
    upwards = direction(distal, proximal, "axis of the bone")
    height = float((place(level, "level") - place(distal, "distal")) @ upwards)
    length = float(np.linalg.norm(place(proximal, "proximal") - place(distal, "distal")))
    if not 0 < height < length:
        raise StepFailed(
            f"The level of the cut lies {max(-height, height - length):.1f} mm beyond the end of the axis: "
            "place it between both ends."
        )
    change = target_degrees - measured_degrees
    if abs(change) < _LEAST_DEGREES:
        raise StepFailed(f"There is nothing to turn: {measured_degrees:.1f} degrees is the target already.")
    outwards = (-change if bone == "femur" else change) * (1 if turns == "distal" else -1)
    right_handed = -outwards if side == "R" else outwards  # to the front, then to the left
    foot = place(distal, "distal") + height * upwards
    return Derotation(
        cut=Plane(vec3(foot), vec3(upwards)),
        pose=Pose.of_rotation(upwards, right_handed, foot),
        outwards_degrees=outwards,
    )
