"""When a body that moves first touches another: found by steps that cannot jump over anything.

Every place of a surface goes its own way on, always by as much as it is known to be away from the other
body (conservative advancement, Mirtich 1996, for each place alone). No step size is chosen, and none can
matter. Groups of places go first; only where a group comes near are the places in it asked.
"""

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import Report, part_of, silent
from ...values import FloatArray, FloatsArray, Pose
from .cloud import Cloud
from .contact import Body
from .field import DistanceField
from .lattice import CELL_MM

TOUCH_MM = 0.005
"""Bodies nearer than this touch."""

_NEVER = np.inf
_ASKED_BELOW_MM = 0.5  # nearer than this the surface itself is asked
_OPENED_AT = 0.25  # a group that can go on by less than so many of its radii is opened
_MOTIONS = 48  # worked on at once
_PLACES = 60_000


@dataclass(frozen=True)
class Motions:
    """Many motions from the same start: a turn about an axis through a centre, and a shift, both evenly.

    centre: (3,) patient LPS mm; it goes along with the shift
    axes: (n, 3) unit vectors
    angles: (n,) radians
    shifts: (n, 3) mm
    """

    centre: FloatArray
    axes: FloatArray
    angles: FloatArray
    shifts: FloatArray

    @classmethod
    def between(cls, start: Pose, end: Pose, middle: FloatArray) -> "Motions":
        """The one from a pose to another: turning about the middle of the body while that goes straight.

        middle: (3,) of the body, in its own coordinates
        """
        turn = end.rotation @ start.rotation.T
        across = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        angle = float(np.arctan2(np.linalg.norm(across), np.trace(turn) - 1))
        if np.linalg.norm(across) < 1e-9 < angle:  # half a turn: the axis is what stays
            values, vectors = np.linalg.eigh((turn + turn.T) / 2)
            across = vectors[:, values.argmax()]
        long = float(np.linalg.norm(across))
        axis = across / long if long > 0 else np.array([0.0, 0.0, 1.0])
        begin = start.apply(middle)
        return cls(begin, axis[None], np.array([angle]), (end.apply(middle) - begin)[None])

    def some(self, chosen: slice) -> "Motions":
        """A few of them."""
        return Motions(self.centre, self.axes[chosen], self.angles[chosen], self.shifts[chosen])

    def pose(self, number: int, share: float) -> Pose:
        """One motion, gone so far (0 to 1): how it carries what is at its start, in patient space."""
        turn = Pose.of_rotation(
            self.axes[number], float(np.degrees(share * self.angles[number])), self.centre
        )
        return Pose.of_shift(share * self.shifts[number]).after(turn)

    def at(self, motion: NDArray[np.intp], share: FloatArray, points: FloatArray, still: bool) -> FloatArray:
        """(n, 3) points carried along, each by its motion and so far; or, standing still, as the moving
        body sees them from where it started."""
        angles = share * self.angles[motion]
        ahead = share[:, None] * self.shifts[motion]
        if still:
            return _turned(points - self.centre - ahead, self.axes[motion], -angles) + self.centre
        return _turned(points - self.centre, self.axes[motion], angles) + self.centre + ahead

    def pace(self, motion: NDArray[np.intp], points: FloatArray, still: bool) -> FloatArray:
        """(n,) mm that a place goes at most, during its whole motion.

        still: whether the points stand still and are seen from the moving body
        """
        away, axis = points - self.centre, self.axes[motion]
        along = np.einsum("ij,ij->i", away, axis)
        from_axis = np.sqrt(np.maximum(np.einsum("ij,ij->i", away, away) - along**2, 0))
        shift = np.linalg.norm(self.shifts[motion], axis=1)
        reach = from_axis + shift if still else from_axis
        pace: FloatArray = np.abs(self.angles[motion]) * reach + shift
        return np.maximum(pace, 1e-12)


