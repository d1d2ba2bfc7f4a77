"""High tibial osteotomy: the shin turns about a hinge until the weight bearing line crosses the target."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, Plane, Pose, Vec3, vec3
from .axes import across, direction, frontal_axis, place, signed_degrees, unit

Way = Literal["opening", "closing"]
_LEAST_DEGREES = 0.05
_MOST_DEGREES = 40.0


@dataclass(frozen=True)
class Leg:
    """The landmarks of a whole leg, LPS mm.

    hip: centre of the femoral head
    medial, lateral: the ends of the tibial plateau
    ankle: centre of the talus
    """

    hip: Vec3
    medial: Vec3
    lateral: Vec3
    ankle: Vec3

    @property
    def knee(self) -> FloatArray:
        """The middle of the plateau."""
        middle: FloatArray = (np.asarray(self.medial) + self.lateral) / 2
        return middle

    @property
    def shin(self) -> FloatArray:
        """Unit mechanical axis of the tibia, from the ankle to the knee."""
        return direction(self.ankle, self.knee, "axis of the tibia")

    @property
    def ahead(self) -> FloatArray:
        """Unit vector to anterior, at right angles to the frontal plane of the tibia."""
        return frontal_axis(self.medial, self.lateral, self.shin, "line across the plateau")

    @property
    def sideways(self) -> FloatArray:
        """Unit vector to lateral in the frontal plane, at right angles to the tibia."""
        aside = unit(np.cross(self.shin, self.ahead), "line across the plateau")
        return aside if aside @ (np.asarray(self.lateral) - self.medial) > 0 else -aside

    def at_percent(self, percent: float) -> FloatArray:
        """The place on the plateau so far from its medial (0 %) to its lateral (100 %) end."""
        there: FloatArray = np.asarray(self.medial) + percent / 100 * np.subtract(self.lateral, self.medial)
        return there

    def bearing_percent(self, ankle: ArrayLike | None = None) -> float:
        """Where the line from hip to ankle crosses the plateau, seen from the front.

        ankle: (3,) LPS mm, when it is moved; else the own one
        0 % is the medial end of the plateau, 100 % the lateral one (weight bearing line ratio).
        """
        hip, end = np.asarray(self.hip), np.asarray(self.ankle if ankle is None else ankle)
        normal = np.cross(end - hip, self.ahead)  # of the plane of sight that holds the line
        first = normal @ (np.asarray(self.medial) - hip)
        slope = normal @ np.subtract(self.lateral, self.medial)
        if abs(slope) < 1e-9:
            raise StepFailed(
                "The line from hip to ankle runs along the plateau: check the landmarks of the leg."
            )
        return float(-100 * first / slope)

    def slope_change_degrees(self, turn: Pose) -> float:
        """How much more the plateau slopes against the axis of the tibia once the shin has turned."""
        shin = unit(np.asarray(turn.rotation @ self.shin), "axis of the tibia")
        return math.degrees(math.atan2(float(shin @ self.ahead), float(shin @ self.shin)))

    def deviation_degrees(self, ankle: ArrayLike | None = None) -> float:
        """How far the tibia leans from the line of the femur, seen from the front; varus is negative.

        ankle: (3,) LPS mm, when it is moved
        The HKA angle is 180 degrees plus this, taken on the lateral side.
        """
        end = np.asarray(self.ankle if ankle is None else ankle)
        thigh = across(self.knee - self.hip, self.ahead)
        shin = across(end - self.knee, self.ahead)
        angle = signed_degrees(thigh, shin, self.ahead)
        outwards = signed_degrees(thigh, self.sideways, self.ahead)
        return angle if outwards > 0 else -angle


@dataclass(frozen=True)
class Osteotomy:
    """How a leg is set straight.

    cut: where the saw runs, from the cortex to the hinge; its normal points to the knee
    second_cut: the lower face of the wedge that is taken out; equal to `cut` when none is
    pose: how the lower fragment moves
    hinge_axis: (3,) unit axis through the hinge
    degrees: angle of the correction
    gap_mm: how far the bone opens (or how high the wedge is) at the cortex: 2 |PM| sin(angle / 2)
    before_percent, after_percent: where the weight bearing line crosses the plateau
    before_degrees, after_degrees: lean of the mechanical axes (180 + this is the HKA angle), varus negative
    slope_degrees: change of the posterior slope of the plateau; more slope is positive
    """

    cut: Plane
    second_cut: Plane
    pose: Pose
    hinge_axis: Vec3
    degrees: float
    gap_mm: float
    before_percent: float
    after_percent: float
    before_degrees: float
    after_degrees: float
    slope_degrees: float


def high_tibial_osteotomy(
    leg: Leg,
    hinge: ArrayLike,
    cortex: ArrayLike,
    percent: float,
    way: Way = "opening",
    turn_degrees: float = 0.0,
) -> Osteotomy:
    """Solve a high tibial osteotomy on the mechanical axes (Miniaci's method, in space).

    The ankle A turns about the hinge P until it lies in the plane of sight through the hip H and the
    target T on the plateau: n . (P + R(a) (A - P) - H) = 0 with n = (T - H) x anterior, which is
    c0 + c1 cos a + c2 sin a = 0. Seen from the front that is Miniaci's circle round P through A, met by the
    line from H through T.

    The hinge axis runs from front to back, at right angles to the frontal plane: the tibia then leans in
    that plane alone, and the slope stays as it is.

    leg: its landmarks
    hinge: (3,) LPS mm, where bone is left standing
    cortex: (3,) LPS mm, where the saw enters, on the other side
    percent: where the weight bearing line shall cross, 0 (medial) to 100 (lateral)
    way: open a gap at the cortex, or take a wedge out there
    turn_degrees: of the hinge axis away from straight ahead, about the tibia, right-handed about the axis to
        the knee; it changes the slope
    Raises StepFailed when the landmarks do not fit, or the target needs the other way.
    """
    pivot, entry = place(hinge, "hinge"), place(cortex, "cortex")
    axis = Pose.of_rotation(leg.shin, turn_degrees).rotation @ leg.ahead
    reach = across(entry - pivot, axis)
    if np.linalg.norm(reach) < 5.0:
        raise StepFailed(
            f"The hinge lies {np.linalg.norm(reach):.1f} mm from where the saw enters: "
            "place them on opposite sides of the tibia."
        )
    angle = _angle(leg, pivot, axis, leg.at_percent(percent))
    pose = Pose.of_rotation(axis, math.degrees(angle), pivot)
    across_cut = unit(np.cross(axis, reach), "cut")
    upper = across_cut if across_cut @ leg.shin > 0 else -across_cut
    cut = Plane(vec3(entry), vec3(upper))
    opens = float((pose.apply(entry) - entry) @ upper) < 0  # the lower fragment goes away from the knee
    _require_way(way, opens, percent, leg, math.degrees(angle))
    ankle = pose.apply(leg.ankle)
    return Osteotomy(
        cut=cut,
        second_cut=cut if way == "opening" else cut.moved(pose.inverse),
        pose=pose,
        hinge_axis=vec3(axis),
        degrees=abs(math.degrees(angle)),
        gap_mm=float(2 * np.linalg.norm(reach) * math.sin(abs(angle) / 2)),
        before_percent=leg.bearing_percent(),
        after_percent=leg.bearing_percent(ankle),
        before_degrees=leg.deviation_degrees(),
        after_degrees=leg.deviation_degrees(ankle),
        slope_degrees=leg.slope_change_degrees(pose),
    )


def _angle(leg: Leg, pivot: FloatArray, axis: FloatArray, target: FloatArray) -> float:
    """The smaller of the two turns (radians) that bring the ankle below the hip and the target."""
    hip, arm = np.asarray(leg.hip), np.asarray(leg.ankle) - pivot
    normal = np.cross(target - hip, leg.ahead)
    along = (axis @ arm) * axis
    c0, c1 = normal @ (pivot + along - hip), normal @ (arm - along)
    c2 = normal @ np.cross(axis, arm)
    size = math.hypot(c1, c2)
    if size < 1e-9 or abs(c0) > size:
        raise StepFailed(
            "No turn about this hinge brings the weight bearing line to the target: move the hinge."
        )
    middle, spread = math.atan2(c2, c1), math.acos(-c0 / size)
    found = (math.remainder(middle + way * spread, math.tau) for way in (1, -1))
    return min(found, key=abs)


def _require_way(way: Way, opens: bool, percent: float, leg: Leg, degrees: float) -> None:
    now = leg.bearing_percent()
    if abs(degrees) < _LEAST_DEGREES:
        raise StepFailed(f"There is nothing to correct: the line crosses at {now:.1f} % already.")
    if abs(degrees) > _MOST_DEGREES:
        raise StepFailed(
            f"A correction of {abs(degrees):.0f} degrees is not one for this operation: check the landmarks."
        )
    if opens != (way == "opening"):
        other = "closing" if way == "opening" else "opening"
        raise StepFailed(
            f"From {now:.1f} % to {percent:g} % the bone would {'open' if opens else 'close'} here: "
            f"choose the {other} way, or put hinge and cortex on the other side."
        )
