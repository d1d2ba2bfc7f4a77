"""A person walks through a procedure in the window; it writes plan steps and nothing else."""

import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QListWidget

from surgiplan.app.panels.procedures import ProcedureDialog
from surgiplan.casefile import CaseFile
from surgiplan.ops.source import Source
from surgiplan.phantoms import Tibia
from surgiplan.plan.plan import Plan
from surgiplan.values import Places, encode
from tests.app.conftest import Person
from tests.ops import templating

BONE = Tibia()


@pytest.fixture
def leg(make_person, tmp_path: Path) -> Person:
    """A case of a right leg that holds its tibia."""
    case = CaseFile.create(tmp_path / "leg.surgiplan")
    plan = Plan().add("shinbone", Source(digest=case.put_blob(encode(BONE.mesh(3.0))), kind="part"))
    case.put_fact("side", "R")
    case.commit([step.text for step in plan.steps], "import shinbone")
    case.close()
    person = make_person()
    person.window.bring(tmp_path / "leg.surgiplan")
    person.wait(lambda: person.window.bench is not None, "the case")
    person.wait_for("shinbone")
    return person


def begin(person: Person, title: str) -> ProcedureDialog:
    """Choose a procedure."""
    person.window.actions_by_name["procedure"].trigger()
    person.wait(lambda: person.dialog(ProcedureDialog), "the dialog")
    dialog = person.dialog(ProcedureDialog)
    rows = [n for n in range(dialog.list.count()) if dialog.list.item(n).text().startswith(title)]
    dialog.list.setCurrentRow(rows[0])
    person.let_be()
    return dialog


def accept(person: Person, dialog: ProcedureDialog) -> None:
    person.click(dialog.buttons.button(dialog.buttons.StandardButton.Ok))


def texts(made: QListWidget) -> list[str]:
    return [made.item(row).text() for row in range(made.count())]


def place(person: Person, name: str) -> None:
    """Put the landmark that the guide asks for into its place, as a click there does."""
    desk = person.desk
    points = desk.kept["marks"].operation.points
    desk.commit(
        desk.kept.edit("marks", points=Places(points.put(name, templating.osteotomy_places(BONE)[name]))),
        "place",
    )
    person.bench.guide.placed()
    person.let_be()


def test_a_tibial_osteotomy_from_the_menu_to_the_checks(leg: Person) -> None:
    guide = leg.bench.guide
    dialog = begin(leg, "High tibial osteotomy, opening")
    assert dialog.chosen_results == {"tibia": "shinbone"}
    accept(leg, dialog)
    assert guide.isVisible()
    assert list(leg.desk.kept.names) == ["shinbone", "marks", "solution", "opened"]
    assert leg.desk.kept["marks"].operation.side == "right"  # the planned side of the case
    assert "centre of the femoral head" in guide.now.text()
    assert "sphere" in guide.now.text()
    assert all("not known yet" in text for text in texts(guide.checks))
    view = leg.bench.slices["axial"]
    leg.click(view, (view.width() / 2, view.height() / 2))
    assert list(leg.desk.kept["marks"].operation.points) == ["head_centre"]
    assert "medial edge of the plateau" in guide.now.text()  # it goes on by itself
    assert not leg.bench.landmarks.isVisible()  # one list of landmarks at a time
    assert guide.snap.text() == "Snap centre of the femoral head"
    leg.click(guide.snap)
    assert leg.desk.kept["marks"].operation.snaps("head_centre")
    leg.click(guide.snap)
    assert not leg.desk.kept["marks"].operation.snaps("head_centre")
    for name in ("head_centre", "medial_plateau_edge", "lateral_plateau_edge", "ankle_centre"):
        place(leg, name)
    leg.click(guide.next)
    for name in ("hinge", "cortex"):
        place(leg, name)
    leg.click(guide.next)
    assert guide.stage.title == "Target"
    assert re.search(r"Line after: 62\.5 ± \d\.\d %", guide.figures.text()), "with its error"
    leg.type_number(guide.findChild(type(guide._editors["target"]), "field_target").box, 66)
    assert leg.desk.kept["solution"].operation.target == 66.0
    leg.wait(lambda: "Line after: 66.0 ±" in guide.figures.text(), "the figures")
    leg.click(guide.next)
    leg.wait_for("opened")
    leg.wait(lambda: not any("not known" in text for text in texts(guide.checks)), "the checks")
    told = texts(guide.checks)
    assert re.fullmatch(r"Weight bearing line afterwards: 66\.00 ± \d\.\d+ % \(60 to 70 %\)", told[0])
    assert any("think of two levels" in text for text in told)  # a limit that does not hold says what to do
    leg.click(guide.next)
    assert not guide.isVisible()
    assert leg.bench.landmarks.isVisible()
    leg.bench.undo()
    assert leg.desk.kept["solution"].operation.target == 62.5


