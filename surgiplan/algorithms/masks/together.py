"""Smooth several masks at once: where they touch they stay together, without gap or overlap."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import FloatsArray, Mask
from ..space import require_one_grid
from .box import Box, boxed, required_box, slabs_with_room, wider
from .smoothing import GAUSSIAN_REACH, blurred

_SURE = 1 - 1e-3  # share of a voxel's surroundings from which on no bias moves it
_ROUNDS = 40
_KEPT = 5e-4  # of each volume


def smoothed_together(masks: Sequence[Mask], sigma_mm: float, report: Report = silent) -> tuple[Mask, ...]:
    """Blur several masks and what is round them, and give each voxel to the one that is strongest there.

    Where two masks touch they meet after it as well, in a smoother face; none overlaps. A bias for each mask
    is searched with which it keeps its volume (to 0.05 %, or to the voxels that lie on one blurred value).
    What is thinner than the blur gets lost: look at the result.

    masks: two or more on one grid, without a voxel in common; at the edge of the scan the last are repeated
    sigma_mm: standard deviation of the blur (Gaussian)
    report: told the progress; may raise Cancelled
    Raises StepFailed for one mask alone, an empty one, or two that overlap; Mismatch when the grids differ.
    """
    _require_apart(masks)
    grid = masks[0].grid
    sigmas = [sigma_mm / step for step in grid.spacing_kji]
    reach = [ceil(GAUSSIAN_REACH * sigma) for sigma in sigmas]
    box = wider(_box_of(masks), (reach[0], reach[1], reach[2]), grid.shape_kji)
    within = [mask.voxels[box] for mask in masks]
    owner = np.zeros(within[0].shape, np.uint8)
    places: list[NDArray[np.int64]] = []
    shares: list[FloatsArray] = []
    plane = int(np.prod(owner.shape[1:]))
    for some, room, inner in slabs_with_room(owner.shape, reach[0]):
        done = 0.6 * some.start / len(owner)
        hear = part_of(report, done, done)
        share = np.stack([blurred(one[room], sigmas, hear)[inner] for one in within])
        strongest, highest = share.argmax(axis=0), share.max(axis=0)
        background = 1 - share.sum(axis=0)
        sure = highest > _SURE
        owner[some][sure] = strongest[sure] + 1
        unsure = ~sure & (background < _SURE)
        places.append(np.flatnonzero(unsure) + some.start * plane)
        shares.append(np.concatenate([background[None], share])[:, unsure])
    wanted = [int(np.count_nonzero(one)) for one in within]
    missing = [all_of - int(np.count_nonzero(owner == n + 1)) for n, all_of in enumerate(wanted)]
    won = _shared_out(np.concatenate(shares, axis=1), missing, wanted, part_of(report, 0.6, 0.95))
    owner.ravel()[np.concatenate(places)] = won
    report(0.95, "Blurring the masks")
    return tuple(boxed(grid, box, owner == n + 1, mask.level) for n, mask in enumerate(masks))


def _shared_out(
    shares: FloatsArray, missing: Sequence[int], wanted: Sequence[int], report: Report
) -> NDArray[np.uint8]:
    """Who wins each voxel: 0 for none, n + 1 for a mask.

    One bias after the other is set so that its mask gets the voxels it wants, until all do (a power diagram
    of given volumes; each step is the exact solution for one mask, found by partition).
    """
    for done in range(_ROUNDS):
        report(done / _ROUNDS, "Keeping the volumes")
        for n, want in enumerate(missing):
            others = np.delete(shares, n + 1, axis=0).max(axis=0)
            short = others - shares[n + 1]
            count = min(max(want, 0), len(short) - 1)
            shares[n + 1] += np.partition(short, count)[count] if len(short) else 0.0
        won: NDArray[np.uint8] = shares.argmax(axis=0).astype(np.uint8)
        off = [abs(int(np.count_nonzero(won == n + 1)) - want) for n, want in enumerate(missing)]
        if all(some <= max(1, _KEPT * whole) for some, whole in zip(off, wanted, strict=True)):
            break
    return won


def _box_of(masks: Sequence[Mask]) -> Box:
    boxes = [required_box(mask) for mask in masks]
    k, j, i = (
        slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
        for axis in range(3)
    )
    return k, j, i


def _require_apart(masks: Sequence[Mask]) -> None:
    if len(masks) < 2:
        raise StepFailed("One mask alone has nothing to stay together with: smooth it with smooth_mask.")
    require_one_grid(*masks)
    for n, one in enumerate(masks):
        for m, other in enumerate(masks[:n]):
            shared = int(np.count_nonzero(one.voxels & other.voxels))
            if shared:
                raise StepFailed(
                    f"Masks {m + 1} and {n + 1} have {shared * one.grid.voxel_mm3:.1f} mm³ in common: "
                    "take one out of the other first (logic, subtract)."
                )
