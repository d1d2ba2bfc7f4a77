"""A person at the real window: clicks, drags, types and waits, with or without a display."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QRadioButton, QWidget

from surgiplan.app import start
from surgiplan.app.files.browser import SeriesBrowser
from surgiplan.app.window import Window
from surgiplan.casefile import CaseFile
from surgiplan.ops import OPERATIONS
from surgiplan.phantoms import write_phantom
from surgiplan.plan.plan import Plan
from surgiplan.values import Grid, Mesh, Part, Volume, encode, given_away


def has_display() -> bool:
    return QGuiApplication.platformName() != "offscreen"


class Person:
    """Uses a window as a person does."""

    def __init__(self, window: Window) -> None:
        self.window, self.closed = window, False

    # --- waiting

    def let_be(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            QApplication.sendPostedEvents()
            QApplication.processEvents()

    def wait(self, until: Callable[[], object], what: str = "", seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
            QApplication.processEvents()
            time.sleep(0.002)
        self.let_be()

    def wait_for(self, step: str, status: str = "ready", seconds: float = 60.0) -> None:
        def reached() -> bool:
            result = self.desk.results.get(step)
            return result is not None and result.status == status

        self.wait(reached, f"{step} {status}, is {self.desk.results.get(step)}", seconds)

    @property
    def bench(self):
        assert self.window.bench is not None
        return self.window.bench

    @property
    def desk(self):
        return self.bench.desk

    # --- hands

    def click(self, widget: QWidget, at: tuple[float, float] | None = None, button=Qt.MouseButton.LeftButton):
        assert widget.isVisible(), f"{widget.objectName()} cannot be seen"
        assert widget.isEnabled(), f"{widget.objectName()} cannot be used"
        place = widget.rect().center() if at is None else QPoint(round(at[0]), round(at[1]))
        QTest.mouseClick(widget, button, Qt.KeyboardModifier.NoModifier, place)
        self.let_be()

    def menu(self, *titles: str) -> None:
        """Click through the menu bar, such as ("Step", "Segment", "Threshold")."""
        bar = self.window.menuBar()
        action = _titled(bar.actions(), titles[0])
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.actionGeometry(action).center())
        self.let_be()
        for title in titles[1:]:
            menu = action.menu()
            assert isinstance(menu, QMenu)
            self.wait(menu.isVisible, f"the menu {menu.title()}", 5)
            action = _titled(menu.actions(), title)
            assert action.isEnabled(), f"{title} is grey: {action.toolTip()}"
            place = menu.actionGeometry(action).center()
            QTest.mouseMove(menu, place)
            if action.menu() is None:
                QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=place)
            else:  # opens by itself under a real window system, by a click without one
                if not has_display():
                    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=place)
                self.wait(action.menu().isVisible, f"the menu {title}", 5)
            self.let_be()

    def type_number(self, box: QWidget, number: float) -> None:
        box.setFocus()
        box.selectAll()
        QTest.keyClicks(box, f"{number:g}")
        QTest.keyClick(box, Qt.Key.Key_Return)
        self.let_be()

    def press_key(self, widget: QWidget, key: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        self.window.activateWindow()  # a closed menu leaves no window active without a display
        QTest.qWaitForWindowActive(self.window, 1000)
        self.let_be()
        QTest.keyClick(widget, key, modifier)
        self.let_be()

    def drag(
        self,
        view: QWidget,
        start: tuple[float, float],
        end: tuple[float, float],
        button=Qt.MouseButton.LeftButton,
        modifier=Qt.KeyboardModifier.NoModifier,
        release: bool = True,
        steps: int = 8,
    ) -> None:
        a, b = QPointF(*start), QPointF(*end)
        QTest.mouseMove(view, a.toPoint())
        QTest.mousePress(view, button, modifier, a.toPoint())
        self.let_be(1)
        for n in range(1, steps + 1):
            QTest.mouseMove(view, (a + (b - a) * (n / steps)).toPoint())
            self.let_be(1)
        if release:
            QTest.mouseRelease(view, button, modifier, b.toPoint())
            self.let_be()

    def click_step(self, name: str) -> None:
        tree = self.bench.steps.tree
        place = tree.visualItemRect(self.bench.steps.item(name)).center()
        QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, place.y()))
        self.let_be()

    # --- errands

    def import_series(self, folder: Path, case: Path, side: str = "R") -> None:
        self.window.bring(folder)
        self.wait(lambda: self.dialog(SeriesBrowser), "the list of series")
        dialog = self.dialog(SeriesBrowser)
        assert not dialog.ok.isEnabled()
        self.click(dialog.findChild(QRadioButton, f"side_{side or 'none'}"))
        dialog.place.path.setText(str(case))
        self.click(dialog.ok)
        self.wait(lambda: self.window.bench is not None, "the case")
        self.wait_for(self.desk.plan.steps[0].name)

    def dialog(self, kind: type[QDialog] = QDialog):
        found = [d for d in self.window.findChildren(kind) if d.isVisible()]
        return found[0] if found else None

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.window.close()
        self.let_be()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()


def _titled(actions: list[QAction], title: str) -> QAction:
    found = [a for a in actions if a.text().replace("&", "").rstrip(".") == title]
    assert found, f"no {title} among {[a.text() for a in actions]}"
    return found[0]


@pytest.fixture(scope="session", autouse=True)
def _quiet_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["SURGIPLAN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def look(qapp: QApplication) -> QApplication:
    return start.application_of([])


@pytest.fixture
def make_person(look: QApplication, tmp_path: Path) -> Iterator[Callable[..., Person]]:
    people: list[Person] = []

    def make(painted: bool | None = None, **more: object) -> Person:
        settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
        window = Window(painted=not has_display() if painted is None else painted, settings=settings, **more)
        window.resize(1280, 860)
        window.show()
        window.activateWindow()
        QTest.qWaitForWindowExposed(window)
        people.append(Person(window))
        return people[-1]

    yield make
    for person in people:
        person.close()


@pytest.fixture
def person(make_person: Callable[..., Person]) -> Person:
    return make_person()


@pytest.fixture(scope="session")
def ellipsoid_series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CT whose folder has letters that have broken other programs."""
    return write_phantom("ellipsoid", tmp_path_factory.mktemp("dicom") / "Müller Ängström 患者")


