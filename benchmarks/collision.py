"""How fast it is told how two bodies lie to each other, beside other libraries, and how true that is.

python -m benchmarks.collision [--poses N] [--hip N]

A screw of 10,002 points near the surface of a bone of 540,000 triangles, in the same poses for all: signed
clearance, its place, containment. CPU seconds; few poses for the slow ones. Open3D is optional
(pip install surgiplan[peers]); where it is absent its row is left out.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt, zoom

from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.fields.cloud import Cloud
from surgiplan.algorithms.fields.contact import Body, contact, contacts
from surgiplan.algorithms.fields.field import BAND_MM, DistanceField
from surgiplan.algorithms.fields.lattice import CELL_MM, FINER
from surgiplan.algorithms.fields.search import Ways, lowest
from surgiplan.phantoms import Femur, Hip
from surgiplan.phantoms.phantom import mesh_of
from surgiplan.values import IDENTITY, FloatArray, FloatsArray, Mesh, Pose

_SLOW = {"Open3D RaycastingScene": 6, "vtkCollisionDetectionFilter": 4, "vtkImplicitPolyDataDistance": 2}

_JUDGED = 20  # poses, near and far ones, whose smallest distance is compared with the exact one


def bone() -> Mesh:
    """The phantom femur with its canal."""
    femur = Femur()
    return mesh_of(femur.surface - femur.canal, femur.scan_box, 0.6)


def screw(around: int = 100, along: int = 100) -> Mesh:
    """A screw of 50 mm with rounded turns: 10,002 points."""
    angle, z = np.linspace(0, 2 * np.pi, around, endpoint=False), np.linspace(0, 50, along)
    radius = 2.5 + 0.4 * np.sin(5 * z)
    x, y = np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle))
    points = np.stack([x, y, np.repeat(z[:, None], around, axis=1)], axis=-1).reshape(-1, 3)
    points = np.concatenate([points, [[0, 0, 0], [0, 0, 50]]])
    i, j = np.meshgrid(np.arange(along - 1), np.arange(around), indexing="ij")
    a, b = (i * around + j).ravel(), (i * around + (j + 1) % around).ravel()
    k, top = np.arange(around), (along - 1) * around
    following = (k + 1) % around
    ends = [
        np.stack([np.full(around, len(points) - 2), following, k], axis=1),
        np.stack([np.full(around, len(points) - 1), top + k, top + following], axis=1),
    ]
    sides = [np.stack([a, b, b + around], axis=1), np.stack([a, b + around, a + around], axis=1)]
    return Mesh(points.astype(np.float32), np.concatenate([*sides, *ends]).astype(np.int32))


def poses_near(mesh: Mesh, count: int) -> list[Pose]:
    """The middle of the screw within a few millimetres of the surface, turned anyhow."""
    chance, found = np.random.default_rng(5), []
    for n in chance.integers(0, len(mesh.points), count):
        turn = Pose.of_rotation(chance.normal(size=3), chance.uniform(0, 180))
        place = mesh.points[n].astype(float) + chance.normal(0, 3, 3)
        found.append(Pose.of_shift(place).after(turn).after(Pose.of_shift((0, 0, -25))))
    return found


def cpu_ms(ask: Callable[[Pose], Any], poses: list[Pose]) -> float:
    """CPU milliseconds for each pose; the first one is done before the clock starts."""
    ask(poses[0])
    start = time.process_time()
    for pose in poses:
        ask(pose)
    return (time.process_time() - start) / len(poses) * 1e3


def peers(bone: Mesh, screw: Mesh) -> dict[str, Callable[[Pose], Any]]:
    """The same question asked of other libraries."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkDoubleArray
    from vtkmodules.vtkCommonMath import vtkMatrix4x4
    from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance
    from vtkmodules.vtkFiltersModeling import vtkCollisionDetectionFilter

    implicit = vtkImplicitPolyDataDistance()
    implicit.SetInput(_poly(bone))

    def by_implicit(pose: Pose) -> FloatArray:
        signed = vtkDoubleArray()
        implicit.FunctionValue(numpy_to_vtk(pose.apply(screw.points), deep=True), signed)
        return np.asarray(vtk_to_numpy(signed), np.float64)

    matrix, still = vtkMatrix4x4(), vtkMatrix4x4()
    detection = vtkCollisionDetectionFilter()
    detection.SetInputData(0, _poly(screw))
    detection.SetInputData(1, _poly(bone))
    detection.SetMatrix(0, matrix)
    detection.SetMatrix(1, still)
    detection.SetCollisionModeToAllContacts()

    def by_detection(pose: Pose) -> int:
        matrix.DeepCopy(np.asarray(pose.matrix).ravel().tolist())
        matrix.Modified()
        detection.Modified()
        detection.Update()
        return int(detection.GetNumberOfContacts())

    found: dict[str, Callable[[Pose], Any]] = {
        "vtkImplicitPolyDataDistance": by_implicit,
        "vtkCollisionDetectionFilter": by_detection,
    }
    try:
        import open3d
    except ImportError:
        return found
    scene = open3d.t.geometry.RaycastingScene()
    scene.add_triangles(bone.points.copy(), bone.triangles.astype(np.uint32))

    def by_open3d(pose: Pose) -> FloatArray:
        signed: FloatArray = scene.compute_signed_distance(
            pose.apply(screw.points).astype(np.float32)
        ).numpy()
        return signed

    return {"Open3D RaycastingScene": by_open3d, **found}


def _poly(mesh: Mesh) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    surface, points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(mesh.points, deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(mesh.triangles.astype(np.int64).ravel(), deep=True))
    surface.SetPoints(points)
    surface.SetPolys(cells)
    return surface


