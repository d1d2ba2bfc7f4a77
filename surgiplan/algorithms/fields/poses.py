"""Many poses of a body against another, in one go: asked together, each of them costs less."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import Report, silent
from ...values import FloatArray, FloatsArray, Pose
from .cloud import Cloud
from .contact import Body
from .field import DistanceField
from .lattice import CELL_MM

_AT_ONCE = 8  # poses; what belongs to them stays in the cache
_ROUNDING_MM = 1e-4
_ASKED = 8  # places of a pose whose distance is taken from the surface itself


@dataclass(frozen=True)
class Contacts:
    """How two bodies lie to each other in each of many poses.

    signed_mm: (n,) clearance while they are apart, less than 0 by the depth where they overlap
    contained: (n,) bool, whether one lies wholly inside the other
    places: (n, 3) of that clearance or depth, patient LPS mm
    error_mm: (n,) bound of the error
    """

    signed_mm: FloatArray
    contained: NDArray[np.bool_]
    places: FloatArray
    error_mm: FloatArray


def contacts(
    a: Body,
    b: Body,
    a_poses: list[Pose],
    b_pose: Pose,
    report: Report = silent,
    *,
    both: bool = True,
    exact: bool = False,
) -> Contacts:
    """What `contact` finds, for many poses of the first body.

    a, b: the bodies
    a_poses: of the first body, from its own coordinates to patient LPS mm
    b_pose: of the second
    report: told the progress; may raise Cancelled
    exact: ask the surface itself at all places that could hold the answer, not at a few; slower
    both: whether the second surface is walked over too, for corners of it that enter faces of the first
    """
    count = len(a_poses)
    found = Contacts(np.empty(count), np.zeros(count, np.bool_), np.empty((count, 3)), np.zeros(count))
    for start in range(0, count, _AT_ONCE):
        report(start / count, "Comparing poses")
        some = slice(start, start + _AT_ONCE)
        to_b = [b_pose.inverse.after(pose) for pose in a_poses[some]]
        mm, place, error = _least(a.cloud, b.field, to_b, exact=exact)
        places = np.array([pose.apply(one) for pose, one in zip(a_poses[some], place, strict=True)])
        inner = mm < 0
        if inner.any():
            poses = [to_b[n] for n in np.flatnonzero(inner)]
            inner[inner] = _least(a.cloud, b.field, poses, inside=True)[0] > 0
        if both:
            below = np.where(inner, 0.0, np.where(mm < 0, -np.inf, mm))
            back, there, wrong = _least(b.cloud, a.field, [pose.inverse for pose in to_b], below, exact=exact)
            nearer = (back < mm) & (mm >= 0)
            mm, error = np.where(nearer, back, mm), np.where(nearer, wrong, error)
            places[nearer] = b_pose.apply(there)[nearer]
            inner &= back >= 0
            outer = np.flatnonzero((back < 0) & nearer)
            if len(outer):
                poses = [to_b[n].inverse for n in outer]
                inner[outer] = _least(b.cloud, a.field, poses, inside=True)[0] > 0
        found.signed_mm[some], found.contained[some] = mm, inner
        found.places[some], found.error_mm[some] = places, error
    return found


def _least(
    cloud: Cloud,
    field: DistanceField,
    poses: list[Pose],
    below: FloatArray | None = None,
    *,
    inside: bool = False,
    exact: bool = False,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`contact.least` for many poses: (n,) mm, (n, 3) places in the coordinates of the cloud, (n,) errors.

    Where no distance is smaller than `below` (n,) mm, the answer is infinite.
    """
    limit = np.full(len(poses), np.inf) if below is None else below
    mm, error = np.full(len(poses), np.inf), np.zeros(len(poses))
    best: NDArray[np.intp] = np.zeros(len(poses), np.intp)
    turns = np.array([pose.rotation for pose in poses]) / CELL_MM
    starts = (
        turns @ cloud.middle + (np.array([pose.shift for pose in poses]) - field.lattice.origin) / CELL_MM
    )
    way = turns.astype(np.float32), starts.astype(np.float32)
    sign = np.float32(-1 if inside else 1)
    groups = cloud.groups[0][1].size
    pose, item = np.repeat(np.arange(len(poses)), groups), np.tile(np.arange(groups), len(poses))
    for level, (middles, radii) in enumerate(cloud.groups):
        found, slack = _sampled(field, *way, pose, middles.take(item, axis=1))
        found *= sign
        slack += radii[item]
        near = found - slack <= _lowest(found + slack, pose, limit)[pose]
        row, item = cloud.opened(level, item[near])
        pose = pose[near][row]
    found, slack = _sampled(field, *way, pose, cloud.places.take(item, axis=1))
    found *= sign
    near = found - slack <= _lowest(found + slack, pose, limit)[pose]
    pose, item, found, slack = pose[near], item[near], found[near], slack[near]
    order = np.lexsort((found, pose))
    pose, item, found, slack = pose[order], item[order], found[order], slack[order]
    first = np.flatnonzero(np.diff(pose, prepend=-1))
    if not len(first):
        return mm, cloud.places[:, best].T + cloud.middle, error
    most = len(pose) if exact else _ASKED
    rank = np.arange(len(pose)) - np.repeat(first, np.diff(np.append(first, len(pose))))
    mm[pose[first]], best[pose[first]], error[pose[first]] = found[first], item[first], slack[first]
    left = np.full(len(poses), np.inf)
    left[pose[first]] = np.minimum.reduceat(np.where(rank >= most, found - slack, np.inf), first)
    asked = np.flatnonzero(rank < most)
    whose, which = pose[asked], item[asked]
    there = cloud.places[:, which].T.astype(np.float64) + cloud.middle
    there = np.einsum("nij,nj->ni", np.array([one.rotation for one in poses])[whose], there)
    there += np.array([one.shift for one in poses])[whose]
    measured = sign * (field.exact.at(there) if exact else field.exactly(there)[0])
    order = np.lexsort((measured, whose))
    lead = order[np.flatnonzero(np.diff(whose[order], prepend=-1))]
    mm[whose[lead]], best[whose[lead]] = measured[lead], which[lead]
    error[whose[lead]] = np.maximum(mm[whose[lead]] - left[whose[lead]], _ROUNDING_MM)
    mm[mm >= limit] = np.inf
    return mm, cloud.places[:, best].T.astype(np.float64) + cloud.middle, error


def _sampled(
    field: DistanceField, turns: FloatsArray, starts: FloatsArray, pose: NDArray[np.intp], places: FloatsArray
) -> tuple[FloatsArray, FloatsArray]:
    """Distances of places (3, n), each in its pose; the poses in order."""
    cells = np.empty(places.shape, np.float32)
    ends = np.flatnonzero(np.diff(pose, append=-1)) + 1
    begin = 0
    for end in ends.tolist():
        np.matmul(turns[pose[begin]], places[:, begin:end], out=cells[:, begin:end])
        begin = end
    cells += starts[pose].T
    return field.sampled(cells)


def _lowest(values: FloatsArray, pose: NDArray[np.intp], limit: FloatArray) -> FloatArray:
    """(poses,) the smallest value of each pose, its limit where that is smaller; the poses in order."""
    first = np.flatnonzero(np.diff(pose, prepend=-1))
    lowest = limit.copy()
    if len(first):
        lowest[pose[first]] = np.minimum(limit[pose[first]], np.minimum.reduceat(values, first))
    return lowest
