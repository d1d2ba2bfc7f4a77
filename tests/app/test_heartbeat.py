"""The window never freezes: it is watched while scans are read, segmented, surfaced and cut."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QRadioButton

from surgiplan.app.files.browser import SeriesBrowser
from surgiplan.phantoms import write_phantom
from tests.app.conftest import Person

pytestmark = pytest.mark.window
LONGEST_S = 0.100


class Heartbeat:
    """How long the window's thread worked at a stretch, without listening to the person.

    Processor time is counted, not the clock: other programs on the machine do not matter.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self.where = ""

    @contextmanager
    def beat(self, where: str) -> Iterator[None]:
        start = time.thread_time()
        yield
        worked = time.thread_time() - start
        if worked > self.longest:
            self.longest, self.where = worked, where

    def spin(self, until: Callable[[], object], where: str, seconds: float = 240.0) -> None:
        end = time.monotonic() + seconds
        rest = 20
        while rest:
            assert time.monotonic() < end, f"waited in vain: {where}"
            with self.beat(where):
                QApplication.processEvents()
            time.sleep(0.002)
            rest = rest - 1 if until() else 20


def watched_plan(person: Person, series: Path, case: Path) -> Heartbeat:
    heart, window = Heartbeat(), person.window
    window.bring(series)
    heart.spin(lambda: person.dialog(SeriesBrowser), "scan")
    dialog = person.dialog(SeriesBrowser)
    dialog.findChild(QRadioButton, "side_R").setChecked(True)
    dialog.place.path.setText(str(case))
    with heart.beat("import"):
        dialog.ok.click()
    heart.spin(lambda: window.bench is not None, "import")

    def reached(name: str) -> Callable[[], bool]:
        return lambda: person.desk.results[name].status in ("ready", "failed")

    for name in ("threshold", "surface", "cut"):
        with heart.beat(f"add {name}"):
            person.bench.add_step(name)
        if name == "cut":
            with heart.beat("place"):
                person.bench.form.editor("plane").place_button.click()
            with heart.beat("apply"):
                person.bench.form.apply()
        heart.spin(reached(name), name)
        assert person.desk.results[name].status == "ready"
    for name in ("surface", "cut"):
        with heart.beat(f"choose {name}"):
            person.desk.choose(name)
        heart.spin(lambda: True, f"choose {name}")
    return heart


def work_through(person: Person, heart: Heartbeat, path: Path) -> None:
    """Open a case (again), look at each step, drag, undo, scroll and turn."""
    window = person.window
    with heart.beat("close"):
        window.close_case()
    window.bring(path)
    heart.spin(lambda: window.bench is not None, "open again")
    bench, desk = person.bench, person.desk
    heart.spin(lambda: not desk.pending, "open again")
    for name in desk.plan.names:
        with heart.beat(f"choose {name}"):
            desk.choose(name)
        heart.spin(lambda: not desk.pending, f"choose {name}")
    with heart.beat("add move"):
        bench.add_step("move")
    with heart.beat("place"):
        bench.form.editor("pose").place_button.click()
    heart.spin(lambda: not desk.pending, "move")
    x, y = bench.hand.grip_pixel(bench.view3d, "S-I", "shift")
    assert bench.hand.press(bench.view3d, x, y)
    for n in range(1, 9):
        with heart.beat("drag"):
            bench.hand.move(x, y - 4 * n)
        heart.spin(lambda: True, "drag")
    with heart.beat("drop"):
        bench.hand.release()
    for what, act in (("undo", bench.undo), ("redo", desk.redo)):
        with heart.beat(what):
            act()
        heart.spin(lambda: not desk.pending, what)
    for axis, view in bench.slices.items():
        with heart.beat(f"scroll {axis}"):
            person.press_key(view, Qt.Key.Key_PageUp)
    with heart.beat("turn"):
        bench.view3d.look("left")
    heart.spin(lambda: True, "turn")


def test_no_freeze_on_a_small_case(make_person, ellipsoid_series: Path, tmp_path: Path) -> None:
    person = make_person(painted=True)
    heart = watched_plan(person, ellipsoid_series, tmp_path / "a.surgiplan")
    work_through(person, heart, person.desk.path)
    assert heart.longest <= LONGEST_S, heart.where


@pytest.mark.slow
def test_no_freeze_on_the_femur(make_person, tmp_path: Path, record_property) -> None:
    series = write_phantom("femur", tmp_path / "femur", noise_hu=10)
    person = make_person(painted=True)
    heart = watched_plan(person, series, tmp_path / "a.surgiplan")
    work_through(person, heart, person.desk.path)
    record_property("longest_ms", 1000 * heart.longest)
    assert heart.longest <= LONGEST_S, heart.where


@pytest.mark.slow
def test_no_freeze_on_the_demo_case(make_person, tmp_path: Path, record_property) -> None:
    """The femur that `surgiplan demo` leaves, with implants, collisions and measurements."""
    command = [sys.executable, "-m", "surgiplan", "demo", "--out", str(tmp_path / "demo")]
    subprocess.run(command, check=True, capture_output=True)
    person, heart = make_person(painted=True), Heartbeat()
    work_through(person, heart, tmp_path / "demo/femur.surgiplan")
    record_property("longest_ms", 1000 * heart.longest)
    assert heart.longest <= LONGEST_S, heart.where
