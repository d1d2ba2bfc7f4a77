"""The operation `grow_from_seeds`."""

import re
from collections.abc import Mapping

from ..algorithms.splitting.seeds import grow_seeds
from ..errors import NeedsHand, Usage
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Mask, Vec3, Volume
from .quantities import HUStep, Points

_NAME = re.compile(r"[^\W\d]\w*")


@operation("grow_from_seeds", outputs={"first": Mask, "second": Mask}, group="Segment")
class GrowFromSeeds(Operation[Mapping[str, Mask]]):
    """Share out a mask among several seeds; each body is a result with a name of its own.

    volume: the scan the mask was made from
    mask: what is shared out; fill bones before, so that fronts run through their inside
    names: a word for each seed: the body it lies in, such as "femur femur pelvis" for two seeds in the femur;
        they name the results
    seeds: marked voxels for the first names of that list, such as painted ones
    points: a point for each of the other names, in their order, LPS mm
    edge: change of intensity per mm that halves the speed at which a body grows
    dip: by how much intensity a joint space is darker than what lies on both its sides
    """

    volume: Ref[Volume]
    mask: Ref[Mask]
    names: str = "first second"
    seeds: tuple[Ref[Mask], ...] = ()
    points: Points = ()
    edge: HUStep = 200.0
    dip: HUStep = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        words = self._words
        if len(set(words)) < 2 or not all(map(_NAME.fullmatch, words)):
            raise Usage(
                "grow_from_seeds: names must hold two different words or more, of letters, digits and _, "
                f"not {self.names!r}"
            )

    def outputs(self) -> Mapping[str, type]:
        """A mask for each body."""
        return dict.fromkeys(self._words, Mask)

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while a body has no seed, or a seed no name."""
        given = len(self.seeds) + len(self.points)
        if given != len(self._words):
            bodies = " and ".join(self.outputs())
            raise NeedsHand(
                f"{step}: there are {given} seeds for {len(self._words)} names ({bodies}): "
                "click a point for each, or name the body of each"
            )

    def run(self, work: Work, volume: Volume, mask: Mask, seeds: tuple[Mask, ...]) -> Mapping[str, Mask]:
        """The voxels of the mask that the front from each seed reaches first."""
        placed: dict[str, list[Mask | Vec3]] = {name: [] for name in self._words}
        given: tuple[Mask | Vec3, ...] = (*seeds, *self.points)
        for name, seed in zip(self._words, given, strict=True):
            placed[name].append(seed)
        return grow_seeds(volume, mask, placed, self.edge, self.dip, work.report)

    @property
    def _words(self) -> tuple[str, ...]:
        return tuple(self.names.replace(",", " ").split())
