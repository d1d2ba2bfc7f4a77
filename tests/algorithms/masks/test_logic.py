"""Sets of voxels."""

import numpy as np
import pytest

from surgiplan.algorithms.masks.logic import difference, intersection, inverted, union
from surgiplan.errors import Mismatch

from .bodies import mask_of

A = mask_of([[[0, 0, 1, 1]]], level=226.0)
B = mask_of([[[0, 1, 0, 1]]], level=226.0)


@pytest.mark.parametrize(
    ("way", "truth"), [(union, [0, 1, 1, 1]), (intersection, [0, 0, 0, 1]), (difference, [0, 0, 1, 0])]
)
def test_all_four_cases(way, truth) -> None:
    result = way(A, B)
    assert result.voxels.astype(int).tolist() == [[truth]]
    assert result.level == 226.0


def test_inverting_twice_changes_nothing() -> None:
    assert inverted(A).voxels.astype(int).tolist() == [[[1, 1, 0, 0]]]
    assert np.array_equal(inverted(inverted(A)).voxels, A.voxels)


def test_masks_of_other_levels_share_none() -> None:
    other = mask_of(B.voxels, level=-300.0)
    assert union(A, other).level is None
    assert intersection(A, other).level is None
    assert difference(A, other).level == 226.0


def test_masks_of_other_grids_are_refused() -> None:
    for way in (union, intersection, difference):
        with pytest.raises(Mismatch, match="do not share one voxel grid"):
            way(A, mask_of([[[0, 1, 0]]]))
