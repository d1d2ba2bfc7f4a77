"""The operation `local_threshold`."""

from ..algorithms.masks.local import local_threshold
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Volume
from .quantities import HU, Millimetres


@operation("local_threshold", group="Segment")
class LocalThreshold(Operation[Mask]):
    """Keep the voxels that are brighter than what surrounds them, such as thin bone walls.

    volume: the scan to look at
    radius: how far the surroundings reach; more than the thickness of what is sought
    above: by how much a voxel must be brighter than the mean of its surroundings
    low: the faintest intensity that is kept at all
    high: the brightest intensity that is kept
    """

    volume: Ref[Volume]
    radius: Millimetres = 6.0
    above: HU = 50
    low: HU = 100
    high: HU = 3071

    def run(self, work: Work, volume: Volume) -> Mask:
        """The voxels between both values and above the mean of the block round them."""
        return local_threshold(volume, self.radius, self.above, self.low, self.high, work.report)
