"""What was found out: numbers that carry their unit, definition, place and error."""

from dataclasses import dataclass

import numpy as np

from .arrays import FloatsArray, Vec3, frozen, vec3
from .mesh import Part


@dataclass(frozen=True)
class Measurement:
    """One number with all that is needed to read it rightly.

    value: the number
    unit: "mm", "deg", "mm2", "mm3"
    definition: the convention in words, such as "angle between two lines, 0 to 180 degrees"
    points_lps: the points it was taken from, LPS mm
    frame_uid: frame of reference of those points
    expected_error: one standard deviation in the same unit, None when it is not known
    """

    value: float
    unit: str
    definition: str
    points_lps: tuple[Vec3, ...] = ()
    frame_uid: str = ""
    expected_error: float | None = None


@dataclass(frozen=True)
class Collision:
    """How two bodies lie to each other.

    depth_mm: how deep the surface of the first body lies below the surface of the second at most (of
        the second below the first, where the first encloses it); 0 when they do not overlap
    clearance_mm: smallest distance between the two surfaces; 0 when they cross
    contained: whether one body lies wholly inside the other
    at_lps: the place of that depth, or of that clearance when there is no overlap, LPS mm
    error_mm: bound of the numerical error of depth and clearance
    """

    depth_mm: float
    clearance_mm: float
    contained: bool
    at_lps: Vec3
    error_mm: float = 0.0


@dataclass(frozen=True, eq=False)
class GapMap:
    """Distances from every point of a body to another body.

    part: the body that carries the map
    gap_mm: (n,) float32, one signed distance for each point of the body; negative where it digs in
    contact_mm: gaps up to this count as contact
    mean_mm: mean gap over the area
    p95_mm: 95th percentile of the absolute gap over the area
    max_mm: largest absolute gap
    contact_share: share (0 to 1) of the area in contact
    """

    part: Part
    gap_mm: FloatsArray
    contact_mm: float
    mean_mm: float
    p95_mm: float
    max_mm: float
    contact_share: float

    def __post_init__(self) -> None:
        gap = frozen(self.gap_mm, np.float32)
        if gap.shape != (len(self.part.mesh.points),):
            raise ValueError("a gap map needs one distance for each point of its body")
        object.__setattr__(self, "gap_mm", gap)


@dataclass(frozen=True)
class Finding:
    """Something the planner should look at.

    step: name of the step that found it
    text: what, where and by how many mm
    at_lps: the place to zoom to, LPS mm, None when it has none
    severity: "info", "warning" or "danger"
    """

    step: str
    text: str
    at_lps: Vec3 | None = None
    severity: str = "info"

    def __post_init__(self) -> None:
        if self.at_lps is not None:
            object.__setattr__(self, "at_lps", vec3(self.at_lps))
