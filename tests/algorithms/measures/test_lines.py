import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from surgiplan.algorithms.measures import bodies, lines
from surgiplan.errors import StepFailed
from surgiplan.values import Mesh, Part, Plane, Pose
from tests.algorithms.bodies import ball, box, part, random_pose

coordinate = st.floats(-500, 500, allow_nan=False)
point = st.tuples(coordinate, coordinate, coordinate)
seeds = st.integers(0, 2**32 - 1)
SD = 0.3


def scattered(of, points: np.ndarray, count: int = 4000) -> float:
    """Standard deviation of a measurement over landmarks that err by SD along each axis."""
    chance = np.random.default_rng(7)
    return float(np.std([of(*(points + chance.normal(0, SD, points.shape))).value for _ in range(count)]))


# --- distance


def test_distance():
    found = lines.distance((1, 2, 3), (4, 6, 15), frame_uid="1.2")
    assert found.value == 13
    assert found.unit == "mm"
    assert found.points_lps == ((1, 2, 3), (4, 6, 15))
    assert found.frame_uid == "1.2"
    assert found.expected_error is None
    assert "straight" in found.definition


@given(p=point, q=point, seed=seeds)
def test_distance_is_symmetric_and_does_not_change_with_the_pose(p, q, seed):
    pose = random_pose(seed, 300)
    here = lines.distance(p, q).value
    assert lines.distance(q, p).value == here
    assert lines.distance(pose.apply(p), pose.apply(q)).value == pytest.approx(here, abs=1e-9)


def test_the_error_of_a_distance():
    points = np.array([[0, 0, 0], [30, 40, 0]], float)
    assert lines.distance(*points, landmark_sd_mm=SD).expected_error == pytest.approx(SD * math.sqrt(2))
    assert scattered(lines.distance, points) == pytest.approx(SD * math.sqrt(2), rel=0.05)


# --- angles


@pytest.mark.parametrize("degrees", [0, 0.001, 30, 90, 125.3, 179.999, 180])
def test_angle_at_a_point(degrees):
    turn = math.radians(degrees)
    found = lines.angle_at((5, 1, 1), (1, 1, 1), (1 + 2 * math.cos(turn), 1 + 2 * math.sin(turn), 1))
    assert found.value == pytest.approx(degrees, abs=1e-10)
    assert found.unit == "deg"
    assert "second point" in found.definition


@pytest.mark.parametrize(
    ("second", "degrees"), [((0, 0, 3), 0), ((0, 0, -3), 180), ((4, 0, 0), 90), ((0, 1, 1), 45)]
)
def test_angle_between_directed_lines(second, degrees):
    start = np.array([9.0, 9, 9])
    found = lines.angle_between_lines((0, 0, 0), (0, 0, 1), start, start + second)
    assert found.value == pytest.approx(degrees, abs=1e-10)
    assert "0 (same way) to 180" in found.definition
    assert len(found.points_lps) == 4


@pytest.mark.parametrize("degrees", [-170.0, -90.0, -12.5, 0.0, 15.0, 120.0, 180.0])
def test_torsion_has_the_sign_of_the_right_hand(degrees):
    """Seen along z, with the lines at different heights and tilted towards the axis."""
    turn = math.radians(degrees)
    p, q = ((0, 0, 0), (3, 0, 2)), ((7, 7, 40), (7 + 2 * math.cos(turn), 7 + 2 * math.sin(turn), 35))
    found = lines.angle_projected(*p, *q, (1, 1, 0), (1, 1, 50))
    assert found.value == pytest.approx(degrees, abs=1e-9)
    assert "right-hand rule" in found.definition
    if abs(degrees) < 180:
        against = lines.angle_projected(*p, *q, (1, 1, 50), (1, 1, 0))
        assert against.value == pytest.approx(-degrees, abs=1e-9)


@given(seed=seeds)
def test_angles_do_not_change_with_the_pose(seed):
    points = np.random.default_rng(seed).normal(0, 50, (6, 3))
    assume(min(np.linalg.norm(points[1::2] - points[::2], axis=1)) > 1)
    pose = random_pose(seed + 1, 900)
    for of, count in ((lines.angle_at, 3), (lines.angle_between_lines, 4), (lines.angle_projected, 6)):
        here, there = of(*points[:count]).value, of(*pose.apply(points[:count])).value
        assert abs(math.remainder(there - here, 360)) < 1e-6


