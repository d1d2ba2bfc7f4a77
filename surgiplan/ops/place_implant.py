"""The operation `place_implant`."""

from functools import lru_cache
from typing import Annotated

from ..algorithms.implant import catalogue, implant_mesh
from ..errors import StepFailed
from ..plan.operation import Choice, Operation, Ref, operation
from ..plan.work import Work
from ..values import IDENTITY, Mesh, Part, Pose


@operation("place_implant", runs="here", group="Operate")
class PlaceImplant(Operation[Part]):
    """Place an implant of the catalogue.

    item: its name in the catalogue
    edition: the state of its catalogue entry; filled in by itself, empty it to take the present one
    pose: from the implant's own coordinates (origin at the seat of the head, z towards the tip;
        for a plate the middle of the bone side, x along it) to the patient
    by: a pose that another step has found, such as of a screw; the one by hand then moves it on
    """

    item: Annotated[str, Choice(lambda: dict.fromkeys(catalogue(), ""))]
    edition: str = ""
    pose: Pose = IDENTITY
    by: Ref[Pose] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.edition.startswith(f"{self.item}:"):  # new, or another item was chosen
            object.__setattr__(self, "edition", f"{self.item}:{_edition(self.item)}")

    def run(self, work: Work, by: Pose | None = None) -> Part:
        """The implant's closed shape with this pose.

        Raises StepFailed when the catalogue has changed since it was chosen.
        """
        if self.edition != f"{self.item}:{_edition(self.item)}":
            raise StepFailed(
                f"the catalogue entry {self.item} has changed since it was chosen: look at it, then empty"
                " the field edition to take it as it is now"
            )
        return Part(_shape(self.item), self.pose if by is None else self.pose.after(by))


def _edition(item: str) -> str:
    return catalogue()[item].digest[:12]


@lru_cache(maxsize=64)
def _shape(item: str) -> Mesh:
    return implant_mesh(catalogue()[item])
