"""One picture of a series, small, for the eye: read from its own file without touching the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...progress import Report, silent
from ...values import FloatsArray, Grid
from .geometry import placed
from .headers import Slice
from .pixels import pixel_fault
from .reading import values_of
from .series import Series

_WINDOW_PERCENT = (1.0, 99.5)


@dataclass(frozen=True, eq=False)
class Preview:
    """One picture as it is stored, thinned; for looking at, never for measuring.

    values: (rows, columns) float32 measured values, each the mean of a block of pixels
    pixel_mm: distance of neighbouring values down a column and along a row, mm; 1 where it is not known
    grid: one plane, (1, rows, columns), where they lie in the patient; None when that is not known
    """

    values: FloatsArray
    pixel_mm: tuple[float, float]
    grid: Grid | None


def preview(series: Series, k: int, longest: int, report: Report = silent) -> Preview:
    """The picture at k of a series, usable or not.

    series: from a scan
    k: which of its pictures, 0 to len(series.slices) - 1
    longest: at most so many rows and columns are given
    report: may raise Cancelled while a picture is decoded
    Raises BadInput when it holds no picture in grey values, or its file is damaged or gone.
    """
    picture = series.slices[k]
    if not picture.header.rows:
        raise BadInput("it holds no picture")
    if fault := pixel_fault(picture.header):
        raise BadInput(fault)
    values = values_of(picture, report)
    step = -(-max(values.shape) // longest)
    return Preview(_thinned(values, step), _pixel_mm(picture, step), _plane(picture, values.shape, step))


def grey_window(values: NDArray[Any]) -> tuple[float, float]:
    """Width and level that show a picture well: percentiles of all that is not empty background.

    values: (rows, columns); what has the lowest value of all is taken for background
    """
    inside = values[values > values.min()]
    low, high = np.percentile(inside if inside.size else values, _WINDOW_PERCENT)
    if high <= low:
        low, high = values.min(), values.max()
    return max(float(high - low), 1e-3), float(high + low) / 2


def _thinned(values: NDArray[Any], step: int) -> FloatsArray:
    """The means of blocks of step x step; a rim that fills no block is left off."""
    rows, columns = (max(size // step, 1) for size in values.shape)
    whole = values[: rows * step, : columns * step].astype(np.float32)
    down, along = whole.shape[0] // rows, whole.shape[1] // columns
    means: FloatsArray = whole.reshape(rows, down, columns, along).mean(axis=(1, 3), dtype=np.float32)
    return means


def _pixel_mm(picture: Slice, step: int) -> tuple[float, float]:
    down, along = picture.spacing or (1.0, 1.0)
    return (down * step, along * step)


def _plane(picture: Slice, shape: tuple[int, ...], step: int) -> Grid | None:
    """Where the thinned picture lies; None when its file does not say it rightly."""
    if placed(picture) or picture.directions is None or picture.position_lps is None:
        return None
    row, column = np.asarray(picture.directions).reshape(2, 3)
    down, along = _pixel_mm(picture, step)
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack([np.cross(row, column), column * down, row * along])
    middle = (step - 1) / 2
    affine[:3, 3] = np.asarray(picture.position_lps) + (column * down + row * along) * (middle / step)
    rows, columns = (max(size // step, 1) for size in shape)
    try:
        return Grid((1, rows, columns), affine)
    except ValueError:
        return None
