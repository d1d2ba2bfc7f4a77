"""The operation `template_hip`."""

from collections.abc import Mapping
from typing import Annotated, Any

from ..algorithms.corrections import chances, hip
from ..algorithms.corrections.components import components, cup_mesh, head_mesh, stem_mesh
from ..algorithms.corrections.shaft import shaft_of
from ..algorithms.corrections.templated import NAMES, ROOM, Anatomy, Templated
from ..algorithms.space import require_one_frame
from ..plan.operation import Choice, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Measurement, Part, Pose
from .quantities import Millimetres, SignedMillimetres
from .solved import errors_of, figure, side_of, with_surface

PICKED = "best"
_LIKELY = "; with the errors of landmarks and canal it is "
_LEG = {
    "leg_length": ("change of the length of the leg, along the pelvis", "longer is positive"),
    "femoral_offset": (
        "change of the distance from the centre of the head to the axis of the canal",
        "more is positive",
    ),
    "hip_offset": ("shift of the femur against the pelvis to lateral", "lateral is positive"),
}
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
        frame, parts = require_one_frame(landmarks, canal), components()
        wall = [name for name in landmarks.places if name.startswith("socket_")]
        names, side = (*NAMES, *wall), side_of(landmarks)
        places = landmarks.at(*names)
        anatomy = Anatomy.of(places, side)
        shaft = shaft_of(canal, anatomy.canal[0], anatomy.canal[1], report=work.report)
        stems = list(parts.stems.values()) if self.stem == PICKED else [parts.stems[self.stem]]
        socket, pelvis = anatomy.socket, anatomy.pelvis
        cup = hip.cup_size(socket.diameter_mm, parts.cups) if self.cup == PICKED else self.cup
        tried = hip.tried_stems(stems, shaft, anatomy.head, socket.centre, pelvis, longer_mm=self.longer)
        fitted = hip.fitted_stem(tried, self.room)
        new_head = fitted.pose.apply(fitted.stem.head(self.head_length))
        done = Templated(side, shaft, stems, self.longer, socket.centre, new_head)
        leg, stem = done.leg(anatomy), fitted.stem
        figures = done.figures(places)
        errors = errors_of(landmarks, names, done.figures, dict.fromkeys(figures, "mm"))
        errors |= {one: with_surface(errors[one], canal) for one in figures if one.startswith(ROOM)}
        told = self._told(landmarks, len(wall), (cup, stem.item), figures, errors)
        axis = pelvis.cup_axis(self.inclination, self.anteversion)
        stem_shape = stem_mesh(stem, self.head_length, parts.neck_mm)
        return {
            "cup": Part(cup_mesh(parts.cups[cup], parts.wall_mm), hip.cup_pose(socket.centre, axis), frame),
            "stem": Part(stem_shape, leg.pose.after(fitted.pose), frame),
            "head": Part(head_mesh(float(self.head)), Pose.of_shift(socket.centre), frame),
            "femur_motion": leg.pose,
            **told,
        }

    def _told(
        self,
        landmarks: Landmarks,
        count: int,
        picked: tuple[str, str],
        figures: Mapping[str, float],
        errors: Mapping[str, float | None],
    ) -> dict[str, Measurement]:
        """The figures with their errors, and of a size that was picked how likely it and others are.

        count: points of the socket
        picked: cup and stem
        """
        sizes, (cup, stem) = components(), picked
        cup_words, stem_words = self._likely(figures, {n: e for n, e in errors.items() if e is not None})
        sphere = f"diameter of the sphere through {count} points of the socket"
        numbers = {
            "socket": (figures["socket"], sphere, errors["socket"]),
            "cup_size": (sizes.cups[cup], f"outer diameter of {cup}{cup_words}", None),
            "stem_size": (sizes.stems[stem].tip_mm, f"diameter of the tip of {stem}{stem_words}", None),
            "stem_room": (figures[ROOM + stem], "least distance between stem and canal", errors[ROOM + stem]),
            **{name: (figures[name], words, errors[name]) for name, (words, _) in _LEG.items()},
        }
        signs = {name: sign for name, (_, sign) in _LEG.items()}
        return {
            name: figure(landmarks, value, "mm", words, f"hip.{name}", (), signs.get(name, ""), error)
            for name, (value, words, error) in numbers.items()
        }

    def _likely(self, figures: Mapping[str, float], errors: Mapping[str, float]) -> tuple[str, str]:
        """How likely picked cup and stem and others are, in words; "" for what a person has chosen.

        errors: those that are known
        """
        cup = stem = ""
        if self.cup == PICKED and "socket" in errors:
            shares = hip.cup_chances(figures["socket"], errors["socket"], components().cups)
            cup = _LIKELY + chances.told(shares)
        rooms = {name.removeprefix(ROOM): mm for name, mm in figures.items() if name.startswith(ROOM)}
        if self.stem == PICKED and all(ROOM + name in errors for name in rooms):
            spread = {name: errors[ROOM + name] for name in rooms}
            stem = _LIKELY + chances.told(chances.nested(rooms, spread, self.room))
        return cup, stem
