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
    distance: how far; below 0 shrinks. Never further than this, and less by at most a voxel's diagonal
    """

    mask: Ref[Mask]
    distance: SignedMillimetres = 2.0

    def run(self, work: Work, mask: Mask) -> Mask:
        """The voxels within the distance, measured between centres of voxels."""
        return margin(mask, self.distance, work.report)
