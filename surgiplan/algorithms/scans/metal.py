"""Find metal in a CT, and where its streaks make the grey values untrue."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from SimpleITK import GetArrayViewFromImage, GetImageFromArray, SignedMaurerDistanceMapImageFilter

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatArray, FloatsArray, Mask, Vec3, Volume, given_away
from ..filters import run_itk
from ..masks.box import Box, box_of, slabs, wider

_METAL_HU = 2500.0
_WINDOW_MM = 6.0
_BODY_HU = -300.0
_AIR_HU = -900.0  # a dark streak goes far below fat, too
_FACTOR = 2.0
_FEWEST = 20  # voxels of metal


def metal_and_streaks(
    volume: Volume, level: float = _METAL_HU, near_mm: float = 5.0, report: Report = silent
) -> tuple[Mask, Mask]:
    """Choose the metal, and round it what is not to be trusted.

    Streaks stay in the slices that were measured together: those across the long axis of the body. There,
    near the metal all counts as untrue, and farther away every place of the body whose unrest within the
    slice (standard deviation over 6 mm) is more than twice what it is at the median of slices without metal.

    volume: a CT
    level: grey value from which on a voxel is metal
    near_mm: distance from metal up to which all voxels of the body are untrue
    report: told the progress; may raise Cancelled
    Returns the mask of the metal and the mask of what is untrue round it.
    Raises StepFailed when the unit is not HU or no metal is found.
    """
    if volume.unit != "HU":
        raise StepFailed("Metal is found by its HU, which this scan does not have: choose a CT.")
    metal = volume.voxels >= level
    box = box_of(metal) if np.count_nonzero(metal) >= _FEWEST else None
    if box is None:
        raise StepFailed(f"No metal is found: fewer than {_FEWEST} voxels reach {level:g} HU.")
    across = int(np.argmax(np.abs(volume.grid.axes[2])))
    streaks = _near(metal, box, volume.grid.spacing_kji, near_mm, part_of(report, 0.0, 0.2))
    with_metal: BoolArray = np.asarray(np.moveaxis(metal, across, 0).any(axis=(1, 2)))
    grey, out = np.moveaxis(volume.voxels, across, 0), np.moveaxis(streaks, across, 0)
    window = np.delete(_WINDOW_MM / np.asarray(volume.grid.spacing_kji), across)
    usual = _usual_unrest(grey, with_metal, window, part_of(report, 0.2, 0.4))
    chosen = np.flatnonzero(with_metal)
    for n, k in enumerate(chosen):
        report(0.4 + 0.6 * n / len(chosen), "Looking for streaks")
        out[k] |= _unrest(grey[k], window) > _FACTOR * usual
    for some in slabs(streaks.shape):
        report(1.0, "Looking for streaks")
        streaks[some] &= (volume.voxels[some] > _AIR_HU) & ~metal[some]
    return (
        Mask(volume.grid, given_away(metal), float(level)),
        Mask(volume.grid, given_away(streaks)),
    )


def _near(metal: BoolArray, box: Box, spacing: Vec3, mm: float, report: Report) -> BoolArray:
    reach = (int(mm / spacing[0]) + 1, int(mm / spacing[1]) + 1, int(mm / spacing[2]) + 1)
    round_it = wider(box, reach, metal.shape)
    distance = SignedMaurerDistanceMapImageFilter()
    distance.SquaredDistanceOff()
    distance.UseImageSpacingOn()
    image = GetImageFromArray(metal[round_it].view(np.uint8))
    image.SetSpacing(spacing[::-1])
    found = run_itk(distance, report, "Measuring the distance to the metal", image)
    near = np.zeros(metal.shape, np.bool_)
    near[round_it] = GetArrayViewFromImage(found) <= mm
    return near


def _unrest(plane: NDArray[Any], window: FloatArray) -> FloatsArray:
    """Standard deviation of the grey values round each voxel of a slice; 0 outside of the body."""
    grey = np.clip(plane.astype(np.float32), -1000, 3000)
    size = np.maximum(np.rint(window).astype(int), 3)
    mean = uniform_filter(grey, size)
    unrest: FloatsArray = np.sqrt(np.maximum(uniform_filter(np.square(grey), size) - np.square(mean), 0))
    return unrest


def _usual_unrest(grey: NDArray[Any], with_metal: BoolArray, window: FloatArray, report: Report) -> float:
    clean = np.flatnonzero(~with_metal)
    clean = clean[:: max(1, len(clean) // 10)] if len(clean) else np.flatnonzero(with_metal)
    seen = []
    for n, k in enumerate(clean):
        report(n / len(clean), "Looking at slices without metal")
        body = grey[k] > _BODY_HU
        if body.any():
            seen.append(float(np.percentile(_unrest(grey[k], window)[body], 75)))
    return max(float(np.median(seen)) if seen else 0.0, 20.0)
