"""Masks of a CT of 512 x 512 x 400: each operation beside the libraries of the field, in one run, by turns.

    .venv/bin/python -m benchmarks.segment [PATTERN] [--rounds N] [--peers FOLDER]

CPU seconds are what to compare: they do not depend on what else the machine does (but for memory). Each
side starts from numpy arrays and ends with one, as the program needs it. The peak is what the process needed
beyond what it held before, seen by a watcher every 2 ms, as a multiple of the scan (210 MB).
cc3d, edt, fill-voids and fastmorph are measured where they are installed (--peers names a folder of them).
"""

import argparse
import importlib
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813  (as all its users call it)
from scipy import ndimage
from skimage import filters, measure, morphology, segmentation
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkImagingMorphological import vtkImageConnectivityFilter, vtkImageThresholdConnectivity

from benchmarks.series import head
from surgiplan.algorithms import segment
from surgiplan.algorithms.face import without_face
from surgiplan.algorithms.masks.filling import filled, filled_slices, wrapped
from surgiplan.algorithms.masks.growing import grow, grow_alike, grow_smooth
from surgiplan.algorithms.masks.local import local_threshold
from surgiplan.algorithms.masks.margin import hollow, margin
from surgiplan.algorithms.masks.mirror import mirrored
from surgiplan.algorithms.masks.parts import largest_parts
from surgiplan.algorithms.masks.smoothing import closed, median, opened, smoothed
from surgiplan.algorithms.masks.together import smoothed_together
from surgiplan.algorithms.scans.bias import evened
from surgiplan.algorithms.scans.metal import metal_and_streaks
from surgiplan.algorithms.scans.register import register_scans
from surgiplan.algorithms.scans.sampling import even_grid, resampled
from surgiplan.algorithms.scans.smoothing import denoised
from surgiplan.algorithms.splitting.bones import part_bones
from surgiplan.algorithms.splitting.contour import fitted_contour
from surgiplan.algorithms.splitting.seeds import grow_seeds
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.progress import Report
from surgiplan.values import Grid, Mask, Plane, Volume

SPACING_KJI = (1.0, 0.7, 0.7)
LOW, HIGH = 226, 3071
PAGE = 4096
Way = Callable[[], Any]


def scan() -> Volume:
    """The skull phantom with noise, as a CT of 0.7 x 0.7 x 1.0 mm."""
    affine = np.zeros((4, 4))
    affine[[0, 1, 2, 3], [2, 1, 0, 3]] = (0.7, 0.7, 1.0, 1.0)
    voxels = head(400).voxels
    return Volume(Grid(voxels.shape, affine), voxels)


def image(array: Any) -> sitk.Image:
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(SPACING_KJI[::-1])
    return made


def bits(mask: Mask) -> Any:
    return mask.voxels.view(np.uint8)


def ball(radius_mm: float) -> Any:
    """The structuring element: voxels within the radius."""
    reach = [int(radius_mm / step) for step in SPACING_KJI]
    steps = np.meshgrid(
        *(np.arange(-n, n + 1) * s for n, s in zip(reach, SPACING_KJI, strict=True)), indexing="ij"
    )
    return sum(step**2 for step in steps) <= radius_mm**2


