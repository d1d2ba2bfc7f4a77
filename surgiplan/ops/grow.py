"""The operation `grow`."""

from typing import Annotated

from ..algorithms import segment
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Volume
from .quantities import HU, Point


@operation("grow", group="Segment")
class Grow(Operation[Mask]):
    """Keep what hangs together with a seed point and lies between two intensities.

    volume: the scan to look at
    seed: a point inside the object, LPS mm
    low: the faintest intensity that is kept
    high: the brightest intensity that is kept
    """

    volume: Ref[Volume]
    seed: Annotated[Point | None, Hand("click a point inside the object")] = None
    low: HU = 226
    high: HU = 3071

    def run(self, work: Work, volume: Volume) -> Mask:
        """The 6-connected region round the seed."""
        assert self.seed is not None
        return segment.grow(volume, self.seed, self.low, self.high, work.report)
