"""The operation `boolean`."""

from typing import Literal

from ..algorithms import solid
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Part


@operation("boolean", runs="process", group="Operate")
class Boolean(Operation[Part]):
    """Join two bodies, keep what they share, or take one from the other.

    a: the first body; it must be closed
    b: the second body; it must be closed
    kind: union (a or b), intersection (a and b), difference (a without b)
    """

    a: Ref[Part]
    b: Ref[Part]
    kind: Literal["union", "intersection", "difference"] = "union"

    def run(self, work: Work, a: Part, b: Part) -> Part:
        """A closed body in patient space."""
        return solid.boolean(a, b, self.kind)
