"""Smooth several masks at once: where they touch they stay together, without gap or overlap."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import FloatsArray, Mask
from ..space import require_one_grid
from .box import Box, boxed, required_box, slabs_with_room, wider
from .smoothing import GAUSSIAN_REACH, blurred

_SURE = 1 - 1e-3  # share of a voxel's surroundings from which on no bias moves it
_STEPS = 65535  # a share of 1
_SHORTEST, _LONGEST = 2 * _STEPS, 8 * _STEPS  # by how much a share may fall short: biases are of that size
_AT_ONCE = 500_000
_ROUNDS = 40
_KEPT = 5e-4  # of each volume

Shares = NDArray[np.uint16]
"""(masks, n) the share of each mask in what is round a voxel."""


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
    unsure = len(masks) + 1
    owner = np.zeros(within[0].shape, np.min_scalar_type(unsure))
    shares: list[Shares] = []
    for some, room, inner in slabs_with_room(owner.shape, reach[0]):
        done = 0.6 * some.start / len(owner)
        hear = part_of(report, done, done)
        share = [blurred(one[room], sigmas, hear)[inner] for one in within]
        shares.append(_surely(owner[some], share, unsure))
        del share
    wanted = [int(np.count_nonzero(one)) for one in within]
    missing = [all_of - int(np.count_nonzero(owner == n + 1)) for n, all_of in enumerate(wanted)]
    bias = _biases(shares, missing, wanted, part_of(report, 0.6, 0.95))
    for some, _, _ in slabs_with_room(owner.shape, reach[0]):
        report(0.95, "Blurring the masks")
        owner[some][owner[some] == unsure] = _winners(shares.pop(0), bias)
    smooth = []
    for n, mask in enumerate(masks):
        report(0.95, "Blurring the masks")
        smooth.append(boxed(grid, box, owner == n + 1, mask.level))
    return tuple(smooth)


def _surely(owner: NDArray[Any], shares: Sequence[FloatsArray], unsure: int) -> Shares:
    """Give voxels to the masks that have them whatever the bias; return the shares of those left unsure."""
    left = np.sum(shares, axis=0) > 1 - _SURE
    for n, share in enumerate(shares):
        sure = share > _SURE
        owner[sure] = n + 1
        left &= ~sure
    owner[left] = unsure
    return np.stack([(share[left] * _STEPS + 0.5).astype(np.uint16) for share in shares])


def _biases(
    shares: Sequence[Shares], missing: Sequence[int], wanted: Sequence[int], report: Report
) -> NDArray[np.int32]:
    """What is added to the share of each mask so that it gets the voxels it wants.

    One bias after the other is set so that its mask gets them, until all do (a power diagram of given
    volumes; each step is the exact solution for one mask, found by counting how many fall short by how much).
    """
    bias = np.zeros(len(missing), np.int32)
    for done in range(_ROUNDS):
        for n, want in enumerate(missing):
            short = np.zeros(
                _SHORTEST + _LONGEST, np.int64
            )  # how many voxels, by how much, from -_SHORTEST on
            for some in _stretches(shares):
                report(done / _ROUNDS, "Keeping the volumes")
                lack = np.delete(_strengths(some, bias), n + 1, axis=0).max(axis=0) - some[n]
                short += np.bincount(np.minimum(lack + _SHORTEST, len(short) - 1), minlength=len(short))
            upto = np.cumsum(short)
            if upto[-1]:
                level = int(np.searchsorted(upto, min(max(want, 0), upto[-1] - 1), "right"))
                nearer = upto[level] - want < want - (upto[level] - short[level])
                bias[n] = level - _SHORTEST + int(nearer)
        won = np.zeros(len(missing) + 1, np.int64)
        for some in _stretches(shares):
            won += np.bincount(_winners(some, bias), minlength=len(won))
        off = np.abs(won[1:] - missing)
        if all(one <= max(1, _KEPT * whole) for one, whole in zip(off, wanted, strict=True)):
            break
    return bias


def _strengths(shares: Shares, bias: NDArray[np.int32]) -> NDArray[np.int32]:
    """(1 + masks, n): of what is round the masks, and of each mask."""
    strengths = np.empty((1 + len(shares), shares.shape[1]), np.int32)
    np.subtract(_STEPS, shares.sum(axis=0, dtype=np.int32), out=strengths[0])
    np.add(shares, bias[:, None], out=strengths[1:])
    return strengths


def _winners(shares: Shares, bias: NDArray[np.int32]) -> NDArray[np.intp]:
    """(n,) who is strongest: 0 for none, n + 1 for a mask."""
    found: NDArray[np.intp] = _strengths(shares, bias).argmax(axis=0)
    return found


def _stretches(shares: Sequence[Shares]) -> Iterator[Shares]:
    for one in shares:
        for start in range(0, one.shape[1], _AT_ONCE):
            yield one[:, start : start + _AT_ONCE]


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
