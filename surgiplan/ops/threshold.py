"""The operation `threshold`."""

from collections.abc import Mapping

from ..algorithms import segment
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Volume
from .quantities import HU


@operation("threshold", group="Segment")
class Threshold(Operation[Mask]):
    """Keep the voxels whose intensity lies between two values.

    volume: the scan to look at
    low: the faintest intensity that is kept
    high: the brightest intensity that is kept
    """

    volume: Ref[Volume]
    low: HU = 226
    high: HU = 3071

    def run(self, work: Work, volume: Volume) -> Mask:
        """The voxels between both values, those included."""
        return segment.threshold(volume, self.low, self.high, work.report)

    def suggest(self, work: Work, volume: Volume) -> Mapping[str, Mapping[str, float]]:
        """Otsu's value, and half-way between cortex and soft tissue (the unbiased place of a bone edge)."""
        return {
            "otsu": {"low": round(segment.otsu(volume), 1)},
            "half-maximum": {"low": round(segment.half_maximum(volume, work.report), 1)},
        }
