"""How deep voxels lie below the surface of what is chosen: exact, a slice at a time.

The squared distance to the nearest outermost voxel falls apart by axes (Saito and Toriwaki 1994): the steps
along the slices are counted for all at once, in 16 bits, and each slice then looks along its own rows and
columns only as far as anything in it can be deep. So no map of all in 32 bits is held.
"""

from collections.abc import Iterator
from math import inf

import numpy as np
from numpy.typing import NDArray

from ...progress import Report, silent
from ...values import BoolArray, FloatsArray, Vec3

_FAR = 16_000  # steps to where nothing is
_LOOKED = 8  # steps after which the deepest is looked for again
_EDGE_MM = 1e-3  # for the rounding


def depths(
    chosen: BoolArray,
    holes: BoolArray | None,
    spacing_kji: Vec3,
    *,
    deepest_mm: float = inf,
    outside_mm: float = 0.0,
    report: Report = silent,
) -> Iterator[tuple[int, FloatsArray]]:
    """Measure how deep each voxel lies below the outermost chosen ones, in mm; negative outside.

    Outermost are those with a voxel beside them, over corners too, that is not chosen.

    chosen: [k, j, i]; what lies beyond the edge counts as chosen
    holes: [k, j, i] voxels that are not chosen, whatever `chosen` says
    spacing_kji: mm
    deepest_mm: up to which the depth is needed; what lies deeper gets this
    outside_mm: the same for what lies outside
    report: told the progress; may raise Cancelled
    Yields the number of each slice, in order, and its depths [j, i].
    """
    away = _along_slices(chosen, holes, report)
    deepest = inf  # in the slice before: the next is deeper by no more than the step between them
    for k, steps in enumerate(away):
        report(0.2 + 0.8 * k / len(away), "Measuring the depth")
        here = _of(chosen, holes, k)
        away_k = np.square(steps * np.float32(spacing_kji[0]))
        looked = (min(deepest + spacing_kji[0], deepest_mm) + _EDGE_MM, outside_mm + _EDGE_MM)
        depth = np.sqrt(_in_slice(away_k, here, spacing_kji, *looked))
        deepest = float(depth.max(where=here, initial=0.0))
        yield k, np.where(here, np.minimum(depth, deepest_mm), -np.minimum(depth, outside_mm))


def _of(chosen: BoolArray, holes: BoolArray | None, k: int) -> BoolArray:
    if k in (-1, len(chosen)):
        return np.ones(chosen.shape[1:], np.bool_)
    here: BoolArray = chosen[k] if holes is None else chosen[k] & ~holes[k]
    return here


def _along_slices(chosen: BoolArray, holes: BoolArray | None, report: Report) -> NDArray[np.int16]:
    """Steps along k from each voxel to the nearest outermost one."""
    away = np.empty(chosen.shape, np.int16)
    steps = np.full(chosen.shape[1:], _FAR, np.int16)
    inner = [_inner(_of(chosen, holes, k)) for k in (-1, 0)]
    for k in range(len(chosen)):
        report(0.1 * k / len(chosen), "Measuring the depth")
        inner = [*inner[-2:], _inner(_of(chosen, holes, k + 1))]
        steps += 1
        steps[_of(chosen, holes, k) & ~(inner[0] & inner[1] & inner[2])] = 0
        away[k] = steps
    for k in reversed(range(len(chosen))):
        report(0.2 - 0.1 * k / len(chosen), "Measuring the depth")
        steps += 1
        steps = np.minimum(steps, away[k], out=away[k]).copy()
    return away


def _inner(chosen: BoolArray) -> BoolArray:
    """The voxels of a slice that have only chosen ones beside them in it, over corners too."""
    room = np.pad(chosen, 1, constant_values=True)
    rows = room[:-2] & room[1:-1] & room[2:]
    inner: BoolArray = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return inner


def _in_slice(
    squared: FloatsArray, chosen: BoolArray, spacing: Vec3, inside_mm: float, outside_mm: float
) -> FloatsArray:
    """Squared distance in mm², from that along k; right up to what is given for inside and outside."""
    most = max(inside_mm, outside_mm) ** 2
    for axis in (0, 1):
        found = squared.copy()
        before, after = np.moveaxis(squared, axis, 0), np.moveaxis(found, axis, 0)
        for step in range(1, len(before)):
            if step % _LOOKED == 0:
                deepest = float(found.max(where=chosen, initial=0.0))
                most = min(most, max(deepest, outside_mm**2))
            more = np.float32((step * spacing[1 + axis]) ** 2)
            if more > most:
                break
            np.minimum(after[step:], before[:-step] + more, out=after[step:])
            np.minimum(after[:-step], before[step:] + more, out=after[:-step])
        squared = found
    return squared
