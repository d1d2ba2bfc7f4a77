"""A part on a guide is moved by hand along the ways that the guide leaves free, and no others."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from surgiplan.algorithms.motion import Guide, Guided, ways_on
from surgiplan.app.views.handles import Drag, grip_pixel, grips_of
from surgiplan.ops.move_guided import MoveGuided
from surgiplan.values import Plane, Pose
from tests.app.conftest import Person
from tests.app.test_handles import PIVOT, eye_looking

GUIDE = Plane((4.5, 0.0, 2.0), (1.0, 0.0, 0.0))  # the middle of the plate, to the left
BONE_SIDE = 4.0  # the bone reaches to x = 4; the plate from 2.5 to 6.5
EYE = eye_looking(20, 10)
NAMES = {"axis": {"shift", "angle"}, "hinge": {"angle"}, "plane": {"shift", "across", "angle", "free"}}


# --- the geometry of the handle


@pytest.mark.parametrize("kind", NAMES)
def test_a_guide_has_grips_for_its_ways_alone(kind: Guide) -> None:
    motion = Guided(kind, Plane(PIVOT, (0.3, -0.5, 0.8)))
    assert {grip.name for grip in grips_of(motion, PIVOT, EYE)} == NAMES[kind]


@pytest.mark.parametrize(("kind", "name"), [("axis", "shift"), ("plane", "shift"), ("plane", "across")])
def test_an_arrow_changes_its_number_by_the_millimetres_of_the_cursor(kind: Guide, name: str) -> None:
    before = Guided(kind, Plane(PIVOT, (0.3, -0.5, 0.8)), shift=2.0, angle=7.0)
    grip = next(grip for grip in grips_of(before, PIVOT, EYE) if grip.name == name)
    x, y = grip_pixel(grip, EYE)
    centre = np.asarray(PIVOT) + before.slide
    a, b = EYE.pixels([centre, centre + 3.7 * before.ways[name]])
    after, words = Drag(before, PIVOT, grip, EYE, x, y).to(x + b[0] - a[0], y + b[1] - a[1])
    assert isinstance(after, Guided)
    for one in ("shift", "across", "angle"):
        gone = 3.7 if one == name else 0.0
        assert getattr(after, one) == pytest.approx(getattr(before, one) + gone, abs=1e-6)
    assert words == f"{name} {getattr(after, name):.1f} mm (+3.7)"
    whole, _ = Drag(before, PIVOT, grip, EYE, x, y).to(x + b[0] - a[0], y + b[1] - a[1], snap=True)
    assert getattr(whole, name) == pytest.approx(getattr(before, name) + 4.0)


def test_the_ring_turns_about_the_guide_and_goes_round_at_180_degrees() -> None:
    before = Guided("hinge", Plane(PIVOT, (0.3, -0.5, 0.8)), angle=170.0)
    grip = next(grip for grip in grips_of(before, PIVOT, EYE) if grip.name == "angle")
    held = grip.line_lps[8]
    to = Pose.of_rotation(before.guide.normal, 20, about=PIVOT).apply(held)
    after, words = Drag(before, PIVOT, grip, EYE, *EYE.pixel(held)).to(*EYE.pixel(to))
    assert isinstance(after, Guided)
    assert after.angle == pytest.approx(-170, abs=1e-4)
    assert words == "angle -170.0° (+20.0)"
    assert after.pose.after(before.pose.inverse).array == pytest.approx(
        Pose.of_rotation(before.guide.normal, 20, about=PIVOT).array, abs=1e-5
    )


def test_the_dot_slides_on_the_plane_under_the_cursor() -> None:
    before = Guided("plane", Plane(PIVOT, (0.3, -0.5, 0.8)))
    grip = next(grip for grip in grips_of(before, PIVOT, EYE) if grip.kind == "free")
    first, second = ways_on(before.guide)
    x, y = EYE.pixel(np.asarray(PIVOT) + 4 * first - 2.5 * second)
    after, words = Drag(before, PIVOT, grip, EYE, *EYE.pixel(PIVOT)).to(x, y)
    assert isinstance(after, Guided)
    assert (after.shift, after.across) == pytest.approx((4.0, -2.5), abs=1e-6)
    assert words == "shift 4.0 mm (+4.0), across -2.5 mm (-2.5)"


def test_a_plane_seen_from_its_edge_has_no_dot_to_slide_on_it() -> None:
    eye = eye_looking(0, 0)  # looks towards posterior
    grips = grips_of(Guided("plane", Plane(PIVOT, (0, 0, 1))), PIVOT, eye)
    assert {grip.name for grip in grips} == {"shift"}


# --- at the window


def guided(person: Person, kind: Guide, guide: Plane = GUIDE, part: str = "plate", **numbers: float) -> None:
    """A part on a guide, held by its handle, all distances known."""
    person.click_step(part)
    person.bench.add_step("move_guided")
    desk = person.desk
    desk.commit(desk.kept.edit("move_guided", kind=kind, guide=guide, **numbers), "guide laid")
    person.wait_for("move_guided")
    person.bench.form.refresh()
    person.click(hand_button(person))
    near = person.bench.hand.nearness
    person.wait(lambda: near.near and near.near[0].exact and not near.jobs.busy, "the distances")


def hand_button(person: Person):
    """The button of the numbers that shows."""
    editors = [person.bench.form.editor(name) for name in ("shift", "across", "angle")]
    (button,) = [one.place_button for one in editors if one.place_button.isVisible()]
    return button


def motion(person: Person) -> MoveGuided:
    operation = person.desk.kept["move_guided"].operation
    assert isinstance(operation, MoveGuided)
    return operation


def pull(person: Person, mm: float, view_name: str = "coronal", release: bool = True) -> None:
    """Drag the arrow along the guide; negative is towards the bone."""
    view, hand = person.bench.views[view_name], person.bench.hand
    x, y = hand.grip_pixel(view, "shift")
    at = np.asarray(GUIDE.point) + motion(person).shift * np.asarray(GUIDE.normal)
    a, b = view.eye().pixels([at, at + mm * np.asarray(GUIDE.normal)])
    person.drag(view, (x, y), (x + b[0] - a[0], y + b[1] - a[1]), steps=4, release=release)


@pytest.mark.window
@pytest.mark.parametrize("view", ["coronal", "3d"])
def test_a_drag_along_the_axis_is_one_step_back_and_the_distance_follows(at_work: Person, view: str) -> None:
    guided(at_work, "axis", shift=4.0)
    pull(at_work, 3.0, view)
    assert motion(at_work).shift == pytest.approx(7.0, abs=0.3)
    assert (motion(at_work).across, motion(at_work).angle) == (0, 0)
    assert at_work.bench.form.editor("shift").value == pytest.approx(motion(at_work).shift, abs=0.01)
    (near,) = at_work.bench.hand.nearness.near
    assert near.found.clearance_mm == pytest.approx(motion(at_work).shift + 2.5 - BONE_SIDE, abs=0.05)
    assert at_work.desk.undo_name == "place motion of move_guided"
    at_work.bench.undo()
    assert motion(at_work).shift == 4.0


@pytest.mark.window
def test_while_it_is_dragged_the_part_goes_along_and_escape_drops_it(at_work: Person) -> None:
    guided(at_work, "axis", shift=4.0)
    pull(at_work, 3.0, release=False)
    seen = at_work.desk.plan["move_guided"].operation
    assert seen.shift == pytest.approx(7.0, abs=0.3)
    assert at_work.desk.results["move_guided"].value.pose.shift[0] == pytest.approx(seen.shift)
    assert motion(at_work).shift == 4.0
    at_work.press_key(at_work.bench.views["coronal"], Qt.Key.Key_Escape)
    assert at_work.desk.plan["move_guided"].operation.shift == 4.0


@pytest.mark.window
def test_a_slide_stops_before_the_bone_when_it_shall(at_work: Person) -> None:
    guided(at_work, "axis", shift=6.0)
    at_work.bench.turn_stop()
    told: list[str] = []
    at_work.bench.hand.told.connect(told.append)
    pull(at_work, -12.0)
    assert motion(at_work).shift == pytest.approx(BONE_SIDE - 2.5, abs=0.1)
    assert motion(at_work).shift > BONE_SIDE - 2.5
    assert any(words.endswith("stopped before bone") for words in told)


@pytest.mark.window
def test_a_turn_stops_before_the_bone_and_stays_on_its_hinge(at_work: Person) -> None:
    """The plate stands 2.5 mm beside the bone; hinged at its lower end, its upper inner edge swings in.

    That edge is (-2, 12) from the hinge, and meets the bone where it is -4.5 mm to the right of it.
    """
    desk = at_work.desk
    at_work.click_step("plate")
    at_work.bench.add_step("move")
    desk.commit(desk.kept.edit("move", pose=Pose.of_shift((4.0, 0, 0))), "set beside")
    hinge = Plane((8.5, 0.0, -4.0), (0.0, 1.0, 0.0))
    guided(at_work, "hinge", hinge, part="move")
    at_work.bench.turn_stop()
    view, hand = at_work.bench.views["coronal"], at_work.bench.hand
    view.zoom_to(hinge.point)
    start = hand.grip_pixel(view, "angle")
    centre = np.asarray(view.eye().pixel(hinge.point))
    arm = np.asarray(start) - centre
    to = complex(*arm) * np.exp(
        -1j * np.radians(40)
    )  # up goes to the left of the picture, the patient's right
    at_work.drag(view, start, (centre[0] + to.real, centre[1] + to.imag), steps=6)
    meets = np.degrees(np.arcsin(4.5 / np.hypot(2, 12)) - np.arctan2(2, 12))
    assert motion(at_work).angle == pytest.approx(-meets, abs=0.4)
    assert abs(motion(at_work).angle) < meets
    assert (motion(at_work).shift, motion(at_work).across) == (0, 0)


@pytest.mark.window
def test_the_hand_is_offered_only_when_a_guide_is_laid(at_work: Person) -> None:
    at_work.click_step("plate")
    at_work.bench.add_step("move_guided")
    form = at_work.bench.form
    assert not hand_button(at_work).isEnabled()
    at_work.click(form.editor("guide").place_button)
    assert hand_button(at_work).isEnabled()
    assert not form.editor("across").isVisible(), "an axis lets none through"
    kind = form.editor("kind")
    kind.box.setCurrentIndex(kind.box.findText("hinge"))
    assert not form.editor("shift").isVisible()
    assert hand_button(at_work) is form.editor("angle").place_button
    kind.box.setCurrentIndex(kind.box.findText("plane"))
    assert form.editor("across").isVisible()
    assert hand_button(at_work) is form.editor("shift").place_button


@pytest.mark.window
def test_what_the_form_shows_is_kept_with_the_drag(at_work: Person) -> None:
    """A guide of another kind that is not applied yet is the one the part is dragged on."""
    guided(at_work, "axis", shift=4.0)
    kind = at_work.bench.form.editor("kind")
    kind.box.setCurrentIndex(kind.box.findText("plane"))
    view, hand = at_work.bench.views["sagittal"], at_work.bench.hand
    x, y = hand.grip_pixel(view, "across", "shift")
    at_work.drag(view, (x, y), (x, y - 3 / view.eye().mm_per_pixel(GUIDE.point)), steps=4)
    assert motion(at_work).kind == "plane"
    assert motion(at_work).across == pytest.approx(3.0, abs=0.2)
    assert not at_work.bench.form.dirty


@pytest.mark.window
def test_keys_step_along_the_guide_and_all_is_put_back(at_work: Person) -> None:
    guided(at_work, "axis", shift=0.0)
    view, bar = at_work.bench.views["coronal"], at_work.bench.hold_bar
    at_work.bench.hand.hover(view, view.width() / 2, view.height() / 2)
    view.setFocus()
    assert bar.isVisible()
    assert not bar.axes.isVisible()
    assert not bar.reset.isEnabled()
    at_work.press_key(view, Qt.Key.Key_Right)
    assert motion(at_work).shift == pytest.approx(0.5)
    at_work.press_key(view, Qt.Key.Key_Up)  # across the axis
    assert motion(at_work).shift == pytest.approx(0.5)
    at_work.press_key(view, Qt.Key.Key_PageUp)
    assert abs(motion(at_work).angle) == pytest.approx(1.0)
    at_work.click(bar.reset)
    assert (motion(at_work).shift, motion(at_work).angle) == (0, 0)
    assert motion(at_work).guide == GUIDE


@pytest.mark.window
def test_no_drag_leaves_the_range_of_the_number(at_work: Person) -> None:
    guided(at_work, "axis", shift=99.0)
    at_work.bench.views["coronal"].zoom_to((103.0, 0.0, 2.0))
    pull(at_work, 5.0)
    assert motion(at_work).shift == 100.0
