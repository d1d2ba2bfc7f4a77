"""The operation `paint`."""

from ..algorithms import segment
from ..errors import NeedsHand
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Bits, Mask


@operation("paint", group="Segment")
class Paint(Operation[Mask]):
    """Add and remove voxels by hand.

    mask: the voxels to start from
    added: the voxels painted on
    removed: the voxels erased; they win over painted ones
    """

    mask: Ref[Mask]
    added: Bits | None = None
    removed: Bits | None = None

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while nobody has painted or said that nothing is to be painted."""
        if self.added is None and self.removed is None:
            raise NeedsHand(f"{step}: nothing is painted yet: paint, erase, or remove this step")

    def run(self, work: Work, mask: Mask) -> Mask:
        """(mask or added) and not removed."""
        return segment.painted(mask, self.added or Bits(), self.removed or Bits())
