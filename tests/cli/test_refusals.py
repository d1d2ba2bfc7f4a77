"""Bad input: a clear message, the right exit code, and nothing that was committed is lost."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgiplan.casefile import CaseFile
from surgiplan.formats.dicom.dicomwrite import write_series
from tests.cli.conftest import Answer, Run
from tests.ops.shapes import CENTRE, ball_scan, grid


def plain(answer: Answer) -> bool:
    """One to three lines on stderr, and no traceback."""
    lines = answer.err.strip().splitlines()
    return 1 <= len(lines) <= 3 and "Traceback" not in answer.err


def unchanged(run: Run, case: Path) -> bool:
    return [s["name"] for s in json.loads(run("plan", case).out)["steps"]] == ["ct", "mask", "ball"]


def test_a_folder_without_dicom(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no images here")
    for words in (("series", tmp_path), ("import", tmp_path, "--case", tmp_path / "c.surgiplan")):
        answer = run(*words)
        assert (answer.code, plain(answer)) == (10, True)
        assert "no DICOM series" in answer.err
    assert not (tmp_path / "c.surgiplan").exists()


def test_a_path_that_is_not_there(run: Run, tmp_path: Path) -> None:
    assert run("series", tmp_path / "x").code == 10
    assert run("import", tmp_path / "x", "--case", tmp_path / "c.surgiplan").code == 10
    assert run("show", tmp_path / "c.surgiplan").code == 13


def test_a_truncated_file(run: Run, ball_series: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut short"
    shutil.copytree(ball_series, folder)
    victim = sorted(folder.iterdir())[7]
    victim.write_bytes(victim.read_bytes()[:-500])
    answer = run("import", folder, "--case", tmp_path / "c.surgiplan")
    assert (answer.code, plain(answer)) == (10, True)


def test_a_plane_that_misses_the_bone(run: Run, case: Path) -> None:
    x, y, z = CENTRE
    answer = run("add", case, "cut", "saw", "--part", "ball", "--plane", f"{x},{y},{z + 40};0,0,1")
    assert (answer.code, plain(answer)) == (11, True)
    assert "misses the body by 27.9" in answer.err
    assert unchanged(run, case)


def test_a_plane_that_nobody_placed(run: Run, case: Path, tmp_path: Path) -> None:
    answer = run("add", case, "cut", "saw", "--part", "ball")
    assert (answer.code, plain(answer)) == (12, True)
    assert "saw: plane is not placed yet" in answer.err
    assert run("export", case, "saw.a", "--to", tmp_path / "a.stl").code == 12
    steps = run("show", case, "--json").data["steps"]
    assert (steps[-1]["status"], "not placed" in steps[-1]["error"]) == ("waiting", True)


def test_a_seed_in_air(run: Run, case: Path) -> None:
    x, y, z = CENTRE
    seed = f"{x + 14},{y},{z}"
    answer = run("add", case, "grow", "g", "--volume", "ct", "--seed", seed, "--low", 500)
    assert (answer.code, plain(answer)) == (11, True)
    answer = run("add", case, "keep_part", "k", "--mask", "mask", "--kind", "seeds", "--seeds", seed)
    assert (answer.code, plain(answer)) == (11, True)
    assert "mm" in answer.err
    assert unchanged(run, case)


def test_a_missing_reference_and_unknown_words(run: Run, case: Path) -> None:
    for words, told in (
        (("add", case, "surface", "s", "--volume", "ct", "--mask", "nothing"), "no step above has that name"),
        (("add", case, "surface", "s", "--volume", "mask", "--mask", "mask"), "a Volume is needed"),
        (
            ("add", case, "surface", "s", "--volume", "ct", "--mask", "mask", "--smooth", 3),
            "no field 'smooth'",
        ),
        (("add", case, "melt", "s"), "no operation 'melt'"),
        (("add", case, "move", "ball", "--part", "ball"), "there is a step 'ball' already"),
        (("edit", case, "nothing", "--low", 3), "there is no step 'nothing'"),
        (("edit", case, "mask", "--lo", 3), "no field 'lo'"),
        (("edit", case, "mask", "--low", "much"), "low"),
        (("remove", case, "ct"), "used by mask"),
    ):
        answer = run(*words)
        assert (answer.code, plain(answer)) == (2, True), words
        assert told in answer.err
    assert unchanged(run, case)


def test_a_command_that_is_said_wrongly(run: Run, case: Path) -> None:
    for words, told in (
        (("dance", case), "'dance'"),
        ((), "COMMAND"),
        (("import",), "required: path, --case"),
        (("render", case), "required: --to"),
        (("render", case, "--to", "x.png", "--view", "top"), "'top'"),
        (("render", case, "--to", "x.png", "--at", "-5,0"), "--at is x,y,z in mm, not '-5,0'"),
        (("add", case, "move", "m", "--part"), "--part needs a value"),
        (("add", case, "move", "m", "--part", "--json"), "--part needs a value"),
        (("add", case, "move", "m", "--part", "ball", "mask"), "mask"),
    ):
        answer = run(*words)
        assert (answer.code, plain(answer)) == (2, True), words
        assert told in answer.err
    assert unchanged(run, case)


def test_a_mesh_with_a_hole(run: Run, case: Path, tmp_path: Path) -> None:
    assert run("export", case, "ball", "--to", tmp_path / "b.ply").code == 0
    assert run("export", case, "ball", "--to", tmp_path / "b.obj").code == 0
    lines = (tmp_path / "b.obj").read_text().splitlines()
    faces = [n for n, line in enumerate(lines) if line.startswith("f ")]
    (tmp_path / "hole.obj").write_text("\n".join(line for n, line in enumerate(lines) if n not in faces[:3]))
    answer = run("import", tmp_path / "hole.obj", "--case", case, "--name", "hole")
    assert answer.code == 0
    answer = run("add", case, "boolean", "both", "--a", "ball", "--b", "hole")
    assert (answer.code, plain(answer)) == (11, True)
    assert "open" in answer.err


def test_a_case_file_that_is_a_text_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "letter.surgiplan"
    file.write_text("Dear colleague, please find enclosed...\n" * 50)
    before = file.read_bytes()
    for words in (("show", file), ("import", tmp_path, "--case", file), ("undo", file)):
        answer = run(*words)
        assert answer.code in (10, 13)
        assert plain(answer)
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"steps": 3}', '{"steps": [{"name": "x"}]}'])
def test_a_plan_file_that_is_none(run: Run, case: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "p.json").write_text(content)
    answer = run("apply", case, tmp_path / "p.json")
    assert answer.code in (2, 10)
    assert plain(answer)
    assert unchanged(run, case)


def test_a_file_that_cannot_be_written(run: Run, case: Path, tmp_path: Path) -> None:
    for suffix in ("stl", "json"):
        (tmp_path / f"folder.{suffix}").mkdir()
        for place in (tmp_path / "no such folder" / f"b.{suffix}", tmp_path / f"folder.{suffix}"):
            answer = run("export", case, "ball", "--to", place)
            assert (answer.code, plain(answer)) == (13, True)
    picture = tmp_path / "no such folder" / "b.png"
    answer = run("render", case, "--to", picture, "--size", "200x200")
    assert (answer.code, plain(answer)) == (13, True)
    assert run("render", case, "--to", tmp_path / "b.jpg").code == 2


def test_an_import_that_is_refused_leaves_no_case_behind(run: Run, case: Path, tmp_path: Path) -> None:
    assert run("export", case, "ball", "--to", tmp_path / "b.stl").code == 0
    fresh = tmp_path / "fresh.surgiplan"
    assert run("import", tmp_path / "b.stl", "--case", fresh, "--name", "a b").code == 2
    assert not fresh.exists()
    assert run("import", tmp_path / "b.stl", "--case", fresh, "--name", "ball").code == 0
    assert run("import", tmp_path / "b.stl", "--case", fresh, "--name", "ball").code == 2
    assert len(json.loads(run("plan", fresh).out)["steps"]) == 1


def test_a_case_with_a_plan_of_another_program(run: Run, case: Path) -> None:
    file = CaseFile.open(case)
    file.commit(['{"name": "x", "operation": "melt", "version": 1, "with": {}}'], "by another")
    file.close()
    answer = run("show", case)
    assert (answer.code, plain(answer)) == (13, True)
    assert "no operation 'melt'" in answer.err


def test_an_output_that_is_not_named(run: Run, case: Path, tmp_path: Path) -> None:
    x, y, z = CENTRE
    assert run("add", case, "cut", "saw", "--part", "ball", "--plane", f"{x} {y} {z}; 0 0 1").code == 0
    for name in ("saw", "saw.z", "ball.a", "nothing"):
        answer = run("export", case, name, "--to", tmp_path / "x.stl")
        assert (answer.code, plain(answer), (tmp_path / "x.stl").exists()) == (2, True, False), name


def test_a_fault_of_ours_is_told_as_one(
    run: Run, case: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from surgiplan.cli import verbs

    def broken(*_: object) -> None:
        raise ZeroDivisionError("Meier^Hans")

    monkeypatch.setattr(verbs, "findings", broken)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "logs"))
    answer = run("show", case)
    assert (answer.code, plain(answer)) == (40, True)
    report = Path(answer.err.strip().splitlines()[-1].split(" stand in ")[1])
    assert "ZeroDivisionError" in report.read_text()
    assert "Meier" not in report.read_text()
    report.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB; mounting one takes rights that not every machine gives."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no small disk can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount on this system")
def test_a_disk_that_is_full(run: Run, case: Path, small_disk: Path, tmp_path: Path) -> None:
    full = small_disk / "ball.surgiplan"
    shutil.copy(case, full)
    noise = np.random.default_rng(3).integers(-900, 2000, (40, 200, 240)).astype(np.int16)
    write_series(replace(ball_scan(), grid=grid((40, 200, 240)), voxels=noise), tmp_path / "large")
    answer = run("import", tmp_path / "large", "--case", full, "--name", "more")
    assert (answer.code, plain(answer)) == (13, True)
    assert "full" in answer.err
    assert unchanged(run, full)
    while True:
        try:
            with (small_disk / "filler").open("ab") as filler:
                filler.write(bytes(4096))
        except OSError:
            break
    answer = run("export", full, "ball", "--to", small_disk / "ball.stl")
    assert answer.code in (10, 13)
    assert plain(answer)
    assert not (small_disk / "ball.stl").exists()
    (small_disk / "filler").unlink()
    assert unchanged(run, full)
    assert run("verify", full).code == 0


def test_a_series_with_a_gap_is_used_only_when_that_is_accepted(run: Run, tmp_path: Path) -> None:
    files = write_series(ball_scan(), tmp_path / "in")
    files[7].unlink()
    (row,) = run("series", tmp_path / "in", "--json").data
    assert (row["usable"], row["choices"]) == (False, ["missing"])
    assert "--accept missing: fill in the missing slices" in run("series", tmp_path / "in").out
    case = tmp_path / "c.surgiplan"
    refused = run("import", tmp_path / "in", "--case", case)
    assert refused.code == 10
    assert "1 slice is missing" in refused.err
    assert run("import", tmp_path / "in", "--case", case, "--accept", "everything").code == 2
    taken = run("import", tmp_path / "in", "--case", case, "--accept", "missing", "--json")
    assert taken.code == 0
    assert "made up from the slices on both sides" in taken.err
    assert taken.data["figures"]["shape"] == list(ball_scan().grid.shape_kji)
