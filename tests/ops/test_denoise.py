import numpy as np

from surgiplan.ops.denoise import Denoise
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Volume
from tests.ops.shapes import ball_scan


def test_each_kind_takes_noise_out_of_the_inside_of_a_ball() -> None:
    true = ball_scan().voxels
    inner = np.s_[11:20, 12:26, 12:28]
    noise = np.random.default_rng(1).normal(0, 80, true.shape)
    noisy = Volume(ball_scan().grid, (true + noise).astype(np.int16))
    for kind, edge in (("diffusion", 200.0), ("median", 100.0), ("gaussian", 100.0)):
        clean = Denoise(volume=Ref("ct"), kind=kind, edge=edge).run(Work(), noisy)  # type: ignore[arg-type]
        assert np.std(clean.voxels[inner]) < 0.5 * noise.std()
        assert abs(clean.voxels[inner].mean() - 1000) < 10
        assert clean.voxels.dtype == np.int16
