"""Voxels chosen by hand, as they lie in a slice."""

from dataclasses import dataclass

import numpy as np

from ..values import Bits, BoolArray, Grid
from .slices import Slice

_ASKEW = 0.01


@dataclass(frozen=True, eq=False)
class SeenBits:
    """The part of a choice of voxels that a slice shows.

    pixels: [row, column] bool
    rect_mm: left, top, width and height on the sheet, whole pixels included
    """

    pixels: BoolArray
    rect_mm: tuple[float, float, float, float]


def bits_on(one: Slice, grid: Grid, bits: Bits) -> SeenBits | None:
    """What a slice shows of voxels; None when it shows none, or when the voxels lie askew to the slice.

    one: the slice
    grid: where the voxels lie
    bits: the chosen voxels
    """
    if (box := bits.box) is None:
        return None
    origin, right, down = grid.to_kji(one.to_lps([(0, 0), (one.pixel_mm[1], 0), (0, one.pixel_mm[0])]))
    exact = np.stack([down - origin, right - origin])
    steps = np.rint(exact).astype(int)
    if np.abs(steps - exact).max() > _ASKEW or (np.abs(steps).sum(axis=1) != 1).any():
        return None
    rows, columns = (int(n) for n in np.argmax(np.abs(steps), axis=1))
    across = 3 - rows - columns
    low, high = np.array(box[0]), np.minimum(box[1], grid.shape_kji)
    at = int(np.rint(origin[across]))
    if not low[across] <= at < high[across]:
        return None
    low[across], high[across] = at, at + 1
    k, j, i = (int(n) for n in high - low)
    flat = np.moveaxis(bits.in_box(low, (k, j, i)), (across, rows, columns), (0, 1, 2))[0]
    first = []
    for row, axis in enumerate((rows, columns)):
        turned = steps[row, axis] < 0
        flat = np.flip(flat, row) if turned else flat
        start = (origin[axis] - (high[axis] - 1)) if turned else (low[axis] - origin[axis])
        first.append(float(start - 0.5) * one.pixel_mm[row])
    height, width = flat.shape[0] * one.pixel_mm[0], flat.shape[1] * one.pixel_mm[1]
    return SeenBits(np.ascontiguousarray(flat), (first[1], first[0], width, height))
