"""Figures, colours and the stop while a body is dragged."""

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from surgiplan.app import theme
from surgiplan.app.views.nearness import Near
from surgiplan.ops.collide import Collide
from surgiplan.plan.operation import Ref
from surgiplan.values import Collision, Pose
from tests.app.conftest import Person

pytestmark = pytest.mark.window
BONE_SIDE = 4.0  # the bone reaches to x = 4; the plate from 2.5 to 6.5


def holding(person: Person, shift: tuple[float, float, float]) -> None:
    """The plate moved so far, held by its handles, all distances known."""
    person.click_step("plate")
    person.bench.add_step("move")
    person.wait_for("move")
    desk = person.desk
    desk.commit(desk.kept.edit("move", pose=Pose.of_shift(shift)), "set down")
    person.wait_for("move")
    person.click(person.bench.form.editor("pose").place_button)
    near = person.bench.hand.nearness
    person.wait(lambda: near.near and near.near[0].exact and not near.jobs.busy, "the distances")


def pull(person: Person, mm: float) -> None:
    """Drag along the patient's left-right axis; negative is to the right, towards the bone."""
    view, hand = person.bench.slices["coronal"], person.bench.hand
    x, y = hand.grip_pixel(view, "L-R", "shift")
    pixels = mm / view.eye().mm_per_pixel((0, 0, 0))
    person.drag(view, (x, y), (x + pixels, y), steps=3)


def shift(person: Person) -> float:
    return float(person.desk.kept["move"].operation.pose.shift[0])


def test_the_distance_to_the_bone_is_told_and_follows(at_work: Person) -> None:
    holding(at_work, (5.0, 0, 0))
    near = at_work.bench.hand.nearness
    (one,) = near.near
    assert one.name == "bone"
    assert one.found.clearance_mm == pytest.approx(5 + 2.5 - BONE_SIDE, abs=0.05)
    assert one.text == "bone: 3.50 mm apart"
    pull(at_work, -4.0)
    (one,) = near.near
    assert shift(at_work) == pytest.approx(1.0, abs=0.1)
    assert one.found.depth_mm == pytest.approx(BONE_SIDE - 2.5 - shift(at_work), abs=0.05)
    assert "deep" in one.text


def test_a_wide_bound_is_told_with_the_distance() -> None:
    at = (0.0, 0.0, 0.0)
    apart = Near("bone", Collision(0.0, 3.2, False, at, 7.1, near_lps=at), exact=False)
    assert apart.text == "bone: about 3.20 mm apart, or up to 7.1 less"
    deep = Near("bone", Collision(7.8, 0.0, False, at, 1.1), exact=True)
    assert deep.text == "bone: 7.80 mm deep, or up to 1.1 more"
    assert Near("bone", Collision(7.8, 0.0, False, at, 0.2), exact=True).text == "bone: 7.80 mm deep"


def test_the_body_is_coloured_by_its_distance(at_work: Person) -> None:
    holding(at_work, (3.0, 0, 0))
    view = at_work.bench.view3d
    shown = {one.name: one for one in view._shown.surfaces}
    assert shown["bone"].scalars is None
    points = shown["move"].pose.apply(shown["move"].mesh.points)
    values = shown["move"].scalars.values
    inner = points[:, 0] < 6
    assert np.abs(values[inner] - 1.5).max() < 0.1
    assert (values[~inner] > 3.9).all()
    at_work.click(at_work.bench.form.editor("pose").place_button)
    assert {one.name: one for one in view._shown.surfaces}["move"].scalars is None


def test_a_drag_stops_before_the_bone_when_it_shall(at_work: Person) -> None:
    holding(at_work, (6.0, 0, 0))
    at_work.window.actions_by_name["stop_at_contact"].trigger()
    assert at_work.window.actions_by_name["stop_at_contact"].isChecked()
    pull(at_work, -14.0)  # through the bone and out on the other side
    assert shift(at_work) == pytest.approx(BONE_SIDE - 2.5, abs=0.1)
    assert shift(at_work) > BONE_SIDE - 2.5
    assert at_work.desk.undo_name.startswith("place pose")
    pull(at_work, 3.0)  # and it is free to go away again
    assert shift(at_work) == pytest.approx(BONE_SIDE - 2.5 + 3, abs=0.3)
    at_work.window.actions_by_name["stop_at_contact"].trigger()
    pull(at_work, -5.0)
    assert shift(at_work) < 0


def test_bodies_that_overlap_already_do_not_hold_it_up(at_work: Person) -> None:
    holding(at_work, (0.0, 0, 0))
    at_work.bench.turn_stop()
    pull(at_work, -2.0)
    assert shift(at_work) == pytest.approx(-2.0, abs=0.1)


def test_a_frame_costs_little(at_work: Person, record_property) -> None:
    holding(at_work, (5.0, 0, 0))
    hand, view = at_work.bench.hand, at_work.bench.view3d
    at_work.bench.turn_stop()
    x, y = hand.grip_pixel(view, "S-I", "shift")
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    cost = []
    for n in range(1, 21):
        start = time.thread_time()
        hand.move(x, y - n)
        cost.append(time.thread_time() - start)
        at_work.let_be(1)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y - 20)))
    record_property("near_frame_ms", 1000 * float(np.median(cost)))
    assert np.median(cost) <= 0.1


def test_a_body_meant_to_sit_in_the_bone_is_told_so_and_not_held_up(at_work: Person) -> None:
    holding(at_work, (6.0, 0, 0))
    desk, near = at_work.desk, at_work.bench.hand.nearness
    look = Collide(a=Ref("move"), b=Ref("bone"), meant="inside")
    desk.commit(desk.kept.add("seat", look), "look")
    at_work.let_be()
    near.follow()
    (one,) = near.near
    assert one.text == "bone: 4.50 mm outside, meant to sit inside"
    assert one.colour == theme.SEVERITY_COLOURS["danger"]
    at_work.bench.turn_stop()
    pull(at_work, -6.0)
    assert shift(at_work) == pytest.approx(0.0, abs=0.1), "it goes into the bone"
    (one,) = near.near
    assert one.text == "bone: sits inside, reaches out"
    assert one.colour == theme.SEVERITY_COLOURS["warning"]
    shown = {one.name: one for one in at_work.bench.view3d._shown.surfaces}
    assert shown["move"].scalars is None, "no other shape is near"
