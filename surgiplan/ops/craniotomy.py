"""The operation `craniotomy`."""

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
from .quantities import Millimetres, Points
from .sawn import Depth, Kerf, Tilt, named_pieces

PIECES = {"lid": Part, "rest": Part, "kerf": Part}


@operation("craniotomy", runs="process", outputs=PIECES, group="Operate")
class Craniotomy(Operation[dict[str, Part]]):
    """Saw a window out of a bone along a closed curve on its surface: a bone flap, a lid, a box.

    part: the body to cut; it must be closed
    points: the curve on the bone, three points or more, one after the other
    direction: along the normal of the bone at each place, or along their mean everywhere
    depth: how deep the saw goes below the surface
    above: how far above the curve it begins, so that bone which bulges between the points is sawn too
    bevel: tilt of the saw; above 0 the lid narrows with the depth, so that it cannot fall in
    curve: a smooth curve through the points, or straight from point to point (a box)
    kerf: thickness of bone that the blade takes away
    kerf_side: who loses it: the lid, the rest, or half from each with "both"
    name_lid: what the piece inside the curve is called, such as flap
    name_rest: what stays is called
    """

    part: Ref[Part]
    points: Annotated[Points, Hand("click the curve on the bone, point by point", 3)] = ()
    direction: Literal["normal", "mean"] = "normal"
    depth: Depth = 12.0
    above: Millimetres = 3.0
    bevel: Tilt = 0.0
    curve: Literal["smooth", "straight"] = "smooth"
    kerf: Kerf = 1.5
    kerf_side: Literal["lid", "rest", "both"] = "both"
    name_lid: str = "lid"
    name_rest: str = "rest"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.outputs()

    def outputs(self) -> Mapping[str, type]:
        """The rest and the lid under their names, and the kerf."""
        return named_pieces("craniotomy", self.name_rest, self.name_lid, "kerf")

    def sketch(self, part: Part) -> tuple[Part, ...]:
        """What the blade sweeps."""
        return (blade_part(self._blade(part)),) if len(self.points) >= 3 else ()

    def run(self, work: Work, part: Part) -> dict[str, Part]:
        """The lid, the rest and what the saw takes, each a closed solid; their volumes add up."""
        found = path.saw(part, self._blade(part), "part")
        return {self.name_rest: found.b, self.name_lid: found.a, "kerf": found.kerf}

    def _blade(self, part: Part) -> Blade:
        line = smooth_path(self.points, closed=True) if self.curve == "smooth" else np.array(self.points)
        into = path.into_bone(part, self.points, line, self.direction == "mean")
        owners = shares_of(self.kerf, self.kerf_side, "lid", "rest")
        return ribbon(line, into, owners, (self.above, self.depth), self.bevel, closed=True)
