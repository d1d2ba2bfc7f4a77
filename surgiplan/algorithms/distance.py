"""How far points lie from a surface: exact, and with a sign that tells inside from outside."""

from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import mutable, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkGenericCell, vtkPolyData, vtkStaticCellLocator

from ..errors import StepFailed
from ..progress import Report, silent
from ..values import FloatArray, FloatsArray, IntArray, Mesh
from .triangles import FACE, closest_on_triangles

_SLIVER_MM = 1e-3  # height below which the direction of a triangle is lost in the rounding of its corners
_NO_SURFACE = "There is no surface to measure from: the mesh has no triangle with an area."
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
        self.mesh = mesh
        points = mesh.points.astype(np.float64)
        self.corners: FloatArray = points[mesh.triangles]
        """(m, 3, 3) corners of the triangles."""
        triangles = mesh.triangles if mesh.watertight else _joined(points)[mesh.triangles]
        self._normals = _pseudo_normals(self.corners, triangles)
        self._search = locator_of(points, mesh.triangles)

    def at(self, points: ArrayLike, report: Report = silent) -> FloatArray:
        """Signed distances of points in mm, negative inside.

        points: (n, 3) mm, in the coordinates of the mesh
        report: told the progress; may raise Cancelled
        Returns (n,) float64.
        """
        asked = np.asarray(points, np.float64).reshape(-1, 3)
        return self.beside(asked, self.nearest_triangles(asked, report), report)[0]

    def beside(
        self, points: FloatArray, nearest: IntArray, report: Report = silent
    ) -> tuple[FloatArray, FloatArray]:
        """Signed distances of points whose nearest triangles are known, and the nearest places.

        points: (n, 3) mm, in the coordinates of the mesh
        nearest: (n,) rows of `corners`
        report: told that the search is done; may raise Cancelled
        Returns (n,) mm and (n, 3) mm, both float64.
        """
        signed, places = np.empty(len(points)), np.empty((len(points), 3))
        for start in range(0, len(points), _TABLE):
            report(1.0, "Measuring distances")
            some = slice(start, start + _TABLE)
            triangle = nearest[some]
            places[some], feature = closest_on_triangles(points[some], self.corners[triangle])
            away = points[some] - places[some]
            side = np.einsum("ij,ij->i", away, self._normals.of(triangle, feature))
            signed[some] = np.copysign(np.linalg.norm(away, axis=1), side)
        return signed, places

    @property
    def bytes(self) -> int:
        """Memory that the arrays of the surface take."""
        n = self._normals
        arrays = (self.corners, n.triangles, n.edge, n.by_corner, n.by_edge, n.by_face)
        return sum(one.nbytes for one in arrays)

    def face_normals(self, triangles: IntArray) -> FloatArray:
        """(n, 3) unit normals of triangles (n,), pointing outwards."""
        normals: FloatArray = self._normals.by_face[triangles].astype(np.float64)
        return normals

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
        return self._searched(np.asarray(points, np.float64).reshape(-1, 3), report)[0]

    def unsigned(self, points: ArrayLike) -> FloatArray:
        """Distances of a few points of which it is known on which side they lie: half the time of `at`.

        points: (n, 3) mm, in the coordinates of the mesh
        Returns (n,) float64 mm.
        """
        return np.sqrt(self._searched(np.asarray(points, np.float64).reshape(-1, 3), silent)[1])

    def _searched(self, asked: FloatArray, report: Report) -> tuple[IntArray, FloatArray]:
        """(n,) the nearest triangles of points (n, 3), and the squares of their distances."""
        if not np.isfinite(asked).all():
            raise ValueError("a distance needs finite points")
        found, squares = np.empty(len(asked), np.int32), np.empty(len(asked))
        place, cell = [0.0, 0.0, 0.0], vtkGenericCell()
        triangle: Any = mutable(0)
        sub: Any = mutable(0)
        squared: Any = mutable(0.0)
        report(0.0, "Measuring distances")
        heard = monotonic()
        for start in range(0, len(asked), _TABLE):
            for n, point in enumerate(asked[start : start + _TABLE].tolist(), start):
                self._search.FindClosestPoint(point, place, cell, triangle, sub, squared)
                found[n], squares[n] = triangle, float(squared)
                if monotonic() - heard > _HEARD_S:
                    report(n / len(asked), "Measuring distances")
                    heard = monotonic()
        return found, squares


@dataclass(frozen=True)
class _Normals:
    """A normal for each feature of each triangle; the length does not matter.

    triangles, edge: (m, 3) numbers of the corners, and of the edges that begin there
    by_corner, by_edge, by_face: (n, 3), (e, 3), (m, 3) float32
    """

    triangles: IntArray
    edge: IntArray
    by_corner: FloatsArray
    by_edge: FloatsArray
    by_face: FloatsArray

    def of(self, triangle: IntArray, feature: IntArray) -> FloatArray:
        """(n, 3) float64 normals of features (n,) of triangles (n,)."""
        normals = self.by_face[triangle].astype(np.float64)
        on = np.flatnonzero(feature < 3)
        normals[on] = self.by_corner[self.triangles[triangle[on], feature[on]]]
        on = np.flatnonzero((feature >= 3) & (feature < FACE))
        normals[on] = self.by_edge[self.edge[triangle[on], feature[on] - 3]]
        return normals


def _pseudo_normals(corners: FloatArray, triangles: IntArray) -> _Normals:
    """The angle-weighted normals of corners, edges and faces."""
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
    found = (side.astype(np.float32) for side in (by_corner, by_edge, normals))
    return _Normals(triangles, edge.astype(np.int32), *found)


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


def locator_of(corners: FloatArray, triangles: IntArray) -> Any:
    """VTK's search tree over triangles (m, 3), rows of corners (n, 3)."""
    surface, points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(corners, deep=True))
    cells.SetData(3, numpy_to_vtk(triangles.astype(np.int32).ravel(), deep=True))
    surface.SetPoints(points)
    surface.SetPolys(cells)
    locator = vtkStaticCellLocator()
    locator.SetDataSet(surface)
    locator.BuildLocator()
    return locator
