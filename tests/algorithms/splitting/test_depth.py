"""Depth measured slice by slice is the distance to the outermost voxels, as a search tree finds it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import KDTree

from surgiplan.algorithms.splitting.depth import depths
from surgiplan.values import BoolArray, FloatArray

SPACING = (1.3, 0.8, 0.9)


def truth(chosen: BoolArray) -> FloatArray:
    """Signed distance to the chosen voxels beside free ones; infinite where there are none."""
    inner = ndimage.binary_erosion(chosen, np.ones((3, 3, 3)), border_value=1)
    outermost = np.argwhere(chosen & ~inner) * SPACING
    places = np.argwhere(np.ones_like(chosen)) * SPACING
    away = KDTree(outermost).query(places)[0] if len(outermost) else np.full(len(places), np.inf)
    return np.where(chosen, 1, -1) * away.reshape(chosen.shape)


def measured(chosen: BoolArray, holes: BoolArray | None = None, **limits: float) -> FloatArray:
    found = list(depths(chosen, holes, SPACING, **limits))
    assert [k for k, _ in found] == list(range(len(chosen)))
    return np.stack([depth for _, depth in found])


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 24), st.integers(1, 24)),
    st.floats(0.5, 1),
    st.integers(0, 10**6),
)
def test_it_is_the_distance_to_the_outermost_voxels(shape, share, seed) -> None:
    chosen = ndimage.uniform_filter(np.random.default_rng(seed).random(shape), 3) < share
    expected = truth(chosen)
    some = np.isfinite(expected)
    assert measured(chosen, outside_mm=100.0)[some] == pytest.approx(expected[some], abs=1e-4)
    inside = some & chosen
    assert measured(chosen)[inside] == pytest.approx(expected[inside], abs=1e-4)
    limited = measured(chosen, deepest_mm=1.5, outside_mm=2.0)[some]
    assert limited == pytest.approx(np.clip(expected[some], -2.0, 1.5), abs=1e-4)


def test_a_thick_body_and_a_plate_along_each_axis_with_a_hole() -> None:
    k, j, i = np.indices((40, 44, 42)) * np.reshape(SPACING, (3, 1, 1, 1))
    chosen = (k - 20) ** 2 + (j - 17) ** 2 + (i - 18) ** 2 < 14.0**2
    chosen |= (np.abs(k - 45) < 3) | (np.abs(i - 35) < 2)
    holes = np.abs(j - 17) < 0.5
    expected = truth(chosen & ~holes)
    found = measured(chosen, holes)
    assert expected.max() > 6
    inside = expected >= 0
    assert found[inside] == pytest.approx(expected[inside], abs=1e-4)
    assert (found[~inside] <= 0).all()


def test_what_fills_all_is_deep_everywhere() -> None:
    assert (measured(np.ones((4, 5, 6), np.bool_)) > 1e4).all()
