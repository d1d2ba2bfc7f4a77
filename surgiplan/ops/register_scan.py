"""The operation `register_scan`."""

from dataclasses import replace
from typing import Any

from ..algorithms.scans.register import register_scans
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Grid, Measurement, Volume

OUTPUTS = {"moved": Volume, "fit": Measurement}
_FIT = (
    "mutual information of the grey values of both scans where they overlap; only for comparing fits of the "
    "same scans, and not the accuracy of the registration: look at landmarks in both"
)


@operation("register_scan", outputs=OUTPUTS, group="Images")
class RegisterScan(Operation[dict[str, Any]]):
    """Bring a second scan of the patient into the space of the first, by their grey values.

    moving: the scan that is brought over, such as an MR
    fixed: the scan it shall lie on, such as a CT; the result is in its frame of reference
    """

    moving: Ref[Volume]
    fixed: Ref[Volume]

    def run(self, work: Work, moving: Volume, fixed: Volume) -> dict[str, Any]:
        """The scan at its new place with its grey values untouched, and the fit."""
        pose, information = register_scans(moving, fixed, work.report)
        frame = fixed.grid.frame_uid
        grid = Grid(moving.grid.shape_kji, pose.array @ moving.grid.kji_to_lps, frame)
        return {
            "moved": replace(moving, grid=grid),
            "fit": Measurement(information, "nat", _FIT, frame_uid=frame),
        }
