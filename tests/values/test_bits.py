import json
import pickle
import zlib
from base64 import b64encode
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.values import Bits

SHAPE = (40, 33, 67)
_index = st.tuples(*[st.integers(0, n - 1) for n in SHAPE])
voxels = st.lists(_index, max_size=40)
strokes = st.lists(st.tuples(st.booleans(), voxels), max_size=8)


def dense(bits: Bits) -> np.ndarray:
    array = np.zeros(SHAPE, np.bool_)
    bits.write_into(array, True)
    return array


def painted(given_strokes: list[tuple[bool, list[tuple[int, int, int]]]]) -> tuple[Bits, np.ndarray]:
    """The same strokes in both ways: sparse, and on a plain array."""
    bits, array = Bits(), np.zeros(SHAPE, np.bool_)
    for adding, kji in given_strokes:
        bits = bits.with_voxels(kji) if adding else bits.without_voxels(kji)
        if kji:
            array[tuple(np.array(kji).T)] = adding
    return bits, array


@given(strokes)
def test_strokes_do_what_they_do_to_a_plain_array(
    given_strokes: list[tuple[bool, list[tuple[int, int, int]]]],
) -> None:
    bits, array = painted(given_strokes)
    assert np.array_equal(dense(bits), array)
    assert bits.count == np.count_nonzero(array)


@given(strokes)
def test_equal_choices_are_equal_however_they_came_about(
    given_strokes: list[tuple[bool, list[tuple[int, int, int]]]],
) -> None:
    bits, array = painted(given_strokes)
    again = Bits.of(np.argwhere(array))
    assert again == bits
    assert hash(again) == hash(bits)
    assert again.to_text() == bits.to_text()


@given(strokes)
def test_they_survive_text_and_pickle(given_strokes: list[tuple[bool, list[tuple[int, int, int]]]]) -> None:
    bits, _ = painted(given_strokes)
    assert Bits.from_text(bits.to_text()) == bits
    assert pickle.loads(pickle.dumps(bits)) == bits


@given(voxels, voxels)
def test_taking_away_what_was_added_gives_what_was(
    before: list[tuple[int, int, int]], stroke: list[tuple[int, int, int]]
) -> None:
    bits = Bits.of(before)
    fresh = [kji for kji in stroke if kji not in before]
    assert bits.with_voxels(fresh).without_voxels(fresh) == bits
    assert bits.with_voxels(stroke).with_voxels(stroke) == bits.with_voxels(stroke)


def test_an_edit_shares_the_blocks_it_does_not_touch() -> None:
    before = Bits.of([[1, 1, 1], [40, 40, 70]])
    after = before.with_voxels([[40, 41, 70]])
    assert after.blocks[(0, 0, 0)] == before.blocks[(0, 0, 0)]
    assert before.count == 2
    assert after.count == 3


def test_what_was_emptied_leaves_no_block() -> None:
    assert not Bits.of([[1, 2, 3]]).without_voxels([[1, 2, 3]]).blocks
    assert Bits().count == 0
    assert Bits({(0, 0, 0): bytes(4096)}) == Bits()


def test_the_blocks_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Bits.of([[1, 2, 3]]).blocks[(0, 0, 0)] = bytes(4096)  # type: ignore[index]


def test_writing_leaves_out_what_lies_outside_and_can_unset() -> None:
    array = np.ones((3, 40, 2), np.bool_)
    Bits.of([[2, 39, 1], [2, 39, 2], [3, 0, 0], [500, 500, 500]]).write_into(array, False)
    assert array.sum() == array.size - 1
    assert not array[2, 39, 1]


def test_an_index_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        Bits.of([[0, -1, 0]])


@pytest.mark.parametrize(
    "blocks",
    [
        {(0, 0, 0): b"\1"},
        {(0, -1, 0): b"\1" * 4096},
        {(0, 1): b"\1" * 4096},
        {(): b"\1" * 4096},
    ],
)
def test_a_block_of_another_kind_is_refused(blocks: dict[tuple[int, ...], bytes]) -> None:
    with pytest.raises(ValueError, match="4096 bytes at a corner"):
        Bits(blocks)  # type: ignore[arg-type]


def text_of(corners: object, data: bytes) -> str:
    head = corners if isinstance(corners, str) else json.dumps(corners)
    return b64encode(zlib.compress(head.encode() + b"\n" + data)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64 !",
        "AAAA",
        text_of(3, b""),
        text_of([3], b"\1" * 4096),
        text_of([[0, 0]], b"\1" * 4096),
        text_of([["a", 0, 0]], b"\1" * 4096),
        text_of("[[1e999, 0, 0]]", b"\1" * 4096),
        text_of([[0, 0, 0], [1, 0, 0]], b"\1" * 4096),
        text_of([[0, 0, 0]], b"\1" * 9000),
        text_of("[" * 100_000, b""),
    ],
)
def test_a_text_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the text of a Bits value"):
        Bits.from_text(text)


@given(st.data())
def test_a_damaged_text_is_refused(data: st.DataObject) -> None:
    whole = Bits.of([[1, 2, 3], [50, 3, 99]]).to_text()
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != whole[at]))
    with suppress(ValueError):
        assert Bits.from_text(whole[:at] + other + whole[at + 1 :]).count == 2  # a padding bit
    with pytest.raises(ValueError, match="not the text of a Bits value"):
        Bits.from_text(whole[:at])


def test_a_text_as_it_was_written_at_first_can_be_read() -> None:
    bits = Bits.of([[1, 2, 3], [50, 3, 99]])
    order = sorted(bits.blocks)
    assert Bits.from_text(text_of(order, b"".join(bits.blocks[key] for key in order))) == bits


@given(voxels, voxels)
def test_sets_of_voxels(a: list[tuple[int, int, int]], b: list[tuple[int, int, int]]) -> None:
    one, other = Bits.of(a), Bits.of(b)
    assert one | other == Bits.of(sorted({*a, *b}))
    assert one - other == Bits.of(sorted({*a} - {*b}))


@given(voxels)
def test_a_box_holds_what_is_chosen_in_it(kji: list[tuple[int, int, int]]) -> None:
    bits, low, shape = Bits.of(kji), (5, 0, 30), (35, 33, 20)
    inside = dense(bits)[5:40, 0:33, 30:50]
    assert np.array_equal(bits.in_box(low, shape), inside)
    again = dense(Bits.of_box(low, inside))
    assert np.array_equal(again[5:40, 0:33, 30:50], inside)
    assert again.sum() == inside.sum()


@given(voxels)
def test_only_where_something_holds(kji: list[tuple[int, int, int]]) -> None:
    bits = Bits.of(kji)
    even = np.indices(SHAPE).sum(axis=0) % 2 == 0
    assert np.array_equal(dense(bits.where(lambda at: even[at])), dense(bits) & even)


def test_all_voxels_of_a_grid_share_their_blocks() -> None:
    every = Bits.all_of((100, 70, 64))
    assert every.count == 100 * 70 * 64
    assert len({id(block) for block in every.blocks.values()}) == 4  # whole; at an end of k, of j, of both
    assert (every - Bits.of([[99, 69, 63]])).count == every.count - 1
