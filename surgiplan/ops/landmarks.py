"""The operation `landmarks`."""

from typing import Annotated

from ..algorithms.measures.templates import require_sides, templates
from ..algorithms.space import require_one_frame
from ..errors import NeedsHand, StepFailed
from ..plan.operation import Choice, Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Mask, Part, Places, Side, Spatial, Volume
from .quantities import Millimetres


@operation("landmarks", runs="here", group="Check")
class NameLandmarks(Operation[Landmarks]):
    """Name places on a bone, for measurements and corrections.

    template: the anatomy; its list says which landmarks there are and how each is found
    side: the side of the body, for an anatomy that has one
    points: each landmark by its name, LPS mm; those that are not needed may stay out
    on: the scan or the body they are placed on; gives their patient space
    landmark_sd: how far each coordinate of a landmark is typically off (standard deviation); from it comes
        the expected error of what is measured
    """

    template: Annotated[str, Choice(lambda: {name: one.title for name, one in templates().items()})] = "femur"
    side: Side = ""
    points: Annotated[Places, Hand("click the landmarks of the template")] = Places()
    on: Ref[Spatial] | None = None
    landmark_sd: Millimetres = 1.0

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand, with the first landmark of the template, while none is placed."""
        if not self.points:
            first = templates()[self.template].marks[0]
            raise NeedsHand(f"{step}: points is not placed yet: click {first.name}, the {first.title}")

    def run(self, work: Work, on: Volume | Mask | Part | None) -> Landmarks:
        """The landmarks in the patient space of what they are placed on.

        Raises StepFailed for a name the template does not have and for landmarks on the wrong side.
        """
        template = templates()[self.template]
        for name in self.points:
            template.mark(name)
        if template.sided and not self.side:
            raise StepFailed(f"{self.template} belongs to one side of the body: choose left or right")
        errors = (self.landmark_sd,) * len(self.points)
        frame = require_one_frame(*(() if on is None else (on,)))
        placed = Places(
            {mark.name: self.points[mark.name] for mark in template.marks if mark.name in self.points}
        )
        found = Landmarks(placed, self.template, self.side, frame, errors)
        require_sides(found, template)
        return found
