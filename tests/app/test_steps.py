"""The step list and the form: what they show, and what a person can do with them."""

from dataclasses import MISSING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QMenu, QMessageBox, QPlainTextEdit, QPushButton

from surgiplan.app.forms.adding import lacking, proposal
from surgiplan.app.forms.fitted import editor_for
from surgiplan.app.panels.steps import SEEN, STATE, WHAT, resting_on
from surgiplan.ops import OPERATIONS
from surgiplan.plan.operation import Ref
from surgiplan.values import Bits, Landmarks, Mask, Plane, Pose
from tests.app.conftest import Person

pytestmark = pytest.mark.window
PLACED = {
    Plane: Plane((1.23456, -2, 3), (0.6, 0, 0.8)),
    Pose: Pose.of_rotation((1, 2, 3), 33, about=(4, 5, 6)),
    Bits: Bits.of([(1, 2, 3), (4, 5, 6)]),
    tuple[float, float, float]: (1.123456, 2.0, -3.0),
}


def test_an_empty_case_says_how_to_begin(make_person, tmp_path) -> None:
    from surgiplan.app.files.dialogs import Place

    person = make_person()
    person.window.doors.new_case(Place(tmp_path / "empty.surgiplan"))
    person.wait(lambda: person.window.bench is not None)
    assert person.bench.steps.hint.isVisible()
    assert "DICOM" in person.bench.steps.hint.text()
    assert person.bench.form._title.text() == "No step chosen"
    person.click(person.bench.steps.add_button)
    chooser = person.bench.chooser
    everything = Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive
    texts = {item.text(0): item for item in chooser.list.findItems("", everything)}
    assert texts["Threshold"].isDisabled()
    assert "needs a scan" in texts["Threshold"].text(1)
    assert not texts["Place implant"].isDisabled()
    chooser.hide()


@pytest.mark.parametrize("name", [n for n in OPERATIONS if n != "source"])
def test_every_operation_has_a_form_that_shows_its_parameters_exactly(at_work: Person, name: str) -> None:
    desk = at_work.desk
    if any(field.takes is Mask and field.default is MISSING for field in OPERATIONS[name].spec.fields):
        at_work.bench.add_step("threshold")
    if any(field.takes is Landmarks and field.default is MISSING for field in OPERATIONS[name].spec.fields):
        at_work.bench.add_step("landmarks")
    assert lacking(desk.kept, OPERATIONS[name]) == ""
    step, made = proposal(desk.kept, OPERATIONS[name], None, (1.0, 2.0, 3.0))
    plan = desk.kept.add(step, made)
    for field in made.spec.fields:
        editor = editor_for(field, plan, step)
        default = getattr(made, field.name)
        editor.show_value(default)
        assert editor.value == default, field.name
        if field.kind in PLACED:
            editor.show_value(PLACED[field.kind])
            assert editor.value == PLACED[field.kind], "shown, not rounded"
        assert editor.toolTip() == field.help
    desk.commit(plan, "add it")
    desk.choose(step)
    at_work.let_be()
    assert at_work.bench.form.step_name == step
    assert not at_work.bench.form.dirty


def test_states_are_words_and_shapes(at_work: Person) -> None:
    at_work.bench.add_step("cut")
    at_work.wait_for("cut", "waiting")
    row = at_work.bench.steps.item("cut")
    assert row.text(STATE) == "Waiting"
    assert not row.icon(STATE).isNull()
    assert [row.child(n).text(0) for n in range(row.childCount())] == ["a", "b", "kerf"]
    assert "drag the plane" in at_work.bench.form.state.text()
    assert at_work.bench.steps.item("bone").text(STATE) == "Ready"


def test_a_failing_step_says_why_in_the_form_and_the_findings(at_work: Person) -> None:
    at_work.bench.add_step("cut")
    form = at_work.bench.form
    at_work.click(form.editor("plane").place_button)
    at_work.type_number(form.editor("plane").boxes[2], 500)
    at_work.click(form.apply_button)
    at_work.wait_for("cut", "failed")
    assert form.state.isVisible()
    assert "cut" in form.state.text()
    found = at_work.bench.findings.list
    assert found.isVisible()
    assert "cut" in found.item(0).text()
    assert at_work.bench.steps.item("cut").text(STATE) == "Failed"


