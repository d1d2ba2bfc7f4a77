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


def journey(person: Person, series: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person.import_series(series, folder / "case.surgiplan")
    desk, bench = person.desk, person.bench
    assert person.window.banner.side == "◀ RIGHT"

    person.menu("Step", "Segment", "Threshold")
    person.type_number(bench.form.editor("low").box, 500)
    person.click(bench.form.apply_button)
    assert desk.kept["threshold"].operation.low == 500
    person.wait_for("threshold")

    person.menu("Step", "Shape", "Surface")
    person.wait_for("surface")
    person.menu("Step", "Operate", "Cut")
    person.wait_for("cut", "waiting")

    person.click(bench.form.editor("plane").place_button)
    start = desk.plan["cut"].operation.plane
    assert start is not None
    assert desk.kept["cut"].operation.plane is None
    view = bench.slices["coronal"]
    grip = bench.hand.grip_pixel(view, "normal")
    if grip is None:  # the plane lies in the coronal view: use another
        view = bench.slices["axial"]
        grip = bench.hand.grip_pixel(view, "normal")
    eye = view.eye()
    tip = eye.pixel(np.asarray(start.point) + 6 * np.asarray(start.normal))
    middle = eye.pixel(start.point)
    target = (grip[0] + tip[0] - middle[0], grip[1] + tip[1] - middle[1])
    person.drag(view, grip, target)
    placed = desk.kept["cut"].operation.plane
    assert placed is not None
    moved = (np.asarray(placed.point) - start.point) @ start.normal
    assert moved == pytest.approx(6, abs=2 * eye.mm_per_pixel(start.point))
    assert placed.normal == start.normal
    person.wait_for("cut")

    person.menu("Step", "Operate", "Move")
    person.wait_for("move")
    person.click(bench.form.editor("pose").place_button)
    view = bench.view3d
    grip = bench.hand.grip_pixel(view, "S-I", "shift")
    revisions = len(desk.done)
    person.drag(view, grip, (grip[0], grip[1] - 40))
    shift = desk.kept["move"].operation.pose.shift
    assert shift[2] > 1
    assert np.abs(shift[:2]).max() < 1e-6
    assert len(desk.done) == revisions + 1, "one drag is one undo step"

    person.press_key(person.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert np.abs(desk.kept["move"].operation.pose.shift).max() == 0
    person.press_key(person.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "move" not in desk.kept.names
    person.menu("Edit", "Redo: add move")
    assert "move" in desk.kept.names
    person.wait_for("move")

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
