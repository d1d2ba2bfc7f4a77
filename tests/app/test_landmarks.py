"""A person names landmarks, lets them be drawn to the bone, and reads numbers with their definition."""

import numpy as np
import pytest
from PySide6.QtWidgets import QListView, QListWidget

from surgiplan.app.forms.editors import ChoiceEditor
from surgiplan.app.panels.marking import LandmarksPanel
from surgiplan.app.readings import Curve
from surgiplan.app.views.handles import line_at
from surgiplan.ops.landmarks import NameLandmarks
from surgiplan.ops.measure import Measure
from surgiplan.plan.operation import Ref
from surgiplan.scene.items import LineMark, PointMark
from surgiplan.values import Landmarks, Places, Vec3, vec3

from .conftest import Person

FIRST = ("head_centre", "neck_centre")


@pytest.fixture
def naming(at_work: Person) -> Person:
    """A step of landmarks on the femur, nothing placed."""
    at_work.bench.add_step("landmarks")
    step = at_work.desk.view.chosen
    assert step is not None
    at_work.desk.commit(at_work.desk.kept.edit(step, side="right"), "side")
    at_work.let_be()
    return at_work


def panel_of(person: Person) -> LandmarksPanel:
    return person.bench.landmarks


def operation_of(person: Person) -> NameLandmarks:
    operation = person.desk.kept["landmarks"].operation
    assert isinstance(operation, NameLandmarks)
    return operation


def rows(panel: LandmarksPanel) -> QListWidget:
    return panel.list


def press(person: Person, at: Vec3) -> None:
    """Place the landmark that is asked for."""
    assert person.bench.hand._put_point(at)
    person.let_be()


def test_the_panel_lists_what_the_template_asks_for(naming: Person) -> None:
    panel = panel_of(naming)
    assert rows(panel).count() == 16
    assert panel.chosen is not None
    assert panel.chosen.name == "head_centre"
    assert "sphere that fits the round of the head" in panel.how.text()
    assert rows(panel).item(0).text().startswith("○")
    assert not panel.snap_button.isEnabled()
    assert not panel.remove_button.isEnabled()
    naming.desk.choose("ct")
    naming.let_be()
    assert panel.list.isHidden()


def test_one_click_after_the_other_places_them(naming: Person) -> None:
    panel = panel_of(naming)
    naming.click(panel.place_button)
    assert naming.bench.hand.active
    assert naming.bench.hand.mark == "head_centre"
    press(naming, (-57.0, -22.0, -27.0))
    assert naming.bench.hand.mark == "neck_centre", "the next one is asked for"
    assert rows(panel).item(0).text().startswith("●")
    press(naming, (-80.0, -18.0, -45.0))
    assert list(operation_of(naming).points) == list(FIRST)
    rows(panel).setCurrentRow(0)
    assert naming.bench.hand.mark == "head_centre"
    press(naming, (-58.0, -22.0, -27.0))
    assert operation_of(naming).points["head_centre"] == (-58.0, -22.0, -27.0)
    assert naming.desk.undo_name is not None
    naming.desk.undo()
    assert operation_of(naming).points["head_centre"] == (-57.0, -22.0, -27.0)
    naming.click(panel.place_button)
    assert not naming.bench.hand.active


def test_a_landmark_can_be_taken_away(naming: Person) -> None:
    panel = panel_of(naming)
    points = Places({"head_centre": (0, 0, 0), "knee_centre": (0, 0, -9)})
    naming.desk.commit(naming.desk.kept.edit("landmarks", points=points), "both")
    naming.let_be()
    rows(panel).setCurrentRow(0)
    naming.click(panel.remove_button)
    assert list(operation_of(naming).points) == ["knee_centre"]


