"""The operation `correct_deformity`."""

from typing import Any

from ..algorithms.corrections.deformity import Deformity, Frame, single_cut
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Measurement, Plane, Pose
from .quantities import SignedDegrees, SignedMillimetres
from .solved import figure, side_of

OUTPUTS = {
    "cut": Plane,
    "motion": Pose,
    "turn_alone": Pose,
    "angle": Measurement,
    "steepness": Measurement,
    "lengthening": Measurement,
}


@operation("correct_deformity", runs="here", outputs=OUTPUTS, group="Correct")
class CorrectDeformity(Operation[dict[str, Any]]):
    """Solve a deformity of a long bone by one inclined cut and one turn in it.

    landmarks: of the template bone_cut: the axis of the upper fragment, its joint line, and the apex
    valgus: lean of the lower fragment to lateral, seen from the front; varus is negative
    procurvatum: lean of the lower fragment to posterior (apex in front), seen from the side; recurvatum is
        negative
    outwards: turn of the lower fragment about its axis to outwards; inwards is negative
    lateral: shift of the lower fragment to lateral, at the apex
    anterior: shift of the lower fragment to anterior, at the apex
    short: how far the lower fragment has gone up
    """

    landmarks: Ref[Landmarks]
    valgus: SignedDegrees = 0.0
    procurvatum: SignedDegrees = 0.0
    outwards: SignedDegrees = 0.0
    lateral: SignedMillimetres = 0.0
    anterior: SignedMillimetres = 0.0
    short: SignedMillimetres = 0.0

    def run(self, work: Work, landmarks: Landmarks) -> dict[str, Any]:
        """The cut, the whole motion, the turn in the cut alone, and the figures.

        Raises NeedsHand for a landmark that is not placed, StepFailed when there is no angle to correct.
        """
        proximal, distal, medial, lateral, apex = landmarks.at(
            "axis_proximal", "axis_distal", "joint_medial", "joint_lateral", "level"
        )
        frame = Frame.of(proximal, distal, medial, lateral, side_of(landmarks))
        given = (self.valgus, self.procurvatum, self.outwards, self.lateral, self.anterior, self.short)
        found = single_cut(Deformity(*given), frame, apex)
        words = {
            "angle": (found.degrees, "deg", "turn of the lower fragment in the cut, about its normal", ""),
            "steepness": (
                found.steepness_degrees,
                "deg",
                "angle between the cut and one straight across the bone",
                "",
            ),
            "lengthening": (
                found.lengthening_mm,
                "mm",
                "shift that the turn leaves over, straight out of the cut",
                "opening is positive; where it is negative bone must go",
            ),
        }
        told = {
            name: figure(landmarks, value, unit, definition, f"deformity.{name}", (), sign)
            for name, (value, unit, definition, sign) in words.items()
        }
        return {"cut": found.cut, "motion": found.pose, "turn_alone": found.turn, **told}
