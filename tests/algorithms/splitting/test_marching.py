"""Fronts reach voxels when SimpleITK's fast marching says so, whatever the order they are worked on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SimpleITK import FastMarchingImageFilter, GetArrayFromImage, GetImageFromArray

from surgiplan.algorithms.splitting import marching
from surgiplan.algorithms.splitting.marching import Chosen, Front
from surgiplan.errors import Cancelled
from surgiplan.progress import silent
from surgiplan.values import FloatArray

SPACING = (1.3, 0.7, 0.9)
FASTEST = 65535


def itk(speed: np.ndarray, start: np.ndarray) -> FloatArray:
    image = GetImageFromArray(speed)
    image.SetSpacing(SPACING[::-1])
    march = FastMarchingImageFilter()
    march.SetTrialPoints([[int(n) for n in kji[::-1]] for kji in start])
    march.SetNormalizationFactor(FASTEST)
    march.SetStoppingValue(1e30)
    times = GetArrayFromImage(march.Execute(image))
    return np.where(times < 1e30, times, np.inf)


def arrival(speed: np.ndarray, start: np.ndarray, before: FloatArray | None = None) -> FloatArray:
    """In the array; infinite where no voxel is chosen."""
    chosen = speed > 0
    space = Chosen(chosen)
    assert space.count == np.count_nonzero(chosen)
    other = np.full(space.count, np.inf, np.float32) if before is None else before[chosen]
    found = np.full(speed.shape, np.inf)
    found[chosen] = Front(space, speed[chosen], FASTEST, SPACING).arrival(start, other, silent, "Growing")
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 12), st.integers(1, 70)),
    st.floats(0.4, 1),
    st.sampled_from([1.0, 3000.0]),
    st.integers(0, 10**6),
    st.integers(1, 3),
)
def test_it_is_the_solution_of_fast_marching(shape, share, uneven, seed, starts) -> None:
    """Speeds alike and thousands of times apart; a front goes round no end of a row."""
    rng = np.random.default_rng(seed)
    speed = (FASTEST / uneven ** rng.random(shape)).astype(np.uint16)
    chosen = rng.random(shape) < share
    if not chosen.any():
        chosen[0, 0, 0] = True
    speed[~chosen] = 0
    start = rng.permutation(np.argwhere(chosen))[:starts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marching, "_FEWEST", 5)
        patch.setattr(marching, "_AT_ONCE", 40)
        assert arrival(speed, start) == pytest.approx(itk(speed, start), rel=1e-4)


def test_a_front_is_followed_no_farther_than_a_few_voxels_behind_another() -> None:
    speed = np.full((1, 1, 40), FASTEST, np.uint16)
    ends = np.array([[0, 0, 0]]), np.array([[0, 0, 39]])
    first = arrival(speed, ends[0])
    assert first[0, 0] == pytest.approx(0.9 * np.arange(40), rel=1e-5)
    second = arrival(speed, ends[1], first.astype(np.float32))
    reached = np.flatnonzero(np.isfinite(second[0, 0]))
    assert second[0, 0][reached] == pytest.approx(0.9 * (39 - reached), rel=1e-5)
    assert 13 <= reached[0] <= 18  # they meet half-way, at 19.5
    assert reached[-1] == 39


def test_a_stop_is_heard() -> None:
    def stop(_fraction: float, _text: str) -> None:
        raise Cancelled("stopped")

    space = Chosen(np.ones((3, 4, 5), np.bool_))
    front = Front(space, np.full(60, FASTEST, np.uint16), FASTEST, SPACING)
    with pytest.raises(Cancelled):
        front.arrival(np.array([[1, 1, 1]]), np.full(60, np.inf, np.float32), stop, "Growing")
