"""The box round the chosen voxels, and slabs of it: work is done where something is, a piece at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import StepFailed
from ...values import BoolArray, Grid, Mask, given_away

Box = tuple[slice, slice, slice]
_VOXELS_AT_ONCE = 4_000_000


def slabs(shape: tuple[int, ...], voxels: int | None = None) -> Iterator[slice]:
    """Stretches of slices, each small enough to be done in a moment.

    shape: (slices, rows, columns)
    voxels: about how many voxels a stretch holds; a slice at least
    """
    step = max(1, (voxels or _VOXELS_AT_ONCE) // max(1, shape[1] * shape[2]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def slabs_with_room(
    shape: tuple[int, ...], reach: int, voxels: int | None = None
) -> Iterator[tuple[slice, slice, slice]]:
    """Stretches of slices for a filter that looks beyond them.

    shape: (slices, rows, columns)
    reach: how many slices the filter looks beyond
    voxels: about how many voxels a stretch holds; more where it would be less than what lies beyond
    Yields the stretch, the same with the slices besides, and the stretch within that.
    """
    for some in slabs(shape, max(voxels or 2 * _VOXELS_AT_ONCE, 4 * reach * shape[1] * shape[2])):
        start, stop = max(some.start - reach, 0), min(some.stop + reach, shape[0])
        yield some, slice(start, stop), slice(some.start - start, some.stop - start)


def neighbours(shape: tuple[int, ...]) -> Iterator[tuple[Box, Box, int]]:
    """Boxes that together hold every two voxels with a common face, each small enough to be done in a moment.

    shape: (slices, rows, columns)
    Yields the box of the first voxels, that of the second, which is one voxel on, and the axis along which.
    """
    for some in slabs(shape):
        for axis in range(3):
            first = [slice(some.start, some.stop), slice(0, shape[1]), slice(0, shape[2])]
            first[axis] = slice(first[axis].start, min(first[axis].stop, shape[axis] - 1))
            second = list(first)
            second[axis] = slice(first[axis].start + 1, first[axis].stop + 1)
            yield (first[0], first[1], first[2]), (second[0], second[1], second[2]), axis


def box_of(chosen: BoolArray) -> Box | None:
    """Find the smallest box that holds the chosen voxels; None when there are none.

    chosen: [k, j, i]
    """
    layers = range(len(chosen))
    first = next((k for k in layers if chosen[k].any()), None)
    if first is None:
        return None
    last = next(k for k in reversed(layers) if chosen[k].any())
    j, i = np.nonzero(chosen[first : last + 1].any(axis=0))
    return slice(first, last + 1), _span(j), _span(i)


def _span(indices: NDArray[np.intp]) -> slice:
    """From the lowest to the highest index."""
    return slice(int(indices.min()), int(indices.max()) + 1)


def required_box(mask: Mask) -> Box:
    """Find the box of a mask that must not be empty.

    mask: the chosen voxels
    Raises StepFailed when no voxel is chosen.
    """
    box = box_of(mask.voxels)
    if box is None:
        raise StepFailed(
            "No voxel is chosen, so there is nothing to work on. "
            "Widen the range of the threshold, or look at the mask of the step before."
        )
    return box


def wider(box: Box, by: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
    """Widen a box on all sides, as far as the scan goes.

    box: the box
    by: voxels along k, j and i
    shape: of the scan
    """
    k, j, i = (
        slice(max(along.start - more, 0), min(along.stop + more, size))
        for along, more, size in zip(box, by, shape, strict=True)
    )
    return (k, j, i)


def padded(array: NDArray[Any], by: tuple[int, int, int]) -> NDArray[Any]:
    """Put layers of 0 (False) round an array.

    array: [k, j, i]
    by: layers on either side along k, j and i
    """
    return np.pad(array, [(n, n) for n in by])


def boxed(grid: Grid, box: Box, chosen: BoolArray, level: float | None = None) -> Mask:
    """Make the mask that holds these voxels in the box and none outside.

    grid: of the scan
    box: where the voxels lie
    chosen: the voxels of the box
    level: grey value of the border, where it is still one
    """
    voxels = np.zeros(grid.shape_kji, np.bool_)
    voxels[box] = chosen
    return Mask(grid, given_away(voxels), level)
