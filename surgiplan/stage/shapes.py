"""Meshes as the drawing library takes them, made once for each content."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkDataArray, vtkIdList, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData, vtkStaticCellLocator
from vtkmodules.vtkFiltersCore import vtkPolyDataNormals

from ..scene.cache import Cache
from ..scene.items import Scene
from ..values import FloatArray, IntArray, Mesh, vec3

_to_vtk: Callable[..., vtkDataArray] = numpy_to_vtk
as_numpy: Callable[..., Any] = vtk_to_numpy
_SHARP_DEGREES = 42.0
_HATCH_MM = 7.0
_QUICK_TRIANGLES = 20_000  # made ready in about 0.02 s


class Shape:
    """One mesh, ready to be drawn and to be hit; its corners are split where it has sharp edges.

    plain: points and triangles as they are in the mesh
    data: the same with normals and hatching coordinates
    sources: for each drawn point the point of the mesh it was made from
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self.plain = polygons(mesh.points, mesh.triangles)
        numbered = vtkPolyData()
        numbered.ShallowCopy(self.plain)
        numbers = copied(np.arange(len(mesh.points), dtype=np.int32))
        numbers.SetName("source")
        numbered.GetPointData().AddArray(numbers)
        normals = vtkPolyDataNormals()
        normals.SetInputData(numbered)
        normals.SetFeatureAngle(_SHARP_DEGREES)
        normals.ConsistencyOff()
        normals.AutoOrientNormalsOff()
        normals.Update()
        self.data: vtkPolyData = normals.GetOutput()
        found = as_numpy(self.data.GetPointData().GetArray("source"))
        self.sources: IntArray = found.astype(np.int32)
        self.data.GetPointData().RemoveArray("source")
        self._weigh_normals()
        self._add_hatching()

    def _weigh_normals(self) -> None:
        """Let a triangle count by its area, so that slivers leave no grain in the light."""
        points = self._mesh.points[self.sources]
        corners = as_numpy(self.data.GetPolys().GetConnectivityArray()).reshape(-1, 3)
        a, b, c = (points[corners[:, n]] for n in range(3))
        faces = np.cross(b - a, c - a)
        normals = np.empty_like(points)
        for axis in range(3):
            share = np.repeat(faces[:, axis], 3)
            normals[:, axis] = np.bincount(corners.ravel(), share, len(points))
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        self.data.GetPointData().SetNormals(copied(normals / np.maximum(lengths, 1e-12)))

    def _add_hatching(self) -> None:
        """Texture coordinates for stripes that stand still on the body."""
        across = self._mesh.points[self.sources] @ np.array([1.0, 0.6, 1.0], np.float32) / _HATCH_MM
        stripes = copied(np.stack([across, across * 0], axis=1).astype(np.float32))
        stripes.SetName("hatching")
        self.data.GetPointData().SetTCoords(stripes)

    @cached_property
    def _locator(self) -> vtkStaticCellLocator:
        locator = vtkStaticCellLocator()
        locator.SetDataSet(self.plain)
        locator.BuildLocator()
        return locator

    def hit(self, start: FloatArray, end: FloatArray) -> FloatArray | None:
        """The first point (3,) where a line from start to end meets the mesh, in its own coordinates."""
        points = vtkPoints()
        self._locator.IntersectWithLine(vec3(start), vec3(end), 1e-6, points, vtkIdList())
        return np.asarray(points.GetPoint(0)) if points.GetNumberOfPoints() else None


def copied(array: ArrayLike) -> vtkDataArray:
    """An array for the drawing library: a copy, for it writes into what it is given."""
    return _to_vtk(np.ascontiguousarray(array), deep=True)


def polygons(points: ArrayLike, triangles: IntArray) -> vtkPolyData:
    """(n, 3) points and (m, 3) triangles for the drawing library."""
    corners = vtkPoints()
    corners.SetData(copied(points))
    cells = vtkCellArray()
    cells.SetData(3, copied(triangles.ravel()))
    data = vtkPolyData()
    data.SetPoints(corners)
    data.SetPolys(cells)
    return data


def lines(points: ArrayLike, ends: ArrayLike) -> vtkPolyData:
    """(n, 3) points joined in pairs by (m, 2) indices."""
    corners = vtkPoints()
    corners.SetData(copied(np.asarray(points, np.float32)))
    cells = vtkCellArray()
    cells.SetData(2, copied(np.asarray(ends, np.int32).ravel()))
    data = vtkPolyData()
    data.SetPoints(corners)
    data.SetLines(cells)
    return data


def dot() -> vtkPolyData:
    """A single point at the origin."""
    corners, cells = vtkPoints(), vtkCellArray()
    corners.InsertNextPoint(0.0, 0.0, 0.0)
    cells.InsertNextCell(1, [0])
    data = vtkPolyData()
    data.SetPoints(corners)
    data.SetVerts(cells)
    return data


_SHAPES: Cache[Shape] = Cache(1 << 30)


def shape_of(mesh: Mesh) -> Shape:
    """The drawable form of a mesh; made at the first call (about 0.1 s for 200 000 triangles), then kept."""
    return _SHAPES.get(mesh.digest, lambda: Shape(mesh), _bytes_of)


def _bytes_of(shape: Shape) -> int:
    return int(1024 * (shape.data.GetActualMemorySize() + shape.plain.GetActualMemorySize()))


def prepared(scene: Scene) -> bool:
    """Whether showing a scene takes no time: its larger meshes are made ready."""
    meshes = [one.mesh for one in scene.surfaces]
    return all(len(mesh.triangles) <= _QUICK_TRIANGLES or mesh.digest in _SHAPES for mesh in meshes)


def prepare(scene: Scene) -> None:
    """Make ready what a scene needs, so that showing it later takes no time; may run in a worker thread."""
    for one in scene.surfaces:
        shape_of(one.mesh)
