"""Masks put together as sets of voxels."""

from ...values import Mask, given_away
from ..space import require_one_grid


def union(a: Mask, b: Mask) -> Mask:
    """Choose what lies in one mask or the other.

    a, b: masks on one grid
    Raises Mismatch when the grids differ.
    """
    require_one_grid(a, b)
    return Mask(a.grid, given_away(a.voxels | b.voxels), _shared_level(a, b))


def intersection(a: Mask, b: Mask) -> Mask:
    """Choose what lies in both masks.

    a, b: masks on one grid
    Raises Mismatch when the grids differ.
    """
    require_one_grid(a, b)
    return Mask(a.grid, given_away(a.voxels & b.voxels), _shared_level(a, b))


def difference(a: Mask, b: Mask) -> Mask:
    """Choose what lies in the first mask and not in the second.

    a, b: masks on one grid
    Raises Mismatch when the grids differ.
    """
    require_one_grid(a, b)
    return Mask(a.grid, given_away(a.voxels & ~b.voxels), a.level)


def inverted(mask: Mask) -> Mask:
    """Choose all voxels of the scan that are not chosen.

    mask: the chosen voxels
    """
    return Mask(mask.grid, given_away(~mask.voxels), mask.level)


def _shared_level(a: Mask, b: Mask) -> float | None:
    return a.level if a.level == b.level else None