def test_the_eye_hides_and_shows(at_work: Person) -> None:
    tree, scene = at_work.bench.steps.tree, lambda: {s.name for s in at_work.desk.scene.surfaces}
    assert scene() == {"bone", "plate"}
    place = tree.visualItemRect(at_work.bench.steps.item("plate")).center()
    x = tree.header().sectionViewportPosition(SEEN) + 8
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, place.y()))
    at_work.let_be()
    assert scene() == {"bone"}
    at_work.click_step("plate")
    at_work.press_key(at_work.window, Qt.Key.Key_H)
    assert scene() == {"bone", "plate"}


def test_search_and_return_add_a_step(at_work: Person) -> None:
    at_work.press_key(at_work.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    chooser = at_work.bench.chooser
    assert chooser.isVisible()
    QTest.keyClicks(chooser.search, "saw body")
    QTest.keyClick(chooser.search, Qt.Key.Key_Return)
    at_work.let_be()
    assert not chooser.isVisible()
    assert at_work.desk.view.chosen == "cut"


def test_new_steps_take_the_chosen_result_then_the_nearest(at_work: Person) -> None:
    plan = at_work.desk.kept
    name, made = proposal(plan, OPERATIONS["collide"], "bone", (0, 0, 0))
    assert (name, made.a, made.b) == ("collide", Ref("bone"), Ref("plate"))
    plan = plan.add(name, made)
    assert proposal(plan, OPERATIONS["collide"], None, (0, 0, 0))[0] == "collide2"
    _, implant = proposal(plan, OPERATIONS["place_implant"], None, (7, 8, 9))
    assert tuple(implant.pose.shift) == (7, 8, 9)


def test_references_offer_only_what_fits_and_lies_above(at_work: Person) -> None:
    at_work.bench.add_step("cut")
    box = at_work.bench.form.editor("part").box
    assert [box.itemText(n) for n in range(box.count())] == ["plate", "bone"]


def test_a_number_out_of_range_is_told_and_not_kept(at_work: Person) -> None:
    at_work.bench.add_step("cut")
    form = at_work.bench.form
    kept = at_work.desk.kept
    form.editor("plane").show_value(Plane((0, 0, 0), (0, 0, 1)))
    for box in form.editor("plane").boxes[3:]:
        at_work.type_number(box, 0)
    assert "normal" in form.problem.text()
    assert not form.apply()
    assert at_work.desk.kept is kept
    at_work.click(form.revert_button)
    assert not form.dirty
    assert not form.problem.isVisible()


def test_leaving_the_form_keeps_what_was_typed_and_says_so(at_work: Person) -> None:
    at_work.bench.add_step("cut")
    at_work.type_number(at_work.bench.form.editor("kerf").box, 1.4)
    assert at_work.bench.form.dirty
    at_work.click_step("bone")
    assert at_work.desk.kept["cut"].operation.kerf == pytest.approx(1.4)
    assert "cut" in at_work.window.statusBar().currentMessage()
    assert at_work.desk.undo_name == "edit cut"


def test_looking_at_a_value_does_not_round_it(at_work: Person) -> None:
    desk = at_work.desk
    at_work.bench.add_step("threshold")
    desk.commit(desk.kept.edit("threshold", low=212.3456), "exact")
    at_work.type_number(at_work.bench.form.editor("high").box, 2000)
    at_work.click(at_work.bench.form.apply_button)
    assert desk.kept["threshold"].operation.low == 212.3456


def test_suggestions_are_offered_and_taken(at_work: Person) -> None:
    at_work.bench.add_step("threshold")
    at_work.wait_for("threshold")
    form = at_work.bench.form
    at_work.click(form.suggest_button)
    at_work.wait(lambda: form.findChild(QMenu, "suggestions"), "the suggestions")
    menu = form.findChild(QMenu, "suggestions")
    action = next(a for a in menu.actions() if a.objectName() == "suggest_otsu")
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    at_work.let_be()
    assert form.dirty
    assert form.editor("low").value != 226
    at_work.click(form.apply_button)
    assert desk_low(at_work) != 226


def desk_low(person: Person) -> float:
    return person.desk.kept["threshold"].operation.low


def test_removing_asks_when_others_rest_on_it(at_work: Person) -> None:
    at_work.bench.add_step("collide")
    assert resting_on(at_work.desk.kept, "bone") == ["bone", "collide"]
    at_work.click_step("bone")
    at_work.menu("Edit", "Remove step")
    box = at_work.window.findChild(QMessageBox, "remove_question")
    assert "collide" in box.text()
    assert "bone" in at_work.desk.kept.names
    at_work.click(next(b for b in box.buttons() if "2" in b.text()))
    assert list(at_work.desk.kept.names) == ["ct", "plate"]
    at_work.window.actions_by_name["undo"].trigger()
    assert list(at_work.desk.kept.names) == ["ct", "bone", "plate", "collide"]


def test_a_note_is_kept_beside_a_step(at_work: Person) -> None:
    at_work.click_step("plate")
    at_work.window.actions_by_name["note"].trigger()
    dialog = at_work.window.findChild(QInputDialog, "note_dialog")
    text = dialog.findChild(QPlainTextEdit)
    QTest.keyClicks(text, "tray B, third row")
    dialog.accept()
    at_work.let_be()
    assert at_work.desk.kept["plate"].note == "tray B, third row"
    assert "tray B" in at_work.bench.steps.item("plate").toolTip(0)


def test_points_are_picked_in_a_slice_and_typed(at_work: Person) -> None:
    at_work.bench.add_step("measure")
    form, view = at_work.bench.form, at_work.bench.slices["axial"]
    at_work.click(form.editor("points").place_button)
    at_work.click(view, (view.width() / 2, view.height() / 2))
    at_work.click(view, (view.width() / 2 + 30, view.height() / 2))
    points = np.asarray(at_work.desk.kept["measure"].operation.points)
    assert len(points) == 2
    length = 30 * view.eye().mm_per_pixel(points[0])
    at_work.wait_for("measure")
    assert at_work.desk.results["measure"].value.value == pytest.approx(length, abs=0.01)
    item = form.editor("points").table.item(1, 0)
    item.setText(f"{points[0, 0] + 10:.2f}".replace(".", ","))
    at_work.click(form.apply_button)
    at_work.wait_for("measure")
    assert at_work.desk.results["measure"].value.value == pytest.approx(10, abs=0.01)


def test_painting_in_a_slice_adds_and_erases_voxels(at_work: Person) -> None:
    at_work.bench.add_step("threshold")
    at_work.wait_for("threshold")
    at_work.bench.add_step("paint")
    form, view, desk = at_work.bench.form, at_work.bench.slices["axial"], at_work.desk
    at_work.wait(lambda: isinstance(desk.results["threshold"].value.level, float | int))
    at_work.click(form.editor("added").place_button)
    middle = (view.width() / 2, view.height() / 2)
    at_work.drag(view, middle, (middle[0] + 25, middle[1]))
    added = desk.kept["paint"].operation.added
    assert added.count > 10
    at_work.wait_for("paint")
    before = desk.results["threshold"].value.voxels
    assert (desk.results["paint"].value.voxels & ~before).sum() == added.count
    at_work.click(form.editor("removed").place_button)
    at_work.drag(view, middle, (middle[0] + 25, middle[1]))
    operation = desk.kept["paint"].operation
    assert operation.removed.count == added.count
    assert operation.added.count == 0, "what is erased is no longer painted on"
    assert desk.undo_name == "erase from paint"


def test_undo_names_what_it_takes_back(at_work: Person) -> None:
    at_work.bench.add_step("mirror")
    undo, redo = (at_work.window.actions_by_name[n] for n in ("undo", "redo"))
    assert undo.text() == "&Undo: add mirror"
    assert not redo.isEnabled()
    undo.trigger()
    assert redo.text() == "&Redo: add mirror"
    redo.trigger()
    assert "mirror" in at_work.desk.kept.names
    history = at_work.bench.history.list
    assert history.item(0).text().endswith("add mirror")


def test_a_double_click_in_the_history_goes_back(at_work: Person) -> None:
    for name in ("mirror", "cut", "move"):
        at_work.bench.add_step(name)
    history = at_work.bench.history.list
    place = history.visualItemRect(history.item(2)).center()
    QTest.mouseClick(history.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(history.viewport(), Qt.MouseButton.LeftButton, pos=place)
    at_work.let_be()
    assert list(at_work.desk.kept.names) == ["ct", "bone", "plate", "mirror"]


def test_a_finding_leads_to_its_place(at_work: Person) -> None:
    at_work.bench.add_step("collide")
    at_work.wait_for("collide")
    collision = at_work.desk.results["collide"].value
    assert collision.depth_mm > 0
    found = at_work.bench.findings.list
    at_work.wait(lambda: found.count() > 0, "a finding")
    place = found.visualItemRect(found.item(0)).center()
    QTest.mouseClick(found.viewport(), Qt.MouseButton.LeftButton, pos=place)
    at_work.let_be()
    assert at_work.desk.view.crosshair_lps == pytest.approx(collision.at_lps)
    assert at_work.desk.view.chosen == "collide"
    for view in at_work.bench.slices.values():
        x, y = view.eye().pixel(collision.at_lps)
        assert (x, y) == pytest.approx((view.width() / 2, view.height() / 2), abs=1)
    x, y = at_work.bench.view3d.eye().pixel(collision.at_lps)
    assert x == pytest.approx(at_work.bench.view3d.width() / 2, abs=1)


def test_stop_leaves_the_step_waiting_and_f5_goes_on(at_work: Person) -> None:
    QApplication.processEvents()
    at_work.bench.add_step("collide")
    at_work.desk.stop()
    at_work.let_be()
    if at_work.desk.results["collide"].status != "ready":
        at_work.press_key(at_work.window, Qt.Key.Key_F5)
    at_work.wait_for("collide")


def test_another_implant_brings_its_own_edition_into_the_form(at_work: Person) -> None:
    at_work.bench.add_step("place_implant")
    form = at_work.bench.form
    before, items = form.editor("item").value, form.editor("item").box
    items.setCurrentIndex((items.currentIndex() + 1) % items.count())
    form.editor("item").edited.emit()
    assert form.apply()
    assert form.editor("item").value != before
    assert form.editor("edition").value == at_work.desk.kept["place_implant"].operation.edition


def test_operations_are_named_in_full_beside_the_steps(at_work: Person) -> None:
    desk, tree = at_work.desk, at_work.bench.steps.tree
    desk.commit(desk.kept.add("neck_screw", OPERATIONS["place_implant"](item="plate-4.5x8")), "test")
    at_work.let_be()
    row = at_work.bench.steps.item("neck_screw")
    assert row.text(WHAT) == "Place implant"
    assert tree.fontMetrics().horizontalAdvance(row.text(WHAT)) + 8 <= tree.columnWidth(WHAT)


def test_the_points_of_a_step_are_counted_one_by_one(at_work: Person) -> None:
    desk, places = at_work.desk, ((0.0, 0.0, 0.0), (0.0, 0.0, 9.0))
    desk.commit(desk.kept.add("long", OPERATIONS["measure"](kind="distance", points=places)), "test")
    desk.choose("long")
    assert {"point 1", "point 2"} <= {getattr(item, "text", "") for item in desk.scene.items}


def test_a_plane_that_need_not_be_is_placed_and_taken_away(at_work) -> None:
    at_work.bench.add_step("resect")
    form = at_work.bench.form
    editor = form.editor("second")
    assert editor.value is None
    at_work.bench.form.take({"second": Plane((1, 2, 3), (0, 0, 1))})
    assert editor.value == Plane((1, 2, 3), (0, 0, 1))
    editor.findChild(QPushButton, "remove_second").click()
    assert editor.value is None
    assert form.apply()
    assert at_work.desk.kept["resect"].operation.second is None
    assert form.editor("plane").findChild(QPushButton, "remove_plane") is None
