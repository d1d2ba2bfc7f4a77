"""Widen and narrow chosen voxels by a ball in millimetres, exactly, 64 voxels at a time.

A voxel belongs to the widened mask when its centre lies within the radius of the centre of a chosen one. The
voxels of a row are the bits of 64-bit words, so a ball is a few shifts along the row and one "or" for each of
its rows: 40 for 3 mm in a usual CT, where a distance map costs 30 times as much. With a large ball, which has
thousands of rows, a distance map is the cheaper way to the same voxels.
"""

from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from SimpleITK import GetArrayViewFromImage, GetImageFromArray, SignedMaurerDistanceMapImageFilter

from ...progress import Report, silent
from ...values import BoolArray, Vec3
from ..filters import run_itk
from .box import padded

Words = NDArray[np.uint64]
_MOST_ROWS = 1500
_WORDS_AT_ONCE = 100_000
_EVEN = 1 + 1e-6  # so that rounding takes no voxel away that lies at the radius


def reach_of(radius_mm: float, spacing_kji: Vec3) -> tuple[int, int, int]:
    """How many voxels a ball reaches along k, j and i.

    radius_mm: of the ball
    spacing_kji: of the grid, mm
    """
    k, j, i = (floor(radius_mm * _EVEN / step) for step in spacing_kji)
    return (k, j, i)


def widened(chosen: BoolArray, radius_mm: float, spacing_kji: Vec3, report: Report = silent) -> BoolArray:
    """Choose every voxel whose centre lies within a radius of the centre of a chosen one.

    chosen: [k, j, i]; outside it nothing is chosen
    radius_mm: of the ball
    spacing_kji: of the grid, mm
    report: told the progress; may raise Cancelled
    """
    k, j, i = reach_of(radius_mm, spacing_kji)
    rows = [
        (dk, dj, floor(np.sqrt(left) / spacing_kji[2]))
        for dk in range(-k, k + 1)
        for dj in range(-j, j + 1)
        if (left := (radius_mm * _EVEN) ** 2 - (dk * spacing_kji[0]) ** 2 - (dj * spacing_kji[1]) ** 2) >= 0
    ]
    if len(rows) > _MOST_ROWS:
        return _within(chosen, radius_mm, spacing_kji, report)
    room = padded(chosen, (k, j, i))
    whole: BoolArray = _unpacked(_spread(_packed(room), rows, report), room.shape[2])
    return np.ascontiguousarray(whole[_inner(k), _inner(j), _inner(i)])


def narrowed(chosen: BoolArray, radius_mm: float, spacing_kji: Vec3, report: Report = silent) -> BoolArray:
    """Choose every voxel that has no other than chosen voxels within a radius.

    chosen: [k, j, i]; what lies outside counts as chosen: the object goes on there
    radius_mm: of the ball
    spacing_kji: of the grid, mm
    report: told the progress; may raise Cancelled
    """
    return ~widened(~chosen, radius_mm, spacing_kji, report)


def _inner(reach: int) -> slice:
    return slice(reach, -reach or None)


def _packed(chosen: BoolArray) -> Words:
    """(slices, rows, words): the voxels as bits, each row filled up with 0."""
    depth, height, width = chosen.shape
    words = np.zeros((depth, height, -(-width // 64)), "<u8")
    bits = np.packbits(chosen, axis=2, bitorder="little")
    words.view(np.uint8)[:, :, : bits.shape[2]] = bits
    return words


def _unpacked(words: Words, width: int) -> BoolArray:
    return np.unpackbits(words.view(np.uint8), axis=2, count=width, bitorder="little").view(np.bool_)


def _spread(words: Words, rows: list[tuple[int, int, int]], report: Report) -> Words:
    """The "or" of the bits moved by every place of the ball; the edge holds free voxels enough for that.

    rows: (slices, rows, voxels to either side) of each row of the ball
    """
    shape, flat = words.shape, words.ravel()
    result = np.zeros_like(flat)
    runs = flat.copy()
    for reach in range(max(row[2] for row in rows) + 1):
        if reach:
            runs |= _moved(flat, reach)
            runs |= _moved(flat, -reach)
        steps = [(dk * shape[1] + dj) * shape[2] for dk, dj, half in rows if half == reach]
        for start in range(0, len(flat), _WORDS_AT_ONCE):
            report(reach / (rows[len(rows) // 2][2] + 1), "Growing and shrinking by a ball")
            stop = min(start + _WORDS_AT_ONCE, len(flat))
            for step in steps:
                low, high = max(start, step), min(stop, len(flat) + step)
                if low < high:
                    result[low:high] |= runs[low - step : high - step]
    return result.reshape(shape)


def _moved(flat: Words, by: int) -> Words:
    """All bits moved on by so many places (back, when negative), through the borders of words."""
    whole, rest = divmod(abs(by), 64)
    moved = np.zeros_like(flat)
    if by > 0:
        moved[whole:] = flat[: len(flat) - whole] << np.uint64(rest)
        if rest:
            moved[whole + 1 :] |= flat[: len(flat) - whole - 1] >> np.uint64(64 - rest)
    else:
        moved[: len(flat) - whole] = flat[whole:] >> np.uint64(rest)
        if rest:
            moved[: len(flat) - whole - 1] |= flat[whole + 1 :] << np.uint64(64 - rest)
    return moved


def _within(chosen: BoolArray, radius_mm: float, spacing_kji: Vec3, report: Report) -> BoolArray:
    """The same voxels, found on a map of distances."""
    if not chosen.any():
        return chosen.copy()
    image: Any = GetImageFromArray(chosen.view(np.uint8))
    image.SetSpacing(spacing_kji[::-1])
    distance = SignedMaurerDistanceMapImageFilter()
    distance.SetUseImageSpacing(True)
    distance.SetSquaredDistance(True)
    distance.SetInsideIsPositive(False)
    away = run_itk(distance, report, "Measuring the distance to the mask", image)  # the view does not keep it
    near: BoolArray = GetArrayViewFromImage(away) <= (radius_mm * _EVEN) ** 2
    return near
