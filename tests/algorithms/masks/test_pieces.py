"""Connected parts from runs, beside scipy's labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from surgiplan.algorithms.masks import box, pieces
from surgiplan.algorithms.masks.pieces import pieces_of
from surgiplan.errors import Cancelled

from .bodies import stop

IN_SLICES = np.zeros((3, 3, 3), int)
IN_SLICES[1] = ndimage.generate_binary_structure(2, 1)
OVER = {"faces": None, "slices": IN_SLICES, "corners": np.ones((3, 3, 3), int)}


def labels_of(found, shape) -> np.ndarray:
    """The image of labels, from 1 on."""
    labels = np.zeros(shape, int)
    for n in range(found.count):
        labels[found.voxels(np.arange(found.count) == n)] = n + 1
    return labels


@given(
    st.tuples(st.integers(1, 7), st.integers(1, 6), st.integers(1, 9)),
    st.floats(0, 1),
    st.integers(0, 10**6),
    st.sampled_from(["faces", "slices", "corners"]),
)
def test_parts_are_those_scipy_finds(shape, share, seed, over) -> None:
    chosen = np.random.default_rng(seed).random(shape) < share
    truth, count = ndimage.label(chosen, OVER[over])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_VOXELS_AT_ONCE", 2 * shape[1] * shape[2])
        patch.setattr(box, "_VOXELS_AT_ONCE", shape[1] * shape[2])
        found = pieces_of(chosen, in_slices=over == "slices", corners=over == "corners")
        assert found.count == count
        assert np.array_equal(labels_of(found, shape), truth)
    assert found.sizes.tolist() == np.bincount(truth.ravel(), minlength=count + 1)[1:].tolist()
    for voxel in np.ndindex(shape):
        number = found.at(voxel)
        assert (0 if number is None else number + 1) == truth[voxel]


def test_a_spiral_through_many_slabs_is_one_part(monkeypatch) -> None:
    monkeypatch.setattr(pieces, "_VOXELS_AT_ONCE", 70)
    chosen = np.zeros((41, 7, 9), np.bool_)
    chosen[::2, 1:6, 1:8] = True
    chosen[::2, 2:5, 2:7] = False
    chosen[1::4, 1, 1] = chosen[3::4, 5, 7] = True
    found = pieces_of(chosen)
    assert found.count == 1
    assert found.sizes.tolist() == [np.count_nonzero(chosen)]


def test_a_stop_is_heard() -> None:
    with pytest.raises(Cancelled):
        pieces_of(np.ones((3, 4, 5), np.bool_), stop)
    found = pieces_of(np.ones((3, 4, 5), np.bool_))
    with pytest.raises(Cancelled):
        found.voxels(np.ones(1, np.bool_), stop)
