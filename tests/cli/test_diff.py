"""`diff`: cases, plan files and revisions beside each other, in words and as data."""

import shutil
from pathlib import Path

import pytest

from surgiplan.casefile import CaseFile
from surgiplan.ops import OPERATIONS
from surgiplan.session import Session
from surgiplan.values import Label
from tests.cli.conftest import Run
from tests.ops.shapes import CENTRE

X, Y, Z = CENTRE


@pytest.fixture
def sawn(run: Run, case: Path) -> Path:
    plane = f"{X},{Y},{Z};0,0,1"
    assert run("add", case, "cut", "saw", "--part", "ball", "--plane", plane, "--kerf", 1).code == 0
    return case


def moved(run: Run, case: Path) -> None:
    assert run("edit", case, "saw", "--plane", f"{X},{Y},{Z + 1.8};0,0.054,1").code == 0


WORDS = "plane moved 1.8 mm / 3.1 degrees (towards superior, tilted about the left-right axis)"


def test_two_revisions_of_a_case(run: Run, sawn: Path) -> None:
    moved(run, sawn)
    numbers = [int(n) for n in run("diff", sawn, "--from", 99).err.split("; ")[-1].split()[:1]]
    answer = run("diff", sawn, "--from", numbers[0] - 1)
    assert answer.code == 0, answer.err
    assert f"  {WORDS}\n" in answer.out
    assert "-> saw.a volume -" in answer.out
    step = run("diff", sawn, "--from", numbers[0] - 1, "--to", numbers[0], "--json").data["steps"][0]
    assert (step["kind"], step["name"]) == ("changed", "saw")
    assert step["changes"][0]["degrees"] == pytest.approx(3.09, abs=0.01)
    volume = next(one for one in step["results"] if one["what"] == "saw.a volume")
    assert volume["change"] == pytest.approx(volume["now"] - volume["before"])
    assert volume["unit"] == "cm³"


def test_an_undone_revision_can_still_be_compared(run: Run, sawn: Path) -> None:
    moved(run, sawn)
    assert run("undo", sawn).code == 0
    told = run("diff", sawn, "--from", 0).err
    last = int(told.split("; ")[-1].split()[0])
    assert WORDS in run("diff", sawn, "--to", last).out


def test_two_cases_and_a_plan_file(run: Run, sawn: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.surgiplan"
    shutil.copy(sawn, other)
    moved(run, other)
    assert WORDS in run("diff", sawn, other).out
    file = tmp_path / "plan.json"
    file.write_text(run("plan", other).out)
    answer = run("diff", sawn, file)
    assert WORDS in answer.out
    assert "not known for saw" in answer.out, "this case has never computed it"
    assert "-> saw.a volume -" in run("diff", sawn, file, "--compute").out
    assert "The plans are the same" in run("diff", other, file).out
    assert run("diff", other, file, "--json").data["same"]


def test_labels_and_notes_are_in_a_plan_file(run: Run, sawn: Path, tmp_path: Path) -> None:
    session = Session(CaseFile.open(sawn), OPERATIONS)
    label = Label(title="First cut", colour="#E69F00")
    session.commit(session.plan.annotate("saw", note="spare the nerve", label=label), "words")
    session.close()
    file = tmp_path / "plan.json"
    file.write_text(run("plan", sawn).out)
    assert run("diff", sawn, file, "--json").data["same"]


def test_a_locked_case_can_be_compared_and_is_left_as_it_was(run: Run, sawn: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.surgiplan"
    shutil.copy(sawn, other)
    moved(run, other)
    assert run("approve", sawn, "--by", "A. Surgeon").code == 0
    before = sawn.read_bytes()
    assert "-> saw.a volume -" in run("diff", sawn, other, "--compute").out
    assert sawn.read_bytes() == before


def test_what_cannot_be_compared_is_said(run: Run, sawn: Path, tmp_path: Path) -> None:
    for words, code in (
        ((sawn,), 2),
        ((sawn, sawn), 2),
        ((sawn, tmp_path / "none.json"), 10),
        ((tmp_path / "none.surgiplan", sawn), 13),
        ((tmp_path / "plan.json", "--from", "1"), 2),
        ((sawn, tmp_path / "plan.json", "--from", "1"), 2),
    ):
        assert run("diff", *words).code == code, words
