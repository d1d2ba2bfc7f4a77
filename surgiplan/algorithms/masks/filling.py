"""Fill the holes of a mask: enclosed ones, those of single slices, and pores."""

from typing import Literal

import numpy as np

from ...progress import Report, part_of, silent
from ...values import BoolArray, Grid, Mask
from .box import boxed, padded, required_box
from .pieces import pieces_of
from .smoothing import closed_voxels

Slicing = Literal["axial", "coronal", "sagittal"]
_AXES: dict[Slicing, int] = {
    "sagittal": 0,
    "coronal": 1,
    "axial": 2,
}  # the patient's axis they are stacked along


def filled(mask: Mask, report: Report = silent) -> Mask:
    """Fill what the mask encloses on all sides; the background connects through its faces.

    What is open to the edge of the scan is no hole.

    mask: the chosen voxels
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen.
    """
    box = required_box(mask)
    return boxed(mask.grid, box, without_holes(mask.voxels[box], report), mask.level)


def filled_slices(mask: Mask, slicing: Slicing, report: Report = silent) -> Mask:
    """Fill what the mask encloses within each slice, such as a canal that is open at its ends.

    mask: the chosen voxels
    slicing: which slices; of a tilted scan those nearest to them
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen.
    """
    box = required_box(mask)
    axis = axis_of(mask.grid, slicing)
    stacked = np.moveaxis(mask.voxels[box], axis, 0)
    free = ~padded(stacked, (0, 1, 1))
    pieces = pieces_of(free, part_of(report, 0.0, 0.6), in_slices=True)
    plane = free.shape[1] * (free.shape[2] + 1)
    outside = np.zeros(pieces.count, np.bool_)
    outside[pieces.piece[np.searchsorted(pieces.starts, plane * np.arange(len(free)))]] = True
    chosen = ~pieces.voxels(outside, part_of(report, 0.6, 1.0))[:, 1:-1, 1:-1]
    return boxed(mask.grid, box, np.moveaxis(chosen, 0, axis), mask.level)


def wrapped(mask: Mask, pore_mm: float, report: Report = silent) -> Mask:
    """Make a solid: close pores and clefts up to a width, then fill all it encloses.

    mask: the chosen voxels; nothing of it is taken away
    pore_mm: width of the widest pore that is closed
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen.
    """
    box = required_box(mask)
    chosen = closed_voxels(mask.voxels[box], pore_mm / 2, mask.grid.spacing_kji, part_of(report, 0.0, 0.6))
    return boxed(mask.grid, box, without_holes(chosen, part_of(report, 0.6, 1.0)), mask.level)


def axis_of(grid: Grid, slicing: Slicing) -> int:
    """Index axis (0 for k, 1 for j, 2 for i) that comes nearest to the one these slices are stacked along.

    grid: of the scan
    slicing: which slices
    """
    return int(np.argmax(np.abs(grid.axes[_AXES[slicing]])))


def without_holes(chosen: BoolArray, report: Report = silent) -> BoolArray:
    """Fill what voxels enclose on all sides.

    chosen: [k, j, i]
    report: told the progress; may raise Cancelled
    """
    pieces = pieces_of(~padded(chosen, (1, 1, 1)), part_of(report, 0.0, 0.6))
    outside = np.zeros(pieces.count, np.bool_)
    outside[0] = True  # the layer that was put round it holds the first voxel
    return ~pieces.voxels(outside, part_of(report, 0.6, 1.0))[1:-1, 1:-1, 1:-1]
