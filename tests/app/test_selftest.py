"""The selftest in the window: it runs beside it, can be stopped, and its table can be copied."""

import tempfile
import time
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from surgiplan.app.panels.selftest import SelftestDialog
from surgiplan.selftest import ROWS, Figure, Outcome, Row
from tests.app.conftest import Person

pytestmark = pytest.mark.window
BRISK = [row for row in ROWS if row.key in ("3", "8", "36")]


def dialog_of(person: Person, rows: list[Row]) -> SelftestDialog:
    dialog = SelftestDialog(person.window, rows)
    dialog.show()
    person.let_be()
    return dialog


def cell(dialog: SelftestDialog, row: int, column: int) -> str:
    item = dialog.table.item(row, column)
    assert item is not None
    return item.text()


def test_the_help_menu_opens_one(person: Person) -> None:
    person.menu("Help", "Selftest")
    person.menu("Help", "Selftest")
    (dialog,) = person.window.findChildren(SelftestDialog)
    assert dialog.isVisible()
    assert not dialog.copy_button.isEnabled()


def test_rows_come_one_by_one_and_can_be_copied(
    person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dialog = dialog_of(person, BRISK)
    person.click(dialog.start_button)
    assert not dialog.start_button.isEnabled()
    person.wait(dialog.start_button.isEnabled, "the end of the selftest")
    assert dialog.bar.text == "3 rows hold"
    assert [cell(dialog, n, 0) for n in range(3)] == ["3", "8", "36"]
    assert [cell(dialog, n, 1) for n in range(3)] == [one.verdict for one in dialog.outcomes] == ["PASS"] * 3
    assert "HU (<= 0.5)" in cell(dialog, 0, 4)
    person.click(dialog.copy_button)
    text = QGuiApplication.clipboard().text()
    assert "| 3 | Grey values are what was stored |" in text
    assert "| 36 |" in text
    assert list(tmp_path.iterdir()) == []


def test_stop_is_heard_within_a_second(
    person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dialog = dialog_of(person, [row for row in ROWS if row.key in ("3", "4", "6")])
    person.click(dialog.start_button)
    person.wait(lambda: dialog.outcomes, "the first row")
    started = time.monotonic()
    dialog.bar.stopped.emit()
    person.wait(dialog.start_button.isEnabled, "the stop", 5)
    assert time.monotonic() - started < 1.0
    assert dialog.bar.text == "Stopped"
    assert len(dialog.outcomes) < 3
    assert list(tmp_path.iterdir()) == []


def test_closing_the_window_ends_it(person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dialog = dialog_of(person, [row for row in ROWS if row.key == "4"])
    person.click(dialog.start_button)
    person.wait(lambda: list(tmp_path.iterdir()), "the folder of the selftest")
    person.window.close()
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_does_not_hold_is_told(person: Person) -> None:
    dialog = dialog_of(person, BRISK)
    row = Row("0", "a promise", "<= 1 mm", "", lambda bench: [])
    dialog.measured.emit(Outcome(row, (Figure("shift", 1.5, 1.0),)))
    dialog._on_done(None)
    assert cell(dialog, 0, 1) == "FAIL"
    assert cell(dialog, 0, 4) == "shift 1.5 mm (<= 1)"
    assert dialog.bar.text == "Rows 0 do not hold: do not plan with this installation"
