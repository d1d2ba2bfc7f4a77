"""A part is held by axes of choice, about a point of choice, and moved by steps of the keys."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from surgiplan.values import IDENTITY, Pose
from tests.app.conftest import Person


@pytest.fixture
def holding(at_work: Person) -> Person:
    """A person who holds the plate."""
    at_work.bench.add_step("move")
    at_work.wait_for("move")
    at_work.click(at_work.bench.form.editor("pose").place_button)
    return at_work


def pose_of(person: Person) -> Pose:
    return person.desk.kept["move"].operation.pose


def over(person: Person, name: str) -> object:
    """The cursor over a view, as far as the hand knows."""
    view = person.bench.views[name]
    person.bench.hand.hover(view, view.width() / 2, view.height() / 2)
    view.setFocus()
    return view


def test_the_bar_shows_only_while_a_part_is_held(holding: Person) -> None:
    assert holding.bench.hold_bar.isVisible()
    assert not holding.bench.paint_bar.isVisible()
    holding.click(holding.bench.form.editor("pose").place_button)
    assert not holding.bench.hold_bar.isVisible()


def test_arrow_keys_step_in_the_view_under_the_cursor(holding: Person) -> None:
    """Coronal, patient's left on the right of the picture: to the right is +L, up is +S."""
    view = over(holding, "coronal")
    holding.press_key(view, Qt.Key.Key_Right)
    assert pose_of(holding).shift == pytest.approx((0.5, 0, 0), abs=1e-6)
    holding.bench.hold_bar.step_mm.setValue(2.0)
    holding.press_key(view, Qt.Key.Key_Up)
    assert pose_of(holding).shift == pytest.approx((0.5, 0, 2.0), abs=1e-6)


def test_page_keys_turn_about_the_line_of_sight_and_the_middle_stays(holding: Person) -> None:
    view = over(holding, "axial")
    middle = holding.bench.hand._grasp.pivot
    for _ in range(3):
        holding.press_key(view, Qt.Key.Key_PageDown)
    assert pose_of(holding).degrees == pytest.approx(3.0)
    assert np.allclose(pose_of(holding).apply(middle), middle)
    assert abs(pose_of(holding).rotation[2, 2]) == pytest.approx(1.0)


def test_each_step_can_be_undone_and_all_can_be_put_back(holding: Person) -> None:
    view = over(holding, "coronal")
    assert not holding.bench.hold_bar.reset.isEnabled()
    holding.press_key(view, Qt.Key.Key_Right)
    once = pose_of(holding)
    holding.press_key(view, Qt.Key.Key_Up)
    holding.bench.desk.undo()
    assert pose_of(holding) == once
    holding.click(holding.bench.hold_bar.reset)
    assert pose_of(holding) == IDENTITY


def test_it_turns_about_the_point_that_was_clicked(holding: Person) -> None:
    view = over(holding, "axial")
    holding.click(holding.bench.hold_bar.pick)
    at = QPoint(view.width() // 2 + 30, view.height() // 2 + 20)
    point = view.point_at(at.x(), at.y())
    holding.click(view, (at.x(), at.y()))
    assert holding.bench.hand.hold.pivot == pytest.approx(point, abs=1e-6)
    assert not holding.bench.hold_bar.pick.isChecked()
    assert pose_of(holding) == IDENTITY
    holding.press_key(view, Qt.Key.Key_PageUp)
    assert pose_of(holding).apply(point) == pytest.approx(point, abs=1e-6)
    assert np.linalg.norm(pose_of(holding).apply((0, 0, 0))) > 0.01
    holding.click(holding.bench.hold_bar.middle)
    assert holding.bench.hand.hold.pivot is None


def test_arrows_follow_the_axes_that_are_chosen(holding: Person) -> None:
    """The plate is 12 mm along S-I and 4 mm across; after a turn its long axis leans with it."""
    bench, hand = holding.bench, holding.bench.hand
    view = over(holding, "coronal")
    assert hand.grip_pixel(view, "S-I", "shift") is not None
    for _ in range(20):
        holding.press_key(view, Qt.Key.Key_PageDown)
    bench.hold_bar.axes.setCurrentIndex(2)
    assert hand.grip_pixel(view, "S-I", "shift") is None
    x, y = hand.grip_pixel(view, "long", "shift")
    before = pose_of(holding)
    middle_x, middle_y = view.eye().pixel(before.apply(hand._grasp.pivot))
    along = np.array([x - middle_x, y - middle_y])
    holding.drag(view, (x, y), tuple(np.array([x, y]) + along / 2))
    moved = pose_of(holding).apply((0, 0, 0)) - before.apply((0, 0, 0))
    assert np.degrees(np.arccos(abs(moved[2]) / np.linalg.norm(moved))) == pytest.approx(20, abs=0.5)
    bench.hold_bar.axes.setCurrentIndex(1)
    assert hand.grip_pixel(view, "own L-R", "shift") is not None
