"""The operation `crop`."""

import numpy as np

from ..algorithms.scans.sampling import cropped
from ..errors import NeedsHand
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Volume
from .quantities import Millimetres, Points


@operation("crop", group="Images")
class Crop(Operation[Volume]):
    """Cut a scan to a box; what comes after is faster and sees nothing else.

    volume: the scan to cut
    points: opposite corners of the box, or any points it shall hold, LPS mm
    around: a mask the box shall hold, beside the points or in their place
    margin: room on all sides
    """

    volume: Ref[Volume]
    points: Points = ()
    around: Ref[Mask] | None = None
    margin: Millimetres = 5.0

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while neither a mask nor two points say where the box is."""
        if self.around is None and len(self.points) < 2:
            raise NeedsHand(
                f"{step}: the box is not placed yet: click two opposite corners, or choose a mask"
            )

    def run(self, work: Work, volume: Volume, around: Mask | None) -> Volume:
        """The voxels of the box, their grey values and places as they were."""
        work.report(0.5, "Cutting the scan")
        return cropped(volume, np.array(self.points), around, self.margin)