@pytest.mark.parametrize(
    ("of", "points"),
    [
        (lines.angle_at, [[40, 3, 0], [0, 0, 0], [10, 25, 5]]),
        (lines.angle_at, [[40, 3, 0], [0, 0, 0], [-30, 8, 5]]),
        (lines.angle_between_lines, [[0, 0, 0], [60, 0, 0], [5, 5, 5], [20, 30, 5]]),
        (
            lines.angle_projected,
            [[0, 0, 0], [40, 5, 3], [3, 3, 300], [45, -9, 310], [0, 0, 0], [5, 8, 350]],
        ),
        (lines.angle_projected, [[0, 0, 0], [-40, 1, 0], [0, 0, 9], [40, 0, 9], [0, 0, 0], [0, 0, 100]]),
    ],
)
def test_the_error_of_an_angle_is_what_scattered_landmarks_give(of, points):
    points = np.array(points, float)
    expected = of(*points, landmark_sd_mm=SD).expected_error
    middle = of(*points).value
    chance = np.random.default_rng(7)
    off = [
        math.remainder(of(*(points + chance.normal(0, SD, points.shape))).value - middle, 360)
        for _ in range(3000)
    ]
    assert expected == pytest.approx(float(np.std(off)), rel=0.06)


@pytest.mark.parametrize(
    ("normal", "degrees"),
    [((0, 0, 2), 0), ((0, 0, -1), 180), ((1, 0, 0), 90), ((1, 0, 1), 45), ((1, 0, -1), 135)],
)
def test_angle_between_planes_is_directed(normal, degrees):
    found = lines.angle_between_planes(Plane((1, 2, 3), (0, 0, 1)), Plane((4, 5, 6), normal), "1.2")
    assert found.value == pytest.approx(degrees, abs=1e-10)
    assert found.frame_uid == "1.2"
    assert "normals" in found.definition


@pytest.mark.parametrize(
    "measured",
    [
        lambda: lines.angle_at((1, 1, 1), (1, 1, 1), (2, 2, 2)),
        lambda: lines.angle_between_lines((0, 0, 0), (1, 0, 0), (5, 5, 5), (5, 5, 5)),
        lambda: lines.angle_projected((0, 0, 0), (0, 0, 1), (1, 0, 0), (2, 0, 0), (3, 0, 0), (3, 0, 9)),
        lambda: lines.angle_projected((0, 0, 0), (1, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0), (3, 0, 0)),
        lambda: lines.distance((0, 0, math.nan), (1, 1, 1)),
        lambda: lines.distance((0, 0), (1, 1, 1)),
        lambda: lines.distance((0, 0, 0), (1, 1, 1), landmark_sd_mm=-1),
        lambda: lines.angle_at((0, 1, 1), (1, 1, 1), (2, 2, 2), landmark_sd_mm=math.nan),
    ],
)
def test_what_has_no_direction_place_or_error_is_refused(measured):
    with pytest.raises(StepFailed):
        measured()


# --- parts


def test_volume_and_area():
    cuboid = Part(box((0, 0, 0), (2, 3, 4)), Pose.of_shift((300, 0, -900)), "1.2")
    volume, area = bodies.volume(cuboid), bodies.area(cuboid)
    assert (volume.value, volume.unit, volume.frame_uid) == (pytest.approx(24), "mm3", "1.2")
    assert (area.value, area.unit, area.frame_uid) == (pytest.approx(52), "mm2", "1.2")
    assert bodies.volume(part(ball(10, finer=5))).value == pytest.approx(4000 * math.pi / 3, rel=1e-3)


def test_a_body_without_an_inside_has_no_volume():
    mesh = box((0, 0, 0), (2, 3, 4))
    with pytest.raises(StepFailed, match="3 open"):
        bodies.volume(Part(Mesh(mesh.points, mesh.triangles[1:])))
    with pytest.raises(StepFailed, match="inside out"):
        bodies.volume(Part(Mesh(mesh.points, mesh.triangles[:, ::-1])))
    assert bodies.area(Part(Mesh(mesh.points, mesh.triangles[1:]))).value < 52
