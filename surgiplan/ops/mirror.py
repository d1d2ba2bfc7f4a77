"""The operation `mirror`."""

from typing import Annotated

from ..algorithms.mirror import mirrored
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane


@operation("mirror", group="Operate")
class Mirror(Operation[Part]):
    """Mirror a part at a plane, such as the healthy side at the midsagittal plane.

    part: the part to mirror
    plane: the plane of symmetry
    """

    part: Ref[Part]
    plane: Annotated[Plane | None, Hand("lay the plane through the midline")] = None

    def run(self, work: Work, part: Part) -> Part:
        """A new shape of the other handedness, facing outwards."""
        assert self.plane is not None
        return mirrored(part, self.plane)
