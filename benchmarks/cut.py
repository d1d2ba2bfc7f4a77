"""How fast a hollow bone is sawn with a kerf beside other libraries, as a table for docs/benchmarks.md.

python -m benchmarks.cut [--rounds N] [--limit SECONDS]

A bone with a canal, uneven, far from the origin and askew, made by code, of 100k, 500k and 2M triangles, is
cut along a plane with a blade of 1 mm: three pieces, as arrays. Each method runs in a process of its own, in
turns. CPU seconds are what to compare, best of the rounds. A method passes when all pieces are closed (after
joining equal points) and their volumes add up within 1e-6. A peer that is not installed is left out; those
that are not shipped (trimesh's triangulation, pymeshlab, libigl) are put into the environment by the person
who measures.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from surgiplan.values import Mesh, Part, Plane, Pose

POSE = Pose.of_shift((112, -245, 804)).after(Pose.of_rotation((1, 2, 3), 37))
PLANE = Plane((112, -245, 812), (0.2, 0.1, 0.95))
KERF = 1.0
NORMAL, POINT = np.asarray(PLANE.normal), np.asarray(PLANE.point)
UPPER, LOWER = POINT + KERF / 2 * NORMAL, POINT - KERF / 2 * NORMAL
Piece = tuple[Any, Any]


def bone(count: int) -> Mesh:
    """A bone of about so many triangles: an uneven outer surface and a canal that ends blind."""
    rings = round((count / 8) ** 0.5)
    outer, inner = _egg(rings, (24.0, 20.0, 90.0), 0.06), _egg(rings, (11.0, 10.0, 80.0), 0.03)
    points = np.concatenate([outer[0], inner[0]])
    triangles = np.concatenate([outer[1], inner[1][:, ::-1] + len(outer[0])])
    return Mesh(POSE.apply(points).astype(np.float32), triangles.astype(np.int32))


def _egg(rings: int, axes: tuple[float, float, float], uneven: float) -> tuple[Any, Any]:
    theta = np.linspace(0, np.pi, rings + 1)[1:-1]
    phi = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    t, p = np.meshgrid(theta, phi, indexing="ij")
    swell = 1 + uneven * np.sin(5 * p + 3 * t) * np.sin(t) ** 2 + uneven * np.cos(7 * t) * np.sin(t)
    ball = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=-1) * swell[..., None]
    points = np.vstack([[0, 0, 1], ball.reshape(-1, 3), [0, 0, -1]]) * axes
    here = np.arange(2 * rings)
    there, last = (here + 1) % (2 * rings), len(points) - 1
    starts = 1 + 2 * rings * np.arange(rings - 2)[:, None]
    a, b, c, d = starts + here, starts + 2 * rings + here, starts + 2 * rings + there, starts + there
    sides = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    bottom = last - 2 * rings
    top = np.stack([0 * here, 1 + here, 1 + there], -1)
    end = np.stack([0 * here + last, bottom + there, bottom + here], -1)
    return points, np.concatenate([sides, top, end])


def ours(mesh: Mesh) -> list[Piece]:
    from surgiplan.algorithms.cutting.planes import cut

    found = cut(Part(mesh), PLANE, KERF, "both")
    return [(one.mesh.points, one.mesh.triangles) for one in (found.a, found.b, found.kerf)]


def manifold3d(mesh: Mesh) -> list[Piece]:
    from manifold3d import Manifold, Mesh64

    body = Manifold(Mesh64(mesh.points.astype(np.float64), mesh.triangles.astype(np.uint64)))
    a, rest = body.split_by_plane(PLANE.normal, float(UPPER @ NORMAL))
    kerf, b = rest.split_by_plane(PLANE.normal, float(LOWER @ NORMAL))
    return [(one.vert_properties, one.tri_verts) for one in (p.to_mesh64() for p in (a, b, kerf))]


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


def vtk_clip_closed(mesh: Mesh) -> list[Piece]:
    from vtkmodules.vtkCommonDataModel import vtkPlane, vtkPlaneCollection
    from vtkmodules.vtkFiltersGeneral import vtkClipClosedSurface

    data = _polydata(mesh.points, mesh.triangles)
    found = []
    for sides in (((UPPER, 1),), ((LOWER, -1),), ((UPPER, -1), (LOWER, 1))):
        planes = vtkPlaneCollection()
        for point, sign in sides:
            plane = vtkPlane()
            plane.SetOrigin(*point)
            plane.SetNormal(*(sign * NORMAL))
            planes.AddItem(plane)
        clip = vtkClipClosedSurface()
        clip.SetInputData(data)
        clip.SetClippingPlanes(planes)
        clip.Update()
        found.append(_arrays(clip.GetOutput()))
    return found


def _slab(half: float = 150.0) -> Piece:
    first = np.cross(NORMAL, (1.0, 0, 0))
    first /= np.linalg.norm(first)
    axes = np.stack([first, np.cross(NORMAL, first), NORMAL])
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))])
    return (corners * (half, half, KERF / 2)) @ axes + POINT, triangles


def vtk_boolean(mesh: Mesh) -> list[Piece]:
    from vtkmodules.vtkFiltersGeneral import vtkBooleanOperationPolyDataFilter

    found = []
    for way in ("SetOperationToDifference", "SetOperationToIntersection"):
        made = vtkBooleanOperationPolyDataFilter()
        made.SetInputData(0, _polydata(mesh.points, mesh.triangles))
        made.SetInputData(1, _polydata(*_slab()))
        getattr(made, way)()
        made.Update()
        found.append(_arrays(made.GetOutput()))
    return found


def trimesh(mesh: Mesh) -> list[Piece]:
    from trimesh import Trimesh

    whole = Trimesh(mesh.points.astype(np.float64), mesh.triangles, process=False)
    below = whole.slice_plane(UPPER, -NORMAL, cap=True, engine="earcut")
    found = [
        whole.slice_plane(UPPER, NORMAL, cap=True, engine="earcut"),
        below.slice_plane(LOWER, -NORMAL, cap=True, engine="earcut"),
        below.slice_plane(LOWER, NORMAL, cap=True, engine="earcut"),
    ]
    return [(one.vertices, one.faces) for one in found]


def pymeshlab(mesh: Mesh) -> list[Piece]:
    import pymeshlab as ml

    found = []
    for kind in ("difference", "intersection"):
        both = ml.MeshSet(verbose=False)
        both.add_mesh(ml.Mesh(mesh.points.astype(np.float64), mesh.triangles))
        both.add_mesh(ml.Mesh(*_slab()))
        both.apply_filter(f"generate_boolean_{kind}", first_mesh=0, second_mesh=1)
        made = both.current_mesh()
        found.append((made.vertex_matrix(), made.face_matrix()))
    return found


def libigl_cgal(mesh: Mesh) -> list[Piece]:
    from igl.copyleft.cgal import mesh_boolean

    slab = _slab()
    found = []
    for kind in ("minus", "intersect"):
        made = mesh_boolean(
            mesh.points.astype(np.float64),
            mesh.triangles.astype(np.int64),
            *(np.array(x) for x in slab),
            kind,
        )
        found.append(made[:2])
    return found


METHODS: Mapping[str, Callable[[Mesh], list[Piece]]] = {
    one.__name__: one
    for one in (ours, manifold3d, vtk_clip_closed, trimesh, vtk_boolean, pymeshlab, libigl_cgal)
}


def judged(mesh: Mesh, found: list[Piece]) -> str:
    """Whether all pieces are closed and add up."""
    volume, problems = 0.0, []
    for points, triangles in found:
        if not len(triangles):
            problems.append("empty")
            continue
        places, number = np.unique(np.asarray(points, np.float64)[:, :3], axis=0, return_inverse=True)
        named = number.ravel()[np.asarray(triangles).astype(np.intp)]
        a, b, c = named.T
        named = named[(a != b) & (b != c) & (c != a)]
        if open_edges := Mesh(places, named).open_edges:
            problems.append(f"{open_edges} open edges")
        volume += abs(_volume(places, named))
    lost = volume / mesh.volume_mm3 - 1
    if abs(lost) > 1e-6:
        problems.append(f"volume {lost:+.1e}")
    return ", ".join(problems) or f"closed, volume {lost:+.0e}"


def _volume(points: Any, triangles: Any) -> float:
    corners = (points - points.mean(axis=0))[triangles]
    return float(np.einsum("ni,ni->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))) / 6


def worker(name: str, count: int) -> dict[str, Any]:
    mesh = bone(count)
    small = bone(2000)
    METHODS[name](small)  # loads what is loaded once
    cpu, wall = time.process_time(), time.perf_counter()
    found = METHODS[name](mesh)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "triangles": len(mesh.triangles), "told": judged(mesh, found)}


def measured(name: str, count: int, limit: float) -> dict[str, Any]:
    order = [sys.executable, "-m", "benchmarks.cut", "--worker", name, "--triangles", str(count)]
    try:
        done = subprocess.run(order, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"told": f"more than {limit:g} s"}
    if done.returncode < 0:
        return {"told": f"died (signal {-done.returncode})"}
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1]
        return {"told": "not installed" if last.startswith(("ModuleNotFound", "ImportError")) else last[:80]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--limit", type=float, default=200.0)
    asked.add_argument("--worker")
    asked.add_argument("--triangles", type=int, default=0)
    given = asked.parse_args()
    if given.worker:
        print(json.dumps(worker(given.worker, given.triangles)))
        return
    print("| triangles | method | CPU s | times ours | result |\n|---|---|---|---|---|")
    for count in (100_000, 500_000, 2_000_000):
        best: dict[str, dict[str, Any]] = {}
        out = set()
        for _ in range(given.rounds):
            for name in METHODS:
                if name in out:
                    continue
                one = measured(name, count, given.limit)
                if "cpu" not in one or one["cpu"] > 20:
                    out.add(name)  # once is enough
                if name not in best or one.get("cpu", 1e9) < best[name].get("cpu", 1e9):
                    best[name] = one
        for name, one in best.items():
            cpu = one.get("cpu")
            figures = f"{cpu:.2f} | {cpu / best['ours']['cpu']:.1f}" if cpu is not None else "- | -"
            print(f"| {count // 1000}k | {name} | {figures} | {one['told']} |", flush=True)


if __name__ == "__main__":
    main()
