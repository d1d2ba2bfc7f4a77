"""The operation `measure`."""

from collections.abc import Callable, Mapping
from typing import Literal

from ..algorithms import measure
from ..errors import NeedsHand, StepFailed
from ..plan.operation import Operation, Ref, operation
from ..plan.work import Work
from ..values import Measurement, Part, Plane
from .quantities import Millimetres, Points

Kind = Literal["distance", "angle", "line-angle", "projected-angle", "plane-angle", "volume", "area"]
POINTS: Mapping[str, tuple[int, Callable[..., Measurement]]] = {
    "distance": (2, measure.distance),
    "angle": (3, measure.angle_at),
    "line-angle": (4, measure.angle_between_lines),
    "projected-angle": (6, measure.angle_projected),
}


@operation("measure", group="Check")
class Measure(Operation[Measurement]):
    """Measure a distance, an angle, a volume or an area, with its definition.

    kind: distance (2 points); angle (3 points, at the second); line-angle (lines 1-2 and 3-4, directed);
        projected-angle (torsion of line 3-4 against line 1-2 seen along the axis 5-6);
        plane-angle (between both planes); volume and area (of the part)
    points: the landmarks, LPS mm, in the order the kind names
    plane_a: the first plane, for plane-angle
    plane_b: the second plane, for plane-angle
    part: the body, for volume and area
    landmark_sd: how far a landmark is typically off (standard deviation); gives the expected error
    """

    kind: Kind = "distance"
    points: Points = ()
    plane_a: Plane | None = None
    plane_b: Plane | None = None
    part: Ref[Part] | None = None
    landmark_sd: Millimetres | None = None

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while the points or planes of this kind are missing."""
        needed = POINTS.get(self.kind, (0, None))[0]
        if len(self.points) < needed:
            raise NeedsHand(f"{step}: {len(self.points)} of {needed} points are placed: click the others")
        if self.kind == "plane-angle" and (self.plane_a is None or self.plane_b is None):
            raise NeedsHand(f"{step}: both planes must be placed")

    def run(self, work: Work, part: Part | None) -> Measurement:
        """The number with unit, definition, points and expected error."""
        frame = part.frame_uid if part is not None else ""
        if self.kind in POINTS:
            needed, rule = POINTS[self.kind]
            if len(self.points) > needed:
                raise StepFailed(
                    f"{self.kind} takes {needed} points, not {len(self.points)}: remove the others"
                )
            return rule(*self.points, frame_uid=frame, landmark_sd_mm=self.landmark_sd)
        if self.kind == "plane-angle":
            assert self.plane_a is not None
            assert self.plane_b is not None
            return measure.angle_between_planes(self.plane_a, self.plane_b, frame_uid=frame)
        if part is None:
            raise StepFailed(f"{self.kind} needs a part: choose the body to measure")
        return measure.volume(part) if self.kind == "volume" else measure.area(part)
