import pytest

from surgiplan.ops.resample import Resample
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from tests.ops.shapes import ball_scan, grid


def test_cubes_of_the_named_edge_or_the_grid_of_another_scan() -> None:
    cubes = Resample(volume=Ref("ct"), spacing=0.6).run(Work(), ball_scan(), None)
    assert cubes.grid.spacing_kji == pytest.approx((0.6, 0.6, 0.6))
    back = Resample(volume=Ref("cubes"), like=Ref("ct")).run(Work(), cubes, ball_scan())
    assert back.grid.same_as(grid())
    assert back.voxels.sum(dtype=float) == pytest.approx(ball_scan().voxels.sum(dtype=float), rel=0.005)
