"""Places and directions in patient space (LPS, millimetres)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .arrays import FloatArray, Vec3, frozen, vec3

Row = tuple[float, float, float, float]
_IDENTITY: tuple[Row, Row, Row, Row] = (
    (1.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, 0.0, 0.0),
    (0.0, 0.0, 1.0, 0.0),
    (0.0, 0.0, 0.0, 1.0),
)


@dataclass(frozen=True)
class Plane:
    """An oriented plane.

    point: a point on it, LPS mm
    normal: its direction; made a unit vector on construction
    """

    point: Vec3
    normal: Vec3

    def __post_init__(self) -> None:
        normal = np.asarray(vec3(self.normal))
        length = float(np.linalg.norm(normal))
        if not 1e-9 <= length < np.inf:
            raise ValueError("the normal of a plane must not be zero, nor too long to have a length")
        object.__setattr__(self, "point", vec3(self.point))
        if abs(length - 1.0) > 1e-12:  # a unit normal stays bit for bit what it was
            object.__setattr__(self, "normal", vec3(normal / length))
        else:
            object.__setattr__(self, "normal", vec3(normal))

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """Signed distances (n,) in mm; positive on the side the normal points to."""
        away: FloatArray = (np.asarray(points_lps, np.float64) - self.point) @ np.asarray(self.normal)
        return away

    def moved(self, pose: "Pose") -> "Plane":
        """This plane carried along by a rigid motion."""
        return Plane(vec3(pose.apply(self.point)), vec3(pose.rotation @ np.asarray(self.normal)))


@dataclass(frozen=True)
class Pose:
    """A rigid motion: rotation and translation, never scale or mirror.

    matrix: 4x4, row by row, from the body's own coordinates to patient LPS mm
    """

    matrix: tuple[Row, Row, Row, Row] = _IDENTITY

    def __post_init__(self) -> None:
        array = np.asarray(self.matrix, np.float64)
        if array.shape != (4, 4) or not np.isfinite(array).all():
            raise ValueError("a pose is a finite 4x4 matrix")
        if not np.array_equal(array[3], (0.0, 0.0, 0.0, 1.0)):
            raise ValueError("the last row of a pose must be 0 0 0 1")
        if np.abs(array[:3, :3].T @ array[:3, :3] - np.eye(3)).max() > 1e-6:
            raise ValueError("a pose must be rigid: its axes must be orthogonal and of length 1")
        if np.linalg.det(array[:3, :3]) < 0:
            raise ValueError("a pose must not mirror: use the operation mirror")
        object.__setattr__(self, "matrix", tuple(tuple(float(x) for x in row) for row in array))

    @classmethod
    def of(cls, matrix: ArrayLike) -> "Pose":
        """The pose of a 4x4 array; small rounding in the rotation is taken out."""
        array = np.array(matrix, np.float64)
        if array.shape != (4, 4):
            raise ValueError(f"a pose is a finite 4x4 matrix, not one of shape {array.shape}")
        if np.isfinite(array).all():
            u, s, vt = np.linalg.svd(array[:3, :3])
            if np.abs(s - 1).max() < 1e-4:
                array[:3, :3] = u @ vt
        rows = [(float(a), float(b), float(c), float(d)) for a, b, c, d in array]
        return cls((rows[0], rows[1], rows[2], rows[3]))

    @classmethod
    def of_rotation(cls, axis: ArrayLike, degrees: float, about: ArrayLike = (0, 0, 0)) -> "Pose":
        """A right-handed turn about an axis through a point (Rodrigues' formula)."""
        length = float(np.linalg.norm(vec3(axis)))
        if not 0 < length < np.inf:
            raise ValueError("the axis of a turn must not be zero, nor too long to have a length")
        x, y, z = np.asarray(vec3(axis)) / length
        skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        angle = np.radians(degrees)
        turn = np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew
        centre = np.asarray(about, np.float64)
        return cls.of(_joined(turn, centre - turn @ centre))

    @classmethod
    def of_shift(cls, shift_lps: ArrayLike) -> "Pose":
        """A pure translation in mm towards left, posterior and superior."""
        return cls.of(_joined(np.eye(3), np.asarray(vec3(shift_lps))))

    @cached_property
    def array(self) -> FloatArray:
        """The matrix as a read-only 4x4 float64 array."""
        array: FloatArray = frozen(np.asarray(self.matrix, np.float64))
        return array

    @property
    def rotation(self) -> FloatArray:
        """3x3 rotation."""
        return self.array[:3, :3]

    @property
    def shift(self) -> FloatArray:
        """(3,) translation in mm."""
        return self.array[:3, 3]

    @property
    def degrees(self) -> float:
        """Angle of the rotation about its own axis, 0 to 180 degrees."""
        r = self.rotation
        sine = np.linalg.norm((r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1])) / 2
        return float(np.degrees(np.arctan2(sine, (np.trace(r) - 1) / 2)))

    def apply(self, points: ArrayLike) -> FloatArray:
        """Points (n, 3) or (3,) after the motion."""
        moved: FloatArray = np.asarray(points, np.float64) @ self.rotation.T + self.shift
        return moved

    def after(self, first: "Pose") -> "Pose":
        """The motion that does `first`, then this one."""
        return Pose.of(self.array @ first.array)

    @property
    def inverse(self) -> "Pose":
        """The motion that undoes this one."""
        return Pose.of(_joined(self.rotation.T, -self.rotation.T @ self.shift))


IDENTITY = Pose()


def _joined(rotation: FloatArray, shift: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = shift
    return matrix
