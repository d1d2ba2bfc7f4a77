"""What is seen of a plan, read as text."""

from dataclasses import replace

import numpy as np
import pytest

from surgiplan.errors import NeedsHand, StepFailed
from surgiplan.ops import OPERATIONS
from surgiplan.ops.landmarks import NameLandmarks
from surgiplan.ops.place_implant import PlaceImplant
from surgiplan.ops.plan_screw import PlanScrew
from surgiplan.ops.source import Source
from surgiplan.plan.plan import Plan
from surgiplan.scene import LineMark, PlaneMark, PointMark, PoseMark, Surface, View, describe
from surgiplan.scene.shapes import _LOOKED_AT, IVORY, METAL, PALETTE, SAW, colours_of
from surgiplan.values import IDENTITY, GapMap, Landmarks, Measurement, Part, Places, Plane, Pose, digest

from .steps import (
    Failed,
    Gap,
    Mirror,
    Ready,
    Ref,
    Ruler,
    Saw,
    Shape,
    Shift,
    Stale,
    Waiting,
    box,
    cost_of,
    small_case,
    torus,
)

PLAN, RESULTS = small_case()
VIEW = View.of(PLAN, RESULTS)


def names(view: View = VIEW, plan: Plan = PLAN, **changed: object) -> list[str]:
    return [item.name for item in describe(plan, {**RESULTS, **changed}, view).items]


def surface(name: str, view: View = VIEW, plan: Plan = PLAN, **changed: object) -> Surface:
    scene = describe(plan, {**RESULTS, **changed}, view)
    return next(s for s in scene.surfaces if s.name == name)


def test_a_scene_as_text() -> None:
    assert describe(PLAN, RESULTS, replace(VIEW, side="RIGHT")).to_text().splitlines() == [
        "surface cut.a, 12 triangles, #EADFC8, opacity 0.66, at (0.0 0.0 0.0)",
        "surface cut.kerf, 12 triangles, #E5484D, opacity 0.75, at (0.0 0.0 0.0)",
        "surface distal, 12 triangles, #56B4E9, at (3.0 0.0 -4.0)",
        "surface screw, 12 triangles, #9FB2C4, at (-14.0 0.0 8.0)",
        "point check, at (-8.0 0.0 8.0), danger, 'screw - cut.a: depth 2.31 mm'",
        "line length, (0.0 0.0 -20.0) - (0.0 0.0 20.0), '40.0 mm, length'",
        "slice axial, H 0.0 mm, slice 16 of 31, 41 x 31 pixels, left R right L top A bottom P,"
        " outline cut.kerf 8",
        "slice coronal, P 0.0 mm, slice 16 of 31, 41 x 31 pixels, left R right L top H bottom F,"
        " outline cut.a 8, outline cut.kerf 8, outline distal 8, outline screw 8, dot check",
        "slice sagittal, L 0.0 mm, slice 21 of 41, 31 x 31 pixels, left A right P top H bottom F,"
        " outline cut.a 8, outline cut.kerf 8, outline distal 8",
        "captions RIGHT | radiological | Research use. Not a medical device",
    ]


def test_describing_is_pure() -> None:
    before = {name: digest(result.value) for name, result in RESULTS.items()}
    first, second = (describe(PLAN, RESULTS, VIEW).to_text() for _ in range(2))
    assert first == second
    assert before == {name: digest(result.value) for name, result in RESULTS.items()}


def test_what_takes_the_place_of_a_shape_hides_it() -> None:
    assert names()[:4] == ["cut.a", "cut.kerf", "distal", "screw"]


def test_a_used_up_shape_comes_back_see_through_while_its_step_is_chosen() -> None:
    bone = surface("bone", replace(VIEW, chosen="bone"))
    assert bone.chosen
    assert bone.opacity < 0.5


def test_a_shape_stays_while_the_step_that_would_use_it_up_has_no_value() -> None:
    assert "bone" in names(cut=Failed(StepFailed("cut: misses")), distal=Failed(StepFailed("cut: misses")))
    assert "bone" in names(cut=Waiting(), distal=Waiting())


def test_a_mirror_image_stands_see_through_beside_its_original() -> None:
    plan = PLAN.add("image", Mirror(part=Ref("distal")))
    image = Part(box((20, -7, -20), (30, 6, 0)))
    assert {"distal", "image"} <= set(names(plan=plan, image=Ready(image)))
    assert surface("image", plan=plan, image=Ready(image)).opacity < 1
    assert surface("distal", plan=plan, image=Ready(image)).opacity == 1


