"""The operation `landmarks`."""

import math
from typing import Annotated

from ..algorithms.measures.snapping import snap_all
from ..algorithms.measures.templates import Template, require_sides, templates
from ..algorithms.space import require_one_frame
from ..errors import NeedsHand, StepFailed
from ..plan.operation import Choice, Hand, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Mask, Part, Places, Side, Spatial, Volume
from .quantities import Millimetres

ALL = "all"


@operation("landmarks", group="Check")
class NameLandmarks(Operation[Landmarks]):
    """Name places on a bone, for measurements and corrections.

    template: the anatomy; its list says which landmarks there are and how each is found
    side: the side of the body, for an anatomy that has one; for a pelvis the side that is operated
    points: each landmark by its name, LPS mm; those that are not needed may stay out
    on: the scan or the body they are placed on; gives their patient space, and the surface to snap to
    snapped: landmarks that are drawn to the shape of the body, by name with commas, or all: a head to the
        centre of its ball, a shaft to its axis, others to the surface, a ridge, a pass or what lies farthest
    landmark_sd: how far each coordinate of a landmark is typically off (standard deviation); from it comes
        the expected error of what is measured. The size of the voxels they lie on is added
    """

    template: Annotated[str, Choice(lambda: {name: one.title for name, one in templates().items()})] = "femur"
    side: Side = ""
    points: Annotated[Places, Hand("click the landmarks of the template")] = Places()
    on: Ref[Spatial] | None = None
    snapped: str = ""
    landmark_sd: Millimetres = 1.0

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand, with the first landmark of the template, while none is placed."""
        if not self.points:
            first = templates()[self.template].marks[0]
            raise NeedsHand(f"{step}: points is not placed yet: click {first.name}, the {first.title}")

    def snaps(self, name: str) -> bool:
        """Whether a landmark is drawn to the shape of the body."""
        names = [one.strip() for one in self.snapped.split(",")]
        return name in names or ALL in names

    def with_snap(self, name: str, on: bool) -> str:
        """What `snapped` becomes when one landmark is drawn to the body, or no longer."""
        names = [one for one in self.points if self.snaps(one) and one != name]
        return ",".join([*names, name] if on else names)

    def run(self, work: Work, on: Volume | Mask | Part | None) -> Landmarks:
        """The landmarks in the patient space of what they are placed on.

        Raises StepFailed for a name the template does not have, for one that finds no shape to snap to, and
        for landmarks on the wrong side.
        """
        template = templates()[self.template]
        for name in (*self.points, *filter(None, (one.strip() for one in self.snapped.split(",")))):
            if name != ALL:
                template.mark(name)
        if template.sided and not self.side:
            raise StepFailed(f"{self.template} belongs to one side of the body: choose left or right")
        places = {mark.name: self.points[mark.name] for mark in template.marks if mark.name in self.points}
        errors = dict.fromkeys(places, self._typed_error(on))
        if any(map(self.snaps, self.points)):
            self._snap(template, on, places, errors, work)
        frame = require_one_frame(*(() if on is None else (on,)))
        found = Landmarks(Places(places), self.template, self.side, frame, tuple(errors.values()))
        require_sides(found, template)
        return found

    def _typed_error(self, on: Volume | Mask | Part | None) -> float:
        """What a hand errs by, with the rounding to voxels or how far the surface lies off its scan."""
        if isinstance(on, Volume | Mask):
            return math.hypot(self.landmark_sd, max(on.grid.spacing_kji) / math.sqrt(12))
        off = on.deviation.edge_mean_mm if on is not None and on.deviation is not None else None
        return math.hypot(self.landmark_sd, off or 0.0)

    def _snap(
        self,
        template: Template,
        on: Volume | Mask | Part | None,
        places: dict[str, tuple[float, float, float]],
        errors: dict[str, float],
        work: Work,
    ) -> None:
        if not isinstance(on, Part):
            raise StepFailed("Snapping needs a surface: choose a body under `on`, or clear `snapped`.")
        clicks = {template.mark(name): place for name, place in self.points.items() if self.snaps(name)}
        for mark, found in snap_all(on, clicks, self.side, work.report).items():
            places[mark.name] = found.centre
            if mark.snap in ("sphere", "shaft", "neck"):  # many corners decide, not the hand
                off = on.deviation.edge_mean_mm if on.deviation is not None else None
                errors[mark.name] = math.hypot(found.error_mm, off or 0.0)
