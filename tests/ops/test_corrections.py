"""The operations that solve corrections: what they give to others, and what they ask for."""

from dataclasses import replace

import numpy as np
import pytest

from surgiplan.errors import Mismatch, NeedsHand, StepFailed
from surgiplan.ops.align_leg import NAMES, UNITS, AlignLeg
from surgiplan.ops.correct_deformity import CorrectDeformity
from surgiplan.ops.cut import Cut
from surgiplan.ops.derotate import Derotate
from surgiplan.ops.place_implant import PlaceImplant
from surgiplan.ops.plan_flap import PlanFlap
from surgiplan.ops.plan_screw import PlanScrew
from surgiplan.ops.template_hip import TemplateHip
from surgiplan.ops.wedge import Wedge
from surgiplan.phantoms import Tibia
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Measurement, Places, Plane, Pose
from tests.ops import templating
from tests.ops.shapes import CENTRE, ball
from tests.ops.templating import marked

WORK, M = Work(), Ref("marks")
LEG = marked(templating.osteotomy_places(), "tibial_osteotomy", templating.TIBIA.frame_uid)
CUT_MARKS = marked(templating.bone_cut_places(), "bone_cut", templating.FEMUR.frame_uid)


def test_a_leg_is_aligned_and_the_figures_say_by_which_definition() -> None:
    found = AlignLeg(landmarks=M, target=62.5).run(WORK, LEG)
    assert found["line_after"].value == pytest.approx(62.5, abs=1e-9)
    assert found["line_after"].unit == "%"
    assert "0 % at its medial edge" in found["line_after"].definition
    assert found["axes_after"].sign == "varus is negative, valgus positive"
    assert found["gap"].frame_uid == templating.TIBIA.frame_uid
    assert found["hinge_depth"].value == pytest.approx(20.0, abs=1.0)
    assert isinstance(found["cut"], Plane)
    assert isinstance(found["motion"], Pose)


def test_figures_carry_the_error_of_their_landmarks_as_drawn_ones_scatter() -> None:
    """Against 400 draws: what is solved anew, and what a motion that was planned leads to."""
    operation, sd = AlignLeg(landmarks=M, target=62.5), 1.5
    known = replace(LEG, errors_mm=(sd,) * len(LEG.places))
    told = operation.run(WORK, known)
    chance, drawn = np.random.default_rng(3), []
    for _ in range(400):
        off = {name: np.add(at, chance.normal(0, sd, 3)) for name, at in LEG.places.items()}
        drawn.append(operation._figures(replace(LEG, places=Places(off)).at(*NAMES), told["motion"]))
    for name in UNITS:
        seen = np.std([one[name] for one in drawn])
        assert told[name].expected_error == pytest.approx(seen, rel=0.12), name
    assert AlignLeg(landmarks=M).run(WORK, LEG)["gap"].expected_error is None, (
        "nobody said how far they are off"
    )


def test_a_derotation_is_as_doubtful_as_the_version_it_starts_from() -> None:
    version = Measurement(40.0, "deg", "Murphy's method", expected_error=2.5)
    turn = Derotate(landmarks=M, version=Ref("v")).run(WORK, CUT_MARKS, version)["turn"]
    assert turn.expected_error == 2.5
    typed = Derotate(landmarks=M, measured=40.0).run(WORK, CUT_MARKS)["turn"]
    assert typed.expected_error is None


@pytest.mark.parametrize(("varus", "target", "way"), [(9.0, 62.5, "opening"), (-9.0, 50.0, "closing")])
def test_the_wedge_turns_the_shin_as_it_was_solved(varus: float, target: float, way: str) -> None:
    bone = Tibia(varus_deg=varus)
    places = marked(templating.osteotomy_places(bone), "tibial_osteotomy", bone.frame_uid)
    solved = AlignLeg(landmarks=M, target=target, way=way).run(WORK, places)
    operation = Wedge(part=Ref("b"), solved=Ref("s", "wedge"), turn=Ref("s", "angle"), kind=way, kerf=1.0)
    operation.require_placed("wedge")
    done = operation.run(WORK, bone.mesh(2.5), solved["wedge"], solved["angle"])
    assert np.allclose(done["moved"].pose.array, solved["motion"].array, atol=1e-6)
    assert done["gap"].value == pytest.approx(solved["gap"].value, abs=1e-6)
    assert done["moved"].mesh.watertight
    with pytest.raises(StepFailed, match="not a measurement in mm"):
        operation.run(WORK, bone.mesh(4.0), solved["wedge"], solved["gap"])


def test_a_landmark_that_is_not_placed_is_asked_for_by_name() -> None:
    lacking = marked(
        {k: v for k, v in templating.osteotomy_places().items() if k != "hinge"}, "tibial_osteotomy", ""
    )
    with pytest.raises(NeedsHand, match="hinge"):
        AlignLeg(landmarks=M).run(WORK, lacking)


