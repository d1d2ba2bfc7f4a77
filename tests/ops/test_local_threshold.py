import numpy as np

from surgiplan.ops.local_threshold import LocalThreshold
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Volume
from tests.ops.shapes import grid


def test_a_thin_wall_is_found_on_a_slope_and_noise_in_the_dark_is_not() -> None:
    slope = np.broadcast_to(np.linspace(0, 1500, 38)[None, :, None], grid().shape_kji).copy()
    slope[:, [10, 28], :] += 300
    slope[3, 2, 2] = 90
    volume = Volume(grid(), slope.round().astype(np.int16))
    found = LocalThreshold(volume=Ref("ct"), radius=4.0, above=150, low=200).run(Work(), volume)
    assert np.flatnonzero(found.voxels.any(axis=(0, 2))).tolist() == [10, 28]
    assert found.voxels[:, [10, 28], :].all()
    assert found.level is None
