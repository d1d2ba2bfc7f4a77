"""The operation `keep_part`."""

from ..algorithms import segment
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask
from .quantities import Point


@operation("keep_part", group="Segment")
class KeepPart(Operation[Mask]):
    """Keep one connected part of a mask: the largest, or the one at a seed point.

    mask: the voxels to choose from
    seed: a point inside the wanted part, LPS mm; empty for the largest part
    """

    mask: Ref[Mask]
    seed: Point | None = None

    def run(self, work: Work, mask: Mask) -> Mask:
        """The 6-connected part."""
        if self.seed is None:
            return segment.largest_part(mask, work.report)
        return segment.part_at(mask, self.seed, work.report)
