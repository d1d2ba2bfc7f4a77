"""The whole way through the real window, with mouse and keyboard alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from surgiplan.formats import meshes
from tests.app.conftest import Person

pytestmark = pytest.mark.window


def segment(person: Person) -> None:
    form = person.bench.form
    person.menu("Step", "Segment", "Threshold")
    person.type_number(form.editor("low").box, 500)
    person.click(form.apply_button)
    assert person.desk.kept["threshold"].operation.low == 500
    person.wait_for("threshold")
    person.menu("Step", "Shape", "Surface")
    person.wait_for("surface")


def cut_by_dragging_the_plane(person: Person) -> None:
    desk, bench = person.desk, person.bench
    person.menu("Step", "Operate", "Cut")
    person.wait_for("cut", "waiting")
    person.click(bench.form.editor("plane").place_button)
    start = desk.plan["cut"].operation.plane
    assert start is not None
    assert desk.kept["cut"].operation.plane is None
    seen = [view for view in bench.slices.values() if bench.hand.grip_pixel(view, "normal")]
    view = seen[0]
    eye, grip = view.eye(), bench.hand.grip_pixel(view, "normal")
    middle, tip = eye.pixels([start.point, np.add(start.point, np.multiply(start.normal, 6))])
    person.drag(view, grip, tuple(np.asarray(grip) + tip - middle))
    placed = desk.kept["cut"].operation.plane
    assert placed is not None
    moved = np.dot(np.subtract(placed.point, start.point), start.normal)
    assert moved == pytest.approx(6, abs=2 * eye.mm_per_pixel(start.point))
    assert placed.normal == start.normal
    person.wait_for("cut")
    parts = desk.results["cut"].value
    assert all(part.mesh.watertight for part in parts.values())


def move_by_its_handle(person: Person) -> None:
    desk, bench = person.desk, person.bench
    person.menu("Step", "Operate", "Move")
    person.wait_for("move")
    person.click(bench.form.editor("pose").place_button)
    x, y = bench.hand.grip_pixel(bench.view3d, "S-I", "shift")
    changes = len(desk.done)
    person.drag(bench.view3d, (x, y), (x, y - 40))
    shift = desk.kept["move"].operation.pose.shift
    assert shift[2] > 1
    assert np.abs(shift[:2]).max() < 1e-6
    assert len(desk.done) == changes + 1, "one drag is one undo step"


def undo_twice_and_redo(person: Person) -> None:
    desk, control = person.desk, Qt.KeyboardModifier.ControlModifier
    person.press_key(person.window, Qt.Key.Key_Z, control)
    assert np.abs(desk.kept["move"].operation.pose.shift).max() == 0
    person.press_key(person.window, Qt.Key.Key_Z, control)
    assert "move" not in desk.kept.names
    person.menu("Edit", "Redo: add move")
    assert "move" in desk.kept.names
    person.wait_for("move")


def journey(person: Person, series: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person.import_series(series, folder / "case.surgiplan")
    assert person.window.banner.side == "◀ RIGHT"
    segment(person)
    cut_by_dragging_the_plane(person)
    move_by_its_handle(person)
    undo_twice_and_redo(person)
    target = folder / "part.stl"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(target), "STL (*.stl)"))
    person.click_step("move")
    person.menu("File", "Export selected")
    person.wait(target.exists, "the exported file")
    person.wait(lambda: not person.window.jobs.busy, "the export")
    written, _ = meshes.read_mesh(target)
    assert written.watertight
    assert "was written to" in person.window.statusBar().currentMessage()


def test_from_a_dicom_folder_to_an_exported_part(
    person: Person, ellipsoid_series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey(person, ellipsoid_series, tmp_path, monkeypatch)


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_again_and_again_in_one_process(
    make_person: Callable[[], Person],
    ellipsoid_series: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rounds: int,
) -> None:
    for n in range(rounds):
        folder = tmp_path / str(n)
        folder.mkdir()
        person = make_person()
        journey(person, ellipsoid_series, folder, monkeypatch)
        person.close()
        monkeypatch.undo()
