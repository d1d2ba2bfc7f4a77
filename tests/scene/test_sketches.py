"""A sketch of what a tool will take, of the chosen step, until it is computed."""

from dataclasses import replace

import pytest

from surgiplan.ops.cut import Cut
from surgiplan.ops.drill import Drill
from surgiplan.ops.reach import Reach
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.scene import View, describe
from surgiplan.scene.items import Surface
from surgiplan.session import Ready, Stale, Waiting
from surgiplan.values import Part, Plane
from tests.scene.steps import Shape, box

BONE = Part(box((-10, -7, -20), (10, 6, 20)))
PLAN = (
    Plan().add("bone", Shape()).add("saw", Cut(part=Ref("bone"), plane=Plane((0, 0, 3), (0, 0, 1)), kerf=1.0))
)
VIEW = View(chosen="saw")


def sketched(plan: Plan, results, view: View = VIEW) -> list[Surface]:
    return [one for one in describe(plan, results, view).surfaces if ".sketch" in one.name]


@pytest.mark.parametrize("state", [Waiting(), Stale({"a": BONE, "b": BONE, "kerf": BONE})])
def test_what_the_saw_will_take_is_seen_before_it_is_sawn(state) -> None:
    (slab,) = sketched(PLAN, {"bone": Ready(BONE), "saw": state})
    assert (slab.name, slab.colour, slab.opacity) == ("saw.sketch0", "#E5484D", 0.45)
    assert slab.mesh.bounds[:, 2] == pytest.approx([2.5, 3.5])
    low, high = slab.mesh.bounds
    assert (low[:2] <= BONE.mesh.bounds[0][:2]).all()
    assert (high[:2] >= BONE.mesh.bounds[1][:2]).all()


def test_it_follows_a_drag_and_is_seen_in_the_slices() -> None:
    moved = PLAN.edit("saw", plane=Plane((0, 0, -8), (0, 0, 1)))
    results = {"bone": Ready(BONE), "saw": Stale({"a": BONE, "b": BONE, "kerf": BONE})}
    (slab,) = sketched(moved, results)
    assert slab.mesh.bounds[:, 2] == pytest.approx([-8.5, -7.5])
    scene = describe(moved, results, VIEW)
    assert any(line.name == "saw.sketch0" for line in scene.slices["coronal"].outlines)


def test_it_goes_when_the_result_is_there_or_another_step_is_chosen() -> None:
    done = {"bone": Ready(BONE), "saw": Ready({"a": BONE, "b": BONE, "kerf": BONE})}
    assert sketched(PLAN, done) == []
    assert sketched(PLAN, {"bone": Ready(BONE), "saw": Waiting()}, replace(VIEW, chosen="bone")) == []
    assert sketched(PLAN, {"bone": Ready(BONE), "saw": Waiting()}, replace(VIEW, chosen=None)) == []


def test_without_a_bone_or_a_plane_there_is_nothing_to_draw() -> None:
    assert sketched(PLAN, {"bone": Waiting(), "saw": Waiting()}) == []
    assert sketched(PLAN.edit("saw", plane=None), {"bone": Ready(BONE), "saw": Waiting()}) == []


def test_what_cannot_be_is_not_drawn() -> None:
    """Both points of the drill are the same: the step will say so."""
    plan = Plan().add("bone", Shape()).add("hole", Drill(part=Ref("bone"), points=((0, 0, 0), (0, 0, 0))))
    assert sketched(plan, {"bone": Ready(BONE), "hole": Waiting()}, View(chosen="hole")) == []


def test_bodies_that_a_tool_is_swept_against_stay_in_sight() -> None:
    sweep = Reach(bodies=(Ref("bone"),), points=((0, 0, 20), (0, 0, 0)), kind="drill")
    plan = Plan().add("bone", Shape()).add("clear", sweep)
    scene = describe(plan, {"bone": Ready(BONE), "clear": Ready({"tool": BONE})}, View())
    assert scene.surfaces[0].name == "bone"


def test_results_that_were_renamed_are_not_drawn_under_their_old_name() -> None:
    renamed = PLAN.edit("saw", name_a="head")
    results = {"bone": Ready(BONE), "saw": Stale({"a": BONE, "b": BONE, "kerf": BONE})}
    names = [one.name for one in describe(renamed, results, VIEW).surfaces]
    assert "saw.a" not in names
    assert "saw.b" in names
