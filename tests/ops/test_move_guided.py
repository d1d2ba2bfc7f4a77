import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.algorithms.motion import Guide, ways_on
from surgiplan.errors import NeedsHand, StepFailed
from surgiplan.ops.move_guided import MoveGuided
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Part, Plane, Vec3
from tests.ops.shapes import CENTRE, box

REF = Ref[Part]("fragment")
GUIDE = Plane((12.0, -30.0, 44.0), (0.3, -0.5, 0.8))
numbers = st.floats(-90, 90)


def moved(kind: Guide, guide: Plane = GUIDE, shift: float = 0, across: float = 0, angle: float = 0) -> Part:
    step = MoveGuided(part=REF, kind=kind, guide=guide, shift=shift, across=across, angle=angle)
    return step.run(Work(), box())


@settings(max_examples=25)
@given(numbers, numbers)
def test_along_an_axis_each_point_keeps_its_distance_from_it(shift: float, angle: float) -> None:
    after = moved("axis", shift=shift, angle=angle)
    radii = [
        np.linalg.norm(np.cross(part.points_lps - GUIDE.point, GUIDE.normal), axis=1)
        for part in (box(), after)
    ]
    assert np.allclose(radii[0], radii[1], atol=1e-8)
    assert np.allclose(GUIDE.distance(after.points_lps) - GUIDE.distance(box().points_lps), shift, atol=1e-8)


@settings(max_examples=25)
@given(numbers)
def test_a_hinge_holds_its_axis_and_turns_by_the_angle(angle: float) -> None:
    after = moved("hinge", angle=angle)
    motion = after.pose.after(box().pose.inverse)
    on_it = np.asarray(GUIDE.point) + np.outer((-20, 0, 55), GUIDE.normal)
    assert np.allclose(motion.apply(on_it), on_it, atol=1e-8)
    assert motion.degrees == pytest.approx(abs(angle), abs=1e-6)


@settings(max_examples=25)
@given(numbers, numbers, numbers)
def test_on_a_plane_the_height_stays(shift: float, across: float, angle: float) -> None:
    after = moved("plane", shift=shift, across=across, angle=angle)
    assert np.allclose(GUIDE.distance(after.points_lps), GUIDE.distance(box().points_lps), atol=1e-8)


@pytest.mark.parametrize(
    ("normal", "first", "second"),
    [
        ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
        ((0, 1, 0), (1, 0, 0), (0, 0, -1)),
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ],
)
def test_a_shift_on_a_plane_goes_to_the_left(normal: Vec3, first: Vec3, second: Vec3) -> None:
    plane = Plane(CENTRE, normal)
    assert np.allclose(ways_on(plane), (first, second))
    after = moved("plane", plane, shift=3.0, across=2.0)
    expected = 3 * np.asarray(first) + 2 * np.asarray(second)
    assert np.allclose(after.points_lps - box().points_lps, expected, atol=1e-9)


def test_what_a_guide_holds_is_refused() -> None:
    for kind, fields in (("hinge", {"shift": 2.0}), ("hinge", {"across": 1.0}), ("axis", {"across": 1.0})):
        with pytest.raises(StepFailed, match=rf"This guide \({kind}\) lets no shift .* choose another guide"):
            moved(kind, **fields)  # type: ignore[arg-type]


def test_an_empty_guide_asks_for_a_hand() -> None:
    with pytest.raises(NeedsHand, match="lay the axis, the hinge or the plane"):
        run_step(Step("slid", MoveGuided(part=REF)), {"part": box()}, Work())


def test_numbers_that_the_guide_holds_are_hidden_while_they_are_0() -> None:
    for kind, shown in (("axis", {"shift"}), ("hinge", set()), ("plane", {"shift", "across"})):
        free = MoveGuided(part=REF, kind=kind)
        assert {name for name in ("shift", "across") if free.matters(name)} == shown
        assert free.matters("angle")
    held = MoveGuided(part=REF, kind="hinge", shift=3.0)
    assert held.matters("shift"), "so that it can be set to 0"
