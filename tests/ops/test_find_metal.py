from surgiplan.ops.find_metal import FindMetal
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from tests.ops.shapes import ball_scan


def test_what_is_near_the_metal_is_not_trusted_and_its_volume_is_told() -> None:
    told = FindMetal(volume=Ref("ct"), level=900, near=3).run(Work(), ball_scan())
    assert told["metal"].level == 900
    assert told["streaks"].voxels.any()
    assert not (told["metal"].voxels & told["streaks"].voxels).any()
    assert told["untrue"].value == told["streaks"].volume_mm3
    assert "must be judged by eye" in told["untrue"].definition
