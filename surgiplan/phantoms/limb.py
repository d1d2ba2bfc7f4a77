"""P23: the stump of a lower leg, given by its radius round an axis."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import pi, radians, sin, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray, Mesh, Plane, Pose, Vec3, vec3
from .phantom import Phantom, grown, placed
from .scanner import Material
from .shape import Shape
from .solids import HalfSpace, RoundCone

_POSE = (
    Pose.of_shift((-94.6, 31.8, -512.7))
    .after(Pose.of_rotation((1, 0, 0), -6.0))
    .after(Pose.of_rotation((0, 1, 0), 4.0))
)

Radial = Callable[[FloatArray, FloatArray], FloatArray]
"""Takes heights z (mm) and angles phi (radians), both (n,), and gives mm (n,)."""


@dataclass(frozen=True)
class Stump(Shape):
    """A rounded end and a widening shaft about z: radius(z) * waviness(phi), height 0 at the tip.

    radius(z) is a quarter ellipse up to `tip_mm`, then rises by `widening_mm` in a half cosine wave up
    to `height_mm` and stays; waviness is 1 + a2 cos 2(phi - phi2) + a3 cos 3(phi - phi3).

    radius_mm: where the rounded end meets the shaft
    tip_mm: height of the rounded end
    height_mm: where the widening ends
    widening_mm: by how much the radius grows
    waves: a2, phi2 in degrees, a3, phi3 in degrees
    """

    radius_mm: float
    tip_mm: float
    height_mm: float
    widening_mm: float
    waves: tuple[float, float, float, float]

    def waviness(self, phi: FloatArray) -> FloatArray:
        """Factor on the radius by angle (radians)."""
        a2, phi2, a3, phi3 = self.waves
        return 1 + a2 * np.cos(2 * (phi - radians(phi2))) + a3 * np.cos(3 * (phi - radians(phi3)))

    def profile(self, z: FloatArray) -> FloatArray:
        """Radius in mm by height, without waves."""
        up = np.clip((z - self.tip_mm) / (self.height_mm - self.tip_mm), 0, 1)
        wide = self.radius_mm + self.widening_mm * (1 - np.cos(pi * up)) / 2
        below = np.clip((self.tip_mm - z) / self.tip_mm, 0, 1)
        return np.where(z < self.tip_mm, self.radius_mm * np.sqrt(1 - below**2), wide)

    def radius(self, z: FloatArray, phi: FloatArray) -> FloatArray:
        """Radius in mm by height and angle."""
        return self.profile(z) * self.waviness(phi)

    @cached_property
    def steepest(self) -> float:
        """An upper bound of the slope of the unscaled field (1/mm)."""
        a2, _, a3, _ = self.waves
        narrow, turning = 1 - abs(a2) - abs(a3), 2 * abs(a2) + 3 * abs(a3)
        across = sqrt(1 + (turning / narrow) ** 2) / (narrow * self.radius_mm)
        rise = pi * self.widening_mm / (2 * (self.height_mm - self.tip_mm) * self.radius_mm)
        return sqrt(max(across, 1 / self.tip_mm) ** 2 + rise**2)

    def field(self, points_lps: FloatArray) -> FloatArray:
        """A lower bound of the distance: the scaled radius less its share, over its steepest slope."""
        x, y, z = points_lps[..., 0], points_lps[..., 1], points_lps[..., 2]
        share = np.sqrt(x * x + y * y) / (self.radius_mm * self.waviness(np.arctan2(y, x)))
        below = np.maximum(self.tip_mm - z, 0) / self.tip_mm
        end = np.sqrt(share * share + below * below) - 1
        shaft = share - self.profile(np.maximum(z, self.tip_mm)) / self.radius_mm
        return np.where(z < self.tip_mm, end, shaft) / self.steepest

    @property
    def exact(self) -> bool:
        """No: distances come by projection."""
        return False

    @property
    def box(self) -> FloatArray:
        """Endless upwards."""
        a2, _, a3, _ = self.waves
        reach = (self.radius_mm + max(self.widening_mm, 0)) * (1 + abs(a2) + abs(a3))
        return np.array([[-reach, -reach, 0.0], [reach, reach, np.inf]])


@dataclass(frozen=True)
class SocketTruth:
    """How a socket differs from the limb.

    mean_mm: mean radial difference (MRE), positive where the socket is wider
    iqr_mm: its interquartile range
    volume_mm3: volume between socket and skin
    """

    mean_mm: float
    iqr_mm: float
    volume_mm3: float


@dataclass(frozen=True)
class Limb(Phantom):
    """A right below-knee stump: skin surface by formula, tibia and fibula inside, cut off flat above.

    Fat lies under the skin everywhere, under the flat end too, so one grey value finds all of it.


    Its own coordinates: x to the left, y to posterior, z to cranial along the axis, origin at the tip.
    Angles phi count from x (medial) to y (posterior).

    pose: from its own coordinates to patient LPS mm
    radius_mm, tip_mm, widening_mm, waves: see Stump
    length_mm: from the tip to the flat end
    fat_mm: about the thickness of skin and fat
    cortex_mm: thickness of the cortex of the tibia; the fibula is solid
    fat_hu, muscle_hu, cortex_hu, marrow_hu: grey values
    """

    patient: ClassVar[str] = "LIMB"
    description: ClassVar[str] = "Right residual limb"
    side: ClassVar[str] = "R"
    spacing_kji: ClassVar[Vec3] = (1.5, 1.0, 0.9)

    pose: Pose = _POSE
    radius_mm: float = 45.0
    tip_mm: float = 38.0
    length_mm: float = 165.0
    widening_mm: float = 9.0
    waves: tuple[float, float, float, float] = (0.045, 70.0, 0.03, -25.0)
    fat_mm: float = 7.0
    cortex_mm: float = 4.0
    fat_hu: float = -90.0
    muscle_hu: float = 55.0
    cortex_hu: float = 1300.0
    marrow_hu: float = 150.0

    # -- bodies ---------------------------------------------------------------------------------

    @cached_property
    def skin(self) -> Stump:
        """The outside, in own coordinates and endless upwards."""
        return self._stump(0.0)

    @cached_property
    def surface(self) -> Shape:
        """The whole stump to its skin, flat above."""
        return self.skin.moved(self.pose) & self._below(self.length_mm)

    @cached_property
    def bones(self) -> Mapping[str, Shape]:
        """Tibia and fibula to their outer surfaces."""
        tibia = RoundCone(self._at(6, -14, 30), self._at(3, -8, self.length_mm - 26), 11.0, 16.0)
        fibula = RoundCone(self._at(-19, 10, 38), self._at(-24, 12, self.length_mm - 17), 5.5, 6.5)
        return {"tibia": tibia, "fibula": fibula}

    @property
    def materials(self) -> tuple[Material, ...]:
        """Fat, muscle, cortex, marrow; air is all round."""
        end = self._below(self.length_mm - self.fat_mm)
        lifted = self.pose.after(Pose.of_shift((0, 0, self.fat_mm)))
        return (
            (self.surface, self.fat_hu),
            (self._stump(self.fat_mm).moved(lifted) & end, self.muscle_hu),
            *((bone, self.cortex_hu) for bone in self.bones.values()),
            (self.bones["tibia"].offset(-self.cortex_mm), self.marrow_hu),
        )

    @property
    def level_hu(self) -> float:
        """Half-way between fat and air."""
        return (self.fat_hu + self.background_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the stump, with more room in front and on the right."""
        low, high = self.skin.box
        corners = [
            (x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (0.0, self.length_mm)
        ]
        points = self.pose.apply(corners)
        return grown(np.stack([points.min(axis=0), points.max(axis=0)]), (9.0, 9.0, 5.0), (4.0, 6.0, 8.0))

    # -- truth ----------------------------------------------------------------------------------

    @property
    def axis(self) -> Plane:
        """The tip, and the direction of the axis upwards, LPS."""
        return Plane(self._at(0, 0, 0), vec3(self.pose.rotation[:, 2]))

    @property
    def volume_mm3(self) -> float:
        """Volume from the tip to the flat end."""
        return self.volume_below_mm3(self.length_mm)

    def volume_below_mm3(self, height_mm: float) -> float:
        """Give the volume from the tip up to a height.

        It is pi (1 + a2^2/2 + a3^2/2) times the integral of the squared profile.

        height_mm: from the tip along the axis
        """
        a2, _, a3, _ = self.waves
        r, d, c, reach = self.radius_mm, self.tip_mm, self.widening_mm, self.length_mm - self.tip_mm
        z = min(max(height_mm, 0.0), d)
        squares = r * r * (z * z / d - z**3 / (3 * d * d))
        t = pi * max(height_mm - d, 0.0) / reach
        wave = r * r * t + r * c * (t - sin(t)) + c * c / 4 * (1.5 * t - 2 * sin(t) + sin(2 * t) / 4)
        return pi * (1 + a2 * a2 / 2 + a3 * a3 / 2) * (squares + wave * reach / pi)

    def circumference_mm(self, height_mm: float) -> float:
        """Give the length round the skin in the plane across the axis (trapezium rule, to rounding error).

        height_mm: from the tip along the axis
        """
        phi = 2 * pi * np.arange(720) / 720
        radius = self.skin.radius(np.full(720, height_mm), phi)
        a2, phi2, a3, phi3 = self.waves
        turning = -2 * a2 * np.sin(2 * (phi - radians(phi2))) - 3 * a3 * np.sin(3 * (phi - radians(phi3)))
        change = self.skin.profile(np.asarray(height_mm)) * turning
        return float(np.sqrt(radius**2 + change**2).mean() * 2 * pi)

    def displaced(self, mesh: Mesh, away: Radial) -> Mesh:
        """Move the points of a mesh off (or towards) the axis: a socket whose offset from the skin is known.

        mesh: a surface in patient space, such as that of `mesh()`
        away: by how many mm, by height and angle; points on the flat end move with the rim
        """
        z, phi, rho = self.cylindrical(mesh.points)
        wider = 1 + away(z, phi) / np.maximum(self.skin.radius(np.clip(z, 1e-3, None), phi), 1e-3)
        own = np.stack([rho * wider * np.cos(phi), rho * wider * np.sin(phi), z], axis=1)
        return Mesh(self.pose.apply(own).astype(np.float32), mesh.triangles)

    def socket_truth(self, away: Radial, low_mm: float, high_mm: float) -> SocketTruth:
        """Give the figures of a socket that leaves the skin by a known amount.

        away: radial distance from skin to socket in mm, by height and angle
        low_mm, high_mm: heights between which it is judged, all heights and angles counting alike
        """
        heights = low_mm + (np.arange(1000) + 0.5) / 1000 * (high_mm - low_mm)
        angles = 2 * pi * np.arange(360) / 360
        z, phi = (a.ravel() for a in np.meshgrid(heights, angles, indexing="ij"))
        gap, radius = away(z, phi), self.skin.radius(z, phi)
        low, high = np.percentile(gap, (25, 75))
        area = pi * float(((radius + gap) ** 2 - radius**2).mean())
        return SocketTruth(float(gap.mean()), float(high - low), area * (high_mm - low_mm))

    def cylindrical(self, points_lps: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give height z (mm), angle phi (radians) and distance from the axis (mm) of points (n, 3)."""
        own = self.pose.inverse.apply(points_lps)
        return own[:, 2], np.arctan2(own[:, 1], own[:, 0]), np.hypot(own[:, 0], own[:, 1])

    def _stump(self, thinner: float) -> Stump:
        return Stump(
            self.radius_mm - thinner, self.tip_mm - thinner, self.length_mm, self.widening_mm, self.waves
        )

    def _below(self, height: float) -> HalfSpace:
        return HalfSpace(Plane(self._at(0, 0, height), vec3(self.pose.rotation[:, 2])))

    def _at(self, x: float, y: float, z: float) -> Vec3:
        return placed(self.pose, (x, y, z))


def rectified(z: FloatArray, phi: FloatArray) -> FloatArray:
    """A plausible socket offset: 1 mm all over, 5 mm pressed in below the kneecap, 3 mm free at the fibula.

    z: (n,) heights in mm; phi: (n,) angles in radians; gives (n,) mm, positive away from the skin
    """

    def dent(height: float, degrees: float, wide: float) -> FloatArray:
        turn = np.angle(np.exp(1j * (phi - radians(degrees))))
        bell: FloatArray = np.exp(-(((z - height) / wide) ** 2) - (turn * 45.0 / wide) ** 2)
        return bell

    return 1.0 - 5.0 * dent(132.0, -90.0, 16.0) + 3.0 * dent(120.0, 150.0, 13.0)
