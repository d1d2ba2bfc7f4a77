"""How two bodies lie to each other, answered quickly enough to be asked while one of them is dragged."""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import Report, silent
from ...values import Collision, FloatArray, Mesh, Pose, vec3
from .cloud import Cloud
from .field import FIELDS, DistanceField, Fields
from .search import Ways, lowest

_AT_ONCE = 8  # poses; what belongs to them stays in the cache
_TOUCHING_MM = (
    0.5  # nearer than this, a place between two that were looked at can be nearer by more than 0.05 mm
)
_STEPS_MM = (0.5, 0.25, 0.12, 0.06, 0.03)  # of the search there
_ROUND = np.array([one for one in np.ndindex(3, 3, 3) if one != (1, 1, 1)]) - 1.0


class Body:
    """A shape made ready for quick questions: its field, and the places on its surface.

    field: distances to it
    cloud: places on it
    """

    def __init__(self, field: DistanceField, cloud: Cloud) -> None:
        self.field, self.cloud = field, cloud

    @classmethod
    def of(
        cls, mesh: Mesh, report: Report = silent, *, finished: bool = True, fields: Fields = FIELDS
    ) -> "Body":
        """Make a shape ready.

        mesh: a closed surface, in its own coordinates
        report: told the progress; may raise Cancelled
        finished: whether the field is to be exact near the surface at once
        fields: where fields are kept
        """
        field = fields.of(mesh, report, finished=finished)
        return cls(field, field.cloud)


@dataclass(frozen=True)
class Contacts:
    """How two bodies lie to each other in each of many poses.

    signed_mm: (n,) clearance while they are apart, less than 0 by the depth where they overlap
    contained: (n,) bool, whether one lies wholly inside the other
    places: (n, 3) of that clearance or depth, patient LPS mm
    error_mm: (n,) by how much any of the places that were looked at can be nearer, or deeper
    edge_mm: (n,) how far below the surface a contained body lies; NaN for others
    edges: (n, 3) where, patient LPS mm; NaN for others
    """

    signed_mm: FloatArray
    contained: NDArray[np.bool_]
    places: FloatArray
    error_mm: FloatArray
    edge_mm: FloatArray
    edges: FloatArray


def contact(a: Body, b: Body, a_pose: Pose, b_pose: Pose) -> Collision:
    """Depth, clearance, containment and their places, from the fields of both bodies.

    Both surfaces are walked over in the field of the other, so that a corner which enters a face is found
    from either side. Bodies are taken to be in one piece; the exact answer for any bodies is
    `clearance.collide`.

    a, b: the bodies
    a_pose, b_pose: from their own coordinates to patient LPS mm
    """
    found = _compared(a, b, [a_pose], b_pose)
    signed, inner = float(found.signed_mm[0]), bool(found.contained[0])
    at, error = vec3(found.places[0]), float(found.error_mm[0])
    if inner:
        return Collision(-signed, float(found.edge_mm[0]), True, at, error, near_lps=vec3(found.edges[0]))
    if signed < 0:
        return Collision(-signed, 0.0, False, at, error)
    return Collision(0.0, signed, False, at, error, near_lps=at)


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
    """What `contact` finds, for many poses of the first body: asked together, each of them costs less.

    a, b: the bodies
    a_poses: of the first body, from its own coordinates to patient LPS mm
    b_pose: of the second
    report: told the progress; may raise Cancelled
    both: whether the second surface is walked over too, for corners of it that enter faces of the first
    exact: ask the surface itself at all places that could hold the answer, not at a few; slower
    """
    parts = []
    for start in range(0, len(a_poses), _AT_ONCE):
        report(start / len(a_poses), "Comparing poses")
        some = a_poses[start : start + _AT_ONCE]
        parts.append(_compared(a, b, some, b_pose, both=both, exact=exact))
    return Contacts(*(np.concatenate(some) for some in zip(*map(astuple, parts), strict=True)))


