"""The operation `resample`."""

from typing import Annotated, Literal

from ..algorithms.scans.sampling import even_grid, resampled
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Volume

Edge = Annotated[float, Number("mm", 0.05, 50, 0.1)]


@operation("resample", group="Images")
class Resample(Operation[Volume]):
    """Read a scan at other places: in cubic voxels, or on the grid of another scan.

    volume: the scan to read
    like: the scan whose grid is taken, in the same patient space (a register_scan step sees to that)
    spacing: edge of the cubic voxels, where no other scan is named
    how: linear between voxels; cubic for sharper edges; nearest to keep the very grey values
    """

    volume: Ref[Volume]
    like: Ref[Volume] | None = None
    spacing: Edge = 1.0
    how: Literal["linear", "cubic", "nearest"] = "linear"

    def run(self, work: Work, volume: Volume, like: Volume | None) -> Volume:
        """The grey values at the new places, smoothed before where the voxels become larger."""
        grid = even_grid(volume.grid, self.spacing) if like is None else like.grid
        return resampled(volume, grid, self.how, work.report)
