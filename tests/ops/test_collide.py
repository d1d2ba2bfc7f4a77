import numpy as np
import pytest
from hypothesis import given, settings

from surgiplan.errors import Mismatch, StepFailed
from surgiplan.ops.collide import Collide
from surgiplan.ops.cut import Cut
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Collision, Part, Plane, Pose, vec3
from tests.ops.shapes import (
    CENTRE,
    ELSEWHERE,
    TILTED,
    ball,
    beside,
    box,
    holed,
    inside_out,
    joined,
    rod,
)
from tests.values.samples import poses

REFS = {"a": Ref[Part]("screw"), "b": Ref[Part]("bone")}
SMALL = (4.0, 4.0, 4.0)
MM = 0.006  # of the search, and a little rounding


def collided(a: Part, b: Part) -> Collision:
    return Collide(**REFS).run(Work(), a, b)


def small(x: float, y: float = 0.0, z: float = 0.0) -> Part:
    """A cube of 4 mm in the coordinates of the block of 30 x 20 x 10 mm."""
    return box(SMALL, TILTED.after(Pose.of_shift((x, y, z))))


def test_bodies_apart_have_a_clearance_and_its_place() -> None:
    found = collided(small(19.5), box())
    assert found.clearance_mm == pytest.approx(2.5, abs=MM)
    assert (found.depth_mm, found.contained) == (0, False)
    own = TILTED.inverse.apply(found.at_lps)
    assert 15 - 1e-3 <= own[0] <= 17.5 + 1e-3
    assert np.abs(own[1:]).max() <= 2 + 1e-3
    assert found.error_mm <= 0.01


def test_the_clearance_of_two_corners() -> None:
    """Off every edge of the block by 3, 4 and 12 mm: 13 mm."""
    found = collided(small(15 + 3 + 2, 10 + 4 + 2, 5 + 12 + 2), box())
    assert found.clearance_mm == pytest.approx(13, abs=MM)


@settings(max_examples=3)
@given(poses())
def test_the_clearance_of_two_skew_rods(pose: Pose) -> None:
    """P11: |d . (u x v)| / |u x v| - r1 - r2, wherever they lie."""
    one = rod((-20, 0, 0), (20, 0, 0), 2.0, facets=48).moved(pose)
    other = rod((-12, -9, 8), (12, 9, 8), 1.5, facets=48).moved(pose)
    assert collided(one, other).clearance_mm == pytest.approx(8 - 2.0 - 1.5, abs=0.02)


def test_bodies_that_overlap_have_a_depth() -> None:
    found = collided(small(15 - 1.5 + 2), box())
    assert found.depth_mm == pytest.approx(1.5, abs=MM)
    assert (found.clearance_mm, found.contained) == (0, False)
    assert TILTED.inverse.apply(found.at_lps)[0] == pytest.approx(13.5, abs=0.01)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_body_wholly_inside_is_found(swapped: bool) -> None:
    """The case that surface against surface calls free: middle of the cube's sides 5 mm deep, 3 mm free."""
    bodies = (box(), small(0)) if swapped else (small(0), box())
    found = collided(*bodies)
    assert found.contained
    assert found.clearance_mm == pytest.approx(3, abs=MM)
    assert found.depth_mm == pytest.approx(5, abs=MM)


def test_a_body_in_a_cavity_is_not_inside() -> None:
    """A ball in a hollow: bone all round it, and yet free."""
    shell = joined(ball(15.0), inside_out(ball(10.0)))
    found = collided(ball(6.0, beside(CENTRE, 1, 0, 0)), shell)
    assert (found.depth_mm, found.contained) == (0, False)
    assert found.clearance_mm == pytest.approx(10 - 6 - 1, abs=0.06)


def test_balls_have_their_closed_forms() -> None:
    for apart in (25.0, 21.0, 19.0, 12.0):
        found = collided(
            ball(8.0, beside(CENTRE, 0.6 * apart, 0, 0.8 * apart), rings=40), ball(12.0, rings=40)
        )
        assert found.clearance_mm == pytest.approx(max(apart - 20, 0), abs=0.02)
        assert found.depth_mm == pytest.approx(max(20 - apart, 0), abs=0.02)
        assert not found.contained


