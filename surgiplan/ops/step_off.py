"""The operation `step_off`."""

from ..algorithms.registering.fracture import gap_and_step
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Measurement, Part
from .quantities import Millimetres

OUTPUTS = {f"{kind}_{name}": Measurement for name in ("gap", "step") for kind in ("largest", "mean")}


@operation("step_off", outputs=OUTPUTS, group="Check")
class StepOff(Operation[dict[str, Measurement]]):
    """Measure the gap and the step-off between two fragments along the line where they meet.

    a: the first fragment, such as the one that stays
    b: the second fragment, such as the one that was reduced
    reach: how far from each other their edges are looked for
    """

    a: Ref[Part]
    b: Ref[Part]
    reach: Millimetres = 8.0

    def run(self, work: Work, a: Part, b: Part) -> dict[str, Measurement]:
        """Largest and mean gap and step; the largest with its place."""
        return gap_and_step(a, b, self.reach, work.report).measurements
