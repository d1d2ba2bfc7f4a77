"""The operation `smooth`."""

from typing import Literal

from ..algorithms.smooth import smooth
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Part
from .quantities import Share


@operation("smooth", group="Shape")
class Smooth(Operation[Part]):
    """Smooth a surface without shrinking it.

    part: the closed shape
    kind: the filter; both keep the volume, windowed sinc treats bumps of one size most evenly
    strength: from 0 (hardly) to 1 (all but the large forms)
    """

    part: Ref[Part]
    kind: Literal["windowed-sinc", "taubin"] = "windowed-sinc"
    strength: Share = 0.5

    def run(self, work: Work, part: Part) -> Part:
        """The smoothed shape with its change: how far it has moved, and its volume."""
        return smooth(part, self.kind, self.strength, work.report)