def tasks(volume: Volume, mask: Mask, peers: Mapping[str, Any]) -> dict[str, dict[str, Way]]:
    """What is measured: by task, by who does it."""
    grey = volume.voxels
    kji = tuple(int(n) for n in np.argwhere(largest_parts(mask).voxels)[1000])
    seed = tuple(float(x) for x in volume.grid.to_lps(kji))
    plane = Plane(tuple(volume.grid.to_lps((200, 256, 256))), (1.0, 0.02, 0.01))
    far = tuple(float(x) for x in volume.grid.to_lps(np.argwhere(largest_parts(mask).voxels)[-1000]))
    noise = Mask(volume.grid, np.random.default_rng(0).integers(0, 2, grey.shape, np.uint8).view(np.bool_))
    deep = _deep(volume, mask)
    middle = tuple(float(x) for x in volume.grid.to_lps((200, 256, 256)))
    reach = tuple(int(3.0 / step) for step in SPACING_KJI)
    found: dict[str, dict[str, Way]] = {
        "threshold": {
            "surgiplan": lambda: segment.threshold(volume, LOW, HIGH),
            "numpy": lambda: (grey >= LOW) & (grey <= HIGH),
            "SimpleITK": lambda: sitk.GetArrayFromImage(sitk.BinaryThreshold(image(grey), LOW, HIGH, 1, 0)),
        },
        "Otsu": {
            "surgiplan": lambda: segment.otsu(volume),
            "scikit-image": lambda: filters.threshold_otsu(grey),
            "SimpleITK": lambda: _itk_otsu(grey),
        },
        "grow from a seed": {
            "surgiplan": lambda: grow(volume, seed, LOW, HIGH),
            "SimpleITK": lambda: sitk.GetArrayFromImage(
                sitk.ConnectedThreshold(image(grey), [kji[::-1]], LOW, HIGH, 1)
            ),
            "VTK": lambda: _vtk_grow(grey, kji),
            "scikit-image": lambda: segmentation.flood((grey >= LOW) & (grey <= HIGH), kji, connectivity=1),
        },
        "largest part": {
            "surgiplan": lambda: largest_parts(mask),
            "SimpleITK": lambda: _largest(
                sitk.GetArrayViewFromImage, sitk.ConnectedComponent(image(bits(mask)))
            ),
            "scipy": lambda: _largest(lambda labels: labels[0], ndimage.label(mask.voxels)),
            "VTK": lambda: _vtk_largest(mask),
            "scikit-image": lambda: _largest(np.asarray, measure.label(mask.voxels, connectivity=1)),
        },
        "closing of 3 mm": {
            "surgiplan": lambda: closed(mask, 3.0),
            "SimpleITK box": lambda: sitk.GetArrayFromImage(
                sitk.BinaryMorphologicalClosing(image(bits(mask)), reach[::-1], sitk.sitkBox)
            ),
            "SimpleITK Maurer": lambda: _itk_closing(mask, 3.0),
            "scikit-image box": lambda: morphology.closing(
                bits(mask),
                morphology.footprint_rectangle([2 * n + 1 for n in reach], decomposition="separable"),
            ),
        },
        "fill holes": {
            "surgiplan": lambda: filled(mask),
            "SimpleITK": lambda: sitk.GetArrayFromImage(sitk.BinaryFillhole(image(bits(mask)))),
            "scipy": lambda: ndimage.binary_fill_holes(mask.voxels),
        },
        "margin of 3 mm": {
            "surgiplan": lambda: margin(mask, 3.0),
            "SimpleITK Maurer": lambda: _itk_within(bits(mask), 3.0),
            "SimpleITK ball": lambda: sitk.GetArrayFromImage(
                sitk.BinaryDilate(image(bits(mask)), reach[::-1], sitk.sitkBall)
            ),
        },
        "hollow of 3 mm": {"surgiplan": lambda: hollow(mask, 3.0, "centred")},
        "opening of 1 mm": {"surgiplan": lambda: opened(mask, 1.0)},
        "median of 1.5 mm": {
            "surgiplan": lambda: median(mask, 1.5),
            "SimpleITK": lambda: sitk.GetArrayFromImage(sitk.BinaryMedian(image(bits(mask)), (2, 2, 1))),
        },
        "smooth, volume kept": {
            "surgiplan": lambda: smoothed(mask, 1.5),
            "SimpleITK (volume not kept)": lambda: sitk.GetArrayFromImage(
                sitk.SmoothingRecursiveGaussian(sitk.Cast(image(bits(mask)), sitk.sitkFloat32), 1.5) > 0.5
            ),
        },
        "fill axial slices": {
            "surgiplan": lambda: filled_slices(mask, "axial"),
            "scipy": lambda: np.stack([ndimage.binary_fill_holes(one) for one in mask.voxels]),
        },
        "wrap, pores of 6 mm": {"surgiplan": lambda: wrapped(mask, 6.0)},
        "grow by likeness": {"surgiplan": lambda: grow_alike(volume, middle, 2.5, 2.0, 4)},
        "grow, ball of 1 mm": {"surgiplan": lambda: grow_smooth(volume, deep, LOW, HIGH, 1.0)},
        "local threshold": {
            "surgiplan": lambda: local_threshold(volume, 6.0, 50, 100, HIGH),
            "scikit-image": lambda: grey > filters.threshold_local(grey, (13, 17, 17), "mean", offset=-50),
        },
        "mirror": {
            "surgiplan": lambda: mirrored(mask, plane),
        },
        "smooth two together": {"surgiplan": lambda: smoothed_together(_halves(mask), 1.5)},
        "split": {"surgiplan": lambda: _split(volume, mask)},
        "grow from seeds": {"surgiplan": lambda: grow_seeds(volume, mask, {"a": [seed], "b": [far]})},
        "level set, 20 rounds": {"surgiplan": lambda: fitted_contour(volume, mask, rounds=20)},
        "parts of noise": {
            "surgiplan": lambda: largest_parts(noise),
            "SimpleITK": lambda: _largest(
                sitk.GetArrayViewFromImage, sitk.ConnectedComponent(image(bits(noise)))
            ),
        },
    }
    if "cc3d" in peers:
        found["parts of noise"]["cc3d"] = lambda: _largest(
            np.asarray, peers["cc3d"].connected_components(noise.voxels, connectivity=6, binary_image=True)
        )
        found["largest part"]["cc3d"] = lambda: _largest(
            np.asarray, peers["cc3d"].connected_components(mask.voxels, connectivity=6, binary_image=True)
        )
    if "fill_voids" in peers:
        found["fill holes"]["fill_voids"] = lambda: peers["fill_voids"].fill(mask.voxels)
    if "edt" in peers:
        found["closing of 3 mm"]["edt"] = lambda: _edt_closing(peers["edt"], mask, 3.0)
        found["margin of 3 mm"]["edt"] = lambda: _edt_within(peers["edt"], mask.voxels, 3.0)
    if "fastmorph" in peers:
        found["closing of 3 mm"]["fastmorph sphere"] = lambda: peers["fastmorph"].spherical_close(
            mask.voxels, 3.0, 1, SPACING_KJI
        )
    return found


