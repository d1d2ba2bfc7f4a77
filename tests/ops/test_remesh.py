import pytest

from surgiplan.errors import StepFailed
from surgiplan.ops.remesh import Remesh
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from tests.ops.shapes import ball, holed

BALL = ball()


def test_fewer_triangles_lie_within_the_bound() -> None:
    few = Remesh(part=Ref("b"), within=0.1).run(Work(), BALL)
    assert few.mesh.watertight
    assert len(few.mesh.triangles) < len(BALL.mesh.triangles) / 2
    assert few.change is not None
    assert few.change.max_mm <= 0.1


def test_uniform_triangles_enclose_the_same_body() -> None:
    even = Remesh(part=Ref("b"), kind="uniform", edge=1.2).run(Work(), BALL)
    assert even.mesh.watertight
    assert even.mesh.euler_number == 2
    assert even.mesh.volume_mm3 == pytest.approx(BALL.mesh.volume_mm3, rel=0.01)


@pytest.mark.parametrize("kind", ["decimate", "uniform"])
def test_an_open_shape_is_refused(kind: str) -> None:
    with pytest.raises(StepFailed, match="Repair it first"):
        Remesh(part=Ref("b"), kind=kind).run(Work(), holed(BALL))  # type: ignore[arg-type]
