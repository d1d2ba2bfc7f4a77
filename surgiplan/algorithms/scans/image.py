"""A scan as SimpleITK sees it; ITK counts in LPS millimetres, too."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from SimpleITK import GetImageFromArray

from ...values import Grid


def image_of(grid: Grid, voxels: NDArray[Any]) -> Any:
    """Make a SimpleITK image of voxels, at its place in the patient.

    grid: where the voxels lie
    voxels: [k, j, i] numbers
    """
    image: Any = GetImageFromArray(voxels)
    image.SetSpacing(grid.spacing_kji[::-1])
    image.SetOrigin([float(x) for x in grid.kji_to_lps[:3, 3]])
    axes, _ = np.linalg.qr(grid.axes[:, ::-1])  # orthogonal to the last digit, as ITK wants it
    axes *= np.sign(np.einsum("ij,ij->j", axes, grid.axes[:, ::-1]))
    image.SetDirection([float(x) for x in axes.ravel()])
    return image
