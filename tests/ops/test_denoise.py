import numpy as np

from surgiplan.ops.denoise import Denoise
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Volume
from tests.ops.shapes import ball_scan


def test_each_kind_brings_a_noisy_ball_nearer_to_the_true_one() -> None:
    true = ball_scan().voxels
    noise = np.random.default_rng(1).normal(0, 80, true.shape)
    noisy = Volume(ball_scan().grid, (true + noise).astype(np.int16))
    for kind, edge in (("diffusion", 200.0), ("median", 100.0), ("gaussian", 100.0)):
        clean = Denoise(volume=Ref("ct"), kind=kind, edge=edge).run(Work(), noisy)  # type: ignore[arg-type]
        assert np.std(clean.voxels - true.astype(float)) < 0.75 * noise.std()
        assert clean.voxels.dtype == np.int16
