"""The operation `deface`."""

from typing import Any

from ..algorithms.face import without_face
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Measurement, Volume
from .quantities import Millimetres

OUTPUTS = {"scan": Volume, "removed": Measurement}


@operation("deface", outputs=OUTPUTS, group="Segment")
class Deface(Operation[dict[str, Any]]):
    """Replace the face in a scan of a head by air; bone, and in a CT the brain, stay.

    volume: a CT or MR of the whole head
    depth: how far behind the smoothed skin the voxels are replaced
    bone_margin: width of the soft tissue that stays round bone (CT alone)
    """

    volume: Ref[Volume]
    depth: Millimetres = 6.0
    bone_margin: Millimetres = 2.0

    def run(self, work: Work, volume: Volume) -> dict[str, Any]:
        """The scan without the face, and how much of the head was replaced."""
        scan, share = without_face(volume, self.depth, self.bone_margin, work.report)
        definition = (
            "share of the head in the scan that was replaced by air. Ears, shape of the skull and what lies"
            " deeper stay; in an MR the front of the brain may be touched: look at the result"
        )
        return {
            "scan": scan,
            "removed": Measurement(100 * share, "%", definition, frame_uid=volume.grid.frame_uid),
        }
