"""The operation `place_implant`."""

from functools import lru_cache
from typing import Annotated

from ..algorithms.implant import catalogue, implant_mesh
from ..plan.operation import Choice, Operation, operation
from ..plan.work import Work
from ..values import IDENTITY, Mesh, Part, Pose


@operation("place_implant", runs="here", group="Operate")
class PlaceImplant(Operation[Part]):
    """Place an implant of the catalogue.

    item: its name in the catalogue
    pose: from the implant's own coordinates (origin at the seat of the head, z towards the tip;
        for a plate the middle of the bone side, x along it) to the patient
    """

    item: Annotated[str, Choice(lambda: tuple(catalogue()))]
    pose: Pose = IDENTITY

    def run(self, work: Work) -> Part:
        """The implant's closed shape with this pose."""
        return Part(_shape(self.item), self.pose)


@lru_cache(maxsize=64)
def _shape(item: str) -> Mesh:
    return implant_mesh(catalogue()[item])
