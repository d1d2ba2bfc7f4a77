"""How well two fragments meet along a fracture or a saw cut: the gap and the step between them."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatArray, Measurement, Part, Vec3, vec3
from ..space import require_one_frame
from ..triangles import closest_on_triangles
from .surfaces import Samples, sampled

_SAMPLES = 40_000
_FACING = 0.7  # cosine of the angle up to which two places count as the same side of the bone
_WAYS = np.array([way for way in np.ndindex(3, 3, 3) if way.count(1) in (0, 2)], np.float64) - 1
_WAYS /= np.linalg.norm(_WAYS, axis=1, keepdims=True)
_MAY_FACE = 0.14  # no normal lies farther than 36.2 degrees from a way: cos(36.2 + acos(_FACING))
_FEWEST = 20
_PARTNERS = 8  # samples that are looked at: their triangles, not they, give the place


@dataclass(frozen=True)
class Edges:
    """Gap and step between two fragments along the line where they meet.

    gap_mm, step_mm: (n,) mm, at n places of the line
    places_lps: (n, 3) those places, LPS mm
    """

    gap_mm: FloatArray
    step_mm: FloatArray
    places_lps: FloatArray
    frame_uid: str = ""

    @property
    def measurements(self) -> dict[str, Measurement]:
        """Largest and mean of both, each with its definition; the largest with its place."""
        found = {}
        for name, values, words in (("gap", self.gap_mm, _GAP), ("step", self.step_mm, _STEP)):
            worst: Vec3 = vec3(self.places_lps[int(values.argmax())])
            for kind, value, places in (("largest", values.max(), (worst,)), ("mean", values.mean(), ())):
                found[f"{kind}_{name}"] = Measurement(
                    float(value),
                    "mm",
                    f"{kind} {words}",
                    places,
                    self.frame_uid,
                    id=f"fracture.{name}.{kind}",
                )
        return found


_GAP = (
    "gap along the line where two fragments meet: from the edge of the second to the nearest place of the "
    "first whose surface faces the same way, along the surface"
)
_STEP = (
    "step-off along the line where two fragments meet: from the edge of the second to the nearest place of "
    "the first whose surface faces the same way, at right angles to the surface"
)


def gap_and_step(a: Part, b: Part, reach_mm: float, report: Report = silent) -> Edges:
    """Measure gap and step-off between two fragments, such as after a reduction.

    From places on the first fragment the nearest place of the second that faces the same way is its edge at
    the fracture; the way back from there to the first fragment is split into what lies along the surface
    (gap) and what stands on it (step). Faces of the fracture itself face each other and take no part.

    a, b: the fragments, at their poses, in one patient space
    reach_mm: how far from each other the edges are looked for
    report: told the progress; may raise Cancelled
    Raises StepFailed when no edges of the two lie within reach, Mismatch for two patient spaces.
    """
    frame = require_one_frame(a, b)
    if not reach_mm > 0:
        raise StepFailed(f"The reach is {reach_mm:g} mm: give how far from each other the edges may lie.")
    report(0.0, "Looking for the edges")
    first, second = (_near(one, other, reach_mm) for one, other in ((a, b.bounds_lps), (b, a.bounds_lps)))
    if first is None or second is None:
        raise StepFailed(_apart(a, b, reach_mm))
    to_second, to_first = _Sides(second, reach_mm), _Sides(first, reach_mm)
    edge, normals, found = to_second.nearest(first.points, first.normals, part_of(report, 0.2, 0.6))
    edge, normals = edge[found], normals[found]
    place, other_normals, found = to_first.nearest(edge, normals, part_of(report, 0.6, 1.0))
    if np.count_nonzero(found) < _FEWEST:
        raise StepFailed(_apart(a, b, reach_mm))
    edge, place, across = edge[found], place[found], normals[found] + other_normals[found]
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    away = place - edge
    up = np.einsum("ij,ij->i", away, across)
    along = np.linalg.norm(away - up[:, None] * across, axis=1)
    return Edges(along, np.abs(up), edge, frame)


class _Sides:
    """Finds the nearest place of a surface that faces a given way.

    For each of 14 ways there is a search tree of the samples that may face like a normal nearest to that way.
    """

    def __init__(self, samples: Samples, reach_mm: float) -> None:
        self._samples, self._reach = samples, reach_mm
        self._rows = [np.flatnonzero(samples.normals @ way > _MAY_FACE) for way in _WAYS]
        self._trees = [cKDTree(samples.points[rows]) if len(rows) else None for rows in self._rows]

    def nearest(
        self, points: FloatArray, normals: FloatArray, report: Report
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """(n, 3) places, (n, 3) their normals, and (n,) whether they face the same way within reach."""
        place, facing = points.copy(), normals.copy()
        apart = np.full(len(points), np.inf)
        nearest_way = (normals @ _WAYS.T).argmax(axis=1)
        for n, (tree, rows) in enumerate(zip(self._trees, self._rows, strict=True)):
            report(n / len(_WAYS), "Measuring gap and step")
            asked = np.flatnonzero(nearest_way == n)
            if tree is None or not len(asked):
                continue
            _, found = tree.query(points[asked], _PARTNERS, distance_upper_bound=1.5 * self._reach)
            found = np.asarray(found)
            missing = found == len(rows)
            partners = rows[np.where(missing, 0, found)]
            places, _ = closest_on_triangles(
                np.repeat(points[asked], _PARTNERS, axis=0), self._samples.corners[partners.ravel()]
            )
            places = places.reshape(len(asked), _PARTNERS, 3)
            away = np.linalg.norm(places - points[asked, None], axis=2)
            away[missing] = np.inf
            away[np.einsum("ij,ikj->ik", normals[asked], self._samples.normals[partners]) <= _FACING] = np.inf
            best = np.arange(len(asked)), away.argmin(axis=1)
            place[asked], facing[asked] = places[best], self._samples.normals[partners[best]]
            apart[asked] = away[best]
        return place, facing, apart <= self._reach


def _near(part: Part, other_bounds: FloatArray, reach_mm: float) -> Samples | None:
    """Samples of the surface within reach of the box of the other part; None when there is none."""
    corners = part.points_lps[part.mesh.triangles]
    low, high = other_bounds[0] - reach_mm, other_bounds[1] + reach_mm
    near = ((corners.max(axis=1) >= low) & (corners.min(axis=1) <= high)).all(axis=1)
    return sampled(corners[near], _SAMPLES) if near.any() else None


def _apart(a: Part, b: Part, reach_mm: float) -> str:
    gap = np.maximum(b.bounds_lps[0] - a.bounds_lps[1], a.bounds_lps[0] - b.bounds_lps[1])
    apart = float(np.linalg.norm(np.maximum(gap, 0)))
    return (
        f"The fragments have no edges within {reach_mm:g} mm of each other (their boxes are {apart:.1f} mm "
        "apart): bring them together, or raise the reach."
    )
