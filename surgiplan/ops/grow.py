"""The operation `grow`."""

from typing import Annotated, Any, Literal

from ..algorithms.masks.growing import grow, grow_alike, grow_smooth
from ..plan.operation import Hand, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Volume
from .quantities import HU, Millimetres, Point


@operation("grow", version=2, group="Segment")
class Grow(Operation[Mask]):
    """Keep what hangs together with a seed point and looks like it.

    volume: the scan to look at
    seed: a point inside the object, LPS mm
    kind: connected (all between two intensities); neighbourhood (the same, but not through openings narrower
        than a ball of the radius); confidence (the range is learnt from the seed's surroundings: mean and
        standard deviation, then from the region itself)
    low: the faintest intensity that is kept; not for confidence
    high: the brightest intensity that is kept; not for confidence
    radius: of the ball, for neighbourhood; how far the first surroundings reach, for confidence
    spread: how many standard deviations from the mean still count, for confidence
    rounds: how often the range is learnt from the region, for confidence
    reach: how far from the seed, along each axis of the scan, is looked at; empty for the whole scan
    """

    volume: Ref[Volume]
    seed: Annotated[Point | None, Hand("click a point inside the object")] = None
    kind: Literal["connected", "neighbourhood", "confidence"] = "connected"
    low: HU = 226
    high: HU = 3071
    radius: Millimetres = 2.0
    spread: Annotated[float, Number("", 0.1, 20, 0.1)] = 2.5
    rounds: Annotated[int, Number("", 0, 20, 1)] = 4
    reach: Millimetres | None = None

    def run(self, work: Work, volume: Volume) -> Mask:
        """The 6-connected region round the seed."""
        assert self.seed is not None
        if self.kind == "confidence":
            return grow_alike(
                volume, self.seed, self.spread, self.radius, self.rounds, self.reach, work.report
            )
        if self.kind == "neighbourhood":
            return grow_smooth(volume, self.seed, self.low, self.high, self.radius, self.reach, work.report)
        return grow(volume, self.seed, self.low, self.high, self.reach, work.report)

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """Version 1 grew what is connected in the whole scan, as the defaults still do."""
        return parameters
