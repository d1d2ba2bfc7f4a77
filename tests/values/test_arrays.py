import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.values import given_away, vec3
from surgiplan.values.arrays import frozen


def test_what_is_kept_cannot_be_written_to_and_what_was_given_still_can() -> None:
    mine = np.arange(6.0).reshape(2, 3)
    kept = frozen(mine)
    mine[0, 0] = 99
    assert kept[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 1


def test_a_change_of_type_or_order_copies_and_leaves_the_given_array_alone() -> None:
    mine = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    kept = frozen(mine, np.float32)
    assert kept.dtype == np.float32
    assert kept.flags.c_contiguous
    assert mine.flags.writeable
    assert not np.shares_memory(kept, mine)


def test_lists_become_arrays() -> None:
    kept = frozen([[1, 2, 3]], np.int32)
    assert (kept.dtype, kept.shape, kept.flags.writeable) == (np.int32, (1, 3), False)


def test_a_large_array_is_given_away_without_a_copy() -> None:
    mine = np.arange(6.0)
    assert frozen(given_away(mine)) is mine
    assert not mine.flags.writeable


@given(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 3))
def test_three_numbers_are_kept_to_the_last_bit(numbers: tuple[float, float, float]) -> None:
    assert vec3(np.array(numbers)) == numbers
    assert all(type(x) is float for x in vec3(numbers))


@pytest.mark.parametrize("bad", [(1, 2), (1, 2, 3, 4), (), (1, 2, np.nan), (np.inf, 0, 0)])
def test_what_is_no_point_is_refused_with_what_was_given(bad: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="three finite numbers are needed, not"):
        vec3(bad)
