"""Which voxels belong to a body: by grey value, and by hand."""

from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Bits, BoolArray, FloatArray, Grid, Mask, Vec3, Volume, given_away
from .masks.box import slabs

_AIR_HU = -1024.0
_BONE_HU = 226.0
_STEPS = 1024
_FEWEST_EDGES = 100
_MOST_EDGES = 20_000
_FACING_BONE_MM = 30.0


def threshold(volume: Volume, low: float, high: float, report: Report = silent) -> Mask:
    """Choose the voxels whose grey value lies between two values, both included.

    volume: the scan
    low: faintest grey value that is chosen; becomes the level of the mask
    high: brightest grey value that is chosen
    report: told the progress; may raise Cancelled
    Raises StepFailed when low lies above high or one is not a number.
    """
    return Mask(volume.grid, in_range(volume.voxels, low, high, report), float(low))


def in_range(voxels: NDArray[Any], low: float, high: float, report: Report = silent) -> BoolArray:
    """Choose the grey values between two, both included.

    voxels: [k, j, i] int16 or float32
    low: faintest grey value that is chosen
    high: brightest grey value that is chosen
    report: told the progress; may raise Cancelled
    Raises StepFailed when low lies above high or one is not a number.
    """
    if not low <= high:
        raise StepFailed(
            f"The faintest value to keep ({low:g}) lies above the brightest ({high:g}): exchange them."
        )
    chosen = np.empty(voxels.shape, np.bool_)
    faintest, brightest = _limits(voxels, low, high)
    for some in slabs(voxels.shape):
        report(some.start / len(chosen), "Choosing voxels by grey value")
        grey = voxels[some]
        np.logical_and(grey >= faintest, grey <= brightest, out=chosen[some])
    return given_away(chosen)


def nothing(grid: Grid) -> Mask:
    """Choose no voxel, to start painting from.

    grid: of the scan
    """
    return Mask(grid, given_away(np.zeros(grid.shape_kji, np.bool_)))


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
    values, counts = _counted(volume)
    if len(values) < 2:
        raise StepFailed("All voxels of the scan have one grey value: there is nothing to part.")
    from skimage.filters import threshold_otsu  # takes half a second to load, for this alone

    return _between(values, threshold_otsu(hist=(counts, values)))


def multi_otsu(volume: Volume) -> tuple[float, float]:
    """Suggest the two grey values that best part the scan into three classes: air, soft tissue and bone.

    The criterion of Otsu (1979) for more than two classes, on the histogram in at most 1024 steps; what is
    below -1024 HU does not count.

    volume: the scan
    Raises StepFailed when the voxels have fewer than three grey values.
    """
    values, counts = _counted(volume)
    if len(values) < 3:
        raise StepFailed("The scan has fewer than three grey values: there are no three classes to part.")
    from skimage.filters import threshold_multiotsu

    steps, edges = np.histogram(values, _STEPS, weights=counts)  # it takes them for evenly spaced
    darker, brighter = threshold_multiotsu(classes=3, hist=(steps, edges[1:]))
    return _between(values, darker), _between(values, brighter)


def half_maximum_across(volume: Volume, line_lps: tuple[Vec3, Vec3]) -> float:
    """Suggest the grey value half-way up one edge, on a line drawn across the cortex.

    The line is read in quarters of a voxel, linear between voxels. The height is the brightest reading
    (mean over a voxel, against noise), the foot the median of the readings from the first point to where a
    quarter of the rise is done. A cortex thinner than about three voxels reads too low, as by any such rule.

    volume: the scan
    line_lps: a point in the soft tissue (or marrow) beside the cortex, and one in or beyond it, LPS mm
    Raises StepFailed when a point lies outside the scan, or the line does not rise from its first point.
    """
    ends = volume.grid.to_kji(line_lps)
    if not ((ends >= -0.5) & (ends <= np.asarray(volume.voxels.shape) - 0.5)).all():
        raise StepFailed("The line leaves the scan: place both of its points inside.")
    length = float(np.linalg.norm(np.subtract(*line_lps)))
    step = min(volume.grid.spacing_kji) / 4
    places = np.linspace(ends[0], ends[1], max(9, ceil(length / step) + 1))
    grey: FloatArray = map_coordinates(
        volume.voxels, places.T, output=np.float64, order=1, mode="nearest", prefilter=False
    )
    smooth = np.convolve(np.pad(grey, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    peak, first = float(smooth.max()), float(np.median(smooth[:3]))
    rising = np.flatnonzero(smooth > first + (peak - first) / 4)
    foot = float(np.median(smooth[: rising[0]])) if len(rising) and rising[0] > 0 else first
    noise = float(np.std(grey[: rising[0]])) if len(rising) and rising[0] > 0 else 0.0
    if len(rising) == 0 or rising[0] < 2 or peak - foot <= 4 * noise:
        raise StepFailed(
            f"Along the line the grey value does not rise from its first point ({first:g}) to a brighter "
            f"edge (brightest {peak:g}). Begin beside the cortex, a voxel away, and end in or beyond it."
        )
    return (peak + foot) / 2


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


def _between(values: FloatArray, darkest: float) -> float:
    """The middle of the gap above the values of the darker class, the last of which is given."""
    above = int(np.searchsorted(values, darkest, "right"))
    return float(values[above - 1] + values[above]) / 2


def _counted(volume: Volume) -> tuple[FloatArray, FloatArray]:
    """The histogram without the padding of a CT."""
    values, counts = _histogram(volume.voxels)
    if volume.unit == "HU":
        values, counts = values[values >= _AIR_HU], counts[values >= _AIR_HU]
    return values, counts


def _histogram(voxels: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """The grey values that occur (bin centres where the scan holds fractions), and how often."""
    if voxels.dtype == np.int16:
        low = int(voxels.min())
        counts = np.zeros(int(voxels.max()) - low + 1, np.int64)
        for some in slabs(voxels.shape):
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
    for some in slabs(voxels.shape):
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


def _limits(voxels: NDArray[Any], low: float, high: float) -> tuple[float, float]:
    """The same limits in the type of the voxels, so that comparing needs no second copy of them."""
    if voxels.dtype != np.int16:
        return low, high
    return ceil(max(low, -1e5)) if low < 1e5 else 100_000, floor(min(high, 1e5)) if high > -1e5 else -100_000
