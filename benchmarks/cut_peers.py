"""Cuts along a plane with a kerf, by ours and by other libraries: what benchmarks.cut sets side by side.

Each method takes a mesh, a plane and a kerf in mm (half on either side of the plane) and gives the pieces as
points and triangles: above, below and the kerf; without a kerf two. The libraries that subtract bodies give
what is above and below as one piece.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from surgiplan.values import Mesh, Part, Plane

Piece = tuple[Any, Any]


def ours(mesh: Mesh, plane: Plane, kerf: float) -> list[Piece]:
    from surgiplan.algorithms.cutting.planes import cut

    found = cut(Part(mesh), plane, kerf, "both")
    pieces = (found.a, found.b, found.kerf) if kerf else (found.a, found.b)
    return [(one.mesh.points, one.mesh.triangles) for one in pieces]


def manifold3d(mesh: Mesh, plane: Plane, kerf: float) -> list[Piece]:
    from manifold3d import Manifold, Mesh64

    body = Manifold(Mesh64(mesh.points.astype(np.float64), mesh.triangles.astype(np.uint64)))
    upper, lower = _offsets(plane, kerf)
    pieces = list(body.split_by_plane(plane.normal, upper))
    if kerf:
        pieces[1:] = reversed(pieces[1].split_by_plane(plane.normal, lower))
    return [(one.vert_properties, one.tri_verts) for one in (p.to_mesh64() for p in pieces)]


def _offsets(plane: Plane, kerf: float) -> tuple[float, float]:
    """Where the upper and the lower face of a kerf lie along the normal, mm."""
    middle = float(np.dot(plane.normal, plane.point))
    return middle + kerf / 2, middle - kerf / 2


def _faces(plane: Plane, kerf: float) -> tuple[Any, Any]:
    """A point of the upper and one of the lower face of a kerf."""
    point, half = np.asarray(plane.point), kerf / 2 * np.asarray(plane.normal)
    return point + half, point - half


def _polydata(points: Any, triangles: Any) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    data, places, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    places.SetData(numpy_to_vtk(np.ascontiguousarray(points, np.float64), deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(triangles.ravel(), np.int64), deep=True))
    data.SetPoints(places)
    data.SetPolys(cells)
    return data


def _arrays(data: Any) -> Piece:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkTriangleFilter

    flat = vtkTriangleFilter()
    flat.SetInputData(data)
    flat.PassLinesOff()
    flat.PassVertsOff()
    flat.Update()
    found = flat.GetOutput()
    if not found.GetNumberOfPolys():
        return np.zeros((0, 3)), np.zeros((0, 3), int)
    connected = vtk_to_numpy(found.GetPolys().GetConnectivityArray())
    return vtk_to_numpy(found.GetPoints().GetData()), connected.reshape(-1, 3)


def vtk_clip_closed(mesh: Mesh, plane: Plane, kerf: float) -> list[Piece]:
    from vtkmodules.vtkCommonDataModel import vtkPlane, vtkPlaneCollection
    from vtkmodules.vtkFiltersGeneral import vtkClipClosedSurface

    data = _polydata(mesh.points, mesh.triangles)
    upper, lower = _faces(plane, kerf)
    found, told = [], list[str]()
    for sides in (((upper, 1),), ((lower, -1),), ((upper, -1), (lower, 1)))[: 3 if kerf else 2]:
        planes = vtkPlaneCollection()
        for point, sign in sides:
            face = vtkPlane()
            face.SetOrigin(*point)
            face.SetNormal(*(sign * np.asarray(plane.normal)))
            planes.AddItem(face)
        clip = vtkClipClosedSurface()
        clip.SetInputData(data)
        clip.SetClippingPlanes(planes)
        clip.TriangulationErrorDisplayOn()
        clip.AddObserver("ErrorEvent", lambda *_: told.append("an error event"))
        clip.Update()
        if told:
            raise RuntimeError(told[0])
        found.append(_arrays(clip.GetOutput()))
    return found


def _block(mesh: Mesh, plane: Plane, kerf: float) -> Piece:
    """The blade as a body that reaches beyond the mesh; without a kerf all that is above the plane."""
    size = 2 * float(np.ptp(mesh.bounds, axis=0).sum())
    normal = np.asarray(plane.normal)
    first = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    first /= np.linalg.norm(first)
    low, high = (-kerf / 2, kerf / 2) if kerf else (0.0, size)
    corners = np.array([[x, y, z] for x in (-size, size) for y in (-size, size) for z in (low, high)])
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))])
    return corners @ np.stack([first, np.cross(normal, first), normal]) + plane.point, triangles


def vtk_boolean(mesh: Mesh, plane: Plane, kerf: float) -> list[Piece]:
    from vtkmodules.vtkFiltersGeneral import vtkBooleanOperationPolyDataFilter

    found = []
    for way in ("SetOperationToDifference", "SetOperationToIntersection"):
        made = vtkBooleanOperationPolyDataFilter()
        made.SetInputData(0, _polydata(mesh.points, mesh.triangles))
        made.SetInputData(1, _polydata(*_block(mesh, plane, kerf)))
        getattr(made, way)()
        made.Update()
        found.append(_arrays(made.GetOutput()))
    return found


def trimesh(mesh: Mesh, plane: Plane, kerf: float) -> list[Piece]:
    from trimesh import Trimesh

    whole = Trimesh(mesh.points.astype(np.float64), mesh.triangles, process=False)
    upper, lower = _faces(plane, kerf)
    normal = np.asarray(plane.normal)
    below = whole.slice_plane(upper, -normal, cap=True, engine="earcut")
    found = [whole.slice_plane(upper, normal, cap=True, engine="earcut"), below]
    if kerf:
        found[1:] = [below.slice_plane(lower, way * normal, cap=True, engine="earcut") for way in (-1, 1)]
    return [(one.vertices, one.faces) for one in found]


def pymeshlab(mesh: Mesh, plane: Plane, kerf: float) -> list[Piece]:
    import pymeshlab as ml

    found = []
    for kind in ("difference", "intersection"):
        both = ml.MeshSet(verbose=False)
        both.add_mesh(ml.Mesh(mesh.points.astype(np.float64), mesh.triangles))
        both.add_mesh(ml.Mesh(*_block(mesh, plane, kerf)))
        both.apply_filter(f"generate_boolean_{kind}", first_mesh=0, second_mesh=1)
        made = both.current_mesh()
        found.append((made.vertex_matrix(), made.face_matrix()))
    return found


def libigl_cgal(mesh: Mesh, plane: Plane, kerf: float) -> list[Piece]:
    from igl.copyleft.cgal import mesh_boolean

    block = _block(mesh, plane, kerf)
    found = []
    for kind in ("minus", "intersect"):
        made = mesh_boolean(
            mesh.points.astype(np.float64),
            mesh.triangles.astype(np.int64),
            *(np.array(x) for x in block),
            kind,
        )
        found.append(made[:2])
    return found


METHODS: Mapping[str, Callable[[Mesh, Plane, float], list[Piece]]] = {
    one.__name__: one
    for one in (ours, manifold3d, vtk_clip_closed, trimesh, vtk_boolean, pymeshlab, libigl_cgal)
}
