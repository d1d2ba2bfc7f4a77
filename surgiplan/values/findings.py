"""What was found out: numbers that carry their unit, definition, place and error."""

from dataclasses import dataclass, field

import numpy as np

from .arrays import FloatsArray, Vec3, frozen, vec3
from .deviation import UNSET_IS_LEFT_OUT
from .frames import Plane
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
    id: the definition as one word, such as "femur.version.murphy"; two numbers are compared only when
        this, the unit and the frame agree
    frame: the anatomical frame it is told in, such as "anterior pelvic plane"; "" when it needs none
    sign: what a positive number means, such as "positive for varus"; "" when it has no sign
    landmarks: the names of the points, in their order; empty when they have none
    lines_lps: what shows it in the views, each line of two or more points, LPS mm; empty for the points
        themselves
    """

    value: float
    unit: str
    definition: str
    points_lps: tuple[Vec3, ...] = ()
    frame_uid: str = ""
    expected_error: float | None = None
    id: str = field(default="", metadata=UNSET_IS_LEFT_OUT)
    frame: str = field(default="", metadata=UNSET_IS_LEFT_OUT)
    sign: str = field(default="", metadata=UNSET_IS_LEFT_OUT)
    landmarks: tuple[str, ...] = field(default=(), metadata=UNSET_IS_LEFT_OUT)
    lines_lps: tuple[tuple[Vec3, ...], ...] = field(default=(), metadata=UNSET_IS_LEFT_OUT)


@dataclass(frozen=True, eq=False)
class Profile:
    """Grey values on a straight line.

    at_mm: (n,) float32, how far along the line each was read
    grey: (n,) float32, the grey values
    unit: of the grey values, such as "HU"
    points_lps: begin and end of the line, LPS mm
    frame_uid: frame of reference of the line
    """

    at_mm: FloatsArray
    grey: FloatsArray
    unit: str
    points_lps: tuple[Vec3, ...]
    frame_uid: str = ""

    def __post_init__(self) -> None:
        at, grey = frozen(self.at_mm, np.float32), frozen(self.grey, np.float32)
        if at.ndim != 1 or at.shape != grey.shape:
            raise ValueError("a profile needs one grey value for each place on its line")
        object.__setattr__(self, "at_mm", at)
        object.__setattr__(self, "grey", grey)


@dataclass(frozen=True)
class Collision:
    """How two bodies lie to each other.

    depth_mm: how deep the surface of the first body lies below the surface of the second at most (of
        the second below the first, where the first encloses it); 0 when they do not overlap
    clearance_mm: smallest distance between the two surfaces; 0 when they cross
    contained: whether one body lies wholly inside the other
    at_lps: the place of that depth, or of that clearance when there is no overlap, LPS mm
    error_mm: bound of the numerical error of depth and clearance
    near_lps: the place of the clearance, LPS mm; None when the surfaces cross
    meant: how they are meant to lie: "apart", or "inside" for a first body that is to sit in the second
    out_mm: how far the first body reaches out of the second at most; None unless it is meant to be inside
    out_lps: the place of that, LPS mm
    volume_mm3: the volume they share; None unless it was asked for
    """

    depth_mm: float
    clearance_mm: float
    contained: bool
    at_lps: Vec3
    error_mm: float = 0.0
    near_lps: Vec3 | None = field(default=None, metadata=UNSET_IS_LEFT_OUT)
    meant: str = field(default="apart", metadata=UNSET_IS_LEFT_OUT)
    out_mm: float | None = field(default=None, metadata=UNSET_IS_LEFT_OUT)
    out_lps: Vec3 | None = field(default=None, metadata=UNSET_IS_LEFT_OUT)
    volume_mm3: float | None = field(default=None, metadata=UNSET_IS_LEFT_OUT)


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


@dataclass(frozen=True, eq=False)
class RangeOfMotion:
    """How far a joint turns towards each side until one bone meets the other. Soft tissue ends it earlier.

    joint: the centre of the joint, and the axis that is tilted
    towards: (n, 3) float32, the sides: unit vectors across the axis
    angle_deg: (n,) float32, how far the axis tilts towards each until something touches; the limit where
        nothing does
    touch_lps: (n, 3) float32, where it touches, LPS mm; NaN where nothing does
    limit_deg: it was not turned farther
    frame_uid: frame of reference of those places
    """

    joint: Plane
    towards: FloatsArray
    angle_deg: FloatsArray
    touch_lps: FloatsArray
    limit_deg: float
    frame_uid: str = ""

    def __post_init__(self) -> None:
        angle = frozen(self.angle_deg, np.float32)
        towards, touch = frozen(self.towards, np.float32), frozen(self.touch_lps, np.float32)
        if not len(angle) or towards.shape != (len(angle), 3) or touch.shape != towards.shape:
            raise ValueError("a range of motion needs an angle and a place for each side")
        for name, array in (("angle_deg", angle), ("towards", towards), ("touch_lps", touch)):
            object.__setattr__(self, name, array)

    @property
    def touching(self) -> int:
        """Towards how many sides something touches before the limit."""
        return int(np.isfinite(self.touch_lps[:, 0]).sum())

    @property
    def least_lps(self) -> Vec3 | None:
        """Where it touches first; None when nothing does."""
        return vec3(self.touch_lps[int(self.angle_deg.argmin())]) if self.touching else None


@dataclass(frozen=True, eq=False)
class WallMap:
    """Thickness of the wall under every point of a bone, and where it is thinner than the scan can show.

    part: the bone that carries the map
    wall_mm: (n,) float32, thickness at each point of the bone; infinite where no wall lies within reach
    thin_mm: a wall that looks thinner than this is not shown as thick as it is
    sigma_mm: blur of the scan (standard deviation) that follows from; None where none was given or found
    min_mm: thinnest wall
    mean_mm: mean over the area that has a wall
    p5_mm: 95 % of that area has a thicker wall
    thin_share: share (0 to 1) of the area of the bone whose wall is thinner than thin_mm
    thinnest_lps: the place of the thinnest wall, LPS mm
    resting_lps: places where the body that rests there touches bone with a thin wall, thinnest first;
        a few of them
    resting_share: share (0 to 1) of the touched area of the bone that is thin; None without such a body
    """

    part: Part
    wall_mm: FloatsArray
    thin_mm: float
    sigma_mm: float | None
    min_mm: float
    mean_mm: float
    p5_mm: float
    thin_share: float
    thinnest_lps: Vec3
    resting_lps: tuple[Vec3, ...] = ()
    resting_share: float | None = None

    def __post_init__(self) -> None:
        wall = frozen(self.wall_mm, np.float32)
        if wall.shape != (len(self.part.mesh.points),):
            raise ValueError("a map of walls needs one thickness for each point of its bone")
        object.__setattr__(self, "wall_mm", wall)


@dataclass(frozen=True, eq=False)
class EdgeMap:
    """How far every point of a surface lies from the grey edge of the scan, along its normal.

    part: the surface that carries the map
    off_mm: (n,) float32, positive where the surface lies outside of the edge; NaN where no edge lies within
        the largest voxel spacing (painted, cut off, or at the rim of the scan)
    level: grey value of the edge
    edge_mean_mm, edge_p95_mm, edge_max_mm: without sign, over the area that has an edge
    edge_share: share (0 to 1) of the area that has one
    at_lps: the place that is farthest from it, LPS mm
    """

    part: Part
    off_mm: FloatsArray
    level: float
    edge_mean_mm: float
    edge_p95_mm: float
    edge_max_mm: float
    edge_share: float
    at_lps: Vec3

    def __post_init__(self) -> None:
        off = frozen(self.off_mm, np.float32)
        if off.shape != (len(self.part.mesh.points),):
            raise ValueError("a map of the edge needs one distance for each point of its surface")
        object.__setattr__(self, "off_mm", off)


@dataclass(frozen=True)
class Agreement:
    """How alike two regions are: the figures by which segmentations are compared.

    dice, jaccard: shares (0 to 1) of the volume; None where a surface that is not closed has no volume
    hausdorff_mm: largest distance from a surface to the other
    hd95_mm: the same without the farthest 5 %
    assd_mm: average symmetric surface distance
    nsd: share (0 to 1) of both surfaces that lies within the tolerance of the other
    tolerance_mm: that tolerance
    a_mm3, b_mm3: the two volumes; None where a surface is not closed
    at_lps: the place of the largest distance, LPS mm
    """

    dice: float | None
    jaccard: float | None
    hausdorff_mm: float
    hd95_mm: float
    assd_mm: float
    nsd: float
    tolerance_mm: float
    a_mm3: float | None
    b_mm3: float | None
    at_lps: Vec3

    @property
    def measurements(self) -> dict[str, Measurement]:
        """Each figure by the name of the field, with its unit and its definition."""
        found = {}
        for name, (attribute, unit, definition) in _AGREEMENT.items():
            value = getattr(self, attribute)
            if value is not None:
                words = definition.format(tolerance=self.tolerance_mm)
                found[name] = Measurement(value, unit, words)
        return found


_AGREEMENT = {
    "Dice": ("dice", "", "twice the shared volume over the sum of both volumes"),
    "Jaccard": ("jaccard", "", "the shared volume over the volume of the union"),
    "HD": ("hausdorff_mm", "mm", "Hausdorff distance: the largest distance from either surface to the other"),
    "HD95": (
        "hd95_mm",
        "mm",
        "the larger of the two 95th percentiles (by area) of the distance from one surface to the other",
    ),
    "ASSD": (
        "assd_mm",
        "mm",
        "average symmetric surface distance: the mean distance to the other surface, over the area of both",
    ),
    "NSD": (
        "nsd",
        "",
        "normalised surface distance: share of both surfaces (by area) within {tolerance:g} mm of the other",
    ),
}


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
