"""The operation `register`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np

from ..algorithms.registering.landmarks import fit_landmarks, left_out_errors
from ..algorithms.registering.surfaces import register_surfaces
from ..algorithms.space import require_one_frame
from ..errors import StepFailed
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Measurement, Part, Pose
from .quantities import Points, Share

OUTPUTS = {"moved": Part, "residual": Measurement, "target_error": Measurement}
_ENOUGH = 4  # pairs of landmarks from which one can be left out
_PAIRS = "root mean square distance of the landmark pairs; not the accuracy of the registration"
_SURFACES = (
    "root mean square point-to-plane distance of the surfaces, found from {start}; not the accuracy of the "
    "registration"
)
_LEFT_OUT = (
    "target registration error of the landmarks by leaving one out: root mean square distance of each from "
    "its partner when only the others fix the motion"
)


@operation("register", version=2, outputs=OUTPUTS, group="Operate")
class Register(Operation[dict[str, Any]]):
    """Bring one part onto another: by landmark pairs, then by the surfaces themselves.

    moving: the part that is brought over
    fixed: the part it shall lie on; the result is in its frame of reference
    start: landmarks begins with the pairs below; surfaces needs none and tries the parts as they lie and
        with their principal axes on one another
    moving_points: landmarks on the moving part, LPS mm; from four on their target error is told, too
    fixed_points: the same landmarks on the fixed part, in the same order
    refine: go on with the surfaces (iterative closest points, point to plane)
    overlap: share of the moving surface that has a counterpart on the fixed one
    only: a closed body round what has not changed, such as the bone no saw has touched: what of the fixed
        part lies outside does not count
    """

    moving: Ref[Part]
    fixed: Ref[Part]
    start: Literal["landmarks", "surfaces"] = "landmarks"
    moving_points: Annotated[Points, Hand("click at least three landmarks on the moving part")] = ()
    fixed_points: Annotated[Points, Hand("click the same landmarks on the fixed part")] = ()
    refine: bool = True
    overlap: Share = 0.9
    only: Ref[Part] | None = None

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """Version 1 followed one start; its parameters are the same."""
        return parameters

    def outputs(self) -> Mapping[str, type]:
        """The error of the landmarks only where there are enough of them."""
        told = self.start == "landmarks" and len(self.moving_points) >= _ENOUGH
        return OUTPUTS if told else {name: OUTPUTS[name] for name in ("moved", "residual")}

    def matters(self, field: str, word: str | None = None) -> bool:
        """Landmarks have a say only where it starts from them."""
        return self.start == "landmarks" or field not in ("moving_points", "fixed_points")

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while landmarks are missing from which it shall start."""
        if self.start == "landmarks":
            super().require_placed(step)

    def run(self, work: Work, moving: Part, fixed: Part, only: Part | None = None) -> dict[str, Any]:
        """The moved part, and the residual of the fit, which is not its accuracy."""
        by_landmarks = self.start == "landmarks"
        frame = fixed.frame_uid
        if only is not None:
            require_one_frame(fixed, only)
        pose, residual, words = Pose(), 0.0, _PAIRS
        if by_landmarks:
            pose, residual = fit_landmarks(self.moving_points, self.fixed_points)
        elif not self.refine:
            raise StepFailed("A start from the surfaces goes on with the surfaces: switch refine on.")
        if self.refine:
            start = pose if by_landmarks else None
            found = register_surfaces(moving, fixed, start, self.overlap, only, work.report)
            pose, residual, words = found.pose, found.residual_mm, _SURFACES.format(start=found.start)
        results: dict[str, Any] = {
            "moved": replace(moving.moved(pose), frame_uid=frame),
            "residual": Measurement(residual, "mm", words, frame_uid=frame, id="register.residual"),
        }
        if "target_error" in self.outputs():
            results["target_error"] = self._target_error(frame)
        return results

    def _target_error(self, frame: str) -> Measurement:
        errors = left_out_errors(self.moving_points, self.fixed_points)
        known = errors[np.isfinite(errors)]
        if not len(known):
            raise StepFailed("The landmarks nearly lie on one line: pick one more point well beside it.")
        value = float(np.sqrt(np.square(known).mean()))
        return Measurement(
            value, "mm", _LEFT_OUT, self.fixed_points, frame, id="register.target_error.leave_one_out"
        )
