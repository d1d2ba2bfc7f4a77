import numpy as np
import pytest

from surgiplan.algorithms.fields.contact import Body, contacts
from surgiplan.algorithms.fields.sweep import TOUCH_MM, Motions, first_touches
from surgiplan.errors import Cancelled
from surgiplan.values import IDENTITY, FloatArray, Pose
from tests.algorithms.bodies import ball, box, bumpy, random_pose, rod
from tests.algorithms.fields.joints import ball_and_neck, cup, first_touch_deg


@pytest.fixture(scope="module")
def hip() -> tuple[Body, Body]:
    return Body.of(ball_and_neck()), Body.of(cup())


def tilts(count: int, degrees: float) -> Motions:
    """Turns that tilt the z axis towards so many sides."""
    side = np.arange(count) * 2 * np.pi / count
    axes = np.stack([-np.sin(side), np.cos(side), np.zeros(count)], axis=1)
    return Motions(np.zeros(3), axes, np.full(count, np.radians(degrees)), np.zeros((count, 3)))


def touch_degrees(hip: tuple[Body, Body], count: int, degrees: float = 110.0) -> FloatArray:
    found: FloatArray = first_touches(*hip, IDENTITY, IDENTITY, tilts(count, degrees)).share * degrees
    return found


def test_a_neck_meets_the_rim_at_its_closed_form(hip: tuple[Body, Body]) -> None:
    """P18, and the same whatever the range that is tried."""
    for degrees in (70.0, 110.0):
        assert np.abs(touch_degrees(hip, 12, degrees) - first_touch_deg()).max() <= 0.1


@pytest.mark.slow
def test_all_round_no_touch_is_missed(hip: tuple[Body, Body]) -> None:
    """P18 in 360 directions: within 0.1 degree, and free all the way there."""
    found = touch_degrees(hip, 360)
    assert np.abs(found - first_touch_deg()).max() <= 0.1
    chance = np.random.default_rng(0)
    side, share = chance.uniform(0, 360, 200), chance.uniform(0, 1, 200)
    poses = [
        Pose.of_rotation((-np.sin(np.radians(a)), np.cos(np.radians(a)), 0), s * (first_touch_deg() - 0.1))
        for a, s in zip(side, share, strict=True)
    ]
    assert (contacts(*hip, poses, IDENTITY).signed_mm > 0).all()


def test_a_range_without_a_touch_is_free(hip: tuple[Body, Body]) -> None:
    found = first_touches(*hip, IDENTITY, IDENTITY, tilts(4, 60.0))
    assert np.isinf(found.share).all()
    assert np.isnan(found.places).all()


def test_bodies_far_apart_are_free() -> None:
    """No group of places comes near, whatever its size."""
    one, other = Body.of(ball(12, finer=5)), Body.of(bumpy())
    for body, pose in ((one, Pose.of_shift((200, 0, 0))), (other, Pose.of_shift((0, 150, 0)))):
        found = first_touches(body, other if body is one else one, pose, IDENTITY, tilts(3, 5.0))
        assert np.isinf(found.share).all()


def test_nothing_tunnels_through_a_thin_plate() -> None:
    """A ball of 3 mm goes 200 mm in one motion; on its way a plate of 0.4 mm."""
    bullet, plate = Body.of(ball(1.5)), Body.of(box((-20, -20, -0.2), (20, 20, 0.2)))
    turn = random_pose(3, 100)
    start, end = (
        Pose.of_shift((0, 0, 120)),
        Pose.of_shift((3, -4, -80)).after(Pose.of_rotation((1, 1, 0), 77)),
    )
    motion = Motions.between(turn.after(start), turn.after(end), np.zeros(3))
    found = first_touches(bullet, plate, turn.after(start), turn, motion)
    assert found.share[0] == pytest.approx((120 - 0.2 - 1.5) / 200, abs=2e-4)
    assert turn.inverse.apply(found.places[0])[2] == pytest.approx(0.2, abs=0.01)
    there = motion.pose(0, float(found.share[0])).after(turn.after(start))
    assert contacts(bullet, plate, [there], turn).signed_mm[0] == pytest.approx(TOUCH_MM, abs=0.01)


def test_a_corner_of_what_stands_still_is_met() -> None:
    """A large face moves onto a corner: only the fixed body has a place there."""
    corner = Pose.of_rotation((1, -1, 0), np.degrees(np.arccos(1 / np.sqrt(3))))
    cube, block = Body.of(box((-2, -2, -2), (2, 2, 2))), Body.of(box((-15, -10, -5), (15, 10, 5)))
    start, end = Pose.of_shift((4.3, 3.7, 30)), Pose.of_shift((4.3, 3.7, 0))
    motion = Motions.between(start, end, np.zeros(3))
    found = first_touches(block, cube, start, corner, motion)
    assert found.share[0] * 30 == pytest.approx(30 - 5 - 2 * np.sqrt(3), abs=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_the_way_to_a_touch_is_free_and_beyond_it_is_not(seed: int) -> None:
    screw, bone = Body.of(rod(2, 30)), Body.of(bumpy(15))
    start, end = random_pose(seed, 5), random_pose(seed + 50, 5)
    start = Pose.of_shift((60.0, 0, 0)).after(start)
    motion = Motions.between(start, end, np.zeros(3))
    assert np.allclose(motion.pose(0, 1.0).after(start).matrix, end.matrix, atol=1e-9)
    found = first_touches(screw, bone, start, IDENTITY, motion)
    share = float(found.share[0])
    assert share < 1
    on_the_way = [motion.pose(0, one).after(start) for one in np.linspace(0, share - 1e-3, 40)]
    assert (contacts(screw, bone, on_the_way, IDENTITY).signed_mm > 0).all()
    beyond = motion.pose(0, share + 0.02).after(start)
    assert contacts(screw, bone, [beyond], IDENTITY).signed_mm[0] < 0.05


def test_half_a_turn_has_an_axis() -> None:
    start, end = IDENTITY, Pose.of_shift((1, 2, 3)).after(Pose.of_rotation((1, 2, -1), 180))
    motion = Motions.between(start, end, np.array([4.0, 5.0, 6.0]))
    assert np.allclose(motion.pose(0, 1.0).matrix, end.matrix, atol=1e-7)


def test_a_stop_is_heard(hip: tuple[Body, Body]) -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        first_touches(*hip, IDENTITY, IDENTITY, tilts(4, 60.0), stop)
    with pytest.raises(Cancelled):
        contacts(*hip, [IDENTITY] * 4, IDENTITY, stop)


def test_a_shift_without_a_turn_is_a_motion() -> None:
    motion = Motions.between(IDENTITY, Pose.of_shift((4, 0, 0)), np.zeros(3))
    assert motion.pose(0, 0.25) == Pose.of_shift((1, 0, 0))
