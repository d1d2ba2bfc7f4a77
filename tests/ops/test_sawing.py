"""What the operations that saw and drill have in common, and what each of them promises."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from surgiplan.errors import NeedsHand, StepFailed, Usage
from surgiplan.ops.craniotomy import Craniotomy
from surgiplan.ops.cut import Cut
from surgiplan.ops.cut_path import CutPath
from surgiplan.ops.drill import Drill
from surgiplan.ops.reach import Reach
from surgiplan.ops.resect import Resect
from surgiplan.ops.wedge import Wedge
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Operation, Ref, operation
from surgiplan.plan.plan import Plan, Step
from surgiplan.plan.work import Work
from surgiplan.values import Collision, Part, Plane, Pose, Vec3, vec3
from tests.ops.shapes import FRAME, TILTED, box, joined

REF = Ref[Part]("bone")
BLOCK = box((60.0, 30.0, 20.0))


@operation("given")
class Given(Operation[Part]):
    """A bone."""


def at(x: float, y: float, z: float) -> Vec3:
    """A place in the own coordinates of the block, whose middle is their origin."""
    return vec3(TILTED.apply((x, y, z)))


def across(x: float, normal: Vec3 = (1, 0, 0)) -> Plane:
    return Plane((x, 0, 0), normal).moved(TILTED)


OPERATIONS: list[Operation[Any]] = [
    Cut(part=REF, plane=across(3.0), kerf=0.8, name_a="proximal", name_b="distal"),
    Resect(part=REF, inside=at(1, 0, 0), plane=across(-8), second=across(9, (-1, 0.2, 0)), kerf=1.1),
    CutPath(
        part=REF,
        points=(at(-4, -17, 10), at(-4, 0, 10), at(5, 0, 10), at(5, 17, 10)),
        towards=at(0.5, 0, -10),
        depth=22,
    ),
    CutPath(part=REF, points=(at(-4, 3, 10), at(9, 1, 10)), towards=at(2.5, 2, -10), depth=7, kind="slot"),
    Craniotomy(
        part=REF,
        points=(at(-9, -6, 10), at(8, -6, 10), at(8, 7, 10), at(-9, 7, 10)),
        direction="mean",
        curve="straight",
        depth=22,
        bevel=5,
    ),
    Wedge(part=REF, hinge=(at(0, -20, -7), at(0, 20, -7)), cortex=at(0, 0, 10), moving=at(20, 0, 0), angle=8),
    Wedge(
        part=REF,
        hinge=(at(0, -20, -7), at(0, 20, -7)),
        cortex=at(0, 0, 10),
        moving=at(20, 0, 0),
        kind="closing",
    ),
    Drill(part=REF, points=(at(5, 3, 10), at(5, 3, -2)), diameter=3.5),
    Drill(part=REF, points=(at(-31, 0, 0), at(10, 0, 0)), kind="ream", diameter=9),
    Drill(part=REF, points=(at(-10, 0, 10), at(10, 5, 10)), kind="burr", diameter=6),
]
each = pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda one: f"{one.spec.name}-{getattr(one, 'kind', '')}"
)


def pieces_of(operation: Operation[Any], body: Part = BLOCK) -> dict[str, Any]:
    found = operation.run(Work(), body)
    assert isinstance(found, Mapping)
    return dict(found)


@each
def test_nothing_is_lost_and_all_is_closed(operation: Operation[Any]) -> None:
    found = pieces_of(operation)
    parts = {name: one for name, one in found.items() if isinstance(one, Part)}
    assert sum(one.mesh.volume_mm3 for one in parts.values()) == pytest.approx(36000, rel=1e-9)
    assert all(one.mesh.watertight and one.mesh.volume_mm3 > 0 for one in parts.values())
    assert {one.frame_uid for one in parts.values()} == {FRAME}


@each
def test_results_have_the_names_that_are_told(operation: Operation[Any]) -> None:
    found = pieces_of(operation)
    told = operation.outputs()
    assert list(found) == list(told)
    assert all(isinstance(found[name], told[name]) for name in found)


@each
def test_a_sketch_shows_what_will_be_taken(operation: Operation[Any]) -> None:
    """The body the saw takes lies in what was drawn before."""
    drawn = operation.sketch(BLOCK)
    assert drawn
    low = np.min([one.bounds_lps[0] for one in drawn], axis=0)
    high = np.max([one.bounds_lps[1] for one in drawn], axis=0)
    found = pieces_of(operation)
    taken = found.get("kerf", found.get("removed"))
    corners = taken.points_lps
    if operation.spec.name != "wedge":  # there the slab ends a little beyond the lever
        assert (corners > low - 1e-3).all()
        assert (corners < high + 1e-3).all()
    assert all(one.mesh.watertight and one.mesh.volume_mm3 > 0 for one in drawn)


@each
def test_without_its_points_it_waits_for_a_hand(operation: Operation[Any]) -> None:
    cls = type(operation)
    assert cls(part=REF).sketch(BLOCK) == ()
    with pytest.raises(NeedsHand):
        run_step(Step("x", cls(part=REF)), {"part": BLOCK}, Work())


def test_one_point_is_not_enough() -> None:
    with pytest.raises(NeedsHand, match="x: 1 of 2 points are placed: click the path"):
        CutPath(part=REF, points=(at(0, 0, 0),), towards=at(0, 0, -9)).require_placed("x")
    with pytest.raises(NeedsHand, match="x: 2 of 3 points are placed"):
        Craniotomy(part=REF, points=(at(0, 0, 0), at(3, 0, 0))).require_placed("x")
    with pytest.raises(NeedsHand, match="x: 1 of 2 points are placed: click where the ream ends"):
        Drill(part=REF, points=(at(0, 0, 0),), kind="ream").require_placed("x")
    Drill(part=REF, points=(at(0, 0, 0),), kind="burr").require_placed("x")


def test_pieces_are_referred_to_by_the_names_they_were_given() -> None:
    plan = (
        Plan().add("bone", Given()).add("saw", Cut(part=REF, plane=across(0), name_a="head", name_b="neck"))
    )
    assert plan.add("again", Cut(part=Ref("saw", "head"))).names
    with pytest.raises(Usage, match=r"that step gives saw\.head or saw\.neck or saw\.kerf"):
        plan.add("again", Cut(part=Ref("saw", "a")))


@pytest.mark.parametrize(
    ("names", "words"),
    [({"name_a": "kerf"}, "two pieces have one name"), ({"name_b": "a b"}, "'a b' cannot name a piece")],
)
def test_names_are_plain_and_differ(names: dict[str, str], words: str) -> None:
    with pytest.raises(Usage, match=words):
        Cut(part=REF, **names)  # type: ignore[arg-type]


def test_a_piece_is_not_called_like_a_figure() -> None:
    with pytest.raises(Usage, match="a piece cannot be called gap"):
        Wedge(part=REF, name_moved="gap")


# --- resect


def test_a_segment_between_two_planes() -> None:
    """From x = -8 to 9, the second plane leaning: 17 x 30 x 20 mm; the rest loses the kerf."""
    segment = Resect(part=REF, inside=at(0, 0, 0), plane=across(-8), second=across(9, (1, 0.3, 0)), kerf=1.0)
    found = pieces_of(segment)
    assert found["piece"].mesh.volume_mm3 == pytest.approx(17 * 600, rel=1e-5)
    assert found["kerf"].mesh.volume_mm3 == pytest.approx(600 + 600 * math.hypot(1, 0.3), rel=1e-5)


def test_a_box_between_six_planes_and_a_wedge_between_two() -> None:
    sides = {"plane": across(-5), "second": across(5)}
    for name, normal in (
        ("third", (0, 1, 0)),
        ("fourth", (0, -1, 0)),
        ("fifth", (0, 0, 1)),
        ("sixth", (0, 0, -1)),
    ):
        sides[name] = Plane(tuple(4.0 * n for n in normal), normal).moved(TILTED)
    found = pieces_of(Resect(part=REF, inside=at(0, 0, 0), kerf=0.5, kerf_side="piece", **sides))  # type: ignore[arg-type]
    assert found["piece"].mesh.volume_mm3 == pytest.approx(9 * 7 * 7, rel=1e-4)
    assert found["kerf"].mesh.volume_mm3 == pytest.approx(10 * 8 * 8 - 9 * 7 * 7, rel=1e-4)
    wedge = pieces_of(
        Resect(
            part=REF, inside=at(0, 0, 9), plane=across(0, (1, 0, 1)), second=across(0, (-1, 0, 1)), kerf=0.0
        )
    )
    assert wedge["piece"].mesh.volume_mm3 == pytest.approx(10 * 10 * 30, rel=1e-5)
    assert not len(wedge["kerf"].mesh.triangles)


def test_only_what_hangs_together_with_the_point_is_taken() -> None:
    """Two rami side by side: the planes run through both, one is sawn."""
    two = joined(box((10, 10, 60)), box((10, 10, 60), Pose.of_shift((0, 40, 0)).after(TILTED)))
    planes = {
        "plane": Plane((0, 0, -9), (0, 0, 1)).moved(TILTED),
        "second": Plane((0, 0, 9), (0, 0, 1)).moved(TILTED),
    }
    found = pieces_of(Resect(part=REF, inside=at(0, 0, 0), **planes), two)  # type: ignore[arg-type]
    assert found["piece"].mesh.volume_mm3 == pytest.approx(1800, rel=1e-5)
    assert found["kerf"].mesh.volume_mm3 == pytest.approx(200, rel=1e-4)
    assert found["rest"].mesh.volume_mm3 == pytest.approx(12000 - 2000, rel=1e-5)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"plane": across(40)}, r"Plane 1 misses the body by 10\.000 mm"),
        ({"plane": across(-8), "second": across(0.2)}, r"Plane 2 passes 0\.200 mm from the point"),
    ],
)
def test_a_resection_that_cannot_be(fields: dict[str, Plane], words: str) -> None:
    with pytest.raises(StepFailed, match=words):
        pieces_of(Resect(part=REF, inside=at(0, 0, 0), kerf_side="piece", **fields))  # type: ignore[arg-type]


# --- reach


def test_a_tool_is_swept_against_each_body() -> None:
    """A drill of 4 mm goes 2 mm beyond the block, into what lies 1 mm under it."""
    drill = Drill(part=REF, points=(at(0, 0, 10), at(0, 0, -14)), diameter=5, tip_angle=180)
    chips = pieces_of(drill)["removed"]
    nerve = box((60, 30, 5), Pose.of_shift(TILTED.rotation @ (0, 0, -13.5)).after(TILTED))
    sweep = Reach(
        bodies=(Ref("bone"), Ref("scan", "nerve")),
        spared=Ref("hole", "removed"),
        points=(at(0, 0, 10), at(0, 0, -12)),
        kind="drill",
        thickness=4,
        tip_angle=180,
    )
    assert list(sweep.outputs()) == ["tool", "bone", "scan-nerve"]
    found = sweep.run(Work(), bodies=(BLOCK, nerve), spared=chips)
    assert found["bone"] == Collision(
        0.0, found["bone"].clearance_mm, False, found["bone"].at_lps, found["bone"].error_mm
    )
    assert found["bone"].clearance_mm == pytest.approx(0.5, abs=0.01)
    assert found["scan-nerve"].depth_mm == pytest.approx(1.0, abs=0.02)
    assert sweep.sketch((BLOCK, nerve), chips)[0].mesh.digest == found["tool"].mesh.digest


def test_a_saw_needs_a_direction_and_bodies() -> None:
    saw = Reach(bodies=(Ref("bone"),), points=(at(0, 0, 10), at(9, 0, 10)))
    with pytest.raises(NeedsHand, match="towards is not placed yet"):
        saw.require_placed("x")
    with pytest.raises(StepFailed, match="choose bodies"):
        Reach(bodies=(), points=saw.points, towards=at(4, 0, -9)).run(Work(), (), None)


def test_what_a_correction_has_solved_leaves_hinge_and_angle_by_hand_without_a_say() -> None:
    solved = Wedge(part=Ref("b"), solved=Ref("solution", "wedge"), turn=Ref("solution", "angle"))
    hidden = {field.name for field in solved.spec.fields if not solved.matters(field.name)}
    assert hidden == {"hinge", "cortex", "moving", "angle", "gap"}
    assert all(Wedge(part=Ref("b")).matters(field.name) for field in solved.spec.fields)
