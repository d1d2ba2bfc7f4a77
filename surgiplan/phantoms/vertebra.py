"""A lumbar vertebra whose pedicles are plain rods: how far a screw leaves them is a closed form."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray, Pose, Vec3, vec3
from .phantom import Phantom, grown, placed
from .scanner import Material
from .shape import Shape, Union
from .solids import Sphere, capsule, cylinder

_POSE = (
    Pose.of_shift((6.3, 41.8, -212.5))
    .after(Pose.of_rotation((1, 0, 0), 9.0))
    .after(Pose.of_rotation((0, 0, 1), -4.0))
)


@dataclass(frozen=True)
class Vertebra(Phantom):
    """A body, two pedicles, an arch round the canal, and processes.

    Its own coordinates: x to the left, y to posterior, z to cranial, origin in the middle of the body.

    pose: from its own coordinates to patient LPS mm
    body_radius_mm, body_height_mm: of the body, a disc
    right_pedicle_mm, left_pedicle_mm: radius of the pedicles, between body and joint
    converging_deg: by which the pedicles point to the midline in front
    cortex_hu, spongy_hu, canal_hu: grey values; the bone is spongy but for a shell
    shell_mm: thickness of that shell
    """

    patient: ClassVar[str] = "SPINE"
    description: ClassVar[str] = "Lumbar vertebra"
    spacing_kji: ClassVar[Vec3] = (0.8, 0.5, 0.6)
    background_hu: ClassVar[float] = 50.0

    pose: Pose = _POSE
    body_radius_mm: float = 21.0
    body_height_mm: float = 27.0
    right_pedicle_mm: float = 5.0
    left_pedicle_mm: float = 4.4
    converging_deg: float = 12.0
    cortex_hu: float = 900.0
    spongy_hu: float = 240.0
    shell_mm: float = 1.5

    @cached_property
    def surface(self) -> Shape:
        """The whole bone."""
        half = self.body_height_mm / 2
        rods = [self._rod(side) for side in ("R", "L")]
        arch = [
            capsule(self._at(x, 31.0, 3.0), self._at(0.0, 40.0, -2.0), 5.0)
            for x in (-self._joint[0], self._joint[0])
        ]
        return Union(
            (
                cylinder(self._at(0, 0, -half), self._at(0, 0, half), self.body_radius_mm),
                *rods,
                *arch,
                *(
                    Sphere(self._at(x, self._joint[1], self._joint[2]), 9.0)
                    for x in (self._joint[0], -self._joint[0])
                ),
                capsule(self._at(0, 40, -2), self._at(1.5, 60, -9), 5.0),
                capsule(self._at(19, 33, 5), self._at(38, 39, 6), 4.5),
                capsule(self._at(-19, 33, 5), self._at(-36, 38, 5), 4.0),
            )
        )

    @property
    def materials(self) -> tuple[Material, ...]:
        """A shell of cortex, and spongy bone in it."""
        return ((self.surface, self.cortex_hu), (self.surface.offset(-self.shell_mm), self.spongy_hu))

    @property
    def level_hu(self) -> float:
        """Half-way between cortex and soft tissue."""
        return (self.cortex_hu + self.background_hu) / 2

    @property
    def scan_box(self) -> FloatArray:
        """Round the bone, with more room in front and below."""
        return grown(self.surface.box, (6.0, 9.0, 8.0), (9.0, 6.0, 5.0))

    # -- truth ----------------------------------------------------------------------------------

    def axis(self, side: str) -> tuple[FloatArray, FloatArray]:
        """Middle of a pedicle (half-way along its free part) and its unit direction to the front, LPS.

        side: "R" or "L"
        """
        inwards = 1.0 if side == "R" else -1.0
        lean = radians(self.converging_deg)
        along = np.array([inwards * sin(lean), -cos(lean), 0.0])
        middle = np.array([-inwards * self._joint[0], *self._joint[1:]]) + self._middle_mm * along
        return self.pose.apply(middle), self.pose.rotation @ along

    def radius_mm(self, side: str) -> float:
        """Radius of a pedicle."""
        return self.right_pedicle_mm if side == "R" else self.left_pedicle_mm

    def breach_mm(self, side: str, off_axis_mm: float, screw_radius_mm: float) -> float:
        """How far a screw parallel to the axis of a pedicle leaves it: off + r - R."""
        return max(off_axis_mm + screw_radius_mm - self.radius_mm(side), 0.0)

    def way(self, side: str, off: ArrayLike = (0.0, 0.0)) -> tuple[Vec3, Vec3]:
        """Entry and target of a screw parallel to the axis of a pedicle, LPS mm.

        off: (2,) mm to medial and to cranial of that axis
        """
        middle, along = self.axis(side)
        up = self.pose.rotation[:, 2]
        medial = np.cross(along, up) * (-1.0 if side == "R" else 1.0)
        start = middle + np.asarray(off) @ np.stack([medial, up])
        return vec3(start - (self._middle_mm + 8.0) * along), vec3(start + 20.0 * along)

    @property
    def canal_centre(self) -> Vec3:
        """Middle of the spinal canal, LPS mm."""
        return self._at(0.0, 27.0, 4.0)

    @property
    def landmarks(self) -> Mapping[str, Vec3]:
        """Entries and narrowest places of both pedicles, LPS mm."""
        found = {}
        for name, side in (("right", "R"), ("left", "L")):
            found[f"{name}_pedicle_entry"] = self.way(side)[0]
            found[f"{name}_pedicle_isthmus"] = vec3(self.axis(side)[0])
        return found | {"spinal_canal": self.canal_centre}

    @property
    def _joint(self) -> Vec3:
        """Where the rod of the left pedicle begins, in own coordinates."""
        return (19.0, 33.0, 5.0)

    @property
    def _middle_mm(self) -> float:
        """From there to the middle of its free part."""
        return 13.0

    def _rod(self, side: str) -> Shape:
        middle, along = self.axis(side)
        return cylinder(
            vec3(middle - self._middle_mm * along), vec3(middle + 16.0 * along), self.radius_mm(side)
        )

    def _at(self, x: float, y: float, z: float) -> Vec3:
        return placed(self.pose, (x, y, z))
