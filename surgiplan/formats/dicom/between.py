"""Even planes out of slices that lie unevenly or are missing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import Report
from ...values import FloatArray

ON_A_SLICE = 1e-6


def evened(voxels: NDArray[Any], heights: FloatArray, planes: int, report: Report) -> NDArray[Any]:
    """Make even planes, linear between the two slices round each; a slice on a plane is kept as it is.

    voxels: [n, j, i] int16 or float32 slices, each right above the other
    heights: (n,) ascending, where they lie among the planes; the first at 0, the last at planes - 1
    planes: number of planes
    """
    result = np.empty((planes, *voxels.shape[1:]), voxels.dtype)
    below = np.clip(np.searchsorted(heights, np.arange(planes) + ON_A_SLICE) - 1, 0, len(heights) - 2)
    for plane, n in enumerate(below):
        report(plane / planes, "making the spacing even")
        share = (plane - heights[n]) / (heights[n + 1] - heights[n])
        if min(share, 1 - share) < ON_A_SLICE:
            result[plane] = voxels[n if share < 0.5 else n + 1]
            continue
        mixed = (1 - share) * voxels[n].astype(np.float64) + share * voxels[n + 1]
        result[plane] = np.rint(mixed) if voxels.dtype.kind == "i" else mixed
    return result
