"""The operation `level_set`."""

from typing import Annotated

from ..algorithms.splitting.contour import fitted_contour
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Volume
from .quantities import HUStep, Millimetres

Weight = Annotated[float, Number("", 0, 10, 0.1)]
Pressure = Annotated[float, Number("", -5, 5, 0.1)]
Rounds = Annotated[int, Number("", 1, 5000, 50)]


@operation("level_set", group="Segment")
class LevelSet(Operation[Mask]):
    """Let the border of a rough mask run to the edges in the scan and stay there, smooth.

    volume: the scan the mask was made from
    mask: where the contour starts
    reach: how far outside of the mask it may come
    edge: change of intensity per mm that slows it down to half
    growth: pressure outwards; negative lets it shrink onto the edges
    smoothness: weight of the curvature; more rounds off corners
    rounds: most steps, of up to a sixth of a voxel each
    """

    volume: Ref[Volume]
    mask: Ref[Mask]
    reach: Millimetres = 5.0
    edge: HUStep = 200.0
    growth: Pressure = 1.0
    smoothness: Weight = 0.5
    rounds: Rounds = 300

    def run(self, work: Work, volume: Volume, mask: Mask) -> Mask:
        """The voxels inside the contour (geodesic active contour)."""
        return fitted_contour(
            volume,
            mask,
            self.reach,
            self.edge,
            self.growth,
            self.smoothness,
            self.rounds,
            work.report,
        )
