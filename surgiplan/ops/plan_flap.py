"""The operation `plan_flap`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from ..algorithms.corrections.fibula import Donor, Flap, fibula_flap
from ..algorithms.corrections.shaft import Shaft, shaft_of
from ..algorithms.space import require_one_frame
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..progress import Report, part_of, silent
from ..values import FloatArray, Landmarks, Measurement, Part, Plane, Pose, vec3
from .quantities import Millimetres
from .solved import errors_of, figure, together, with_surface

ENDS = ("fibula_head", "lateral_malleolus")
_SIDEWAYS_MM = 1e-9  # an end that is moved aside is as far down the fibula as before
WORDS = {
    "shortest": "least length of a piece along its shortest side",
    "step": "largest step between the outlines of two faces that meet",
    "left": "fibula that is left between the last saw cut and what must stay at the ankle",
}


def results(pieces: int) -> dict[str, type]:
    """Names and types of what a flap of so many pieces gives."""
    numbers = range(1, pieces + 1)
    named: dict[str, type] = {f"jaw_{n}": Plane for n in (*numbers, pieces + 1)}
    for n in numbers:
        named |= {f"near_{n}": Plane, f"far_{n}": Plane, f"motion_{n}": Pose, f"length_{n}": Measurement}
    return named | dict.fromkeys(WORDS, Measurement)


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
        ends, places = donor.at(*ENDS), jaw.at(*self._line())
        laying = _Laying(
            self, ends, shaft_of(fibula, ends[0], ends[1], report=part_of(work.report, 0.0, 0.4))
        )
        flap = laying.flap(places, ends, self.facing, self.shortest, part_of(work.report, 0.4, 0.6))
        errors = self._errors(fibula, donor, jaw, laying, flap, part_of(work.report, 0.6, 1.0))
        found: dict[str, Any] = {f"jaw_{n}": plane for n, plane in enumerate(flap.planes, 1)}
        for n, piece in enumerate(flap.pieces, 1):
            ends_lps = tuple(vec3(plane.point) for plane in flap.planes[n - 1 : n + 1])
            words = f"length of piece {n} along the {self.line} of the fibula"
            length = figure(
                jaw,
                piece.length_mm,
                "mm",
                words,
                f"flap.length.{self.line}",
                ends_lps,
                error=errors[f"length_{n}"],
            )
            found |= {f"near_{n}": piece.near, f"far_{n}": piece.far}
            found |= {f"motion_{n}": piece.pose, f"length_{n}": length}
        values = _figures(flap)
        return found | {
            name: figure(jaw, values[name], "mm", words, f"flap.{name}", error=errors[name])
            for name, words in WORDS.items()
        }

    def _line(self) -> tuple[str, ...]:
        return (*(f"jaw_{n}" for n in range(1, self.pieces + 2)), "tongue")

    def _errors(
        self, fibula: Part, donor: Landmarks, jaw: Landmarks, laying: "_Laying", flap: Flap, report: Report
    ) -> dict[str, float | None]:
        """The errors of the figures by the landmarks of both, and of steps by the surface.

        Which side of the fibula faces outwards stays as it was found. What is left at the ankle is that of
        planes where they are planned: it follows from where the ankle is.
        """
        names = self._line()
        places, ends = jaw.at(*names), donor.at(*ENDS)
        rolls = [piece.roll_degrees for piece in flap.pieces]
        units = dict.fromkeys(_figures(flap), "mm")

        def of_jaw(moved: FloatArray) -> dict[str, float]:
            return _figures(laying.flap(moved, ends, rolls))

        def of_donor(moved: FloatArray) -> dict[str, float]:
            past = laying.past(moved)
            same = np.abs(past).max() < _SIDEWAYS_MM
            return _figures(flap if same else laying.flap(places, moved, rolls)) | {"left": float(past[1])}

        by_jaw = errors_of(jaw, names, of_jaw, units, part_of(report, 0.0, 0.7), whole=True) | {"left": 0.0}
        by_donor = errors_of(donor, ENDS, of_donor, units, part_of(report, 0.7, 1.0), whole=True)
        errors = {name: together(by_jaw[name], by_donor[name]) for name in units}
        return errors | {"step": with_surface(errors["step"], fibula, sides=2)}


@dataclass(frozen=True, eq=False)
class _Laying:
    """What stays the same while the landmarks of a flap are moved.

    ends: (2, 3) both ends of the fibula as they are placed, LPS mm
    shaft: its outlines; they are the bone's, its ends only say from where is counted
    """

    operation: PlanFlap
    ends: FloatArray
    shaft: Shaft

    def past(self, ends: FloatArray) -> FloatArray:
        """(2,) how far down the fibula other ends lie than those that were placed, mm."""
        past: FloatArray = (ends - self.ends) @ self.shaft.axis
        return past

    def flap(
        self,
        places: FloatArray,
        ends: FloatArray,
        facing: float | Sequence[float] | None,
        shortest_mm: float = 0.0,
        report: Report = silent,
    ) -> Flap:
        """The flap for the line of the jaw and the tongue's side (n, 3), and ends of the fibula (2, 3)."""
        one, (near, far) = self.operation, self.past(ends).tolist()
        limits = Donor(
            one.keep_proximal + near,
            one.keep_distal - far,
            None if one.start is None else one.start + near,
            one.kerf,
            one.spare,
            shortest_mm,
        )
        return fibula_flap(
            self.shaft, places[:-1], places[-1], limits, one.line, facing, one.first, one.last, report
        )


def _figures(flap: Flap) -> dict[str, float]:
    return {
        **{f"length_{n}": piece.length_mm for n, piece in enumerate(flap.pieces, 1)},
        "shortest": min(one.shortest_mm for one in flap.pieces),
        "step": max(flap.steps_mm, default=0.0),
        "left": flap.left_mm,
    }
