"""A field that is known is taken out of an MR."""

import numpy as np
import pytest

from surgiplan.algorithms.scans.bias import evened
from surgiplan.errors import StepFailed
from surgiplan.values import Volume
from tests.ops.shapes import ball_scan, grid

PLACE = grid((60, 80, 72))


def test_a_known_field_is_found() -> None:
    k, j, i = np.indices(PLACE.shape_kji).astype(float)
    body = np.hypot(np.hypot((k - 30) / 26, (j - 40) / 34), (i - 36) / 30) < 1
    field = np.exp(0.35 * np.sin(k / 25) + 0.3 * (i - 36) / 36)
    grey = np.where(body, 400.0, 20.0) + np.random.default_rng(0).normal(0, 10, PLACE.shape_kji)
    scan = Volume(PLACE, (grey * field).astype(np.int16), "MR", "")
    even, factor = evened(scan)
    inner = np.hypot(np.hypot((k - 30) / 26, (j - 40) / 34), (i - 36) / 30) < 0.95

    def unevenness(one: Volume) -> float:
        return float(one.voxels[inner].std() / one.voxels[inner].mean())

    assert unevenness(scan) > 0.11
    assert unevenness(even) < 0.045  # noise alone is 0.025
    low, high = np.percentile(field[inner], (1, 99))
    assert factor == pytest.approx(high / low, rel=0.1)
    assert even.voxels[body].mean() == pytest.approx(scan.voxels[body].mean(), rel=0.05)


def test_a_ct_has_no_bias_field() -> None:
    with pytest.raises(StepFailed, match="A CT has no bias field"):
        evened(ball_scan())
