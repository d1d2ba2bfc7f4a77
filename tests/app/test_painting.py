"""A person paints: every tool in the real window, on voxels that can be counted."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from surgiplan.app.painting.paintbar import BUTTONS, drawing
from surgiplan.app.panels.segments import LabelDialog
from surgiplan.values import Bits
from tests.app.conftest import Person

pytestmark = pytest.mark.window
BRIGHT = (10, 8, 8)  # the block of the scan, in voxels
SPACING = (1.0, 0.75, 0.5)
MIDDLE = (3.75, 7.0, 12.5)  # of the block, LPS mm
BESIDE = (-1.0, 0.0, 12.5)  # in the air, in the same slice


@pytest.fixture
def painter(at_work: Person) -> Person:
    """A person with the bright block as a mask, and a paint step on it."""
    at_work.bench.add_step("threshold")
    at_work.wait_for("threshold")
    at_work.bench.add_step("paint")
    at_work.desk.point_at(MIDDLE)
    at_work.let_be()
    return at_work


def tool(person: Person, name: str) -> None:
    person.click(person.bench.paint_bar.tools[name])


def pixel(person: Person, view: str, at: tuple[float, float, float]) -> tuple[float, float]:
    return person.bench.views[view].eye().pixel(at)


def paint(person: Person):
    return person.desk.kept["paint"].operation


def voxels(person: Person) -> np.ndarray:
    person.wait_for("paint")
    return person.desk.results["paint"].value.voxels


def after_a_job(person: Person, words: str) -> None:
    person.wait(lambda: person.desk.done[-1][0].startswith(words), words, 20)


def draw_round(person: Person, view: QWidget, outline: list[tuple[float, float]]) -> None:
    points = [QPoint(round(x), round(y)) for x, y in outline]
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=points[0])
    for a, b in pairwise(points):
        for n in range(1, 5):
            QTest.mouseMove(view, a + (b - a) * (n / 4))
            person.let_be(1)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=points[-1])
    person.let_be()


def box_round(person: Person, view: str, low: tuple, high: tuple) -> list[tuple[float, float]]:
    """The four corners of a box of the axial slice, as pixels."""
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    return [pixel(person, view, (x, y, MIDDLE[2])) for x, y in corners]


def test_the_bar_is_there_for_a_step_that_is_painted_and_for_no_other(painter: Person) -> None:
    bar = painter.bench.paint_bar
    assert bar.isVisible()
    painter.desk.choose("threshold")
    painter.let_be()
    assert not bar.isVisible()


def test_every_drawing_of_the_bar_lies_in_its_box() -> None:
    for _, _, shape in BUTTONS:
        box = drawing(shape).boundingRect()
        assert 0 < box.left() < box.right() < 24
        assert 0 < box.top() < box.bottom() < 24


def test_a_brush_paints_one_slice_and_a_ball_several(painter: Person) -> None:
    view = painter.bench.slices["axial"]
    painter.bench.paint_bar.radius.setValue(2.5)
    tool(painter, "brush")
    painter.click(view, pixel(painter, "axial", BESIDE))
    disc = paint(painter).added
    assert disc.count * SPACING[1] * SPACING[2] == pytest.approx(np.pi * 2.5**2, rel=0.15)
    assert len({k for k, _, _ in np.argwhere(disc.in_box((0, 0, 0), (42, 34, 26)))}) == 1
    painter.desk.undo()
    tool(painter, "ball")
    painter.click(view, pixel(painter, "axial", BESIDE))
    ball = paint(painter).added
    assert ball.count * np.prod(SPACING) == pytest.approx(4 / 3 * np.pi * 2.5**3, rel=0.15)


def test_one_stroke_is_one_step_back(painter: Person) -> None:
    view, before = painter.bench.slices["axial"], painter.desk.kept
    tool(painter, "brush")
    x, y = pixel(painter, "axial", BESIDE)
    painter.drag(view, (x, y), (x + 40, y + 10))
    assert painter.desk.done[-1][0] == "brush paint"
    painter.desk.undo()
    assert painter.desk.kept == before
    painter.drag(view, (x, y), (x + 40, y + 10), release=False)
    painter.press_key(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert painter.desk.kept == before


def test_the_stroke_is_seen_while_it_is_drawn_and_until_the_mask_has_it(painter: Person) -> None:
    view, easel = painter.bench.slices["axial"], painter.bench.hand.easel
    tool(painter, "brush")
    x, y = pixel(painter, "axial", BESIDE)
    plain = view.grab().toImage().pixelColor(round(x), round(y) + 3)
    painter.drag(view, (x, y), (x + 30, y), release=False)
    assert easel.stroke.count > 10
    seen = view.grab().toImage().pixelColor(round(x) + 4, round(y) + 3)
    assert seen.green() > plain.green() + 60
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x + 30), round(y)))
    assert view.grab().toImage().pixelColor(round(x) + 4, round(y) + 3) != plain
    painter.wait_for("paint")
    painter.wait(lambda: easel._settling is None, "the mask to have it")


def test_ctrl_erases_where_the_tool_paints(painter: Person) -> None:
    view = painter.bench.slices["axial"]
    tool(painter, "brush")
    x, y = pixel(painter, "axial", MIDDLE)
    painter.drag(view, (x, y), (x + 4, y), modifier=Qt.KeyboardModifier.ControlModifier)
    assert paint(painter).removed.count > 5
    assert not (paint(painter).added or Bits()).count
    assert not painter.bench.hand.easel.erasing, "only for that stroke"


def test_the_brush_keeps_to_grey_values_and_spares_other_segments(painter: Person) -> None:
    view, bar = painter.bench.slices["axial"], painter.bench.paint_bar
    bar.radius.setValue(20)
    bar.limit.setChecked(True)
    tool(painter, "brush")
    painter.click(view, pixel(painter, "axial", MIDDLE))
    assert paint(painter).added.count == 8 * 8, "the block in one slice; the air round it stays"
    painter.desk.undo()
    bar.limit.setChecked(False)
    bar.spare.setChecked(True)
    label = replace(painter.desk.kept["threshold"].label, colour="#E69F00")
    painter.bench.segments.relabel("threshold", label, "colour")
    painter.wait_for("threshold")
    painter.click(view, pixel(painter, "axial", MIDDLE))
    added = paint(painter).added.in_box((0, 0, 0), (42, 34, 26))
    assert added.sum() > 200
    assert not (added & painter.desk.results["threshold"].value.voxels).any()


def test_shift_and_wheel_and_brackets_size_the_brush(painter: Person) -> None:
    view, easel = painter.bench.slices["axial"], painter.bench.hand.easel
    tool(painter, "brush")
    index = view.slice.index
    place = QPointF(view.rect().center())
    for notches in (120, 120, 120):
        event = QWheelEvent(
            place,
            QPointF(view.mapToGlobal(place.toPoint())),
            QPoint(),
            QPoint(0, notches),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.ShiftModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view, event)
    assert easel.settings.radius_mm > 3.8
    assert painter.bench.paint_bar.radius.value() == easel.settings.radius_mm
    assert view.slice.index == index
    for _ in range(3):
        painter.press_key(view, Qt.Key.Key_BracketLeft)
    assert easel.settings.radius_mm == pytest.approx(3.0, abs=0.2)


def test_a_lasso_paints_what_lies_in_it_in_one_slice(painter: Person) -> None:
    tool(painter, "lasso")
    low, high = (-4.0, -6.0), (1.0, 3.0)
    draw_round(painter, painter.bench.slices["axial"], box_round(painter, "axial", low, high))
    area = paint(painter).added.count * SPACING[1] * SPACING[2]
    assert area == pytest.approx(5.0 * 9.0, rel=0.12)


def test_scissors_cut_through_the_volume_after_their_corners_were_dragged(painter: Person) -> None:
    view = painter.bench.slices["axial"]
    tool(painter, "scissors")
    half = box_round(painter, "axial", (1.0, 0.0), (MIDDLE[0] - 0.01, 14.0))
    wrong = (half[2][0] - 25, half[2][1] - 25)
    for x, y in (half[0], half[1], wrong, half[3]):
        painter.click(view, (x, y))
    before = painter.desk.kept
    painter.drag(view, wrong, half[2])
    assert painter.desk.kept == before, "nothing is cut before Enter"
    painter.press_key(view, Qt.Key.Key_Return)
    after_a_job(painter, "cut away")
    kept = voxels(painter)
    assert kept.sum() == np.prod(BRIGHT) / 2
    assert {i for _, _, i in np.argwhere(kept)} == {20, 21, 22, 23}


def test_scissors_can_keep_what_lies_inside_and_fill_it(painter: Person) -> None:
    view, bar = painter.bench.slices["axial"], painter.bench.paint_bar
    tool(painter, "scissors")
    half = box_round(painter, "axial", (1.0, 0.0), (MIDDLE[0] - 0.01, 14.0))
    bar.cut.setCurrentIndex(bar.cut.findData("keep"))
    bar.cut.activated.emit(1)
    for corner in half:
        painter.click(view, corner)
    painter.press_key(view, Qt.Key.Key_Return)
    after_a_job(painter, "cut free")
    assert {i for _, _, i in np.argwhere(voxels(painter))} == {16, 17, 18, 19}
    bar.cut.setCurrentIndex(bar.cut.findData("fill"))
    bar.cut.activated.emit(2)
    for corner in box_round(painter, "axial", (-5.75, -11.6), (-4.25, -10.1)):
        painter.click(view, corner)
    painter.press_key(view, Qt.Key.Key_Return)
    after_a_job(painter, "fill an outline")
    filled = voxels(painter)
    assert filled[:, 1:3, 1:4].all(), "through all slices"
    assert filled.sum() == 42 * 2 * 3 + np.prod(BRIGHT) / 2


def test_esc_drops_an_outline_and_backspace_its_last_corner(painter: Person) -> None:
    view, hand, before = painter.bench.slices["axial"], painter.bench.hand, painter.desk.kept
    tool(painter, "scissors")
    for x, y in ((60, 60), (120, 60), (120, 120)):
        painter.click(view, (x, y))
    painter.press_key(view, Qt.Key.Key_Backspace)
    assert len(hand._tool._points) == 2
    painter.press_key(view, Qt.Key.Key_Return)
    assert painter.window.statusBar().currentMessage() == "An outline needs three corners at least."
    painter.press_key(view, Qt.Key.Key_Escape)
    assert not hand.dragging
    assert painter.desk.kept == before


def test_a_live_wire_goes_round_the_block(painter: Person) -> None:
    view = painter.bench.slices["axial"]
    tool(painter, "livewire")
    corners = box_round(painter, "axial", (2.0, 4.5), (5.5, 9.75))
    for corner in [*corners, corners[0]]:
        painter.click(view, corner)
    added = np.argwhere(paint(painter).added.in_box((0, 0, 0), (42, 34, 26)))
    assert {k for k, _, _ in added} == {32}
    assert 6 * 6 <= len(added) <= 10 * 10
    assert painter.desk.done[-1][0] == "paint an outline on paint"


def test_slices_between_two_painted_ones_are_filled(painter: Person) -> None:
    view, bar = painter.bench.slices["axial"], painter.bench.paint_bar
    tool(painter, "brush")
    for height, radius in ((2.5, 2.0), (8.5, 5.0)):
        painter.desk.point_at((MIDDLE[0], MIDDLE[1], height))
        bar.radius.setValue(radius)
        painter.click(view, pixel(painter, "axial", (0.0, 0.0, height)))
    painter.click(bar.fill)
    after_a_job(painter, "fill between")
    added = paint(painter).added.in_box((0, 0, 0), (42, 34, 26))
    areas = added.sum(axis=(1, 2)) * SPACING[1] * SPACING[2]
    assert np.count_nonzero(areas) == 7
    assert (np.diff(areas[areas > 0]) > 0).all()


def test_an_island_goes_and_another_is_kept(painter: Person) -> None:
    view = painter.bench.slices["axial"]
    tool(painter, "brush")
    painter.click(view, pixel(painter, "axial", (-3.0, -6.0, MIDDLE[2])))
    island = voxels(painter).sum() - np.prod(BRIGHT)
    assert island > 10
    tool(painter, "drop_island")
    painter.click(view, pixel(painter, "axial", (-3.0, -6.0, MIDDLE[2])))
    after_a_job(painter, "remove an island")
    assert voxels(painter).sum() == np.prod(BRIGHT)
    painter.desk.undo()
    painter.wait_for("paint")
    tool(painter, "keep_island")
    painter.click(view, pixel(painter, "axial", (-3.0, -6.0, MIDDLE[2])))
    after_a_job(painter, "keep one island")
    assert voxels(painter).sum() == island


def test_a_surface_is_painted_in_space(painter: Person) -> None:
    view = painter.bench.view3d
    view.look("left")
    at = (6.5, 0.0, 2.0)  # the left face of the plate
    tool(painter, "brush")
    painter.bench.paint_bar.radius.setValue(2.0)
    painter.click(view, pixel(painter, "3d", at))
    added = np.argwhere(paint(painter).added.in_box((0, 0, 0), (42, 34, 26)))
    places = added[:, ::-1] * (0.5, 0.75, 1.0) + (-6.0, -12.0, -20.0)
    assert len(added) > 10
    assert np.linalg.norm(places - at, axis=1).max() <= 2.3


def test_a_locked_segment_refuses_every_stroke(painter: Person) -> None:
    view = painter.bench.slices["axial"]
    painter.bench.segments.list.itemClicked.emit(painter.bench.segments.item("paint"), 1)
    assert painter.desk.kept["paint"].label.locked
    before = painter.desk.kept
    for name in painter.bench.paint_bar.tools:
        tool(painter, name)
        painter.drag(view, (100, 100), (130, 110))
        assert painter.desk.kept == before
        assert "paint is locked" in painter.window.statusBar().currentMessage()
        tool(painter, name)


def test_what_is_cut_beside_the_window_stays_with_the_step_it_was_begun_on(painter: Person) -> None:
    view = painter.bench.slices["axial"]
    tool(painter, "scissors")
    for corner in box_round(painter, "axial", (1.0, 0.0), (MIDDLE[0], 14.0)):
        painter.click(view, corner)
    painter.bench.hand.finish()
    painter.bench.add_step("paint")
    tool(painter, "brush")
    after_a_job(painter, "cut away from paint")
    assert paint(painter).removed.count
    assert painter.desk.kept["paint2"].operation.removed is None


def test_an_outline_on_a_segment_that_was_locked_meanwhile_cuts_nothing(painter: Person) -> None:
    view, panel = painter.bench.slices["axial"], painter.bench.segments
    tool(painter, "scissors")
    for corner in box_round(painter, "axial", (1.0, 0.0), (MIDDLE[0], 14.0)):
        painter.click(view, corner)
    painter.bench.hand.finish()
    panel.relabel("paint", replace(painter.desk.kept["paint"].label, locked=True), "lock")
    painter.wait(lambda: "paint is locked" in painter.window.statusBar().currentMessage(), "a word", 10)
    assert paint(painter).removed is None


def test_a_segment_gets_words_a_term_and_a_colour(painter: Person) -> None:
    panel, keys = painter.bench.segments, painter.desk.kept.keys()
    painter.click(panel.name_button)
    dialog = painter.dialog(LabelDialog)
    dialog.term.setCurrentIndex(dialog.term.findText("Femur"))
    dialog.term.activated.emit(dialog.term.currentIndex())
    dialog.accept()
    painter.let_be()
    label = painter.desk.kept["paint"].label
    assert (label.title, label.code) == ("Femur", "SCT:71341001")
    assert label.colour
    assert panel.item("paint").text(0) == "Femur"
    assert painter.desk.kept.keys() == keys, "nothing is computed again"
    assert painter.desk.undo_name == "name paint"


def test_a_segment_is_taken_out_of_another_by_a_step_that_says_so(painter: Person) -> None:
    panel, desk = painter.bench.segments, painter.desk
    tool(painter, "brush")
    painter.click(painter.bench.slices["axial"], pixel(painter, "axial", MIDDLE))
    bone = replace(desk.kept["threshold"].label, title="Block", colour="#E69F00")
    panel.relabel("threshold", bone, "name")
    panel.take_out("paint", "threshold")
    painter.wait_for("threshold_less_paint")
    assert desk.kept["threshold_less_paint"].label == bone
    assert not desk.kept["threshold"].label.colour
    masks = {name: desk.results[name].value.voxels for name in ("threshold", "paint", "threshold_less_paint")}
    assert np.array_equal(masks["threshold_less_paint"], masks["threshold"] & ~masks["paint"])
    desk.undo()
    assert desk.kept["threshold"].label == bone


def test_a_segment_is_measured(painter: Person) -> None:
    panel = painter.bench.segments
    painter.desk.choose("threshold")
    painter.wait_for("threshold")
    painter.click(panel.measure_button)
    painter.wait(lambda: panel.figures.text(), "the figures")
    volume = np.prod(BRIGHT) * np.prod(SPACING) / 1000
    assert panel.figures.text().startswith(f"volume {volume:.2f} cm³, mean 1000 ± 0 HU, area ")


@pytest.mark.parametrize(("name", "radius"), [("brush", 3.0), ("brush", 10.0), ("ball", 5.0)])
def test_a_frame_of_a_stroke_is_cheap(painter: Person, name: str, radius: float, record_property) -> None:
    view, hand = painter.bench.slices["axial"], painter.bench.hand
    tool(painter, name)
    painter.bench.paint_bar.radius.setValue(radius)
    painter.let_be()
    x, y = pixel(painter, "axial", BESIDE)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    cost = []
    for n in range(1, 31):
        start = time.thread_time()
        hand.move(x + n, y)
        view.grab()
        cost.append(time.thread_time() - start)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x + 30), round(y)))
    record_property("stroke_frame_ms", 1000 * float(np.median(cost)))
    assert np.median(cost) <= 0.006


def test_a_new_segment_begins_with_nothing(at_work: Person) -> None:
    """No threshold, no mask: one click, and the brush is in the hand."""
    panel = at_work.bench.segments
    at_work.desk.point_at(MIDDLE)
    at_work.click(panel.new_button)
    assert at_work.desk.view.chosen == "segment"
    operation = at_work.desk.kept["segment"].operation
    assert operation.mask is None
    assert operation.volume is not None
    assert at_work.desk.kept["segment"].label.colour
    assert at_work.bench.hand.active
    view = at_work.bench.slices["axial"]
    x, y = pixel(at_work, "axial", MIDDLE)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    at_work.wait_for("segment")
    first = at_work.desk.results["segment"].value.voxels
    assert first.any()
    assert np.array_equal(np.argwhere(first).min(0)[:1], np.argwhere(first).max(0)[:1])  # a disc in one slice
    at_work.bench.undo()
    assert at_work.desk.kept["segment"].operation.added is None
    at_work.click(panel.new_button)
    assert list(at_work.desk.kept.names)[-2:] == ["segment", "segment2"]
    assert at_work.desk.kept["segment2"].label.colour != at_work.desk.kept["segment"].label.colour


def test_a_paint_step_that_is_added_takes_the_mask_that_is_chosen(painter: Person) -> None:
    assert str(paint(painter).mask) == "threshold"
    assert paint(painter).volume is None
