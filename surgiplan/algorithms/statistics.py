"""The figures of a segment: how large it is, and how bright."""

from dataclasses import dataclass

import numpy as np

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Mask, Volume
from .space import require_one_grid
from .surface import grey_surface

_SLICES_AT_ONCE = 16


@dataclass(frozen=True)
class SegmentFigures:
    """What is measured of a mask on a scan.

    voxels: how many
    volume_mm3: their number times the volume of one
    mean, deviation: mean and standard deviation (of the voxels, n) of the grey values; in HU for CT
    area_mm2: area of the surface through the grey edge round the mask (algorithms/surface)
    """

    voxels: int
    volume_mm3: float
    mean: float
    deviation: float
    area_mm2: float


def segment_figures(volume: Volume, mask: Mask, report: Report = silent) -> SegmentFigures:
    """Measure a segment.

    volume: the scan
    mask: the chosen voxels, on the grid of the scan
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen, Mismatch when the grids differ.
    """
    require_one_grid(volume, mask)
    count, mean, spread = 0, 0.0, 0.0
    for start in range(0, len(mask.voxels), _SLICES_AT_ONCE):
        report(0.3 * start / len(mask.voxels), "Measuring the grey values")
        some = slice(start, start + _SLICES_AT_ONCE)
        grey = volume.voxels[some][mask.voxels[some]].astype(np.float64)
        if len(grey):  # Chan, Golub and LeVeque (1983): the moments of two samples together
            away, together = float(grey.mean()) - mean, count + len(grey)
            spread += float(grey.var()) * len(grey) + away**2 * count * len(grey) / together
            mean += away * len(grey) / together
            count = together
    if not count:
        raise StepFailed(
            "This segment is empty: there is nothing to measure. Paint something, or edit its step."
        )
    area = grey_surface(volume, mask, report=part_of(report, 0.3, 1.0)).mesh.area_mm2
    return SegmentFigures(count, count * mask.grid.voxel_mm3, mean, float(np.sqrt(spread / count)), area)
