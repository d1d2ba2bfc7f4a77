"""How far points lie from a surface: exact, and with a sign that tells inside from outside."""

from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import mutable, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkGenericCell, vtkPolyData, vtkStaticCellLocator

from ..errors import StepFailed
from ..progress import Report, silent
from ..values import FloatArray, IntArray, Mesh

_SLIVER_MM = 1e-3  # height below which the direction of a triangle is lost in the rounding of its corners
_NO_SURFACE = "There is no surface to measure from: the mesh has no triangle with an area."
_FACE = 6  # feature of a triangle: 0 1 2 its corners, 3 4 5 the edges that begin there, 6 its face
_HEARD_S = 0.1  # time between two reports
_TABLE = 50_000  # points worked on at once, for memory


class SignedDistance:
    """Exact distance to a triangle surface, negative inside.

    The nearest triangle is found by vtkStaticCellLocator; the nearest place on it and the sign follow in
    float64 from angle-weighted pseudo-normals (Baerentzen and Aanaes 2005), which tell inside from outside
    for any closed surface that faces outwards. Near an open surface the sign is the side of the nearest
    place: positive where its triangles face.

    mesh: the surface, in its own coordinates
    Raises StepFailed when it has no triangle with an area.
    """

    def __init__(self, mesh: Mesh) -> None:
        if not len(mesh.triangles):
            raise StepFailed(_NO_SURFACE)
        points = mesh.points.astype(np.float64)
        self.corners: FloatArray = points[mesh.triangles]
        """(m, 3, 3) corners of the triangles."""
        triangles = mesh.triangles if mesh.watertight else _joined(points)[mesh.triangles]
        self._normals = _pseudo_normals(self.corners, triangles)
        self._search = locator_of(self.corners)

    def at(self, points: ArrayLike, report: Report = silent) -> FloatArray:
        """Signed distances of points in mm, negative inside.

        points: (n, 3) mm, in the coordinates of the mesh
        report: told the progress; may raise Cancelled
        Returns (n,) float64.
        """
        asked = np.asarray(points, np.float64).reshape(-1, 3)
        nearest = self.nearest_triangles(asked, report)
        signed = np.empty(len(asked))
        for start in range(0, len(asked), _TABLE):
            some = slice(start, start + _TABLE)
            triangle = nearest[some]
            place, feature = closest_on_triangles(asked[some], self.corners[triangle])
            away = asked[some] - place
            side = np.einsum("ij,ij->i", away, self._normals[triangle, feature])
            signed[some] = np.copysign(np.linalg.norm(away, axis=1), side)
        return signed

    def nearest(self, points: ArrayLike, report: Report = silent) -> FloatArray:
        """The nearest place on the surface for each point.

        points: (n, 3) mm, in the coordinates of the mesh
        report: told the progress; may raise Cancelled
        Returns (n, 3) float64 mm.
        """
        asked = np.asarray(points, np.float64).reshape(-1, 3)
        return closest_on_triangles(asked, self.corners[self.nearest_triangles(asked, report)])[0]

    def nearest_triangles(self, points: ArrayLike, report: Report = silent) -> IntArray:
        """The triangle (row of `corners`) that is nearest to each point.

        points: (n, 3) mm, in the coordinates of the mesh
        report: told the progress; may raise Cancelled
        Returns (n,) int32.
        """
        asked = np.asarray(points, np.float64).reshape(-1, 3)
        if not np.isfinite(asked).all():
            raise ValueError("a distance needs finite points")
        found = np.empty(len(asked), np.int32)
        place, cell = [0.0, 0.0, 0.0], vtkGenericCell()
        triangle: Any = mutable(0)
        sub, squared = mutable(0), mutable(0.0)
        report(0.0, "Measuring distances")
        heard = monotonic()
        for start in range(0, len(asked), _TABLE):
            for n, point in enumerate(asked[start : start + _TABLE].tolist(), start):
                self._search.FindClosestPoint(point, place, cell, triangle, sub, squared)
                found[n] = triangle
                if monotonic() - heard > _HEARD_S:
                    report(n / len(asked), "Measuring distances")
                    heard = monotonic()
        return found


def closest_on_triangles(points: FloatArray, corners: FloatArray) -> tuple[FloatArray, IntArray]:
    """The place on a triangle that is nearest to a point, row by row.

    points: (n, 3) mm
    corners: (n, 3, 3) mm, the triangle of each point
    Returns (n, 3) places in mm, and (n,) the feature each lies on: 0 1 2 for the corners, 3 4 5 for the
    edges that begin there, 6 for the face.
    """
    edges = np.roll(corners, -1, axis=1) - corners
    to_point = points[:, None] - corners
    squared = np.einsum("nij,nij->ni", edges, edges)
    along = np.einsum("nij,nij->ni", edges, to_point) / np.where(squared > 0, squared, 1)
    along = np.clip(along, 0, 1)
    on_edges = corners + along[..., None] * edges
    distance = np.square(points[:, None] - on_edges).sum(axis=2)
    rows, edge = np.arange(len(points)), distance.argmin(axis=1)
    share = along[rows, edge]
    feature = np.where(share <= 0, edge, np.where(share >= 1, (edge + 1) % 3, edge + 3))
    place = on_edges[rows, edge]

    normals = np.cross(edges[:, 0], edges[:, 1])
    inside = (np.einsum("nij,nj->ni", np.cross(edges, to_point), normals) > 0).all(axis=1)
    height = np.einsum("nj,nj->n", to_point[:, 0], normals) / np.where(inside, (normals**2).sum(axis=1), 1)
    place = np.where(inside[:, None], points - height[:, None] * normals, place)
    return place, np.where(inside, _FACE, feature).astype(np.int32)


