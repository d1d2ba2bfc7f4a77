"""The operation `smooth_masks`."""

from collections.abc import Mapping
from typing import Annotated

from ..algorithms.masks.together import smoothed_together
from ..errors import NeedsHand, Usage
from ..plan.operation import Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask


@operation("smooth_masks", outputs={"first": Mask, "second": Mask}, group="Segment")
class SmoothMasks(Operation[Mapping[str, Mask]]):
    """Make the borders of several masks smooth at once: where they touch there is no gap and no overlap.

    masks: two masks or more of one scan, without a voxel in common; each result has the name of its mask
    radius: standard deviation of the blur; each volume is kept
    """

    masks: tuple[Ref[Mask], ...] = ()
    radius: Annotated[float, Number("mm", 0.1, 30, 0.1)] = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self._words)) < len(self._words):
            raise Usage(f"smooth_masks: two masks would give results of one name: {', '.join(self._words)}")

    def outputs(self) -> Mapping[str, type]:
        """A mask for each, by the name of its result or of its step."""
        return dict.fromkeys(self._words, Mask) or self.spec.outputs

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while there are fewer than two masks."""
        if len(self.masks) < 2:
            raise NeedsHand(f"{step}: choose two masks or more that shall stay together")

    def run(self, work: Work, masks: tuple[Mask, ...]) -> Mapping[str, Mask]:
        """The smooth masks, each with its level."""
        return dict(zip(self._words, smoothed_together(masks, self.radius, work.report), strict=True))

    @property
    def _words(self) -> tuple[str, ...]:
        return tuple(ref.output or ref.step for ref in self.masks)
