"""The operation `plan_screw`."""

from collections.abc import Mapping
from typing import Annotated, Any

from ..algorithms.corrections.pedicle import Screw, grey_along, plan_screw
from ..algorithms.implant import catalogue, implant_mesh
from ..algorithms.space import require_one_frame
from ..plan.operation import Choice, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Measurement, Part, Pose, Volume, vec3
from .quantities import Millimetres
from .solved import figure

GRADES = "ABCDE"
FIGURES = ("breach", "grade", "width", "widest", "spare", "anterior", "bone")


@operation(
    "plan_screw",
    outputs={"screw": Part, "pose": Pose, **dict.fromkeys(FIGURES, Measurement)},
    group="Correct",
)
class PlanScrew(Operation[dict[str, Any]]):
    """Lay a screw through a pedicle, grade it, and tell how thick and long it may be.

    bone: the vertebra, closed
    landmarks: of the template pedicle: entry and isthmus; target and spinal_canal may stay out
    item: the screw, from the catalogue
    pedicle_length: how long the pedicle is along the screw; a breach counts within it
    share: of the least width of the pedicle that a screw may take
    volume: the scan, to read the grey values along the screw; may stay out
    """

    bone: Ref[Part]
    landmarks: Ref[Landmarks]
    item: Annotated[str, Choice(lambda: {n: "" for n, one in catalogue().items() if one.kind == "screw"})] = (
        "pedicle-5.5x45"
    )
    pedicle_length: Millimetres = 10.0
    share: Annotated[float, Number("", 0.1, 1, 0.05)] = 0.8
    volume: Ref[Volume] | None = None

    def outputs(self) -> Mapping[str, type]:
        """The pose and the figures; the grey values where a scan is given."""
        return {**self.spec.outputs, **({"grey": Measurement} if self.volume is not None else {})}

    def run(
        self, work: Work, bone: Part, landmarks: Landmarks, volume: Volume | None = None
    ) -> dict[str, Any]:
        """The screw in its place, its pose, breach and grade, and what the pedicle takes.

        Raises NeedsHand for a landmark that is not placed, StepFailed when it runs through no pedicle.
        """
        require_one_frame(bone, landmarks, *(() if volume is None else (volume,)))
        size = catalogue()[self.item].dimensions
        entry, isthmus = landmarks.at("entry", "isthmus")
        found = plan_screw(
            bone,
            entry,
            isthmus,
            size["diameter"],
            size["length"],
            target=landmarks.places.get("target"),
            midline=landmarks.places.get("spinal_canal"),
            pedicle_mm=self.pedicle_length,
            share=self.share,
            report=work.report,
        )
        shape = Part(implant_mesh(catalogue()[self.item]), found.pose, bone.frame_uid)
        told = {"screw": shape, "pose": found.pose, **self._figures(landmarks, found, size)}
        if volume is not None:
            mean, least, most = grey_along(volume, found.pose, size["diameter"], size["length"])
            words = f"mean grey value in the screw's place; slices 1 mm apart: {least:.0f} to {most:.0f}"
            told["grey"] = figure(landmarks, mean, volume.unit, words, "screw.grey")
        return told

    def _figures(
        self, landmarks: Landmarks, found: Screw, size: Mapping[str, float]
    ) -> dict[str, Measurement]:
        ways = f", to {found.way}" if found.way else ""
        grading = "Gertzbein and Robbins: A none, B below 2, C below 4, D below 6, E from 6 mm"
        at = (vec3(found.breach_lps),)
        rows = {
            "breach": (found.breach_mm, "mm", f"how far the thread leaves the pedicle at most{ways}", at),
            "grade": (
                float(GRADES.index(found.grade)),
                "",
                f"grade {found.grade} of {grading}; told as a number: 0 is A, 4 is E",
                (),
            ),
            "width": (found.pedicle.width_mm, "mm", "least width of the pedicle", (found.pedicle.centre,)),
            "widest": (found.widest_mm, "mm", f"thickest screw: {100 * self.share:.0f} % of that width", ()),
            "spare": (
                found.widest_mm - size["diameter"],
                "mm",
                f"how much thicker the screw could be; it has {size['diameter']:g} mm",
                (),
            ),
            "anterior": (
                found.anterior_mm,
                "mm",
                "how far the screw leaves the vertebra beyond the pedicle",
                (),
            ),
            "bone": (
                found.bone_mm,
                "mm",
                f"bone on the line of the screw, entry to far cortex (the screw has {size['length']:g} mm)",
                (),
            ),
        }
        return {
            n: figure(landmarks, v, unit, words, f"screw.{n}", p) for n, (v, unit, words, p) in rows.items()
        }
