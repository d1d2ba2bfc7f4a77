"""P19: a right femur in a thigh, every measure of it known."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import asin, cos, degrees, radians, sin
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray, Plane, Pose, Vec3, vec3
from .phantom import Phantom, grown, placed
from .scanner import Material, volume_of
from .shape import Shape, Union, norm
from .solids import HalfSpace, RoundCone, Sphere, capsule

_POSE = (
    Pose.of_shift((-71.3, 12.4, -402.6))
    .after(Pose.of_rotation((0, 0, 1), 7.0))
    .after(Pose.of_rotation((0, 1, 0), -5.0))
    .after(Pose.of_rotation((1, 0, 0), 4.0))
)
_SIDEWAYS = 12.0  # mm from the shaft axis to where a cross screw starts and ends, either way


@dataclass(frozen=True)
class Screw:
    """The straight way of a screw.

    entry: middle of its head end, LPS mm
    tip: middle of its tip, LPS mm
    radius_mm: of its thread's envelope
    """

    entry: Vec3
    tip: Vec3
    radius_mm: float


@dataclass(frozen=True)
class Femur(Phantom):
    """A right femur, oblique in the patient: round cones joined without blends, so distances are exact.

    Its own coordinates: x medial, y posterior, z proximal along the axis of the shaft, origin at
    the knee. All parts are far enough from the scan's edge to be whole.

    pose: from its own coordinates to patient LPS mm
    head_radius_mm: of the ball of the head
    neck_shaft_deg: between the axis of the neck (towards the head) and of the shaft (towards the knee)
    version_deg: between neck axis and posterior condylar line, both seen along the shaft axis;
        positive when the neck turns to anterior
    neck_length_mm: from the shaft axis to the centre of the head along the neck axis
    neck_height_mm: where the neck axis meets the shaft axis, mm above the knee (280 or more)
    shaft_radius_mm: outer radius of the shaft
    canal_radius_mm: radius of the medullary canal, whose axis is the axis of the shaft
    cortex_mm: thickness of the cortex at the ends (in the shaft it reaches to the canal)
    cortex_hu, spongy_hu, marrow_hu, muscle_hu, fat_hu: grey values
    """

    patient: ClassVar[str] = "HIP"
    description: ClassVar[str] = "Right femur"
    side: ClassVar[str] = "R"
    spacing_kji: ClassVar[Vec3] = (1.0, 0.7, 0.7)

    pose: Pose = _POSE
    head_radius_mm: float = 23.0
    neck_shaft_deg: float = 127.0
    version_deg: float = 14.0
    neck_length_mm: float = 54.0
    neck_height_mm: float = 342.0
    shaft_radius_mm: float = 14.0
    canal_radius_mm: float = 6.5
    cortex_mm: float = 3.2
    cortex_hu: float = 1400.0
    spongy_hu: float = 300.0
    marrow_hu: float = -20.0
    muscle_hu: float = 60.0
    fat_hu: float = -95.0

    # -- bodies ---------------------------------------------------------------------------------

    @cached_property
    def surface(self) -> Shape:
        """The whole bone to its outer surface, canal filled."""
        head = Sphere(self.head_centre_lps, self.head_radius_mm)
        cones = [RoundCone(self._at(*a), self._at(*b), r, s) for a, b, r, s in self._cones]
        return Union((head, *cones))

    @cached_property
    def canal(self) -> RoundCone:
        """The medullary canal: a rod with round ends."""
        return capsule(*self.canal_ends, self.canal_radius_mm)

    @property
    def materials(self) -> tuple[Material, ...]:
        """Fat, muscle, cortex, spongy bone in both ends, marrow."""
        foot, top = self._at(0, 0, -60), self._at(0, 0, 460)
        upper = HalfSpace(Plane(self._at(0, 0, self.neck_height_mm - 57), vec3(-self.shaft_axis)))
        lower = HalfSpace(Plane(self._at(0, 0, 95), vec3(self.shaft_axis)))
        return (
            (RoundCone(foot, top, 74.0, 96.0), self.fat_hu),
            (RoundCone(foot, top, 64.0, 82.0), self.muscle_hu),
            (self.surface, self.cortex_hu),
            (self.surface.offset(-self.cortex_mm) & (upper | lower), self.spongy_hu),
            (self.canal, self.marrow_hu),
        )

    @property
    def level_hu(self) -> float:
        """Half-way between cortex and muscle."""
        return (self.cortex_hu + self.muscle_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the bone, with a little more room to the left."""
        return grown(self.surface.box, (7.0, 7.5, 7.2), (10.0, 7.5, 8.0))

    # -- truth ----------------------------------------------------------------------------------

    @property
    def head_centre_lps(self) -> Vec3:
        """Centre of the head."""
        return self._at(*self._head)

    @property
    def neck_base_lps(self) -> Vec3:
        """Where the neck axis meets the shaft axis."""
        return self._at(0, 0, self.neck_height_mm)

    @property
    def shaft_axis(self) -> FloatArray:
        """(3,) unit vector along the shaft towards the hip."""
        return self.pose.rotation[:, 2]

    @property
    def canal_ends(self) -> tuple[Vec3, Vec3]:
        """Ends of the canal's axis, knee end first; the round ends reach one radius further."""
        return self._at(0, 0, 70), self._at(0, 0, self.neck_height_mm - 30)

    @property
    def shaft_stretch(self) -> tuple[Vec3, Vec3]:
        """Two points of the axis between which the outer surface is a plain cylinder."""
        return self._at(0, 0, 125), self._at(0, 0, self.neck_height_mm - 92)

    @property
    def shaft_ring_mm2(self) -> float:
        """Area of bone in a cut across that stretch: pi (R^2 - r^2)."""
        return float(np.pi) * (self.shaft_radius_mm**2 - self.canal_radius_mm**2)

    @property
    def length_mm(self) -> float:
        """Length along the shaft axis, from the top of the head to the lowest point of a condyle."""
        lowest = min(z - radius for (_, _, z), _, radius, _ in self._condyles)
        return self._head[2] + self.head_radius_mm - lowest

    @property
    def mechanical_length_mm(self) -> float:
        """Distance from the centre of the head to the knee centre."""
        return float(np.linalg.norm(np.subtract(self.head_centre_lps, self.landmarks["knee_centre"])))

    @property
    def transcondylar_version_deg(self) -> float:
        """As version_deg, but against the line through the centres of the posterior condyles."""
        medial, lateral = (start for start, _, _, _ in self._condyles)
        return self.version_deg + degrees(
            asin((medial[1] - lateral[1]) / np.hypot(*np.subtract(medial, lateral)[:2]))
        )

    @cached_property
    def outer_volume_mm3(self) -> float:
        """Volume inside the outer surface, by summing over two grids and extrapolating (error < 1e-5)."""
        coarse, fine = volume_of(self.surface, 3.0), volume_of(self.surface, 1.5)
        return (4 * fine - coarse) / 3

    @property
    def landmarks(self) -> Mapping[str, Vec3]:
        """Named points, LPS mm."""
        (medial, _, medial_r, _), (lateral, _, lateral_r, _) = self._condyles
        tip, tip_r = self._trochanter
        return {
            "head_centre": self.head_centre_lps,
            "head_top": self._at(*np.add(self._head, (0, 0, self.head_radius_mm))),
            "neck_base": self.neck_base_lps,
            "shaft_proximal": self.shaft_stretch[1],
            "shaft_distal": self.shaft_stretch[0],
            "greater_trochanter_tip": self._at(*np.add(tip, (0, 0, tip_r))),
            "medial_condyle_centre": self._at(*medial),
            "lateral_condyle_centre": self._at(*lateral),
            "medial_condyle_posterior": self._at(*np.add(medial, (0, medial_r, 0))),
            "lateral_condyle_posterior": self._at(*np.add(lateral, (0, lateral_r, 0))),
            "medial_condyle_distal": self._at(*np.subtract(medial, (0, 0, medial_r))),
            "lateral_condyle_distal": self._at(*np.subtract(lateral, (0, 0, lateral_r))),
            "knee_centre": self._at(*(np.add(medial, lateral) / 2)),
        }

    @property
    def screws(self) -> Mapping[str, Screw]:
        """Screws to check with: along the neck, past the canal, into it, and wholly inside the cortex."""
        neck = self._neck_direction
        past = self.canal_radius_mm + 2.25 + 1.2
        wall = (self.shaft_radius_mm + self.canal_radius_mm) / 2
        head = np.asarray(self._head)
        return {
            "neck": Screw(self._at(*(head - 95 * neck)), self._at(*(head + 12 * neck)), 3.25),
            "past_canal": self._cross_screw(past, 205.0, 2.25),
            "into_canal": self._cross_screw(past - 3.0, 180.0, 2.25),
            "in_cortex": Screw(self._at(0, wall, 160), self._at(0, wall, 190), 1.75),
        }

    def canal_clearance_mm(self, screw: Screw) -> float:
        """Give the distance between a screw's envelope and the canal; negative where it digs in.

        Both are rods with round ends here: for a screw with flat ends the figure holds while the
        nearest place is not at its end.
        """
        between = segment_distance(screw.entry, screw.tip, *self.canal_ends)
        return between - screw.radius_mm - self.canal_radius_mm

    def depth_in_shaft_mm(self, screw: Screw) -> float:
        """Give how deep a screw parallel to the shaft, in its plain stretch, lies below the outer surface."""
        away = np.subtract(screw.entry, self.canal_ends[0])
        off_axis = norm(away - (away @ self.shaft_axis) * self.shaft_axis)
        return self.shaft_radius_mm - max(float(off_axis) - screw.radius_mm, 0.0)

    # -- parts ----------------------------------------------------------------------------------

    @property
    def _neck_direction(self) -> FloatArray:
        flat, turn = sin(radians(self.neck_shaft_deg)), radians(self.version_deg)
        return np.array([flat * cos(turn), -flat * sin(turn), -cos(radians(self.neck_shaft_deg))])

    @property
    def _head(self) -> Vec3:
        return vec3(self._neck_direction * self.neck_length_mm + (0, 0, self.neck_height_mm))

    @property
    def _trochanter(self) -> tuple[Vec3, float]:
        return (-23.0, 9.0, self.neck_height_mm + 12.0), 11.0

    @property
    def _condyles(self) -> tuple[tuple[Vec3, Vec3, float, float], ...]:
        """Medial, lateral: posterior and anterior centre and radius; both reach 33 mm to posterior."""
        return (
            ((24.0, 12.0, 20.0), (21.5, -13.0, 22.0), 21.0, 20.0),
            ((-25.0, 14.0, 22.0), (-22.0, -17.0, 25.0), 19.0, 20.0),
        )

    @property
    def _cones(self) -> tuple[tuple[Vec3, Vec3, float, float], ...]:
        """Round cones (start, end, start radius, end radius) in own coordinates."""
        r, top = self.shaft_radius_mm, self.neck_height_mm
        tip, tip_r = self._trochanter
        return (
            ((0.0, 0.0, top), self._head, 17.0, 14.5),
            ((0.0, 0.0, 80.0), (0.0, 0.0, top - 35.0), r, r),
            ((0.0, 0.0, top - 82.0), (-4.0, 2.0, top - 10.0), r, 20.0),
            ((-17.0, 5.0, top - 14.0), tip, 17.0, tip_r),
            ((7.0, 9.0, top - 40.0), (16.0, 16.0, top - 42.0), 10.0, 6.0),
            ((0.0, 0.0, 112.0), (0.0, -7.0, 44.0), r, 23.0),
            ((0.0, 0.0, 112.0), (14.0, -2.0, 32.0), r, 20.0),
            ((0.0, 0.0, 112.0), (-14.0, -3.0, 34.0), r, 19.0),
            *self._condyles,
        )

    def _cross_screw(self, off_axis: float, height: float, radius: float) -> Screw:
        """A screw that passes in front of the canal's axis, rising 3 mm on its way."""
        a, b = (_SIDEWAYS, -off_axis, height + 1.5), (-_SIDEWAYS, -off_axis, height - 1.5)
        return Screw(self._at(*b), self._at(*a), radius)

    def _at(self, x: float, y: float, z: float) -> Vec3:
        return placed(self.pose, (x, y, z))


def segment_distance(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike) -> float:
    """Find the least distance in mm between the straight lines from a to b and from c to d.

    a, b, c, d: LPS mm. The least of the distance between the two whole lines, where its foot lies on
    both, and of the four distances from an end to the other line.
    """
    p, q, r, s = (np.asarray(point, np.float64) for point in (a, b, c, d))
    u, v, w = q - p, s - r, p - r
    across = np.cross(u, v)
    squared = across @ across
    ends = [_to_segment(p, r, s), _to_segment(q, r, s), _to_segment(r, p, q), _to_segment(s, p, q)]
    if squared > 1e-18:
        along_u = np.cross(v, w) @ across / squared
        along_v = np.cross(u, w) @ across / squared
        if 0 <= along_u <= 1 and 0 <= along_v <= 1:
            ends.append(float(abs(w @ across) / np.sqrt(squared)))
    return min(ends)


def _to_segment(point: FloatArray, start: FloatArray, end: FloatArray) -> float:
    way = end - start
    share = np.clip((point - start) @ way / (way @ way), 0, 1)
    return float(np.linalg.norm(point - start - share * way))
