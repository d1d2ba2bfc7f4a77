"""P18, P20: the pelvis side of a right hip: a cup in bone, its rim, and the plane it is measured against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import acos, asin, atan2, cos, degrees, radians, sin
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray, Plane, Pose, Vec3, vec3
from .femur import Femur
from .phantom import Phantom, grown
from .scanner import Material
from .shape import Shape, Union
from .solids import HalfSpace, RoundCone, Sphere, cylinder

_RIGHT_ANTERIOR_CRANIAL = np.diag([-1.0, -1.0, 1.0])  # columns: the pelvic axes of a right hip in LPS

_PELVIS = Pose.of_rotation((1, 0, 0), 6.0).after(Pose.of_rotation((0, 1, 0), 2.5))


@dataclass(frozen=True)
class CupAngles:
    """Where the axis of a cup points, in degrees, by one of Murray's three definitions."""

    inclination_deg: float
    anteversion_deg: float


@dataclass(frozen=True)
class Hip(Phantom):
    """A right hip socket round the head of the default femur, in the same patient space.

    The pelvic frame has its origin in the centre of the cup, x to the operated (right) side, along the
    line between the iliac spines, y to anterior, z to cranial; the anterior pelvic plane is parallel to its
    x and z.

    centre: of the cup, LPS mm
    rim_radius_mm: inner radius of the cup, a hemisphere that ends in a plane circle
    wall_mm: thickness of its bone
    inclination_deg, anteversion_deg: radiographic, after Murray (J. Bone Joint Surg. 75-B:228, 1993)
    pelvis: turn of the pelvis in the patient; with the identity the pelvic axes are those of the patient
    bone_hu: grey value
    """

    patient: ClassVar[str] = Femur.patient
    description: ClassVar[str] = "Right hip socket"
    series_number: ClassVar[int] = 2
    side: ClassVar[str] = "R"
    spacing_kji: ClassVar[Vec3] = (1.2, 0.9, 0.8)
    background_hu: ClassVar[float] = Femur.muscle_hu

    centre: Vec3 = field(default_factory=lambda: Femur().head_centre_lps)
    rim_radius_mm: float = 25.5
    wall_mm: float = 6.0
    inclination_deg: float = 43.0
    anteversion_deg: float = 19.0
    pelvis: Pose = _PELVIS
    bone_hu: float = 1200.0

    # -- bodies ---------------------------------------------------------------------------------

    @cached_property
    def surface(self) -> Shape:
        """The bone, all behind the plane of the rim: cup, part of ilium and pubis; and four knobs."""
        outer = Sphere(self.centre, self.rim_radius_mm + self.wall_mm)
        ilium = RoundCone(self._at(-16, -8, 22), self._at(-10, -4, 58), 17.0, 11.0)
        pubis = RoundCone(self._at(-22, 6, -8), self._at(-46, 16, -18), 14.0, 9.0)
        bone = ((outer | ilium | pubis) & HalfSpace(self.rim_plane)) - Sphere(self.centre, self.rim_radius_mm)
        return Union((bone, *(Sphere(self._at(x, y - r, z), r) for (x, y, z), r in self._knobs.values())))

    def ball_and_neck(
        self,
        direction: ArrayLike,
        neck_radius_mm: float,
        head_radius_mm: float = 23.0,
        length_mm: float = 60.0,
    ) -> Shape:
        """Make the other side of the joint: a ball in the centre and a neck that leaves it.

        direction: of the neck, away from the ball
        neck_radius_mm: of the neck, a cylinder
        head_radius_mm: of the ball
        length_mm: from the centre to the end of the neck
        """
        way = np.asarray(direction, np.float64)
        end = np.asarray(self.centre) + length_mm * way / np.linalg.norm(way)
        return Sphere(self.centre, head_radius_mm) | cylinder(self.centre, vec3(end), neck_radius_mm)

    @property
    def materials(self) -> tuple[Material, ...]:
        """Bone; soft tissue is all round."""
        return ((self.surface, self.bone_hu),)

    @property
    def level_hu(self) -> float:
        """Half-way between bone and soft tissue."""
        return (self.bone_hu + self.background_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the bone, with more room behind and below."""
        return grown(self.surface.box, (6.0, 5.0, 11.0), (7.0, 12.0, 6.0))

    # -- truth ----------------------------------------------------------------------------------

    @property
    def axis_pelvic(self) -> FloatArray:
        """(3,) unit axis out of the cup (lateral, anterior, distal) in the pelvic frame."""
        incl, ante = radians(self.inclination_deg), radians(self.anteversion_deg)
        return np.array([cos(ante) * sin(incl), sin(ante), -cos(ante) * cos(incl)])

    @property
    def axis(self) -> FloatArray:
        """(3,) unit axis out of the cup, LPS."""
        turned: FloatArray = self.pelvic_axes @ self.axis_pelvic
        return turned

    @property
    def pelvic_axes(self) -> FloatArray:
        """3x3, columns are right, anterior and cranial of the pelvis in LPS."""
        axes: FloatArray = self.pelvis.rotation @ _RIGHT_ANTERIOR_CRANIAL
        return axes

    @property
    def rim_plane(self) -> Plane:
        """The plane of the rim; its normal leaves the cup."""
        return Plane(self.centre, vec3(self.axis))

    @property
    def anterior_pelvic_plane(self) -> Plane:
        """The plane that touches the four knobs in front; its normal points to anterior."""
        return Plane(self.landmarks["right_asis"], vec3(self.pelvic_axes[:, 1]))

    @property
    def landmarks(self) -> Mapping[str, Vec3]:
        """The most anterior points of the knobs (by the pelvic frame) and the centre of the cup, LPS mm."""
        knobs = {name: self._at(*point) for name, (point, _) in self._knobs.items()}
        return {"cup_centre": self.centre, **knobs}

    @property
    def radiographic(self) -> CupAngles:
        """Inclination seen from the front, anteversion as the angle of the axis to the coronal plane."""
        return CupAngles(self.inclination_deg, self.anteversion_deg)

    @property
    def operative(self) -> CupAngles:
        """Inclination as the angle of the axis to the sagittal plane, anteversion seen from the side."""
        x, y, z = self.axis_pelvic
        return CupAngles(degrees(asin(x)), degrees(atan2(y, -z)))

    @property
    def anatomical(self) -> CupAngles:
        """Inclination as the angle of the axis to the long axis, anteversion seen from above."""
        x, y, z = self.axis_pelvic
        return CupAngles(degrees(acos(-z)), degrees(atan2(y, x)))

    def first_contact_deg(self, neck_radius_mm: float) -> float:
        """Give the angle between neck and cup axis at which the neck first touches the rim: acos(n / R)."""
        return degrees(acos(neck_radius_mm / self.rim_radius_mm))

    @property
    def _knobs(self) -> Mapping[str, tuple[Vec3, float]]:
        """Most anterior point in the pelvic frame, and radius."""
        return {
            "right_asis": ((28.0, 41.0, 66.0), 8.0),
            "left_asis": ((-206.0, 41.0, 66.0), 7.0),
            "right_pubic_tubercle": ((-64.0, 41.0, -22.0), 6.0),
            "left_pubic_tubercle": ((-113.0, 41.0, -20.0), 5.0),
        }

    def _at(self, x: float, y: float, z: float) -> Vec3:
        return vec3(self.centre + self.pelvic_axes @ (x, y, z))
