"""The operation `denoise`."""

from typing import Annotated, Literal

from ..algorithms.scans.smoothing import denoised
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Volume
from .quantities import HUStep

Radius = Annotated[float, Number("mm", 0.1, 10, 0.1)]


@operation("denoise", group="Images")
class Denoise(Operation[Volume]):
    """Take noise out of a scan.

    volume: the noisy scan
    kind: diffusion smooths even regions and keeps edges; median takes out single voxels; gaussian blurs all
    radius: how far it reaches
    edge: difference of neighbouring voxels that counts as an edge, for diffusion
    """

    volume: Ref[Volume]
    kind: Literal["diffusion", "median", "gaussian"] = "diffusion"
    radius: Radius = 1.0
    edge: HUStep = 100.0

    def run(self, work: Work, volume: Volume) -> Volume:
        """The smoothed scan, on the same grid."""
        return denoised(volume, self.kind, self.radius, self.edge, work.report)
