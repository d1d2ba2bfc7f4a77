"""The operation `follow`."""

from ..algorithms.motion import mirrored_motion, motion_of
from ..algorithms.space import require_one_frame
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane


@operation("follow", runs="here", group="Operate")
class Follow(Operation[Part]):
    """Let a part go along with another one that was moved, as in a chain of fragments.

    part: the part that follows
    before: the leader before it was moved
    after: the same leader after it was moved
    symmetric: a plane of symmetry: the part makes the mirrored motion, as its counterpart on the other side;
        none lets it make the same motion
    """

    part: Ref[Part]
    before: Ref[Part]
    after: Ref[Part]
    symmetric: Plane | None = None

    def run(self, work: Work, part: Part, before: Part, after: Part) -> Part:
        """The same shape, moved as its leader was."""
        require_one_frame(part, before)
        motion = motion_of(before, after)
        if self.symmetric is not None:
            motion = mirrored_motion(motion, self.symmetric)
        return part.moved(motion)
