"""A scan taken with a tilted gantry, put upright."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import Report
from ...values import FloatArray


def upright(
    voxels: NDArray[Any], offsets: FloatArray, shape_kji: tuple[int, int, int], fill: float, report: Report
) -> NDArray[Any]:
    """Move each picture within its own plane so that the stack becomes an orthogonal grid.

    Linear between neighbouring pixels, nothing between slices; no value leaves the range of its neighbours.

    voxels: [k, j, i] int16 or float32 pictures, one above the other
    offsets: (n, 2) rows and columns (fractions too) by which picture k is moved
    shape_kji: of the result
    fill: value where no picture reaches
    """
    result = np.empty(shape_kji, voxels.dtype)
    for k, (down, across) in enumerate(offsets):
        report(k / len(offsets), "putting the tilted scan upright")
        moved = _moved(voxels[k].astype(np.float32), float(down), shape_kji[1], fill)
        moved = _moved(moved.T, float(across), shape_kji[2], fill).T
        result[k] = np.rint(moved) if voxels.dtype.kind == "i" else moved
    return result


def _moved(image: NDArray[np.float32], offset: float, size: int, fill: float) -> NDArray[np.float32]:
    """The image moved along its first axis by a fraction of rows into one of `size` rows."""
    whole = int(np.floor(offset + 1e-9))
    part = np.float32(max(offset - whole, 0.0))
    room = np.full((size + 1, image.shape[1]), fill, np.float32)
    room[whole + 1 : whole + 1 + len(image)] = image[: size - whole]
    if part < 1e-6:
        return room[1:]
    moved: NDArray[np.float32] = (1 - part) * room[1:] + part * room[:-1]
    return moved
