"""A threshold that follows the brightness of the surroundings."""

import numpy as np
from scipy.ndimage import uniform_filter1d

from ...errors import StepFailed
from ...progress import Report, silent
from ...values import Mask, Volume, given_away
from .ball import reach_of
from .box import slabs_with_room


def local_threshold(
    volume: Volume, radius_mm: float, above: float, low: float, high: float, report: Report = silent
) -> Mask:
    """Choose the voxels that are brighter than what surrounds them.

    A voxel is chosen when its grey value exceeds the mean of the block round it, so a thin cortex shows
    beside a dense one, and a body in a scan with a slope of brightness. The border lies on no one grey
    value: the result has no level.

    volume: the scan
    radius_mm: how far the block reaches from its middle: more than the thickness of what is sought
    above: by how much the grey value must exceed the mean
    low: faintest grey value that is chosen, so that noise in the dark does not count
    high: brightest grey value that is chosen
    report: told the progress; may raise Cancelled
    Raises StepFailed when low lies above high, or the radius is smaller than the voxels.
    """
    if not low <= high:
        raise StepFailed(
            f"The faintest value to keep ({low:g}) lies above the brightest ({high:g}): exchange them."
        )
    reach = reach_of(radius_mm, volume.grid.spacing_kji)
    if not all(reach):
        raise StepFailed(
            f"A radius of {radius_mm:g} mm reaches no neighbour in some direction: "
            f"choose {max(volume.grid.spacing_kji):.2f} mm or more."
        )
    voxels = volume.voxels
    chosen = np.empty(voxels.shape, np.bool_)
    for some, room, inner in slabs_with_room(voxels.shape, reach[0]):
        mean = voxels[room].astype(np.float32)
        for axis, reached in enumerate(reach):
            report(some.start / len(voxels), "Comparing with the surroundings")
            mean = uniform_filter1d(mean, 2 * reached + 1, axis, mode="nearest")
        grey = voxels[some]
        chosen[some] = (grey >= mean[inner] + np.float32(above)) & (grey >= low) & (grey <= high)
    return Mask(volume.grid, given_away(chosen))
