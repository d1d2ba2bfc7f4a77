"""The operation `template_hip`."""

from typing import Annotated, Any

import numpy as np

from ..algorithms.corrections import hip
from ..algorithms.corrections.components import components, cup_mesh, head_mesh, stem_mesh
from ..algorithms.corrections.shaft import shaft_of
from ..algorithms.space import require_one_frame
from ..plan.operation import Choice, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Measurement, Part, Pose
from .quantities import Millimetres, SignedMillimetres
from .solved import figure, side_of

PICKED = "best"
OUTPUTS = {
    "cup": Part,
    "stem": Part,
    "head": Part,
    "femur_motion": Pose,
    "socket": Measurement,
    "cup_size": Measurement,
    "stem_size": Measurement,
    "stem_room": Measurement,
    "leg_length": Measurement,
    "femoral_offset": Measurement,
    "hip_offset": Measurement,
}
Degrees = Annotated[float, Number("deg", 0, 89, 1)]


@operation("template_hip", outputs=OUTPUTS, group="Correct")
class TemplateHip(Operation[dict[str, Any]]):
    """Template a hip: pick cup and stem, place them, and tell what becomes of the leg.

    landmarks: of the template hip_replacement
    canal: the marrow canal of the femur as a closed shape
    cup: its size; "best" takes the smallest that is not smaller than the socket
    inclination: of the cup, radiographic (Murray), against the anterior pelvic plane
    anteversion: of the cup, radiographic (Murray)
    stem: its size; "best" takes the largest that the canal holds
    room: between stem and canal, at least
    longer: how much longer the leg shall become; it sets how deep the stem goes in
    head: diameter of the head
    head_length: how much further out the head sits than the standard one, after the stem is in
    """

    landmarks: Ref[Landmarks]
    canal: Ref[Part]
    cup: Annotated[str, Choice(lambda: dict.fromkeys((PICKED, *components().cups), ""))] = PICKED
    inclination: Degrees = 40.0
    anteversion: Annotated[float, Number("deg", -30, 60, 1)] = 15.0
    stem: Annotated[str, Choice(lambda: dict.fromkeys((PICKED, *components().stems), ""))] = PICKED
    room: Millimetres = 0.0
    longer: SignedMillimetres = 0.0
    head: Annotated[str, Choice(lambda: {f"{size:g}": "" for size in components().heads_mm})] = "32"
    head_length: Annotated[float, Number("mm", -10, 20, 0.5)] = 0.0

    def run(self, work: Work, landmarks: Landmarks, canal: Part) -> dict[str, Any]:
        """Cup, stem and head as they lie when the joint is put together, and the figures.

        Raises NeedsHand for a landmark that is not placed, StepFailed when no size fits.
        """
        frame = require_one_frame(landmarks, canal)
        parts = components()
        right, left = landmarks.at("right_asis", "left_asis")
        right_pubis, left_pubis = landmarks.at("right_pubic_tubercle", "left_pubic_tubercle")
        pelvis = hip.Pelvis.of(right, left, right_pubis, left_pubis, side_of(landmarks))
        wall = [name for name in landmarks.places if name.startswith("socket_")]
        socket = hip.fitted_socket(list(landmarks.at(*wall)) if wall else [])
        cup = hip.cup_size(socket.diameter_mm, parts.cups) if self.cup == PICKED else self.cup
        native, upper, lower = landmarks.at("head_centre", "canal_proximal", "canal_distal")
        shaft = shaft_of(canal, upper, lower, report=work.report)
        stems = list(parts.stems.values()) if self.stem == PICKED else [parts.stems[self.stem]]
        fitted = hip.fitted_stem(
            stems, shaft, native, socket.centre, pelvis, longer_mm=self.longer, room_mm=self.room
        )
        new_head = fitted.pose.apply(fitted.stem.head(self.head_length))
        leg = hip.leg_after(native, new_head, socket.centre, np.array([upper, lower]), pelvis)
        axis = pelvis.cup_axis(self.inclination, self.anteversion)
        stem_shape = stem_mesh(fitted.stem, self.head_length, parts.neck_mm)
        numbers = {
            "socket": (
                socket.diameter_mm,
                f"diameter of the sphere through {len(wall)} points of the socket",
                "",
            ),
            "cup_size": (parts.cups[cup], f"outer diameter of {cup}", ""),
            "stem_size": (fitted.stem.tip_mm, f"diameter of the tip of {fitted.stem.item}", ""),
            "stem_room": (fitted.room_mm, "least distance between stem and canal", ""),
            "leg_length": (
                leg.lengthening_mm,
                "change of the length of the leg, along the pelvis",
                "longer is positive",
            ),
            "femoral_offset": (
                leg.femoral_offset_mm,
                "change of the distance from the centre of the head to the axis of the canal",
                "more is positive",
            ),
            "hip_offset": (
                leg.hip_offset_mm,
                "shift of the femur against the pelvis to lateral",
                "lateral is positive",
            ),
        }
        told = {
            n: figure(landmarks, v, "mm", words, f"hip.{n}", (), sign)
            for n, (v, words, sign) in numbers.items()
        }
        return {
            "cup": Part(cup_mesh(parts.cups[cup], parts.wall_mm), hip.cup_pose(socket.centre, axis), frame),
            "stem": Part(stem_shape, leg.pose.after(fitted.pose), frame),
            "head": Part(head_mesh(float(self.head)), Pose.of_shift(socket.centre), frame),
            "femur_motion": leg.pose,
            **told,
        }