def test_what_was_begun_is_gone_on_with_where_it_lacks_something(leg: Person) -> None:
    guide = leg.bench.guide
    accept(leg, begin(leg, "High tibial osteotomy, opening"))
    for name in ("head_centre", "medial_plateau_edge", "lateral_plateau_edge", "ankle_centre", "hinge"):
        place(leg, name)
    guide.close_guide()
    dialog = begin(leg, "Go on: High tibial osteotomy")
    assert dialog.works_on == {}
    before = leg.desk.kept
    accept(leg, dialog)
    assert leg.desk.kept == before
    assert guide.stage.title == "Hinge and saw"
    assert "where the saw enters" in guide.now.text()


def test_landmarks_on_the_wrong_side_are_told_where_they_are_placed(leg: Person) -> None:
    guide, desk = leg.bench.guide, leg.desk
    accept(leg, begin(leg, "High tibial osteotomy, opening"))
    places = templating.osteotomy_places(BONE)
    medial, lateral = places["medial_plateau_edge"], places["lateral_plateau_edge"]
    wrong = Places(places).put("medial_plateau_edge", lateral).put("lateral_plateau_edge", medial)
    desk.commit(desk.kept.edit("marks", points=wrong), "place")
    guide.placed()
    leg.wait_for("marks", "failed")
    assert "All placed, but see below" in guide.now.text()
    assert "exchange them" in guide.problem.text()
    desk.commit(desk.kept.edit("marks", points=Places(places)), "place")
    leg.wait_for("opened")
    assert "go on with Next" in guide.now.text()
    assert not guide.problem.isVisible()
    leg.click(guide.next)
    desk.commit(desk.kept.edit("marks", points=Places(places).put("cortex", places["hinge"])), "one place")
    leg.wait_for("solution", "failed")
    assert guide.problem.text().startswith("solution: "), "of another step, with its name"


def test_a_second_one_has_names_of_its_own(leg: Person) -> None:
    for _ in range(2):
        dialog = begin(leg, "Derotation")
        accept(leg, dialog)
        leg.bench.guide.close_guide()
    assert {"marks", "second_marks", "second_turned"} <= set(leg.desk.kept.names)


def test_without_what_it_needs_it_cannot_be_begun(at_work: Person) -> None:
    dialog = begin(at_work, "Fibula free flap")
    assert dialog.count is not None
    able = dialog.buttons.button(dialog.buttons.StandardButton.Ok).isEnabled()
    parts = [box.itemText(0) for name, box in dialog.works_on.items() if name in ("fibula", "jaw")]
    assert able is not any("there is no shape yet" in text for text in parts)
    if not able:
        dialog.accept()  # as Return in the list does
        assert dialog.isVisible()
    dialog.reject()


def test_the_guide_leaves_when_its_steps_are_gone(leg: Person) -> None:
    accept(leg, begin(leg, "High tibial osteotomy, opening"))
    assert leg.bench.guide.isVisible()
    leg.bench.undo()
    leg.let_be()
    assert not leg.bench.guide.isVisible()
    assert leg.bench.guide.procedure is None
