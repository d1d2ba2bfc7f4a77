"""What work on whole scans costs beside other libraries, as a table for docs/benchmarks.md.

python -m benchmarks.volumes [SLICES]: on SLICES x 512 x 512 voxels (400) of 1.0 x 0.7 x 0.7 mm. Seconds of
the processor and seconds that pass; the libraries use all cores where they can.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import SimpleITK
from scipy import ndimage
from skimage.segmentation import watershed

from surgiplan.algorithms.filters import run_itk
from surgiplan.algorithms.scans.sampling import even_grid, resampled
from surgiplan.algorithms.scans.smoothing import denoised
from surgiplan.algorithms.segment import threshold
from surgiplan.algorithms.splitting.bones import part_bones
from surgiplan.algorithms.splitting.depth import depths
from surgiplan.algorithms.splitting.seeds import grow_seeds
from surgiplan.phantoms.scanner import axial_grid
from surgiplan.progress import silent
from surgiplan.values import FloatArray, Mask, Vec3, Volume, vec3

SPACING: Vec3 = (1.0, 0.7, 0.7)
BALLS = (
    (-55.0, -20.0, 0.0, 50.0),
    (46.5, -20.0, 0.0, 51.0),
    (-4.0, 90.0, 0.0, 60.0),
)  # x, y, z, radius in mm


def scanned(slices: int) -> Volume:
    """Three balls with a cortex, 0.5 to 2 mm apart, in noise."""
    half = np.array([512 * 0.7, 512 * 0.7, slices * 1.0]) / 2 - 1e-6
    grid = axial_grid(np.stack([-half, half]), SPACING)
    grey = np.random.default_rng(0).standard_normal(grid.shape_kji, np.float32) * 20 + 50
    k, j, i = (np.arange(n, dtype=np.float32) for n in grid.shape_kji)
    corner = grid.to_lps((0, 0, 0))
    z, y, x = corner[2] + k * SPACING[0], corner[1] + j * SPACING[1], corner[0] + i * SPACING[2]
    for a, b, c, radius in BALLS:
        squared = (z[:, None, None] - c) ** 2 + (y[None, :, None] - b) ** 2 + (x[None, None, :] - a) ** 2
        depth = radius - np.sqrt(squared)
        grey += np.clip(depth + 0.5, 0, 1) * 1200 - np.clip(depth - 3.5, 0, 1) * 800
    return Volume(grid, grey.astype(np.int16))


def row(job: str, library: str, work: Callable[[], object]) -> None:
    passed, used = time.perf_counter(), time.process_time()
    work()
    used, passed = time.process_time() - used, time.perf_counter() - passed
    print(f"| {job} | {library} | {used:.1f} | {passed:.1f} |", flush=True)


def sampling(volume: Volume) -> None:
    even = even_grid(volume.grid, 1.0)
    image = SimpleITK.GetImageFromArray(volume.voxels)
    image.SetSpacing(SPACING[::-1])
    size, spacing = even.shape_kji[::-1], even.spacing_kji[::-1]
    zoom = np.divide(even.shape_kji, volume.grid.shape_kji)
    job = "cubes of 1 mm"
    row(job, "surgiplan (smooths before)", lambda: resampled(volume, even))
    row(job, "SimpleITK, linear", lambda: SimpleITK.Resample(image, size, outputSpacing=spacing))
    row(job, "scipy zoom, linear", lambda: ndimage.zoom(volume.voxels, zoom, order=1))


def smoothing(volume: Volume) -> None:
    image = SimpleITK.GetImageFromArray(volume.voxels)
    image.SetSpacing(SPACING[::-1])
    real = SimpleITK.Cast(image, SimpleITK.sitkFloat32)
    job = "median of 3 x 3 x 3"
    row(job, "surgiplan", lambda: denoised(volume, "median", 0.7))
    row(job, "SimpleITK", lambda: SimpleITK.Median(image, (1, 1, 1)))
    row(job, "scipy", lambda: ndimage.median_filter(volume.voxels, 3))
    job = "diffusion over 1 mm"
    row(job, "surgiplan", lambda: denoised(volume, "diffusion", 1.0))
    still = SimpleITK.GradientAnisotropicDiffusionImageFilter()
    still.SetNumberOfIterations(5)
    still.SetTimeStep(0.04)
    row(job + " (5 rounds)", "SimpleITK, gradient", lambda: run_itk(still, silent, "", real))


def parting(volume: Volume) -> None:
    mask = threshold(volume, 400, 3000)
    row("part three balls", "surgiplan, all of it", lambda: part_bones(volume, mask))
    solid = ndimage.binary_fill_holes(mask.voxels)
    assert solid is not None
    marks = np.zeros(solid.shape, np.int32)
    places = [vec3(np.array(ball[:3])) for ball in BALLS]
    for n, place in enumerate(places):
        marks[volume.grid.nearest(place)] = n + 1
    relief: FloatArray = -np.stack([depth for _, depth in depths(solid, None, SPACING)])
    row("  its flooding alone", "scikit-image watershed", lambda: watershed(relief, marks, mask=solid))
    whole = Mask(mask.grid, solid)
    seeds = {f"ball{n}": [place] for n, place in enumerate(places)}
    row("three seeds", "surgiplan, all of it", lambda: grow_seeds(volume, whole, seeds))


def main() -> None:
    volume = scanned(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
    print("| job | library | processor s | passed s |\n|---|---|---|---|")
    sampling(volume)
    smoothing(volume)
    parting(volume)


if __name__ == "__main__":
    main()