@dataclass(frozen=True)
class Touches:
    """Where motions end at the first touch.

    share: (n,) part of each motion, 0 to 1, that is free; infinite where nothing is touched
    places: (n, 3) where it touches, patient LPS mm; NaN where nothing is touched
    """

    share: FloatArray
    places: FloatArray


def first_touches(
    moving: Body, fixed: Body, moving_pose: Pose, fixed_pose: Pose, motions: Motions, report: Report = silent
) -> Touches:
    """Find how far each motion goes until the bodies touch, and where.

    Places of both surfaces are followed in the field of the other. What they find lies within 0.005 mm of the
    touch of those places; between them a surface is missed by less than a place lies beside the edge it
    would have met: places are at most 1 mm apart, see `Cloud`.

    moving, fixed: the bodies
    moving_pose, fixed_pose: from their own coordinates to patient LPS mm, at the start
    motions: what to try
    report: told the progress; may raise Cancelled
    """
    count = len(motions.angles)
    share, places = np.full(count, _NEVER), np.full((count, 3), np.nan)
    for start in range(0, count, _MOTIONS):
        some = slice(start, start + _MOTIONS)
        told = part_of(report, start / count, min(start + _MOTIONS, count) / count)
        trial = _Trial(motions.some(some), share[some], places[some], told)
        trial.follow(moving.cloud, fixed.field, moving_pose, fixed_pose, still=False)
        trial.follow(fixed.cloud, moving.field, fixed_pose, moving_pose, still=True)
    return Touches(share, places)


class _Trial:
    """Some motions, and the first touch of each that is known by now (both arrays are filled in)."""

    def __init__(self, motions: Motions, share: FloatArray, places: FloatArray, report: Report) -> None:
        self._motions, self._share, self._places, self._report = motions, share, places, report

    def follow(self, cloud: Cloud, field: DistanceField, own: Pose, other: Pose, *, still: bool) -> None:
        """Follow the places of a cloud in the field of the other body."""
        count, groups = len(self._share), cloud.groups[0][1].size
        motion, item = np.repeat(np.arange(count), groups), np.tile(np.arange(groups), count)
        share = np.zeros(len(motion))
        for level in range(len(cloud.groups) + 1):
            last = level == len(cloud.groups)
            middles = cloud.places if last else cloud.groups[level][0]
            radii = None if last else cloud.groups[level][1]
            kept = []
            for start in range(0, len(motion), _PLACES):
                self._report(0.0, "Following the motion")
                part = slice(start, start + _PLACES)
                points = own.apply(middles[:, item[part]].T.astype(np.float64) + cloud.middle)
                radius = np.zeros(len(points)) if radii is None else radii[item[part]].astype(np.float64)
                way = _Way(self._motions, field, other.inverse, still, motion[part], points, radius)
                reached = self._gone(way, share[part])
                near = reached < np.minimum(self._share[motion[part]], 1.0)
                kept.append((motion[part][near], item[part][near], reached[near]))
            if last or not kept:  # or nothing can come near any more
                return
            motion, item, share = (np.concatenate(one) for one in zip(*kept, strict=True))
            row, item = cloud.opened(level, item)
            motion, share = motion[row], share[row]  # free as far as its group was

    def _gone(self, way: "_Way", share: FloatArray) -> FloatArray:
        """(n,) how far each goes until it is near: a group within its radius, a place within a touch.

        The first touches of places are written down.
        """
        share = share.copy()
        pace = self._motions.pace(way.motion, way.points, way.still)
        going = np.arange(len(share))
        while True:
            some = share[going] < np.minimum(self._share[way.motion], 1.0)
            if not some.any():
                return share
            going, way = going[some], way.some(some)
            self._report(0.0, "Following the motion")
            free = way.free(share[going])
            on = free > TOUCH_MM + _OPENED_AT * way.radius
            if way.alone and not on.all():
                self._touched(way.some(~on), share[going[~on]])
            going, way = going[on], way.some(on)
            share[going] += free[on] / pace[going]

    def _touched(self, way: "_Way", share: FloatArray) -> None:
        places = way.points if way.still else way.now(share)
        for n in np.argsort(-share):
            if share[n] <= self._share[way.motion[n]]:
                self._share[way.motion[n]], self._places[way.motion[n]] = share[n], places[n]


