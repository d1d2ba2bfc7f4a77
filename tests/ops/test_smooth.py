import numpy as np
import pytest

from surgiplan.errors import StepFailed
from surgiplan.ops.smooth import Smooth
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Mesh, Part
from tests.ops.shapes import CENTRE, ball, holed


@pytest.mark.parametrize("kind", ["windowed-sinc", "taubin"])
def test_a_rough_ball_becomes_smooth_and_keeps_its_volume(kind: str) -> None:
    """VALIDITY 8: volume within 0.2 %, mean shift within 0.05 mm."""
    plain = ball(rings=40)
    rough = plain.mesh.points + np.random.default_rng(0).normal(0, 0.02, plain.mesh.points.shape)
    part = Part(Mesh(rough, plain.mesh.triangles), frame_uid=plain.frame_uid)
    smoothed = Smooth(part=Ref("b"), kind=kind).run(Work(), part)  # type: ignore[arg-type]
    change = smoothed.change
    assert change is not None
    assert abs(change.volume_percent or 0) <= 0.2
    assert abs(change.shift_mm) <= 0.05

    def roughness(one: Part) -> float:
        return float(np.linalg.norm(one.points_lps - CENTRE, axis=1).std())

    assert roughness(smoothed) < 0.7 * roughness(part)
    assert "smoothed by" in change.done[0]
    assert smoothed.frame_uid == part.frame_uid


def test_an_open_shape_is_refused() -> None:
    with pytest.raises(StepFailed, match="Repair it first"):
        Smooth(part=Ref("b")).run(Work(), holed(ball()))
