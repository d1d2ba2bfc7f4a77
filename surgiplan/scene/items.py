"""The things that can be seen, as plain data: what the stage draws and the tests read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from ..values import FloatArray, FloatsArray, Mesh, Plane, Pose, Vec3, vec3
from .slices import Slice
from .view import Axis

Colour = str
SAFETY = "Research use. Not a medical device"


@dataclass(frozen=True, eq=False)
class Scalars:
    """A number for each point of a surface, to be shown as colour.

    values: (n,) float32, one for each point of the mesh
    low, high: the range of the colours, in `unit`
    title: what the number is, such as "gap"
    unit: its unit, such as "mm"
    """

    values: FloatsArray
    low: float
    high: float
    title: str
    unit: str = "mm"


@dataclass(frozen=True, eq=False)
class Surface:
    """A shape.

    name: the step that made it, "step" or "step.output"
    mesh, pose: the shape in its own coordinates, and from those to LPS mm
    colour: "#rrggbb"
    opacity: 0 to 1
    dimmed: out of date (an edit above changed its recipe): drawn pale and hatched
    chosen: belongs to the chosen step: drawn with an outline
    scalars: colours by number instead of `colour`, or None
    """

    name: str
    mesh: Mesh
    pose: Pose
    colour: Colour
    opacity: float = 1.0
    dimmed: bool = False
    chosen: bool = False
    scalars: Scalars | None = None


@dataclass(frozen=True)
class PlaneMark:
    """A parameter of type Plane, drawn as a square that can be dragged while it is active.

    step, field: the parameter it stands for
    half_extent_mm: half the side of the square
    active: whether its handles are shown (its step is the chosen one)
    """

    step: str
    field: str
    plane: Plane
    half_extent_mm: float
    colour: Colour
    active: bool = False

    @property
    def name(self) -> str:
        """Its name among the items: "step:field"."""
        return f"{self.step}:{self.field}"

    @property
    def axes(self) -> FloatArray:
        """(2, 3) unit vectors along the sides of the square; the first lies near a patient axis."""
        normal = np.asarray(self.plane.normal)
        along = np.eye(3)[int(np.argmin(np.abs(normal)))]
        first = along - normal * (along @ normal)
        first /= np.linalg.norm(first)
        return np.stack([first, np.cross(normal, first)])

    @property
    def corners_lps(self) -> FloatArray:
        """(4, 3) corners of the square in order round it, LPS mm."""
        across = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * self.half_extent_mm
        corners: FloatArray = across @ self.axes + self.plane.point
        return corners


@dataclass(frozen=True)
class PoseMark:
    """A parameter of type Pose, drawn as arrows and rings that can be dragged while it is active.

    step, field: the parameter it stands for
    pose: its present value
    centre_lps: where the arrows stand (the middle of the moved shape), LPS mm
    """

    step: str
    field: str
    pose: Pose
    centre_lps: Vec3
    active: bool = False

    @property
    def name(self) -> str:
        """Its name among the items: "step:field"."""
        return f"{self.step}:{self.field}"


@dataclass(frozen=True)
class PointMark:
    """A place with a label: a finding, or a point parameter that can be dragged while it is active.

    name: "step" for a finding, "step:field" or "step:field:index" for a parameter, "step:landmark"
    at_lps: the place, LPS mm
    text: the label
    severity: "info", "warning" or "danger"
    step, field, index: the parameter it stands for; field "" for a finding, index None unless the
        parameter is a list of points or of landmarks
    """

    name: str
    at_lps: Vec3
    text: str
    severity: str = "info"
    step: str = ""
    field: str = ""
    index: int | None = None
    active: bool = False


@dataclass(frozen=True)
class LineMark:
    """A measurement: its points joined by lines, with its label.

    text: value, unit and what it is, such as "12.4 mm, plate to nerve"
    about: the definition, frame and sign, for who asks for more
    lines: how the points are joined: the numbers of each line's points; empty for the usual way
    arcs: so many of the first lines are arcs of angles
    """

    name: str
    points_lps: tuple[Vec3, ...]
    text: str
    dimmed: bool = False
    about: str = ""
    lines: tuple[tuple[int, ...], ...] = ()
    arcs: int = 0

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Which points are joined: up to three in a row, four and more two by two (lines of an angle)."""
        if self.lines:
            return tuple(pair for line in self.lines for pair in pairwise(line))
        count = len(self.points_lps)
        return tuple((n, n + 1) for n in range(0, count - 1, 1 if count < 4 else 2))

    @property
    def dotted(self) -> tuple[tuple[int, int], ...]:
        """Pairs of the points that are dots: those of legs and distances, the ends of ways, none of arcs."""
        if not self.lines:
            return self.pairs
        measured = self.lines[self.arcs :]
        return tuple(
            pair for line in measured for pair in (pairwise(line) if len(line) < 4 else [(line[0], line[-1])])
        )

    @property
    def middle_lps(self) -> Vec3:
        """Where the label stands: half way along the first line (an arc), or at the apex of three points."""
        if self.lines:
            longest = self.lines[0]
            return self.points_lps[longest[len(longest) // 2]]
        first, second = self.points_lps[:2]
        return second if len(self.points_lps) == 3 else vec3((np.asarray(first) + second) / 2)


Item = Surface | PlaneMark | PoseMark | PointMark | LineMark


@dataclass(frozen=True)
class Captions:
    """The words that stand in every picture.

    side: the planned side, such as "RIGHT"; "" when the case has none
    patient: empty unless it was asked for, so that a picture carries no name by accident
    convention: how left and right lie in the 2D views
    """

    side: str = ""
    patient: str = ""
    convention: str = "radiological"
    safety: str = SAFETY


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is seen of a plan.

    items: what stands in the 3D view, in the order of the plan
    slices: the three 2D views; empty when there is nothing to cut through
    low_lps, high_lps: corners of the box round all that is shown, LPS mm
    window, level: the grey values shown from black to white, and the middle grey
    """

    items: tuple[Item, ...] = ()
    slices: Mapping[Axis, Slice] = field(default_factory=lambda: MappingProxyType({}))
    captions: Captions = Captions()
    low_lps: Vec3 = (0.0, 0.0, 0.0)
    high_lps: Vec3 = (0.0, 0.0, 0.0)
    window: float = 2000.0
    level: float = 400.0

    @property
    def surfaces(self) -> tuple[Surface, ...]:
        """The shapes among the items."""
        return tuple(item for item in self.items if isinstance(item, Surface))

    @property
    def marks(self) -> tuple[PlaneMark | PoseMark | PointMark | LineMark, ...]:
        """The items that are no shapes."""
        return tuple(item for item in self.items if not isinstance(item, Surface))

    def to_text(self) -> str:
        """What is seen, one line for each item and slice, for tests and for the curious."""
        lines = [_told(item) for item in self.items]
        lines += [one.to_text() for one in self.slices.values()]
        words = (self.captions.side, self.captions.patient, self.captions.convention, self.captions.safety)
        return "\n".join([*lines, "captions " + " | ".join(w for w in words if w)])


def _told(item: Item) -> str:
    match item:
        case Surface():
            words = [f"surface {item.name}", f"{len(item.mesh.triangles)} triangles", item.colour]
            words += [f"opacity {item.opacity:g}"] if item.opacity < 1 else []
            words += ["dimmed"] if item.dimmed else []
            words += ["chosen"] if item.chosen else []
            if (by := item.scalars) is not None:
                words.append(f"coloured by {by.title} {by.low:g} to {by.high:g} {by.unit}")
            words.append(f"at {_place(vec3(item.pose.shift))}")
        case PlaneMark():
            words = [f"plane {item.name}", f"at {_place(item.plane.point)}"]
            words += [f"normal {_place(item.plane.normal)}", f"half {item.half_extent_mm:.1f} mm"]
        case PoseMark():
            words = [
                f"pose {item.name}",
                f"at {_place(item.centre_lps)}",
                f"turned {item.pose.degrees:.1f} deg",
            ]
        case PointMark():
            words = [f"point {item.name}", f"at {_place(item.at_lps)}", item.severity, repr(item.text)]
        case LineMark():
            words = [f"line {item.name}", " - ".join(map(_place, item.points_lps)), repr(item.text)]
            words += ["dimmed"] if item.dimmed else []
    if isinstance(item, PlaneMark | PoseMark | PointMark) and item.active:
        words.append("active")
    return ", ".join(words)


def _place(numbers: Vec3) -> str:
    return "(" + " ".join(f"{float(x) + 0.0:.1f}" for x in numbers) + ")"
