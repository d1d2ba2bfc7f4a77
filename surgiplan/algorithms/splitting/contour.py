"""Move the border of a mask to the edge in the grey values near it (geodesic active contour)."""

from math import ceil

import numpy as np
from scipy.ndimage import gaussian_gradient_magnitude
from SimpleITK import GeodesicActiveContourLevelSetImageFilter, GetArrayViewFromImage, GetImageFromArray

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, Grid, Mask, Volume
from ..filters import run_itk
from ..masks.box import boxed, required_box, wider
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
    grey = resampled(Volume(here, volume.voxels[box].astype(np.float32), unit=volume.unit), cubic)
    start = resampled(
        _outwards(mask.voxels[box], here, part_of(report, 0.0, 0.05)),
        cubic,
        report=part_of(report, 0.05, 0.1),
    )
    spacing = cubic.spacing_kji[0]
    slope = gaussian_gradient_magnitude(grey.voxels, max(0.7 / spacing, 0.7)) / spacing
    speed = (1 / (1 + np.square(slope / edge))).astype(np.float32)
    contour = GeodesicActiveContourLevelSetImageFilter()
    contour.SetPropagationScaling(growth)
    contour.SetCurvatureScaling(smoothness)
    contour.SetAdvectionScaling(_EDGES)
    contour.SetMaximumRMSError(_STILL)
    contour.SetNumberOfIterations(rounds)
    found = run_itk(
        contour,
        part_of(report, 0.1, 0.95),
        "Moving the contour to the edges",
        GetImageFromArray(start.voxels / np.float32(spacing)),
        GetImageFromArray(speed),
    )
    level = Volume(cubic, GetArrayViewFromImage(found).astype(np.float32), unit="")
    chosen = resampled(level, here).voxels < 0
    if not chosen.any():
        raise StepFailed(
            "The contour shrank to nothing: give it more growth, or start from a mask nearer to the edge."
        )
    return boxed(mask.grid, box, chosen)


def _outwards(chosen: BoolArray, grid: Grid, report: Report) -> Volume:
    """How far each voxel lies outside the border, mm; negative within. Far from it only the sign is right."""
    known = _KNOWN * max(grid.spacing_kji)
    away = np.empty(chosen.shape, np.float32)
    for k, depth in depths(chosen, None, grid.spacing_kji, deepest_mm=known, outside_mm=known, report=report):
        away[k] = -depth
    return Volume(grid, away, unit="")
