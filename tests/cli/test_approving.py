"""lock, unlock, approve: every verb that would change the plan is refused, and verify knows the approval."""

from pathlib import Path

import apsw
import pytest

from surgiplan.casefile import CaseFile
from surgiplan.ops import OPERATIONS
from surgiplan.values import Pose
from tests.cli.conftest import Run


@pytest.fixture
def edited(run: Run, case: Path) -> Path:
    """A case with somewhere to go for undo and redo."""
    for low in (600, 700):
        assert run("edit", case, "mask", "--low", low).code == 0
    assert run("undo", case).code == 0
    return case


def state(case: Path) -> tuple[object, ...]:
    file = CaseFile.open(case, read_only=True)
    try:
        return file.head(), file.fact("side"), [e.digest for e in file.entries()], sorted(file.blobs())
    finally:
        file.close()


@pytest.mark.parametrize("approved", [False, True], ids=["locked", "approved"])
def test_every_verb_that_changes_the_plan_is_refused(
    run: Run, edited: Path, ball_series: Path, tmp_path: Path, approved: bool
) -> None:
    recipe = tmp_path / "plan.json"
    recipe.write_text(run("plan", edited).out.replace("600", "650"))
    words = ("approve", edited, "--by", "A. Surgeon") if approved else ("lock", edited, "--why", "sent")
    assert run(*words).code == 0
    before = state(edited)
    for verb in (
        ("add", edited, "smooth", "soft", "--part", "ball"),
        ("add", edited, "threshold", "more", "--volume", "ct", "--suggest", "otsu"),
        ("edit", edited, "mask", "--low", "550"),
        ("remove", edited, "ball"),
        ("undo", edited),
        ("redo", edited),
        ("import", ball_series, "--case", edited, "--name", "again"),
        ("apply", edited, recipe),
        ("lock", edited, "--why", "twice"),
    ):
        answer = run(*verb)
        assert answer.code == 13, verb
        assert "Unlock the plan" in answer.err, verb
        assert state(edited) == before, verb
    for verb in (
        ("show", edited),
        ("verify", edited),
        ("export", edited, "ball", "--to", tmp_path / "b.stl"),
    ):
        assert run(*verb).code == 0, verb
    assert run("unlock", edited, "--why", "to go on").code == 0
    assert run("redo", edited).code == 0


def test_a_lock_needs_a_reason_and_an_approval_a_name(run: Run, case: Path) -> None:
    assert run("lock", case).code == 2
    assert run("lock", case, "--why", " ").code == 2
    assert run("approve", case).code == 2
    assert run("unlock", case, "--why", "no need").code == 2


def test_approving_says_what_was_approved_and_unlocking_that_it_is_void(run: Run, case: Path) -> None:
    told = run("approve", case, "--by", "A. Surgeon", "--json").data
    assert told["approved"]
    assert told["by"] == "A. Surgeon"
    assert set(told["results"]) == {"ct", "mask", "ball"}
    assert f"plan {told['plan']}" in run("verify", case).out
    assert "approval is void" in run("unlock", case, "--why", "margin").out
    assert run("verify", case).out.strip().endswith("not approved")


def test_a_plan_that_waits_for_a_hand_is_not_approved(run: Run, case: Path) -> None:
    assert run("add", case, "cut", "saw", "--part", "ball").code == 12
    assert run("approve", case, "--by", "A. Surgeon").code == 12
    assert run("remove", case, "saw").code == 0, "it is not locked"


def test_verify_tells_by_how_much_a_shape_differs_from_the_approved_one(
    run: Run, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("approve", case, "--by", "A. Surgeon").code == 0
    rows = run("verify", case, "--json").data["steps"]
    assert [row["approval"] for row in rows] == ["same"] * 3
    surface = OPERATIONS["surface"]
    made = surface.run

    def shifted(self: object, *given: object, **named: object) -> object:
        part = made(self, *given, **named)  # type: ignore[arg-type]
        return type(part)(part.mesh, Pose.of_shift((0.25, 0, 0)), part.frame_uid)

    monkeypatch.setattr(surface, "run", shifted)
    answer = run("verify", case)
    assert answer.code == 11
    assert "its surface by up to 0.25" in answer.out
    row = run("verify", case, "--json").data["steps"][2]
    assert row["approval"] == "differs"
    assert row["moved_mm"] == pytest.approx(0.25, abs=0.01)


def test_a_damaged_lock_is_found_by_verify(run: Run, case: Path) -> None:
    assert run("lock", case, "--why", "sent").code == 0
    db = apsw.Connection(str(case))
    db.execute("DELETE FROM name WHERE name = 'lock'")
    db.close()
    answer = run("verify", case)
    assert answer.code == 13
    assert "changed by another program" in answer.err
