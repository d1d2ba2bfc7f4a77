"""The operation `plan_flap`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from ..algorithms.corrections.fibula import Donor, fibula_flap
from ..algorithms.corrections.shaft import shaft_of
from ..algorithms.space import require_one_frame
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..progress import part_of
from ..values import Landmarks, Measurement, Part, Plane, Pose, vec3
from .quantities import Millimetres
from .solved import figure

FIGURES = ("shortest", "step", "left")


def results(pieces: int) -> dict[str, type]:
    """Names and types of what a flap of so many pieces gives."""
    numbers = range(1, pieces + 1)
    named: dict[str, type] = {f"jaw_{n}": Plane for n in (*numbers, pieces + 1)}
    for n in numbers:
        named |= {f"near_{n}": Plane, f"far_{n}": Plane, f"motion_{n}": Pose, f"length_{n}": Measurement}
    return named | dict.fromkeys(FIGURES, Measurement)


@operation("plan_flap", outputs=results(2), group="Correct")
class PlanFlap(Operation[dict[str, Any]]):
    """Solve a fibula free flap: where jaw and fibula are sawn, and how each piece is carried over.

    fibula: the bone it is taken from, closed
    donor: landmarks of the template fibula: both tips
    jaw: landmarks of the template jaw_defect: the line of the new jaw, and the tongue's side
    pieces: how many; the line has one point more, and the first piece is the one nearest the knee
    line: what of the fibula the line of the jaw is for, and lengths are measured along: its centre, its
        outer edge (proximal-proximal), or its inner edge (distal-distal)
    facing: which side of the fibula faces outwards; empty finds the best contact of the faces
    start: where the first piece begins, from the tip of the head; empty as near the ankle as may be
    keep_proximal: bone that stays at the knee
    keep_distal: bone that stays at the ankle
    kerf: thickness of the saw
    spare: bone between two pieces besides, where they come nearest
    shortest: the least length of a piece, along its shortest side
    first: the plane at the first end of the defect; empty straight across
    last: the plane at the other end
    """

    fibula: Ref[Part]
    donor: Ref[Landmarks]
    jaw: Ref[Landmarks]
    pieces: Annotated[int, Number("", 1, 5, 1)] = 2
    line: Literal["centre", "outer", "inner"] = "centre"
    facing: Annotated[float | None, Number("deg", 0, 360, 5)] = None
    start: Annotated[float | None, Number("mm", 0, 400, 1)] = None
    keep_proximal: Millimetres = 60.0
    keep_distal: Millimetres = 80.0
    kerf: Millimetres = 1.0
    spare: Millimetres = 1.5
    shortest: Millimetres = 20.0
    first: Plane | None = None
    last: Plane | None = None

    def outputs(self) -> Mapping[str, type]:
        """Planes of the jaw, planes of the fibula, motions and lengths, numbered; and the figures."""
        return results(self.pieces)

    def run(self, work: Work, fibula: Part, donor: Landmarks, jaw: Landmarks) -> dict[str, Any]:
        """Planes in the jaw and in the leg, the motion of each piece, and the figures.

        Raises NeedsHand for a landmark that is not placed, StepFailed when there is not enough bone.
        """
        require_one_frame(fibula, donor)
        head, malleolus = donor.at("fibula_head", "lateral_malleolus")
        points = jaw.at(*(f"jaw_{n}" for n in range(1, self.pieces + 2)))
        shaft = shaft_of(fibula, head, malleolus, report=part_of(work.report, 0.0, 0.5))
        limits = Donor(self.keep_proximal, self.keep_distal, self.start, self.kerf, self.spare, self.shortest)
        flap = fibula_flap(
            shaft,
            points,
            jaw.at("tongue")[0],
            limits,
            self.line,
            self.facing,
            self.first,
            self.last,
            part_of(work.report, 0.5, 1.0),
        )
        found: dict[str, Any] = {f"jaw_{n}": plane for n, plane in enumerate(flap.planes, 1)}
        for n, piece in enumerate(flap.pieces, 1):
            ends_lps = tuple(vec3(plane.point) for plane in flap.planes[n - 1 : n + 1])
            words = f"length of piece {n} along the {self.line} of the fibula"
            found |= {
                f"near_{n}": piece.near,
                f"far_{n}": piece.far,
                f"motion_{n}": piece.pose,
                f"length_{n}": figure(
                    jaw, piece.length_mm, "mm", words, f"flap.length.{self.line}", ends_lps
                ),
            }
        told = {
            "shortest": (
                min(one.shortest_mm for one in flap.pieces),
                "least length of a piece along its shortest side",
            ),
            "step": (
                max(flap.steps_mm, default=0.0),
                "largest step between the outlines of two faces that meet",
            ),
            "left": (
                flap.left_mm,
                "fibula that is left between the last saw cut and what must stay at the ankle",
            ),
        }
        return found | {n: figure(jaw, v, "mm", words, f"flap.{n}") for n, (v, words) in told.items()}