def test_the_operations_that_only_look_at_a_shape_exist() -> None:
    for operation, field in _LOOKED_AT:
        assert OPERATIONS[operation].spec.field(field).takes is Part


def test_a_bone_round_an_implant_is_see_through_unless_the_person_says_otherwise() -> None:
    assert surface("cut.a").opacity < 1
    assert surface("cut.a", VIEW.with_opacity("cut.a", 1.0)).opacity == 1
    assert surface("cut.a", replace(VIEW, hidden=frozenset({"screw"}))).opacity == 1


def test_out_of_date_shapes_are_dimmed_in_space_and_in_slices() -> None:
    stale = Stale(RESULTS["distal"].value)
    scene = describe(PLAN, {**RESULTS, "distal": stale}, VIEW)
    assert [s.name for s in scene.surfaces if s.dimmed] == ["distal"]
    assert [o.name for o in scene.slices["coronal"].outlines if o.dimmed] == ["distal"]
    assert "distal, 12 triangles, #56B4E9, dimmed" in scene.to_text()


def test_hidden_things_leave_space_and_slices() -> None:
    scene = describe(PLAN, RESULTS, replace(VIEW, hidden=frozenset({"cut.kerf", "check", "distal"})))
    assert not {"cut.kerf", "check", "distal"} & {item.name for item in scene.items}
    assert all(o.name not in ("cut.kerf", "distal") for s in scene.slices.values() for o in s.outlines)


def test_colours_depend_on_the_steps_above_alone() -> None:
    colours = colours_of(PLAN)
    assert colours["bone"] == colours["cut.a"] == IVORY
    assert colours["cut.b"] == colours["distal"] == PALETTE[0]
    assert (colours["cut.kerf"], colours["screw"]) == (SAW, METAL)
    longer = colours_of(PLAN.add("more", Shape()).add("again", Shift(part=Ref("screw"))))
    assert {name: longer[name] for name in colours} == colours
    assert longer["more"] == PALETTE[1]
    assert longer["again"] == METAL


def test_the_chosen_step_gets_a_handle_for_each_type_of_parameter() -> None:
    def active(name: str) -> list[object]:
        items = describe(PLAN, RESULTS, replace(VIEW, chosen=name)).items
        return [item for item in items if getattr(item, "active", False)]

    (plane,) = active("cut")
    assert isinstance(plane, PlaneMark)
    assert (plane.step, plane.field, plane.plane) == ("cut", "where", PLAN["cut"].operation.where)
    assert 10.0 < plane.half_extent_mm < 15.0
    (pose,) = active("distal")
    assert isinstance(pose, PoseMark)
    assert pose.centre_lps == pytest.approx((3.0, -0.5, -14.25))
    (seed,) = active("mask")
    assert isinstance(seed, PointMark)
    assert (seed.field, seed.index, seed.at_lps) == ("seed", None, (0.0, 0.0, 1.0))
    ends = active("length")
    assert [p.index for p in ends if isinstance(p, PointMark)] == [0, 1]
    assert active("bone") == []


def test_a_parameter_that_nobody_has_placed_has_no_handle() -> None:
    plan = PLAN.edit("cut", where=None)
    scene = describe(plan, {**RESULTS, "cut": Waiting(NeedsHand("cut: drag"))}, replace(VIEW, chosen="cut"))
    assert not scene.marks[:-2]
    assert "bone" in [s.name for s in scene.surfaces]


def test_the_plane_of_a_failed_cut_is_seen_but_cannot_be_dragged() -> None:
    results = {**RESULTS, "cut": Failed(StepFailed("cut: the plane misses the bone by 12 mm"))}
    marks = [m for m in describe(PLAN, results, VIEW).marks if isinstance(m, PlaneMark)]
    assert [(m.name, m.active) for m in marks] == [("cut:where", False)]


def test_a_plane_leaves_its_line_in_the_slices() -> None:
    scene = describe(PLAN, RESULTS, replace(VIEW, chosen="cut"))
    assert "outline cut:where 1" in scene.slices["coronal"].to_text()
    assert "cut:where" not in scene.slices["axial"].to_text()


def test_the_mask_of_the_chosen_step_is_laid_over_the_slices() -> None:
    assert all(s.overlay is None for s in describe(PLAN, RESULTS, VIEW).slices.values())
    axial = describe(PLAN, RESULTS, replace(VIEW, chosen="mask")).slices["axial"]
    assert axial.overlay is not None
    assert np.array_equal(axial.overlay, axial.pixels > 0)


