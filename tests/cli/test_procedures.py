"""Procedures: files that are checked, runs to known answers, and a wait for the hand in plain words."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surgiplan.errors import BadInput
from surgiplan.formats.meshes import write_mesh
from surgiplan.phantoms import Fibula, Phantom, Tibia, Vertebra
from surgiplan.recipes.procedure import procedures
from surgiplan.recipes.schema import procedure_of, read_procedure
from surgiplan.values import Part
from tests.cli.conftest import Run
from tests.ops import templating

NAMES = {"hto", "hto_closing", "derotation", "deformity", "fibula_flap", "hip_template", "pedicle"}


def case_with(run: Run, folder: Path, **bodies: Phantom | Part) -> Path:
    """A case with the shapes of phantoms, as mesh files bring them in."""
    file = folder / "case.surgiplan"
    for name, body in bodies.items():
        part = body if isinstance(body, Part) else body.mesh(1.5)
        mesh = folder / f"{name}.stl"
        write_mesh(part, mesh)
        assert run("import", mesh, "--case", file, "--name", name, "--unit", "mm").code == 0
    return file


def given(folder: Path, **values: Any) -> Path:
    file = folder / "values.json"
    file.write_text(json.dumps(values), encoding="utf-8")
    return file


def figures_of(answer: Any, step: str) -> dict[str, Any]:
    return next(entry["figures"] for entry in answer.data["steps"] if entry["name"] == step)


def verdicts(answer: Any) -> dict[str, str]:
    return {row["title"]: row["verdict"] for row in answer.data["checks"]}


# --- the files


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_shipped_procedure_keeps_to_the_schema(name: str) -> None:
    one = read_procedure(name, procedures()[name])
    assert one.title
    assert one.source
    assert one.checks
    for stage in one.stages:
        assert stage.words.endswith(".")


def test_they_are_listed_and_told_in_full(run: Run) -> None:
    rows = {row["name"]: row for row in run("procedures", "--json").data}
    assert set(rows) >= NAMES
    told = run("procedures", "hto").out
    assert "hinge" in told
    assert "60 to 70 %" in told
    assert run("procedures", "elbow").code == 2


def smallest() -> dict[str, Any]:
    return json.loads(procedures()["derotation"].read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda c: c.pop("checks"), "checks is missing"),
        (lambda c: c.update(extra=1), "extra is not known"),
        (lambda c: c["steps"][1].update(operation="derotata"), "step 2: there is no operation"),
        (lambda c: c["steps"][1]["with"].update(turn=3), "step 2: derotate has no field 'turn'"),
        (lambda c: c["steps"][2]["with"].update(at="solution.plane"), "step 3: it refers to solution.plane"),
        (lambda c: c["stages"][2]["steps"].append("nailed"), "there is no step nailed"),
        (lambda c: c["checks"][0].update(of="solution.angle"), "no step gives solution.angle"),
        (lambda c: c["checks"][0].update(at_most="45"), "a limit is a number, not '45'"),
        (lambda c: [c["checks"][0].pop(key) for key in ("at_least", "at_most")], "needs at_least or at_most"),
        (lambda c: c["given"][0].update(kind="bone"), "kind is one of part, mask, volume"),
        (lambda c: c["steps"].append({"each": []}), "it is numbered, but there is no count"),
    ],
)
def test_a_fault_in_a_file_is_told_with_its_place(broken: Any, told: str) -> None:
    content = smallest()
    broken(content)
    with pytest.raises(BadInput) as caught:
        procedure_of("mine", content)
    assert told in str(caught.value).replace(" is not right in ", " ")
    assert "mine" in str(caught.value)


# --- on phantoms, to their known answers


@pytest.mark.parametrize(("varus", "target"), [(9.0, 62.5), (6.0, 66.0)])
def test_a_tibial_osteotomy_reaches_its_line_within_a_tenth_of_a_percent(
    run: Run, tmp_path: Path, varus: float, target: float
) -> None:
    bone = Tibia(varus_deg=varus)
    case = case_with(run, tmp_path, tibia=bone)
    values = given(
        tmp_path,
        marks={"side": "right", "points": templating.osteotomy_places(bone)},
        solution={"target": target},
    )
    answer = run("apply", case, "hto", "--given", values, "--json")
    assert answer.code == 0, answer.err
    told = figures_of(answer, "solution")
    assert told["line_after"]["value"] == pytest.approx(target, abs=0.1)
    assert verdicts(answer)["Weight bearing line afterwards"] == "pass"
    opened = figures_of(answer, "opened")
    assert opened["shin"]["watertight"]
    assert opened["angle"]["value"] == pytest.approx(told["angle"]["value"], abs=1e-9)
    assert opened["gap"]["value"] == pytest.approx(told["gap"]["value"], abs=1e-6)
    matrix = np.array(told["motion"]["matrix"])
    own, marks = bone.pose.inverse, bone.landmarks
    ankle = own.apply(matrix[:3, :3] @ marks["ankle_centre"] + matrix[:3, 3])
    hip = own.apply(marks["head_centre"])
    crossing = hip[0] + hip[2] / (hip[2] - ankle[2]) * (ankle[0] - hip[0])
    assert 100 * (37.0 - crossing) / 73.0 == pytest.approx(target, abs=0.1)
    assert run("verify", case).code == 0


def test_a_closing_wedge_comes_out_with_the_volume_of_its_angle(run: Run, tmp_path: Path) -> None:
    """Valgus to neutral: a wedge is taken out medially about a lateral hinge."""
    bone = Tibia(varus_deg=-9.0)
    case = case_with(run, tmp_path, tibia=bone)
    places = templating.osteotomy_places(bone)
    values = given(tmp_path, marks={"side": "right", "points": places}, solution={"target": 50.0})
    answer = run("apply", case, "hto_closing", "--given", values, "--json")
    assert answer.code == 0, answer.err
    assert verdicts(answer)["Weight bearing line afterwards"] == "warn"  # 50 % is no usual target
    told = figures_of(answer, "solution")
    assert told["line_after"]["value"] == pytest.approx(50.0, abs=0.1)


def test_a_femur_is_derotated_and_the_figure_says_by_how_much(run: Run, tmp_path: Path) -> None:
    case = case_with(run, tmp_path, bone=templating.FEMUR)
    values = given(
        tmp_path,
        marks={"side": "right", "points": templating.bone_cut_places()},
        solution={"measured": 38.0, "target": 15.0},
    )
    answer = run("apply", case, "derotation", "--given", values, "--json")
    assert answer.code == 0, answer.err
    assert figures_of(answer, "solution")["turn"]["value"] == pytest.approx(23.0)
    assert verdicts(answer) == {"Turn": "pass"}


def test_a_deformity_is_undone_and_a_steep_cut_warned_of(run: Run, tmp_path: Path) -> None:
    case = case_with(run, tmp_path, bone=templating.FEMUR)
    marks = {"side": "right", "points": templating.bone_cut_places()}
    values = given(tmp_path, marks=marks, solution={"valgus": -9.0, "outwards": 25.0})
    answer = run("apply", case, "deformity", "--given", values, "--json")
    assert answer.code == 0, answer.err
    assert verdicts(answer)["Steepness of the cut"] == "pass"
    assert run("undo", case).code == 0
    values = given(tmp_path, marks=marks, solution={"valgus": -9.0, "outwards": 2.0})
    answer = run("apply", case, "deformity", "--given", values)
    assert "WARN" in answer.out
    assert "a wedge is the better way" in answer.out


@pytest.mark.parametrize("pieces", [2, 3])
def test_a_fibula_flap_fits_face_to_face(run: Run, tmp_path: Path, pieces: int) -> None:
    fibula = Fibula()
    case = case_with(run, tmp_path, fibula=fibula.mesh(1.0), jaw=templating.MANDIBLE.mesh(1.5))
    values = given(
        tmp_path,
        count=pieces,
        donor={"side": "right", "points": dict(fibula.landmarks)},
        defect={"points": templating.jaw_places(pieces)},
        solution={"shortest": 10.0},
        resected={"inside": templating.CHIN},
    )
    answer = run("apply", case, "fibula_flap", "--given", values, "--json")
    assert answer.code == 0, answer.err
    told = figures_of(answer, "solution")
    assert told["step"]["value"] <= 0.8
    assert verdicts(answer)["Step between faces"] == "pass"
    for n in range(1, pieces + 1):
        motion = np.array(told[f"motion_{n}"]["matrix"])
        for own, wanted in ((f"near_{n}", f"jaw_{n}"), (f"far_{n}", f"jaw_{n + 1}")):
            carried = motion[:3, :3] @ told[own]["normal"]
            angle = math.degrees(math.acos(min(float(carried @ told[wanted]["normal"]), 1.0)))
            assert angle <= 0.05
        assert told[f"length_{n}"]["value"] == pytest.approx(math.dist(*templating.JAW[n - 1 : n + 1]))
        assert figures_of(answer, f"placed_{n}")["watertight"]
    resected = figures_of(answer, "resected")
    assert all(resected[part]["watertight"] for part in ("stumps", "defect", "kerf"))
    sawn = sum(resected[part]["volume_mm3"] for part in ("stumps", "defect", "kerf"))
    assert sawn == pytest.approx(templating.MANDIBLE.mesh(1.5).mesh.volume_mm3, rel=1e-5)


def test_a_hip_is_templated_with_the_right_sizes(run: Run, tmp_path: Path) -> None:
    case = case_with(run, tmp_path, femur=templating.FEMUR, canal=templating.canal_of())
    values = given(tmp_path, marks={"side": "right", "points": templating.hip_places()})
    answer = run("apply", case, "hip_template", "--given", values, "--json")
    assert answer.code == 0, answer.err
    told = figures_of(answer, "solution")
    assert told["socket"]["value"] == pytest.approx(2 * templating.HIP.rim_radius_mm, abs=1e-3)
    assert told["cup_size"]["value"] == 52.0
    assert told["leg_length"]["value"] == pytest.approx(0.0, abs=1e-6)
    assert 0 <= told["stem_room"]["value"] < 0.5
    longer = run("edit", case, "solution", "--head-length", "7", "--json").data["figures"]
    assert longer["leg_length"]["value"] > 3.0
    assert longer["femoral_offset"]["value"] - told["femoral_offset"]["value"] == pytest.approx(
        7 * math.sin(math.radians(131)), abs=0.02
    )


@pytest.mark.parametrize(
    ("off", "grade", "verdict"), [(0.0, 0, "pass"), (3.27, 1, "pass"), (4.27, 2, "warn"), (8.27, 4, "warn")]
)
def test_a_pedicle_screw_is_graded_rightly(
    run: Run, tmp_path: Path, off: float, grade: int, verdict: str
) -> None:
    bone = Vertebra()
    case = case_with(run, tmp_path, vertebra=bone.mesh(0.8))
    points = templating.screw_places(bone, "R", (0.0, off))
    values = given(tmp_path, marks={"side": "right", "points": points})
    answer = run("apply", case, "pedicle", "--given", values, "--json")
    assert answer.code == 0, answer.err
    told = figures_of(answer, "solution")
    assert told["breach"]["value"] == pytest.approx(bone.breach_mm("R", off, 2.75), abs=0.02)
    assert told["grade"]["value"] == grade
    assert verdicts(answer)["Gertzbein-Robbins (0 is A, 1 is B)"] == verdict


# --- where a hand is needed


def test_what_the_hand_has_to_give_is_named_with_words(run: Run, tmp_path: Path) -> None:
    case = case_with(run, tmp_path, tibia=Tibia().mesh(4.0))
    points = templating.osteotomy_places()
    del points["hinge"], points["cortex"]
    values = given(tmp_path, marks={"points": points})
    answer = run("apply", case, "hto", "--given", values)
    assert answer.code == 12
    assert "marks: hinge" in answer.err
    assert "marks: side (left or right)" in answer.err
    assert "10 mm inside the far cortex" in answer.err
    assert "ankle_centre" not in answer.err
    assert "open    Weight bearing line afterwards: not known yet" in answer.out
    kept = run("show", case, "--json").data["steps"]
    assert [s["name"] for s in kept] == ["tibia", "marks", "solution", "opened"]


def test_a_bone_of_another_name_is_chosen_and_two_of_a_kind_live_side_by_side(
    run: Run, tmp_path: Path
) -> None:
    bone = Vertebra()
    case = case_with(run, tmp_path, l4=bone.mesh(1.5))
    answer = run("apply", case, "pedicle")
    assert answer.code == 12
    assert "vertebra (the vertebra, a part)" in answer.err
    assert "l4" in answer.err
    for side, name in (("R", "right"), ("L", "left")):
        values = given(
            tmp_path,
            given={"vertebra": "l4"},
            marks={"side": name, "points": templating.screw_places(bone, side)},
        )
        done = run("apply", case, "pedicle", "--given", values, "--prefix", name, "--json")
        assert done.code == 0, done.err
        assert verdicts(done)["Breach of the pedicle"] == "pass"
    steps = [s["name"] for s in run("show", case, "--json").data["steps"]]
    assert steps == ["l4", "right_marks", "right_solution", "left_marks", "left_solution"]


def test_values_that_fit_nothing_are_refused(run: Run, tmp_path: Path) -> None:
    case = case_with(run, tmp_path, tibia=Tibia().mesh(4.0))
    for values, told in (
        ({"markz": {}}, "hto has no step 'markz'"),
        ({"marks": {"place": 3}}, "landmarks has no field 'place'"),
        ({"given": {"shin": "tibia"}}, "hto does not work on 'shin'"),
        ({"count": 2}, "hto has nothing to count"),
    ):
        answer = run("apply", case, "hto", "--given", given(tmp_path, **values))
        assert (answer.code, told in answer.err) == (2, True), answer.err
    (tmp_path / "values.json").write_text("[1]", encoding="utf-8")
    assert run("apply", case, "hto", "--given", tmp_path / "values.json").code == 10
    assert run("apply", case, "skull", "--prefix", "x").code == 2
