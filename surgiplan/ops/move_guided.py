"""The operation `move_guided`."""

from typing import Annotated

from ..algorithms.motion import SLIDES, Guide, Guided
from ..plan.operation import Hand, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane

Pulled = Annotated[float, Number("mm", -100, 100, 0.1, pulled=True)]


@operation("move_guided", runs="here", group="Operate")
class MoveGuided(Operation[Part]):
    """Move a part along an axis, about a hinge or on a plane, and in no other way.

    part: the part to move
    kind: axis slides along the direction and turns about it; hinge turns only; plane slides on the plane and
        turns about its normal
    guide: a point of the axis or hinge with its direction, or the plane
    shift: how far along the axis; on a plane how far to the left on it (backwards on one that faces sideways)
    across: how far the other way on a plane, at right angles to the shift
    angle: the turn about the direction or normal, right-handed
    """

    part: Ref[Part]
    kind: Guide = "axis"
    guide: Annotated[Plane | None, Hand("lay the axis, the hinge or the plane that guides the part")] = None
    shift: Pulled = 0.0
    across: Pulled = 0.0
    angle: Annotated[float, Number("°", -180, 180, 1, pulled=True)] = 0.0

    def matters(self, field: str, word: str | None = None) -> bool:
        """A shift that the guide does not let through is shown only while it is not 0, so that it can be."""
        slides = field in SLIDES["plane"]
        return not slides or field in SLIDES[self.kind] or getattr(self, field) != 0

    def run(self, work: Work, part: Part) -> Part:
        """The same shape with another pose."""
        assert self.guide is not None
        return part.moved(Guided(self.kind, self.guide, self.shift, self.across, self.angle).pose)
