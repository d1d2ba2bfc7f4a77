"""The operation `move`."""

from dataclasses import replace

from ..errors import StepFailed
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import IDENTITY, Part, Pose


@operation("move", runs="here", group="Operate")
class Move(Operation[Part]):
    """Move a part as a rigid body.

    part: the part to move
    pose: the motion in patient space: turn and shift
    by: a motion that another step has found; it is done before the one by hand
    into: a body in whose patient space the part then lies, for a motion into another one (of a fibula into
        the jaw)
    """

    part: Ref[Part]
    pose: Pose = IDENTITY
    by: Ref[Pose] | None = None
    into: Ref[Part] | None = None

    def run(self, work: Work, part: Part, by: Pose | None = None, into: Part | None = None) -> Part:
        """The same shape with another pose.

        Raises StepFailed when it shall go into another patient space without a motion that leads there.
        """
        if into is not None and by is None:
            raise StepFailed(
                "only a motion that another step has found leads into another patient space: choose it as by"
            )
        moved = part.moved(self.pose if by is None else self.pose.after(by))
        return moved if into is None else replace(moved, frame_uid=into.frame_uid)
