"""What comes in and what goes out, and every way in which it is refused."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QMessageBox,
    QPushButton,
    QRadioButton,
)

from surgiplan.acts import outlet
from surgiplan.app import window
from surgiplan.app.files import leaving
from surgiplan.app.files.browser import SeriesBrowser
from surgiplan.app.files.dialogs import MeshDialog, PassphraseDialog, Place
from surgiplan.app.files.leaving import PictureDialog, file_name
from surgiplan.app.files.volumes import VolumeDialog
from surgiplan.casefile import CaseFile
from surgiplan.formats import meshes
from surgiplan.formats.volumes import write_volume
from surgiplan.phantoms import write_phantom
from surgiplan.values import Mask, Part
from tests.app.conftest import Person, box_part

pytestmark = pytest.mark.window


def message_of(person: Person) -> str:
    box = person.window.findChild(QMessageBox, "message")
    person.wait(lambda: person.window.findChild(QMessageBox, "message") is not None, "a message", 20)
    box = person.window.findChild(QMessageBox, "message")
    text = box.text()
    box.accept()
    person.let_be()
    return text


def test_a_folder_without_dicom_says_so(person: Person, tmp_path: Path) -> None:
    folder = tmp_path / "leer"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing")
    person.window.bring(folder)
    assert "no DICOM" in message_of(person)
    assert person.window.bench is None


def test_a_path_that_is_gone_says_so(person: Person, tmp_path: Path) -> None:
    person.window.bring(tmp_path / "gone")
    assert "does not exist" in message_of(person)


def test_a_text_file_is_no_case(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "letter.surgiplan"
    path.write_text("Dear colleague, " * 20)
    person.window.bring(path)
    assert "not a case file" in message_of(person)
    assert path.read_text().startswith("Dear colleague")


def test_the_side_must_be_picked_and_nothing_is_picked_beforehand(
    person: Person, ellipsoid_series: Path, tmp_path: Path
) -> None:
    person.window.bring(ellipsoid_series)
    person.wait(lambda: person.dialog(SeriesBrowser))
    dialog = person.dialog(SeriesBrowser)
    dialog.place.path.setText(str(tmp_path / "a.surgiplan"))
    assert not dialog.ok.isEnabled()
    assert "side" in dialog.hint.text()
    person.click(dialog.findChild(QRadioButton, "side_none"))
    assert dialog.ok.isEnabled()
    dialog.place.path.setText(str(tmp_path))
    assert not dialog.ok.isEnabled(), "a folder is no file"
    dialog.reject()


def test_a_passphrase_protects_and_is_asked_for(make_person, ellipsoid_series: Path, tmp_path: Path) -> None:
    person, path = make_person(), tmp_path / "secret.surgiplan"
    person.window.bring(ellipsoid_series)
    person.wait(lambda: person.dialog(SeriesBrowser))
    dialog = person.dialog(SeriesBrowser)
    dialog.place.path.setText(str(path))
    person.click(dialog.findChild(QRadioButton, "side_L"))
    person.click(dialog.findChild(QCheckBox, "protect"), (10, 10))
    assert not dialog.ok.isEnabled()
    dialog.place.first.setText("wer nicht fragt")
    dialog.place.second.setText("wer nicht frag")
    assert "same" in dialog.hint.text()
    dialog.place.second.setText("wer nicht fragt")
    person.click(dialog.ok)
    person.wait(lambda: person.window.bench is not None)
    person.window.act("close_case")
    assert not path.read_bytes().startswith(b"SQLite")

    for tried, opens in (("wrong", False), ("wer nicht fragt", True)):
        if not person.window.findChildren(PassphraseDialog):
            person.window.bring(path)
        person.wait(lambda: person.dialog(PassphraseDialog))
        question = person.dialog(PassphraseDialog)
        question.box.setText(tried)
        question.accept()
        if not opens:
            person.wait(lambda q=question: person.dialog(PassphraseDialog) not in (None, q), "asked again")
            assert person.window.bench is None
    person.wait(lambda: person.window.bench is not None, "the case")
    assert person.window.banner.side == "LEFT ▶"


def test_a_case_that_is_open_elsewhere_is_offered_read_only(person: Person, small_case: Path) -> None:
    other = CaseFile.open(small_case)
    try:
        person.window.bring(small_case)
        person.wait(lambda: person.window.findChild(QMessageBox, "read_only_question"), "the question")
        box = person.window.findChild(QMessageBox, "read_only_question")
        person.click(next(b for b in box.buttons() if "read-only" in b.text()))
        person.wait(lambda: person.window.bench is not None)
        person.wait_for("bone")
        assert "read-only" in person.window.banner._case.text()
        assert not person.window.actions_by_name["add_step"].isEnabled()
        person.click_step("bone")
        assert not person.bench.form.editor("digest").isEnabled()
        assert not person.bench.form.apply_button.isVisible()
    finally:
        other.close()


def test_the_unit_of_a_mesh_is_asked_for(at_work: Person, tmp_path: Path) -> None:
    path = tmp_path / "guide.stl"
    meshes.write_mesh(box_part((0.4, 1.2, 3.0), (0, 0, 0)), path)
    at_work.window.bring(path)
    at_work.wait(lambda: at_work.dialog(MeshDialog))
    dialog = at_work.dialog(MeshDialog)
    at_work.click(dialog.findChild(QRadioButton, "unit_cm"), (10, 10))
    assert "4.0 × 12.0 × 30.0 mm" in dialog.findChild(QRadioButton, "unit_cm").text()
    assert dialog.place.here.isChecked()
    assert dialog.side.side == "L", "the case has its side already"
    at_work.click(dialog.ok)
    at_work.wait(lambda: "shape" in at_work.desk.kept.names, "the new step")
    at_work.wait_for("shape")
    value = at_work.desk.results["shape"].value
    assert isinstance(value, Part)
    assert np.ptp(value.bounds_lps, axis=0) == pytest.approx((4, 12, 30), abs=1e-5)
    assert at_work.desk.view.chosen == "shape"


def test_a_series_of_another_patient_is_refused(at_work: Person, ellipsoid_series: Path) -> None:
    at_work.window.bring(ellipsoid_series)
    at_work.wait(lambda: at_work.dialog(SeriesBrowser))
    at_work.click(at_work.dialog(SeriesBrowser).ok)
    assert "another patient" in message_of(at_work)
    assert list(at_work.desk.kept.names) == ["ct", "bone", "plate"]


def test_dropping_a_file_opens_it(person: Person, small_case: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(small_case))])
    place, action, none = QPoint(200, 200), Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(place, action, data, Qt.MouseButton.LeftButton, none)
    QApplication.sendEvent(person.window, entered)
    assert entered.isAccepted()
    dropped = QDropEvent(QPointF(place), action, data, Qt.MouseButton.LeftButton, none)
    QApplication.sendEvent(person.window, dropped)
    person.wait(lambda: person.window.bench is not None, "the case")


def test_stop_ends_an_import_and_leaves_no_file(person: Person, tmp_path: Path) -> None:
    folder = write_phantom("shell", tmp_path / "dicom")
    person.window.bring(folder)
    person.wait(lambda: person.dialog(SeriesBrowser))
    dialog = person.dialog(SeriesBrowser)
    path = tmp_path / "stopped.surgiplan"
    dialog.place.path.setText(str(path))
    person.click(dialog.findChild(QRadioButton, "side_R"))
    dialog.ok.click()
    person.window.jobs.cancel()
    start = time.monotonic()
    person.wait(lambda: not person.window.jobs.busy, "the end", 10)
    assert time.monotonic() - start < 2
    assert person.window.bench is None
    assert not path.exists()
    assert "Stopped" in person.window.statusBar().currentMessage()


def test_only_up_to_date_results_are_exported(at_work: Person, tmp_path: Path, monkeypatch) -> None:
    at_work.bench.add_step("cut")
    at_work.wait_for("cut", "waiting")
    target = tmp_path / "cut.stl"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(target), ""))
    at_work.window.actions_by_name["export"].trigger()
    assert "only up-to-date results" in message_of(at_work)
    assert not target.exists()


def test_export_says_what_was_written_and_that_it_was_read_back(
    at_work: Person, tmp_path: Path, monkeypatch
) -> None:
    at_work.click_step("plate")
    asked = []

    def chosen(*words: object, **_: object) -> tuple[str, str]:
        asked.append(words)
        return str(tmp_path / "plate"), "STL, for printing (*.stl)"

    monkeypatch.setattr(QFileDialog, "getSaveFileName", chosen)
    at_work.window.actions_by_name["export"].trigger()
    at_work.wait((tmp_path / "plate.stl").exists, "the file")
    at_work.wait(lambda: not at_work.window.jobs.busy)
    told = at_work.window.statusBar().currentMessage()
    assert "read back" in told
    assert "closed" in told
    assert asked[0][2].endswith("small_plate_LEFT.stl")


def test_file_names_carry_case_part_and_side() -> None:
    assert file_name("knee", "cut.a", "R", ".stl") == "knee_cut-a_RIGHT.stl"
    assert file_name("Müller 2", "cut", "", ".ply") == "Müller-2_cut.ply"


def test_a_picture_shows_no_name_unless_it_is_ticked(at_work: Person, tmp_path: Path, monkeypatch) -> None:
    shown: list[str] = []
    grab = type(at_work.window).grab

    def noting(self: object, *args: object) -> object:
        shown.append(at_work.window.banner.patient)
        return grab(self, *args)

    monkeypatch.setattr(type(at_work.window), "grab", noting)
    target = tmp_path / "shot.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(target), ""))
    for tick in (False, True):
        at_work.window.actions_by_name["screenshot"].trigger()
        dialog = at_work.window.findChild(PictureDialog, "picture_dialog")
        assert not dialog.identify.isChecked()
        if tick:
            at_work.click(dialog.identify, (10, 8))
        dialog.accept()
        at_work.let_be()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert target.stat().st_size > 1000
        target.unlink()
    assert "Doe" not in shown[0]
    assert "Doe" in shown[1]
    assert "Doe" in at_work.window.banner.patient


def test_a_report_is_written_without_a_name(at_work: Person, tmp_path: Path, monkeypatch) -> None:
    at_work.bench.add_step("collide")
    at_work.wait_for("collide")
    target = tmp_path / "report.html"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(target), ""))
    at_work.window.actions_by_name["report"].trigger()
    at_work.window.findChild(PictureDialog, "report_dialog").accept()
    at_work.wait(lambda: target.exists() and not at_work.window.jobs.busy, "the report")
    text = target.read_text()
    assert "LEFT" in text
    assert "collide" in text
    assert text.count("data:image/png") == 4
    assert "Doe" not in re.sub(r"base64,[^\"]+", "", text)


def test_recent_cases_are_offered_on_the_welcome_screen(at_work: Person, small_case: Path) -> None:
    at_work.window.actions_by_name["close_case"].trigger()
    at_work.let_be()
    window = at_work.window
    assert window.pages.currentWidget() is window.welcome
    item = window.welcome.list.item(0)
    assert "small" in item.text()
    place = window.welcome.list.visualItemRect(item).center()
    at_work.click(window.welcome.list.viewport(), (place.x(), place.y()))
    at_work.wait(lambda: window.bench is not None, "the case")
    assert window.bench.desk.path == small_case


def test_an_empty_case_from_the_welcome_screen(person: Person, tmp_path: Path, monkeypatch) -> None:
    target = tmp_path / "fresh"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(target), ""))
    person.click(person.window.findChild(QPushButton, "welcome_new"))
    person.wait(lambda: person.window.bench is not None, "the case")
    assert person.desk.path == tmp_path / "fresh.surgiplan"
    person.window.doors.new_case(Place(tmp_path / "fresh.surgiplan"))
    assert "exists" in message_of(person)


def test_a_volume_file_is_asked_what_it_is(at_work: Person, tmp_path: Path) -> None:
    scan = at_work.desk.results["ct"].value
    write_volume(scan, tmp_path / "again.nii.gz")
    at_work.window.bring(tmp_path / "again.nii.gz")
    at_work.wait(lambda: at_work.dialog(VolumeDialog))
    dialog = at_work.dialog(VolumeDialog)
    assert not dialog.ok.isEnabled(), "nothing is picked beforehand"
    assert "say what it is" in dialog.hint.text()
    at_work.click(dialog.findChild(QRadioButton, "kind_CT"), (10, 10))
    at_work.click(dialog.ok)
    at_work.wait(lambda: "ct2" in at_work.desk.kept.names, "the new step")
    at_work.wait_for("ct2")
    value = at_work.desk.results["ct2"].value
    assert np.array_equal(value.voxels, scan.voxels)
    assert value.unit == "HU"


def test_a_label_map_is_put_on_the_scan_that_is_open(at_work: Person, tmp_path: Path) -> None:
    scan = at_work.desk.results["ct"].value
    mask = Mask(scan.grid, scan.voxels > 300)
    write_volume(mask, tmp_path / "knob.seg.nrrd", notes={"step": "knob"})
    at_work.window.bring(tmp_path / "knob.seg.nrrd")
    at_work.wait(lambda: at_work.dialog(VolumeDialog))
    dialog = at_work.dialog(VolumeDialog)
    assert dialog.kind == "labels"
    dialog.on.setCurrentIndex(dialog.on.findData("ct"))
    at_work.click(dialog.ok)
    at_work.wait(lambda: "knob" in at_work.desk.kept.names, "the new step")
    at_work.wait_for("knob")
    value = at_work.desk.results["knob"].value
    assert value.grid.same_as(scan.grid)
    assert np.array_equal(value.voxels, mask.voxels)


def test_files_that_can_be_opened_are_offered() -> None:
    for suffix in (".dcm", ".nii.gz", ".nrrd", ".mha", ".stl", ".3mf", ".glb", ".step"):
        assert f"*{suffix}" in window._FILES


def test_every_file_that_can_be_written_has_its_words(at_work: Person) -> None:
    scan = at_work.desk.results["ct"].value
    mask = Mask(scan.grid, scan.voxels > 300)
    for value in (scan, mask, at_work.desk.results["bone"].value, None):
        for suffix in outlet.suffixes(value):
            assert suffix in leaving.EXPORT_FILTERS[suffix]
