"""The operation `align_leg`."""

from typing import Annotated, Any, Literal

import numpy as np

from ..algorithms.corrections.osteotomy import Leg, Osteotomy, high_tibial_osteotomy
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import FloatArray, Landmarks, Measurement, Places, Plane, Pose, vec3
from .quantities import Percent
from .solved import errors_of, figure

WBL = (
    "weight bearing line ratio: where the line from the centre of the femoral head to the ankle crosses the "
    "tibial plateau, seen from the front of the tibia; 0 % at its medial edge, 100 % at its lateral edge"
)
HKA = (
    "lean of the mechanical axis of the tibia from that of the femur, seen from the front "
    "(HKA less 180 degrees)"
)
NAMES = ("head_centre", "medial_plateau_edge", "lateral_plateau_edge", "ankle_centre", "hinge", "cortex")
UNITS = {
    "angle": "deg",
    "gap": "mm",
    "line_before": "%",
    "line_after": "%",
    "axes_before": "deg",
    "axes_after": "deg",
    "slope_change": "deg",
    "hinge_depth": "mm",
}
WORDS = {
    "angle": "turn of the lower fragment about the hinge",
    "gap": "{opened} at the cortex: 2 times the distance from the hinge times sin(angle / 2)",
    "line_before": WBL,
    "line_after": WBL,
    "axes_before": HKA,
    "axes_after": HKA,
    "slope_change": "change of the posterior slope: turn of the axis of the tibia against the plateau, "
    "seen from the side",
    "hinge_depth": "depth of the hinge below the plateau",
}
_VARUS = "varus is negative, valgus positive"
SIGNS = {"axes_before": _VARUS, "axes_after": _VARUS, "slope_change": "more slope is positive"}
OUTPUTS = {
    "cut": Plane,
    "second_cut": Plane,
    "motion": Pose,
    "wedge": Landmarks,
    **dict.fromkeys(UNITS, Measurement),
}


@operation("align_leg", runs="here", outputs=OUTPUTS, group="Correct")
class AlignLeg(Operation[dict[str, Any]]):
    """Solve a high tibial osteotomy: the cut, the gap and the turn that bring the leg to its target.

    landmarks: of the template tibial_osteotomy: hip, plateau, ankle, hinge, and where the saw enters
    target: where the weight bearing line shall cross the plateau, 0 (medial) to 100 (lateral)
    way: open a gap at the cortex, or take out a wedge there (between cut and second_cut)
    hinge_turn: turn of the hinge away from straight ahead; 0 leaves the posterior slope as it is
    """

    landmarks: Ref[Landmarks]
    target: Percent = 62.5
    way: Literal["opening", "closing"] = "opening"
    hinge_turn: Annotated[float, Number("deg", -45, 45, 1)] = 0.0

    def run(self, work: Work, landmarks: Landmarks) -> dict[str, Any]:
        """Planes, the motion of the lower fragment, the hinge for a wedge, and the figures before and after.

        Raises NeedsHand for a landmark that is not placed, StepFailed when there is no solution.
        """
        places = landmarks.at(*NAMES)
        leg, (hinge, cortex) = _leg(places), places[4:]
        found = self._solved(places)
        errors = errors_of(landmarks, NAMES, lambda moved: self._figures(moved, found.pose), UNITS)
        values = self._figures(places, found.pose)
        reach = 10.0 * np.asarray(found.hinge_axis)
        wedge = {
            "hinge_front": hinge + reach,
            "hinge_back": hinge - reach,
            "cortex": cortex,
            "moving": leg.ankle,
        }
        lines = {
            "gap": (vec3(cortex), vec3(found.pose.apply(cortex))),
            "line_before": (leg.hip, leg.ankle),
            "line_after": (leg.hip, vec3(found.pose.apply(leg.ankle))),
        }
        opened = "opening" if self.way == "opening" else "height of the wedge"
        told = {
            name: figure(
                landmarks,
                values[name],
                unit,
                WORDS[name].format(opened=opened),
                f"tibia.osteotomy.{name}",
                lines.get(name, ()),
                SIGNS.get(name, ""),
                errors[name],
            )
            for name, unit in UNITS.items()
        }
        return {
            "cut": found.cut,
            "second_cut": found.second_cut,
            "motion": found.pose,
            "wedge": Landmarks(Places(wedge), frame_uid=landmarks.frame_uid),
            **told,
        }

    def _solved(self, places: FloatArray) -> Osteotomy:
        return high_tibial_osteotomy(
            _leg(places), places[4], places[5], self.target, self.way, self.hinge_turn
        )

    def _figures(self, places: FloatArray, done: Pose) -> dict[str, float]:
        """The figures for landmarks at these places; those of afterwards for a motion that is done anyway."""
        leg, found = _leg(places), self._solved(places)
        ankle = done.apply(leg.ankle)
        return {
            "angle": found.degrees,
            "gap": found.gap_mm,
            "line_before": found.before_percent,
            "line_after": leg.bearing_percent(ankle),
            "axes_before": found.before_degrees,
            "axes_after": leg.deviation_degrees(ankle),
            "slope_change": leg.slope_change_degrees(done),
            "hinge_depth": float((leg.knee - places[4]) @ leg.shin),
        }


def _leg(places: FloatArray) -> Leg:
    return Leg(*map(vec3, places[:4]))