def test_a_map_of_gaps_hides_the_plain_shape_under_it() -> None:
    body = Part(torus(20, 12))
    gap = np.linspace(-1, 3, len(body.mesh.points), dtype=np.float32)
    plan = Plan().add("limb", Shape()).add("fit", Gap(body=Ref("limb")))
    results = {"limb": Ready(body), "fit": Ready(GapMap(body, gap, 0.5, 1.0, 2.8, 3.0, 0.2))}
    (mapped,) = describe(plan, results, View()).surfaces
    assert mapped.name == "fit"
    assert mapped.scalars is not None
    assert (mapped.scalars.low, mapped.scalars.high, mapped.scalars.unit) == (-3.0, 3.0, "mm")
    apart = {**results, "fit": Ready(GapMap(body, gap + 1, 0.5, 2.0, 1.9, 4.0, 0.2))}
    (mapped,) = describe(plan, apart, View()).surfaces
    assert mapped.scalars is not None
    assert (mapped.scalars.low, mapped.scalars.high) == (0.0, 2.0)


def test_the_body_a_map_is_held_against_is_a_veil_that_does_not_tint_it() -> None:
    body, socket = Part(torus(20, 12)), Part(torus(20, 12, 60.0, 22.0))
    plan = (
        Plan()
        .add("limb", Shape())
        .add("socket", Shape())
        .add("fit", Gap(body=Ref("limb"), against=Ref("socket")))
    )
    gap = GapMap(body, np.full(len(body.mesh.points), 2.0, np.float32), 0.5, 2.0, 2.0, 2.0, 0.0)
    results = {"limb": Ready(body), "socket": Ready(socket), "fit": Ready(gap)}

    def opacity(view: View) -> float:
        return next(s for s in describe(plan, results, view).surfaces if s.name == "socket").opacity

    assert opacity(View()) < 0.2
    assert opacity(View(chosen="socket")) == 1.0
    assert opacity(View().with_opacity("socket", 0.8)) == 0.8
    assert opacity(View(hidden=frozenset({"fit"}))) == 1.0


def test_the_lines_of_an_angle_between_two_lines_are_not_joined() -> None:
    points = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (5.0, 5.0, 0.0), (5.0, 9.0, 0.0))
    value = replace(RESULTS["length"].value, points_lps=points, value=90.0, unit="deg", expected_error=0.4)
    plan = Plan().add("angle", Ruler(points=points))
    (line,) = describe(plan, {"angle": Ready(value)}, View()).marks
    assert line.text == "90.0 ± 0.4°, angle"
    assert line.pairs == ((0, 1), (2, 3))


def test_shapes_without_a_scan_are_cut_along_the_patient() -> None:
    plan = Plan().add("bone", Shape())
    scene = describe(plan, {"bone": Ready(Part(box((0, 0, 0), (10, 20, 40))))}, View(crosshair_lps=(5, 5, 5)))
    assert "left R right L top A bottom P, outline bone 8" in scene.slices["axial"].to_text()
    assert (scene.low_lps, scene.high_lps) == ((0, 0, 0), (10, 20, 40))


def test_a_plan_of_which_nothing_is_known_is_empty_but_safe() -> None:
    scene = describe(PLAN, {}, View())
    assert not scene.items
    assert not scene.slices
    assert scene.to_text() == "captions radiological | Research use. Not a medical device"


def test_the_patient_is_named_only_when_asked() -> None:
    assert "Doe" not in describe(PLAN, RESULTS, VIEW).to_text()
    assert "Doe" in describe(PLAN, RESULTS, replace(VIEW, patient="Doe^Jane")).to_text()


def test_a_drag_frame_of_60_steps_costs_little() -> None:
    plan, results = Plan(), {}
    body = torus(100, 100)
    for n in range(30):
        pose = Pose.of_shift((0.0, 0.0, 3.0 * n))
        plan = plan.add(f"body{n}", Shape()).add(f"moved{n}", Shift(part=Ref(f"body{n}"), motion=pose))
        results[f"body{n}"], results[f"moved{n}"] = Ready(Part(body)), Ready(Part(body, pose))
    view = View(chosen="moved7")
    describe(plan, results, view)

    def frame(n: int) -> None:
        pose = Pose.of_rotation((1, 1, 0), 2.0 * n + 1)
        moved = plan.edit("moved7", motion=pose)
        moved.keys()
        describe(moved, {**results, "moved7": Ready(Part(body, pose))}, view)

    assert cost_of(frame, goal=0.005) < 0.005


