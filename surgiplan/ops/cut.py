"""The operation `cut`."""

from collections.abc import Mapping
from typing import Annotated, Literal

from ..algorithms.cutting import planes
from ..algorithms.cutting.sketch import slab
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane
from .quantities import Millimetres
from .sawn import named_pieces

SIDES = {"a": Part, "b": Part, "kerf": Part}


@operation("cut", runs="process", outputs=SIDES, group="Operate")
class Cut(Operation[dict[str, Part]]):
    """Saw a body in two along a plane, with a blade of real thickness.

    part: the body to cut; it must be closed
    plane: where the saw runs; side a is the one its normal points to, side b the other
    kerf: thickness of bone that the blade takes away; 0 parts without a loss
    kerf_side: from which side it is taken; with "both" the plane is the middle of the kerf
    at: a plane that another step has found; it comes before the plane placed by hand
    name_a: what the piece on side a is called, such as proximal
    name_b: what the piece on side b is called
    """

    part: Ref[Part]
    plane: Annotated[Plane | None, Hand("drag the plane to where the saw shall run")] = None
    kerf: Millimetres = 1.0
    kerf_side: Literal["a", "b", "both"] = "both"
    at: Ref[Plane] | None = None
    name_a: str = "a"
    name_b: str = "b"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.outputs()

    def outputs(self) -> Mapping[str, type]:
        """Both sides under their names, and the kerf."""
        return named_pieces("cut", self.name_a, self.name_b, "kerf")

    def sketch(self, part: Part, at: Plane | None = None) -> tuple[Part, ...]:
        """The slab that the saw takes."""
        plane = at or self.plane
        return (slab(part, plane, self.kerf, self.kerf_side),) if plane else ()

    def matters(self, field: str, word: str | None = None) -> bool:
        """A plane that another step has found leaves the one by hand without a say."""
        return field != "plane" or self.at is None

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while there is no plane, neither placed nor found by another step."""
        if self.at is None:
            super().require_placed(step)

    def run(self, work: Work, part: Part, at: Plane | None = None) -> dict[str, Part]:
        """Both sides and the removed slab, each a closed solid; their volumes add up."""
        plane = at or self.plane
        assert plane is not None
        sides = planes.cut(part, plane, self.kerf, self.kerf_side)
        return {self.name_a: sides.a, self.name_b: sides.b, "kerf": sides.kerf}
