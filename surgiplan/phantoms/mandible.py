"""A mandible-like arch with a nerve canal that runs at a known depth."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import cos, pi, radians, sin
from typing import ClassVar

import numpy as np

from ..values import FloatArray, Plane, Pose, Vec3, vec3
from .phantom import Phantom, grown, placed
from .scanner import Material, volume_of
from .shape import Shape, Union
from .solids import HalfSpace, RoundCone, Sphere

_POSE = (
    Pose.of_shift((3.7, -62.9, 41.4))
    .after(Pose.of_rotation((1, 0, 0), 8.0))
    .after(Pose.of_rotation((0, 0, 1), -3.0))
)


@dataclass(frozen=True)
class Arch(Shape):
    """A band along a horseshoe: all points within a radius of an upright ribbon.

    The ribbon stands on a half circle round the origin (open to +y) with two straight legs along y;
    it is `half_height` high to both sides of z = 0. With half_height 0 it is a bent tube.

    bow_radius: of the half circle, mm
    legs: length of the legs at -x and at +x, mm
    half_height: mm
    radius: half the thickness of the band, mm
    """

    bow_radius: float
    legs: tuple[float, float]
    half_height: float
    radius: float

    def field(self, points_lps: FloatArray) -> FloatArray:
        """Signed distance, points in the arch's own coordinates."""
        x, y, z = points_lps[..., 0], points_lps[..., 1], points_lps[..., 2]
        bow = np.abs(np.sqrt(x * x + y * y) - self.bow_radius)
        aside = [
            np.sqrt((x - end) ** 2 + np.maximum(y - leg, 0) ** 2)
            for end, leg in zip((-self.bow_radius, self.bow_radius), self.legs, strict=True)
        ]
        flat = np.where(y < 0, bow, np.minimum(*aside))
        above = np.maximum(np.abs(z) - self.half_height, 0)
        signed: FloatArray = np.sqrt(flat * flat + above * above) - self.radius
        return signed

    @property
    def box(self) -> FloatArray:
        """In the arch's own coordinates."""
        side, high = self.bow_radius + self.radius, self.half_height + self.radius
        return np.array([[-side, -side, -high], [side, max(self.legs) + self.radius, high]])