def test_a_landmark_is_drawn_to_the_bone_and_shown_there(at_work: Person) -> None:
    """From a click five millimetres off the corner of its box to its lowest place."""
    part = at_work.desk.results["bone"].value
    above = np.asarray(part.bounds_lps[1]) + 5
    step = NameLandmarks(side="right", points=Places({"medial_condyle_distal": above}), on=Ref("bone"))
    at_work.desk.commit(at_work.desk.kept.add("landmarks", step), "add")
    at_work.desk.choose("landmarks")
    at_work.wait_for("landmarks")
    panel = panel_of(at_work)
    names = [rows(panel).item(n).data(256) for n in range(rows(panel).count())]
    rows(panel).setCurrentRow(names.index("medial_condyle_distal"))
    assert panel.snap_button.isEnabled()
    at_work.click(panel.snap_button)
    assert operation_of(at_work).snapped == "medial_condyle_distal"
    at_work.wait_for("landmarks")
    found = at_work.desk.results["landmarks"].value
    assert isinstance(found, Landmarks)
    assert np.linalg.norm(np.subtract(found.places["medial_condyle_distal"], above)) > 1
    marks = {mark.name: mark for mark in at_work.desk.scene.marks if isinstance(mark, PointMark)}
    assert marks["landmarks:medial_condyle_distal"].at_lps == found.places["medial_condyle_distal"]
    at_work.click(panel.snap_button)
    assert operation_of(at_work).snapped == ""


def test_a_number_tells_its_definition_under_the_cursor(at_work: Person) -> None:
    desk = at_work.desk
    places = {"head_centre": (0.0, 0.0, 60.0), "knee_centre": (0.0, 0.0, -60.0)}
    desk.commit(desk.kept.add("marks", NameLandmarks(side="right", points=Places(places))), "marks")
    length = Measure(kind="distance", landmarks=Ref("marks"), names="head_centre,knee_centre")
    desk.commit(desk.kept.add("length", length), "length")
    at_work.wait_for("length")
    (line,) = [m for m in desk.scene.marks if isinstance(m, LineMark) and m.name == "length"]
    assert "straight distance between two points" in line.about
    eye = at_work.bench.view3d.eye()
    assert eye is not None
    x, y = eye.pixel((0.0, 0.0, 12.0))
    assert line_at(desk.scene.marks, eye, x, y) == line
    assert line_at(desk.scene.marks, eye, x + 300, y) is None


def test_a_form_shows_only_what_the_definition_looks_at(at_work: Person) -> None:
    at_work.bench.add_step("measure")
    form = at_work.bench.form

    def shown() -> set[str]:
        at_work.let_be()
        return {name for name in form._editors if form.editor(name).isVisibleTo(form)}

    assert shown() == {"kind", "landmarks", "names", "points", "part", "landmark_sd"}
    form.editor("kind").show_value("contact-area")
    form.editor("kind").edited.emit()
    assert shown() == {"kind", "part", "other", "gap"}
    form.editor("kind").show_value("femur.version.murphy")
    form.editor("kind").edited.emit()
    assert shown() == {"kind", "landmarks", "frame", "landmark_sd"}
    frames = form.editor("frame")
    assert isinstance(frames, ChoiceEditor)
    view = frames.box.view()
    assert isinstance(view, QListView)
    offered = [frames.box.itemText(n) for n in range(frames.box.count()) if not view.isRowHidden(n)]
    assert offered == ["usual", "mechanical axis", "axis of the shaft", "planes of the scan"]
    form.revert()
    assert shown() == {"kind", "landmarks", "names", "points", "part", "landmark_sd"}


def test_a_profile_is_shown_as_a_curve(at_work: Person) -> None:
    desk = at_work.desk
    grid = desk.results["ct"].value.grid
    ends = tuple(vec3(end) for end in grid.to_lps([[0, 0, 0], np.array(grid.shape_kji) - 1]))
    desk.commit(desk.kept.add("line", Measure(kind="hu-line", points=ends, volume=Ref("ct"))), "line")
    desk.choose("line")
    at_work.wait_for("line")
    curve = at_work.bench.form.findChild(Curve, "profile")
    assert curve is not None
    assert curve.isVisible()
    assert curve.profile is desk.results["line"].value["profile"]
    assert "HU over" in curve.toolTip()
    desk.choose("ct")
    at_work.let_be()
    assert not curve.isVisible()
