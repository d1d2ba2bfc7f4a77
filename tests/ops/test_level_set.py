import numpy as np
import pytest

from surgiplan.ops.level_set import LevelSet
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Mask
from tests.ops.shapes import CENTRE, ball_scan


def test_a_small_start_grows_to_the_edge_of_the_ball() -> None:
    scan = ball_scan()
    points = scan.grid.to_lps(np.indices(scan.grid.shape_kji).reshape(3, -1).T)
    near = (np.linalg.norm(points - CENTRE, axis=1) < 8).reshape(scan.grid.shape_kji)
    found = LevelSet(volume=Ref("ct"), mask=Ref("m"), reach=7).run(Work(), scan, Mask(scan.grid, near))
    assert found.volume_mm3 == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.12)
