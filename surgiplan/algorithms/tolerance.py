"""What errors on the way from scan to saw do to a plan: distributions by Monte-Carlo, from a fixed seed."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from ..errors import StepFailed
from ..progress import Report, silent
from ..values import FloatArray, IntArray, Part, Plane, Tolerance, Vec3, vec3
from .distance import SignedDistance

_SEED = 20240229
_FLAT_COSINE = np.cos(np.radians(0.5))  # faces that lie in one plane
_FLAT_MM = 0.01  # how far a flat face may leave its plane
_TABLE = 4_000_000  # numbers worked on at once, for memory
_AXIS_STEP_MM = 1.0
_FIRST_STRIDE = 8  # of the places on an axis that are asked for first


@dataclass(frozen=True)
class Errors:
    """Independent errors as standard deviations.

    voxel, threshold, print, seating, saw: of the place, mm, along any direction
    angle: of the direction, degrees, about each of the two axes across it
    """

    voxel: float
    threshold: float
    print: float
    seating: float
    saw: float
    angle: float

    @property
    def place_mm(self) -> float:
        """Standard deviation of the place: independent errors add in squares."""
        return float(np.linalg.norm([self.voxel, self.threshold, self.print, self.seating, self.saw]))


@dataclass(frozen=True)
class Slab:
    """A cut: the middle plane of what the saw takes away, how thick that is, and how wide.

    reach_mm: how far round the point of the plane it goes
    """

    plane: Plane
    thickness_mm: float
    reach_mm: float


@dataclass(frozen=True)
class Shaft:
    """A screw or a drill.

    entry, tip: ends of its axis, LPS mm
    radius: mm
    skip: length below the entry that does not count, mm
    """

    entry: Vec3
    tip: Vec3
    radius: float
    skip: float = 0.0


@dataclass(frozen=True)
class Spread:
    """What came of it.

    planned: what was shifted and tilted
    planned_mm: the margin as planned
    margins_mm: (n,) the margin in each trial; negative where the body is reached
    breaches_mm: (n,) how far what must not be reached is gone into; 0 where it is not
    at_lps: place on the body where the margin is smallest as planned, LPS mm
    """

    planned: Slab | Shaft
    planned_mm: float
    margins_mm: FloatArray
    breaches_mm: FloatArray
    at_lps: Vec3


def draws(errors: Errors, trials: int) -> tuple[FloatArray, FloatArray]:
    """Errors of so many trials, the same at each call: shifts (n, 3) in mm and turns (n, 2) in radians.

    Points of a scrambled Halton sequence through the inverse of the normal distribution: they fill the space
    more evenly than chance (Owen 2017, "A randomized Halton algorithm in R"), so fewer are needed.
    """
    normal = ndtri(qmc.Halton(5, seed=_SEED).random(trials))
    return normal[:, :3] * errors.place_mm, normal[:, 3:] * np.radians(errors.angle)


def slab_of(kerf: Part) -> Slab:
    """The cut that made a kerf: its two large flat faces, to the rounding of the mesh.

    Raises StepFailed when the body has not two parallel flat faces: several cuts at once, or no kerf.
    """
    mesh = kerf.placed()
    if not len(mesh.triangles):
        raise StepFailed("there is no kerf: the saw took nothing away; give a plane instead")
    corners = mesh.points.astype(np.float64)[mesh.triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1)
    unit = across / np.where(area > 0, area, 1)[:, None]
    normal = _main_direction(unit, area)
    faces = [_face_height(corners, unit, area, sign * normal) for sign in (1.0, -1.0)]
    if any(height is None for height in faces):
        raise StepFailed("the kerf is not the slab of one plane: give the kerf of a single cut, or a plane")
    top, bottom = float(faces[0] or 0.0), -float(faces[1] or 0.0)
    middle = mesh.bounds.mean(axis=0)
    point = middle + normal * ((top + bottom) / 2 - middle @ normal)
    return slab_on(Plane(vec3(point), vec3(normal)), top - bottom, kerf)


def slab_on(plane: Plane, thickness: float, body: Part) -> Slab:
    """A cut along a plane, as wide as a body is when seen along it; its point is moved to their middle."""
    away = body.placed().points.astype(np.float64) - np.asarray(plane.point)
    aside = away - np.outer(away @ np.asarray(plane.normal), plane.normal)
    if not len(aside):
        return Slab(plane, thickness, 0.0)
    middle = (aside.min(axis=0) + aside.max(axis=0)) / 2
    middle -= np.asarray(plane.normal) * (middle @ np.asarray(plane.normal))
    reach = float(np.linalg.norm(aside - middle, axis=1).max())
    return Slab(Plane(vec3(np.asarray(plane.point) + middle), plane.normal), thickness, reach)


def _main_direction(unit: FloatArray, area: FloatArray) -> FloatArray:
    """The direction that most of the surface faces, up to its sign."""
    rounded, group = np.unique(np.round(unit, 2), axis=0, return_inverse=True)
    most = rounded[np.bincount(group.ravel(), weights=area).argmax()]
    near = unit @ most > 0.999 * np.linalg.norm(most)
    summed: FloatArray = (unit[near] * area[near, None]).sum(axis=0)
    return summed / max(float(np.linalg.norm(summed)), 1e-300)


def _face_height(corners: FloatArray, unit: FloatArray, area: FloatArray, normal: FloatArray) -> float | None:
    """How far along a direction the flat face lies that looks there; None when there is none."""
    flat = unit @ normal > _FLAT_COSINE
    if area[flat].sum() < 0.1 * area.sum():
        return None
    heights = corners[flat] @ normal
    middle = float(np.average(heights.mean(axis=1), weights=area[flat]))
    return middle if np.abs(heights - middle).max() < _FLAT_MM else None


def cut_spread(
    slab: Slab, body: Part, spare: Part | None, errors: Errors, trials: int, report: Report = silent
) -> Spread:
    """Margin and breach of a cut whose plane is not where it was planned.

    The margin is the distance from the surface of the body to the near face of the kerf; the body (a tumour)
    goes with the side it lies on. The blade's plane counts without end. A trial shifts it along its normal
    and tilts it about two axes through its middle. The distance of a body from a plane is that of its
    nearest corner: exact.

    spare: what the far face of the kerf must not reach; None: the breach is into the body itself
    report: told the progress; may raise Cancelled
    """
    shifts, turns = draws(errors, trials)
    pivot, half, towards = np.asarray(slab.plane.point), slab.thickness_mm / 2, np.asarray(slab.plane.normal)
    away = slab.plane.distance(body.placed().points)
    towards = towards if not len(away) or away.mean() >= 0 else -towards
    normals = _tilted(towards, turns)
    corners = _near_points(body, pivot, towards, turns)
    margins = _least(corners, normals, report) - shifts[:, 0] - half
    planned = corners @ towards
    nearest = int(planned.argmin())
    if spare is None:
        breaches = np.maximum(0.0, -margins)
    else:
        reach = -_least(_near_points(spare, pivot, -towards, turns), -normals, report)
        breaches = np.maximum(0.0, reach - shifts[:, 0] + half)
    at = vec3(corners[nearest] + pivot)
    return Spread(slab, float(planned[nearest]) - half, margins, breaches, at)


def trajectory_spread(
    shaft: Shaft, bone: Part, spare: Part | None, errors: Errors, trials: int, report: Report = silent
) -> Spread:
    """Bone left round a screw or a drill that is not where it was planned.

    The margin is the least thickness of bone round the cylinder, from below the entry to the tip. A trial
    shifts the axis at the entry and tilts it there.

    bone: closed; what the cylinder must stay in
    spare: what it must not reach; None: the breach is how far it leaves the bone
    report: told the progress; may raise Cancelled
    """
    start, along = np.asarray(shaft.entry), np.subtract(shaft.tip, shaft.entry)
    length, skip, radius = float(np.linalg.norm(along)), shaft.skip, shaft.radius
    if not skip < length:
        raise StepFailed(
            f"the trajectory is {length:.1f} mm long and the first {skip:.1f} mm do not count, so nothing is "
            "left: put entry and tip apart, or skip less"
        )
    if not bone.mesh.watertight:
        raise StepFailed("the bone is not closed, so nothing lies in it or out of it: repair it first")
    depths = np.linspace(skip, length, max(2, 1 + int(np.ceil((length - skip) / _AXIS_STEP_MM))))
    shifts, turns = draws(errors, trials)
    ways = np.concatenate([[along / length], _tilted(along / length, turns)])
    starts = np.concatenate([[start], start + shifts])
    axes = starts[:, None] + depths[:, None] * ways[:, None]
    outermost, at = _highest(bone, axes, 1.0, report)
    margins = -outermost - radius
    if spare is None:
        breaches = np.maximum(0.0, -margins)
    else:
        breaches = np.maximum(0.0, radius + _highest(spare, axes, -1.0, report)[0])
    return Spread(shaft, float(margins[0]), margins[1:], breaches[1:], vec3(axes[0, at[0]]))


def _tilted(direction: FloatArray, turns: FloatArray) -> FloatArray:
    """(n, 3) a direction turned by rotation vectors across it: exact for any angle (Rodrigues' formula)."""
    first = np.eye(3)[int(np.argmin(np.abs(direction)))]
    first = first - direction * (first @ direction)
    first /= np.linalg.norm(first)
    second = np.cross(direction, first)
    angle = np.linalg.norm(turns, axis=1, keepdims=True)
    sideways = turns[:, :1] * np.cross(first, direction) + turns[:, 1:] * np.cross(second, direction)
    tilted: FloatArray = np.cos(angle) * direction + np.sinc(angle / np.pi) * sideways
    return tilted


def _least(points: FloatArray, directions: FloatArray, report: Report) -> FloatArray:
    """(n,) the least height of some points along each of n directions."""
    step = max(1, _TABLE // max(len(points), 1))
    some = []
    for start in range(0, len(directions), step):
        report(start / len(directions), "Making trials")
        some.append((points @ directions[start : start + step].T).min(axis=0))
    return np.concatenate(some)


def _near_points(part: Part, pivot: FloatArray, towards: FloatArray, turns: FloatArray) -> FloatArray:
    """(m, 3) from the pivot, LPS mm: the points of a body of which one has the least height in every trial.

    A tilt by t moves a point at the distance r from the axis of `towards` up or down by r sin t at most; one
    that lies higher than the lowest point by more than both can move is never the lowest.
    """
    points = part.placed().points.astype(np.float64) - pivot
    if not len(points):
        raise StepFailed("a body has no surface, so nothing can be said of its distance: choose another")
    heights = points @ towards
    aside = np.linalg.norm(points - np.outer(heights, towards), axis=1)
    lowest = int(heights.argmin())
    steepest = min(float(np.linalg.norm(turns, axis=1).max(initial=0.0)), 1.5)
    near: FloatArray = points[heights - heights[lowest] <= (aside + aside[lowest]) * np.tan(steepest)]
    return near if steepest < 1.5 else points


def _highest(part: Part, axes: FloatArray, sign: float, report: Report) -> tuple[FloatArray, IntArray]:
    """(n,) the largest signed distance (times 1 or -1) along each of n axes, and where on the axis it is.

    axes: (n, m, 3) evenly spaced places, LPS mm
    Exact for these places, with few of them asked for: a distance changes by no more than the way, so what
    lies between two known places has a bound, and is only asked for where that is above the best so far.
    """
    distance, count = SignedDistance(part.placed()), axes.shape[1]
    step = float(np.linalg.norm(axes[0, 1] - axes[0, 0]))
    upper = np.full(axes.shape[:2], np.inf)  # of each place: its distance, or a bound that is low enough
    best, at = np.full(len(axes), -np.inf), np.zeros(len(axes), np.int32)
    stride = _FIRST_STRIDE
    columns = np.union1d(np.arange(0, count, stride), [count - 1])
    while stride:
        for column in columns:
            asked = np.flatnonzero(upper[:, column] > best)
            found = sign * distance.at(axes[asked, column], report)
            upper[asked, column] = found
            better = asked[found > best[asked]]
            best[better], at[better] = upper[better, column], column
        stride //= 2
        if stride:
            columns = np.setdiff1d(np.arange(0, count, stride), np.arange(0, count, 2 * stride))
            columns = columns[columns != count - 1]
            ends = columns - stride, np.minimum(columns + stride, count - 1)
            reach = [upper[:, end] + np.abs(end - columns) * step for end in ends]
            upper[:, columns] = np.minimum(*reach)
    return best, at


def told(spread: Spread, errors: Errors, least: float, most: float) -> Tolerance:
    """The figures of a spread.

    least: the margin that is wanted, mm
    most: the breach that is borne, mm
    """
    margins, breaches, planned = spread.margins_mm, spread.breaches_mm, spread.planned
    low, high = np.quantile(margins, (0.05, 0.95))
    if isinstance(planned, Slab):
        at, along, length = planned.plane.point, planned.plane.normal, 0.0
        half, reach = planned.thickness_mm / 2, planned.reach_mm
    else:
        axis = np.subtract(planned.tip, planned.entry)
        length = float(np.linalg.norm(axis))
        at, along, half, reach = planned.entry, vec3(axis / length), planned.radius, planned.radius
    return Tolerance(
        margin_mm=spread.planned_mm,
        margin_mean_mm=float(margins.mean()),
        margin_p5_mm=float(low),
        margin_p95_mm=float(high),
        least_margin_mm=least,
        short_chance=float(np.mean(margins < least)),
        breach_mean_mm=float(breaches.mean()),
        breach_p95_mm=float(np.quantile(breaches, 0.95)),
        most_breach_mm=most,
        deep_chance=float(np.mean(breaches > most)),
        trials=len(margins),
        place_sd_mm=errors.place_mm,
        angle_sd_deg=errors.angle,
        from_lps=at,
        along=along,
        length_mm=length,
        half_mm=half,
        reach_mm=reach,
        at_lps=spread.at_lps,
        margins_mm=margins.astype(np.float32),
    )
