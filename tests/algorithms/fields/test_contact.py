import numpy as np
import pytest

from surgiplan.algorithms.clearance import collide
from surgiplan.algorithms.fields.contact import Body, contact, contacts
from surgiplan.algorithms.fields.field import Fields
from surgiplan.errors import Cancelled
from surgiplan.values import IDENTITY, Collision, Mesh, Pose
from tests.algorithms.bodies import ball, box, bumpy, part, random_pose, rod
from tests.algorithms.fields.test_field import until_bricks

BODIES: dict[str, Body] = {}
SHAPES = {
    "ball": ball(8, finer=4),
    "large ball": ball(20, finer=5),
    "block": box((-15, -10, -5), (15, 10, 5)),
    "cube": box((-2, -2, -2), (2, 2, 2)),
    "screw": rod(2, 40),
    "canal": rod(6, 60),
    "bone": bumpy(25, finer=5),
    "shell": Mesh(
        np.concatenate([ball(20).points, ball(15).points]),
        np.concatenate([ball(20).triangles, ball(15).triangles[:, ::-1] + len(ball(20).points)]),
    ),
}


def body(name: str) -> Body:
    if name not in BODIES:
        BODIES[name] = Body.of(SHAPES[name])
    return BODIES[name]


def found(a: str, b: str, shift: tuple[float, float, float], turn: Pose = IDENTITY) -> Collision:
    return contact(body(a), body(b), turn.after(Pose.of_shift(shift)), turn)


def test_balls_have_their_closed_forms() -> None:
    for apart in (32.0, 29.0, 27.9, 24.0, 10.0):
        one = found("ball", "large ball", (0.6 * apart, 0, 0.8 * apart))
        assert one.clearance_mm == pytest.approx(max(apart - 28, 0) if apart > 20 else 12 - apart, abs=0.06)
        assert one.depth_mm == pytest.approx(max(28 - apart, 0), abs=0.06) or one.contained
        assert one.contained == (apart < 12)


def test_a_contained_body_has_two_places() -> None:
    one = found("cube", "block", (9.0, 0, 0))
    assert one.contained
    assert one.depth_mm == pytest.approx(5, abs=0.05)
    assert one.clearance_mm == pytest.approx(3, abs=0.05)
    assert one.near_lps is not None
    assert abs(one.near_lps[2]) == pytest.approx(2, abs=1e-3)  # 3 mm below the top or the bottom
    assert abs(one.at_lps[2]) < 0.6  # 5 mm deep is in the middle of a side


def test_a_body_that_encloses_the_other_is_found_from_either_side() -> None:
    for a, b in (("cube", "block"), ("block", "cube")):
        one = found(a, b, (1.0, 0, 0))
        assert one.contained
        assert one.clearance_mm == pytest.approx(3, abs=0.05)


def test_a_body_in_a_hollow_is_free() -> None:
    one = found("ball", "shell", (3.0, 0, 0))
    assert (one.depth_mm, one.contained) == (0, False)
    assert one.clearance_mm == pytest.approx(4, abs=0.06)


def test_a_corner_that_enters_a_large_face_is_found() -> None:
    """The face of the block has no place near the corner of the cube; the cube has."""
    corner = Pose.of_shift((3.3, 4.1, 5 + 2 * np.sqrt(3) - 0.3)).after(
        Pose.of_rotation((1, -1, 0), np.degrees(np.arccos(1 / np.sqrt(3))))
    )
    one = contact(body("block"), body("cube"), IDENTITY, corner)
    assert one.depth_mm == pytest.approx(0.3, abs=0.05)
    assert one.clearance_mm == 0


@pytest.mark.parametrize(
    ("a", "b"), [("screw", "bone"), ("screw", "canal"), ("ball", "bone"), ("cube", "shell")]
)
def test_it_agrees_with_the_exact_answer(a: str, b: str) -> None:
    worst = 0.0
    for seed in range(10):
        pose = random_pose(seed, 24)
        judge = collide(part(SHAPES[a], pose), part(SHAPES[b]))
        quick = contact(body(a), body(b), pose, IDENTITY)
        error = quick.error_mm + judge.error_mm + 0.05
        if max(judge.depth_mm, judge.clearance_mm) > 0.05:
            assert (quick.depth_mm > 0) == (judge.depth_mm > 0)
        assert quick.contained == judge.contained
        assert abs(quick.clearance_mm - judge.clearance_mm) <= error
        assert quick.depth_mm <= judge.depth_mm + error
        worst = max(worst, abs(quick.clearance_mm - judge.clearance_mm))
    assert worst < 0.5


def test_a_motion_of_both_changes_nothing() -> None:
    turn = random_pose(5, 500)
    one, other = found("screw", "bone", (18, 3, 2)), found("screw", "bone", (18, 3, 2), turn)
    assert other.depth_mm == pytest.approx(one.depth_mm, abs=2e-3)
    assert np.allclose(turn.apply(one.at_lps), other.at_lps, atol=0.05)


def test_no_answer_on_the_way_is_wrong_by_more_than_it_says() -> None:
    """At first, with the lattice of 2 mm, and finished."""
    bone, screw = SHAPES["bone"], SHAPES["screw"]
    first, lattice = (Body.of(bone, finished=False, fields=Fields()) for _ in range(2))
    until_bricks(lattice.field)
    for seed in range(12):
        pose = random_pose(seed, 30)
        judge = collide(part(screw, pose), part(bone))
        for stage in (first, lattice, body("bone")):
            quick = contact(body("screw"), stage, pose, IDENTITY)
            assert abs(quick.clearance_mm - judge.clearance_mm) <= quick.error_mm + 0.01
            assert quick.depth_mm <= judge.depth_mm + quick.error_mm + 0.01


@pytest.mark.parametrize(
    ("a", "b"), [("screw", "bone"), ("cube", "block"), ("block", "cube"), ("ball", "shell")]
)
def test_many_poses_are_answered_as_single_ones(a: str, b: str) -> None:
    turn = random_pose(9, 200)
    poses = [turn.after(random_pose(seed, 20)) for seed in range(60)]
    many = contacts(body(a), body(b), poses, turn)
    for n, pose in enumerate(poses):
        one = contact(body(a), body(b), pose, turn)
        signed = -one.depth_mm if one.depth_mm > 0 else one.clearance_mm
        assert many.signed_mm[n] == pytest.approx(signed, abs=1e-4)
        assert many.contained[n] == one.contained
        if one.contained:
            assert many.edge_mm[n] == pytest.approx(one.clearance_mm, abs=1e-4)


def test_ten_thousand_poses_stop_when_they_are_told_to() -> None:
    told = []

    def stop(fraction: float, text: str) -> None:
        told.append(fraction)
        if len(told) > 3:
            raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        contacts(body("cube"), body("block"), [IDENTITY] * 10_000, IDENTITY, stop)
    assert told[-1] < 0.01
