"""Motions with fewer than six degrees of freedom, and motions taken over from one body to another."""

from typing import Literal

import numpy as np

from ..errors import StepFailed
from ..values import FloatArray, Part, Plane, Pose

Guide = Literal["axis", "hinge", "plane"]


def guided(kind: Guide, guide: Plane, shift: float, across: float, angle: float) -> Pose:
    """The motion that a guide lets through, and nothing else.

    kind: axis (slides along a direction and turns about it, as in a tube), hinge (turns only), plane (slides
        on a plane, two ways, and turns about its normal)
    guide: a point of the axis or hinge and its direction, or the plane itself; LPS mm
    shift: mm along the axis; on a plane towards its first way (see `ways_on`); a hinge lets none through
    across: mm on a plane towards its second way; an axis or a hinge lets none through
    angle: degrees by the right-hand rule about the direction or normal, through the point
    Raises StepFailed for a part of the motion that the guide does not let through.
    """
    refused = {"axis": across != 0, "hinge": shift != 0 or across != 0, "plane": False}[kind]
    if refused:
        raise StepFailed(
            f"This guide ({kind}) lets no shift of {shift:g} mm and {across:g} mm across through: set to 0 "
            "what it holds, or choose another guide."
        )
    turn = Pose.of_rotation(guide.normal, angle, guide.point)
    if kind == "plane":
        first, second = ways_on(guide)
        return Pose.of_shift(shift * first + across * second).after(turn)
    return Pose.of_shift(shift * np.asarray(guide.normal)).after(turn)


def ways_on(plane: Plane) -> tuple[FloatArray, FloatArray]:
    """Two directions on a plane at right angles: the first as far to the left (LPS +x) as the plane allows.

    Where the plane faces left or right, the first goes as far backwards (LPS +y) as it can.
    """
    normal = np.asarray(plane.normal)
    towards = np.eye(3)[0 if abs(normal[0]) < 0.9 else 1]
    first = towards - (towards @ normal) * normal
    first /= np.linalg.norm(first)
    return first, np.cross(normal, first)


def motion_of(before: Part, after: Part) -> Pose:
    """The motion in patient space that took a part from one step to a later one.

    before, after: the same shape at its two poses
    Raises StepFailed when they are not the same shape: then no rigid motion lies between them.
    """
    if before.mesh.digest != after.mesh.digest:
        raise StepFailed(
            "The two leaders are different shapes, so there is no motion to follow: choose a part before it "
            "was moved and the same part after it was moved."
        )
    return after.pose.after(before.pose.inverse)


def mirrored_motion(motion: Pose, plane: Plane) -> Pose:
    """The same motion on the other side of a plane of symmetry (reflection, motion, reflection)."""
    normal, point = np.asarray(plane.normal), np.asarray(plane.point)
    reflection = np.eye(4)
    reflection[:3, :3] -= 2 * np.outer(normal, normal)
    reflection[:3, 3] = 2 * float(point @ normal) * normal
    return Pose.of(reflection @ motion.array @ reflection)
