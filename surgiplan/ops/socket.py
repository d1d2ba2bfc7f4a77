"""The operation `socket`."""

from typing import Annotated

from ..algorithms.socket import socket
from ..plan.operation import Hand, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane
from .quantities import Millimetres, SignedMillimetres

Resolution = Annotated[float, Number("mm", 0.3, 5, 0.1)]


@operation("socket", runs="process", group="Prosthesis")
class Socket(Operation[Part]):
    """Make a prosthetic socket round a residual limb: a closed shell, open at the trim line.

    limb: the skin of the residual limb
    trim: the plane of the proximal rim; its normal points proximally, what lies there is left out
    offset: room between skin and inner wall; negative for a reduction
    wall: thickness of the wall
    resolution: spacing of the distance field the walls are taken from
    """

    limb: Ref[Part]
    trim: Annotated[Plane | None, Hand("lay the plane at the proximal rim, normal pointing proximally")] = (
        None
    )
    offset: SignedMillimetres = 3.0
    wall: Millimetres = 4.0
    resolution: Resolution = 1.5

    def run(self, work: Work, limb: Part) -> Part:
        """A closed shell in patient space."""
        assert self.trim is not None
        return socket(limb, self.trim, self.offset, self.wall, self.resolution, work.report)
