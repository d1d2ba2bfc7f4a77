"""Points that are placed can be dragged: in a slice and on a shape, one drag one undo step."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from surgiplan.ops.landmarks import NameLandmarks
from surgiplan.values import Places

from .conftest import Person


def test_a_point_of_a_distance_is_dragged_in_a_slice(at_work: Person) -> None:
    at_work.bench.add_step("measure")
    form, view, desk = at_work.bench.form, at_work.bench.slices["axial"], at_work.desk
    at_work.click(form.editor("points").place_button)
    x, y = view.width() // 2, view.height() // 2
    at_work.click(view, (x, y))
    at_work.click(view, (x + 40, y))
    first, second = desk.kept["measure"].operation.points
    said = []
    at_work.bench.hand.told.connect(said.append)
    at_work.drag(view, (x + 40, y), (x + 40, y + 30), release=False)
    assert desk.kept["measure"].operation.points == (first, second), "nothing is kept before the release"
    assert "posterior" in said[-1]
    mm = view.eye().mm_per_pixel(first)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(x + 40, y + 30))
    at_work.wait_for("measure")
    assert desk.results["measure"].value.value == pytest.approx(50 * mm, abs=0.02)
    moved = desk.kept["measure"].operation.points
    assert moved[0] == first
    assert np.allclose(np.subtract(moved[1], second), (0, 30 * mm, 0), atol=0.01)
    desk.undo()
    assert desk.kept["measure"].operation.points == (first, second)
    at_work.let_be()
    at_work.click(view, (x + 40, y))
    assert len(desk.kept["measure"].operation.points) == 2, "a click on a point adds none"
    at_work.click(view, (x, y + 60))
    assert len(desk.kept["measure"].operation.points) == 3


def test_a_drag_that_is_let_go_leaves_the_point_where_it_was(at_work: Person) -> None:
    at_work.bench.add_step("measure")
    form, view, desk = at_work.bench.form, at_work.bench.slices["axial"], at_work.desk
    at_work.click(form.editor("points").place_button)
    x, y = view.width() // 2, view.height() // 2
    at_work.click(view, (x, y))
    before = desk.kept
    at_work.drag(view, (x, y), (x + 25, y), release=False)
    assert desk.plan != before
    at_work.bench.hand.let_go()
    assert desk.plan == desk.kept == before


def test_a_landmark_is_dragged_over_the_bone_and_no_other_is_placed(at_work: Person) -> None:
    view, desk = at_work.bench.view3d, at_work.desk
    eye = view.eye()
    start = next(
        (x, y)
        for y in range(60, view.height(), 20)
        for x in range(60, view.width(), 20)
        if view.point_at(x, y)
    )
    at = view.point_at(*start)
    step = NameLandmarks(side="right", points=Places({"knee_centre": at, "head_centre": (0, 0, 0)}))
    desk.commit(desk.kept.add("landmarks", step), "add")
    desk.choose("landmarks")
    at_work.wait_for("landmarks")
    at_work.click(at_work.bench.landmarks.place_button)
    QTest.mouseMove(view, view.rect().center())
    at_work.let_be()
    x, y = eye.pixel(at)
    at_work.drag(view, (x, y), (x + 6, y + 6))
    places = desk.kept["landmarks"].operation.points
    assert list(places) == ["knee_centre", "head_centre"]
    assert places["head_centre"] == (0, 0, 0)
    assert 0 < np.linalg.norm(np.subtract(places["knee_centre"], at)) < 60
