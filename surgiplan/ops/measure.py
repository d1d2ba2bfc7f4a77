"""The operation `measure`."""

from collections.abc import Mapping
from typing import Annotated, Any

from ..algorithms.measures.definition import Definition, Given
from ..algorithms.measures.registry import DEFINITIONS, FRAMES
from ..errors import NeedsHand, StepFailed
from ..plan.operation import Choice, Number, Operation, Ref, operation
from ..plan.work import Work
from ..values import Landmarks, Measurement, Part, Plane, Vec3, Volume, vec3
from .quantities import Millimetres, Points

_ASKED = frozenset({"kind"})


@operation("measure", version=2, group="Check")
class Measure(Operation[Measurement]):
    """Measure something by a named definition, with its unit, frame, sign and expected error.

    kind: the definition; `surgiplan ops measure` and docs/measurements.md tell each
    landmarks: the named places the number is taken from
    names: landmarks to take as points, one after the other with commas, such as head_centre,knee_centre
    frame: the variant of the definition; empty for its usual one
    points: places without a name, LPS mm, in the order the definition tells
    plane_a: the first plane
    plane_b: the second plane
    part: the body that is measured
    other: the body that is touched, for contact
    volume: the scan, for grey values
    first: the measurement to subtract from
    second: the measurement that is subtracted
    radius: of a cylinder, or of the patch of which the curvature is taken
    gap: a distance up to this counts as contact
    reach: walls thicker than this are not looked for
    landmark_sd: how far each coordinate of a point is typically off (standard deviation), from which the
        expected error comes; unset for what the landmarks say of themselves
    """

    kind: Annotated[str, Choice(lambda: {one.id: one.title for one in DEFINITIONS.values()})] = "distance"
    landmarks: Ref[Landmarks] | None = None
    names: str = ""
    frame: Annotated[str, Choice(lambda: {"": "usual", **FRAMES})] = ""
    points: Points = ()
    plane_a: Plane | None = None
    plane_b: Plane | None = None
    part: Ref[Part] | None = None
    other: Ref[Part] | None = None
    volume: Ref[Volume] | None = None
    first: Ref[Measurement] | None = None
    second: Ref[Measurement] | None = None
    radius: Annotated[float, Number("mm", 0.1, 100, 0.5)] = 5.0
    gap: Millimetres = 0.5
    reach: Annotated[float, Number("mm", 0.1, 200, 1)] = 20.0
    landmark_sd: Millimetres | None = None

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """Version 1 had no landmarks, frames, scans and further kinds; what it had means the same."""
        return parameters

    @property
    def definition(self) -> Definition:
        """What is measured."""
        return DEFINITIONS[self.kind]

    def matters(self, field: str, word: str | None = None) -> bool:
        """Whether the definition looks at a field, or has this frame; points are typed or named, not both."""
        if field == "frame" and word is not None:
            return word in ("", *self.definition.frames)
        if field == "points" and self.names and self.landmarks is not None:
            return False
        return field in self.definition.needs or field in _ASKED

    def outputs(self) -> Mapping[str, type]:
        """One number, or those the definition gives side by side."""
        return self.definition.outputs or self.spec.outputs

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand while the points or planes of this kind are missing."""
        needed, named = self.definition.points, self._named
        if not named and len(self.points) < needed:
            raise NeedsHand(f"{step}: {len(self.points)} of {needed} points are placed: click the others")
        if self.kind == "plane-angle" and (self.plane_a is None or self.plane_b is None):
            raise NeedsHand(f"{step}: both planes must be placed")
        if self.matters("plane_a") and self.plane_a is None:
            raise NeedsHand(f"{step}: the plane must be placed")

    @property
    def _named(self) -> tuple[str, ...]:
        names = tuple(name.strip() for name in self.names.split(",") if name.strip())
        return names if self.definition.points and self.landmarks is not None else ()

    def run(
        self,
        work: Work,
        landmarks: Landmarks | None = None,
        part: Part | None = None,
        other: Part | None = None,
        volume: Volume | None = None,
        first: Measurement | None = None,
        second: Measurement | None = None,
    ) -> Any:
        """The number with unit, definition, places and expected error; several for several."""
        places = self.points
        if self._named and landmarks is not None:
            places = tuple(vec3(place) for place in landmarks.at(*self._named))
        self._require_count(places)
        error = self.landmark_sd
        if error is None and self._named and landmarks is not None:
            error = max((landmarks.error_of(name) or 0.0 for name in self._named), default=0.0) or None
        given = Given(
            points=places,
            landmarks=landmarks,
            frame=self.frame,
            plane_a=self.plane_a,
            plane_b=self.plane_b,
            part=part,
            other=other,
            volume=volume,
            first=first,
            second=second,
            radius_mm=self.radius,
            gap_mm=self.gap,
            reach_mm=self.reach,
            landmark_sd_mm=error,
            report=work.report,
        )
        return self.definition.measure(given)

    def _require_count(self, places: tuple[Vec3, ...]) -> None:
        needed, most = self.definition.points, self.definition.most
        if len(places) < needed:
            raise StepFailed(f"{self.kind} takes {needed} points, not {len(places)}: name the others")
        if needed and most is not None and len(places) > most:
            raise StepFailed(f"{self.kind} takes {most} points, not {len(places)}: remove the others")
