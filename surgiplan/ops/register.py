"""The operation `register`."""

from dataclasses import replace
from typing import Annotated, Any

from ..algorithms.register import fit_landmarks, icp_point_to_plane
from ..errors import StepFailed
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Measurement, Part
from .quantities import Points, Share

OUTPUTS = {"moved": Part, "residual": Measurement}


@operation("register", outputs=OUTPUTS, group="Operate")
class Register(Operation[dict[str, Any]]):
    """Bring one part onto another: by landmark pairs, then by the surfaces themselves.

    moving: the part that is brought over
    fixed: the part it shall lie on; the result is in its frame of reference
    moving_points: landmarks on the moving part, LPS mm
    fixed_points: the same landmarks on the fixed part, in the same order
    refine: go on with the surfaces (iterative closest points, point to plane)
    overlap: share of the moving surface that has a counterpart on the fixed one
    """

    moving: Ref[Part]
    fixed: Ref[Part]
    moving_points: Annotated[Points, Hand("click at least three landmarks on the moving part")] = ()
    fixed_points: Annotated[Points, Hand("click the same landmarks on the fixed part")] = ()
    refine: bool = True
    overlap: Share = 0.9

    def run(self, work: Work, moving: Part, fixed: Part) -> dict[str, Any]:
        """The moved part, and the residual of the fit, which is not its accuracy."""
        if len(self.moving_points) != len(self.fixed_points):
            raise StepFailed(
                f"there are {len(self.moving_points)} landmarks on the moving part and"
                f" {len(self.fixed_points)} on the fixed one: they must be pairs"
            )
        pose, residual = fit_landmarks(self.moving_points, self.fixed_points)
        definition = "root mean square distance of the landmark pairs; not the accuracy of the registration"
        if self.refine:
            pose, residual = icp_point_to_plane(moving, fixed, pose, self.overlap, report=work.report)
            definition = "root mean square point-to-plane distance; not the accuracy of the registration"
        moved = replace(moving.moved(pose), frame_uid=fixed.frame_uid)
        return {
            "moved": moved,
            "residual": Measurement(residual, "mm", definition, frame_uid=fixed.frame_uid),
        }