def between_triangles(ones: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far two triangles that do not cross are apart, pair by pair.

    ones, others: (n, 3, 3) mm, the corners of both triangles of each pair
    Returns (n,) distances in mm, and (n, 3) the nearest place on the first triangle.
    """
    n = len(ones)
    here = [ones.reshape(-1, 3)]
    there = [closest_on_triangles(here[0], np.repeat(others, 3, axis=0))[0]]
    there.append(others.reshape(-1, 3))
    here.append(closest_on_triangles(there[1], np.repeat(ones, 3, axis=0))[0])
    on_one, on_other = _between_edges(ones, others)
    places = np.concatenate([side.reshape(n, -1, 3) for side in (*here, on_one)], axis=1)
    opposite = np.concatenate([side.reshape(n, -1, 3) for side in (*there, on_other)], axis=1)
    squared = np.square(places - opposite).sum(axis=2)
    rows, nearest = np.arange(n), squared.argmin(axis=1)
    return np.sqrt(squared[rows, nearest]), places[rows, nearest]


def _between_edges(ones: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n, 9, 3) the places where each edge of one triangle passes each edge of the other most closely.

    Right where both places lie within their edges; elsewhere the nearest place has a corner, and the
    places given here are merely on the edges.
    """
    u, v = (np.roll(corners, -1, axis=1) - corners for corners in (ones, others))
    u, v, p, q = (
        np.repeat(u, 3, axis=1),
        np.tile(v, (1, 3, 1)),
        np.repeat(ones, 3, axis=1),
        np.tile(others, (1, 3, 1)),
    )
    w = p - q
    uu, uv, vv, uw, vw = (np.einsum("nij,nij->ni", x, y) for x, y in ((u, u), (u, v), (v, v), (u, w), (v, w)))
    across = uu * vv - uv * uv
    across = np.where(across > 0, across, 1)
    s = np.clip((uv * vw - vv * uw) / across, 0, 1)
    t = np.clip((uu * vw - uv * uw) / across, 0, 1)
    return p + s[..., None] * u, q + t[..., None] * v


def _pseudo_normals(corners: FloatArray, triangles: IntArray) -> FloatArray:
    """(m, 7, 3) a normal for each feature of each triangle; the length does not matter."""
    edges = np.roll(corners, -1, axis=1) - corners
    length = np.linalg.norm(edges, axis=2, keepdims=True)
    unit = edges / np.where(length > 0, length, 1)
    angles = np.arccos(np.clip(-np.einsum("nij,nij->ni", unit, np.roll(unit, 1, axis=1)), -1, 1))
    ends = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2), axis=2).astype(np.int64)
    _, edge = np.unique(ends[..., 0] * (triangles.max() + 1) + ends[..., 1], return_inverse=True)
    edge = edge.reshape(-1, 3)
    normals = _face_normals(edges, length[..., 0], edge)
    by_corner = _summed(triangles.ravel(), (angles[..., None] * normals[:, None]).reshape(-1, 3))
    by_edge = _summed(edge.ravel(), np.repeat(normals, 3, axis=0))
    return np.concatenate([by_corner[triangles], by_edge[edge], normals[:, None]], axis=1)


def _face_normals(edges: FloatArray, length: FloatArray, edge: NDArray[Any]) -> FloatArray:
    """(m, 3) unit normals. A sliver takes that of the neighbour across its longest edge.

    The float32 rounding of its corners turns the normal of a triangle less than a micrometre high any
    way, and its wide angle would give that normal all the weight.

    edges, length: (m, 3, 3) and (m, 3) the edges of the triangles and how long they are
    edge: (m, 3) number of each edge, the same for both triangles that share it
    Raises StepFailed when there is no other triangle than slivers.
    """
    normals = np.cross(edges[:, 0], edges[:, 1])
    double_area = np.linalg.norm(normals, axis=1)
    known = double_area > _SLIVER_MM * length.max(axis=1)
    if not known.any():
        raise StepFailed(_NO_SURFACE)
    normals = np.where(known[:, None], normals / np.where(known, double_area, 1)[:, None], 0)
    longest = edge[np.arange(len(edge)), length.argmax(axis=1)]
    while not known.all():
        on_edges = _summed(edge.ravel(), np.repeat(normals, 3, axis=0))
        for across in (on_edges[longest], on_edges[edge].sum(axis=1)):
            size = np.linalg.norm(across, axis=1)
            reached = ~known & (size > 0)
            if reached.any():
                break
        else:
            break
        normals[reached] = across[reached] / size[reached, None]
        known |= reached
    return normals


def _summed(group: NDArray[Any], vectors: FloatArray) -> FloatArray:
    return np.stack([np.bincount(group, weights=vectors[:, axis]) for axis in range(3)], axis=1)


def _joined(points: FloatArray) -> IntArray:
    """(n,) the same number for equal points, so that triangles which only touch count as neighbours."""
    _, number = np.unique(points, axis=0, return_inverse=True)
    return number.ravel().astype(np.int32)


def locator_of(corners: FloatArray) -> Any:
    """VTK's search tree over triangles (m, 3, 3)."""
    surface, points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(corners.reshape(-1, 3), deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(np.arange(3 * len(corners), dtype=np.int64), deep=True))
    surface.SetPoints(points)
    surface.SetPolys(cells)
    locator = vtkStaticCellLocator()
    locator.SetDataSet(surface)
    locator.BuildLocator()
    return locator