def _halves(mask: Mask) -> tuple[Mask, Mask]:
    left = np.zeros_like(mask.voxels)
    left[:, :, : left.shape[2] // 2] = True
    return Mask(mask.grid, mask.voxels & left), Mask(mask.grid, mask.voxels & ~left)


def _split(volume: Volume, mask: Mask) -> Mask | None:
    try:
        return part_bones(volume, mask)
    except StepFailed:  # one bone: all the work is done
        return None


def stops(volume: Volume, mask: Mask, pattern: str = "") -> None:
    """Print how long each long operation takes to hear a stop, asked for at several moments of its work."""
    places = np.argwhere(largest_parts(mask).voxels)[[1000, -1000]]
    seeds = [tuple(float(x) for x in volume.grid.to_lps(kji)) for kji in places]
    deep = _deep(volume, mask)
    plane = Plane(tuple(volume.grid.to_lps((200, 256, 256))), (1.0, 0.02, 0.01))
    work: dict[str, Callable[[Report], Any]] = {
        "threshold": lambda told: segment.threshold(volume, LOW, HIGH, told),
        "half-maximum": lambda told: segment.half_maximum(volume, told),
        "grow from a seed": lambda told: grow(volume, seeds[0], LOW, HIGH, None, told),
        "grow by likeness": lambda told: grow_alike(volume, seeds[0], 2.5, 2.0, 4, None, told),
        "grow, ball of 1 mm": lambda told: grow_smooth(volume, deep, LOW, HIGH, 1.0, None, told),
        "local threshold": lambda told: local_threshold(volume, 6.0, 50, 100, HIGH, told),
        "largest part": lambda told: largest_parts(mask, 1, told),
        "closing of 3 mm": lambda told: closed(mask, 3.0, told),
        "opening of 1 mm": lambda told: opened(mask, 1.0, told),
        "median of 1.5 mm": lambda told: median(mask, 1.5, told),
        "smooth, volume kept": lambda told: smoothed(mask, 1.5, told),
        "smooth two together": lambda told: smoothed_together(_halves(mask), 1.5, told),
        "fill holes": lambda told: filled(mask, told),
        "fill axial slices": lambda told: filled_slices(mask, "axial", told),
        "wrap, pores of 6 mm": lambda told: wrapped(mask, 6.0, told),
        "margin of 3 mm": lambda told: margin(mask, 3.0, told),
        "hollow of 3 mm": lambda told: hollow(mask, 3.0, "centred", told),
        "mirror": lambda told: mirrored(mask, plane, told),
        "split": lambda told: part_bones(volume, mask, report=told),
        "grow from seeds": lambda told: grow_seeds(
            volume, mask, {"a": [seeds[0]], "b": [seeds[1]]}, report=told
        ),
        "level set": lambda told: fitted_contour(volume, mask, rounds=20, report=told),
        **_scan_work(volume),
    }
    print("| operation | asked after, s | heard after, s |\n|---|---|---|")
    for name, run in work.items():
        if pattern not in name:
            continue
        heard = [_heard(run, after) for after in (0.02, 0.3, 1.0, 3.0, 10.0)]
        worst = max((one for one in heard if one is not None), default=None, key=lambda one: one[1])
        print(
            f"| {name} | {worst[0]} | {worst[1]:.2f} |" if worst else f"| {name} | done before | |",
            flush=True,
        )


def _scan_work(volume: Volume) -> dict[str, Callable[[Report], Any]]:
    """The long operations on the grey values themselves."""
    voxels = volume.voxels.copy()
    voxels[190:210, 240:270, 240:270] = 3000
    metal = Volume(volume.grid, voxels)
    finer, coarser = even_grid(volume.grid, 0.7), even_grid(volume.grid, 1.0)
    bright = Volume(volume.grid, volume.voxels, "MR", "")
    shift = np.eye(4)
    shift[0, 3] = 4.0
    moved = Volume(Grid(volume.grid.shape_kji, shift @ volume.grid.kji_to_lps), volume.voxels)
    return {
        "resample, linear": lambda told: resampled(volume, finer, report=told),
        "resample, cubic": lambda told: resampled(volume, finer, "cubic", told),
        "resample, larger voxels": lambda told: resampled(volume, coarser, report=told),
        "denoise, median": lambda told: denoised(volume, "median", 1.0, report=told),
        "denoise, median of 3 mm": lambda told: denoised(volume, "median", 3.0, report=told),
        "denoise, diffusion": lambda told: denoised(volume, "diffusion", 1.0, report=told),
        "denoise, Gaussian": lambda told: denoised(volume, "gaussian", 1.0, report=told),
        "even bias": lambda told: evened(bright, told),
        "find metal": lambda told: metal_and_streaks(metal, 2900.0, report=told),
        "register scan": lambda told: register_scans(moved, volume, told),
        "deface": lambda told: without_face(volume, 6.0, 3.0, told),
    }


def _heard(run: Callable[[Report], Any], after: float) -> tuple[float, float] | None:
    """When a stop is asked for, and how long the work then goes on, s; None when it was done before."""
    begun = time.perf_counter()

    def told(_: float, __: str) -> None:
        if time.perf_counter() - begun > after:
            raise Cancelled("stopped")

    try:
        run(told)
    except Cancelled:
        return after, time.perf_counter() - begun - after
    except StepFailed:
        return None
    return None


def _itk_otsu(grey: Any) -> float:
    otsu = sitk.OtsuThresholdImageFilter()
    otsu.Execute(image(grey))
    return float(otsu.GetThreshold())


def _largest(read: Callable[[Any], Any], labelled: Any) -> Any:
    labels = read(labelled)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels == sizes.argmax()


def _vtk_image(array: Any) -> vtkImageData:
    made = vtkImageData()
    made.SetDimensions(array.shape[::-1])
    made.GetPointData().SetScalars(numpy_to_vtk(array.ravel()))
    return made


def _vtk_array(filtered: Any) -> Any:
    filtered.Update()
    return vtk_to_numpy(filtered.GetOutput().GetPointData().GetScalars())


def _vtk_grow(grey: Any, kji: tuple[int, ...]) -> Any:
    points = vtkPoints()
    points.InsertNextPoint(*kji[::-1])
    fill = vtkImageThresholdConnectivity()
    fill.SetInputData(_vtk_image(grey))
    fill.SetSeedPoints(points)
    fill.ThresholdBetween(LOW, HIGH)
    fill.SetInValue(1)
    fill.SetOutValue(0)
    fill.ReplaceInOn()
    fill.ReplaceOutOn()
    return _vtk_array(fill) == 1


def _vtk_largest(mask: Mask) -> Any:
    parts = vtkImageConnectivityFilter()
    parts.SetInputData(_vtk_image(bits(mask)))
    parts.SetScalarRange(1, 1)
    parts.SetExtractionModeToLargestRegion()
    parts.SetLabelModeToConstantValue()
    parts.SetLabelConstantValue(1)
    parts.SetLabelScalarTypeToUnsignedChar()
    return _vtk_array(parts) == 1


def _itk_within(voxels: Any, radius: float) -> Any:
    away = sitk.SignedMaurerDistanceMap(image(voxels), False, True, True)
    return sitk.GetArrayViewFromImage(away) <= radius**2


def _itk_closing(mask: Mask, radius: float) -> Any:
    wide = _itk_within(bits(mask), radius)
    return ~_itk_within((~wide).view(np.uint8), radius)


def _edt_within(edt: Any, voxels: Any, radius: float) -> Any:
    return edt.edtsq(~voxels, anisotropy=SPACING_KJI, order="C") <= radius**2


def _edt_closing(edt: Any, mask: Mask, radius: float) -> Any:
    return ~_edt_within(edt, ~_edt_within(edt, mask.voxels, radius), radius)


def _deep(volume: Volume, mask: Mask) -> tuple[float, float, float]:
    """A seed well inside the bone."""
    core = margin(mask, -1.5).voxels
    x, y, z = volume.grid.to_lps(np.argwhere(core)[0])
    return (float(x), float(y), float(z))


class Peak:
    """The most memory this process held while it was watched, beyond what it held before, in bytes."""

    def __enter__(self) -> "Peak":
        self.bytes, self._over = 0, threading.Event()
        self._before = _resident()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            self.bytes = max(self.bytes, _resident() - self._before)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peers", type=Path)
    parser.add_argument(
        "--stops", action="store_true", help="measure how soon a stop is heard, and nothing else"
    )
    arguments = parser.parse_args()
    if arguments.peers:
        sys.path.append(str(arguments.peers))
    peers = {}
    for name in ("cc3d", "edt", "fill_voids", "fastmorph"):
        try:
            peers[name] = importlib.import_module(name)
        except ImportError:
            print(f"{name} is not installed: not measured")
    volume = scan()
    mask = segment.threshold(volume, LOW, HIGH)
    if arguments.stops:
        stops(volume, mask, arguments.pattern)
        return
    print("| task | who | CPU s | wall s | peak, x scan | CPU beside the fastest peer |")
    print("|---|---|---|---|---|---|")
    for task, ways in tasks(volume, mask, peers).items():
        if arguments.pattern not in task:
            continue
        best: dict[str, list[float]] = {}
        for _ in range(arguments.rounds):
            for who, way in ways.items():
                with Peak() as peak:
                    wall, cpu = time.perf_counter(), time.process_time()
                    way()
                    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
                share = peak.bytes / volume.voxels.nbytes
                before = best.get(who, [cpu, wall, share])
                best[who] = [min(before[0], cpu), min(before[1], wall), max(before[2], share)]
        fastest = min((cpu for who, (cpu, *_) in best.items() if who != "surgiplan"), default=None)
        for who, (cpu, wall, share) in sorted(best.items(), key=lambda row: row[1][0]):
            beside = f"{cpu / fastest:.2f}" if fastest and who == "surgiplan" else ""
            print(f"| {task} | {who} | {cpu:.2f} | {wall:.2f} | {share:.1f} | {beside} |", flush=True)


if __name__ == "__main__":
    main()
