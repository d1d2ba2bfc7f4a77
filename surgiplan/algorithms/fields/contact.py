"""How two bodies lie to each other, answered quickly enough to be asked while one of them is dragged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import Report, part_of, silent
from ...values import Collision, FloatArray, FloatsArray, Mesh, Pose, vec3
from .cloud import Cloud, Way
from .field import BAND_MM, FIELDS, DistanceField, Fields
from .lattice import ERROR_MM, FAR_ERROR_MM

_ROOTS = 2048  # so many groups are asked at once rather than by way of groups of them
_ASKED = 8  # places whose distance is taken from the surface itself
_ROUNDING_MM = 1e-4


@dataclass(frozen=True)
class Extreme:
    """The smallest (or largest) signed distance of a surface to another.

    mm: the distance, negative inside
    place: (3,) where, in the coordinates of the surface that was walked over
    error_mm: by how much it can be wrong, for the places that were looked at
    """

    mm: float
    place: FloatArray
    error_mm: float


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
        cloud = Cloud(mesh)
        return cls(fields.of(mesh, part_of(report, 0.0, 1.0), finished=finished), cloud)


def contact(a: Body, b: Body, a_pose: Pose, b_pose: Pose) -> Collision:
    """Depth, clearance, containment and their places, from the fields of both bodies.

    Both surfaces are walked over in the field of the other, so that a corner which enters a face is found
    from either side. Bodies are taken to be in one piece; the exact answer for any bodies is
    `clearance.collide`.

    a, b: the bodies
    a_pose, b_pose: from their own coordinates to patient LPS mm
    """
    to_b = b_pose.inverse.after(a_pose)
    first = least(a.cloud, b.field, to_b)
    assert first is not None  # without a limit there is always an answer
    if first.mm >= 0:
        return _apart(a, b, a_pose, b_pose, first)
    at = vec3(a_pose.apply(first.place))
    if reaches_out(a.cloud, b.field, to_b) or least(b.cloud, a.field, to_b.inverse, below=0.0) is not None:
        return Collision(-first.mm, 0.0, False, at, first.error_mm)
    edge = least(a.cloud, b.field, to_b, inside=True)
    if edge is None or edge.mm < 0:
        return Collision(-first.mm, 0.0, False, at, first.error_mm)
    near, error = vec3(a_pose.apply(edge.place)), max(first.error_mm, edge.error_mm)
    return Collision(-first.mm, edge.mm, True, at, error, near_lps=near)


def _apart(a: Body, b: Body, a_pose: Pose, b_pose: Pose, first: Extreme) -> Collision:
    """What is found when no place of the first body lies in the second."""
    to_a = a_pose.inverse.after(b_pose)
    other = least(b.cloud, a.field, to_a, below=first.mm)
    if other is None or other.mm >= first.mm:
        at = vec3(a_pose.apply(first.place))
        return Collision(0.0, first.mm, False, at, first.error_mm, near_lps=at)
    at = vec3(b_pose.apply(other.place))
    if other.mm >= 0:
        return Collision(0.0, other.mm, False, at, other.error_mm, near_lps=at)
    edge = None if reaches_out(b.cloud, a.field, to_a) else least(b.cloud, a.field, to_a, inside=True)
    if edge is None or edge.mm < 0:
        return Collision(-other.mm, 0.0, False, at, other.error_mm)
    near, error = vec3(b_pose.apply(edge.place)), max(other.error_mm, edge.error_mm)
    return Collision(-other.mm, edge.mm, True, at, error, near_lps=near)


def least(
    cloud: Cloud, field: DistanceField, pose: Pose, *, inside: bool = False, below: float = np.inf
) -> Extreme | None:
    """The smallest signed distance of a surface to another, and where.

    Groups of places are asked at their middles first: no distance is steeper than 1, so most of them cannot
    hold the smallest one. Where the field only bounds the answer, the surface itself is asked.

    cloud: the places
    field: the other surface
    pose: from the coordinates of the cloud's mesh to those of the field's
    inside: take distances the other way round: positive inside
    below: None is enough of an answer when no distance is smaller than this
    """
    way, sign = Way(cloud, field, pose), np.float32(-1 if inside else 1)
    first = max(n for n, (_, radii) in enumerate(cloud.groups) if n == 0 or radii.size <= _ROOTS)
    chosen: NDArray[np.intp] = np.arange(cloud.groups[first][1].size)
    for level in range(first, len(cloud.groups)):
        middles, radii = cloud.groups[level]
        found, slack = field.sampled(way.cells(middles.take(chosen, axis=1)))
        found *= sign
        slack += radii[chosen]
        chosen = cloud.opened(level, chosen[found - slack <= min((found + slack).min(), below)])[1]
        if not len(chosen):
            return None
    found, slack = field.sampled(way.cells(cloud.places.take(chosen, axis=1)))
    found *= sign
    open_ = np.flatnonzero(found - slack <= min((found + slack).min(), below))
    if not len(open_):
        return None
    best = open_[found[open_].argmin()]
    enough = ERROR_MM if abs(found[best]) <= BAND_MM else FAR_ERROR_MM
    if slack[open_].max() <= enough:
        lowest = Extreme(float(found[best]), cloud.place(chosen[best]), float(slack[best]))
    else:
        lowest = _asked(cloud, field, pose, chosen[open_], found[open_], slack[open_], float(sign))
    return lowest if lowest.mm < below else None


def _asked(
    cloud: Cloud,
    field: DistanceField,
    pose: Pose,
    places: NDArray[np.intp],
    found: FloatsArray,
    slack: FloatsArray,
    sign: float,
) -> Extreme:
    """The smallest distance, taken from the surface itself at the places where it is most likely."""
    order = np.argsort(found)
    some = order[:_ASKED]
    points = cloud.places[:, places[some]].T.astype(np.float64) + cloud.middle
    exact = sign * field.exact.at(pose.apply(points))
    best, least_else = float(exact.min()), (found - slack)[order[_ASKED:]].min(initial=np.inf)
    error = max(best - float(least_else), _ROUNDING_MM)
    return Extreme(best, cloud.place(places[some[exact.argmin()]]), error)


def reaches_out(cloud: Cloud, field: DistanceField, pose: Pose) -> bool:
    """Whether some place surely lies outside: then the body is not contained, and no more need be asked."""
    middles, radii = cloud.groups[0]
    found, slack = field.sampled(Way(cloud, field, pose).cells(middles))
    return bool((found - radii - slack > 0).any())
