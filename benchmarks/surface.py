"""How fast a surface is made beside other libraries, and how true it is, as tables for docs/benchmarks.md.

python -m benchmarks.surface [--rounds N]
python -m benchmarks.surface --reworked
python -m benchmarks.surface --decimated MM

A scan of 512 x 512 x 400 voxels like bone (two hollow limbs filled with spongiosa, 12 HU of noise), made by
code. Each method runs in a process of its own, in turns A B C A B C, with all threads it can use. CPU seconds
of the process and seconds by the clock, best of the rounds; memory is the highest peak beyond what the scan
and its mask take. As the peers' libraries are loaded before the clock starts, so are our compiled loops, by
a surface of a few voxels; what that costs once in a process, and once in an installation, is told below the
table. With --reworked: smoothing, decimation and remeshing of the upper end of a femur. With --decimated:
decimation of the whole femur from a scan in cubes of so many millimetres, and its memory.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surgiplan.algorithms.masks.parts import largest_parts
from surgiplan.algorithms.segment import threshold
from surgiplan.algorithms.surface import voxel_surface
from surgiplan.phantoms import Femur
from surgiplan.values import Grid, Mask, Part, Volume

SHAPE, SPACING, LEVEL = (400, 512, 512), (1.0, 0.7, 0.7), 400.0
AFFINE = np.array([[0, 0, 0.7, -170], [0, 0.7, 0, -160], [1.0, 0, 0, 30], [0, 0, 0, 1]], float)
_GYROID_MM = 55.0


def scan() -> Volume:
    """Two limbs of cortex filled with spongiosa, between them soft tissue."""
    chance = np.random.default_rng(7)
    voxels = np.empty(SHAPE, np.int16)
    y, x = np.meshgrid(np.arange(SHAPE[1]) * 0.7, np.arange(SHAPE[2]) * 0.7, indexing="ij")
    wave = 2 * np.pi / _GYROID_MM
    for k in range(SHAPE[0]):
        z = k * 1.0
        grey = np.full(SHAPE[1:], 40.0, np.float32)
        for cx, cy, r in ((105, 180, 66), (255, 175, 60)):
            radius = r + 6 * np.sin(z / 31 + cx) - 40 * (np.abs(z - 200) / 200) ** 6
            depth = radius - np.hypot(x - cx, y - cy)
            gyroid = (
                np.sin(wave * x) * np.cos(wave * y)
                + np.sin(wave * y) * np.cos(wave * z)
                + np.sin(wave * z) * np.cos(wave * x)
            )
            inner = 400 + 500 * np.tanh(2 * gyroid)
            body = np.where(depth < 3.0, 1300.0, inner)
            share = np.clip(depth + 0.5, 0, 1)
            grey += (share * (body - grey)).astype(np.float32)
        grey += 12 * chance.standard_normal(grey.shape, np.float32)
        voxels[k] = np.clip(grey, -1024, 3071)
    return Volume(Grid(SHAPE, AFFINE), voxels)


def _image(voxels: Any) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    image = vtkImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.SetSpacing(*SPACING[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(voxels.ravel()))
    return image


def ours(volume: Volume, mask: Mask) -> int:
    from surgiplan.algorithms.surface import grey_surface

    return len(grey_surface(volume, mask).mesh.triangles)


def vtk_flying_edges(volume: Volume, mask: Mask) -> int:
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    return _vtk(vtkFlyingEdges3D(), volume)


def vtk_flying_edges_threads(volume: Volume, mask: Mask) -> int:
    from vtkmodules.vtkCommonCore import vtkSMPTools
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    assert vtkSMPTools.SetBackend("STDThread")
    return _vtk(vtkFlyingEdges3D(), volume)


def vtk_marching_cubes(volume: Volume, mask: Mask) -> int:
    from vtkmodules.vtkFiltersCore import vtkMarchingCubes

    return _vtk(vtkMarchingCubes(), volume)


def _vtk(edges: Any, volume: Volume) -> int:
    edges.SetInputData(_image(volume.voxels))
    edges.SetValue(0, LEVEL)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    edges.ComputeGradientsOff()
    edges.Update()
    return int(edges.GetOutput().GetNumberOfPolys())


def skimage_lorensen(volume: Volume, mask: Mask) -> int:
    from skimage.measure import marching_cubes

    return len(marching_cubes(volume.voxels, LEVEL, spacing=SPACING, method="lorensen")[1])


def skimage_lewiner(volume: Volume, mask: Mask) -> int:
    from skimage.measure import marching_cubes

    return len(marching_cubes(volume.voxels, LEVEL, spacing=SPACING)[1])


METHODS: Mapping[str, Callable[[Volume, Mask], int]] = {
    one.__name__: one
    for one in (
        ours,
        vtk_flying_edges,
        vtk_flying_edges_threads,
        vtk_marching_cubes,
        skimage_lorensen,
        skimage_lewiner,
    )
}


def surface_worker(name: str, file: Path) -> dict[str, float]:
    import skimage.measure  # loaded before the clock starts
    import vtkmodules.vtkFiltersCore  # noqa: F401

    import surgiplan.algorithms.surface  # noqa: F401

    assert skimage.measure
    volume = Volume(Grid(SHAPE, AFFINE), np.load(file))
    mask = Mask(volume.grid, volume.voxels >= LEVEL, LEVEL)
    ready = time.process_time()
    if name == "ours":
        few = Volume(Grid((4, 5, 6), AFFINE), np.arange(120, dtype=np.int16).reshape(4, 5, 6))
        ours(few, Mask(few.grid, few.voxels > 40, 40.0))
    ready = time.process_time() - ready
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, clock = time.process_time(), time.perf_counter()
    triangles = METHODS[name](volume, mask)
    took = {"cpu": time.process_time() - cpu, "clock": time.perf_counter() - clock}
    mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {**took, "mb": mb, "triangles": triangles, "ready": ready}


def _in_process(name: str, file: Path, environment: Mapping[str, str] | None = None) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.surface", "--worker", name, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def bone_part() -> tuple[Part, Femur]:
    """The upper end of the phantom femur from a scan with 30 HU of noise, placed by its mask alone."""
    femur = Femur()
    whole = femur.grid()
    matrix = whole.kji_to_lps.copy()
    matrix[:3, 3] = whole.to_lps((whole.shape_kji[0] - 110, 0, 0))
    volume = femur.volume(grid=Grid((110, *whole.shape_kji[1:]), matrix, whole.frame_uid), noise_hu=30)
    return voxel_surface(largest_parts(threshold(volume, femur.level_hu, 3000))), femur


def reworked_table() -> None:
    """Smoothing and decimation, ours with all their checks beside the bare filters of others."""
    from fast_simplification import simplify
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkFiltersCore import vtkQuadricDecimation, vtkWindowedSincPolyDataFilter

    from surgiplan.algorithms.crossing import crossings
    from surgiplan.algorithms.decimate import decimate
    from surgiplan.algorithms.remesh import remesh
    from surgiplan.algorithms.smooth import smooth, taubin, windowed_sinc

    part, _ = bone_part()
    mesh = part.mesh
    print(f"{len(mesh.triangles)} triangles")
    data, points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(mesh.points, deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(mesh.triangles.ravel().astype(np.int64), deep=True))
    data.SetPoints(points)
    data.SetPolys(cells)

    def vtk(made: Any) -> Any:
        made.SetInputData(data)
        made.Update()
        return made.GetOutput()

    quadric = vtkQuadricDecimation()
    quadric.SetTargetReduction(0.8)
    jobs: dict[str, Callable[[], Any]] = {
        "smooth, windowed sinc (ours: volume, crossings, change)": lambda: smooth(part).change,
        "smooth, taubin (ours)": lambda: smooth(part, "taubin").change,
        "windowed sinc alone (ours)": lambda: windowed_sinc(mesh, 0.01) and None,
        "windowed sinc (VTK)": lambda: vtk(vtkWindowedSincPolyDataFilter()) and None,
        "Taubin, 10 rounds (ours)": lambda: taubin(mesh) and None,
        "decimate within 0.05 mm (ours: bound searched and checked)": lambda: decimate(part, 0.05).change,
        "fast-simplification to a fifth": lambda: (
            simplify(mesh.points.copy(), mesh.triangles.copy(), 0.8) and None
        ),
        "quadric decimation to a fifth (VTK)": lambda: vtk(quadric) and None,
        "remesh, edges of 1.5 mm (ours)": lambda: remesh(part, 1.5).change,
        "crossings (ours)": lambda: len(crossings(mesh)),
    }
    for name, job in jobs.items():
        cpu = time.process_time()
        try:
            told = job()
        except Exception as failure:
            told = failure
        print(f"| {name} | {time.process_time() - cpu:.2f} | {told} |", flush=True)


def decimated_row(cube_mm: float) -> None:
    """Decimation of a large surface within 0.05 mm, proven."""
    from surgiplan.algorithms.decimate import decimate
    from surgiplan.algorithms.scans.sampling import even_grid

    femur = Femur()
    volume = femur.volume(grid=even_grid(femur.grid(), cube_mm), noise_hu=30)
    part = voxel_surface(largest_parts(threshold(volume, femur.level_hu, 3000)))
    del volume
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, clock = time.process_time(), time.perf_counter()
    few = decimate(part, 0.05)
    took = f"{time.process_time() - cpu:.0f} CPU s, {time.perf_counter() - clock:.0f} s by the clock"
    mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{len(part.mesh.triangles)} triangles: {len(few.mesh.triangles)} left, {took}, {mb:.0f} MB")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--worker", nargs=2, metavar=("METHOD", "FILE"))
    asked.add_argument("--reworked", action="store_true", help="smoothing and decimation instead")
    asked.add_argument("--decimated", type=float, metavar="MM", help="decimation of a large surface instead")
    given = asked.parse_args()
    if given.worker:
        print(json.dumps(surface_worker(given.worker[0], Path(given.worker[1]))))
        return
    if given.decimated:
        decimated_row(given.decimated)
        return
    if given.reworked:
        reworked_table()
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scan.npy"
        np.save(file, scan().voxels)
        for _ in range(given.rounds):
            for name, rounds in found.items():
                rounds.append(_in_process(name, file))
        kept = os.environ | {"NUMBA_CACHE_DIR": folder}
        first, later = (_in_process("ours", file, kept)["ready"] for _ in range(2))
    print("| method | CPU s | s by the clock | extra MB | triangles |\n|---|---|---|---|---|")
    for name, rounds in found.items():
        cpu, clock = (min(one[key] for one in rounds) for key in ("cpu", "clock"))
        mb = max(one["mb"] for one in rounds)
        print(f"| {name} | {cpu:.3f} | {clock:.3f} | {mb:.0f} | {rounds[0]['triangles']} |")
    print(f"ours, before the clock: {first:.1f} CPU s once in an installation, {later:.1f} in each process")


if __name__ == "__main__":
    main()
