"""Which voxels belong to a body: by grey value, by connection, by hand."""

from collections.abc import Iterator
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from SimpleITK import (
    ConnectedComponentImageFilter,
    ConnectedThresholdImageFilter,
    GetArrayViewFromImage,
    GetImageFromArray,
)

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Bits, BoolArray, FloatArray, Grid, Mask, Vec3, Volume, given_away
from .filters import run_itk

_VOXELS_AT_ONCE = 4_000_000
_AIR_HU = -1024.0
_BONE_HU = 226.0
_FEWEST_EDGES = 100
_MOST_EDGES = 20_000
_FACING_BONE_MM = 30.0
Box = tuple[slice, slice, slice]


def threshold(volume: Volume, low: float, high: float, report: Report = silent) -> Mask:
    """Choose the voxels whose grey value lies between two values, both included.

    volume: the scan
    low: faintest grey value that is chosen; becomes the level of the mask
    high: brightest grey value that is chosen
    report: told the progress; may raise Cancelled
    Raises StepFailed when low lies above high or one is not a number.
    """
    if not low <= high:
        raise StepFailed(
            f"The faintest value to keep ({low:g}) lies above the brightest ({high:g}): exchange them."
        )
    chosen = np.empty(volume.voxels.shape, np.bool_)
    faintest, brightest = _limits(volume.voxels, low, high)
    for some in _slabs(volume.voxels.shape):
        report(some.start / len(chosen), "Choosing voxels by grey value")
        grey = volume.voxels[some]
        np.logical_and(grey >= faintest, grey <= brightest, out=chosen[some])
    return Mask(volume.grid, given_away(chosen), float(low))


def grow(volume: Volume, seed_lps: Vec3, low: float, high: float, report: Report = silent) -> Mask:
    """Choose the voxels between two grey values that a seed reaches from face to face.

    volume: the scan
    seed_lps: a point inside the body, LPS mm
    low: faintest grey value that is chosen; becomes the level of the mask
    high: brightest grey value that is chosen
    report: told the progress; may raise Cancelled
    Raises StepFailed when the seed lies outside the scan or on a voxel that is out of range.
    """
    seed = _voxel_at(volume.grid, seed_lps)
    found = float(volume.voxels[seed])
    if not low <= found <= high:
        unit = f" {volume.unit}" if volume.unit else ""
        raise StepFailed(
            f"The seed at {_text(seed_lps)} lies on {found:g}{unit}, outside the range {low:g} to {high:g}. "
            "Place the seed on the body, or widen the range so that it holds this value."
        )
    return part_at(
        threshold(volume, low, high, part_of(report, 0.0, 0.3)), seed_lps, part_of(report, 0.3, 1.0)
    )


def largest_part(mask: Mask, report: Report = silent) -> Mask:
    """Keep the connected part with the most voxels; voxels connect through their faces.

    mask: the chosen voxels
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen.
    """
    box = _box_of(mask.voxels)
    if box is None:
        raise StepFailed(
            "No voxel is chosen, so there is no largest part. Widen the range of the threshold before."
        )
    parts = run_itk(
        ConnectedComponentImageFilter(),
        part_of(report, 0.0, 0.8),
        "Finding the connected parts",
        _image(mask, box),
    )
    labels = GetArrayViewFromImage(parts)
    sizes = np.zeros(1, np.int64)
    for some in _slabs(labels.shape):
        report(0.8 + 0.1 * some.start / len(labels), "Measuring the parts")
        counted = np.bincount(labels[some].ravel(), minlength=len(sizes))
        counted[: len(sizes)] += sizes
        sizes = counted
    sizes[0] = 0
    return _boxed(mask, box, labels == np.argmax(sizes))


def part_at(mask: Mask, seed_lps: Vec3, report: Report = silent) -> Mask:
    """Keep the connected part under a seed; voxels connect through their faces.

    mask: the chosen voxels
    seed_lps: a point inside the part, LPS mm
    report: told the progress; may raise Cancelled
    Raises StepFailed when the seed lies outside the scan or on a voxel that is not chosen.
    """
    seed = _voxel_at(mask.grid, seed_lps)
    box = _box_of(mask.voxels)
    if box is None:
        raise StepFailed(
            "No voxel is chosen, so no part can be kept. Widen the range of the threshold before."
        )
    if not mask.voxels[seed]:
        away = _distance_to_chosen(mask, seed)
        raise StepFailed(
            f"The seed at {_text(seed_lps)} lies beside the chosen voxels, {away:.1f} mm from the nearest. "
            "Place it on the part to keep, or widen the range of the threshold before."
        )
    fill = ConnectedThresholdImageFilter()
    fill.SetLower(1)
    fill.SetUpper(1)
    fill.SetReplaceValue(1)
    fill.SetSeedList([tuple(int(n - along.start) for n, along in zip(seed, box, strict=True))[::-1]])
    part = run_itk(fill, report, "Following the part from its seed", _image(mask, box))
    return _boxed(mask, box, GetArrayViewFromImage(part) == 1)


