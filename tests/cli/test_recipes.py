"""Recipes are found by name, stop where a hand is needed, and leave the rest of a case alone when told to."""

import json
import shutil
from pathlib import Path

import platformdirs
import pytest

from surgiplan.cli import recipes
from surgiplan.ops import OPERATIONS
from surgiplan.plan.plan import from_json
from surgiplan.shipped import resource_folder
from tests.cli.conftest import Run

SHIPPED = [file.name for file in resource_folder("recipes").iterdir() if file.name.endswith(".json")]
HOLLOW_BALL_ML = 7.24


@pytest.fixture
def scan(run: Run, ball_series: Path, tmp_path: Path) -> Path:
    file = tmp_path / "scan.surgiplan"
    assert run("import", ball_series, "--case", file, "--name", "ct").code == 0
    return file


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's recipes."""
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_: tmp_path / "data")
    folder = tmp_path / "data" / "recipes"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_can_be_read_and_says_what_it_needs(name: str) -> None:
    content = recipes.content_of(resource_folder("recipes").joinpath(name))
    assert content["title"]
    assert "ct" in content["needs"]
    steps = [(step["name"], from_json(OPERATIONS, step)) for step in content["steps"]]
    assert steps[0][0] == "ct"
    assert all(step["version"] <= OPERATIONS[step["operation"]].spec.version for step in content["steps"])
    for word in content["hand"].split("(step ")[1:]:
        assert word.partition(")")[0] in dict(steps)


def test_they_are_listed(run: Run) -> None:
    rows = {row["name"]: row for row in run("recipes", "--json").data}
    assert {"skull", "femur", "hip", "vertebra", "rib_cage", "skin"} <= set(rows)
    assert "step" in rows["femur"]["hand"]
    assert rows["skull"]["title"] in run("recipes").out


def test_one_is_applied_by_name(run: Run, scan: Path) -> None:
    answer = run("apply", scan, "skull", "--json")
    assert answer.code == 0, answer.err
    last = answer.data["steps"][-1]
    assert (last["name"], last["status"]) == ("skull", "ready")
    assert last["figures"]["volume_mm3"] == pytest.approx(1000 * HOLLOW_BALL_ML, rel=0.1)
    assert run("verify", scan).code == 0


def test_a_batch_stops_where_a_hand_is_needed(run: Run, scan: Path) -> None:
    answer = run("apply", scan, "femur")
    assert answer.code == 12
    waiting = [s for s in run("show", scan, "--json").data["steps"] if s["status"] == "waiting"]
    assert waiting[0]["error"]


def test_steps_of_the_case_stay_when_told_to(run: Run, scan: Path) -> None:
    assert run("apply", scan, "skull").code == 0
    steps = run("apply", scan, "skin", "--keep", "--json").data["steps"]
    assert [s["name"] for s in steps][:4] == ["ct", "bone", "skull_mask", "skull"]
    assert steps[-1]["name"] == "skin"
    again = run("apply", scan, "skin", "--keep")
    assert (again.code, "already" in again.err) == (2, True)
    steps = run("apply", scan, "skin", "--json").data["steps"]
    assert [s["name"] for s in steps] == ["ct", "body", "skin_mask", "skin"]


def test_the_users_recipe_goes_before_ours(run: Run, scan: Path, own: Path, tmp_path: Path) -> None:
    content = json.loads(resource_folder("recipes").joinpath("skull.json").read_text(encoding="utf-8"))
    (own / "skull.json").write_text(json.dumps(content | {"title": "My skull"}), encoding="utf-8")
    shutil.copy(own / "skull.json", own / "mine.json")
    rows = {row["name"]: row["title"] for row in run("recipes", "--json").data}
    assert rows["skull"] == rows["mine"] == "My skull"
    assert run("apply", scan, "mine").code == 0


def test_a_name_that_is_none_is_told_with_those_that_are(run: Run, scan: Path) -> None:
    answer = run("apply", scan, "elbow")
    assert answer.code == 10
    assert "elbow does not hold a plan and is no recipe" in answer.err
    assert "rib_cage" in answer.err
