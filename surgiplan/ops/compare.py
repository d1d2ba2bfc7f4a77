"""The operation `compare`."""

from ..algorithms.agreement import agreement
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Agreement, Mask, Part, Region
from .quantities import Millimetres


@operation("compare", runs="process", group="Check")
class Compare(Operation[Agreement]):
    """Tell how well two masks or two surfaces agree: Dice, Jaccard, HD, HD95, ASSD and NSD.

    a: the first mask or surface, such as one drawn by hand
    b: the second mask or surface, such as one found by a threshold
    tolerance: distance up to which surfaces count as the same, for the NSD
    """

    a: Ref[Region]
    b: Ref[Region]
    tolerance: Millimetres = 1.0

    def run(self, work: Work, a: Mask | Part, b: Mask | Part) -> Agreement:
        """Overlap by volume and distances over the area of both surfaces."""
        return agreement(a, b, self.tolerance, work.report)
