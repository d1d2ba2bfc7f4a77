"""Shapes: a triangle surface, and that surface placed in the patient."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import FloatArray, FloatsArray, IntArray, frozen
from .deviation import UNSET_IS_LEFT_OUT, Change, Deviation
from .frames import IDENTITY, Pose

AT_ONCE = 1 << 15
"""Triangles that are summed up at once: they stay in the cache of the processor."""
_FEW = 3 << 13  # corners that are looked at together, for the same reason; a multiple of three


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle surface.

    points: (n, 3) float32 mm, in the coordinates of the body (patient LPS while its pose is identity)
    triangles: (m, 3) int32 indices into points, counter-clockwise seen from outside
    """

    points: FloatsArray
    triangles: IntArray

    def __post_init__(self) -> None:
        points = frozen(self.points, np.float32)
        triangles = frozen(self.triangles, np.int32)
        if points.ndim != 2 or points.shape[1] != 3 or triangles.ndim != 2 or triangles.shape[1] != 3:
            raise ValueError(
                f"a mesh needs (n, 3) points and (m, 3) triangles, not {points.shape}, {triangles.shape}"
            )
        if points.size and not np.isfinite([points.min(), points.max()]).all():
            raise ValueError("a mesh must not hold NaN or infinite coordinates")
        if triangles.size and (triangles.min() < 0 or triangles.max() >= len(points)):
            raise ValueError("a triangle names a point that does not exist")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "triangles", triangles)

    @cached_property
    def digest(self) -> str:
        """Identity of the shape: a hash of its points and triangles."""
        hasher = blake2b(digest_size=16)
        hasher.update(np.asarray(self.points.shape, np.int64).tobytes())
        hasher.update(self.points.data)
        hasher.update(self.triangles.data)
        return hasher.hexdigest()

    @cached_property
    def volume_mm3(self) -> float:
        """Signed enclosed volume (divergence theorem along z); positive when the triangles face outwards."""
        if not len(self.triangles):
            return 0.0
        x, y, z = np.ascontiguousarray(self.points.T)
        height, six = self.points[:, 2].mean(dtype=np.float64), 0.0
        for start in range(0, len(self.triangles), AT_ONCE):
            abc = np.ascontiguousarray(self.triangles[start : start + AT_ONCE].T, np.intp)
            (xa, xb, xc), (ya, yb, yc) = x.take(abc).astype(np.float64), y.take(abc).astype(np.float64)
            over_xy = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
            six += float(((z.take(abc).astype(np.float64) - height).sum(axis=0) * over_xy).sum())
        return six / 6

    def keep_volume(self, mm3: float) -> None:
        """Keep the volume that its maker has summed up already, so that `volume_mm3` need not.

        mm3: to the last bit what `volume_mm3` would find
        """
        vars(self)["volume_mm3"] = mm3

    @cached_property
    def area_mm2(self) -> float:
        """Sum of the triangle areas."""
        axes, double = np.ascontiguousarray(self.points.T, np.float64), 0.0
        for start in range(0, len(self.triangles), AT_ONCE):
            abc = np.ascontiguousarray(self.triangles[start : start + AT_ONCE].T, np.intp)
            (ux, vx), (uy, vy), (uz, vz) = (axis[1:] - axis[0] for axis in axes[:, abc])
            x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            double += float(np.sqrt(x * x + y * y + z * z).sum())
        return double / 2

    @cached_property
    def bounds(self) -> FloatArray:
        """(2, 3) lowest and highest corner in body coordinates; zeros for an empty mesh."""
        axes = np.ascontiguousarray(self.points.T)
        ends = [axes.min(axis=1), axes.max(axis=1)] if len(self.points) else np.zeros((2, 3))
        box: FloatArray = frozen(ends, np.float64)
        return box

    @cached_property
    def open_edges(self) -> int:
        """Number of edges not shared by exactly two triangles that run along them in opposite ways."""
        if _walked_once_each_way(self.triangles, len(self.points)):
            return 0
        start, end = self.triangles, self.triangles[:, [1, 2, 0]]
        ways = np.minimum(start, end).astype(np.int64)  # both ways along an edge get neighbouring numbers
        ways *= 2 * len(self.points)
        ways += 2 * np.maximum(start, end).astype(np.int64)
        ways += start > end
        different, times = np.unique(ways, return_counts=True)
        back = np.minimum(np.searchsorted(different, different ^ 1), len(different) - 1)
        lonely = times[different[back] != different ^ 1]
        return int((times - 1).sum() + lonely.sum())

    @property
    def watertight(self) -> bool:
        """Whether the surface is closed and consistently wound."""
        return len(self.triangles) > 0 and self.open_edges == 0

    @cached_property
    def euler_number(self) -> int:
        """Points - edges + triangles of the points in use; 2 for one sphere-like body."""
        ends = np.sort(self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64), axis=1)
        edges = np.unique(ends[:, 0] * max(len(self.points), 1) + ends[:, 1])
        return len(np.unique(self.triangles)) - len(edges) + len(self.triangles)


