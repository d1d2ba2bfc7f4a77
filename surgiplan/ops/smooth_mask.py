"""The operation `smooth_mask`."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from ..algorithms.masks.smoothing import closed, median, opened, smoothed
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..progress import Report
from ..values import Mask

Kind = Literal["volume", "median", "closing", "opening"]
_WAYS: Mapping[str, Callable[[Mask, float, Report], Mask]] = {
    "volume": smoothed,
    "median": median,
    "closing": closed,
    "opening": opened,
}


@operation("smooth_mask", group="Segment")
class SmoothMask(Operation[Mask]):
    """Make the border of a mask smooth, close its gaps or take away its spurs.

    mask: the voxels to smooth
    kind: volume (blurs, and keeps the volume); median (what most voxels around are: flat faces stay); closing
        (closes gaps narrower than twice the radius, takes nothing away); opening (takes away what is
        thinner than twice the radius, adds nothing)
    radius: of the ball, of the block, or the standard deviation of the blur
    """

    mask: Ref[Mask]
    kind: Kind = "volume"
    radius: Annotated[float, Number("mm", 0.1, 30, 0.1)] = 1.5

    def run(self, work: Work, mask: Mask) -> Mask:
        """The mask with its level, so that its surface still follows the grey values where they agree."""
        return _WAYS[self.kind](mask, self.radius, work.report)
