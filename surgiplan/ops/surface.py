"""The operation `surface`."""

from typing import Any, Literal

from ..algorithms.surface import grey_surface
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Part, Volume
from .quantities import HU


@operation("surface", version=3, group="Shape")
class Surface(Operation[Part]):
    """Make the surface of an object from the grey values round its mask.

    volume: the scan the mask was made from
    mask: the voxels of the object
    level: the grey value of its border; empty for the low value of the mask's threshold
    cavities: keep the inner surfaces (marrow, sinuses), or fill them to get a solid body
    way: follow the grey values, or smooth as well because noise would make that worse; auto decides by the
        noise of this scan
    """

    volume: Ref[Volume]
    mask: Ref[Mask]
    level: HU | None = None
    cavities: Literal["keep", "fill"] = "keep"
    way: Literal["auto", "grey", "smoothed"] = "auto"

    def run(self, work: Work, volume: Volume, mask: Mask) -> Part:
        """A closed surface, facing outwards, with its deviation from the grey edge and from the mask."""
        return grey_surface(volume, mask, self.level, self.cavities == "fill", work.report, self.way)

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """Versions 1 and 2 always followed the grey values; results of version 1 carried no deviation."""
        return parameters | {"way": "grey"}
