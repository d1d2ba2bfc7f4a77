"""The operation `split`."""

from ..algorithms.splitting.bones import part_bones
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Volume
from .quantities import HUStep, Millimetres


@operation("split", group="Segment")
class Split(Operation[Mask]):
    """Cut a mask where bones touch, along the joint space and at thin bridges; then keep each with keep_part.

    volume: the scan the mask was made from
    mask: the bones that hang together
    bridge: a bridge of bone between two bodies is cut up to this radius
    dip: by how much intensity a joint space is darker than the bone on both sides
    """

    volume: Ref[Volume]
    mask: Ref[Mask]
    bridge: Millimetres = 3.0
    dip: HUStep = 100.0

    def run(self, work: Work, volume: Volume, mask: Mask) -> Mask:
        """The mask without the darker voxel of each two where bones meet."""
        return part_bones(volume, mask, self.bridge, self.dip, work.report)
