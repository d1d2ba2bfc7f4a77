"""Motions with fewer than six degrees of freedom, and motions taken over from one body to another."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..errors import StepFailed
from ..values import FloatArray, Part, Plane, Pose

Guide = Literal["axis", "hinge", "plane"]
SLIDES: Mapping[Guide, tuple[str, ...]] = {"axis": ("shift",), "hinge": (), "plane": ("shift", "across")}
"""By which numbers a part may slide on a guide."""


@dataclass(frozen=True)
class Guided:
    """A motion that a guide lets through, and nothing else.

    kind: axis (slides along a direction and turns about it, as in a tube), hinge (turns only), plane (slides
        on a plane, two ways, and turns about its normal)
    guide: a point of the axis or hinge and its direction, or the plane itself; LPS mm
    shift: mm along the axis; on a plane towards its first way (see `ways_on`); a hinge lets none through
    across: mm on a plane towards its second way; an axis or a hinge lets none through
    angle: degrees by the right-hand rule about the direction or normal, through the point
    """

    kind: Guide
    guide: Plane
    shift: float = 0.0
    across: float = 0.0
    angle: float = 0.0

    @property
    def ways(self) -> Mapping[str, FloatArray]:
        """The unit directions, LPS, that it may slide along, by the name of the number."""
        ways = ways_on(self.guide) if self.kind == "plane" else (np.asarray(self.guide.normal),)
        return dict(zip(SLIDES[self.kind], ways, strict=False))  # a hinge has none

    @property
    def refused(self) -> bool:
        """Whether it has a shift that its guide does not let through."""
        return any(getattr(self, name) != 0 and name not in self.ways for name in ("shift", "across"))

    @property
    def slide(self) -> FloatArray:
        """(3,) how far it carries the point of its guide, LPS mm."""
        total: FloatArray = sum((getattr(self, name) * way for name, way in self.ways.items()), np.zeros(3))
        return total

    @property
    def pose(self) -> Pose:
        """The motion in patient space.

        Raises StepFailed for a part of the motion that the guide does not let through.
        """
        if self.refused:
            raise StepFailed(
                f"This guide ({self.kind}) lets no shift of {self.shift:g} mm and {self.across:g} mm across "
                "through: set to 0 what it holds, or choose another guide."
            )
        return Pose.of_shift(self.slide).after(
            Pose.of_rotation(self.guide.normal, self.angle, self.guide.point)
        )

    def slid(self, shift_lps: FloatArray) -> "Guided":
        """It gone on by what the guide lets through of a shift (3,), LPS mm."""
        gone = {name: getattr(self, name) + float(shift_lps @ way) for name, way in self.ways.items()}
        return replace(self, **gone)

    def turned(self, degrees: float) -> "Guided":
        """It turned on by so many degrees; the angle stays between -180 and 180."""
        return replace(self, angle=math.remainder(self.angle + degrees, 360))


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