@dataclass(frozen=True, eq=False)
class Part:
    """A shape somewhere in the patient: moving it changes the pose, never the mesh.

    mesh: the shape in its own coordinates
    pose: from those coordinates to patient LPS mm
    frame_uid: DICOM Frame of Reference UID of the patient space it lies in; "" when it has none
        (an implant from the catalogue, a mesh file)
    deviation: how true it is to the scan, for a surface that was made from one
    change: how far it lies from the shape it came from, for one that was smoothed, decimated or the like
    """

    mesh: Mesh
    pose: Pose = IDENTITY
    frame_uid: str = ""
    deviation: Deviation | None = field(default=None, metadata=UNSET_IS_LEFT_OUT)
    change: Change | None = field(default=None, metadata=UNSET_IS_LEFT_OUT)

    @cached_property
    def points_lps(self) -> FloatArray:
        """(n, 3) float64 points in patient space."""
        still = self.pose == IDENTITY
        points: FloatArray = frozen(
            self.mesh.points if still else self.pose.apply(self.mesh.points), np.float64
        )
        return points

    @cached_property
    def bounds_lps(self) -> FloatArray:
        """(2, 3) lowest and highest corner in patient space; zeros for an empty part."""
        if self.pose == IDENTITY or not len(self.mesh.points):
            return self.mesh.bounds
        box: FloatArray = frozen([self.points_lps.min(axis=0), self.points_lps.max(axis=0)])
        return box

    def moved(self, pose: Pose) -> "Part":
        """The same shape carried along by a motion in patient space."""
        return replace(self, pose=pose.after(self.pose))

    def placed(self) -> Mesh:
        """The shape with its pose worked into the points (for files and for joining shapes)."""
        if self.pose == IDENTITY:
            return self.mesh
        return Mesh(self.points_lps.astype(np.float32), self.mesh.triangles)


def _walked_once_each_way(triangles: IntArray, points: int) -> bool:
    """Whether the triangles walk along each of their edges once one way and once the other.

    Each way along an edge gets a number made of its lower end and how far apart its ends are in the row of
    points; the way back gets the next one. Most fit into 32 bits, which sort twice as fast as 64.
    """
    reach = np.uint32(2**31 // max(points, 1))
    corners = triangles.view(np.uint32).ravel()
    near, far, filled = np.empty(len(corners), np.uint32), list[Any](), 0
    for start in range(0, len(corners), _FEW):
        starts = corners[start : start + _FEW]
        ends = np.roll(starts, -1)
        ends[2::3] = starts[::3]
        low, back = np.minimum(starts, ends), starts > ends
        apart = np.maximum(starts, ends, out=ends)
        apart -= low
        if apart.max() >= reach:
            distant = apart >= reach
            wide = low[distant].astype(np.uint64) << np.uint64(32)
            far.append(wide | 2 * apart[distant] | back[distant])
            low, apart, back = low[~distant], apart[~distant], back[~distant]
        low *= reach
        low += apart
        low *= 2
        np.add(low, back, out=near[filled : filled + len(low)])
        filled += len(low)
    return _in_pairs(near[:filled]) and _in_pairs(np.concatenate([*far, np.zeros(0, np.uint64)]))


def _in_pairs(ways: NDArray[Any]) -> bool:
    """Whether each even number is there once, its odd neighbour once too, and nothing else; sorts them.

    Were one there twice, two equal ones would make a pair, or an odd one and what follows it.
    """
    if len(ways) % 2:
        return False
    ways.sort()
    pairs = ways.reshape(-1, 2)
    return all(
        (part[:, 0] ^ part[:, 1] == 1).all() for part in np.split(pairs, range(_FEW, len(pairs), _FEW))
    )
