"""The operation `hollow`."""

from ..algorithms.masks.margin import Side, hollow
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask
from .quantities import Millimetres


@operation("hollow", group="Segment")
class Hollow(Operation[Mask]):
    """Make a shell of a mask: its wall, with nothing within.

    mask: the voxels of the body
    thickness: of the wall
    side: where the wall lies: inside the border, outside it, or centred on it
    """

    mask: Ref[Mask]
    thickness: Millimetres = 2.0
    side: Side = "inside"

    def run(self, work: Work, mask: Mask) -> Mask:
        """The wall; where the body reaches the edge of the scan it is open."""
        return hollow(mask, self.thickness, self.side, work.report)
