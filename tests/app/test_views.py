"""The four views: linked, true to the patient, and never changing the plan."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from surgiplan.casefile import CaseFile
from surgiplan.ops import OPERATIONS
from surgiplan.plan.plan import Plan
from surgiplan.scene import AXES
from surgiplan.stage import shapes
from surgiplan.values import Mesh, Part, encode
from tests.app.conftest import Person, box_part

pytestmark = pytest.mark.window


def wheel(view: QWidget, notches: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    place = QPointF(view.rect().center()) + QPointF(20, 10)
    event = QWheelEvent(
        place,
        QPointF(view.mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)
    QApplication.processEvents()


@pytest.mark.parametrize(
    ("axis", "right_is", "down_is"),
    [("axial", (0, 1), (1, 1)), ("coronal", (0, 1), (2, -1)), ("sagittal", (1, 1), (2, -1))],
)
def test_a_click_moves_the_crosshair_the_way_the_letters_say(
    at_work: Person, axis: str, right_is: tuple[int, int], down_is: tuple[int, int]
) -> None:
    view = at_work.bench.slices[axis]
    middle = view.width() / 2, view.height() / 2
    at_work.click(view, middle)
    before = np.asarray(at_work.desk.view.crosshair_lps)
    at_work.click(view, (middle[0] + 20, middle[1]))
    right = np.asarray(at_work.desk.view.crosshair_lps) - before
    at_work.click(view, (middle[0], middle[1] + 20))
    down = np.asarray(at_work.desk.view.crosshair_lps) - before
    assert right[right_is[0]] * right_is[1] > 0.5
    assert down[down_is[0]] * down_is[1] > 0.5
    for step, own in ((right, right_is[0]), (down, down_is[0])):
        assert np.abs(np.delete(step, own)).max() < 1e-9


def test_the_crosshair_is_one_for_all_views(at_work: Person) -> None:
    bench = at_work.bench
    at_work.click(bench.slices["axial"], (150, 120))
    crosshair = at_work.desk.view.crosshair_lps
    for axis in AXES:
        one = bench.slices[axis].slice
        assert one.crosshair_mm == pytest.approx(tuple(one.from_lps(crosshair)))
        assert abs(one.frame.distance(crosshair)) <= one.thickness_mm / 2 + 1e-9


def test_neurological_turns_axial_and_coronal_but_not_sagittal(at_work: Person) -> None:
    letters = {a: at_work.bench.slices[a].slice.letters[:2] for a in AXES}
    assert letters == {"axial": ("R", "L"), "coronal": ("R", "L"), "sagittal": ("A", "P")}
    at_work.menu("View", "Neurological convention")
    letters = {a: at_work.bench.slices[a].slice.letters[:2] for a in AXES}
    assert letters == {"axial": ("L", "R"), "coronal": ("L", "R"), "sagittal": ("A", "P")}
    assert at_work.window.actions_by_name["neurological"].isChecked()


def test_wheel_and_keys_go_through_the_slices_and_stop_at_the_end(at_work: Person) -> None:
    view = at_work.bench.slices["axial"]
    start = view.slice.index
    wheel(view, 1)
    assert view.slice.index == start + 1
    at_work.press_key(view, Qt.Key.Key_Down)
    assert view.slice.index == start
    for _ in range(5):
        at_work.press_key(view, Qt.Key.Key_PageUp)
    assert view.slice.index == view.slice.count - 1


def test_ctrl_wheel_zooms_at_the_cursor(at_work: Person) -> None:
    view = at_work.bench.slices["coronal"]
    centre = view.rect().center()
    under = view.point_at(centre.x() + 20, centre.y() + 10)
    wheel(view, 3, Qt.KeyboardModifier.ControlModifier)
    assert view.slice.zoom == pytest.approx(1.15**3)
    assert view.point_at(centre.x() + 20, centre.y() + 10) == pytest.approx(under, abs=1e-6)


def test_right_drag_changes_the_greys_and_middle_drag_pushes(at_work: Person) -> None:
    view, desk = at_work.bench.slices["axial"], at_work.desk
    before = desk.view
    at_work.drag(view, (100, 100), (160, 130), Qt.MouseButton.RightButton)
    assert desk.view.window > before.window
    assert desk.view.level > before.level
    at_work.drag(view, (100, 100), (140, 90), Qt.MouseButton.MiddleButton)
    right, down = view.slice.pan_mm
    assert right > 0 > down
    at_work.window.actions_by_name["reset_views"].trigger()
    assert view.slice.pan_mm == (0, 0)


def test_looking_never_changes_the_plan(at_work: Person) -> None:
    plan, done = at_work.desk.kept, list(at_work.desk.done)
    for view in at_work.bench.views.values():
        for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton):
            at_work.drag(view, (60, 60), (120, 90), button)
        wheel(view, 2)
    assert at_work.desk.kept is plan
    assert at_work.desk.done == done


def test_double_click_shows_one_view_and_again_all(at_work: Person) -> None:
    bench = at_work.bench
    for name, view in bench.views.items():
        QTest.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(30, 30))
        at_work.let_be()
        assert [n for n, v in bench.views.items() if v.isVisible()] == [name]
        at_work.press_key(view, Qt.Key.Key_Space)
        assert all(v.isVisible() for v in bench.views.values())


def test_the_status_bar_tells_grey_value_and_place(at_work: Person) -> None:
    view = at_work.bench.slices["axial"]
    bright = np.array([3.0, 8.0, 10.0])
    at_work.desk.point_at(tuple(bright))
    x, y = view.eye().pixel(bright)
    QTest.mouseMove(view, QPoint(round(x), round(y)))
    at_work.let_be()
    told = at_work.window._under_cursor.text()
    assert told.startswith("1000 HU")
    assert "L " in told
    assert "P " in told
    assert "S 10" in told


def test_the_3d_view_picks_and_chooses_what_is_seen(at_work: Person) -> None:
    view = at_work.bench.view3d
    view.look("left")
    x, y = view.eye().pixel((6.5, 0, 2))
    at_work.click(view, (x, y))
    assert at_work.desk.view.chosen == "plate"
    met = view.point_at(x, y)
    assert met[0] == pytest.approx(6.5, abs=0.01)


@pytest.mark.parametrize(
    ("side", "right", "up"),
    [
        ("anterior", (1, 0, 0), (0, 0, 1)),
        ("posterior", (-1, 0, 0), (0, 0, 1)),
        ("left", (0, 1, 0), (0, 0, 1)),
        ("superior", (-1, 0, 0), (0, -1, 0)),
    ],
)
def test_3d_looks_from_the_named_side_and_is_never_mirrored(
    at_work: Person, side: str, right: tuple, up: tuple
) -> None:
    at_work.window.actions_by_name[f"look_{side}"].trigger()
    eye = at_work.bench.view3d.eye()
    middle, aside, above = eye.pixels([(0, 0, 0), np.multiply(right, 5), np.multiply(up, 5)])
    assert aside[0] > middle[0] + 1
    assert above[1] < middle[1] - 1
    assert np.dot(np.cross(right, up), eye.ray(0, 0)[1]) == pytest.approx(-1), "not a mirror image"


def test_a_picture_of_the_3d_view_is_not_blank(at_work: Person) -> None:
    view = at_work.bench.view3d
    view.surface.settle()
    at_work.let_be()
    picture = view.grab().toImage()
    places = [(x, y) for x in range(0, picture.width(), 5) for y in range(0, picture.height(), 5)]
    colours = {picture.pixel(x, y) for x, y in places}
    assert len(colours) > 50


def test_esc_takes_a_drag_back(at_work: Person) -> None:
    at_work.bench.add_step("move")
    at_work.wait_for("move")
    at_work.click(at_work.bench.form.editor("pose").place_button)
    view, hand = at_work.bench.slices["coronal"], at_work.bench.hand
    kept = at_work.desk.kept
    x, y = hand.grip_pixel(view, "L-R", "shift")
    at_work.drag(view, (x, y), (x + 40, y), release=False)
    assert at_work.desk.plan is not kept
    at_work.press_key(view, Qt.Key.Key_Escape)
    assert at_work.desk.plan is kept
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x + 40), round(y)))
    at_work.let_be()
    assert at_work.desk.kept is kept


def test_nothing_can_be_dragged_unless_it_is_held(at_work: Person) -> None:
    at_work.bench.add_step("move")
    at_work.wait_for("move")
    at_work.click(at_work.bench.form.editor("pose").place_button)
    view, hand = at_work.bench.slices["coronal"], at_work.bench.hand
    x, y = hand.grip_pixel(view, "L-R", "shift")
    at_work.click(at_work.bench.form.editor("pose").place_button)
    kept = at_work.desk.kept
    at_work.drag(view, (x, y), (x + 40, y))
    assert at_work.desk.kept is kept


def test_a_drag_reads_out_how_far_in_words(at_work: Person) -> None:
    at_work.bench.add_step("move")
    at_work.wait_for("move")
    at_work.click(at_work.bench.form.editor("pose").place_button)
    view, hand = at_work.bench.slices["coronal"], at_work.bench.hand
    x, y = hand.grip_pixel(view, "L-R", "shift")
    mm = view.eye().mm_per_pixel((0, 0, 0))
    at_work.drag(view, (x, y), (x + 40, y), release=False)
    assert at_work.window.statusBar().currentMessage() == f"{40 * mm:.1f} mm left"
    boxes = at_work.bench.form.editor("pose").boxes
    assert boxes[0].value() == pytest.approx(40 * mm, abs=0.01)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x + 40), round(y)))


def test_a_drag_frame_is_cheap_and_uploads_nothing(at_work: Person, record_property) -> None:
    at_work.bench.add_step("move")
    at_work.wait_for("move")
    at_work.click(at_work.bench.form.editor("pose").place_button)
    view, hand = at_work.bench.view3d, at_work.bench.hand
    uploads = view.stage.uploads
    x, y = hand.grip_pixel(view, "S-I", "shift")
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    cost = []
    for n in range(1, 31):
        start = time.thread_time()
        hand.move(x, y - n)
        cost.append(time.thread_time() - start)
        at_work.let_be(1)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y - 30)))
    record_property("drag_frame_ms", 1000 * float(np.median(cost)))
    assert np.median(cost) <= 0.005
    assert view.stage.uploads == uploads


def case_of(path: Path, parts: dict[str, Part]) -> Path:
    """A case that holds nothing but shapes."""
    case, plan = CaseFile.create(path), Plan()
    for name, part in parts.items():
        plan = plan.add(name, OPERATIONS["source"](digest=case.put_blob(encode(part)), kind="part"))
    case.commit([step.text for step in plan.steps], "made for a test")
    case.close()
    return path


def fine_part(count: int) -> Part:
    """A wavy sheet of 2 count² triangles."""
    x, y = np.meshgrid(np.arange(count + 1.0), np.arange(count + 1.0))
    first = (np.arange(count)[:, None] * (count + 1) + np.arange(count)).ravel()
    corners = [(first, first + 1, first + count + 1), (first + 1, first + count + 2, first + count + 1)]
    triangles = np.concatenate([np.stack(three, axis=1) for three in corners]).astype(np.int32)
    return Part(Mesh(np.stack([x, y, np.sin(x)], axis=-1).reshape(-1, 3), triangles))


def in_sight(person: Person) -> bool:
    """Whether all shapes lie inside the 3D view."""
    view = person.bench.view3d
    points = np.concatenate([s.mesh.points for s in person.desk.scene.surfaces])
    pixels = np.asarray(view.eye().pixels(points))
    return bool((pixels > 0).all() and (pixels < (view.width(), view.height())).all())


def test_a_case_opens_with_all_shapes_in_sight(person: Person, tmp_path: Path) -> None:
    far = {name: box_part((8, 9, 10), (0, 0, 90 * n)) for n, name in enumerate("abcde")}
    person.window.bring(case_of(tmp_path / "far.surgiplan", far))
    person.wait(lambda: person.window.bench is not None, "the case")
    person.wait(lambda: len(person.desk.scene.surfaces) == len(far), "the shapes")
    assert in_sight(person)
    person.bench.view3d.stage.camera.zoom(8)
    person.bench.view3d.look("left")
    person.bench.view3d.zoom_to((0, 0, 0), 10)
    person.desk.hide("b", True)
    person.desk.hide("b", False)
    assert not in_sight(person), "the eye of the person stays where it is"


def test_large_shapes_are_made_ready_beside_the_window(person: Person, tmp_path: Path, monkeypatch) -> None:
    makers, make = [], shapes.Shape.__init__

    def told(self: shapes.Shape, mesh: Mesh) -> None:
        makers.append(threading.current_thread())
        make(self, mesh)

    monkeypatch.setattr(shapes.Shape, "__init__", told)
    person.window.bring(case_of(tmp_path / "fine.surgiplan", {"a": fine_part(120), "b": fine_part(130)}))
    person.wait(lambda: person.window.bench is not None, "the case")
    view = person.bench.view3d
    person.desk.hide("b", True)
    person.wait(lambda: view.shown_names == {"a"}, "one shape")
    person.desk.hide("b", False)
    person.wait(lambda: view.shown_names == {"a", "b"}, "both shapes")
    assert makers
    assert threading.main_thread() not in makers


def test_the_numbers_follow_the_first_drag_of_a_plane(at_work: Person) -> None:
    at_work.desk.choose("bone")
    at_work.bench.add_step("cut")
    editor = at_work.bench.form.editor("plane")
    at_work.click(editor.place_button)
    assert "Drag the arrow" in at_work.window.statusBar().currentMessage()
    before, view = editor.value, at_work.bench.view3d
    x, y = at_work.bench.hand.grip_pixel(view, "normal")
    at_work.drag(view, (x, y), (x, y - 30), release=False)
    assert editor.value == at_work.desk.plan["cut"].operation.plane != before
    at_work.press_key(view, Qt.Key.Key_Escape)
    assert editor.value == before == at_work.desk.plan["cut"].operation.plane
