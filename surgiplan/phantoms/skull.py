"""P22: a skull cap with a hole whose lid is known."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..values import FloatArray, Part, Plane, Pose, Vec3, vec3
from .phantom import Phantom, grown, mesh_of, placed
from .scanner import Material, volume_of
from .shape import Shape
from .solids import Cone, Ellipsoid, HalfSpace, Sphere

_POSE = (
    Pose.of_shift((-4.2, 21.7, 611.3))
    .after(Pose.of_rotation((0, 0, 1), 5.0))
    .after(Pose.of_rotation((1, 0, 0), -7.0))
)


@dataclass(frozen=True)
class Skull(Phantom):
    """The vault of a skull: bone between two ellipsoids, open below, a hole on the right side.

    Its own coordinates: x to the left, y to posterior, z to cranial, origin in the middle. The inner
    ellipsoid lies off the middle, so the bone is thicker in front and on the left, and a ridge runs
    behind the left ear: mirroring does not give the lid exactly.

    pose: from its own coordinates to patient LPS mm
    outer_half_axes, inner_half_axes: mm
    inner_shift: from the middle of the outer to that of the inner ellipsoid, mm
    base_mm: height at which the vault ends flat
    bone_hu, tissue_hu: grey values
    """

    patient: ClassVar[str] = "SKULL"
    description: ClassVar[str] = "Skull with a defect"
    spacing_kji: ClassVar[Vec3] = (1.25, 0.9, 0.9)

    pose: Pose = _POSE
    outer_half_axes: Vec3 = (70.0, 88.0, 66.0)
    inner_half_axes: Vec3 = (63.5, 81.0, 59.5)
    inner_shift: Vec3 = (-0.8, 1.1, -0.5)
    base_mm: float = -14.0
    bone_hu: float = 1300.0
    tissue_hu: float = 40.0

    # -- bodies ---------------------------------------------------------------------------------

    @cached_property
    def whole(self) -> Shape:
        """The vault before the defect."""
        vault = (self._outer | self._ridge) - self._inner
        return vault & self._above_base

    @cached_property
    def cutter(self) -> Shape:
        """What the defect took: a wide and a narrower cone side by side, opening outwards."""
        wide = Cone(self._at(-38, 4, 24), self._at(-84, 10, 52), 15.0, 28.0)
        narrow = Cone(self._at(-36, 24, 22), self._at(-76, 48, 46), 9.0, 17.0)
        return wide | narrow

    @cached_property
    def surface(self) -> Shape:
        """The vault with the defect."""
        return self.whole - self.cutter

    @cached_property
    def patch(self) -> Shape:
        """The lid that fills the defect exactly."""
        return self.whole & self.cutter

    @property
    def materials(self) -> tuple[Material, ...]:
        """Soft tissue inside and out, and bone in it."""
        scalp = Ellipsoid((0.0, 0.0, 0.0), vec3(np.add(self.outer_half_axes, 5.0))).moved(self.pose)
        bump = Sphere(self._ridge.centre, self._ridge.radius + 5.0)
        return ((scalp | bump, self.tissue_hu), (self.surface, self.bone_hu))

    @property
    def level_hu(self) -> float:
        """Half-way between bone and soft tissue."""
        return (self.bone_hu + self.tissue_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """From two fingers below the base of the vault to above the scalp, with more room behind."""
        return grown(np.stack([self.pose.shift] * 2), (82.0, 101.0, 38.0), (80.0, 107.0, 79.0))

    # -- truth ----------------------------------------------------------------------------------

    def lid(self, gap_mm: float = 0.0) -> Shape:
        """Make the patch with a gap all round its edge.

        gap_mm: between the edges of lid and hole, everywhere the same
        """
        return self.whole & self.cutter.offset(-gap_mm)

    def patch_mesh(self, spacing_mm: float = 1.0) -> Part:
        """Make a closed mesh of the patch.

        spacing_mm: about the length of its edges
        """
        return Part(mesh_of(self.patch, self.cutter.box, spacing_mm), frame_uid=self.frame_uid)

    @cached_property
    def patch_volume_mm3(self) -> float:
        """Volume of the patch by summing over two grids and extrapolating (error < 1e-5)."""
        coarse, fine = volume_of(self.patch, 1.2), volume_of(self.patch, 0.6)
        return (4 * fine - coarse) / 3

    @property
    def midplane(self) -> Plane:
        """The plane a planner would mirror at; its normal points to the left."""
        return Plane(vec3(self.pose.shift), vec3(self.pose.rotation[:, 0]))

    @property
    def defect_centre_lps(self) -> Vec3:
        """A point of the former outer surface in the middle of the hole."""
        return vec3(self._outer.foot(self._at(-61, 18, 38)))

    @cached_property
    def _outer(self) -> Shape:
        return Ellipsoid((0.0, 0.0, 0.0), self.outer_half_axes).moved(self.pose)

    @cached_property
    def _inner(self) -> Shape:
        return Ellipsoid(self.inner_shift, self.inner_half_axes).moved(self.pose)

    @cached_property
    def _ridge(self) -> Sphere:
        return Sphere(self._at(52, 47, -2), 14.0)

    @property
    def _above_base(self) -> Shape:
        return HalfSpace(Plane(self._at(0, 0, self.base_mm), vec3(-self.pose.rotation[:, 2])))

    def _at(self, x: float, y: float, z: float) -> Vec3:
        return placed(self.pose, (x, y, z))
