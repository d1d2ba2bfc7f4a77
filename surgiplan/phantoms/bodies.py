"""Sphere, ellipsoid, torus and shell: volume, area and thickness by formula."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..values import FloatArray, Pose, Vec3
from .phantom import Phantom, grown
from .scanner import Material
from .shape import Shape
from .solids import Ellipsoid, Sphere, Torus

_TURNED = Pose.of_shift((-22.6, 41.3, -67.8)).after(Pose.of_rotation((1, 2, 3), 33))
_BELOW, _ABOVE = (5.3, 6.1, 4.7), (9.2, 7.4, 11.6)  # room round the body in mm, unlike on all sides


@dataclass(frozen=True)
class Body(Phantom):
    """One body of even grey value in water, off the middle of the scan.

    hu: grey value of the body
    """

    patient: ClassVar[str] = "SOLIDS"
    spacing_kji: ClassVar[Vec3] = (1.0, 0.8, 0.8)
    background_hu: ClassVar[float] = 0.0
    hu: float = 1000.0

    @property
    def materials(self) -> tuple[Material, ...]:
        """The body alone; water is the background."""
        return ((self.surface, self.hu),)

    @property
    def level_hu(self) -> float:
        """Half-way between body and water."""
        return (self.hu + self.background_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the body with more room to the left and above than to the right and below."""
        return grown(self.surface.box, _BELOW, _ABOVE)


@dataclass(frozen=True)
class SpherePhantom(Body):
    """P1: a ball.

    centre: LPS mm
    radius_mm: mm
    """

    description: ClassVar[str] = "Sphere"
    centre: Vec3 = (31.27, -18.41, 104.63)
    radius_mm: float = 20.0

    @cached_property
    def surface(self) -> Sphere:
        """The ball."""
        return Sphere(self.centre, self.radius_mm)

    @property
    def volume_mm3(self) -> float:
        """4/3 pi R^3."""
        return self.surface.volume_mm3

    @property
    def area_mm2(self) -> float:
        """4 pi R^2."""
        return self.surface.area_mm2


@dataclass(frozen=True)
class EllipsoidPhantom(Body):
    """P2: a turned ellipsoid; its axes are the columns of the rotation of `pose`.

    half_axes: mm
    pose: from its own coordinates to patient LPS mm
    """

    description: ClassVar[str] = "Ellipsoid"
    series_number: ClassVar[int] = 2
    half_axes: Vec3 = (28.0, 19.0, 12.0)
    pose: Pose = _TURNED

    @cached_property
    def surface(self) -> Shape:
        """The turned ellipsoid."""
        return self._upright.moved(self.pose)

    @property
    def volume_mm3(self) -> float:
        """4/3 pi abc."""
        return self._upright.volume_mm3

    @property
    def area_mm2(self) -> float:
        """The surface integral, by quadrature to rounding error."""
        return self._upright.area_mm2

    @property
    def axes(self) -> FloatArray:
        """3x3, columns are the directions of the half axes in patient space."""
        return self.pose.rotation

    @property
    def scan_box(self) -> FloatArray:
        """Round the tight box of the turned body."""
        reach = np.sqrt(((self.pose.rotation * np.asarray(self.half_axes)) ** 2).sum(axis=1))
        tight = np.stack([self.pose.shift - reach, self.pose.shift + reach])
        return grown(tight, _BELOW, _ABOVE)

    @property
    def _upright(self) -> Ellipsoid:
        return Ellipsoid((0.0, 0.0, 0.0), self.half_axes)


@dataclass(frozen=True)
class TorusPhantom(Body):
    """P3: a ring; Euler number 0.

    centre: LPS mm
    axis: direction through the hole
    ring_radius_mm: from the centre to the middle of the tube
    tube_radius_mm: radius of the tube
    """

    description: ClassVar[str] = "Torus"
    series_number: ClassVar[int] = 3
    centre: Vec3 = (12.34, 27.18, -41.87)
    axis: Vec3 = (0.31, -0.22, 0.92)
    ring_radius_mm: float = 26.0
    tube_radius_mm: float = 9.0
    euler_number: ClassVar[int] = 0

    @cached_property
    def surface(self) -> Torus:
        """The ring."""
        return Torus(self.centre, self.axis, self.ring_radius_mm, self.tube_radius_mm)

    @property
    def volume_mm3(self) -> float:
        """2 pi^2 R r^2."""
        return self.surface.volume_mm3

    @property
    def area_mm2(self) -> float:
        """4 pi^2 R r."""
        return self.surface.area_mm2


@dataclass(frozen=True)
class ShellPhantom(Body):
    """P5: a hollow ball, as thick everywhere.

    centre: LPS mm
    outer_radius_mm: mm
    thickness_mm: of the wall
    """

    description: ClassVar[str] = "Shell"
    series_number: ClassVar[int] = 4
    centre: Vec3 = (-47.21, 8.84, 63.09)
    outer_radius_mm: float = 24.0
    thickness_mm: float = 6.0
    euler_number: ClassVar[int] = 4

    @cached_property
    def surface(self) -> Shape:
        """The wall: both its faces."""
        return self._outer - self._inner

    @property
    def scan_box(self) -> FloatArray:
        """Round the outer ball."""
        return grown(self._outer.box, _BELOW, _ABOVE)

    @property
    def volume_mm3(self) -> float:
        """4/3 pi (Ro^3 - Ri^3)."""
        return self._outer.volume_mm3 - self._inner.volume_mm3

    @property
    def area_mm2(self) -> float:
        """4 pi (Ro^2 + Ri^2)."""
        return self._outer.area_mm2 + self._inner.area_mm2

    @property
    def _outer(self) -> Sphere:
        return Sphere(self.centre, self.outer_radius_mm)

    @property
    def _inner(self) -> Sphere:
        return Sphere(self.centre, self.outer_radius_mm - self.thickness_mm)
