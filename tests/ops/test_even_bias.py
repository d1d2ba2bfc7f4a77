import numpy as np
import pytest

from surgiplan.ops.even_bias import EvenBias
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Volume
from tests.ops.shapes import grid


def test_the_scan_becomes_more_even_and_the_change_is_told() -> None:
    place = grid((40, 50, 50))
    k, j, i = np.indices(place.shape_kji).astype(float)
    body = np.hypot(np.hypot((k - 20) / 17, (j - 25) / 21), (i - 25) / 21) < 1
    field = np.exp(0.5 * (i - 25) / 21)
    scan = Volume(place, (np.where(body, 500, 15) * field).astype(np.float32), "MR", "")
    told = EvenBias(volume=Ref("mr")).run(Work(), scan)
    before, after = (one.voxels[body].std() / one.voxels[body].mean() for one in (scan, told["scan"]))
    assert after < 0.5 * before
    assert told["change"].value == pytest.approx(np.exp(1.0), rel=0.2)
