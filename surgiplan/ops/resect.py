"""The operation `resect`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from ..algorithms.cutting import planes
from ..algorithms.cutting.sketch import slab
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part, Plane
from .quantities import Millimetres, Point
from .sawn import named_pieces

PIECES = {"piece": Part, "rest": Part, "kerf": Part}


@operation("resect", runs="process", outputs=PIECES, group="Operate")
class Resect(Operation[dict[str, Part]]):
    """Saw a piece out of a body between planes: a segment between two, a wedge, a box between six.

    part: the body to cut; it must be closed
    inside: a point in the piece; of several pieces between the planes only its own is taken
    plane: the first cut; which way the normals point does not matter
    second: the second cut; where the planes meet the saw stops
    third: a further cut
    fourth: a further cut
    fifth: a further cut
    sixth: a further cut
    at: planes that other steps have found; with one or more of them no plane need be placed by hand
    kerf: thickness of bone that the blade takes away; 0 parts without a loss
    kerf_side: who loses it: the piece, the rest, or half from each with "both"
    name_piece: what the piece is called, such as tumour or segment
    name_rest: what stays is called
    """

    part: Ref[Part]
    inside: Annotated[Point | None, Hand("click a point of the piece that is taken out")] = None
    plane: Annotated[Plane | None, Hand("drag the first plane to where the saw shall run")] = None
    second: Plane | None = None
    third: Plane | None = None
    fourth: Plane | None = None
    fifth: Plane | None = None
    sixth: Plane | None = None
    at: tuple[Ref[Plane], ...] = ()
    kerf: Millimetres = 1.0
    kerf_side: Literal["piece", "rest", "both"] = "rest"
    name_piece: str = "piece"
    name_rest: str = "rest"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.outputs()

    def outputs(self) -> Mapping[str, type]:
        """The piece and the rest under their names, and the kerf."""
        return named_pieces("resect", self.name_rest, self.name_piece, "kerf")

    def all_planes(self, at: Sequence[Plane] | None) -> list[Plane]:
        """The planes that other steps have found, and those that are placed."""
        placed = (self.plane, self.second, self.third, self.fourth, self.fifth, self.sixth)
        return [*(at or ()), *(plane for plane in placed if plane is not None)]

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while the piece is not shown, or there is no plane at all."""
        if self.at and self.inside is not None:
            return
        super().require_placed(step)

    def sketch(self, part: Part, at: Sequence[Plane] | None = None) -> tuple[Part, ...]:
        """The slab of each saw cut, as it would run through all of the bone."""
        inside, found = self.inside, self.all_planes(at)
        if inside is None:
            return tuple(slab(part, plane, self.kerf, "both") for plane in found)
        owner = {"piece": "a", "rest": "b"}.get(self.kerf_side, "both")
        return tuple(slab(part, planes.facing(plane, inside), self.kerf, owner) for plane in found)

    def run(self, work: Work, part: Part, at: Sequence[Plane] | None = None) -> dict[str, Part]:
        """The piece, the rest and the bone between them, each closed; their volumes add up."""
        assert self.inside is not None
        found = planes.resect(part, self.all_planes(at), self.inside, self.kerf, self.kerf_side)
        return {self.name_rest: found.rest, self.name_piece: found.piece, "kerf": found.kerf}
