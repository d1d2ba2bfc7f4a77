"""The operation `plan_screw`."""

from collections.abc import Mapping
from typing import Annotated, Any

from ..algorithms.corrections import chances
from ..algorithms.corrections.pedicle import (
    Laid,
    Screw,
    bone_on_line,
    grey_along,
    laid,
    plan_screw,
    pose_of,
)
from ..algorithms.corrections.scatter import Scatter, scatter
from ..algorithms.distance import SignedDistance
from ..algorithms.implant import catalogue, implant_mesh
from ..algorithms.space import require_one_frame
from ..plan.operation import Choice, Number, Operation, Ref, operation
from ..plan.work import Work
from ..progress import part_of
from ..values import FloatArray, Landmarks, Measurement, Part, Pose, Volume, vec3
from .quantities import Millimetres
from .solved import errors_of, figure, surface_error, with_surface

NAMES = ("entry", "isthmus", "target")
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
        names = [name for name in NAMES if name != "target" or name in landmarks.places]
        size, distance = catalogue()[self.item].dimensions, SignedDistance(bone.mesh)
        thread, places = (size["diameter"], size["length"]), landmarks.at(*names)
        way = laid(bone, places, thread[1], self.pedicle_length, part_of(work.report, 0.0, 0.2))
        found = plan_screw(
            bone,
            way,
            *thread,
            midline=landmarks.places.get("spinal_canal"),
            share=self.share,
            distance=distance,
            report=part_of(work.report, 0.2, 0.5),
        )

        def again(moved: FloatArray) -> Laid:
            work.report(0.5, "Looking what the errors of the landmarks do")
            return laid(bone, moved, thread[1], self.pedicle_length, step_mm=way.step_mm)

        def figures(moved: FloatArray) -> dict[str, float]:
            one = again(moved)
            grey = {} if volume is None else {"grey": grey_along(volume, pose_of(one), *thread)[0]}
            return {"width": one.pedicle.width_mm, "bone": bone_on_line(bone, one), **grey}

        units = {"width": "mm", "bone": "mm", **({} if volume is None else {"grey": volume.unit})}
        errors = errors_of(landmarks, names, figures, units)
        scattered = None
        if errors["width"] is not None:
            known = [landmarks.error_of(name) or 0.0 for name in names]
            scattered = scatter(
                bone,
                distance,
                again,
                places,
                known,
                *thread,
                surface_error(bone),
                part_of(work.report, 0.6, 1.0),
            )
        shape = Part(implant_mesh(catalogue()[self.item]), found.pose, bone.frame_uid)
        told = {
            "screw": shape,
            "pose": found.pose,
            **self._figures(landmarks, bone, found, errors, scattered),
        }
        if volume is not None:
            mean, least, most = grey_along(volume, found.pose, *thread)
            words = f"mean grey value in the screw's place; slices 1 mm apart: {least:.0f} to {most:.0f}"
            told["grey"] = figure(landmarks, mean, volume.unit, words, "screw.grey", error=errors["grey"])
        return told

    def _figures(
        self,
        landmarks: Landmarks,
        bone: Part,
        found: Screw,
        errors: Mapping[str, float | None],
        scattered: Scatter | None,
    ) -> dict[str, Measurement]:
        size, share = catalogue()[self.item].dimensions, 100 * self.share
        ways = f", to {found.way}" if found.way else ""
        width, line = with_surface(errors["width"], bone, sides=2), with_surface(errors["bone"], bone)
        widest = None if width is None else self.share * width
        likely = ""
        if scattered is not None:
            likely = f"; with the errors of landmarks and bone it is {chances.told(scattered.grades)}"
        grading = "Gertzbein and Robbins: A none, B below 2, C below 4, D below 6, E from 6 mm"
        at, waist = (vec3(found.breach_lps),), (found.pedicle.centre,)
        rows = {
            "breach": (
                found.breach_mm,
                f"how far the thread leaves the pedicle at most{ways}",
                at,
                None if scattered is None else scattered.breach_mm,
            ),
            "grade": (
                float(GRADES.index(found.grade)),
                f"grade {found.grade} of {grading}; told as a number: 0 is A, 4 is E{likely}",
                (),
                None,
            ),
            "width": (found.pedicle.width_mm, "least width of the pedicle", waist, width),
            "widest": (found.widest_mm, f"thickest screw: {share:.0f} % of that width", (), widest),
            "spare": (
                found.widest_mm - size["diameter"],
                f"how much thicker the screw could be; it has {size['diameter']:g} mm",
                (),
                widest,
            ),
            "anterior": (
                found.anterior_mm,
                "how far the screw leaves the vertebra beyond the pedicle",
                (),
                None if scattered is None else scattered.anterior_mm,
            ),
            "bone": (
                found.bone_mm,
                f"bone on the line of the screw, entry to far cortex (the screw has {size['length']:g} mm)",
                (),
                line,
            ),
        }
        units = {"grade": ""}
        return {
            n: figure(landmarks, v, units.get(n, "mm"), words, f"screw.{n}", p, error=error)
            for n, (v, words, p, error) in rows.items()
        }
