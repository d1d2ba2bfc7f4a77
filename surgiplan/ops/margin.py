"""The operation `margin`."""

from ..algorithms.masks.margin import margin
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask
from .quantities import SignedMillimetres


@operation("margin", group="Segment")
class Margin(Operation[Mask]):
    """Grow a mask outwards or shrink it inwards by a distance, such as a safety margin round a tumour.

    mask: the voxels to grow or shrink
    distance: how far; below 0 shrinks. Right to a quarter of a voxel in the mean
    """

    mask: Ref[Mask]
    distance: SignedMillimetres = 2.0

    def run(self, work: Work, mask: Mask) -> Mask:
        """The voxels within the distance of the border."""
        return margin(mask, self.distance, work.report)
