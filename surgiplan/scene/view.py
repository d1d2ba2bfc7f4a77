"""How a person looks at a plan: crosshair, grey values, what is hidden, what is chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from ..plan.plan import Plan
from ..values import Mask, Part, Value, Vec3, Volume, vec3

Axis = Literal["axial", "coronal", "sagittal"]
Convention = Literal["radiological", "neurological"]
Layout = Literal["four", "3d", "axial", "coronal", "sagittal"]
AXES: tuple[Axis, Axis, Axis] = ("axial", "coronal", "sagittal")
CT_WINDOW, CT_LEVEL = 2000.0, 400.0  # bone; usual on CT workstations
_SAMPLES = 200_000


class Known(Protocol):
    """What is known of a step. `status` is "ready", "stale", "failed" or "waiting"; a ready or stale one
    has a `value`, a failed one (and a waiting one that needs a hand) an `error`.
    """

    @property
    def status(self) -> str:
        """One of the four words."""


Results = Mapping[str, Known]


def value_of(result: Known | None) -> Value | None:
    """The value that can be shown of a step: an up-to-date or a stale one, else None."""
    return getattr(result, "value", None)


def each_output(name: str, value: Value | None) -> tuple[tuple[str, Value], ...]:
    """The results of a step by name: "step", or "step.output" for each of several."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple((f"{name}.{output}", one) for output, one in value.items())
    return ((name, value),)


@dataclass(frozen=True)
class Framing:
    """How one 2D view is framed.

    zoom: 1 shows the whole slice, 2 half of it
    pan_mm: by how much the picture is pushed right and down, mm
    """

    zoom: float = 1.0
    pan_mm: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class View:
    """How a plan is looked at; changing it never changes a result.

    crosshair_lps: the place that all views share, LPS mm
    window, level: range and middle of the grey values shown
    hidden: names ("step" or "step.output") that are not to be shown
    chosen: the step whose handles, mask and outline are shown
    volume: the step whose scan is shown; None for the first of the plan
    convention: radiological has the patient's right on the left of the screen; 3D is never mirrored
    opacities: (name, 0 to 1) of the shapes whose opacity the person has set
    framings: zoom and pan of the axial, coronal and sagittal view
    side, patient: words for the captions; the patient stays empty unless asked for
    """

    crosshair_lps: Vec3 = (0.0, 0.0, 0.0)
    window: float = CT_WINDOW
    level: float = CT_LEVEL
    hidden: frozenset[str] = frozenset()
    chosen: str | None = None
    volume: str | None = None
    opacities: tuple[tuple[str, float], ...] = ()
    convention: Convention = "radiological"
    layout: Layout = "four"
    framings: tuple[Framing, Framing, Framing] = (Framing(), Framing(), Framing())
    side: str = ""
    patient: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "crosshair_lps", vec3(self.crosshair_lps))
        if not self.window > 0:
            raise ValueError(f"the window of grey values must be positive, not {self.window}")

    def framing(self, axis: Axis) -> Framing:
        """Zoom and pan of one 2D view."""
        return self.framings[AXES.index(axis)]

    def with_framing(self, axis: Axis, framing: Framing) -> "View":
        """This view with another zoom and pan in one 2D view."""
        a, c, s = (framing if one == axis else self.framing(one) for one in AXES)
        return replace(self, framings=(a, c, s))

    def with_opacity(self, name: str, opacity: float) -> "View":
        """This view with one shape ("step" or "step.output") made more or less see-through."""
        others = tuple(pair for pair in self.opacities if pair[0] != name)
        return replace(self, opacities=(*others, (name, opacity)))

    def hides(self, name: str) -> bool:
        """Whether a result ("step" or "step.output") is hidden, by itself or with its whole step."""
        return name in self.hidden or name.partition(".")[0] in self.hidden

    @classmethod
    def of(cls, plan: Plan, results: Results) -> "View":
        """A sensible first view: crosshair in the middle of the scan (or of all shapes), bone grey values.

        Grey values: window 2000, level 400 for CT; else the 1st to 99.5th percentile of the scan.
        """
        values = [v for s in plan.steps for _, v in each_output(s.name, value_of(results.get(s.name)))]
        for value in values:
            if isinstance(value, Volume):
                window, level = grey_range(value)
                return cls(vec3(value.grid.corners_lps.mean(axis=0)), window, level)
        boxes = [v.bounds_lps for v in values if isinstance(v, Part)]
        boxes += [v.grid.corners_lps for v in values if isinstance(v, Mask)]
        if not boxes:
            return cls()
        corners = np.concatenate(boxes)
        return cls(vec3((corners.min(axis=0) + corners.max(axis=0)) / 2))


def grey_range(volume: Volume) -> tuple[float, float]:
    """Window and level that show a scan well: bone for CT, percentiles for other modalities."""
    if volume.modality == "CT":
        return CT_WINDOW, CT_LEVEL
    flat = volume.voxels.reshape(-1)
    low, high = np.percentile(flat[:: max(1, flat.size // _SAMPLES)], (1.0, 99.5))
    return max(float(high - low), 1e-3), float(high + low) / 2
