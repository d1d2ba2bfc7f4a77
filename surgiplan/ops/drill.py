"""The operation `drill`."""

from typing import Annotated, Any, Literal

from ..algorithms.cutting import bore
from ..errors import NeedsHand
from ..plan.operation import Hand, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import FloatArray, Part
from .quantities import Millimetres, Points

Diameter = Annotated[float, Number("mm", 0.1, 200, 0.1)]
TipAngle = Annotated[float, Number("deg", 30, 180, 1)]
RESULTS = {"body": Part, "removed": Part}


@operation("drill", runs="process", outputs=RESULTS, group="Operate")
class Drill(Operation[dict[str, Part]]):
    """Drill a hole, ream a canal, or burr bone away.

    part: the body to work on; it must be closed
    points: drill and ream: where the tool enters and where it ends; burr: the way that it is led
    kind: drill has a pointed tip, ream a round end; burr is a ball
    diameter: of the tool
    tip_angle: of a drill; 180 is flat
    back: how far a drill or reamer stands out of where it enters, so that bone there goes too
    """

    part: Ref[Part]
    points: Annotated[Points, Hand("click where the tool enters, then where it ends")] = ()
    kind: Literal["drill", "ream", "burr"] = "drill"
    diameter: Diameter = 4.0
    tip_angle: TipAngle = 118.0
    back: Millimetres = 20.0

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand until there are points: two of a drill or reamer, one of a burr."""
        super().require_placed(step)
        if self.kind != "burr" and len(self.points) < 2:
            raise NeedsHand(f"{step}: 1 of 2 points are placed: click where the {self.kind} ends")

    def sketch(self, part: Part) -> tuple[Part, ...]:
        """What the tool sweeps."""
        if len(self.points) < (1 if self.kind == "burr" else 2):
            return ()
        centre = bore.bench_of(part)
        return (Part(bore.swept_mesh(self._tool(centre), centre), frame_uid=part.frame_uid),)

    def run(self, work: Work, part: Part) -> dict[str, Part]:
        """The body with its hole and what was taken away, both closed; their volumes add up."""
        centre = bore.bench_of(part)
        body, removed = bore.bore(part, self._tool(centre), centre)
        return {"body": body, "removed": removed}

    def _tool(self, centre: FloatArray) -> Any:
        return bore.tool_body(self.kind, self.points, self.diameter, self.tip_angle, self.back, centre)
