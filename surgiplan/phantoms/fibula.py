"""A fibula that is neither round nor even: three strands of bone round an axis, thinner towards the ankle."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin
from typing import ClassVar

from ..values import FloatArray, Pose, Vec3
from .phantom import Phantom, grown, placed
from .scanner import Material
from .shape import Shape, Union
from .solids import RoundCone, capsule

_POSE = (
    Pose.of_shift((-96.4, 31.7, -818.2))
    .after(Pose.of_rotation((0, 1, 0), 3.0))
    .after(Pose.of_rotation((1, 0, 0), -6.0))
)


@dataclass(frozen=True)
class Fibula(Phantom):
    """A right fibula in a leg.

    Its own coordinates: z proximal along the axis, origin at the tip of the lateral malleolus, x to the left.
    The shaft has a three-sided section that shrinks evenly towards the ankle.

    pose: from its own coordinates to patient LPS mm
    length_mm: from tip to tip
    strand_radius_mm: of each of the three strands, at the knee
    strands_mm: how far their middles lie from the axis, at the knee
    taper: share by which all that shrinks from the knee to the ankle
    round_: one strand in the axis instead of three, so that a cut across is a circle
    cortex_hu, marrow_hu, muscle_hu: grey values
    """

    patient: ClassVar[str] = "LOWER LEG"
    description: ClassVar[str] = "Right fibula"
    side: ClassVar[str] = "R"
    spacing_kji: ClassVar[Vec3] = (1.1, 0.6, 0.5)
    background_hu: ClassVar[float] = 60.0

    pose: Pose = _POSE
    length_mm: float = 364.0
    strand_radius_mm: float = 5.0
    strands_mm: tuple[float, float, float] = (3.6, 2.6, 3.0)
    taper: float = 0.1
    round_: bool = False
    cortex_hu: float = 1300.0

    @cached_property
    def surface(self) -> Shape:
        """Head, shaft and malleolus."""
        ends = (
            RoundCone(self._at(0, 0, self.length_mm - 14), self._at(0, 0, self.length_mm - 34), 13.0, 7.5),
            RoundCone(self._at(0, 0, 11.0), self._at(-1.0, 1.0, 42.0), 10.0, 7.0),
        )
        return Union((*self._strands, *ends))

    @property
    def _strands(self) -> tuple[RoundCone, ...]:
        high, low, thin = self.length_mm - 20.0, 20.0, 1 - self.taper
        if self.round_:
            return (RoundCone(self._at(0, 0, low), self._at(0, 0, high), 7.0 * thin, 7.0),)
        strands = []
        for angle, off in zip((15.0, 130.0, 255.0), self.strands_mm, strict=True):
            x, y = off * cos(radians(angle)), off * sin(radians(angle))
            strands.append(
                RoundCone(
                    self._at(x * thin, y * thin, low),
                    self._at(x, y, high),
                    self.strand_radius_mm * thin,
                    self.strand_radius_mm,
                )
            )
        return tuple(strands)

    @property
    def materials(self) -> tuple[Material, ...]:
        """Cortex and marrow; soft tissue is all round."""
        canal = capsule(self._at(0, 0, 60), self._at(0, 0, self.length_mm - 60), 2.2)
        return ((self.surface, self.cortex_hu), (canal, 0.0))

    @property
    def level_hu(self) -> float:
        """Half-way between cortex and muscle."""
        return (self.cortex_hu + self.background_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the bone, with more room in front and on the left."""
        return grown(self.surface.box, (5.0, 9.0, 6.0), (8.0, 6.0, 5.0))

    @property
    def landmarks(self) -> Mapping[str, Vec3]:
        """The two tips, LPS mm."""
        tip = self.length_mm - 1.0
        return {"fibula_head": self._at(0, 0, tip), "lateral_malleolus": self._at(0, 0, 1.0)}

    def _at(self, x: float, y: float, z: float) -> Vec3:
        return placed(self.pose, (x, y, z))
