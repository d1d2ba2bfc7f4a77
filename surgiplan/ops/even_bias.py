"""The operation `even_bias`."""

from typing import Any

from ..algorithms.scans.bias import evened
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Measurement, Volume

OUTPUTS = {"scan": Volume, "change": Measurement}


@operation("even_bias", outputs=OUTPUTS, group="Images")
class EvenBias(Operation[dict[str, Any]]):
    """Take the slow change of brightness (bias field) out of an MR scan.

    volume: the MR scan
    """

    volume: Ref[Volume]

    def run(self, work: Work, volume: Volume) -> dict[str, Any]:
        """The evened scan, and how much the brightness changed over the body."""
        scan, factor = evened(volume, work.report)
        definition = "factor between the brightest and the darkest 1 % of the bias field over the body"
        return {"scan": scan, "change": Measurement(factor, "", definition, frame_uid=scan.grid.frame_uid)}
