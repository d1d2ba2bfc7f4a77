"""Plans beside each other in the window: two lines of the history, another case, a plan file."""

import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton

from surgiplan.app.panels.comparing import CompareDialog, chosen_revisions
from surgiplan.casefile import CaseFile
from surgiplan.ops import OPERATIONS
from surgiplan.plan.operation import Ref
from surgiplan.values import Plane
from tests.app.conftest import Person

pytestmark = pytest.mark.window
MOVED = "plane moved 1.8 mm / 3.1 degrees (towards superior, tilted about the left-right axis)"


@pytest.fixture
def sawing(at_work: Person) -> Person:
    """A person who has cut a bone, computed it, and then moved the cut."""
    desk = at_work.desk
    cut = OPERATIONS["cut"](part=Ref("bone"), plane=Plane((0, 0, 0), (0, 0, 1)))
    assert desk.commit(desk.kept.add("saw", cut), "add saw")
    at_work.wait_for("saw")
    assert desk.commit(desk.kept.edit("saw", plane=Plane((0, 0, 1.8), (0, 0.0542, 1))), "place plane of saw")
    at_work.wait_for("saw")
    at_work.wait(lambda: desk.evidence("saw") is not None, "the evidence")
    return at_work


def asked(person: Person) -> CompareDialog:
    person.wait(lambda: person.dialog(CompareDialog), "the dialog")
    dialog = person.dialog(CompareDialog)
    assert isinstance(dialog, CompareDialog)
    return dialog


def test_the_last_change_is_compared_at_once(sawing: Person) -> None:
    sawing.window.act("compare_plans")
    dialog = asked(sawing)
    text = dialog.page.toPlainText()
    assert MOVED in text
    assert "→ saw.a volume -0.14" in text
    assert "add saw" in dialog.before.currentText()
    assert "place plane of saw  (present)" in dialog.now.currentText()
    dialog.before.setCurrentIndex(0)
    assert "saw (cut) added" in dialog.page.toPlainText()
    dialog.now.setCurrentIndex(0)
    assert "The plans are the same." in dialog.page.toPlainText()
    dialog.reject()


def test_two_lines_of_the_history_are_compared(sawing: Person) -> None:
    history = sawing.bench.history
    history.list.clearSelection()
    for row in (0, 2):  # the newest and the first
        history.list.item(row).setSelected(True)
    assert history.chosen == [0, 2]
    button = history.findChild(QPushButton, "history_compare")
    sawing.click(button)
    dialog = asked(sawing)
    assert "made for a test" in dialog.before.currentText()
    assert "saw (cut) added" in dialog.page.toPlainText()
    dialog.reject()
    case = sawing.desk.session.case
    ids = [one.id for one in case.history()][1:]
    assert chosen_revisions(case, [1]) == (ids[1], None)
    assert chosen_revisions(case, []) == (None, None)


def test_another_case_and_a_plan_file_join_the_lists(sawing: Person, tmp_path: Path) -> None:
    other = tmp_path / "other.surgiplan"
    sawing.desk.session.pursue().result(30)
    shutil.copy(sawing.desk.path, other)  # through SQLite's own lock a copy is whole between two commits
    changed = CaseFile.open(other)
    steps = [step.text.replace('"kerf":1.0', '"kerf":2.5') for step in sawing.desk.kept.steps]
    changed.commit(steps, "wider")
    changed.close()
    sawing.window.act("compare_plans")
    dialog = asked(sawing)
    dialog.add(other)
    assert dialog.now.currentText() == "other.surgiplan"
    dialog.before.setCurrentIndex(dialog.now.count() - 2)
    assert "kerf +1.50 mm (1.00 -> 2.50)" in dialog.page.toPlainText()
    assert "not known for saw" in dialog.page.toPlainText()
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"steps": [json.loads(text) for text in steps]}))
    dialog.add(file)
    assert "kerf +1.50 mm" in dialog.page.toPlainText()
    dialog.reject()
    sawing.let_be()
    CaseFile.open(other).close()


def test_what_cannot_be_compared_is_said_and_the_file_stays_held(sawing: Person, tmp_path: Path) -> None:
    sawing.window.act("compare_plans")
    dialog = asked(sawing)
    dialog.add(sawing.desk.path)
    assert "is the open case" in dialog.problem.text()
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    dialog.add(bad)
    assert "does not hold a plan" in dialog.problem.text()
    dialog.add(tmp_path / "none.surgiplan")
    assert "no such file" in dialog.problem.text()
    dialog.reject()
    with pytest.raises(Exception, match="in use elsewhere"):
        CaseFile.open(sawing.desk.path)


def test_a_locked_plan_can_be_compared(sawing: Person) -> None:
    sawing.bench.locking.lock("sent")
    assert sawing.window.actions_by_name["compare_plans"].isEnabled()
    sawing.window.act("compare_plans")
    dialog = asked(sawing)
    assert MOVED in dialog.page.toPlainText()
    dialog.reject()
