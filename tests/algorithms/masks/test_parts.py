"""Parts kept by size and by seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.algorithms.masks.parts import largest_parts, parts_above, parts_at
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.values import digest

from .bodies import SPACING_KJI, mask_of, stop, two_boxes


def test_largest_part_is_connected_through_faces_only() -> None:
    kept = largest_parts(mask_of(two_boxes(), level=226.0))
    assert np.count_nonzero(kept.voxels) == 24
    assert kept.voxels[1, 1, 1]
    assert not kept.voxels[3, 4, 2]
    assert kept.level == 226.0


def test_of_equal_parts_the_first_is_kept() -> None:
    voxels = np.zeros((3, 2, 9), np.bool_)
    voxels[0, 0, ::2] = True
    assert np.argwhere(largest_parts(mask_of(voxels), 2).voxels).tolist() == [[0, 0, 0], [0, 0, 2]]


def test_parts_of_exactly_the_volume_stay() -> None:
    mask = mask_of(two_boxes())
    small = 8 * mask.grid.voxel_mm3
    assert np.array_equal(parts_above(mask, small).voxels, mask.voxels)
    assert np.count_nonzero(parts_above(mask, small * 1.001).voxels) == 24


def test_no_part_of_nothing() -> None:
    nothing = mask_of(np.zeros((2, 3, 4)))
    for work in (lambda: largest_parts(nothing), lambda: parts_above(nothing, 1.0)):
        with pytest.raises(StepFailed, match="No voxel is chosen"):
            work()


def test_parts_at_keeps_the_parts_under_the_seeds() -> None:
    mask = mask_of(two_boxes(), level=1.0)
    in_small, in_large = (tuple(mask.grid.to_lps(kji)) for kji in ((3.4, 4.0, 3.0), (2, 2, 2)))
    small, large = parts_at(mask, [in_small]), parts_at(mask, [in_large])
    assert np.count_nonzero(small.voxels) == 8
    assert np.count_nonzero(large.voxels) == 24
    assert small.level == 1.0
    assert np.array_equal(parts_at(mask, [in_small, in_large, in_small]).voxels, mask.voxels)


@given(st.tuples(st.integers(0, 6), st.integers(0, 7), st.integers(0, 8)))
def test_a_seed_in_air_fails_with_its_distance(voxel) -> None:
    mask = mask_of(two_boxes())
    if mask.voxels[voxel]:
        return
    away = np.linalg.norm((np.argwhere(mask.voxels) - voxel) * SPACING_KJI, axis=1).min()
    with pytest.raises(StepFailed, match=rf"{away:.1f} mm from the nearest"):
        parts_at(mask, [tuple(mask.grid.to_lps(voxel))])


def test_a_seed_outside_the_scan_fails_with_its_distance() -> None:
    mask = mask_of(two_boxes())
    with pytest.raises(StepFailed, match=r"6\.0 mm outside the scan"):
        parts_at(mask, [tuple(mask.grid.to_lps((-4, 3, 3)))])
    with pytest.raises(StepFailed, match="No voxel"):
        parts_at(mask_of(np.zeros((2, 3, 4))), [tuple(mask.grid.to_lps((1, 1, 1)))])


def test_inputs_stay_and_a_stop_is_heard() -> None:
    mask = mask_of(two_boxes())
    before, seed = digest(mask), tuple(mask.grid.to_lps((2, 2, 2)))
    largest_parts(mask)
    parts_at(mask, [seed])
    assert digest(mask) == before
    for work in (lambda: largest_parts(mask, 1, stop), lambda: parts_at(mask, [seed], stop)):
        with pytest.raises(Cancelled):
            work()
