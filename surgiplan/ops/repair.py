"""The operation `repair`."""

from ..algorithms.repair import repair
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Part
from .quantities import Share


@operation("repair", runs="process", group="Shape")
class Repair(Operation[Part]):
    """Make a closed solid of a broken surface: holes, flipped or doubled triangles, parts that cross.

    part: the shape; one without a fault stays as it is
    smallest: parts with a smaller share of the area of the largest part are taken away; 0 keeps all
    """

    part: Ref[Part]
    smallest: Share = 0.001

    def run(self, work: Work, part: Part) -> Part:
        """The solid, with every repair named and how far it lies from the shape before."""
        return repair(part, self.smallest, work.report)
