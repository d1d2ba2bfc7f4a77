import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgiplan.casefile import CaseFile
from surgiplan.formats.dicom.dicomwrite import write_series
from surgiplan.formats.meshes import read_mesh
from surgiplan.ops import OPERATIONS
from surgiplan.values import given_away
from tests.cli.conftest import Run
from tests.ops.shapes import CENTRE, ball_scan

BALL_MM3 = 4 / 3 * math.pi * 12**3


def test_series_are_listed_with_their_geometry(run: Run, ball_series: Path) -> None:
    (row,) = run("series", ball_series, "--json").data
    grid = ball_scan().grid
    assert row["usable"]
    assert row["shape"] == list(grid.shape_kji)
    assert row["spacing_mm"] == pytest.approx(grid.spacing_kji)
    assert np.allclose(row["kji_to_lps"], grid.kji_to_lps, atol=1e-6)
    assert "usable   CT" in run("series", ball_series).out


def test_show_gives_status_and_figures(run: Run, case: Path) -> None:
    told = run("show", case, "--json").data
    assert [s["status"] for s in told["steps"]] == ["ready"] * 3
    ball = told["steps"][2]["figures"]
    assert ball["watertight"]
    assert ball["volume_mm3"] == pytest.approx(BALL_MM3, rel=0.005)
    assert np.allclose(np.mean(ball["bounds_lps"], axis=0), CENTRE, atol=0.05)
    assert told["findings"] == []
    assert told["side"] == "L"
    assert "Not a medical device" in told["use"]
    assert "ml" in run("show", case).out


def test_show_gives_the_day_of_each_scan(run: Run, case: Path, tmp_path: Path) -> None:
    scan = ball_scan()
    later = replace(scan, voxels=given_away(scan.voxels + scan.voxels.dtype.type(1)))
    write_series(later, tmp_path / "later", study_date="20240702")
    assert run("import", tmp_path / "later", "--case", case).code == 0
    steps = run("show", case, "--json").data["steps"]
    assert [step.get("study_date") for step in steps] == ["2024-01-01", None, None, "2024-07-02"]
    assert "Hounsfield" in steps[0]["warnings"][0], "there is no air in it"
    assert "2024-07-02" in run("show", case).out


def test_a_cut_gives_three_solids_that_add_up(run: Run, case: Path) -> None:
    x, y, z = CENTRE
    answer = run(
        "add", case, "cut", "saw", "--part", "ball", "--plane", f"{x},{y},{z};0,0,1", "--kerf", 1, "--json"
    )
    assert answer.code == 0
    parts = answer.data["figures"]
    whole = run("show", case, "--json").data["steps"][2]["figures"]["volume_mm3"]
    assert sum(part["volume_mm3"] for part in parts.values()) == pytest.approx(whole, rel=1e-6)
    assert parts["a"]["bounds_lps"][0][2] == pytest.approx(z + 0.5, abs=1e-3)


def test_export_writes_a_closed_file_that_reads_back(run: Run, case: Path, tmp_path: Path) -> None:
    for suffix in ("stl", "ply", "obj"):
        file = tmp_path / f"ball_LEFT.{suffix}"
        told = run("export", case, "ball", "--to", file, "--json").data
        mesh, _ = read_mesh(file)
        assert mesh.watertight
        assert mesh.volume_mm3 == pytest.approx(told["figures"]["volume_mm3"], rel=1e-4)
    assert run("export", case, "mask", "--to", tmp_path / "m.stl").code == 10
    assert run("export", case, "mask", "--to", tmp_path / "m.json").code == 0
    assert json.loads((tmp_path / "m.json").read_text())["figures"]["voxels"] > 1000


def test_meshes_come_in_and_collide(run: Run, case: Path, tmp_path: Path) -> None:
    assert run("export", case, "ball", "--to", tmp_path / "b.stl").code == 0
    assert run("import", tmp_path / "b.stl", "--case", case, "--name", "copy").code == 0
    assert run("add", case, "move", "away", "--part", "copy", "--pose", "30,0,0").code == 0
    assert run("add", case, "collide", "check", "--a", "away", "--b", "ball").code == 0
    figures = run("show", case, "--json").data["steps"][-1]["figures"]
    assert figures["depth_mm"] == 0
    assert figures["clearance_mm"] == pytest.approx(6.0, abs=0.1)
    assert not figures["contained"]
    assert run("edit", case, "away", "--pose", "20,0,0").code == 0
    told = run("show", case, "--json").data
    assert told["steps"][-1]["figures"]["depth_mm"] == pytest.approx(4.0, abs=0.1)
    assert any(f["severity"] == "danger" and f["step"] == "check" for f in told["findings"])


def test_undo_and_redo_follow_the_history(run: Run, case: Path) -> None:
    assert run("undo", case, "--json").data["steps"] == ["ct", "mask"]
    assert run("redo", case, "--json").data["steps"] == ["ct", "mask", "ball"]
    assert run("redo", case).code == 2
    for _ in range(3):
        assert run("undo", case).code == 0
    answer = run("undo", case)
    assert (answer.code, answer.err) == (2, "surgiplan: there is nothing to undo\n")


