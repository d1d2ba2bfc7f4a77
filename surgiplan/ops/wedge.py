"""The operation `wedge`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from ..algorithms.cutting import wedge
from ..algorithms.cutting.sketch import wedge_parts
from ..algorithms.space import require_one_frame
from ..errors import StepFailed, Usage
from ..plan.operation import Hand, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Measurement, Part, vec3
from .quantities import Millimetres, Point, Points
from .sawn import Degrees, named_pieces

PIECES = {"fixed": Part, "moved": Part, "kerf": Part}
FIGURES: dict[str, type] = {"angle": Measurement, "gap": Measurement, "hinge": Measurement}


_PLACED, _TURNED = ("hinge", "cortex", "moving"), ("angle", "gap")


@operation("wedge", runs="process", outputs={**PIECES, "crushed": Part, **FIGURES}, group="Operate")
class Wedge(Operation[dict[str, Any]]):
    """Open or close a bone by a wedge about a hinge, the bone beyond the hinge kept.

    part: the body to cut; it must be closed
    hinge: two points that fix the axis of the hinge
    cortex: where the saw starts, on the cortex opposite the hinge; the gap is measured there
    moving: a point in the piece that moves
    kind: opening saws once and opens; closing takes a wedge out on the side of what moves, and closes
    angle: by how many degrees the moving piece turns about the hinge
    gap: by how many mm the bone opens or closes at the cortex point; when set, it rules instead of the angle
    kerf: thickness of the saw; closing, it lies within the wedge
    kerf_side: opening: who loses it: fixed, moved, or half from each with "both"
    name_fixed: what the piece that stays is called, such as proximal
    name_moved: what the piece that moves is called, such as distal
    solved: hinge, cortex and moving point that another step has found, such as align_leg; they come before
        those placed by hand
    turn: the angle that another step has found; it comes before angle and gap
    """

    part: Ref[Part]
    hinge: Annotated[Points, Hand("click two points on the axis of the hinge", 2)] = ()
    cortex: Annotated[Point | None, Hand("click where the saw starts, opposite the hinge")] = None
    moving: Annotated[Point | None, Hand("click a point in the piece that moves")] = None
    kind: Literal["opening", "closing"] = "opening"
    angle: Degrees = 10.0
    gap: Annotated[float | None, Number("mm", 0, 100, 0.5)] = None
    kerf: Millimetres = 1.0
    kerf_side: Literal["fixed", "moved", "both"] = "both"
    name_fixed: str = "fixed"
    name_moved: str = "moved"
    solved: Ref[Landmarks] | None = None
    turn: Ref[Measurement] | None = None

    def matters(self, field: str, word: str | None = None) -> bool:
        """What another step has found leaves the same by hand without a say."""
        overruled = _PLACED if self.solved is not None else ()
        return field not in (*overruled, *(_TURNED if self.turn is not None else ()))

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while hinge, cortex or moving point are neither placed nor found."""
        if self.solved is None:
            super().require_placed(step)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.outputs()

    def outputs(self) -> Mapping[str, type]:
        """Both pieces under their names, the kerf, the wedge or what the hinge crushes, and the figures."""
        taken = "wedge" if self.kind == "closing" else "crushed"
        names = named_pieces("wedge", self.name_fixed, self.name_moved, "kerf", taken)
        if clash := set(names) & set(FIGURES):
            raise Usage(f"wedge: a piece cannot be called {clash.pop()}: that is one of its figures")
        return {**names, **FIGURES}

    def sketch(
        self, part: Part, solved: Landmarks | None = None, turn: Measurement | None = None
    ) -> tuple[Part, ...]:
        """The saw cut, and for a closing wedge the second one."""
        if solved is None and (len(self.hinge) != 2 or self.cortex is None or self.moving is None):
            return ()
        hinge = self._hinge(solved)
        return wedge_parts(part, hinge, self._degrees(hinge, turn), self.kerf, self.kerf_side, self.kind)

    def run(
        self, work: Work, part: Part, solved: Landmarks | None = None, turn: Measurement | None = None
    ) -> dict[str, Any]:
        """The pieces as they lie afterwards, what was taken, and turn, gap and hinge in figures."""
        if solved is not None:
            require_one_frame(part, solved)
        hinge = self._hinge(solved)
        degrees = self._degrees(hinge, turn)
        if self.kind == "opening":
            found = wedge.opening(part, hinge, degrees, self.kerf, self.kerf_side)
        else:
            found = wedge.closing(part, hinge, degrees, self.kerf)
        return {
            self.name_fixed: found.fixed,
            self.name_moved: found.moved,
            "kerf": found.kerf,
            "wedge" if self.kind == "closing" else "crushed": found.taken,
            "angle": found.angle,
            "gap": found.gap,
            "hinge": found.hinge,
        }

    def _hinge(self, solved: Landmarks | None) -> wedge.Hinge:
        if solved is not None:
            front, back, cortex, moving = map(
                vec3, solved.at("hinge_front", "hinge_back", "cortex", "moving")
            )
            return wedge.Hinge.of((front, back), cortex, moving)
        assert self.cortex is not None
        assert self.moving is not None
        if len(self.hinge) != 2:
            raise StepFailed(f"A hinge has two points, not {len(self.hinge)}: remove the others.")
        return wedge.Hinge.of((self.hinge[0], self.hinge[1]), self.cortex, self.moving)

    def _degrees(self, hinge: wedge.Hinge, turn: Measurement | None) -> float:
        if turn is not None:
            if turn.unit != "deg":
                raise StepFailed(f"The turn is an angle in degrees, not a measurement in {turn.unit}.")
            return turn.value
        return self.angle if self.gap is None else hinge.degrees_for(self.gap)
