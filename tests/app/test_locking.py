"""A locked plan in the window: nothing of it can be changed, and it says why and how it could be."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from surgiplan.app.panels.locking import SayingDialog
from surgiplan.casefile import CaseFile
from surgiplan.errors import Locked
from surgiplan.ops import OPERATIONS
from surgiplan.plan.operation import Ref
from surgiplan.values import Plane
from tests.app.conftest import Person

pytestmark = pytest.mark.window


@pytest.fixture
def cutting(at_work: Person) -> Person:
    """A person who has placed a cut and looks at its form."""
    desk = at_work.desk
    cut = OPERATIONS["cut"](part=Ref("bone"), plane=Plane((0, 0, 0), (0, 0, 1)))
    assert desk.commit(desk.kept.add("saw", cut), "add saw")
    at_work.wait_for("saw")
    desk.choose("saw")
    at_work.let_be()
    return at_work


def say(person: Person, action: str, **words: str) -> None:
    person.window.act(action)
    person.wait(lambda: person.dialog(SayingDialog), action)
    dialog = person.dialog(SayingDialog)
    assert not dialog.ok.isEnabled(), "something has to be said first"
    for name, text in words.items():
        getattr(dialog, f"{name}_box").setText(text)
    person.click(dialog.ok)


def test_a_locked_plan_is_shown_and_cannot_be_touched(cutting: Person) -> None:
    bench, desk = cutting.bench, cutting.desk
    assert not bench.lock_bar.isVisible()
    plane = bench.form.editor("plane")
    cutting.click(plane.place_button)
    assert bench.hand.active
    say(cutting, "lock", why="sent to the printer", by="B. Engineer")
    assert bench.lock_bar.isVisible()
    words = bench.lock_bar.words.text()
    assert "Locked by B. Engineer" in words
    assert "sent to the printer" in words
    assert "Plan > Unlock plan" in words
    assert "(locked)" in cutting.window.banner._case.text()
    assert not bench.hand.active, "the handles are off"
    assert not plane.isEnabled()
    assert not bench.form.apply_button.isVisible()
    assert not bench.steps.add_button.isEnabled()
    for name in ("undo", "redo", "remove", "note", "add_step", "apply", "side", "lock"):
        assert not cutting.window.actions_by_name[name].isEnabled(), name
    for name in ("unlock", "approve", "export", "report"):
        assert cutting.window.actions_by_name[name].isEnabled(), name
    assert desk.lock is not None


def test_no_way_of_the_window_changes_a_locked_plan(cutting: Person) -> None:
    bench, desk, window = cutting.bench, cutting.desk, cutting.window
    desk.session.case.put_lock("sent")
    desk.refresh()
    before, refused = desk.kept, list[Exception]()
    desk.refused.disconnect(window.faults.take)
    desk.refused.connect(refused.append)
    other = before.edit("saw", kerf=3.0)
    assert not desk.commit(other, "wider")
    desk.draft(other)
    desk.undo()
    desk.redo()
    desk.set_side("R")
    assert [type(one) for one in refused] == [Locked] * 5
    bench.add_step("smooth")
    window.act("remove")
    bench._place("plane")
    assert not bench.hand.active
    bench.history.list.itemDoubleClicked.emit(bench.history.list.item(bench.history.list.count() - 1))
    assert desk.plan == desk.kept == before
    assert desk.side == "L"
    assert desk.session.case.head().steps == tuple(step.text for step in before.steps)


def test_what_was_begun_is_kept_before_the_lock(cutting: Person) -> None:
    form = cutting.bench.form
    kerf = form.editor("kerf")
    kerf.show_value(2.0)
    form._on_edited("kerf")
    assert form.dirty
    cutting.bench.locking.lock("sent")
    assert not form.dirty
    assert cutting.desk.kept["saw"].operation.kerf == 2.0
    assert cutting.desk.lock is not None


def test_unlocking_gives_everything_back(cutting: Person) -> None:
    cutting.bench.locking.lock("sent")
    cutting.click(cutting.bench.lock_bar.findChild(QPushButton, "lock_bar_unlock"))
    cutting.wait(lambda: cutting.dialog(SayingDialog))
    dialog = cutting.dialog(SayingDialog)
    dialog.why_box.setText("printer was wrong")
    cutting.click(dialog.ok)
    assert not cutting.bench.lock_bar.isVisible()
    assert cutting.bench.form.editor("plane").isEnabled()
    assert cutting.window.actions_by_name["undo"].isEnabled()
    assert cutting.desk.session.case.entries()[-1].details["why"] == "printer was wrong"


def test_approving_computes_freezes_and_shows(cutting: Person, small_case: Path) -> None:
    say(cutting, "approve", by="A. Surgeon")
    cutting.wait(lambda: cutting.desk.lock is not None, "the approval")
    lock = cutting.desk.lock
    assert lock is not None
    assert set(lock.results) == {"ct", "bone", "plate", "saw.a", "saw.b", "saw.kerf"}
    assert "Approved by A. Surgeon" in cutting.bench.lock_bar.words.text()
    assert "voids the approval" in cutting.bench.lock_bar.words.text()
    assert "(approved)" in cutting.window.banner._case.text()
    assert not cutting.window.actions_by_name["approve"].isEnabled()
    cutting.close()
    case = CaseFile.open(small_case)
    assert case.lock == lock
    case.close()


def test_a_locked_case_opens_locked(person: Person, small_case: Path) -> None:
    case = CaseFile.open(small_case)
    case.approve("A. Surgeon", {})
    case.close()
    person.window.bring(small_case)
    person.wait(lambda: person.window.bench is not None, "the case")
    person.wait_for("bone")
    assert person.bench.lock_bar.isVisible()
    assert not person.desk.writable
    person.press_key(person.window, Qt.Key.Key_Delete)
    assert len(person.desk.kept.steps) == 3
