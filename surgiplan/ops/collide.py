"""The operation `collide`."""

from typing import Any

from ..algorithms import clearance
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Collision, Part


@operation("collide", version=2, runs="process", group="Check")
class Collide(Operation[Collision]):
    """Find how deep two bodies overlap, or how far they stay apart, and where.

    a: the first body, such as an implant
    b: the second body, such as a bone or a canal
    meant: how they are meant to lie: apart, such as a screw and a nerve canal, or the first inside the
        second, such as a screw that sits in bone; then it is told how far it reaches out
    """

    a: Ref[Part]
    b: Ref[Part]
    meant: clearance.Meant = "apart"

    def run(self, work: Work, a: Part, b: Part) -> Collision:
        """Depth, clearance, containment, the volume they share, and the places."""
        return clearance.collide(a, b, report=work.report, meant=self.meant)

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """In version 1 all bodies were meant to lie apart."""
        return parameters
