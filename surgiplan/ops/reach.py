"""The operation `reach`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np

from ..algorithms.cutting import bore, touching
from ..algorithms.cutting.path import direction_to
from ..errors import NeedsHand, StepFailed
from ..plan.operation import Hand, Number, Operation, Ref, operation
from ..plan.work import Work
from ..progress import part_of
from ..values import Collision, FloatArray, Part
from .quantities import Millimetres, Point, Points

Size = Annotated[float, Number("mm", 0.1, 500, 0.1)]


@operation("reach", runs="process", outputs={"tool": Part}, group="Check")
class Reach(Operation[dict[str, Any]]):
    """Sweep a saw or drill along its way and find what it touches besides what it should cut.

    bodies: what may be touched: bone, soft tissue, implants; each gets a finding under its name
    spared: what the tool should cut, such as the kerf of the cut
    points: saw: the way along the bone; drill: where it enters and where its tip ends
    towards: saw: a point it goes towards, as in cut_path
    kind: the saw swings along its way (oscillating) or strokes along its blade (reciprocating); or a drill
    depth: saw: how deep it is let in below the points
    thickness: of the blade; of a drill, its diameter
    width: of the blade
    stroke: how far the blade swings in all, or strokes beyond its depth
    length: from the teeth or the tip to the handle or the chuck
    handle: thickness of the handle, or diameter of the chuck
    tip_angle: of a drill; 180 is flat
    """

    bodies: tuple[Ref[Part], ...]
    spared: Ref[Part] | None = None
    points: Annotated[Points, Hand("click the way of the tool, point by point", 2)] = ()
    towards: Point | None = None
    kind: Literal["oscillating", "reciprocating", "drill"] = "oscillating"
    depth: Size = 20.0
    thickness: Size = 1.0
    width: Millimetres = 10.0
    stroke: Millimetres = 3.0
    length: Size = 60.0
    handle: Size = 12.0
    tip_angle: Annotated[float, Number("deg", 30, 180, 1)] = 118.0

    def outputs(self) -> Mapping[str, type]:
        """What the tool sweeps, and a finding for each body, named after it."""
        return {"tool": Part, **dict.fromkeys(map(_called, self.bodies), Collision)}

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand until the way has two points, and a saw a direction."""
        super().require_placed(step)
        if self.kind != "drill" and self.towards is None:
            raise NeedsHand(f"{step}: towards is not placed yet: click a point the saw goes towards")

    def sketch(self, bodies: tuple[Part, ...], spared: Part | None) -> tuple[Part, ...]:
        """What the tool sweeps."""
        if len(self.points) < 2 or (self.kind != "drill" and self.towards is None) or not bodies:
            return ()
        return (self._tool(bodies[0]),)

    def run(self, work: Work, bodies: tuple[Part, ...], spared: Part | None) -> dict[str, Any]:
        """The swept body, and for each body how deep it is touched, or how far the tool stays away."""
        if not bodies:
            raise StepFailed("There is nothing that the tool could touch: choose bodies.")
        tool = self._tool(bodies[0])
        found: dict[str, Any] = {"tool": tool}
        for number, (ref, body) in enumerate(zip(self.bodies, bodies, strict=True)):
            report = part_of(work.report, number / len(bodies), (number + 1) / len(bodies))
            found[_called(ref)] = touching.touched(tool, body, spared, report)
        return found

    def _tool(self, body: Part) -> Part:
        centre = bore.bench_of(body)
        swept = self._drill(centre) if self.kind == "drill" else self._saw(centre)
        return Part(bore.swept_mesh(swept, centre), frame_uid=body.frame_uid)

    def _drill(self, centre: FloatArray) -> Any:
        if len(self.points) != 2:
            raise StepFailed(f"A drill has two points, not {len(self.points)}: remove the others.")
        way = np.array(self.points)
        return touching.swept_drill(way, self.thickness, self.tip_angle, self.length, self.handle, centre)

    def _saw(self, centre: FloatArray) -> Any:
        assert self.towards is not None
        swing = self.stroke / 2 if self.kind == "oscillating" else 0.0
        return touching.swept_saw(
            path=np.array(self.points),
            into=direction_to(self.points, self.towards),
            thick_mm=self.thickness,
            depth_mm=self.depth,
            spread_mm=self.width / 2 + swing,
            stroke_mm=self.stroke if self.kind == "reciprocating" else 0.0,
            length_mm=self.length,
            handle_mm=self.handle,
            centre=centre,
        )


def _called(ref: Ref[Any]) -> str:
    """The name of a finding: the step, and which of its results."""
    return str(ref).replace(".", "-")
