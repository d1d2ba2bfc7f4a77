"""The operation `find_metal`."""

from typing import Any

from ..algorithms.scans.metal import metal_and_streaks
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Measurement, Volume
from .quantities import HU, Millimetres

OUTPUTS = {"metal": Mask, "streaks": Mask, "untrue": Measurement}
_UNTRUE = (
    "volume round metal where streaks make the HU untrue: surfaces there must be judged by eye. "
    "It is found by the unrest within slices; weak streaks are not in it"
)


@operation("find_metal", outputs=OUTPUTS, group="Segment")
class FindMetal(Operation[dict[str, Any]]):
    """Find metal in a CT, and the region round it that is not to be trusted.

    volume: the CT
    level: the faintest intensity that is metal
    near: distance from metal up to which nothing is trusted
    """

    volume: Ref[Volume]
    level: HU = 2500
    near: Millimetres = 5.0

    def run(self, work: Work, volume: Volume) -> dict[str, Any]:
        """The metal, the streaks in its slices, and how large their region is."""
        metal, streaks = metal_and_streaks(volume, self.level, self.near, work.report)
        frame = volume.grid.frame_uid
        return {
            "metal": metal,
            "streaks": streaks,
            "untrue": Measurement(streaks.volume_mm3, "mm3", _UNTRUE, frame_uid=frame),
        }
