import numpy as np
import pytest
from hypothesis import assume, given, settings

from surgiplan.errors import Mismatch, StepFailed
from surgiplan.ops.boolean import Boolean
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Part, Pose
from tests.ops.shapes import CENTRE, ELSEWHERE, FRAME, TILTED, ball, beside, box, holed, rod
from tests.values.samples import poses

REFS = {"a": Ref[Part]("a"), "b": Ref[Part]("b")}


def joined(a: Part, b: Part, kind: str) -> Part:
    return Boolean(**REFS, kind=kind).run(Work(), a, b)  # type: ignore[arg-type]


def overlapping() -> tuple[Part, Part]:
    """Blocks of 6000 mm3 and 1000 mm3 that share 5 x 10 x 10 mm."""
    return box(), box((10.0, 10.0, 10.0), TILTED.after(Pose.of_shift((15, 0, 0))))


@pytest.mark.parametrize(("kind", "volume"), [("union", 6500), ("intersection", 500), ("difference", 5500)])
def test_blocks_add_up_exactly(kind: str, volume: float) -> None:
    result = joined(*overlapping(), kind)
    assert result.mesh.volume_mm3 == pytest.approx(volume, rel=1e-5)
    assert result.mesh.watertight
    assert result.mesh.euler_number == 2
    assert (result.pose, result.frame_uid) == (Pose(), FRAME)


def test_the_result_lies_where_the_bodies_lie() -> None:
    a, b = overlapping()
    own = TILTED.inverse.apply(joined(a, b, "intersection").points_lps)
    assert np.allclose([own.min(axis=0), own.max(axis=0)], [(10, -5, -5), (15, 5, 5)], atol=1e-4)


def test_a_drilled_ball_is_a_napkin_ring() -> None:
    """P8: what is left of a ball after drilling depends on the length of the hole alone: pi h^3 / 6."""
    for radius in (13.0, 16.0):
        half = 9.0
        drill = rod(beside(CENTRE, 0, 0, -30), beside(CENTRE, 0, 0, 30), np.sqrt(radius**2 - half**2))
        ring = joined(ball(radius, rings=90), drill, "difference")
        assert ring.mesh.volume_mm3 == pytest.approx(np.pi * (2 * half) ** 3 / 6, rel=0.01)
        assert ring.mesh.euler_number == 0


def test_two_crossed_rods_share_the_body_of_steinmetz() -> None:
    """P9: V = 16 r^3 / 3."""
    one = rod(beside(CENTRE, -20, 0, 0), beside(CENTRE, 20, 0, 0), 6.0, facets=180)
    other = rod(beside(CENTRE, 0, 0, -20), beside(CENTRE, 0, 0, 20), 6.0, facets=180)
    assert joined(one, other, "intersection").mesh.volume_mm3 == pytest.approx(16 * 6**3 / 3, rel=1e-3)


@settings(max_examples=25)
@given(poses())
def test_what_is_shared_and_what_is_joined_make_up_both(turn: Pose) -> None:
    """VALIDITY 13: V(a) + V(b) = V(a or b) + V(a and b), and the difference is the rest of a."""
    a = box()
    b = box((14.0, 9.0, 12.0), Pose.of_shift(TILTED.apply((9, 4, 2)) - turn.apply((0, 0, 0))).after(turn))
    volumes = {kind: joined(a, b, kind).mesh.volume_mm3 for kind in ("union", "intersection", "difference")}
    both = a.mesh.volume_mm3 + b.mesh.volume_mm3
    assume(volumes["intersection"] > 1)
    assert volumes["union"] + volumes["intersection"] == pytest.approx(both, rel=1e-6)
    assert volumes["difference"] + volumes["intersection"] == pytest.approx(a.mesh.volume_mm3, rel=1e-6)


def test_a_body_and_itself() -> None:
    block = box()
    assert joined(block, block, "union").mesh.volume_mm3 == pytest.approx(6000, rel=1e-5)
    assert joined(block, block, "intersection").mesh.volume_mm3 == pytest.approx(6000, rel=1e-5)
    with pytest.raises(StepFailed, match=r"Nothing is left: the second body covers the first wholly"):
        joined(block, block, "difference")


def test_bodies_that_do_not_meet_say_how_far_they_are_apart() -> None:
    other = box((10.0, 10.0, 10.0), TILTED.after(Pose.of_shift((24.5, 0, 0))))
    with pytest.raises(StepFailed, match=r"nothing in common: they lie 4\.500 mm apart. Move one until they"):
        joined(box(), other, "intersection")
    two = joined(box(), other, "union")
    assert two.mesh.volume_mm3 == pytest.approx(7000, rel=1e-5)
    assert two.mesh.euler_number == 4


@pytest.mark.parametrize("which", ["first", "second"])
def test_a_body_with_a_hole_is_refused(which: str) -> None:
    a, b = overlapping()
    bodies = (holed(a), b) if which == "first" else (a, holed(b))
    with pytest.raises(
        StepFailed, match=f"There is a hole: the {which} body has 3 open or badly joined edges"
    ):
        joined(*bodies, "union")


def test_two_patient_spaces_are_not_mixed() -> None:
    a, _ = overlapping()
    with pytest.raises(Mismatch, match="different patient spaces"):
        joined(a, box((10.0, 10.0, 10.0), frame=ELSEWHERE), "union")
