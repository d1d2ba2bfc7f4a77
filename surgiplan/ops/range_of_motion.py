"""The operation `range_of_motion`."""

from typing import Annotated

from ..algorithms.fields.motion import range_of_motion
from ..plan.operation import Hand, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane, RangeOfMotion


@operation("range_of_motion", group="Check")
class FindRangeOfMotion(Operation[RangeOfMotion]):
    """Find how far a joint turns towards each side until bone meets bone.

    moving: the body that turns, such as a stem with its neck
    fixed: the body that stays, such as the pelvis with its cup
    joint: the centre of the joint and the axis that is tilted, such as that of the neck
    directions: towards how many sides it is tilted; the first is anterior
    limit: no farther than this
    """

    moving: Ref[Part]
    fixed: Ref[Part]
    joint: Annotated[Plane | None, Hand("lay the plane through the centre, its normal along the neck")] = None
    directions: Annotated[int, Number("", 1, 10000, 12)] = 72
    limit: Annotated[float, Number("°", 1, 180, 5)] = 120.0

    def run(self, work: Work, moving: Part, fixed: Part) -> RangeOfMotion:
        """The angle of the first touch towards each side, and where it touches."""
        assert self.joint is not None  # a person has placed it
        return range_of_motion(moving, fixed, self.joint, self.directions, self.limit, work.report)