def painted(mask: Mask, added: Bits, removed: Bits) -> Mask:
    """Add and take away voxels by hand: (mask or added) and not removed.

    mask: the chosen voxels
    added: voxels to choose besides; what lies outside the grid is left out
    removed: voxels to leave out, also of the added
    """
    chosen = mask.voxels.copy()
    added.write_into(chosen, True)
    removed.write_into(chosen, False)
    return Mask(mask.grid, given_away(chosen), mask.level)


def otsu(volume: Volume) -> float:
    """Suggest the grey value that best parts the scan into a dark and a bright class.

    Otsu's criterion (1979) on the histogram; where a gap parts the classes, the middle of the gap.
    In a CT of the body that is the border of air and body, not of bone; what is below -1024 HU is
    padding round the field of view and does not count.

    volume: the scan
    Raises StepFailed when all voxels are equal.
    """
    values, counts = _histogram(volume.voxels)
    if volume.unit == "HU":
        values, counts = values[values >= _AIR_HU], counts[values >= _AIR_HU]
    if len(values) < 2:
        raise StepFailed("All voxels of the scan have one grey value: there is nothing to part.")
    from skimage.filters import threshold_otsu  # takes half a second to load, for this alone

    darkest = threshold_otsu(hist=(counts, values))
    return float(darkest + values[values > darkest][0]) / 2


def half_maximum(volume: Volume, report: Report = silent) -> float:
    """Suggest the grey value half-way between the bone's cortex and the soft tissue round it.

    A blurred edge keeps its place at half of its height. At border voxels of what is brighter than
    226 HU (than Otsu's value where the unit is not HU), also in the mean with their neighbours so that no
    speck of noise counts, the grey values are read along the gradient, 3 mm
    (at least 3 voxels) inwards and outwards. The half of an edge is the mean of its brightest value inside
    (over three readings, against noise) and the median of the outer half of the readings outside. Edges
    that face bone again within 30 mm (marrow, joints) are left out as long as others remain. The answer
    is the median of the halves.

    volume: the scan, with bone in soft tissue or in air
    report: told the progress; may raise Cancelled
    Raises StepFailed when fewer than 100 edges of bone are found.
    """
    start = _BONE_HU if volume.unit == "HU" else otsu(volume)
    border = _border_voxels(volume.voxels, start, part_of(report, 0.0, 0.8))
    report(0.8, "Reading the edges of the bone")
    border = border[_means_round(volume.voxels, border) >= start]
    outwards = _down_the_gradient(volume, border)
    spacing = volume.grid.spacing_kji
    reach = max(3.0, 3.0 * max(spacing))
    depth = np.arange(0.0, reach, min(spacing) / 2)
    inner = _along(volume.voxels, border, -outwards, depth)
    peak = ((inner[:, :-2] + 2 * inner[:, 1:-1] + inner[:, 2:]) / 4).max(axis=1)
    base = np.median(_along(volume.voxels, border, outwards, depth[depth >= reach / 2]), axis=1)
    report(0.9, "Reading the edges of the bone")
    beyond = _along(volume.voxels, border, outwards, np.arange(reach, _FACING_BONE_MM, 1.0))
    edge = (peak >= start) & (base < start)
    free = edge & (beyond < start).all(axis=1)
    used = free if np.count_nonzero(free) >= _FEWEST_EDGES else edge
    if np.count_nonzero(used) < _FEWEST_EDGES:
        raise StepFailed(
            f"Only {np.count_nonzero(used)} edges brighter than {start:g} were found, too few to suggest "
            "a threshold from. Type a value, or choose a scan that shows bone."
        )
    return float(np.median((peak[used] + base[used]) / 2))


