"""The operation `surface`."""

from typing import Literal

from ..algorithms.surface import grey_surface
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Part, Volume
from .quantities import HU


@operation("surface", group="Shape")
class Surface(Operation[Part]):
    """Make the surface of an object from the grey values round its mask.

    volume: the scan the mask was made from
    mask: the voxels of the object
    level: the grey value of its border; empty for the low value of the mask's threshold
    cavities: keep the inner surfaces (marrow, sinuses), or fill them to get a solid body
    """

    volume: Ref[Volume]
    mask: Ref[Mask]
    level: HU | None = None
    cavities: Literal["keep", "fill"] = "keep"

    def run(self, work: Work, volume: Volume, mask: Mask) -> Part:
        """A closed surface, facing outwards."""
        return grey_surface(volume, mask, self.level, self.cavities == "fill", work.report)