def test_bodies_that_touch_neither_overlap_nor_part() -> None:
    found = collided(small(17), box())
    assert found.depth_mm == pytest.approx(0, abs=1e-3)
    assert found.clearance_mm == pytest.approx(0, abs=1e-3)
    assert not found.contained


def test_the_clearance_is_the_same_from_both_sides() -> None:
    one, other = small(24, 7, -11), box()
    assert collided(one, other).clearance_mm == pytest.approx(collided(other, one).clearance_mm, abs=2 * MM)


@settings(max_examples=10)
@given(poses())
def test_a_motion_of_both_changes_nothing(pose: Pose) -> None:
    before = collided(small(14, 3, 2), box())
    after = collided(small(14, 3, 2).moved(pose), box().moved(pose))
    assert after.depth_mm == pytest.approx(before.depth_mm, abs=2 * MM)
    assert after.contained == before.contained


def test_an_open_or_inside_out_body_is_refused() -> None:
    with pytest.raises(StepFailed, match="There is a hole: the second body has 3 open"):
        collided(small(0), holed(box()))
    with pytest.raises(StepFailed, match=r"inside out: the first body has a volume of -64\.000 mm"):
        collided(inside_out(small(0)), box())


def test_two_patient_spaces_are_not_mixed() -> None:
    with pytest.raises(Mismatch, match="different patient spaces"):
        collided(box(SMALL, frame=ELSEWHERE), box())


def test_a_contained_body_has_the_place_of_its_depth_and_of_its_clearance() -> None:
    found = collided(small(9.0), box())
    assert found.contained
    assert found.near_lps is not None
    deep, near = TILTED.inverse.apply(found.at_lps), TILTED.inverse.apply(found.near_lps)
    assert abs(near[2]) == pytest.approx(2, abs=1e-3)
    assert abs(deep[2]) < 0.05
    assert found.volume_mm3 == pytest.approx(64, rel=1e-5)


def test_a_body_meant_to_sit_inside_tells_how_far_it_reaches_out() -> None:
    meant = Collide(**REFS, meant="inside")
    found = meant.run(Work(), small(15 - 1.5 + 2), box())
    assert found.out_mm == pytest.approx(4 - 1.5, abs=MM)
    assert found.out_lps is not None
    assert TILTED.inverse.apply(found.out_lps)[0] == pytest.approx(17.5, abs=1e-3)
    assert found.volume_mm3 == pytest.approx(1.5 * 16, rel=1e-4)
    assert meant.run(Work(), small(0), box()).out_mm == 0
    assert collided(small(0), box()).out_mm is None


def test_collisions_of_the_first_version_are_read() -> None:
    assert Collide.upgrade(1, {"a": "screw", "b": "bone"}) == {"a": "screw", "b": "bone"}


@pytest.mark.parametrize("seed", range(5))
def test_the_margin_of_a_resection_is_that_to_the_kerf(seed: int) -> None:
    """Row 28: a round tumour in a block, cut beside it; what lies between is specimen, without the kerf."""
    chance = np.random.default_rng(seed)
    normal = chance.normal(size=3)
    normal /= np.linalg.norm(normal)
    margin, kerf, radius = chance.uniform(1, 5), 1.2, 3.0
    bone = box((40.0, 40.0, 40.0), Pose.of_shift(CENTRE))
    tumour = ball(radius, rings=64)
    plane = Plane(vec3(np.asarray(CENTRE) + (radius + margin + kerf / 2) * normal), vec3(normal))
    sides = Cut(part=Ref("bone"), plane=plane, kerf=kerf, kerf_side="both").run(Work(), bone)
    found = collided(tumour, sides["kerf"])
    assert found.clearance_mm == pytest.approx(margin, abs=0.02)
    assert found.near_lps is not None
    assert normal @ (np.asarray(found.near_lps) - CENTRE) == pytest.approx(radius, abs=margin + 0.02)
    specimen = next(one for one in (sides["a"], sides["b"]) if collided(tumour, one).contained)
    assert collided(tumour, specimen).clearance_mm == pytest.approx(margin, abs=0.02)
