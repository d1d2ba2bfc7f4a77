"""The operation `collide`."""

from ..algorithms import clearance
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Collision, Part


@operation("collide", runs="process", group="Check")
class Collide(Operation[Collision]):
    """Find how deep two bodies overlap, or how far they stay apart, and where.

    a: the first body, such as an implant
    b: the second body, such as a bone or a canal
    """

    a: Ref[Part]
    b: Ref[Part]

    def run(self, work: Work, a: Part, b: Part) -> Collision:
        """Depth, clearance, containment and their place."""
        return clearance.collide(a, b, report=work.report)
