"""The operation `derotate`."""

from typing import Annotated, Any, Literal

from ..algorithms.corrections.derotation import derotation
from ..errors import NeedsHand, StepFailed
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Measurement, Plane, Pose
from .solved import figure, side_of

OUTPUTS = {"cut": Plane, "motion": Pose, "turn": Measurement}


@operation("derotate", runs="here", outputs=OUTPUTS, group="Correct")
class Derotate(Operation[dict[str, Any]]):
    """Solve a derotation: a cut straight across a femur or tibia, and the turn to the wanted version.

    landmarks: of the template bone_cut: both ends of the axis, and the level
    bone: femur (version: positive when the neck points to the front) or tibia (torsion: positive when the
        ankle points outwards)
    version: the measured version or torsion; its step says by which method
    measured: the same typed in, where it was measured elsewhere
    target: what it shall be, by the same method
    turns: which fragment is turned; the other stays
    """

    landmarks: Ref[Landmarks]
    bone: Literal["femur", "tibia"] = "femur"
    version: Ref[Measurement] | None = None
    measured: Annotated[float | None, Number("deg", -90, 90, 1)] = None
    target: Annotated[float, Number("deg", -90, 90, 1)] = 15.0
    turns: Literal["distal", "proximal"] = "distal"

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while nobody has said what the version is."""
        super().require_placed(step)
        if self.version is None and self.measured is None:
            raise NeedsHand(f"{step}: measured is not given yet: choose a measured version, or type it in")

    def run(self, work: Work, landmarks: Landmarks, version: Measurement | None = None) -> dict[str, Any]:
        """The cut, the motion of the fragment that turns, and how far it turns.

        Raises NeedsHand for a landmark that is not placed, StepFailed when there is nothing to turn.
        """
        if version is not None and version.unit != "deg":
            raise StepFailed(f"the version is an angle in degrees, not a measurement in {version.unit}")
        measured = version.value if version is not None else self.measured
        assert measured is not None
        proximal, distal, level = landmarks.at("axis_proximal", "axis_distal", "level")
        side = side_of(landmarks)
        found = derotation(proximal, distal, level, measured, self.target, side, self.bone, self.turns)
        method = f" by the method: {version.definition}" if version is not None else ""
        words = (
            f"turn of the {self.turns} fragment about the axis of the {self.bone}, from {measured:.1f} to "
            f"{self.target:.1f} degrees{method}"
        )
        turn = figure(
            landmarks,
            found.outwards_degrees,
            "deg",
            words,
            f"{self.bone}.derotation",
            (),
            "outwards is positive",
            version.expected_error if version is not None else None,
        )
        return {"cut": found.cut, "motion": found.pose, "turn": turn}