def _histogram(voxels: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """The grey values that occur (bin centres where the scan holds fractions), and how often."""
    if voxels.dtype == np.int16:
        low = int(voxels.min())
        counts = np.zeros(int(voxels.max()) - low + 1, np.int64)
        for some in _slabs(voxels.shape):
            counts += np.bincount(voxels[some].ravel().astype(np.int64) - low, minlength=len(counts))
        values = low + np.arange(len(counts), dtype=np.float64)
    else:
        counts, edges = np.histogram(voxels[np.isfinite(voxels)], bins=4096)
        values = (edges[1:] + edges[:-1]) / 2
    occurs = counts > 0
    return values[occurs], counts[occurs].astype(np.float64)


def _border_voxels(voxels: NDArray[Any], level: float, report: Report) -> NDArray[np.int64]:
    """(n, 3) indices of voxels at or above the level beside one below it, evenly thinned out."""
    found = []
    for some in _slabs(voxels.shape):
        report(some.start / len(voxels), "Finding the edges of the bone")
        first, last = max(some.start - 1, 0), min(some.stop + 1, len(voxels))
        bright = voxels[first:last] >= level
        beside = np.zeros_like(bright)
        for axis in range(3):
            a, b = np.moveaxis(bright, axis, 0), np.moveaxis(beside, axis, 0)
            b[1:] |= a[1:] & ~a[:-1]
            b[:-1] |= a[:-1] & ~a[1:]
        kji = np.argwhere(beside[some.start - first : some.stop - first])
        kji[:, 0] += some.start
        found.append(kji)
    border = np.concatenate(found)
    return border[:: 1 + len(border) // _MOST_EDGES]


def _means_round(voxels: NDArray[Any], kji: NDArray[np.int64]) -> FloatArray:
    """(n,) mean of the 27 voxels round each of these."""
    last = np.asarray(voxels.shape) - 1
    total = np.zeros(len(kji))
    for step in np.ndindex(3, 3, 3):
        total += voxels[tuple(np.clip(kji + step - 1, 0, last).T)]
    return total / 27


def _down_the_gradient(volume: Volume, kji: NDArray[np.int64]) -> FloatArray:
    """(n, 3) index steps of 1 mm towards the dark side (central differences)."""
    last = np.asarray(volume.voxels.shape) - 1
    spacing = np.asarray(volume.grid.spacing_kji)
    fall = np.empty((len(kji), 3))
    for axis in range(3):
        one = np.eye(3, dtype=np.int64)[axis]
        before, after = np.maximum(kji - one, 0), np.minimum(kji + one, last)
        rise = volume.voxels[tuple(after.T)].astype(np.float64) - volume.voxels[tuple(before.T)]
        fall[:, axis] = -rise / (np.maximum((after - before)[:, axis], 1) * spacing[axis])
    length = np.linalg.norm(fall, axis=1, keepdims=True)
    step: FloatArray = fall / np.where(length > 0, length, 1.0) / spacing
    return step


def _along(
    voxels: NDArray[Any], kji: NDArray[np.int64], step: FloatArray, depth_mm: FloatArray
) -> FloatArray:
    """(n, m) grey values, linear between voxels, at these depths from these voxels."""
    places = kji[:, None, :] + step[:, None, :] * depth_mm[None, :, None]
    grey: FloatArray = map_coordinates(
        voxels, np.moveaxis(places, 2, 0), output=np.float64, order=1, mode="nearest", prefilter=False
    )
    return grey


def _slabs(shape: tuple[int, ...]) -> Iterator[slice]:
    """Stretches of slices, each small enough to be done in a moment."""
    step = max(1, _VOXELS_AT_ONCE // max(1, shape[1] * shape[2]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def _limits(voxels: NDArray[Any], low: float, high: float) -> tuple[float, float]:
    """The same limits in the type of the voxels, so that comparing needs no second copy of them."""
    if voxels.dtype != np.int16:
        return low, high
    return ceil(max(low, -1e5)) if low < 1e5 else 100_000, floor(min(high, 1e5)) if high > -1e5 else -100_000


def _box_of(chosen: BoolArray) -> Box | None:
    """The smallest box that holds the chosen voxels."""
    ends = []
    for axis in range(3):
        hit = np.flatnonzero(chosen.any(axis=tuple(n for n in range(3) if n != axis)))
        if not len(hit):
            return None
        ends.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return (ends[0], ends[1], ends[2])


def _image(mask: Mask, box: Box) -> Any:
    return GetImageFromArray(mask.voxels[box].view(np.uint8))


def _boxed(mask: Mask, box: Box, chosen: BoolArray) -> Mask:
    """The mask that holds these voxels in the box and none outside."""
    voxels = np.zeros(mask.voxels.shape, np.bool_)
    voxels[box] = chosen
    return Mask(mask.grid, given_away(voxels), mask.level)


def _voxel_at(grid: Grid, seed_lps: Vec3) -> tuple[int, int, int]:
    voxel = grid.nearest(seed_lps)
    if voxel is None:
        kji = grid.to_kji(seed_lps)
        inside = np.clip(kji, 0, np.asarray(grid.shape_kji) - 1)
        away = float(np.linalg.norm((kji - inside) * grid.spacing_kji))
        raise StepFailed(
            f"The seed at {_text(seed_lps)} lies {away:.1f} mm outside the scan. Place it inside the body."
        )
    return voxel


def _distance_to_chosen(mask: Mask, seed: tuple[int, int, int]) -> float:
    """Distance in mm from a voxel to the nearest chosen one; slices are searched from near to far."""
    spacing = mask.grid.spacing_kji
    best = np.inf
    for k in sorted(range(len(mask.voxels)), key=lambda k: abs(k - seed[0])):
        along = abs(k - seed[0]) * spacing[0]
        if along >= best:
            break
        j, i = np.nonzero(mask.voxels[k])
        if len(j):
            beside = np.hypot((j - seed[1]) * spacing[1], (i - seed[2]) * spacing[2]).min()
            best = min(best, float(np.hypot(along, beside)))
    return best


def _text(point_lps: Vec3) -> str:
    return "({:.1f}, {:.1f}, {:.1f})".format(*point_lps)