def _compared(
    a: Body, b: Body, a_poses: list[Pose], b_pose: Pose, *, both: bool = True, exact: bool = False
) -> Contacts:
    """The answer for a few poses."""
    to_b = Ways.of(a_poses, b_pose)
    first = lowest(a.cloud, b.field, to_b, exact=exact)
    a_lps, b_lps = (np.array([pose.array for pose in one]) for one in (a_poses, [b_pose] * len(a_poses)))
    mm, least, places = first.mm, first.least_mm, _places(a.cloud, first.number, a_lps)
    inner = (mm < 0) & ~first.reaches_out
    around = np.zeros(len(mm), np.bool_)
    asked = inner | (mm >= 0)
    if both and asked.any():
        second = lowest(b.cloud, a.field, to_b.back.some(asked), np.maximum(mm[asked], 0), exact=exact)
        nearer = asked.copy()
        nearer[asked] = second.mm < np.inf
        inner &= ~nearer
        apart = asked & (mm >= 0)
        least[apart] = np.minimum(least[apart], second.least_mm[apart[asked]])
        nearer &= apart
        new = nearer[asked]
        mm[nearer] = second.mm[new]
        places[nearer] = _places(b.cloud, second.number[new], b_lps[nearer])
        around[nearer] = (second.mm[new] < 0) & ~second.reaches_out[new]
    if both:
        _between_places(a, b, a_lps, b_lps, mm, places)
    error = mm - np.minimum(least, mm)
    edge, edges = np.full(len(mm), np.nan), np.full((len(mm), 3), np.nan)
    for one, other, ways, lps, held in ((a, b, to_b, a_lps, inner), (b, a, to_b.back, b_lps, around)):
        if held.any():
            out = lowest(one.cloud, other.field, ways.some(held), inside=True)
            edge[held], edges[held] = out.mm, _places(one.cloud, out.number, lps[held])
            error[held] = np.maximum(error[held], out.mm - out.least_mm)
    contained = edge >= 0
    edge[~contained], edges[~contained] = np.nan, np.nan
    return Contacts(mm, contained, places, error, edge, edges)


def _between_places(
    a: Body, b: Body, a_lps: FloatArray, b_lps: FloatArray, mm: FloatArray, places: FloatArray
) -> None:
    """Where bodies all but touch, look for a nearer place between those that were looked at.

    A pattern search on the first surface, by halves: round the best place, and on from the best one found.

    a_lps, b_lps: (m, 4, 4) the poses
    mm, places: (m,) clearances, (m, 3) mm where; what is nearer is put in
    """
    near = np.flatnonzero((mm > 0) & (mm <= _TOUCHING_MM))
    if not len(near) or not (a.field.ready and b.field.ready):
        return
    one, other = (poses[np.repeat(near, len(_ROUND))] for poses in (a_lps, b_lps))
    for step in _STEPS_MM:
        tried = (places[near][:, None] + step * _ROUND).reshape(-1, 3)
        there = _moved(a.field.exact.nearest(_seen(tried, one)), one)
        signed = b.field.exact.at(_seen(there, other)).reshape(len(near), -1)
        best = signed.argmin(axis=1)
        row = np.flatnonzero(signed.min(axis=1) < mm[near])
        mm[near[row]] = signed[row, best[row]]
        places[near[row]] = there.reshape(len(near), -1, 3)[row, best[row]]


def _moved(points: FloatArray, poses: FloatArray) -> FloatArray:
    """(m, 3) points, each in its pose (m, 4, 4)."""
    moved: FloatArray = (poses[:, :3, :3] @ points[:, :, None])[:, :, 0] + poses[:, :3, 3]
    return moved


def _seen(points: FloatArray, poses: FloatArray) -> FloatArray:
    """(m, 3) points in patient space, each as seen from its pose (m, 4, 4)."""
    seen: FloatArray = ((points - poses[:, :3, 3])[:, None] @ poses[:, :3, :3])[:, 0]
    return seen


def _places(cloud: Cloud, number: NDArray[np.intp], poses: FloatArray) -> FloatArray:
    """(m, 3) places of a cloud, each in its pose (m, 4, 4)."""
    return _moved(cloud.places.take(number, axis=1).T + cloud.middle, poses)
