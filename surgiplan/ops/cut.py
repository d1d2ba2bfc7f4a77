"""The operation `cut`."""

from typing import Annotated, Literal

import numpy as np

from ..algorithms import solid
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Mesh, Part, Plane
from .quantities import Millimetres

NOTHING = Part(Mesh(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)))
SIDES = {"a": Part, "b": Part, "kerf": Part}


@operation("cut", runs="process", outputs=SIDES, group="Operate")
class Cut(Operation[dict[str, Part]]):
    """Saw a body in two along a plane, with a blade of real thickness.

    part: the body to cut; it must be closed
    plane: where the saw runs; side a is the one its normal points to, side b the other
    kerf: thickness of bone that the blade takes away; 0 parts without a loss
    kerf_side: from which side it is taken; with "both" the plane is the middle of the kerf
    at: a plane that another step has found; it comes before the plane placed by hand
    """

    part: Ref[Part]
    plane: Annotated[Plane | None, Hand("drag the plane to where the saw shall run")] = None
    kerf: Millimetres = 1.0
    kerf_side: Literal["a", "b", "both"] = "both"
    at: Ref[Plane] | None = None

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while there is no plane, neither placed nor found by another step."""
        if self.at is None:
            super().require_placed(step)

    def run(self, work: Work, part: Part, at: Plane | None = None) -> dict[str, Part]:
        """Both sides and the removed slab, each a closed solid; their volumes add up."""
        plane = at or self.plane
        assert plane is not None
        sides = solid.cut(part, plane, self.kerf, self.kerf_side)
        return {"a": sides.a, "b": sides.b, "kerf": sides.kerf or NOTHING}
