"""Two plans beside each other: which step became what, and what came of it."""

from typing import Any

from surgiplan.difference import Difference, between
from surgiplan.ops import OPERATIONS
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.values import Bits, Label, Measurement, Plane, Pose, figures
from tests.ops.shapes import ball


def made(name: str, **parameters: Any) -> Any:
    return OPERATIONS[name](**parameters)


PLAN = (
    Plan()
    .add("ct", made("source", digest="0" * 32, kind="volume"))
    .add("mask", made("threshold", volume=Ref("ct"), low=226.0))
    .add("bone", made("surface", volume=Ref("ct"), mask=Ref("mask")))
    .add("saw", made("cut", part=Ref("bone"), plane=Plane((0, 0, 0), (0, 0, 1))))
    .add("size", made("measure", kind="volume", part=Ref("saw", "a")))
)


def differing(a: Plan, b: Plan, known_a: Any = None, known_b: Any = None) -> Difference:
    return between(a, b, known_a or {}, known_b or {})


def told(found: Difference) -> list[tuple[str, str, str]]:
    return [
        (step.kind, step.name, "; ".join(f"{c.what} {c.text}" for c in step.changes)) for step in found.steps
    ]


def renamed(plan: Plan, old: str, new: str) -> Plan:
    """The plan with another name for a step, in all that refers to it."""
    made_ = Plan()
    for step in plan.steps:
        given = {
            field: Ref(new, refs[0].output) for field, refs in step.references.items() if refs[0].step == old
        }
        name = new if step.name == old else step.name
        made_ = made_.add(name, type(step.operation)(**{**vars(step.operation), **given}))
    return made_


def test_equal_plans_have_no_difference() -> None:
    found = differing(PLAN, PLAN)
    assert found.lines == ("The plans are the same.",)
    assert found.data == {"same": True, "steps": [], "unknown": []}


def test_added_and_removed_steps() -> None:
    more = PLAN.add("other", made("threshold", volume=Ref("ct"), low=500.0))
    assert told(differing(PLAN, more)) == [("added", "other", "")]
    assert told(differing(more, PLAN)) == [("removed", "other", "")]
    assert differing(more, PLAN).lines == ("other (threshold) removed",)


def test_a_renamed_step_is_not_another_and_what_refers_to_it_has_not_changed() -> None:
    found = differing(PLAN, renamed(PLAN, "bone", "femur"))
    assert told(found) == [("renamed", "femur", "")]
    assert found.steps[0].title == "femur (surface) renamed, was bone"
    assert found.unknown == ()


def test_a_renamed_step_is_found_below_a_change() -> None:
    now = renamed(PLAN, "bone", "femur").edit("mask", low=300.0)
    assert told(differing(PLAN, now)) == [
        ("changed", "mask", "low +74.00 HU (226.00 -> 300.00)"),
        ("renamed", "femur", ""),
    ]


def test_another_operation_of_the_same_name_is_another_step() -> None:
    now = PLAN.remove("size").add(
        "size", made("mirror", part=Ref("saw", "a"), plane=Plane((0, 0, 0), (1, 0, 0)))
    )
    assert told(differing(PLAN, now)) == [("added", "size", ""), ("removed", "size", "")]


def test_every_kind_of_parameter_has_its_words() -> None:
    now = PLAN.edit("saw", plane=Plane((0, 0, 1.8), (0, 0, 1)), kerf=1.27, kerf_side="a")
    assert told(differing(PLAN, now)) == [
        (
            "changed",
            "saw",
            "plane moved 1.8 mm / 0.0 degrees (towards superior); kerf +0.27 mm (1.00 -> 1.27); "
            "kerf side both -> a",
        )
    ]
    placed = PLAN.edit("saw", plane=None)
    assert told(differing(placed, PLAN))[0][2] == "plane was placed"
    assert told(differing(PLAN, placed))[0][2] == "plane is not placed any more"
    painted = PLAN.add("brush", made("paint", mask=Ref("mask")))
    more = painted.edit("brush", added=Bits.of([[0, 0, 1], [0, 0, 2]]))
    assert "added 2 voxels more, 0 fewer" in told(differing(painted, more))[0][2]
    other = PLAN.edit("size", part=Ref("saw", "b"))
    assert told(differing(PLAN, other))[0][2] == "part made from saw.b instead of saw.a"
    data = PLAN.edit("ct", digest="1" * 32)
    assert "other data" in told(differing(PLAN, data))[0][2]


def test_notes_and_labels_are_told_and_change_no_result() -> None:
    now = PLAN.annotate("saw", note="spare the nerve", label=Label(title="First cut"))
    found = differing(PLAN, now)
    assert told(found) == [
        ("changed", "saw", "label title none -> First cut; note now says 'spare the nerve'")
    ]
    assert found.unknown == ()


def known(radius: float, volume: float, definition: str = "enclosed volume") -> dict[str, Any]:
    part = ball(radius)
    return {
        "saw": figures({"a": part, "b": part}) | {"digest": str(radius)},
        "size": figures(Measurement(volume, "mm3", definition)),
    }


def test_consequences_have_units_and_definitions() -> None:
    now = PLAN.edit("saw", kerf=2.0)
    found = differing(PLAN, now, known(10, 4000.0), known(11, 4250.5))
    saw, size = found.steps
    assert (saw.kind, size.kind) == ("changed", "follows")
    assert size.title == "size (measure) has another result"
    assert [f"{c.what} {c.text}" for c in size.results] == [
        "size +250.50 mm³ (4000.00 -> 4250.50): enclosed volume"
    ]
    assert size.results[0].numbers["change"] == 250.5
    volume = next(c for c in saw.results if c.what == "saw.a volume")
    before, after = ball(10).mesh.volume_mm3 / 1000, ball(11).mesh.volume_mm3 / 1000
    assert volume.numbers["change"] == after - before
    assert volume.text == f"+{after - before:.2f} cm³ ({before:.2f} -> {after:.2f})"
    assert found.unknown == ()


def test_unlike_definitions_are_not_compared() -> None:
    now = PLAN.edit("saw", kerf=2.0)
    found = differing(PLAN, now, known(10, 4000.0), known(10, 17.0, "sum of the areas"))
    (change,) = found.steps[1].results
    assert change.text == ("not compared: its definition was enclosed volume and is sum of the areas")
    assert "change" not in change.numbers


def test_what_was_not_computed_is_said() -> None:
    found = differing(PLAN, PLAN.edit("saw", kerf=2.0), known(10, 1.0), {})
    assert found.unknown == ("saw", "size")
    assert found.lines[-1] == "Consequences are not known for saw, size: not computed in both."


def test_a_pose_is_told_at_the_middle_of_what_was_made() -> None:
    part = ball(10, (100, 0, 0))
    plan = PLAN.add("moved", made("move", part=Ref("saw", "a")))
    now = plan.edit("moved", pose=Pose.of_rotation((0, 0, 1), 10, (100, 0, 0)))
    (step,) = differing(plan, now, {"moved": figures(part)}, {"moved": figures(part)}).steps
    assert step.changes[0].text == "turned 10.0 degrees about the superior-inferior axis"
