"""The operation `keep_part`."""

from typing import Annotated, Any, Literal

from ..algorithms.masks.parts import largest_parts, parts_above, parts_at
from ..errors import NeedsHand
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask
from .quantities import CubicMillimetres, Points


@operation("keep_part", version=2, group="Segment")
class KeepPart(Operation[Mask]):
    """Keep some connected parts of a mask: the largest, all but the small ones, or those at seed points.

    mask: the voxels to choose from
    kind: largest (so many parts, by volume); above (parts of at least a volume); seeds (those at the seeds)
    count: how many of the largest parts are kept, for largest
    smallest: volume of the smallest part that is kept, for above
    seeds: a point inside each wanted part, LPS mm, for seeds
    """

    mask: Ref[Mask]
    kind: Literal["largest", "above", "seeds"] = "largest"
    count: Annotated[int, Number("", 1, 100_000, 1)] = 1
    smallest: CubicMillimetres = 100.0
    seeds: Points = ()

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while no seed is placed for `seeds`."""
        if self.kind == "seeds" and not self.seeds:
            raise NeedsHand(f"{step}: seeds is not placed yet: click a point inside each wanted part")

    def run(self, work: Work, mask: Mask) -> Mask:
        """The 6-connected parts."""
        if self.kind == "above":
            return parts_above(mask, self.smallest, work.report)
        if self.kind == "seeds":
            return parts_at(mask, self.seeds, work.report)
        return largest_parts(mask, self.count, work.report)

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """Version 1 kept the part at its one seed, or the largest where there was none."""
        older = dict(parameters)
        seed = older.pop("seed", None)
        return older if seed is None else older | {"kind": "seeds", "seeds": [seed]}
