"""The demo: the whole job, on phantoms and on a real CT."""

from pathlib import Path

import pytest

from surgiplan.formats.meshes import read_mesh
from tests.cli.conftest import Run


def test_the_demo_ends_with_cases_closed_files_pictures_and_reports(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    answer = run("demo", "--out", out, "--json")
    assert answer.code == 0, answer.err
    stl = sorted(out.glob("*.stl"))
    assert len(stl) == 5
    assert all(read_mesh(file)[0].watertight for file in stl)
    assert all("RIGHT" in file.name for file in stl)
    assert {f.name for f in out.glob("*.png")} == {
        "femur_3d.png",
        "femur_four.png",
        "limb_3d.png",
        "limb_four.png",
    }
    for name in ("femur", "limb"):
        page = (out / f"{name}_report.html").read_text()
        assert "Not a medical device" in page
        assert "RIGHT" in page
        assert "PHANTOM" not in page
    steps = {s["name"]: s for s in run("show", out / "femur.surgiplan", "--json").data["steps"]}
    assert {s["status"] for s in steps.values()} == {"ready"}
    assert steps["neck_shaft"]["figures"]["value"] == pytest.approx(127.0, abs=0.1)
    assert steps["version"]["figures"]["value"] == pytest.approx(14.0, abs=0.1)
    assert steps["plate_bone"]["figures"]["clearance_mm"] == pytest.approx(0.5, abs=0.1)
    fit = run("show", out / "limb.surgiplan", "--json").data["steps"][-1]["figures"]
    assert fit["mean_mm"] == pytest.approx(2.0, abs=0.3)
    again = run("demo", "--out", out)
    assert (again.code, "exists already" in again.err) == (10, True)


@pytest.mark.slow
@pytest.mark.real_data
def test_the_demo_walks_a_real_ct(run: Run, tmp_path: Path, shared_data: Path) -> None:
    scan = shared_data / "ct_skull_phantom" / "S21570_S2030_bone_1mm.zip"
    answer = run("demo", "--dicom", scan, "--out", tmp_path / "d", "--json")
    assert answer.code == 0, answer.err
    assert all(read_mesh(file)[0].watertight for file in (tmp_path / "d").glob("*.stl"))


@pytest.mark.real_data
def test_a_real_ct_goes_all_the_way(run: Run, tmp_path: Path, shared_data: Path) -> None:
    """Import, threshold, surface, cut, collide, export on a scan of 5 mm slices."""
    case, scan = tmp_path / "s.surgiplan", shared_data / "ct_skull_phantom" / "S21570_mixed_study.zip"
    for words in (
        ("import", scan, "--case", case, "--name", "ct"),
        ("add", case, "threshold", "mask", "--volume", "ct", "--low", 300),
        ("add", case, "keep_part", "largest", "--mask", "mask"),
        ("add", case, "surface", "bone", "--volume", "ct", "--mask", "largest"),
    ):
        assert run(*words).code == 0, words
    low, high = run("show", case, "--json").data["steps"][-1]["figures"]["bounds_lps"]
    middle = ",".join(str((a + b) / 2) for a, b in zip(low, high, strict=True))
    assert high[0] - low[0] == pytest.approx(138.5, abs=1.5)
    for words in (
        ("add", case, "cut", "saw", "--part", "bone", "--plane", f"{middle};0,0,1"),
        ("add", case, "move", "cap", "--part", "saw.a", "--pose", "0,0,6"),
        ("add", case, "place_implant", "screw", "--item", "cortical-3.5x24", "--pose", middle),
        ("add", case, "collide", "check", "--a", "screw", "--b", "saw.b"),
        ("export", case, "cap", "--to", tmp_path / "cap.stl"),
    ):
        answer = run(*words)
        assert answer.code == 0, (words, answer.err)
    assert read_mesh(tmp_path / "cap.stl")[0].watertight
