"""The operation `mirror_mask`."""

from typing import Annotated

from ..algorithms.masks.mirror import mirrored
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Plane


@operation("mirror_mask", group="Segment")
class MirrorMask(Operation[Mask]):
    """Mirror a mask at a plane, on the same scan, such as the healthy side laid over the injured one.

    mask: the voxels to mirror
    plane: the plane of symmetry
    """

    mask: Ref[Mask]
    plane: Annotated[Plane | None, Hand("lay the plane through the midline")] = None

    def run(self, work: Work, mask: Mask) -> Mask:
        """The voxels whose mirror image is chosen; nothing may be lost at the edge of the scan."""
        assert self.plane is not None
        return mirrored(mask, self.plane, work.report)
