"""The operation `logic`."""

from typing import Literal

from ..algorithms.masks.logic import difference, intersection, inverted, union
from ..errors import StepFailed
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask


@operation("logic", runs="thread", group="Segment")
class Logic(Operation[Mask]):
    """Put two masks together: both, what they share, one without the other; or invert one.

    a: the first mask
    b: the second mask, on the same scan; not for invert
    kind: union (in a or b); intersect (in a and b); subtract (in a and not in b); invert (not in a)
    """

    a: Ref[Mask]
    b: Ref[Mask] | None = None
    kind: Literal["union", "intersect", "subtract", "invert"] = "union"

    def run(self, work: Work, a: Mask, b: Mask | None = None) -> Mask:
        """The set of voxels."""
        work.hear()
        if self.kind == "invert":
            return inverted(a)
        if b is None:
            raise StepFailed(f"{self.kind} needs a second mask: choose one for b")
        return {"union": union, "intersect": intersection, "subtract": difference}[self.kind](a, b)
