"""What must always be there, what must never happen, and the faults nobody foresaw."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QLabel, QMessageBox, QWidget

from surgiplan import SAFETY_LINE
from surgiplan.app import faults, theme
from surgiplan.app.jobs import Jobs
from surgiplan.app.keys import ACTIONS, MENUS, KeysDialog
from surgiplan.errors import BadInput, Cancelled
from tests.app.conftest import Person

pytestmark = pytest.mark.window


def test_the_safety_line_is_always_visible(person: Person, small_case: Path) -> None:
    line = person.window.findChild(QLabel, "banner_safety")
    assert line.text() == SAFETY_LINE
    for open_case in (False, True):
        if open_case:
            person.window.bring(small_case)
            person.wait(lambda: person.window.bench is not None)
            for name in ("3d", "axial", ""):
                person.bench.show_alone(name)
                assert line.isVisible()
        assert line.isVisible()
        assert line.visibleRegion().boundingRect().width() >= line.sizeHint().width() - 2


def test_the_banner_tells_patient_and_side_in_word_and_place(at_work: Person) -> None:
    banner = at_work.window.banner
    assert banner.side == "LEFT ▶"
    assert banner.patient.startswith("Doe, Jane")
    at_work.desk.set_side("R")
    assert banner.side == "◀ RIGHT"
    assert at_work.desk.scene.captions.side == "RIGHT"
    at_work.desk.set_side("")
    assert banner.side == "side not set"


def test_every_view_and_button_has_a_name_to_be_read_out(at_work: Person) -> None:
    for view in at_work.bench.views.values():
        assert view.accessibleName()
    nameless = [
        b.objectName()
        for b in at_work.window.findChildren(QAbstractButton)
        if b.isVisible()
        and not (b.text() or b.accessibleName() or b.objectName().startswith("qt_"))
        and type(b).__module__.startswith("surgiplan")
    ]
    assert nameless == []


def test_actions_are_named_once_and_shortcuts_do_not_clash(person: Person) -> None:
    names = [name for name, *_ in ACTIONS]
    assert len(set(names)) == len(names)
    used = [key.strip() for _, _, keys, _ in ACTIONS for key in keys.split(";") if key.strip()]
    assert len(set(used)) == len(used)
    listed = [n for _, entries in MENUS for n in entries if n[0] not in "*-"]
    assert sorted(listed) == sorted(names)
    for name in names:
        assert person.window.findChild(QObject, name) is person.window.actions_by_name[name]


def test_without_a_case_only_what_makes_sense_is_offered(person: Person) -> None:
    able = {n for n, a in person.window.actions_by_name.items() if a.isEnabled()}
    always = {
        "new",
        "open_dicom",
        "open_file",
        "open_case",
        "quit",
        "full_screen",
        "help_keys",
        "selftest",
        "about",
    }
    assert able == always


def contrast(a: str, b: str) -> float:
    def light(colour: str) -> float:
        given = QColor(colour).getRgbF()[:3]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in given]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        (theme.TEXT, theme.WINDOW, 7),
        (theme.TEXT, theme.BASE, 7),
        (theme.SECONDARY, theme.WINDOW, 4.5),
        (theme.BANNER_TEXT, theme.BANNER, 4.5),
        (theme.BANNER_TEXT, theme.ERROR, 4.5),
        (theme.WARNING_TEXT, theme.WARNING, 4.5),
        ("#FFFFFF", theme.ACCENT, 4),
        *[(colour, theme.BASE, 4.5) for colour in theme.STATUS_COLOURS.values()],
        *[(colour, "#000000", 4.5) for colour in theme.PLANE_COLOURS.values()],
    ],
)
def test_words_can_be_read_on_their_ground(text: str, ground: str, least: float) -> None:
    assert contrast(text, ground) >= least


def test_an_unforeseen_fault_is_told_and_logged_without_patient_data(
    at_work: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "faults.log"
    monkeypatch.setattr(faults, "log_path", lambda: log)
    for handler in list(faults._LOG.handlers):
        faults._LOG.removeHandler(handler)
    try:
        raise RuntimeError("Doe^Jane /home/doe/secret")
    except RuntimeError as problem:
        at_work.window.faults.take(problem)
    at_work.wait(lambda: at_work.window.findChild(QMessageBox, "message"), "the message")
    text = at_work.window.findChild(QMessageBox, "message").text()
    assert "A fault in surgiplan (RuntimeError)" in text
    assert "safe in small.surgiplan" in text
    assert "Traceback" not in text
    assert "Doe" not in text
    kept = log.read_text()
    assert "RuntimeError at test_window.py" in kept
    assert "Doe" not in kept
    assert "secret" not in kept


def test_what_the_user_can_put_right_is_told_as_it_stands(person: Person) -> None:
    person.window.faults.take(BadInput("slice 7 is missing: ask for the whole series"))
    box = person.window.findChild(QMessageBox, "message")
    assert box.text() == "slice 7 is missing: ask for the whole series"


def test_the_excepthook_is_ours_while_we_run_and_given_back(make_person) -> None:
    person, before = make_person(), sys.excepthook
    person.window.faults.catch()
    assert sys.excepthook is not before
    person.close()
    assert sys.excepthook is before


def test_closing_while_computing_is_clean(make_person, small_case: Path) -> None:
    person = make_person()
    person.window.bring(small_case)
    person.wait(lambda: person.window.bench is not None)
    person.bench.add_step("collide")
    threads = threading.active_count()
    person.close()
    assert threading.active_count() <= threads
    assert not [t for t in threading.enumerate() if t.name in ("evaluator", "frames")]


def test_jobs_answer_on_the_thread_of_the_window_one_after_the_other(qtbot) -> None:
    jobs, seen = Jobs(), []

    def in_window() -> bool:
        return threading.current_thread() is threading.main_thread()

    def task(report):
        report(0.5, "half")
        return in_window()

    for n in range(3):
        jobs.start(
            f"job {n}",
            task,
            lambda result, n=n: seen.append((n, result, in_window())),
            seen.append,
        )
    with qtbot.waitSignal(jobs.idle, timeout=5000):
        pass
    assert seen == [(n, False, True) for n in range(3)]


def test_a_job_that_is_stopped_or_fails_tells_why(qtbot) -> None:
    jobs, seen, running = Jobs(), [], threading.Event()

    def endless(report):
        while True:
            running.set()
            report(0.1, "")

    jobs.start("endless", endless, seen.append, seen.append)
    running.wait(5)
    with qtbot.waitSignal(jobs.idle, timeout=5000):
        jobs.cancel()
    assert isinstance(seen[0], Cancelled)

    def fails(report):
        raise BadInput("no")

    with qtbot.waitSignal(jobs.idle, timeout=5000):
        jobs.start("fails", fails, seen.append, seen.append)
    assert str(seen[1]) == "no"


def test_the_binding_does_not_lose_references_to_none() -> None:
    """PySide6 6.12.0 gives one reference to None away in every void call, and Python 3.11 then dies."""
    code = (
        "import sys; from PySide6.QtCore import QObject; o = QObject(); before = sys.getrefcount(None);"
        "[o.setObjectName('x') for _ in range(2000)]; print(sys.getrefcount(None) - before)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(told.stdout) > -1000


def test_the_window_fits_a_laptop(at_work: Person) -> None:
    at_work.window.resize(1280, 720)
    at_work.let_be()
    assert at_work.window.width() <= 1280
    assert at_work.window.height() <= 720
    for view in at_work.bench.views.values():
        assert view.width() >= 200


def test_keys_page_lists_every_shortcut(person: Person) -> None:
    person.press_key(person.window, Qt.Key.Key_F1)
    text = person.window.findChild(KeysDialog).page.toPlainText()
    assert "Ctrl+Z" in text
    assert "crosshair" in text


def test_focus_goes_through_the_views_by_tab(at_work: Person) -> None:
    views: list[QWidget] = list(at_work.bench.views.values())
    assert all(view.focusPolicy() & Qt.FocusPolicy.TabFocus for view in views)
