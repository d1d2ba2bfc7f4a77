"""The simple bodies of which phantoms are built, with their closed forms."""

from dataclasses import dataclass
from functools import cached_property
from math import pi

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray, Plane, Vec3
from .shape import Shape, norm

_ROOT_STEPS = 60
_OFF_PLANE_MM = 1e-7  # in a plane of symmetry the root alone does not give the foot


@dataclass(frozen=True)
class Sphere(Shape):
    """A ball.

    centre: LPS mm
    radius: mm
    """

    centre: Vec3
    radius: float

    def field(self, points_lps: FloatArray) -> FloatArray:
        """Signed distance."""
        return norm(points_lps - self.centre) - self.radius

    @property
    def box(self) -> FloatArray:
        """Centre and radius to both sides."""
        return np.stack([np.subtract(self.centre, self.radius), np.add(self.centre, self.radius)])

    @property
    def volume_mm3(self) -> float:
        """4/3 pi R^3."""
        return 4 / 3 * pi * self.radius**3

    @property
    def area_mm2(self) -> float:
        """4 pi R^2."""
        return 4 * pi * self.radius**2


@dataclass(frozen=True)
class Ellipsoid(Shape):
    """A body with three half axes along x, y and z of its own space (`moved` turns it).

    centre: LPS mm
    half_axes: mm along x, y, z
    """

    centre: Vec3
    half_axes: Vec3

    def field(self, points_lps: FloatArray) -> FloatArray:
        """A lower bound of the distance: the scaled radius less 1, times the shortest half axis."""
        scaled = (points_lps - self.centre) / self.half_axes
        return (norm(scaled) - 1) * min(self.half_axes)

    @property
    def exact(self) -> bool:
        """Only a sphere's field is its distance."""
        return len(set(self.half_axes)) == 1

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """Signed distance by the root of sum (a p / (a^2 + t))^2 = 1 (Newton, from its safe side)."""
        axes = np.asarray(self.half_axes)
        away = np.abs(np.asarray(points_lps, np.float64) - self.centre)
        points = np.maximum(away, _OFF_PLANE_MM)
        t = np.max(axes * points - axes**2, axis=-1, keepdims=True)
        for _ in range(_ROOT_STEPS):
            part = axes * points / np.maximum(axes**2 + t, 1e-9)
            excess = np.sum(part**2, axis=-1, keepdims=True) - 1
            steep = np.sum(2 * part**2 / np.maximum(axes**2 + t, 1e-9), axis=-1, keepdims=True)
            step = excess / np.maximum(steep, 1e-300)
            t = t + np.where(excess > 0, step, 0)
            if step.max(initial=0) < 1e-11:
                break
        foot = axes**2 * points / np.maximum(axes**2 + t, 1e-9)
        length = norm(points - foot)
        return np.where(t[..., 0] < 0, -length, length)

    @property
    def box(self) -> FloatArray:
        """Centre and half axes to both sides."""
        return np.stack([np.subtract(self.centre, self.half_axes), np.add(self.centre, self.half_axes)])

    @property
    def volume_mm3(self) -> float:
        """4/3 pi abc."""
        return 4 / 3 * pi * float(np.prod(self.half_axes))

    @cached_property
    def area_mm2(self) -> float:
        """The surface integral in angles, by quadrature to rounding error."""
        a, b, c = self.half_axes
        nodes, weights = np.polynomial.legendre.leggauss(96)  # over cos(theta)
        turn = 2 * pi * np.arange(192) / 192
        x, y = (
            np.sqrt(1 - nodes[:, None] ** 2) * np.cos(turn),
            np.sqrt(1 - nodes[:, None] ** 2) * np.sin(turn),
        )
        z = np.broadcast_to(nodes[:, None], x.shape)
        stretch = np.sqrt((b * c * x) ** 2 + (a * c * y) ** 2 + (a * b * z) ** 2)
        return float((weights @ stretch).sum() * 2 * pi / len(turn))


@dataclass(frozen=True)
class Torus(Shape):
    """A ring.

    centre: LPS mm
    axis: direction through the hole
    ring_radius: mm, from the centre to the middle of the tube
    tube_radius: mm
    """

    centre: Vec3
    axis: Vec3
    ring_radius: float
    tube_radius: float

    def field(self, points_lps: FloatArray) -> FloatArray:
        """Signed distance."""
        height, across = _axial(points_lps, self.centre, _unit(self.axis))
        return np.sqrt((across - self.ring_radius) ** 2 + height**2) - self.tube_radius

    @property
    def box(self) -> FloatArray:
        """Exact: the ring leans to each axis by the sine of the angle to it."""
        reach = self.ring_radius * np.sqrt(np.maximum(1 - _unit(self.axis) ** 2, 0)) + self.tube_radius
        return np.stack([self.centre - reach, self.centre + reach])

    @property
    def volume_mm3(self) -> float:
        """2 pi^2 R r^2."""
        return 2 * pi**2 * self.ring_radius * self.tube_radius**2

    @property
    def area_mm2(self) -> float:
        """4 pi^2 R r."""
        return 4 * pi**2 * self.ring_radius * self.tube_radius


