"""Move the border of a mask to the edge in the grey values near it (geodesic active contour)."""

from math import ceil

import numpy as np
from scipy.ndimage import gaussian_gradient_magnitude
from SimpleITK import GeodesicActiveContourLevelSetImageFilter, GetImageFromArray

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatsArray, Grid, Mask, Volume, given_away
from ..filters import run_apart, run_itk, voxels_of
from ..masks.box import Box, boxed, required_box, wider
from ..scans.sampling import even_grid, resampled
from ..space import require_one_grid
from .depth import depths

_MOST_VOXELS = 20_000_000
_STILL = 0.005  # voxels a round
_EDGES = 3.0  # weight of the pull towards edges
_KNOWN = 8  # voxels on either side of the border to which the distance from it is measured


def fitted_contour(
    volume: Volume,
    mask: Mask,
    reach_mm: float = 5.0,
    edge: float = 200.0,
    growth: float = 1.0,
    smoothness: float = 0.5,
    rounds: int = 300,
    report: Report = silent,
) -> Mask:
    """Let the border of a mask run to edges in the grey values and stay there, smooth.

    Geodesic active contour (Caselles, Kimmel, Sapiro 1997) as a sparse level set, in cubic voxels in the box
    of the mask and the reach round it. Speed is 1 / (1 + (slope / edge)^2).

    volume: the scan
    mask: where the contour starts, on the grid of the scan
    reach_mm: how far outside of the mask it may come
    edge: change of grey value per mm that slows it down to half
    growth: pressure outwards; negative inwards
    smoothness: weight of the curvature
    rounds: most steps, of up to half a voxel each
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen or the contour vanishes, Mismatch when the grids differ.
    """
    require_one_grid(volume, mask)
    k, j, i = (ceil(reach_mm / step) + 1 for step in mask.grid.spacing_kji)
    box = wider(required_box(mask), (k, j, i), mask.voxels.shape)
    place = mask.grid.to_lps([along.start for along in box])
    affine = mask.grid.kji_to_lps.copy()
    affine[:3, 3] = place
    shape = tuple(along.stop - along.start for along in box)
    here = Grid((shape[0], shape[1], shape[2]), affine, mask.grid.frame_uid)
    finest = (float(np.prod(shape)) * here.voxel_mm3 / _MOST_VOXELS) ** (1 / 3)
    cubic = even_grid(here, max(min(here.spacing_kji), finest))
    spacing = cubic.spacing_kji[0]
    speed = _speed(volume, box, here, cubic, edge, part_of(report, 0.0, 0.1))
    outwards = _outwards(mask.voxels[box], here, part_of(report, 0.1, 0.12))
    start = resampled(outwards, cubic, report=part_of(report, 0.12, 0.15)).voxels / np.float32(spacing)
    del outwards
    contour = GeodesicActiveContourLevelSetImageFilter()
    contour.SetPropagationScaling(growth)
    contour.SetCurvatureScaling(smoothness)
    contour.SetAdvectionScaling(_EDGES)
    contour.SetMaximumRMSError(_STILL)
    contour.SetNumberOfIterations(rounds)
    images = [GetImageFromArray(start), GetImageFromArray(speed)]
    del start, speed
    hear = part_of(report, 0.15, 0.95)
    level = Volume(
        cubic, voxels_of(run_itk(contour, hear, "Moving the contour to the edges", *images)), unit=""
    )
    found = resampled(level, here, report=part_of(report, 0.95, 1.0)).voxels
    chosen = found < 0
    if not chosen.any():
        raise StepFailed(
            "The contour shrank to nothing: give it more growth, or start from a mask nearer to the edge."
        )
    return boxed(mask.grid, box, chosen)


def _speed(volume: Volume, box: Box, here: Grid, cubic: Grid, edge: float, report: Report) -> FloatsArray:
    """How fast the contour moves, 0 to 1, in cubic voxels."""
    text = "Looking for edges"
    there = run_apart(lambda: volume.voxels[box].astype(np.float32), part_of(report, 0.0, 0.0), text)
    source = Volume(here, given_away(there), unit=volume.unit)
    del there
    grey = resampled(source, cubic, report=part_of(report, 0.0, 0.5)).voxels
    del source
    spacing = cubic.spacing_kji[0]

    def speed() -> FloatsArray:
        slope = gaussian_gradient_magnitude(grey, max(0.7 / spacing, 0.7)) / spacing
        found: FloatsArray = (1 / (1 + np.square(slope / edge))).astype(np.float32)
        return found

    return run_apart(speed, part_of(report, 0.5, 1.0), text)


def _outwards(chosen: BoolArray, grid: Grid, report: Report) -> Volume:
    """How far each voxel lies outside the border, mm; negative within. Far from it only the sign is right."""
    known = _KNOWN * max(grid.spacing_kji)
    away = np.empty(chosen.shape, np.float32)
    for k, depth in depths(chosen, None, grid.spacing_kji, deepest_mm=known, outside_mm=known, report=report):
        away[k] = -depth
    return Volume(grid, given_away(away), unit="")
