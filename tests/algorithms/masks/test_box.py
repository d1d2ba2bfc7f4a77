"""Every two voxels with a common face are met once."""

import numpy as np
import pytest

from surgiplan.algorithms.masks import box
from surgiplan.algorithms.masks.box import neighbours


@pytest.mark.parametrize("shape", [(7, 4, 5), (1, 4, 1), (2, 1, 3)])
def test_neighbours_are_all_pairs_with_a_common_face(monkeypatch, shape) -> None:
    monkeypatch.setattr(box, "_VOXELS_AT_ONCE", 2 * shape[1] * shape[2])
    number = np.arange(np.prod(shape)).reshape(shape)
    found = []
    for here, there, axis in neighbours(shape):
        step = np.zeros(3, int)
        step[axis] = 1
        pairs = np.stack([number[here].ravel(), number[there].ravel()], axis=1)
        assert all(
            (np.array(np.unravel_index(a, shape)) + step == np.unravel_index(b, shape)).all()
            for a, b in pairs
        )
        found += [tuple(pair) for pair in pairs.tolist()]
    expected = sum(np.prod(shape) // n * (n - 1) for n in shape)
    assert len(found) == len(set(found)) == expected
