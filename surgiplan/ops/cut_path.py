"""The operation `cut_path`."""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np

from ..algorithms.cutting import path
from ..algorithms.cutting.pieces import shares_of
from ..algorithms.cutting.ribbon import Blade, ribbon, smooth_path
from ..algorithms.cutting.sketch import blade_part
from ..plan.operation import Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Part
from .quantities import Millimetres, Point, Points
from .sawn import Depth, Kerf, named_pieces

SIDES = {"a": Part, "b": Part, "kerf": Part}


@operation("cut_path", runs="process", outputs=SIDES, group="Operate")
class CutPath(Operation[dict[str, Part]]):
    """Saw along a path: a limited cut, a step, a chevron, a sagittal split, a chin or Le Fort I osteotomy.

    part: the body to cut; it must be closed
    points: the path on the bone, two points or more; side a is on its left, seen along the saw
    towards: a point the saw goes towards; all of the path is sawn in the direction from its middle to there
    kind: part must part the bone; slot must leave it in one piece, with a slot in it
    depth: how deep the saw goes below the path
    above: how far above the path it begins, so that bone which bulges between the points is sawn too
    curve: straight legs from point to point, or a smooth curve through them
    kerf: thickness of bone that the blade takes away
    kerf_side: from which side it is taken; with "both" the path is the middle of the kerf
    name_a: what the piece on side a is called; of a slot, the whole body
    name_b: what the piece on side b is called
    """

    part: Ref[Part]
    points: Annotated[Points, Hand("click the path of the saw on the bone, point by point", 2)] = ()
    towards: Annotated[Point | None, Hand("click a point on the far side that the saw goes towards")] = None
    kind: Literal["part", "slot"] = "part"
    depth: Depth = 20.0
    above: Millimetres = 2.0
    curve: Literal["straight", "smooth"] = "straight"
    kerf: Kerf = 1.0
    kerf_side: Literal["a", "b", "both"] = "both"
    name_a: str = "a"
    name_b: str = "b"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.outputs()

    def outputs(self) -> Mapping[str, type]:
        """Both sides under their names, and the kerf; of a slot the one body and the kerf."""
        if self.kind == "slot":
            return named_pieces("cut_path", self.name_a, "kerf")
        return named_pieces("cut_path", self.name_a, self.name_b, "kerf")

    def sketch(self, part: Part) -> tuple[Part, ...]:
        """What the blade sweeps."""
        if len(self.points) < 2 or self.towards is None:
            return ()
        return (blade_part(self._blade()),)

    def run(self, work: Work, part: Part) -> dict[str, Part]:
        """The pieces and what the saw takes, each a closed solid; their volumes add up."""
        found = path.saw(part, self._blade(), self.kind)
        both = {self.name_a: found.a} if self.kind == "slot" else {self.name_a: found.a, self.name_b: found.b}
        return {**both, "kerf": found.kerf}

    def _blade(self) -> Blade:
        assert self.towards is not None
        line = smooth_path(self.points, closed=False) if self.curve == "smooth" else np.array(self.points)
        into = np.broadcast_to(path.direction_to(self.points, self.towards), line.shape)
        return ribbon(line, into, shares_of(self.kerf, self.kerf_side, "a", "b"), (self.above, self.depth))
