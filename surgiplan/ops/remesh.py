"""The operation `remesh`."""

from typing import Literal

from ..algorithms.decimate import decimate
from ..algorithms.remesh import remesh
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Part
from .quantities import Millimetres


@operation("remesh", runs="process", group="Shape")
class Remesh(Operation[Part]):
    """Give a shape other triangles: fewer of them (decimate), or all of one size (uniform).

    part: the closed shape
    kind: decimate takes triangles away while the surface stays within a distance; uniform makes edges of
        one length
    within: decimate: how far the new surface may lie from the old one
    edge: uniform: length of the edges
    """

    part: Ref[Part]
    kind: Literal["decimate", "uniform"] = "decimate"
    within: Millimetres = 0.05
    edge: Millimetres = 1.0

    def run(self, work: Work, part: Part) -> Part:
        """The shape with its new triangles, and how far it lies from the old one."""
        if self.kind == "uniform":
            return remesh(part, self.edge, work.report)
        return decimate(part, self.within, work.report)
