"""Make the border of a mask smooth, by one of four ways that differ in what they keep."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatsArray, Mask, Vec3
from .ball import narrowed, reach_of, widened
from .box import boxed, padded, required_box, slabs_with_room, wider

_STEPS = 65535
GAUSSIAN_REACH = 4.0  # standard deviations


def closed(mask: Mask, radius_mm: float, report: Report = silent) -> Mask:
    """Close gaps, pores and clefts narrower than a ball; nothing is taken away.

    mask: the chosen voxels
    radius_mm: of the ball, half the width of the widest gap that is closed
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen.
    """
    box = required_box(mask)
    return boxed(
        mask.grid, box, closed_voxels(mask.voxels[box], radius_mm, mask.grid.spacing_kji, report), mask.level
    )


def closed_voxels(
    chosen: BoolArray, radius_mm: float, spacing_kji: Vec3, report: Report = silent
) -> BoolArray:
    """Close gaps narrower than a ball, among voxels that reach all sides of their box.

    chosen: [k, j, i]; outside there is room for the ball
    radius_mm: of the ball
    spacing_kji: of the grid, mm
    report: told the progress; may raise Cancelled
    """
    k, j, i = reach_of(radius_mm, spacing_kji)
    room = widened(padded(chosen, (k, j, i)), radius_mm, spacing_kji, part_of(report, 0.0, 0.5))
    room = narrowed(room, radius_mm, spacing_kji, part_of(report, 0.5, 1.0))
    depth, height, width = chosen.shape
    return room[k : k + depth, j : j + height, i : i + width]


def opened(mask: Mask, radius_mm: float, report: Report = silent) -> Mask:
    """Take away spurs, bridges and specks thinner than a ball; nothing is added.

    mask: the chosen voxels; at the edge of the scan the object counts as going on
    radius_mm: of the ball, half the width of the thickest bridge that goes
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen, or none is left.
    """
    box, spacing = wider(required_box(mask), (1, 1, 1), mask.voxels.shape), mask.grid.spacing_kji
    core = narrowed(mask.voxels[box], radius_mm, spacing, part_of(report, 0.0, 0.5))
    if not core.any():
        raise StepFailed(
            f"Nothing is left: the mask is nowhere thicker than {2 * radius_mm:g} mm. "
            "Choose a smaller radius."
        )
    return boxed(mask.grid, box, widened(core, radius_mm, spacing, part_of(report, 0.5, 1.0)), mask.level)


def median(mask: Mask, radius_mm: float, report: Report = silent) -> Mask:
    """Let each voxel be what most voxels of the block round it are: flat faces stay, specks and pits go.

    mask: the chosen voxels; at the edge of the scan the last voxels are repeated
    radius_mm: how far the block reaches from its middle
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen, or the radius is smaller than the voxels.
    """
    reach = reach_of(radius_mm, mask.grid.spacing_kji)
    _require_reach(reach, radius_mm, mask)
    box = wider(required_box(mask), reach, mask.voxels.shape)
    within = mask.voxels[box]
    chosen = np.empty(within.shape, np.bool_)
    for some, room, inner in slabs_with_room(within.shape, reach[0]):
        share = within[room].astype(np.float32)
        for axis, voxels in enumerate(reach):
            report(some.start / len(within), "Taking the median")
            share = uniform_filter1d(share, 2 * voxels + 1, axis, mode="nearest")
        chosen[some] = share[inner] > 0.5
    return boxed(mask.grid, box, chosen, mask.level)


def smoothed(mask: Mask, sigma_mm: float, report: Report = silent) -> Mask:
    """Blur the mask and cut it where its volume stays what it was.

    Edges and ripples much finer than the blur go; the volume stays to the share of voxels that lie on one
    blurred value (0.2 % and less for bodies of a cubic centimetre). What is thinner than the blur gets
    lost, and its volume goes to what is thick: look at the result.

    mask: the chosen voxels; at the edge of the scan the last voxels are repeated
    sigma_mm: standard deviation of the blur (Gaussian)
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen.
    """
    sigmas = [sigma_mm / step for step in mask.grid.spacing_kji]
    reach = [ceil(GAUSSIAN_REACH * sigma) for sigma in sigmas]
    box = wider(required_box(mask), (reach[0], reach[1], reach[2]), mask.voxels.shape)
    within = mask.voxels[box]
    grey = np.empty(within.shape, np.uint16)
    counts = np.zeros(_STEPS + 1, np.int64)
    for some, room, inner in slabs_with_room(within.shape, reach[0]):
        done = 0.9 * some.start / len(within)
        share = blurred(within[room], sigmas, part_of(report, done, done))
        grey[some] = np.clip(share[inner] * _STEPS + 0.5, 0, _STEPS)
        counts += np.bincount(grey[some].ravel(), minlength=len(counts))
    return boxed(mask.grid, box, grey >= _level_of(counts, int(np.count_nonzero(within))), mask.level)


def blurred(chosen: BoolArray, sigmas: Sequence[float], report: Report = silent) -> FloatsArray:
    """Which share of its surroundings is chosen, at each voxel.

    chosen: [k, j, i]
    sigmas: standard deviation of the weights (Gaussian) along k, j and i, in voxels
    report: told that it goes on; may raise Cancelled
    """
    share: FloatsArray = chosen.astype(np.float32)
    for axis, sigma in enumerate(sigmas):
        report(0.0, "Blurring the mask")
        share = gaussian_filter1d(share, sigma, axis, mode="nearest", truncate=GAUSSIAN_REACH)
    return share


def _level_of(counts: NDArray[np.int64], wanted: int) -> int:
    """The value from which on there are as many voxels as wanted."""
    above = np.cumsum(counts[::-1])[::-1]
    return int(np.argmin(np.abs(above[1:] - wanted))) + 1


def _require_reach(reach: tuple[int, int, int], radius_mm: float, mask: Mask) -> None:
    if not all(reach):
        raise StepFailed(
            f"A radius of {radius_mm:g} mm reaches no neighbour in some direction: "
            f"choose {max(mask.grid.spacing_kji):.2f} mm or more."
        )
