import numpy as np

from surgiplan.ops.register_scan import RegisterScan
from surgiplan.ops.resample import Resample
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Grid, Pose, Volume
from tests.ops.shapes import ELSEWHERE, head_scan


def test_a_second_scan_joins_the_space_of_the_first_and_is_read_on_its_grid() -> None:
    first = head_scan((4.0, 3.2, 3.0))
    true = Pose.of_shift((9, -6, 5)).after(Pose.of_rotation((0, 0, 1), 5, (3, -4, 90)))
    place = Grid(first.grid.shape_kji, true.array @ first.grid.kji_to_lps, ELSEWHERE)
    second = Volume(place, first.voxels)
    told = RegisterScan(moving=Ref("mr"), fixed=Ref("ct")).run(Work(), second, first)
    moved = told["moved"]
    assert moved.grid.frame_uid == first.grid.frame_uid
    assert np.array_equal(moved.voxels, second.voxels)  # no value is invented
    assert np.linalg.norm(moved.grid.corners_lps - first.grid.corners_lps, axis=1).max() < 0.5 * 4.0
    assert "not the accuracy" in told["fit"].definition
    read = Resample(volume=Ref("moved"), like=Ref("ct")).run(Work(), moved, first)
    assert read.grid.same_as(first.grid)
    inner = np.s_[5:-5, 5:-5, 5:-5]
    assert np.corrcoef(read.voxels[inner].ravel(), first.voxels[inner].ravel())[0, 1] > 0.95