def test_the_measured_version_comes_from_a_step_or_is_typed() -> None:
    operation = Derotate(landmarks=M, target=15.0)
    with pytest.raises(NeedsHand, match="measured is not given yet"):
        operation.require_placed("turn")
    typed = Derotate(landmarks=M, measured=40.0).run(WORK, CUT_MARKS)
    version = Measurement(40.0, "deg", "Murphy's method")
    measured = Derotate(landmarks=M, version=Ref("v")).run(WORK, CUT_MARKS, version)
    assert measured["turn"].value == typed["turn"].value == pytest.approx(25.0)
    assert "Murphy" in measured["turn"].definition
    with pytest.raises(StepFailed, match="not a measurement in mm"):
        Derotate(landmarks=M, version=Ref("v")).run(WORK, CUT_MARKS, Measurement(40.0, "mm", "a length"))
    with pytest.raises(StepFailed, match="choose left or right"):
        Derotate(landmarks=M, measured=40.0).run(
            WORK, marked(templating.bone_cut_places(), "bone_cut", "", "")
        )


def test_the_correction_and_its_turn_differ_by_what_is_left_over() -> None:
    found = CorrectDeformity(landmarks=M, valgus=-8, outwards=20, short=12).run(WORK, CUT_MARKS)
    over = found["motion"].after(found["turn_alone"].inverse)
    assert over.degrees == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(over.shift) == pytest.approx(abs(found["lengthening"].value), abs=1e-6)
    assert np.allclose(np.cross(over.shift, found["cut"].normal), 0, atol=1e-6)


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_flap_gives_as_many_planes_and_motions_as_it_has_pieces(pieces: int) -> None:
    operation = PlanFlap(fibula=Ref("f"), donor=M, jaw=Ref("j"), pieces=pieces, shortest=10)
    fibula = templating.FIBULA.mesh(3.0)
    donor = marked(dict(templating.FIBULA.landmarks), "fibula", fibula.frame_uid)
    found = operation.run(WORK, fibula, donor, marked(templating.jaw_places(3), "jaw_defect", "", ""))
    assert set(found) == set(operation.outputs())
    assert f"jaw_{pieces + 1}" in found
    with pytest.raises(NeedsHand, match="jaw_2"):
        operation.run(WORK, fibula, donor, marked({"jaw_1": CENTRE, "tongue": CENTRE}, "jaw_defect", "", ""))
    with pytest.raises(Mismatch):
        operation.run(WORK, fibula, marked(dict(templating.FIBULA.landmarks), "fibula", "1.2.3"), donor)


def test_a_size_can_be_chosen_by_hand() -> None:
    hip = marked(templating.hip_places(), "hip_replacement", templating.FEMUR.frame_uid)
    chosen = TemplateHip(landmarks=M, canal=Ref("c"), cup="cup-54", stem="stem-2").run(
        WORK, hip, templating.canal_of()
    )
    assert chosen["cup_size"].value == 54.0
    assert "stem-2" in chosen["stem_size"].definition
    assert chosen["cup"].mesh.watertight
    assert chosen["stem"].mesh.watertight
    with pytest.raises(StepFailed, match="too thick"):
        TemplateHip(landmarks=M, canal=Ref("c"), stem="stem-10").run(WORK, hip, templating.canal_of())


def test_the_cup_lies_on_the_socket_and_the_head_in_it() -> None:
    hip = marked(templating.hip_places(), "hip_replacement", templating.FEMUR.frame_uid)
    found = TemplateHip(landmarks=M, canal=Ref("c"), inclination=43, anteversion=19).run(
        WORK, hip, templating.canal_of()
    )
    assert np.allclose(found["cup"].pose.shift, templating.HIP.centre, atol=1e-4)
    assert np.allclose(found["head"].pose.shift, templating.HIP.centre, atol=1e-4)
    assert np.allclose(found["cup"].pose.rotation[:, 2], templating.HIP.axis, atol=1e-6)


def test_a_screw_is_given_in_its_place_with_grey_values_where_there_is_a_scan() -> None:
    bone = templating.VERTEBRA.mesh(1.2)
    places = marked(templating.screw_places(), "pedicle", bone.frame_uid)
    plain = PlanScrew(bone=Ref("b"), landmarks=M)
    assert "grey" not in plain.outputs()
    read = PlanScrew(bone=Ref("b"), landmarks=M, volume=Ref("ct"))
    found = read.run(WORK, bone, places, templating.VERTEBRA.volume((1.6, 1.0, 1.2)))
    assert set(found) == set(read.outputs())
    assert found["grey"].unit == "HU"
    assert found["screw"].pose == found["pose"]
    assert found["grade"].definition.startswith("grade A")
    assert found["spare"].value == pytest.approx(8.0 - 5.5, abs=0.1)


def test_what_was_found_is_taken_by_cut_and_place_implant() -> None:
    body, plane = ball(), Plane(CENTRE, (0, 0.3, 1))
    by_hand = Cut(part=Ref("b"), plane=plane).run(WORK, body)
    found = Cut(part=Ref("b"), at=Ref("solution", "cut"))
    found.require_placed("sawn")
    assert found.run(WORK, body, plane)["a"].mesh.digest == by_hand["a"].mesh.digest
    with pytest.raises(NeedsHand):
        Cut(part=Ref("b")).require_placed("sawn")
    pose = Pose.of_shift((1, 2, 3))
    screw = PlaceImplant(item="pedicle-5.5x45", by=Ref("solution", "pose")).run(WORK, pose)
    assert screw.pose == pose


def test_landmarks_in_any_order_are_the_same() -> None:
    places = templating.osteotomy_places()
    assert Places(places) == Places(dict(reversed(places.items())))
