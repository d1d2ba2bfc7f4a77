"""The operation `move`."""

from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import IDENTITY, Part, Pose


@operation("move", runs="here", group="Operate")
class Move(Operation[Part]):
    """Move a part as a rigid body.

    part: the part to move
    pose: the motion in patient space: turn and shift
    """

    part: Ref[Part]
    pose: Pose = IDENTITY

    def run(self, work: Work, part: Part) -> Part:
        """The same shape with another pose."""
        return part.moved(self.pose)
