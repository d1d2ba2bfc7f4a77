"""The series browser: who is there, what can be used, how it looks, and what comes into the case."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QRadioButton

from surgiplan.app.files import previews
from surgiplan.app.files.browser import SeriesBrowser
from surgiplan.app.files.listing import KIND, REMARKS, WHAT, middle_of
from surgiplan.formats import dicom
from surgiplan.formats.dicom.dicomwrite import write_series
from surgiplan.formats.dicom.preview import grey_window, preview
from surgiplan.formats.dicom.series import Series
from surgiplan.values import Grid, Volume, given_away
from tests.app.conftest import Person, asymmetric_volume
from tests.app.test_heartbeat import LONGEST_S, Heartbeat
from tests.formats.making import edited

pytestmark = pytest.mark.window


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Doe: before and after, with a scout and a scan that lacks a slice; and a scan of Roe."""
    folder = tmp_path_factory.mktemp("clinic")
    volume = asymmetric_volume()
    doe = {"name": "Doe^Jane", "patient_id": "4711"}
    write_series(volume, folder / "a", description="Before", seed_uid="1", study_date="20240131", **doe)
    scout = write_series(
        volume, folder / "b", description="Scout", seed_uid="1", series_number=2, study_date="20240131", **doe
    )
    for path in scout[3:]:
        path.unlink()
    edited(scout[:3], lambda d: setattr(d, "ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    holed = write_series(
        volume, folder / "c", description="Holed", seed_uid="1", series_number=3, study_date="20240131", **doe
    )
    holed[20].unlink()
    write_series(
        brighter(volume), folder / "d", description="After", seed_uid="2", study_date="20240702", **doe
    )
    write_series(
        volume, folder / "e", description="Other", seed_uid="3", name="Roe^Richard", patient_id="0815"
    )
    return folder


def brighter(volume: Volume) -> Volume:
    return Volume(volume.grid, given_away(volume.voxels + np.int16(7)))


def browsed(person: Person, folder: Path) -> SeriesBrowser:
    person.window.bring(folder)
    person.wait(lambda: person.dialog(SeriesBrowser), "the browser")
    return person.dialog(SeriesBrowser)


def called(dialog: SeriesBrowser, description: str) -> Series:
    return next(one for one in dialog.tree._items if one.description == description)


def tick(person: Person, dialog: SeriesBrowser, description: str) -> None:
    """By keyboard: go to the row, press Space."""
    dialog.tree.setCurrentItem(dialog.tree.item(called(dialog, description)))
    QTest.keyClick(dialog.tree, Qt.Key.Key_Space)
    person.let_be()


def test_patients_and_dated_studies_are_headings(person: Person, clinic: Path) -> None:
    dialog = browsed(person, clinic)
    tree = dialog.tree
    patients = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
    assert sorted(p.text(WHAT) for p in patients) == ["Doe, Jane   4711", "Roe, Richard   0815"]
    doe = next(p for p in patients if "Doe" in p.text(WHAT))
    assert [doe.child(n).text(WHAT) for n in range(doe.childCount())] == ["2024-01-31", "2024-07-02"]
    rows = [doe.child(0).child(n) for n in range(doe.child(0).childCount())]
    assert {row.text(WHAT) for row in rows} == {"Before", "Scout", "Holed"}
    assert all(row.text(KIND) == "CT" for row in rows)
    assert tree.item(called(dialog, "Before")).text(2) == "26 × 34 × 42"
    assert tree.item(called(dialog, "Before")).text(3) == "0.50 × 0.75 × 1.00"
    dialog.reject()


def test_what_cannot_be_used_says_why_and_has_no_tick(person: Person, clinic: Path) -> None:
    dialog = browsed(person, clinic)
    for description, reason in (("Scout", "localizer"), ("Holed", "missing")):
        tick(person, dialog, description)
        item = dialog.tree.item(called(dialog, description))
        assert item.data(WHAT, Qt.ItemDataRole.CheckStateRole) is None
        assert reason in item.toolTip(REMARKS)
        assert reason in dialog.remarks.text()
        assert dialog.chosen == []
    dialog.reject()


def test_a_scan_that_lacks_a_slice_comes_in_by_word_alone(
    person: Person, clinic: Path, tmp_path: Path
) -> None:
    dialog = browsed(person, clinic)
    dialog.tree.setCurrentItem(dialog.tree.item(called(dialog, "Before")))
    assert not dialog.accept_box.isVisible()
    dialog.tree.setCurrentItem(dialog.tree.item(called(dialog, "Holed")))
    assert dialog.accept_box.isVisible()
    assert not dialog.accept_box.isChecked()
    assert "missing" in dialog.accept_box.text()
    for _ in range(3):  # taken, taken back, taken
        QTest.keyClick(dialog.accept_box, Qt.Key.Key_Space)
    assert [one.description for one in dialog.chosen] == ["Holed"]
    assert "made up" in dialog.remarks.text()
    assert "26 × 34 × 42" in dialog.panel._labels["Voxels"].text()
    person.click(dialog.findChild(QRadioButton, "side_none"))
    dialog.place.path.setText(str(tmp_path / "holed.surgiplan"))
    person.click(dialog.ok)
    person.wait(lambda: person.window.bench is not None, "the case")
    person.wait_for("ct")
    assert person.desk.results["ct"].value.grid.shape_kji == (42, 34, 26)
    assert "1 slice is missing" in person.window.caution.text()
    (entry,) = [one for one in person.desk.session.case.entries() if one.act == "import"]
    assert "missing" in entry.details["accepted"]


def test_nothing_is_ticked_beforehand_where_there_is_a_choice(person: Person, clinic: Path) -> None:
    dialog = browsed(person, clinic)
    person.click(dialog.findChild(QRadioButton, "side_none"))
    assert not dialog.ok.isEnabled()
    assert "tick" in dialog.hint.text()
    tick(person, dialog, "After")
    assert dialog.ok.isEnabled()
    assert "After" in dialog.place.path.text(), "the case is named after what is ticked"
    dialog.reject()


def test_two_patients_are_never_ticked_together(person: Person, clinic: Path, tmp_path: Path) -> None:
    dialog = browsed(person, clinic)
    person.click(dialog.findChild(QRadioButton, "side_none"))
    tick(person, dialog, "Before")
    tick(person, dialog, "Other")
    assert not dialog.ok.isEnabled()
    assert "one patient" in dialog.hint.text()
    tick(person, dialog, "Before")
    assert dialog.ok.isEnabled()
    dialog.reject()


def test_a_double_click_on_a_row_ticks_it(person: Person, clinic: Path) -> None:
    dialog = browsed(person, clinic)
    item = dialog.tree.item(called(dialog, "Before"))
    dialog.tree.scrollToItem(item)
    place = QPoint(
        dialog.tree.columnViewportPosition(KIND) + 5, dialog.tree.visualItemRect(item).center().y()
    )
    QTest.mouseClick(dialog.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert dialog.chosen == [], "a click looks, it does not choose"
    QTest.mouseDClick(dialog.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert [one.description for one in dialog.chosen] == ["Before"]
    dialog.reject()


def test_two_studies_come_in_as_dated_steps_of_one_undo(
    person: Person, clinic: Path, small_case: Path, tmp_path: Path
) -> None:
    path = tmp_path / "both.surgiplan"
    dialog = browsed(person, clinic)
    tick(person, dialog, "After")
    tick(person, dialog, "Before")
    assert dialog.ok.text() == "Import 2 series"
    person.click(dialog.findChild(QRadioButton, "side_L"))
    dialog.place.path.setText(str(path))
    person.click(dialog.ok)
    person.wait(lambda: person.window.bench is not None, "the case")
    person.wait_for("ct2")
    rows = [person.bench.steps.item(name) for name in ("ct", "ct2")]
    assert ["2024-01-31" in row.text(1) for row in rows] == [True, False], "the older study comes first"
    assert "2024-07-02" in rows[1].text(1)
    assert "2024-07-02" in rows[1].toolTip(0)
    assert person.desk.results["ct2"].value.voxels.max() == 1007
    person.desk.undo()
    assert not person.desk.plan.steps


def test_a_follow_up_joins_the_open_case_and_another_patient_does_not(
    person: Person, clinic: Path, small_case: Path
) -> None:
    person.window.bring(small_case)
    person.wait(lambda: person.window.bench is not None, "the case")
    person.wait_for("ct")
    before = person.desk.plan
    dialog = browsed(person, clinic)
    tick(person, dialog, "Other")
    person.click(dialog.ok)
    person.wait(lambda: person.dialog() is not None, "the refusal")
    assert "another patient" in person.dialog().text()
    person.dialog().accept()
    assert person.desk.plan == before

    dialog = browsed(person, clinic)
    for description in ("Before", "After"):
        tick(person, dialog, description)
    assert dialog.side.side == "L", "the side of the case"
    person.click(dialog.ok)
    person.wait(lambda: "ct3" in person.desk.plan.names, "the scans")
    assert person.desk.undo_name == "import ct2, ct3"
    assert "2024-07-02" in person.bench.steps.item("ct3").text(1)
    person.desk.undo()
    assert person.desk.plan == before


def test_a_case_can_be_made_that_holds_no_identity(person: Person, clinic: Path, tmp_path: Path) -> None:
    path = tmp_path / "nobody.surgiplan"
    dialog = browsed(person, clinic)
    assert not dialog.nameless.isChecked()
    tick(person, dialog, "Before")
    tick(person, dialog, "After")
    assert "Before" in dialog.place.path.text()
    person.click(dialog.nameless, (10, 8))
    assert "Before" not in dialog.place.path.text(), "a description may hold a name"
    person.click(dialog.findChild(QRadioButton, "side_L"))
    dialog.place.path.setText(str(path))
    person.click(dialog.ok)
    person.wait(lambda: person.window.bench is not None, "the case")
    person.wait_for("ct2")
    case = person.desk.session.case
    told = [case.fact("patient"), case.fact(f"source:{person.desk.plan['ct'].operation.digest}")]
    told += [(one.act, one.details) for one in case.entries()]
    series = next(one for one in dicom.scan(clinic / "a").series)
    for secret in ("Doe", "4711", "20240131", series.uid, series.identity.study_uid, series.frame_uid):
        assert secret not in str(told)
    first, second = (person.desk.results[name].value.grid.frame_uid for name in ("ct", "ct2"))
    assert first == second != series.frame_uid, "what lay in one space still does"
    assert "no patient named" in person.window.banner.patient


# --- pictures


def test_pictures_appear_by_themselves_while_the_window_listens(person: Person, clinic: Path) -> None:
    heart = Heartbeat()
    person.window.bring(clinic)
    heart.spin(lambda: person.dialog(SeriesBrowser), "scan")
    dialog = person.dialog(SeriesBrowser)

    def all_there() -> bool:
        return all(dialog._looker.look(one, middle_of(one)) for one in dialog.tree.visible())

    heart.spin(all_there, "pictures")
    assert len(list(dialog.tree.visible())) >= 4
    look = dialog.panel.picture.shown
    assert look is not None
    assert look.grey.shape == (34, 26)
    assert look.letters == ("R", "L", "A", "P")
    assert heart.longest <= LONGEST_S, heart.where
    dialog.reject()


def test_the_slider_goes_through_the_slices(person: Person, clinic: Path) -> None:
    dialog = browsed(person, clinic)
    dialog.tree.setCurrentItem(dialog.tree.item(called(dialog, "Before")))
    slider, series = dialog.panel.slider, called(dialog, "Before")
    assert (slider.minimum(), slider.maximum()) == (0, 41)
    for k in (2, 35):
        slider.setValue(k)
        person.wait(lambda n=k: dialog._looker.look(series, n), "the slice")
        person.let_be()
        bright = asymmetric_volume().voxels[k] > 0
        assert np.array_equal(dialog.panel.picture.shown.grey > 128, bright)
        assert str(k + 1) in dialog.panel._place.text()
    dialog.reject()


@pytest.mark.parametrize("flipped", [False, True])
def test_a_picture_is_turned_like_the_views_and_its_letters_follow(tmp_path: Path, flipped: bool) -> None:
    """The bright block is on the left, behind; also where rows and columns run the other way."""
    volume = asymmetric_volume()
    if flipped:  # about the axis of the body, as for a prone patient: the same points, other indices
        affine = volume.grid.kji_to_lps.copy()
        corner = volume.grid.to_lps((0, 33, 25))
        affine[:3, 1:3] *= -1
        affine[:3, 3] = corner
        grid = Grid(volume.grid.shape_kji, affine, "1.2.3")
        volume = Volume(grid, given_away(volume.voxels[:, ::-1, ::-1].copy()))
    write_series(volume, tmp_path)
    (series,) = dicom.scan(tmp_path).series
    one = preview(series, 33, 100)
    look = previews.look_of(one, *grey_window(one.values))
    assert look.letters == ("R", "L", "A", "P")
    rows, columns = np.nonzero(look.grey > 128)
    assert rows.mean() > 17, "behind is below"
    assert columns.mean() > 13, "left is on the right"


def test_closing_never_waits_for_a_picture(person: Person, clinic: Path, monkeypatch) -> None:
    started: list[Series] = []

    def slow(series: Series, *how: object) -> previews.Preview:
        started.append(series)
        time.sleep(1.5)
        return preview(series, *how)

    monkeypatch.setattr(previews, "preview", slow)
    dialog = browsed(person, clinic)
    person.wait(lambda: started, "the first picture")
    begun = time.monotonic()
    dialog.reject()
    person.let_be()
    assert time.monotonic() - begun < 0.3
    again = browsed(person, clinic)  # the worker is still at the old picture
    person.wait(lambda: again.panel.picture.shown is not None, "a picture", 10)
    again.reject()


def test_a_long_scan_is_stopped_within_a_second(person: Person, clinic: Path, tmp_path: Path) -> None:
    file = next((clinic / "a").iterdir())
    crowd = tmp_path / "crowd"
    crowd.mkdir()
    for n in range(6000):
        os.link(file, crowd / f"{n:05}.dcm")
    person.window.bring(crowd)
    stop = person.window.findChild(QPushButton, "job_stop")
    person.wait(stop.isVisible, "the bar")
    for _ in range(50):
        QApplication.processEvents()
        time.sleep(0.004)
    begun = time.monotonic()
    person.click(stop)
    person.wait(lambda: not person.window.jobs.busy, "the stop", 5)
    assert time.monotonic() - begun < 1.0
    person.let_be()
    assert person.dialog(SeriesBrowser) is None
    assert person.window.bench is None


# --- what stays in sight


def test_doubtful_grey_values_stay_in_sight(person: Person, tmp_path: Path) -> None:
    files = write_series(asymmetric_volume(), tmp_path / "cbct", description="CBCT")
    edited(files, lambda d: setattr(d, "RescaleType", "US"))
    person.import_series(tmp_path / "cbct", tmp_path / "a.surgiplan")
    caution = person.window.caution
    assert caution.isVisible()
    assert "Hounsfield" in caution.text()
    person.bench.add_step("threshold")
    person.let_be()
    assert "Hounsfield" in person.bench.form.state.text()
    assert caution.isVisible()
    person.window.close_case()
    assert not caution.isVisible()


def test_a_scan_in_hounsfield_units_has_no_strip(at_work: Person) -> None:
    assert not at_work.window.caution.isVisible()
