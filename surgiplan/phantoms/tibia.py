"""The right tibia below the default femur, bent into varus: a whole leg of known axes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..values import FloatArray, Plane, Pose, Vec3, vec3
from .femur import Femur
from .phantom import Phantom, grown, placed
from .scanner import Material
from .shape import Shape, Union
from .solids import HalfSpace, RoundCone, capsule

_SPINES = (5.5, -5.0)  # to medial, mm


@dataclass(frozen=True)
class Tibia(Phantom):
    """A right tibia under the default femur, in the same patient space.

    Its own coordinates: x medial, y posterior, z proximal along its axis, origin in the middle of the
    plateau, which is flat and leans back by the slope.

    varus_deg: lean of the shin to medial against the shaft of the femur, seen along its own y
    slope_deg: by which the plateau falls to posterior against the plane across the axis
    length_mm: from the plateau to the centre of the ankle
    shaft_radius_mm, canal_radius_mm: of the shaft and of its canal
    torsion_deg: of the malleoli against the plateau; positive when the lateral one lies behind
    cortex_hu, spongy_hu, marrow_hu, muscle_hu: grey values
    spine_mm: how high the two spines of the plateau are; 0 for none
    femur: the bone above it
    """

    patient: ClassVar[str] = Femur.patient
    description: ClassVar[str] = "Right tibia"
    series_number: ClassVar[int] = 3
    side: ClassVar[str] = "R"
    spacing_kji: ClassVar[Vec3] = (1.2, 0.8, 0.7)
    background_hu: ClassVar[float] = Femur.muscle_hu

    varus_deg: float = 9.0
    slope_deg: float = 7.0
    length_mm: float = 362.0
    shaft_radius_mm: float = 12.5
    canal_radius_mm: float = 5.5
    torsion_deg: float = 24.0
    cortex_hu: float = 1350.0
    spine_mm: float = 0.0
    femur: Femur = field(default_factory=Femur)

    @cached_property
    def pose(self) -> Pose:
        """From its own coordinates to patient LPS mm."""
        lean = Pose.of_rotation((0, 1, 0), -self.varus_deg)
        return self.femur.pose.after(Pose.of_shift((0.0, 9.0, -7.0))).after(lean)

    # -- bodies ---------------------------------------------------------------------------------

    @cached_property
    def surface(self) -> Shape:
        """The whole bone to its outer surface, canal filled."""
        cones = [RoundCone(self._at(*a), self._at(*b), r, s) for a, b, r, s in self._cones]
        bone = Union(tuple(cones)) & HalfSpace(self.plateau)
        spines = [
            capsule(self._at(x, 2, -9), ball, 6.0) for x, ball in zip(_SPINES, self.spine_balls, strict=True)
        ]
        return Union((bone, *spines)) if self.spine_mm > 0 else bone

    @property
    def materials(self) -> tuple[Material, ...]:
        """Cortex and marrow; soft tissue is all round."""
        canal = capsule(self._at(0, 0, -85), self._at(0, 0, -self.length_mm + 60), self.canal_radius_mm)
        return ((self.surface, self.cortex_hu), (canal, 0.0))

    @property
    def level_hu(self) -> float:
        """Half-way between cortex and muscle."""
        return (self.cortex_hu + self.background_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the bone, with more room behind."""
        return grown(self.surface.box, (6.0, 5.0, 6.0), (8.0, 11.0, 7.0))

    # -- truth ----------------------------------------------------------------------------------

    @property
    def plateau(self) -> Plane:
        """The plane of the joint; its normal points to the hip."""
        lean = Pose.of_rotation((1, 0, 0), -self.slope_deg).rotation[:, 2]
        return Plane(self._at(0, 0, 0), vec3(self.pose.rotation @ lean))

    @property
    def landmarks(self) -> Mapping[str, Vec3]:
        """Named points of the whole leg, LPS mm."""
        turn = Pose.of_rotation((0, 0, 1), -self.torsion_deg)
        medial, lateral = (turn.apply((x, 0.0, -self.length_mm - 8.0)) for x in (25.0, -29.0))
        fall = -float(np.tan(np.radians(self.slope_deg)))
        return {
            "head_centre": self.femur.head_centre_lps,
            "tibial_spine_centre": self._at(0, 0, 0),
            "medial_plateau_edge": self._at(37, 0, 0),
            "lateral_plateau_edge": self._at(-36, 0, 0),
            "medial_plateau_anterior": self._at(20, -18, -18 * fall),
            "medial_plateau_posterior": self._at(20, 20, 20 * fall),
            "ankle_centre": self._at(0, 0, -self.length_mm),
            "tibial_shaft_proximal": self._at(0, 0, -90),
            "tibial_shaft_distal": self._at(0, 0, -self.length_mm + 70),
            "medial_malleolus": self._at(*medial),
            "lateral_malleolus": self._at(*lateral),
        }

    @property
    def spine_balls(self) -> tuple[Vec3, Vec3]:
        """The middles of the balls of 6 mm that end the medial and the lateral spine."""
        medial, lateral = (self._at(x, 2.0, self.spine_mm - 6.0) for x in _SPINES)
        return medial, lateral

    @property
    def between_spines(self) -> Vec3:
        """The pass between both spines: half-way, where their balls meet."""
        half = (_SPINES[0] - _SPINES[1]) / 2
        return self._at(sum(_SPINES) / 2, 2.0, self.spine_mm - 6.0 + float(np.sqrt(6.0**2 - half**2)))

    @property
    def dome(self) -> Vec3:
        """The middle of the ball that ends the bone at the ankle."""
        return self._at(2.0, 0.0, -self.length_mm + 19.0)

    @property
    def hinge(self) -> Vec3:
        """Where a surgeon leaves bone for a wedge that opens medially: 10 mm from the lateral cortex."""
        return self._at(-24.0, 0.0, -20.0)

    @property
    def cortex(self) -> Vec3:
        """Where the saw enters on the medial side."""
        return self._at(27.5, 0.0, -36.0)

    @property
    def _cones(self) -> tuple[tuple[Vec3, Vec3, float, float], ...]:
        """Round cones (start, end, start radius, end radius) in own coordinates."""
        low = -self.length_mm
        return (
            ((20.0, 1.0, -4.0), (14.0, 2.0, -34.0), 19.0, 15.0),
            ((-19.0, 2.0, -4.0), (-14.0, 3.0, -32.0), 18.0, 15.5),
            ((0.0, -4.0, -12.0), (0.0, 0.0, -80.0), 20.0, self.shaft_radius_mm),
            ((0.0, 0.0, -70.0), (0.0, 0.0, low + 45.0), self.shaft_radius_mm, self.shaft_radius_mm),
            ((0.0, 0.0, low + 60.0), (2.0, 0.0, low + 19.0), self.shaft_radius_mm, 19.0),
            ((18.0, -6.0, low + 20.0), (20.0, -8.0, low - 2.0), 8.0, 6.0),
        )

    def _at(self, x: float, y: float, z: float) -> Vec3:
        return placed(self.pose, (x, y, z))
