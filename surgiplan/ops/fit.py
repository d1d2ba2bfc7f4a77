"""The operation `fit`."""

from ..algorithms.gap import gap_map
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import GapMap, Part
from .quantities import Millimetres


@operation("fit", group="Check")
class Fit(Operation[GapMap]):
    """Map the gap between one body and another, point by point.

    body: the body that carries the map, such as the limb
    against: the body it is held against, such as the socket
    contact: gaps up to this count as contact
    within: points farther away than this are left out of the figures; 0 counts all points
    """

    body: Ref[Part]
    against: Ref[Part]
    contact: Millimetres = 0.5
    within: Millimetres = 0.0

    def run(self, work: Work, body: Part, against: Part) -> GapMap:
        """Signed gaps with mean, 95th percentile, largest and share in contact."""
        return gap_map(body, against, self.contact, within_mm=self.within, report=work.report)
