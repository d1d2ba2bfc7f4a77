"""The operation `deviation_map`."""

from ..algorithms.deviation import edge_map
from ..errors import StepFailed
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import EdgeMap, Mask, Part, Volume
from .quantities import HU


@operation("deviation_map", group="Check")
class DeviationMap(Operation[EdgeMap]):
    """Show in colours how far a surface lies from the grey edge of the scan.

    part: the surface, as it was made or smoothed and decimated since
    volume: the scan it was made from
    mask: the mask it was made from, for the level of its border
    level: the grey value of the border; empty for the level of the mask
    """

    part: Ref[Part]
    volume: Ref[Volume]
    mask: Ref[Mask]
    level: HU | None = None

    def run(self, work: Work, part: Part, volume: Volume, mask: Mask) -> EdgeMap:
        """Signed distances along the normals, positive outside, with mean, 95th percentile and largest."""
        level = mask.level if self.level is None else self.level
        if level is None:
            raise StepFailed("The grey value of the border is not known: give the level, or a mask with one.")
        return edge_map(part, volume, level, work.report)