class _Way:
    """Places or groups on their ways through a field.

    motions: those they may follow
    to_field: from patient LPS to the coordinates of the field
    still: whether they stand still and are seen from the moving body
    motion: (n,) the motion of each
    points: (n, 3) patient LPS mm at the start
    radius: (n,) of the groups; 0 for places
    """

    def __init__(
        self,
        motions: Motions,
        field: DistanceField,
        to_field: Pose,
        still: bool,
        motion: NDArray[np.intp],
        points: FloatArray,
        radius: FloatArray,
    ) -> None:
        self._motions, self._field, self._to_field = motions, field, to_field
        self.still, self.motion, self.points, self.radius = still, motion, points, radius
        self.alone = not radius.any()
        """Whether these are places, not groups."""
        axes, shifts = motions.axes[motion], motions.shifts[motion]
        start = field.to_cells(to_field.apply(motions.centre[None]))
        self._parts = [part if n else part + start for n, part in enumerate(self._turning(points, axes))]
        self._shifting = self._turning(shifts + motions.centre, axes) if still and shifts.any() else []
        self._ahead = self._in_cells(shifts) if shifts.any() and not still else None

    def _turning(self, points: FloatArray, axes: FloatArray) -> list[FloatsArray]:
        """What stays, what goes with the cosine, what with the sine of the turn, in cells of the field."""
        away = points - self._motions.centre
        along = np.einsum("ij,ij->i", away, axes)[:, None] * axes
        return [self._in_cells(part) for part in (along, away - along, np.cross(axes, away))]

    def _in_cells(self, vectors: FloatArray) -> FloatsArray:
        turned = (self._to_field.rotation / CELL_MM).astype(np.float32) @ vectors.T.astype(np.float32)
        return np.ascontiguousarray(turned)

    def some(self, rows: NDArray[np.bool_]) -> "_Way":
        """A part of them."""
        if rows.all():
            return self
        part = copy(self)
        part.motion, part.points, part.radius = self.motion[rows], self.points[rows], self.radius[rows]
        part._parts = [one[:, rows] for one in self._parts]
        part._shifting = [one[:, rows] for one in self._shifting]
        part._ahead = None if self._ahead is None else self._ahead[:, rows]
        return part

    def now(self, share: FloatArray) -> FloatArray:
        """(n, 3) where they are, patient LPS mm."""
        return self._motions.at(self.motion, share, self.points, self.still)

    def free(self, share: FloatArray) -> FloatArray:
        """(n,) mm that each may surely go on."""
        angle = (share * self._motions.angles[self.motion] * (-1 if self.still else 1)).astype(np.float32)
        cos, sin, part = np.cos(angle), np.sin(angle), share.astype(np.float32)
        cells = self._parts[0] + cos * self._parts[1] + sin * self._parts[2]
        if self._shifting:
            cells -= part * (self._shifting[0] + cos * self._shifting[1] + sin * self._shifting[2])
        if self._ahead is not None:
            cells += part * self._ahead
        found, slack = self._field.sampled(cells)
        free: FloatArray = found.astype(np.float64) - slack - self.radius
        near = free < _ASKED_BELOW_MM
        if self.alone and near.any():
            points = self.some(near).now(share[near])
            free[near] = self._field.exactly(self._to_field.apply(points))[0]
        return free


def _turned(points: FloatArray, axes: FloatArray, angles: FloatArray) -> FloatArray:
    """Rodrigues' formula, row by row."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    along = np.einsum("ij,ij->i", points, axes)[:, None] * axes
    turned: FloatArray = along + cos * (points - along) + sin * np.cross(axes, points)
    return turned