def made(mesh: Mesh) -> DistanceField:
    """Make the field, and tell what that costs beside one distance transform of the same grid."""
    start, cpu = time.monotonic(), time.process_time()
    field = DistanceField(mesh)
    print(f"coarse field: {time.monotonic() - start:.2f} s, {time.process_time() - cpu:.2f} CPU s")
    start, cpu = time.monotonic(), time.process_time()
    field.refine()
    build = time.process_time() - cpu
    print(f"exact field: {time.monotonic() - start:.1f} s, {build:.1f} CPU s, {field.megabytes:.0f} MB")
    outside = zoom(field.coarse, FINER, order=1) > 0
    shape = outside.shape
    cpu = time.process_time()
    distance_transform_edt(outside)
    once = time.process_time() - cpu
    print(f"scipy distance transform of {shape}: {once:.1f} CPU s; building costs {build / once:.1f} of them")
    return field


def truth(field: DistanceField, mesh: Mesh, screw: Mesh, poses: list[Pose]) -> None:
    """How far distances and clearances are from the exact ones."""
    chance = np.random.default_rng(1)
    points = mesh.points[np.sort(chance.integers(0, len(mesh.points), 40_000))].astype(float)
    points += chance.uniform(-1.3, 1.3, points.shape)
    exact = SignedDistance(mesh).at(points)
    near = np.abs(exact) <= BAND_MM
    error = np.abs(field.at(points) - exact)[near]
    wrong = int(((field.at(points) < 0) != (exact < 0))[np.abs(exact) > 0.05].sum())
    print(f"error within {BAND_MM:g} mm: mean {error.mean():.4f}, max {error.max():.4f} mm")
    print(f"signs wrong: {wrong}")
    cloud, errors = Cloud(screw), dict[bool, list[float]]({True: [], False: []})
    for pose in poses:
        found = float(lowest(cloud, field, Ways.of([pose], IDENTITY)).mm[0])
        some = errors[abs(found) <= BAND_MM]
        if len(some) < _JUDGED:
            some.append(abs(found - float(field.exact.at(pose.apply(screw.points)).min())))
    for near, some in errors.items():
        where = "within" if near else "beyond"
        print(f"smallest distance, {len(some)} poses {where} {BAND_MM:g} mm: max error {max(some):.4f} mm")


def speed(field: DistanceField, mesh: Mesh, pin: Mesh, poses: list[Pose]) -> None:
    """A table of CPU milliseconds for each pose."""
    screw_body, bone_body = Body.of(pin), Body(field, field.cloud)
    cloud = screw_body.cloud
    rows = {
        "ours, both surfaces: depth, clearance, containment, places": cpu_ms(
            lambda pose: contact(screw_body, bone_body, pose, IDENTITY), poses
        ),
        "ours, signed clearance and place of the screw's points": cpu_ms(
            lambda pose: lowest(cloud, field, Ways.of([pose], IDENTITY)), poses
        ),
        "ours, a distance for each of all points": cpu_ms(
            lambda pose: field.sampled(_cells(cloud, field, pose)), poses
        ),
    }
    whole = next(iter(rows.values()))
    rows |= {name: cpu_ms(ask, poses[: _SLOW[name]]) for name, ask in peers(mesh, pin).items()}
    print("| method | CPU ms a pose | against ours, both surfaces |\n|---|---|---|")
    for name, took in rows.items():
        print(f"| {name} | {took:.3f} | {took / whole:.1f} |")


def _cells(cloud: Cloud, field: DistanceField, pose: Pose) -> FloatsArray:
    """(3, n) all places of a cloud, in cells of a field."""
    start = pose.apply(cloud.middle) - field.lattice.origin
    turn = (pose.rotation / CELL_MM).astype(np.float32)
    found: FloatsArray = turn @ cloud.places + (start / CELL_MM).astype(np.float32)[:, None]
    return found


def hips(count: int) -> None:
    """Many poses of a hip in one call, beside single calls."""
    hip = Hip()
    pelvis = mesh_of(hip.surface, hip.scan_box, 0.9)
    axis = np.asarray(hip.rim_plane.normal)
    stem_shape = hip.ball_and_neck(axis, 6.0)
    stem = mesh_of(stem_shape, stem_shape.box, 1.0)
    one, other = Body.of(stem), Body.of(pelvis)
    chance = np.random.default_rng(2)
    poses = [
        Pose.of_rotation(chance.normal(size=3), float(chance.uniform(0, 60)), about=hip.centre)
        for _ in range(count)
    ]
    start = time.process_time()
    found = contacts(one, other, poses, IDENTITY)
    together = (time.process_time() - start) / count * 1e3
    single = cpu_ms(lambda pose: contact(one, other, pose, IDENTITY), poses[:300])
    print(
        f"hip: {len(stem.points)} points against {len(pelvis.triangles)} triangles, {count} poses in one call"
    )
    touch = int((found.signed_mm < 0).sum())
    print(f"{together:.3f} CPU ms a pose, {single:.3f} in single calls; {touch} overlap")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--poses", type=int, default=100)
    asked.add_argument("--hip", type=int, default=10_000)
    given = asked.parse_args()
    mesh, pin = bone(), screw()
    print(f"bone: {len(mesh.triangles)} triangles; screw: {len(pin.points)} points")
    poses = poses_near(mesh, given.poses)
    field = made(mesh)
    truth(field, mesh, pin, poses_near(mesh, 400))
    speed(field, mesh, pin, poses)
    hips(given.hip)


if __name__ == "__main__":
    main()