@dataclass(frozen=True)
class RoundCone(Shape):
    """The hull of two balls; with equal radii a capsule.

    start, end: centres of the balls, LPS mm
    start_radius, end_radius: mm; they differ by less than the distance of the centres
    """

    start: Vec3
    end: Vec3
    start_radius: float
    end_radius: float

    def field(self, points_lps: FloatArray) -> FloatArray:
        """Signed distance: the nearest of the balls along the axis, whose place is a straight line's foot."""
        length = self.length
        height, across = _axial(points_lps, self.start, self.axis)
        taper = (self.start_radius - self.end_radius) / length
        lean = taper / np.sqrt(1 - taper**2)
        place = np.minimum(np.maximum(height - across * lean, 0), length)
        signed: FloatArray = np.sqrt(across**2 + (height - place) ** 2) - (self.start_radius - taper * place)
        return signed

    @property
    def box(self) -> FloatArray:
        """Round both balls."""
        low = np.minimum(np.subtract(self.start, self.start_radius), np.subtract(self.end, self.end_radius))
        high = np.maximum(np.add(self.start, self.start_radius), np.add(self.end, self.end_radius))
        return np.stack([low, high])

    @cached_property
    def length(self) -> float:
        """Distance between the centres, mm."""
        return float(np.linalg.norm(np.subtract(self.end, self.start)))

    @cached_property
    def axis(self) -> FloatArray:
        """(3,) unit vector from start to end."""
        return _unit(np.subtract(self.end, self.start))

    @property
    def volume_mm3(self) -> float:
        """A frustum between the circles of contact and a cap of a ball at either end."""
        length, r, s = self.length, self.start_radius, self.end_radius
        sine = (r - s) / length
        cosine2 = 1 - sine**2
        height = length * cosine2
        frustum = pi * height * cosine2 * (r * r + r * s + s * s) / 3

        def cap(radius: float, rise: float) -> float:
            return pi * rise**2 * (3 * radius - rise) / 3

        return frustum + cap(r, r * (1 + sine)) + cap(s, s * (1 - sine))


def capsule(start: Vec3, end: Vec3, radius: float) -> RoundCone:
    """A rod with round ends: all points within `radius` mm of a straight line.

    start, end: ends of the line, LPS mm
    """
    return RoundCone(start, end, radius, radius)


@dataclass(frozen=True)
class Cone(Shape):
    """A frustum with flat ends; with equal radii a cylinder.

    start, end: middles of the end discs, LPS mm
    start_radius, end_radius: mm
    """

    start: Vec3
    end: Vec3
    start_radius: float
    end_radius: float

    def field(self, points_lps: FloatArray) -> FloatArray:
        """Signed distance to the outline in the half plane through the axis."""
        axis = _unit(np.subtract(self.end, self.start))
        length = float(np.linalg.norm(np.subtract(self.end, self.start)))
        h, r = _axial(points_lps, self.start, axis)
        widen = self.end_radius - self.start_radius
        slant = float(np.hypot(length, widen))
        side = ((r - self.start_radius) * length - h * widen) / slant
        inside = np.maximum(np.maximum(-h, h - length), side)
        low = np.sqrt(np.maximum(r - self.start_radius, 0) ** 2 + h**2)
        high = np.sqrt(np.maximum(r - self.end_radius, 0) ** 2 + (h - length) ** 2)
        along = np.clip((h * length + (r - self.start_radius) * widen) / slant**2, 0, 1)
        flank = np.sqrt((r - self.start_radius - along * widen) ** 2 + (h - along * length) ** 2)
        return np.where(inside < 0, inside, np.minimum(np.minimum(low, high), flank))

    @property
    def box(self) -> FloatArray:
        """Exact: each disc leans to each axis by the sine of the angle to it."""
        lean = np.sqrt(np.maximum(1 - _unit(np.subtract(self.end, self.start)) ** 2, 0))
        a, b = lean * self.start_radius, lean * self.end_radius
        start, end = np.asarray(self.start), np.asarray(self.end)
        return np.stack([np.minimum(start - a, end - b), np.maximum(start + a, end + b)])

    @property
    def volume_mm3(self) -> float:
        """pi h (R^2 + R r + r^2) / 3."""
        length = float(np.linalg.norm(np.subtract(self.end, self.start)))
        r, s = self.start_radius, self.end_radius
        return pi * length * (r * r + r * s + s * s) / 3


def cylinder(start: Vec3, end: Vec3, radius: float) -> Cone:
    """A rod with flat ends.

    start, end: middles of its end discs, LPS mm
    radius: mm
    """
    return Cone(start, end, radius, radius)


@dataclass(frozen=True)
class Box(Shape):
    """A block along x, y and z of its own space (`moved` turns it).

    low, high: its corners, mm
    """

    low: Vec3
    high: Vec3

    def field(self, points_lps: FloatArray) -> FloatArray:
        """Signed distance."""
        middle, half = np.add(self.low, self.high) / 2, np.subtract(self.high, self.low) / 2
        beyond = np.abs(points_lps - middle) - half
        signed: FloatArray = norm(np.maximum(beyond, 0)) + np.minimum(beyond.max(axis=-1), 0)
        return signed

    @property
    def box(self) -> FloatArray:
        """Itself."""
        return np.stack([np.asarray(self.low), np.asarray(self.high)])

    @property
    def volume_mm3(self) -> float:
        """The product of its edges."""
        return float(np.prod(np.subtract(self.high, self.low)))


@dataclass(frozen=True)
class HalfSpace(Shape):
    """All points on the side of a plane away from its normal.

    plane: its normal points out of the body
    """

    plane: Plane

    def field(self, points_lps: FloatArray) -> FloatArray:
        """Signed distance."""
        return self.plane.distance(points_lps)

    @property
    def box(self) -> FloatArray:
        """The whole of space."""
        return np.array([[-np.inf] * 3, [np.inf] * 3])


def _axial(points_lps: FloatArray, origin: Vec3, axis: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Height along an axis and distance from it."""
    away = points_lps - origin
    height = away @ axis
    return height, np.sqrt(np.maximum(np.einsum("...i,...i->...", away, away) - height**2, 0))


def _unit(direction: ArrayLike) -> FloatArray:
    vector = np.asarray(direction, np.float64)
    unit: FloatArray = vector / np.linalg.norm(vector)
    return unit