@dataclass(frozen=True)
class Mandible(Phantom):
    """An arch of bone with two rami, a shell of cortex, and a canal in the right side of the body.

    Its own coordinates: x to the left, y to posterior, z to cranial, origin in the middle of the bow.
    The canal runs parallel to the arch, `canal_inwards_mm` to the lingual side of its middle and
    `canal_below_mm` below it, from `canal_from_deg` of the bow to the end of the right leg.

    pose: from its own coordinates to patient LPS mm
    bow_radius_mm: of the middle of the arch
    right_leg_mm, left_leg_mm: straight parts behind the bow
    half_height_mm, half_thickness_mm: of the body: it is 2 (half height + half thickness) high
    canal_radius_mm, canal_inwards_mm, canal_below_mm: size and place of the canal
    canal_from_deg: where the canal begins, counted from the midline along the bow
    cortex_mm: thickness of the shell
    cortex_hu, spongy_hu, canal_hu: grey values
    """

    patient: ClassVar[str] = "MANDIBLE"
    description: ClassVar[str] = "Mandible"
    spacing_kji: ClassVar[Vec3] = (0.8, 0.6, 0.5)
    background_hu: ClassVar[float] = 50.0

    pose: Pose = _POSE
    bow_radius_mm: float = 22.0
    right_leg_mm: float = 34.0
    left_leg_mm: float = 30.0
    half_height_mm: float = 6.0
    half_thickness_mm: float = 6.5
    canal_radius_mm: float = 1.5
    canal_inwards_mm: float = 1.0
    canal_below_mm: float = 5.0
    canal_from_deg: float = 35.0
    cortex_mm: float = 2.5
    cortex_hu: float = 1500.0
    spongy_hu: float = 450.0
    canal_hu: float = 30.0

    # -- bodies ---------------------------------------------------------------------------------

    @cached_property
    def arch(self) -> Shape:
        """The body of the mandible alone."""
        legs = (self.right_leg_mm, self.left_leg_mm)
        own = Arch(self.bow_radius_mm, legs, self.half_height_mm, self.half_thickness_mm)
        return own.moved(self.pose)

    @cached_property
    def surface(self) -> Shape:
        """The whole bone to its outer surface."""
        b, rr, ll = self.bow_radius_mm, self.right_leg_mm, self.left_leg_mm
        rami = (
            RoundCone(self._at(-b, rr, 2), self._at(-b - 5, rr + 10, 34), 6.5, 5.0),
            Sphere(self._at(-b - 6, rr + 11, 37), 6.5),
            RoundCone(self._at(b, ll, 2), self._at(b + 4, ll + 12, 31), 6.5, 4.5),
            Sphere(self._at(b + 5, ll + 13, 35), 6.0),
        )
        return Union((self.arch, *rami))

    @cached_property
    def canal(self) -> Shape:
        """The canal: a bent tube, cut off flat in front, where it begins beside the midline."""
        tube = Arch(self._canal_bow, (self._canal_leg, 0.0), 0.0, self.canal_radius_mm)
        low = tube.moved(self.pose.after(Pose.of_shift((0, 0, -self.canal_below_mm))))
        turn = radians(self.canal_from_deg)
        ahead = self.pose.rotation @ (-cos(turn), sin(turn), 0.0)
        return low & HalfSpace(Plane(vec3(self.canal_line[0]), vec3(-ahead)))

    @property
    def materials(self) -> tuple[Material, ...]:
        """Cortex, spongy bone, canal; soft tissue is all round."""
        return (
            (self.surface, self.cortex_hu),
            (self.surface.offset(-self.cortex_mm), self.spongy_hu),
            (self.canal, self.canal_hu),
        )

    @property
    def level_hu(self) -> float:
        """Half-way between cortex and soft tissue."""
        return (self.cortex_hu + self.background_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the bone, with more room in front and on the left."""
        return grown(self.surface.box, (4.0, 9.0, 4.0), (7.0, 4.5, 5.0))

    # -- truth ----------------------------------------------------------------------------------

    @cached_property
    def canal_line(self) -> FloatArray:
        """(n, 3) points of the canal's axis about 0.5 mm apart, from its front end backwards, LPS mm."""
        turn = np.linspace(radians(self.canal_from_deg), pi / 2, 60)
        bow = np.stack([-self._canal_bow * np.sin(turn), -self._canal_bow * np.cos(turn)], axis=1)
        along = np.linspace(0, self._canal_leg, 61)[1:]
        leg = np.stack([np.full(60, -self._canal_bow), along], axis=1)
        own = np.column_stack([np.concatenate([bow, leg]), np.full(120, -self.canal_below_mm)])
        return self.pose.apply(own)

    @property
    def canal_to_lingual_mm(self) -> float:
        """Bone between the canal and the inner (lingual) surface of the body: the least there is."""
        return self.half_thickness_mm - self.canal_inwards_mm - self.canal_radius_mm

    @property
    def canal_to_buccal_mm(self) -> float:
        """Bone between the canal and the outer (buccal) surface of the body, straight outwards."""
        return self.half_thickness_mm + self.canal_inwards_mm - self.canal_radius_mm

    @property
    def arch_volume_mm3(self) -> float:
        """Volume of the body without the rami: section times line (Pappus), and its rounded ends.

        The middle of the arch's section runs on the line itself, so bending leaves the volume as it is.
        """
        t, h = self.half_thickness_mm, self.half_height_mm
        section = pi * t * t + 4 * t * h
        line = pi * self.bow_radius_mm + self.right_leg_mm + self.left_leg_mm
        ends = 2 * (pi * t * t * h + 2 / 3 * pi * t**3)
        return section * line + ends

    @cached_property
    def outer_volume_mm3(self) -> float:
        """Volume inside the outer surface, by summing over two grids and extrapolating (error < 1e-5)."""
        coarse, fine = volume_of(self.surface, 2.0), volume_of(self.surface, 1.0)
        return (4 * fine - coarse) / 3

    @property
    def landmarks(self) -> Mapping[str, Vec3]:
        """Named points of the surface, LPS mm."""
        b, t = self.bow_radius_mm, self.half_thickness_mm
        return {
            "menton": self._at(0, -b, -self.half_height_mm - t),
            "pogonion": self._at(0, -b - t, 0),
            "right_condyle": self._at(-b - 6, self.right_leg_mm + 11, 37 + 6.5),
            "left_condyle": self._at(b + 5, self.left_leg_mm + 13, 35 + 6),
        }

    @property
    def _canal_bow(self) -> float:
        return self.bow_radius_mm - self.canal_inwards_mm

    @property
    def _canal_leg(self) -> float:
        return self.right_leg_mm - 4.0

    def _at(self, x: float, y: float, z: float) -> Vec3:
        return placed(self.pose, (x, y, z))