def test_edit_and_remove_change_the_plan(run: Run, case: Path) -> None:
    assert run("edit", case, "mask", "--low", "300").code == 0
    steps = {s["name"]: s for s in run("show", case, "--json").data["steps"]}
    assert steps["ball"]["figures"]["volume_mm3"] > BALL_MM3
    assert run("remove", case, "mask").code == 2
    assert run("remove", case, "ball").code == 0
    assert run("edit", case, "mask").code == 2


def test_verify_recomputes_and_compares(run: Run, case: Path) -> None:
    run("show", case)
    rows = run("verify", case, "--json").data["steps"]
    assert [row["verdict"] for row in rows] == ["same"] * 3


def test_a_plan_goes_to_another_case(run: Run, case: Path, ball_series: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(run("plan", case).out)
    other = tmp_path / "other.surgiplan"
    assert run("import", ball_series, "--case", other, "--name", "scan").code == 0
    answer = run("apply", other, file)
    assert (answer.code, "import it with --name ct" in answer.err) == (10, True)
    assert run("import", ball_series, "--case", other, "--name", "ct").code == 0
    steps = run("apply", other, file, "--json").data["steps"]
    assert [s["name"] for s in steps] == ["scan", "ct", "mask", "ball"]
    assert steps[-1]["figures"]["volume_mm3"] == pytest.approx(BALL_MM3, rel=0.005)


def test_suggestions_can_be_taken(run: Run, case: Path) -> None:
    told = run("add", case, "threshold", "auto", "--volume", "ct", "--suggest", "otsu")
    assert told.code == 0, told.err
    low = next(s for s in json.loads(run("plan", case).out)["steps"] if s["name"] == "auto")["with"]["low"]
    assert 200 < low < 800
    assert run("add", case, "threshold", "auto2", "--volume", "ct", "--suggest", "magic").code == 2
    assert run("add", case, "move", "m", "--part", "ball", "--suggest", "otsu").code == 2


def test_pictures_need_no_display(
    run: Run, case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for view in ("3d", "axial", "coronal", "sagittal", "four"):
        file = tmp_path / f"{view}.png"
        assert run("render", case, "--view", view, "--to", file, "--size", "400x300").code == 0
        assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert run("render", case, "--to", tmp_path / "x.png", "--size", "huge").code == 2
    assert run("render", case, "--to", tmp_path / "x.png", "--at", "middle").code == 2


def test_the_manual_comes_from_the_operations(run: Run) -> None:
    assert "threshold" in run("ops").out
    assert "the faintest intensity that is kept" in run("ops", "threshold").out
    page = run("ops", "cut", "--json").data
    assert list(page["outputs"]) == ["a", "b", "kerf"]
    assert next(f for f in page["fields"] if f["name"] == "kerf")["unit"] == "mm"
    assert run("ops", "nothing").code == 2
    assert [page["name"] for page in run("ops", "--json").data] == list(OPERATIONS)


def test_an_encrypted_case_needs_its_passphrase(
    run: Run, ball_series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret.surgiplan"
    monkeypatch.setenv("SURGIPLAN_PASSPHRASE", "correct horse")
    assert run("import", ball_series, "--case", file).code == 0
    assert run("show", file).code == 0
    assert not (tmp_path / "cache").exists()
    monkeypatch.setenv("SURGIPLAN_PASSPHRASE", "wrong")
    assert run("show", file).code == 13
    monkeypatch.delenv("SURGIPLAN_PASSPHRASE")
    assert run("show", file).code == 13


def test_open_hands_over_to_the_window(run: Run, tmp_path: Path) -> None:
    assert run("open", tmp_path).code == 77
    assert run("open").code == 77


def test_no_patient_name_in_any_output(run: Run, case: Path, tmp_path: Path) -> None:
    texts = [run("show", case, "--json").out, run("plan", case).out]
    run("export", case, "ball", "--to", tmp_path / "b.stl")
    texts.append((tmp_path / "b.stl").read_bytes()[:200].decode("latin-1"))
    assert not any("Phantom^Sphere" in text or "PHANTOM" in text for text in texts)


def test_a_case_that_another_program_holds_can_be_looked_at(run: Run, case: Path, tmp_path: Path) -> None:
    held = CaseFile.open(case)
    try:
        for words in (
            ("show", case, "--json"),
            ("plan", case),
            ("verify", case, "--json"),
            ("export", case, "ball", "--to", tmp_path / "b.stl"),
            ("render", case, "--to", tmp_path / "b.png", "--size", "200x160"),
        ):
            answer = run(*words)
            assert (answer.code, "only looked at" in answer.err) == (0, True), words
        before = len(held.entries())
        for words in (("undo", case), ("edit", case, "mask", "--low", 400), ("remove", case, "ball")):
            answer = run(*words)
            assert (answer.code, "in use elsewhere" in answer.err) == (13, True), words
        assert len(held.entries()) == before
    finally:
        held.close()
    assert run("undo", case).code == 0
