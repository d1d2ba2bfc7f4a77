"""The operation `paint`."""

from typing import Annotated

from ..algorithms import segment
from ..errors import NeedsHand
from ..plan.operation import USUAL, Operation, Ref, operation
from ..plan.work import Work
from ..values import Bits, Mask, Volume


@operation("paint", group="Segment")
class Paint(Operation[Mask]):
    """Add and remove voxels by hand, on a mask or on nothing.

    mask: the voxels to start from; empty to start with none
    volume: the scan that is painted on, where no mask is named
    added: the voxels painted on
    removed: the voxels erased; they win over painted ones
    """

    mask: Annotated[Ref[Mask] | None, USUAL] = None
    volume: Annotated[Ref[Volume] | None, USUAL] = None
    added: Bits | None = None
    removed: Bits | None = None

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while there is nothing to paint on, or nobody has painted."""
        if self.mask is None and self.volume is None:
            raise NeedsHand(f"{step}: choose a mask to start from, or a scan to start with nothing on")
        if self.added is None and self.removed is None:
            raise NeedsHand(f"{step}: nothing is painted yet: paint, erase, or remove this step")

    def run(self, work: Work, mask: Mask | None = None, volume: Volume | None = None) -> Mask:
        """(mask or added) and not removed."""
        if mask is None:
            assert volume is not None
            mask = segment.nothing(volume.grid)
        return segment.painted(mask, self.added or Bits(), self.removed or Bits())