def test_a_cut_plane_that_misses_still_has_a_square() -> None:
    plan = Plan().add("bone", Shape()).add("cut", Saw(part=Ref("bone"), where=Plane((0, 0, 500), (0, 0, 1))))
    results = {"bone": RESULTS["bone"], "cut": Failed(StepFailed("cut: misses"))}
    (mark,) = describe(plan, results, View()).marks
    assert isinstance(mark, PlaneMark)
    assert mark.half_extent_mm == pytest.approx(10.0)


def test_a_planned_screw_stands_in_its_bone_and_is_of_metal() -> None:
    plan = (
        Plan()
        .add("vertebra", Source(digest="d", kind="part"))
        .add("marks", NameLandmarks(template="pedicle", side="right"))
        .add("trajectory", PlanScrew(bone=Ref("vertebra"), landmarks=Ref("marks")))
        .add("screw", PlaceImplant(item="pedicle-5.5x45", by=Ref("trajectory", "pose")))
    )
    plane = Plane((1.0, 2.0, 3.0), (0.0, 0.0, 1.0))
    bone = Part(box((0, 0, 0), (4, 5, 6)))
    results = {
        "vertebra": Ready(bone),
        "trajectory": Ready({"screw": Part(box((0, 0, 0), (4, 5, 6))), "pose": IDENTITY, "cut": plane}),
        "screw": Ready(Part(box((0, 0, 0), (4, 5, 6)))),
    }
    seen = {one.name: one for one in describe(plan, results, View(chosen="trajectory")).surfaces}
    assert set(seen) == {"vertebra", "trajectory.screw", "screw"}
    assert seen["trajectory.screw"].colour == seen["screw"].colour == METAL
    assert seen["trajectory.screw"].opacity == 1.0
    assert seen["vertebra"].opacity < 1.0
    marks = [m for m in describe(plan, results, View(chosen="trajectory")).marks if isinstance(m, PlaneMark)]
    assert [(m.plane, m.active) for m in marks] == [(plane, False)]
    assert not [m for m in describe(plan, results, View()).marks if isinstance(m, PlaneMark)]


def test_numbers_side_by_side_share_one_mark_that_tells_each_definition() -> None:
    line, other = ((0.0, 0.0, 0.0), (0.0, 0.0, 9.0)), ((5.0, 0.0, 0.0), (5.0, 5.0, 0.0), (9.0, 5.0, 0.0))
    one = Measurement(12.0, "deg", "the one way", lines_lps=(line, other), id="x.one", sign="positive up")
    two = Measurement(9.5, "deg", "the other way", lines_lps=(line,), expected_error=1.5)
    plan = Plan().add("angles", Ruler())
    scene = describe(plan, {"angles": Ready({"one": one, "two": two})}, View())
    (mark,) = [mark for mark in scene.marks if isinstance(mark, LineMark)]
    assert mark.text == "angles\n one 12.0°\n two 9.5 ± 1.5°"
    assert mark.about == "x.one 12.0°: the one way; positive up\n9.5 ± 1.5°: the other way"
    assert mark.points_lps == (*line, *other)
    assert mark.pairs == ((0, 1), (2, 3), (3, 4))
    assert mark.dotted == mark.pairs
    assert mark.middle_lps == line[1]


def test_an_angle_has_its_arc_first_without_dots_and_its_label_there() -> None:
    points = ((10.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 10.0, 0.0))
    value = replace(RESULTS["length"].value, points_lps=points, value=90.0, unit="deg")
    (mark,) = describe(Plan().add("angle", Ruler(points=points)), {"angle": Ready(value)}, View()).marks
    assert mark.arcs == 1
    assert mark.points_lps[-3:] == points
    assert {mark.points_lps[n] for pair in mark.dotted for n in pair} == set(points)
    assert np.allclose(mark.middle_lps, (3 * 0.5**0.5, 3 * 0.5**0.5, 0))


def test_landmarks_are_dots_and_have_their_names_while_their_step_is_chosen() -> None:
    at = Landmarks(Places({"head_centre": (1.0, 2.0, 3.0)}), "femur", "left")
    clicked = Places({"head_centre": (9.0, 9.0, 9.0)})
    plan, results = Plan().add("marks", NameLandmarks(points=clicked)), {"marks": Ready(at)}
    for chosen, text, field in (("", "", ""), ("marks", "head centre", "points")):
        scene = describe(plan, results, View(chosen=chosen or None))
        (mark,) = [mark for mark in scene.marks if isinstance(mark, PointMark)]
        assert (mark.name, mark.at_lps, mark.text, mark.field) == (
            "marks:head_centre",
            (1.0, 2.0, 3.0),  # where it was drawn to, not where it was clicked
            text,
            field,
        )
