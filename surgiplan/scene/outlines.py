"""Where a surface crosses a slice: line pieces in the millimetres of that slice."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..values import FloatArray, FloatsArray, IntArray, Mesh, Pose, Vec3, given_away
from .cache import Cache

_BLOCK = 16  # triangles that are accepted or refused together
# the corners of a triangle, the one that lies alone on its side first, by the bits "corner is above"
_LONE_FIRST = np.array([[n, (n + 1) % 3, (n + 2) % 3] for n in (0, 0, 1, 2, 2, 1, 0, 0)])


@dataclass(frozen=True)
class Frame:
    """A flat drawing sheet in the patient.

    origin_lps: the place of sheet coordinates (0, 0), LPS mm
    right, down: unit vectors of the sheet's x and y, LPS
    """

    origin_lps: Vec3
    right: Vec3
    down: Vec3

    @cached_property
    def normal(self) -> FloatArray:
        """Unit vector across the sheet, (3,) LPS."""
        return given_away(np.cross(self.right, self.down))

    @cached_property
    def axes(self) -> FloatArray:
        """(2, 3) the unit vectors to the right and down."""
        return given_away(np.array([self.right, self.down]))

    def to_lps(self, xy_mm: ArrayLike) -> FloatArray:
        """Patient coordinates (n, 3) or (3,) of sheet coordinates (n, 2) or (2,), mm."""
        points: FloatArray = np.asarray(xy_mm, np.float64) @ self.axes
        return points + self.origin_lps

    def from_lps(self, points_lps: ArrayLike) -> FloatArray:
        """Sheet coordinates (n, 2) or (2,) of patient points, looked at along the normal, mm."""
        away = np.asarray(points_lps, np.float64) - self.origin_lps
        sheet: FloatArray = away @ self.axes.T
        return sheet

    def distance(self, points_lps: ArrayLike) -> FloatArray:
        """Signed distance of patient points from the sheet, mm."""
        away: FloatArray = (np.asarray(points_lps, np.float64) - self.origin_lps) @ self.normal
        return away


@dataclass(frozen=True, eq=False)
class Outline:
    """Where one shape crosses a slice.

    name: the surface, or "step:field" for a plane
    colour: "#rrggbb"
    segments: (n, 2, 2) float32: n line pieces, two ends, x to the right and y down, mm
    dimmed: out of date: drawn with gaps
    """

    name: str
    colour: str
    segments: FloatsArray
    dimmed: bool = False

    def dashes(self, pitch_mm: float) -> FloatsArray:
        """The segments to draw: all of them, or for a dimmed outline those in every second stripe."""
        if not self.dimmed:
            return self.segments
        along = self.segments.mean(axis=1).sum(axis=1)
        drawn: FloatsArray = self.segments[np.floor(along / pitch_mm).astype(np.int64) % 2 == 0]
        return drawn


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Boxes round every _BLOCK triangles of a mesh, in its order.

    centre, half: (blocks, 3) middle and half extent of each box
    """

    centre: FloatsArray
    half: FloatsArray


_OUTLINES: Cache[FloatsArray] = Cache(64 << 20)
_BOXES: Cache[_Boxes] = Cache(32 << 20)


def outline(mesh: Mesh, pose: Pose, frame: Frame) -> FloatsArray:
    """The (n, 2, 2) line pieces in which a placed mesh crosses a sheet, in sheet mm; cached.

    The sheet is carried into the coordinates of the mesh, so a moved shape needs no new points.
    """
    key = (mesh.digest, pose, frame)
    return _OUTLINES.get(key, lambda: _outline(mesh, pose, frame), lambda made: made.nbytes + 512)


def quad_trace(corners_lps: FloatArray, frame: Frame) -> FloatsArray:
    """The (0 or 1, 2, 2) line piece in which a flat (4, 3) square crosses a sheet, in sheet mm."""
    away = frame.distance(corners_lps)
    nexts, after = np.roll(corners_lps, -1, axis=0), np.roll(away, -1)
    crossed = (away >= 0) != (after >= 0)
    if np.count_nonzero(crossed) != 2:
        return np.zeros((0, 2, 2), np.float32)
    share = away[crossed] / (away[crossed] - after[crossed])
    ends = corners_lps[crossed] + share[:, None] * (nexts[crossed] - corners_lps[crossed])
    return frame.from_lps(ends).astype(np.float32)[None]


def _outline(mesh: Mesh, pose: Pose, frame: Frame) -> FloatsArray:
    normal = frame.normal
    across = normal @ pose.rotation
    level = float(normal @ (np.asarray(frame.origin_lps) - pose.shift))
    triangles = _near(mesh, across, level)
    if not len(triangles):
        return given_away(np.zeros((0, 2, 2), np.float32))
    away = mesh.points @ across.astype(np.float32) - np.float32(level)
    corners, heights = _crossing(triangles, away)
    share = heights[:, :1] / (heights[:, :1] - heights[:, 1:])
    points = mesh.points[corners]
    ends = points[:, :1] + share[:, :, None] * (points[:, 1:] - points[:, :1])
    to_sheet = frame.axes
    shift = to_sheet @ (pose.shift - np.asarray(frame.origin_lps))
    return given_away((ends @ (to_sheet @ pose.rotation).T + shift).astype(np.float32))


def _near(mesh: Mesh, across: FloatArray, level: float) -> IntArray:
    """The (n, 3) triangles of the blocks whose box the plane touches."""
    if not len(mesh.triangles):
        return mesh.triangles
    boxes = _BOXES.get(mesh.digest, lambda: _boxes(mesh), lambda made: 2 * made.half.nbytes)
    touched = np.abs(boxes.centre @ across - level) <= boxes.half @ np.abs(across) + 1e-3
    rows = (np.flatnonzero(touched)[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
    return np.take(mesh.triangles, rows[rows < len(mesh.triangles)], axis=0)


def _crossing(triangles: IntArray, away: FloatsArray) -> tuple[IntArray, FloatsArray]:
    """The triangles that cross the plane, each turned so that its lone corner comes first."""
    above = (away >= 0).view(np.uint8)
    code = above[triangles[:, 0]] + 2 * above[triangles[:, 1]] + 4 * above[triangles[:, 2]]
    crossing = np.flatnonzero((code > 0) & (code < 7))
    order = _LONE_FIRST[code[crossing]]
    corners: IntArray = np.take_along_axis(triangles[crossing], order, axis=1)
    return corners, away[corners]


def _boxes(mesh: Mesh) -> _Boxes:
    """Neighbours in the list of triangles are near in space for all usual makers, so boxes are small."""
    fill = np.repeat(mesh.triangles[-1:], -len(mesh.triangles) % _BLOCK, axis=0)
    corners = np.concatenate([mesh.triangles, fill]).reshape(-1, 3 * _BLOCK)
    low: FloatsArray = np.empty((len(corners), 3), np.float32)
    high = np.empty_like(low)
    for axis in range(3):
        places = mesh.points[:, axis][corners]
        low[:, axis], high[:, axis] = places.min(axis=1), places.max(axis=1)
    half: FloatsArray = (high - low) / np.float32(2)
    return _Boxes(low + half, half)
