"""Ways along a surface."""

from itertools import pairwise
from typing import Any

import numpy as np
import potpourri3d
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from ...errors import StepFailed
from ...progress import Report, silent
from ...values import FloatArray, IntArray, Measurement, Mesh, Part, vec3
from ..distance import SignedDistance
from ..triangles import closest_on_triangles
from .vectors import placed

OFF_MM = 2.0  # a point farther from the surface than this was not meant to lie on it
_INSIDE = 1e-5  # a place on an edge is moved into the triangle by this share of it


def path(
    part: Part, *points: ArrayLike, landmark_sd_mm: float | None = None, report: Report = silent
) -> Measurement:
    """Measure the way along a surface from point to point.

    The straightest way over the triangles (Sharp and Crane 2020, edge flips from the shortest way along the
    edges): no way near it is shorter, and its length over the triangles is exact.

    part: a part whose surface is walked on
    points: two or more, (3,) LPS mm, on the surface
    landmark_sd_mm: standard deviation of each coordinate of a point, mm; None when it is not known
    report: told the progress; may raise Cancelled
    Raises StepFailed for a point off the surface, for points on pieces that do not hang together, and for a
    surface whose triangles meet wrongly.
    """
    ends = part.pose.inverse.apply(placed(*points))
    surface = SignedDistance(part.mesh)
    on_it = surface.nearest(ends, report)
    off = np.linalg.norm(on_it - ends, axis=1)
    if off.max() > OFF_MM:
        worst = int(off.argmax())
        raise StepFailed(
            f"Point {worst + 1} lies {off[worst]:.1f} mm off the surface, {OFF_MM:g} mm at most are taken: "
            "place it on the surface, or measure a straight distance."
        )
    legs = []
    for n, (start, end) in enumerate(pairwise(on_it)):
        report(n / (len(on_it) - 1), "Finding the way")
        legs.append(_leg(part.mesh, start, end))
    way = np.concatenate([legs[0], *(leg[1:] for leg in legs[1:])])
    error = None
    if landmark_sd_mm is not None:
        starts = [_unit(leg[1] - leg[0]) for leg in legs]
        arrivals = [_unit(leg[-1] - leg[-2]) for leg in legs]
        bends = [starts[0], arrivals[-1], *(a - b for a, b in zip(arrivals[:-1], starts[1:], strict=True))]
        error = landmark_sd_mm * float(np.sqrt(np.square(bends).sum()))
    return Measurement(
        value=float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum()),
        unit="mm",
        definition="shortest way along the surface from point to point, over its triangles; no way near it "
        "is shorter",
        points_lps=tuple(vec3(point) for point in part.pose.apply(on_it)),
        frame_uid=part.frame_uid,
        expected_error=error,
        id="path",
        lines_lps=(tuple(vec3(point) for point in part.pose.apply(way)),),
    )


def _unit(way: FloatArray) -> FloatArray:
    return way / max(float(np.linalg.norm(way)), 1e-12)


def _leg(mesh: Mesh, start: FloatArray, end: FloatArray) -> FloatArray:
    """(n, 3) the way from one place of the surface to another."""
    if np.linalg.norm(end - start) < 1e-6:
        return np.stack([start, end])
    points = mesh.points.astype(np.float64)
    near = _near(points, mesh.triangles, start, end)
    for triangles in (near, mesh.triangles):  # a piece that was cut out can have corners that only touch
        try:
            return _straightest(points, triangles, start, end)
        except RuntimeError as problem:
            trouble = problem
    raise StepFailed(
        "The way cannot be found: triangles of this surface meet wrongly. Repair the surface first."
    ) from trouble


def _near(points: FloatArray, triangles: IntArray, start: FloatArray, end: FloatArray) -> IntArray:
    """The triangles that a shortest way can touch: their detour is no longer than a way along edges."""
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    length = np.linalg.norm(points[edges[:, 1]] - points[edges[:, 0]], axis=1)
    edges, unique = np.unique(edges, axis=0, return_index=True)
    graph: Any = coo_array((length[unique], edges.T), (len(points), len(points))).tocsr()
    to_start, to_end = (np.linalg.norm(points - place, axis=1) for place in (start, end))
    used = np.unique(triangles)
    first, last = (int(used[away[used].argmin()]) for away in (to_start, to_end))
    along = float(dijkstra(graph, directed=False, indices=[first])[0, last])
    if not np.isfinite(along):
        raise StepFailed(
            "The two points lie on pieces of the surface that do not hang together: there is no way along "
            "it. Place both on one piece."
        )
    most = (along + to_start[first] + to_end[last]) * 1.01 + 1e-3
    reached = to_start + to_end <= most
    near: IntArray = triangles[reached[triangles].any(axis=1)]
    return near


def _straightest(points: FloatArray, triangles: IntArray, start: FloatArray, end: FloatArray) -> FloatArray:
    corners, renumbered = np.unique(triangles, return_inverse=True)
    points, triangles = points[corners], renumbered.reshape(-1, 3).astype(np.int32)
    for place in (start, end):
        points, triangles = _with(points, triangles, place)
    solver = potpourri3d.EdgeFlipGeodesicSolver(points, triangles)
    count = len(points)
    found: Any = solver.find_geodesic_path(count - 2, count - 1)
    return np.asarray(found, np.float64)


def _with(points: FloatArray, triangles: IntArray, place: FloatArray) -> tuple[FloatArray, IntArray]:
    """The surface with one more corner, at a place on it."""
    nearest, _ = closest_on_triangles(np.broadcast_to(place, (len(triangles), 3)), points[triangles])
    hit = int(np.square(nearest - place).sum(axis=1).argmin())
    a, b, c = triangles[hit]
    corners = points[[a, b, c]]
    whole = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    weights = np.array(
        [
            np.cross(corners[1] - place, corners[2] - place) @ whole,
            np.cross(corners[2] - place, corners[0] - place) @ whole,
            np.cross(corners[0] - place, corners[1] - place) @ whole,
        ]
    ) / max(float(whole @ whole), 1e-300)
    weights = np.maximum(weights, _INSIDE)
    new = len(points)
    fan = np.array([[a, b, new], [b, c, new], [c, a, new]], np.int32)
    return (
        np.vstack([points, (weights / weights.sum()) @ corners]),
        np.vstack([np.delete(triangles, hit, axis=0), fan]),
    )
