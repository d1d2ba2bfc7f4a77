"""Bodies given by a formula: how far any point lies from their surface, and how they combine.

`field` is negative inside, zero on the surface and never steeper than 1, so |field| is never more
than the distance; for most bodies it is the distance. Steepness at most 1 is what lets a scanner
skip a block of voxels after one look at its centre. A union of exact bodies is exact outside and on
the surface; inside, close to a crease where two bodies meet, it may understate the depth.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray, Pose

_STEP_MM = 1e-4  # of the central differences: error of a slope about 1e-9 on bodies of this size
_PROJECTIONS = 40
_STILL_MM = 1e-9


class Shape(ABC):
    """A solid body in patient space.

    Combine bodies with `|` (both), `&` (what they share), `-` (the first without the second).
    """

    @abstractmethod
    def field(self, points_lps: FloatArray) -> FloatArray:
        """Say cheaply on which side of the surface points lie, and at least how far.

        points_lps: (..., 3) float64 mm; the answer has the shape (...), in mm, negative inside
        """

    @property
    @abstractmethod
    def box(self) -> FloatArray:
        """(2, 3) lowest and highest corner of a box that holds the body, LPS mm; may be infinite."""

    @property
    def exact(self) -> bool:
        """Whether `field` is the signed distance itself near the surface."""
        return True

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """Measure the signed distance of points to the surface; negative inside.

        points_lps: (..., 3) mm; the answer has the shape (...), in mm. Where `exact` is False it is
            found by projection and holds up to the smallest radius of curvature.
        """
        points = np.asarray(points_lps, np.float64)
        if self.exact:
            return self.field(points)
        foot = self.foot(points)
        away = norm(points - foot)
        return np.where(self.field(points) < 0, -away, away)

    def foot(self, points_lps: ArrayLike) -> FloatArray:
        """Find the closest points of the surface, by alternating a Newton and a tangential step.

        points_lps: (..., 3) mm, nearer to the surface than its smallest radius of curvature
        """
        points = np.asarray(points_lps, np.float64)
        foot = points.copy()
        for _ in range(_PROJECTIONS):
            slope = self.slope(foot)
            steepness = np.maximum(norm(slope), 1e-12)[..., None]
            normal = slope / steepness
            lowered = foot - self.field(foot)[..., None] / steepness * normal
            across = points - lowered
            across -= np.sum(across * normal, axis=-1, keepdims=True) * normal
            before, foot = foot, lowered + across
            if np.abs(foot - before).max(initial=0) < _STILL_MM:
                break
        return self.nearer(self.nearer(foot))

    def nearer(self, points_lps: FloatArray) -> FloatArray:
        """Bring points (..., 3) close to the surface closer to it, by one Newton step along the slope."""
        slope = self.slope(points_lps)
        squared = np.maximum(np.sum(slope * slope, axis=-1), 1e-24)
        moved: FloatArray = points_lps - (self.field(points_lps) / squared)[..., None] * slope
        return moved

    def slope(self, points_lps: FloatArray) -> FloatArray:
        """Give the gradient of `field` at points (..., 3) by central differences."""
        columns = []
        for axis in range(3):
            step = np.zeros(3)
            step[axis] = _STEP_MM
            columns.append((self.field(points_lps + step) - self.field(points_lps - step)) / (2 * _STEP_MM))
        return np.stack(columns, axis=-1)

    def near(self, centre_lps: FloatArray, radius_mm: float) -> "Shape":
        """Give a simpler body with the same field inside a ball.

        centre_lps: (3,) mm
        radius_mm: radius of the ball
        """
        return self

    def offset(self, grow_mm: float) -> "Shape":
        """Grow the body by a distance everywhere; a negative one shrinks it."""
        return Offset(self, grow_mm)

    def moved(self, pose: Pose) -> "Shape":
        """Carry the body along by a rigid motion."""
        return Moved(self, pose)

    def __or__(self, other: "Shape") -> "Shape":
        return Union((*_members(self, Union), *_members(other, Union)))

    def __and__(self, other: "Shape") -> "Shape":
        return Intersection((*_members(self, Intersection), *_members(other, Intersection)))

    def __sub__(self, other: "Shape") -> "Shape":
        return self & Outside(other)


@dataclass(frozen=True)
class Union(Shape):
    """All points that lie in at least one of several bodies."""

    parts: tuple[Shape, ...]

    def field(self, points_lps: FloatArray) -> FloatArray:
        """The smallest field of the parts."""
        lowest = self.parts[0].field(points_lps)
        for part in self.parts[1:]:
            lowest = np.minimum(lowest, part.field(points_lps))
        return lowest

    @property
    def box(self) -> FloatArray:
        """The box round all parts."""
        boxes = np.stack([part.box for part in self.parts])
        return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])

    @property
    def exact(self) -> bool:
        """True when all parts are exact."""
        return all(part.exact for part in self.parts)

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """The smallest distance to a part."""
        lowest: FloatArray = np.minimum.reduce([part.distance(points_lps) for part in self.parts])
        return lowest

    def near(self, centre_lps: FloatArray, radius_mm: float) -> Shape:
        """Leave out the parts that cannot be the smallest anywhere in the ball."""
        fields = [float(part.field(centre_lps)) for part in self.parts]
        bound = min(fields) + 2 * radius_mm
        kept = [p.near(centre_lps, radius_mm) for p, f in zip(self.parts, fields, strict=True) if f <= bound]
        return kept[0] if len(kept) == 1 else Union(tuple(kept))


@dataclass(frozen=True)
class Intersection(Shape):
    """All points that lie in each of several bodies."""

    parts: tuple[Shape, ...]

    def field(self, points_lps: FloatArray) -> FloatArray:
        """The largest field of the parts."""
        highest = self.parts[0].field(points_lps)
        for part in self.parts[1:]:
            highest = np.maximum(highest, part.field(points_lps))
        return highest

    @property
    def box(self) -> FloatArray:
        """The box that the boxes of all parts share."""
        boxes = np.stack([part.box for part in self.parts])
        return np.stack([boxes[:, 0].max(axis=0), boxes[:, 1].min(axis=0)])

    @property
    def exact(self) -> bool:
        """True when all parts are exact (then it holds inside, and on faces outside)."""
        return all(part.exact for part in self.parts)

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """The largest distance to a part."""
        highest: FloatArray = np.maximum.reduce([part.distance(points_lps) for part in self.parts])
        return highest

    def near(self, centre_lps: FloatArray, radius_mm: float) -> Shape:
        """Leave out the parts that cannot be the largest anywhere in the ball."""
        fields = [float(part.field(centre_lps)) for part in self.parts]
        bound = max(fields) - 2 * radius_mm
        kept = [p.near(centre_lps, radius_mm) for p, f in zip(self.parts, fields, strict=True) if f >= bound]
        return kept[0] if len(kept) == 1 else Intersection(tuple(kept))


@dataclass(frozen=True)
class Outside(Shape):
    """All points that do not lie in a body."""

    body: Shape

    def field(self, points_lps: FloatArray) -> FloatArray:
        """The field of the body with its sign turned."""
        return -self.body.field(points_lps)

    @property
    def box(self) -> FloatArray:
        """The whole of space."""
        return np.array([[-np.inf] * 3, [np.inf] * 3])

    @property
    def exact(self) -> bool:
        """True when the body is exact."""
        return self.body.exact

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """The distance to the body with its sign turned."""
        return -self.body.distance(points_lps)

    def near(self, centre_lps: FloatArray, radius_mm: float) -> Shape:
        """The outside of the simpler body."""
        return Outside(self.body.near(centre_lps, radius_mm))


@dataclass(frozen=True)
class Offset(Shape):
    """A body grown (or shrunk) by a distance.

    body: the body
    grow_mm: how far its surface is moved outwards
    """

    body: Shape
    grow_mm: float

    def field(self, points_lps: FloatArray) -> FloatArray:
        """The distance to the body less the growth."""
        return self.body.distance(points_lps) - self.grow_mm

    @property
    def box(self) -> FloatArray:
        """The box of the body, grown."""
        larger: FloatArray = self.body.box + np.array([[-self.grow_mm], [self.grow_mm]])
        return larger

    def near(self, centre_lps: FloatArray, radius_mm: float) -> Shape:
        """The offset of the simpler body, where its field is a distance."""
        return Offset(self.body.near(centre_lps, radius_mm), self.grow_mm) if self.body.exact else self


@dataclass(frozen=True)
class Moved(Shape):
    """A body carried along by a rigid motion.

    body: the body
    pose: from its own coordinates to patient LPS mm
    """

    body: Shape
    pose: Pose

    def field(self, points_lps: FloatArray) -> FloatArray:
        """The field of the body at the points carried back."""
        return self.body.field(self._back(points_lps))

    @property
    def box(self) -> FloatArray:
        """The box round the moved corners; all of space for a body without end."""
        low, high = self.body.box
        if not np.isfinite((low, high)).all():
            return np.array([[-np.inf] * 3, [np.inf] * 3])
        choice = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        corners = self.pose.apply(np.where(choice == 0, low, high))
        return np.stack([corners.min(axis=0), corners.max(axis=0)])

    @property
    def exact(self) -> bool:
        """True when the body is exact."""
        return self.body.exact

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """The distance to the body at the points carried back."""
        return self.body.distance(self._back(np.asarray(points_lps, np.float64)))

    def near(self, centre_lps: FloatArray, radius_mm: float) -> Shape:
        """The simpler body, moved."""
        return Moved(self.body.near(self._back(centre_lps), radius_mm), self.pose)

    def _back(self, points_lps: FloatArray) -> FloatArray:
        return (points_lps - self.pose.shift) @ self.pose.rotation


def _members(shape: Shape, kind: type[Union] | type[Intersection]) -> tuple[Shape, ...]:
    return shape.parts if isinstance(shape, kind) else (shape,)


def norm(vectors: FloatArray) -> FloatArray:
    """Give the lengths (...) of vectors (..., 3)."""
    lengths: FloatArray = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return lengths