def box_part(size: tuple[float, float, float], centre: tuple[float, float, float]) -> Part:
    """A closed box, LPS mm."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))]
    return Part(Mesh(corners * size + np.asarray(centre), np.asarray(triangles, np.int32)))


def asymmetric_volume() -> Volume:
    """Air with a bright block on the patient's left, behind and above; no two axes are alike."""
    voxels = np.full((42, 34, 26), -1000, np.int16)
    voxels[28:38, 22:30, 16:24] = 1000
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, ::-1] * (1.0, 0.75, 0.5)
    affine[:3, 3] = (-6.0, -12.0, -20.0)
    return Volume(Grid(voxels.shape, affine, "1.2.3"), given_away(voxels))


@pytest.fixture
def small_case(tmp_path: Path) -> Path:
    """A case with a scan and two boxes that overlap, on disk."""
    path = tmp_path / "small.surgiplan"
    case = CaseFile.create(path)
    plan = Plan()
    for name, value in (
        ("ct", asymmetric_volume()),
        ("bone", box_part((8, 10, 30), (0, 0, 0))),
        ("plate", box_part((4, 4, 12), (4.5, 0, 2))),
    ):
        kind = "volume" if isinstance(value, Volume) else "part"
        plan = plan.add(name, OPERATIONS["source"](digest=case.put_blob(encode(value)), kind=kind))
    case.put_fact("patient", {"patient_name": "Doe^Jane", "patient_id": "4711"})
    case.put_fact("side", "L")
    case.commit([step.text for step in plan.steps], "made for a test")
    case.close()
    return path


@pytest.fixture
def at_work(person: Person, small_case: Path) -> Person:
    """A person with the small case open and everything computed."""
    person.window.bring(small_case)
    person.wait(lambda: person.window.bench is not None, "the case")
    for name in ("ct", "bone", "plate"):
        person.wait_for(name)
    return person
