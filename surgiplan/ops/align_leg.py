"""The operation `align_leg`."""

from typing import Annotated, Any, Literal

import numpy as np

from ..algorithms.corrections.osteotomy import Leg, high_tibial_osteotomy
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Measurement, Places, Plane, Pose, vec3
from .quantities import Percent
from .solved import figure

WBL = (
    "weight bearing line ratio: where the line from the centre of the femoral head to the ankle crosses the "
    "tibial plateau, seen from the front of the tibia; 0 % at its medial edge, 100 % at its lateral edge"
)
HKA = (
    "lean of the mechanical axis of the tibia from that of the femur, seen from the front "
    "(HKA less 180 degrees)"
)
OUTPUTS = {
    "cut": Plane,
    "second_cut": Plane,
    "motion": Pose,
    "wedge": Landmarks,
    "angle": Measurement,
    "gap": Measurement,
    "line_before": Measurement,
    "line_after": Measurement,
    "axes_before": Measurement,
    "axes_after": Measurement,
    "slope_change": Measurement,
    "hinge_depth": Measurement,
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
        names = ("head_centre", "medial_plateau_edge", "lateral_plateau_edge", "ankle_centre")
        leg = Leg(*map(vec3, landmarks.at(*names)))
        hinge, cortex = landmarks.at("hinge", "cortex")
        found = high_tibial_osteotomy(leg, hinge, cortex, self.target, self.way, self.hinge_turn)
        ends = (leg.hip, leg.ankle)
        moved = (leg.hip, vec3(found.pose.apply(leg.ankle)))

        def told(
            value: float, unit: str, definition: str, word: str, points: Any = (), sign: str = ""
        ) -> Measurement:
            return figure(landmarks, value, unit, definition, f"tibia.osteotomy.{word}", points, sign)

        reach = 10.0 * np.asarray(found.hinge_axis)
        places = {
            "hinge_front": hinge + reach,
            "hinge_back": hinge - reach,
            "cortex": cortex,
            "moving": leg.ankle,
        }
        varus = "varus is negative, valgus positive"
        opened = "opening" if self.way == "opening" else "height of the wedge"
        return {
            "cut": found.cut,
            "second_cut": found.second_cut,
            "motion": found.pose,
            "wedge": Landmarks(Places(places), frame_uid=landmarks.frame_uid),
            "angle": told(found.degrees, "deg", "turn of the lower fragment about the hinge", "angle"),
            "gap": told(
                found.gap_mm,
                "mm",
                f"{opened} at the cortex: 2 times the distance from the hinge times sin(angle / 2)",
                "gap",
                (vec3(cortex), vec3(found.pose.apply(cortex))),
            ),
            "line_before": told(found.before_percent, "%", WBL, "line_before", ends),
            "line_after": told(found.after_percent, "%", WBL, "line_after", moved),
            "axes_before": told(found.before_degrees, "deg", HKA, "axes_before", (), varus),
            "axes_after": told(found.after_degrees, "deg", HKA, "axes_after", (), varus),
            "slope_change": told(
                found.slope_degrees,
                "deg",
                "change of the posterior slope: turn of the axis of the tibia against the plateau, "
                "seen from the side",
                "slope_change",
                (),
                "more slope is positive",
            ),
            "hinge_depth": told(
                float((leg.knee - hinge) @ leg.shin),
                "mm",
                "depth of the hinge below the plateau",
                "hinge_depth",
            ),
        }
