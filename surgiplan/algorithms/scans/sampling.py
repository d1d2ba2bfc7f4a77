"""Cut a scan to a box, or sample it on another grid."""

from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from SimpleITK import (
    ResampleImageFilter,
    sitkBSpline,
    sitkFloat32,
    sitkLinear,
    sitkNearestNeighbor,
)

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import FloatArray, Grid, Mask, Volume, given_away
from ..filters import run_apart, run_itk, voxels_of
from ..masks.box import Box, required_box, slabs
from ..space import require_one_frame
from .image import image_of

_MOST_VOXELS = 1_500_000_000
_TRUNCATED = 4  # standard deviations
_BEYOND = {"HU": -1024.0}  # what lies outside of a CT is air
_INTERPOLATORS = {"nearest": sitkNearestNeighbor, "linear": sitkLinear, "cubic": sitkBSpline}


def cropped(
    volume: Volume, points_lps: FloatArray, around: Mask | None = None, margin_mm: float = 0
) -> Volume:
    """Cut a scan to a box along its axes; grey values and places stay as they are.

    volume: the scan
    points_lps: (n, 3) what the box shall hold, mm
    around: chosen voxels it shall hold, too
    margin_mm: room on all sides
    Raises StepFailed when the box does not meet the scan or the mask is empty, Mismatch for two frames.
    """
    held = np.reshape(np.asarray(points_lps, np.float64), (-1, 3))
    if around is not None:
        require_one_frame(volume, around)
        ends = [(along.start, along.stop - 1) for along in required_box(around)]
        held = np.concatenate([held, around.grid.to_lps(np.array(list(product(*ends))))])
    kji, more = volume.grid.to_kji(held), margin_mm / np.asarray(volume.grid.spacing_kji)
    low = np.maximum(np.rint(kji.min(axis=0) - more), 0).astype(int)
    high = np.minimum(np.rint(kji.max(axis=0) + more) + 1, volume.grid.shape_kji).astype(int)
    if (high <= low).any():
        raise StepFailed("The box holds no voxel of the scan: place its corners inside the scan.")
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return _boxed(volume, (k, j, i))


def _boxed(volume: Volume, box: Box) -> Volume:
    """A box of a scan."""
    voxels = given_away(volume.voxels[box].copy())
    return Volume(volume.grid.part(box), voxels, volume.modality, volume.unit)


def even_grid(grid: Grid, spacing_mm: float) -> Grid:
    """Lay a grid of cubic voxels over the same stretch of the patient; both have one middle.

    grid: of the scan
    spacing_mm: edge of the cubes
    Raises StepFailed when it has too many voxels to be held.
    """
    extent = np.asarray(grid.shape_kji) * grid.spacing_kji
    shape = np.maximum(np.rint(extent / spacing_mm), 1)
    if np.prod(shape) > _MOST_VOXELS:
        raise StepFailed(
            f"Voxels of {spacing_mm:g} mm make {np.prod(shape) / 1e9:.1f} thousand million of them: "
            "choose a larger spacing, or crop the scan before."
        )
    affine = np.eye(4)
    affine[:3, :3] = grid.axes * spacing_mm
    middle = grid.to_lps((np.asarray(grid.shape_kji) - 1) / 2)
    affine[:3, 3] = middle - affine[:3, :3] @ ((shape - 1) / 2)
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine, grid.frame_uid)


def reach(source: Grid, grid: Grid) -> Box:
    """Find which voxels of a scan are looked at when it is read on another grid (nearest, linear).

    source: of the scan
    grid: where it is to be read
    """
    room = np.ceil(_TRUNCATED * _widening(source, grid)) + 2
    corners = source.to_kji(grid.corners_lps)
    last = np.asarray(source.shape_kji)
    low = np.clip(np.floor(corners.min(axis=0) - room), 0, last - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + room) + 1, low + 1, last).astype(int)
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return (k, j, i)


def _widening(source: Grid, grid: Grid) -> FloatArray:
    """Of the Gaussian that widens old voxels to the new ones, along k, j and i, in old voxels."""
    step = source.lps_to_kji[:3, :3] @ grid.kji_to_lps[:3, :3]
    wide = np.abs(step).max(axis=1)  # how many old voxels a step to the next new voxel goes
    sigma: FloatArray = np.sqrt(np.maximum(wide**2 - 1, 0) / 12)
    return sigma if (sigma > 0.15).any() else np.zeros(3)


def resampled(volume: Volume, grid: Grid, how: str = "linear", report: Report = silent) -> Volume:
    """Read the grey values of a scan at the voxels of another grid.

    Where the voxels become larger, the scan is smoothed before (a Gaussian that widens the old voxel to the
    new one), so that no detail turns into a wrong pattern. Places outside of the scan become air in a CT,
    else the darkest value.

    volume: the scan
    grid: where the new voxels lie, in the same frame of reference
    how: nearest, linear or cubic
    report: told the progress; may raise Cancelled
    Raises Mismatch when the frames differ.
    """
    require_one_frame(volume, Mask(grid, np.zeros(grid.shape_kji, np.bool_)))
    beyond = _BEYOND[volume.unit] if volume.unit in _BEYOND else float(volume.voxels.min())
    box = reach(volume.grid, grid)
    if how != "cubic" and volume.voxels[box].size < volume.voxels.size:
        volume = _boxed(volume, box)
    sigma = _widening(volume.grid, grid)
    source = _smoothed(volume.voxels, sigma, part_of(report, 0.0, 0.4)) if how != "nearest" else volume.voxels
    reader = ResampleImageFilter()
    if how != "nearest":
        reader.SetOutputPixelType(sitkFloat32)  # ITK cuts fractions off, we round
    reader.SetInterpolator(_INTERPOLATORS[how])
    reader.SetDefaultPixelValue(beyond)
    reader.SetSize(grid.shape_kji[::-1])
    place = image_of(grid, np.zeros((1, 1, 1), np.uint8))
    reader.SetOutputSpacing(place.GetSpacing())
    reader.SetOutputOrigin(place.GetOrigin())
    reader.SetOutputDirection(place.GetDirection())
    text = "Reading the grey values at new places"
    image = run_apart(partial(image_of, volume.grid, source), part_of(report, 0.4, 0.4), text)
    del source
    values = voxels_of(run_itk(reader, part_of(report, 0.4, 0.9), text, image))
    if volume.voxels.dtype == np.int16 and values.dtype != np.int16:
        values = _rounded(values, part_of(report, 0.9, 1.0))
    return Volume(grid, given_away(values), volume.modality, volume.unit)


def _rounded(values: NDArray[Any], report: Report) -> NDArray[np.int16]:
    whole = np.empty(values.shape, np.int16)
    for some in slabs(values.shape):
        report(some.start / len(values), "Reading the grey values at new places")
        whole[some] = np.clip(np.rint(values[some]), -32768, 32767)
    return whole


def _smoothed(voxels: NDArray[Any], sigma: FloatArray, report: Report) -> NDArray[Any]:
    """The scan, smoothed along the axes along which the new voxels are larger."""
    if not sigma.any():
        return voxels
    result = np.empty(voxels.shape, np.float32)
    halo = int(np.ceil(_TRUNCATED * sigma[0])) + 1
    for some in slabs(voxels.shape):
        report(some.start / len(voxels), "Smoothing to the larger voxels")
        first, last = max(some.start - halo, 0), min(some.stop + halo, len(voxels))
        smooth = gaussian_filter(
            voxels[first:last].astype(np.float32), sigma, mode="nearest", truncate=_TRUNCATED
        )
        result[some] = smooth[some.start - first : some.stop - first]
    return result
