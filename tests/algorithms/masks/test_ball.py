"""Widening and narrowing by a ball, beside every pair of voxels measured and beside a distance map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from surgiplan.algorithms.masks import ball
from surgiplan.algorithms.masks.ball import narrowed, widened
from surgiplan.errors import Cancelled

from .bodies import SPACING_KJI, stop


def near(chosen, radius, spacing) -> np.ndarray:
    if not chosen.any():
        return np.zeros_like(chosen)
    return distance_transform_edt(~chosen, sampling=spacing) <= radius * (1 + 1e-6)


@given(
    st.tuples(st.integers(1, 7), st.integers(1, 6), st.integers(1, 140)),
    st.floats(0.001, 0.3),
    st.floats(0.1, 6),
    st.integers(0, 10**6),
)
def test_it_chooses_what_lies_within_the_radius(shape, share, radius, seed) -> None:
    chosen = np.random.default_rng(seed).random(shape) < share
    assert np.array_equal(widened(chosen, radius, SPACING_KJI), near(chosen, radius, SPACING_KJI))
    assert np.array_equal(narrowed(chosen, radius, SPACING_KJI), ~near(~chosen, radius, SPACING_KJI))


@pytest.mark.parametrize("radius", [70.0, 64.0, 45.5])
def test_a_row_is_widened_across_many_words(radius) -> None:
    chosen = np.zeros((1, 1, 400), np.bool_)
    chosen[0, 0, [3, 200]] = True
    assert np.array_equal(widened(chosen, radius, SPACING_KJI), near(chosen, radius, SPACING_KJI))


def test_a_radius_of_whole_voxels_reaches_as_many() -> None:
    chosen = np.zeros((9, 11, 13), np.bool_)
    chosen[4, 5, 6] = True
    for spacing in ((0.3, 0.7, 0.1), (1.1, 0.6, 0.7)):
        for n in (1, 2, 3):
            grown = widened(chosen, n * spacing[2], spacing)
            assert np.flatnonzero(grown[4, 5]).tolist() == list(range(6 - n, 7 + n))


def test_a_large_ball_gives_the_same_through_a_distance_map(monkeypatch) -> None:
    chosen = np.random.default_rng(3).random((19, 23, 31)) < 0.002
    by_rows = widened(chosen, 6.3, SPACING_KJI), narrowed(~chosen, 2.5, SPACING_KJI)
    monkeypatch.setattr(ball, "_MOST_ROWS", 3)
    assert np.array_equal(widened(chosen, 6.3, SPACING_KJI), by_rows[0])
    assert np.array_equal(narrowed(~chosen, 2.5, SPACING_KJI), by_rows[1])
    assert not widened(np.zeros_like(chosen), 6.3, SPACING_KJI).any()


def test_a_stop_is_heard() -> None:
    with pytest.raises(Cancelled):
        widened(np.ones((3, 4, 5), np.bool_), 2.0, SPACING_KJI, stop)
