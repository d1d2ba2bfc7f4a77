"""Take the slow change of brightness out of an MR scan."""

import numpy as np
from SimpleITK import (
    GetArrayViewFromImage,
    N4BiasFieldCorrectionImageFilter,
    ResampleImageFilter,
    sitkBSpline,
    sitkFloat32,
)

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import Volume, given_away
from ..filters import run_apart, run_itk, voxels_of
from ..masks.box import slabs
from ..segment import otsu
from .image import image_of
from .sampling import even_grid, resampled

_COARSE_MM = 4.0
_ROUNDS = (50, 40, 30, 20)


def evened(volume: Volume, report: Report = silent) -> tuple[Volume, float]:
    """Divide a scan by its bias field, the slow change of brightness that coils make.

    N4 (Tustison et al., IEEE TMI 29:1310, 2010) on voxels of 4 mm that are brighter than Otsu's value; the
    field is smooth, so it is found there and carried over. Its mean over the body is 1.

    volume: an MR scan
    report: told the progress; may raise Cancelled
    Returns the evened scan, and the factor by which the field changes over the
    body, from the darkest to the brightest 1 %.
    Raises StepFailed for a scan in HU, and for one that holds no bright body.
    """
    if volume.unit == "HU":
        raise StepFailed("A CT has no bias field: its HU are measured. Use this step for MR alone.")
    spacing = max(_COARSE_MM, *volume.grid.spacing_kji)
    coarse = resampled(volume, even_grid(volume.grid, spacing), report=part_of(report, 0.0, 0.1))
    grey = np.maximum(coarse.voxels.astype(np.float32), 0)
    body = grey > otsu(coarse)
    if np.count_nonzero(body) < 100:
        raise StepFailed("The scan holds no body brighter than its background: choose another scan.")
    image, mask = image_of(coarse.grid, grey), image_of(coarse.grid, body.astype(np.uint8))
    correction = N4BiasFieldCorrectionImageFilter()
    correction.SetMaximumNumberOfIterations(_ROUNDS)
    run_itk(correction, part_of(report, 0.1, 0.7), "Finding the bias field", image, mask)
    hear = part_of(report, 0.7, 0.7)
    field = run_apart(lambda: correction.GetLogBiasFieldAsImage(image), hear, "Finding the bias field")
    log = GetArrayViewFromImage(field)
    log_mean = float(log[body].mean())
    spread = float(np.exp(np.subtract(*np.percentile(log[body], (99, 1)))))
    carry = ResampleImageFilter()
    carry.SetInterpolator(sitkBSpline)
    carry.UseNearestNeighborExtrapolatorOn()
    carry.SetOutputPixelType(sitkFloat32)
    like = image_of(volume.grid, np.zeros((1, 1, 1), np.uint8))
    carry.SetSize(volume.grid.shape_kji[::-1])
    carry.SetOutputSpacing(like.GetSpacing())
    carry.SetOutputOrigin(like.GetOrigin())
    carry.SetOutputDirection(like.GetDirection())
    fine = voxels_of(run_itk(carry, part_of(report, 0.7, 0.9), "Carrying the field over", field))
    values = np.empty_like(volume.voxels)
    for some in slabs(values.shape):
        report(0.9 + 0.1 * some.start / len(values), "Evening out the brightness")
        even = volume.voxels[some] / np.exp(fine[some] - np.float32(log_mean))
        values[some] = np.clip(np.rint(even), -32768, 32767) if values.dtype == np.int16 else even
    return Volume(volume.grid, given_away(values), volume.modality, volume.unit), spread
