import pytest

from surgiplan.ops.repair import Repair
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from tests.ops.shapes import CENTRE, ball, beside, holed, joined

BALL = ball()


def test_a_hole_is_closed_and_named() -> None:
    part = Repair(part=Ref("b")).run(Work(), holed(BALL))
    assert part.mesh.watertight
    assert part.mesh.volume_mm3 == pytest.approx(BALL.mesh.volume_mm3)
    assert part.change is not None
    assert part.change.done[0].startswith("1 hole closed (the largest")


def test_small_parts_stay_when_all_shall_be_kept() -> None:
    both = joined(BALL, ball(0.2, beside(CENTRE, 20, 0, 0), rings=4))
    assert Repair(part=Ref("b"), smallest=0).run(Work(), both) is both
    assert len(Repair(part=Ref("b")).run(Work(), both).mesh.triangles) == len(BALL.mesh.triangles)
