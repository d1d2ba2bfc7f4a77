"""The operation `tolerance`."""

from typing import Annotated, Literal

from ..algorithms import tolerance
from ..algorithms.space import require_one_frame
from ..errors import NeedsHand
from ..plan.operation import Hand, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane, Tolerance
from .quantities import Millimetres, Point

Deviation = Annotated[float, Number("mm", 0, 20, 0.1)]


@operation("tolerance", group="Check")
class ToleranceBudget(Operation[Tolerance]):
    """Tell how likely a margin is too small, when scan, guide and saw err as they are known to.

    The errors are standard deviations; they are independent and add in squares. The defaults are published
    figures, not those of your house: put in your own. Together they give a place to 2.5 mm, which is the
    location accuracy reported for guided pelvic resections (Cartiaux 2014).

    kind: "cut", or "trajectory" for a screw or a drill
    body: for a cut what must go whole, such as the tumour; for a trajectory the bone it must stay in, closed
    kerf: the kerf of the cut: its plane and thickness follow the cut; leave it out to give the plane here
    plane: the middle of the kerf, when no kerf is given; it counts without end
    kerf_width: thickness of the kerf, when none is given
    entry: where a trajectory enters
    tip: where it ends
    radius: of the screw or drill
    skip: length of the trajectory below the entry that does not count
    spare: what must not be reached; left out, a breach is one into the body (cut) or out of it (trajectory)
    least_margin: the margin that is wanted
    most_breach: the breach that is borne
    voxel: error of a surface from a CT by its voxels; 0.12 on machined bone (VALIDITY B1, row machined bone)
    threshold: error by the choice of the threshold; 0.8 is the median of segmentations of patients
    print: error of the print; 0.26 is the published median of printed guides
    seating: error of the guide on the bone; 1.3 over 23 patients with a guide for tibial osteotomy
    saw: error of the blade in the guide; 2.0 is what then remains of the reported 2.5 mm
    angle: error of direction about each of two axes; about 2 degrees are reported for guided cuts
    trials: how many are made, always the same ones
    """

    kind: Literal["cut", "trajectory"] = "cut"
    body: Ref[Part]
    kerf: Ref[Part] | None = None
    plane: Annotated[Plane | None, Hand("drag the plane to where the saw shall run")] = None
    kerf_width: Millimetres = 1.0
    entry: Point | None = None
    tip: Point | None = None
    radius: Millimetres = 2.0
    skip: Millimetres = 5.0
    spare: Ref[Part] | None = None
    least_margin: Annotated[float, Number("mm", -100, 100, 0.5)] = 5.0
    most_breach: Millimetres = 2.0
    voxel: Deviation = 0.12
    threshold: Deviation = 0.8
    print: Deviation = 0.26
    seating: Deviation = 1.3
    saw: Deviation = 2.0
    angle: Annotated[float, Number("deg", 0, 30, 0.5)] = 2.0
    trials: Annotated[int, Number("", 100, 100_000, 100)] = 1000

    def require_placed(self, step: str) -> None:
        """A cut needs a kerf or a plane, a trajectory both its ends."""
        if self.kind == "cut" and self.kerf is None and self.plane is None:
            raise NeedsHand(f"{step}: plane is not placed yet: choose the kerf of a cut, or drag the plane")
        if self.kind == "trajectory" and (self.entry is None or self.tip is None):
            missing = "entry" if self.entry is None else "tip"
            raise NeedsHand(f"{step}: {missing} is not placed yet: click both ends of the trajectory")

    def run(self, work: Work, body: Part, kerf: Part | None = None, spare: Part | None = None) -> Tolerance:
        """Distribution of margin and breach over the trials.

        Raises Mismatch for bodies of two frames of reference, StepFailed for a kerf that is no slab, a body
        without a surface, and a bone that is not closed.
        """
        require_one_frame(*(part for part in (body, kerf, spare) if part is not None))
        errors = tolerance.Errors(self.voxel, self.threshold, self.print, self.seating, self.saw, self.angle)
        if self.kind == "trajectory":
            assert self.entry is not None
            assert self.tip is not None
            shaft = tolerance.Shaft(self.entry, self.tip, self.radius, self.skip)
            spread = tolerance.trajectory_spread(shaft, body, spare, errors, self.trials, work.report)
        elif kerf is not None:
            spread = tolerance.cut_spread(
                tolerance.slab_of(kerf), body, spare, errors, self.trials, work.report
            )
        else:
            assert self.plane is not None
            slab = tolerance.slab_on(self.plane, self.kerf_width, body)
            spread = tolerance.cut_spread(slab, body, spare, errors, self.trials, work.report)
        return tolerance.told(spread, errors, self.least_margin, self.most_breach)
