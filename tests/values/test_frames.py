import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from surgiplan.values import IDENTITY, Plane, Pose
from tests.values.samples import directions, points, poses

FAR_MM = 1e-8  # rounding at 12 m from the origin


def test_a_turn_is_right_handed() -> None:
    assert np.allclose(Pose.of_rotation((0, 0, 1), 90).apply((1, 0, 0)), (0, 1, 0))
    assert np.allclose(Pose.of_rotation((0, 0, 5), 90, about=(1, 0, 0)).apply((2, 0, 7)), (1, 1, 7))


def test_a_shift_moves_and_does_not_turn() -> None:
    pose = Pose.of_shift((1, -2, 3))
    assert np.array_equal(pose.apply([[0, 0, 0], [1, 1, 1]]), [[1, -2, 3], [2, -1, 4]])
    assert np.array_equal(pose.rotation, np.eye(3))
    assert np.array_equal(pose.shift, (1, -2, 3))
    assert pose.degrees == 0


@given(poses(), points)
def test_the_inverse_undoes(pose: Pose, point: tuple[float, float, float]) -> None:
    assert np.allclose(pose.inverse.apply(pose.apply(point)), point, rtol=0, atol=FAR_MM)
    assert np.allclose(pose.inverse.after(pose).array, np.eye(4), rtol=0, atol=FAR_MM)
    assert np.allclose(pose.inverse.inverse.array, pose.array, rtol=0, atol=FAR_MM)


@given(poses(), poses(), poses(), points)
def test_motions_compose(a: Pose, b: Pose, c: Pose, point: tuple[float, float, float]) -> None:
    assert np.allclose(a.after(b).apply(point), a.apply(b.apply(point)), rtol=0, atol=FAR_MM)
    assert np.allclose(a.after(b).after(c).array, a.after(b.after(c)).array, rtol=0, atol=FAR_MM)
    assert np.allclose(a.after(b).inverse.array, b.inverse.after(a.inverse).array, rtol=0, atol=FAR_MM)


@given(poses())
def test_the_identity_changes_nothing(pose: Pose) -> None:
    assert np.allclose(pose.after(IDENTITY).array, pose.array, rtol=0, atol=FAR_MM)
    assert np.array_equal(IDENTITY.apply(pose.shift), pose.shift)


@given(poses(), points, points)
def test_a_motion_keeps_distances_and_handedness(
    pose: Pose, one: tuple[float, float, float], other: tuple[float, float, float]
) -> None:
    moved = np.linalg.norm(pose.apply(one) - pose.apply(other))
    assert moved == pytest.approx(np.linalg.norm(np.subtract(one, other)), abs=FAR_MM)
    assert np.linalg.det(pose.rotation) == pytest.approx(1)


def test_a_thousand_motions_in_a_row_stay_rigid() -> None:
    pose, step = IDENTITY, Pose.of_rotation((1, 2, 3), 7.3, about=(10, 20, 30))
    for _ in range(1000):
        pose = step.after(pose)
    assert np.abs(pose.rotation.T @ pose.rotation - np.eye(3)).max() < 1e-12
    assert np.allclose(pose.array, Pose.of_rotation((1, 2, 3), 7300, about=(10, 20, 30)).array, atol=1e-9)


@given(directions, st.floats(0, 180))
def test_the_angle_of_a_turn_is_read_back(axis: tuple[float, float, float], degrees: float) -> None:
    assert Pose.of_rotation(axis, degrees).degrees == pytest.approx(degrees, abs=1e-6)
    assert Pose.of_rotation(axis, -degrees).degrees == pytest.approx(degrees, abs=1e-6)


@given(poses())
def test_a_pose_is_the_same_from_its_own_numbers(pose: Pose) -> None:
    assert Pose(pose.matrix) == pose
    assert hash(Pose(pose.matrix)) == hash(pose)
    assert all(type(x) is float for row in pose.matrix for x in row)


def test_the_array_of_a_pose_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Pose().array[0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        Pose().shift[0] = 2


def with_entry(row: int, column: int, value: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.eye(3), "4x4"),
        (np.ones(4), "4x4"),
        (np.ones((2, 4)), "4x4"),
        (np.vstack([np.eye(4), np.ones(4)]), "4x4"),
        (with_entry(0, 3, np.nan), "finite"),
        (with_entry(1, 1, np.inf), "finite"),
        (with_entry(3, 0, 1e-3), "last row"),
        (with_entry(3, 3, 2.0), "last row"),
        (with_entry(0, 0, 1.01), "rigid"),
        (with_entry(0, 1, 0.01), "rigid"),
        (np.diag((0.0, 0.0, 0.0, 1.0)), "rigid"),
        (with_entry(0, 0, -1.0), "must not mirror: use the operation mirror"),
    ],
)
def test_what_is_no_rigid_motion_is_refused(matrix: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Pose.of(matrix)


def test_numbers_that_are_not_rigid_are_not_repaired_by_the_constructor() -> None:
    rounded = np.round(Pose.of_rotation((1, 2, 3), 33).array, 5)
    rows = tuple(tuple(map(float, row)) for row in rounded)
    with pytest.raises(ValueError, match="rigid"):
        Pose(rows)  # type: ignore[arg-type]
    assert np.abs(Pose.of(rounded).array - rounded).max() < 1e-5
    with pytest.raises(ValueError, match="finite 4x4"):
        Pose(rows[:3])  # type: ignore[arg-type]


@pytest.mark.parametrize("axis", [(0, 0, 0), (1e200, 1e200, 0)])
def test_a_turn_needs_an_axis(axis: tuple[float, float, float]) -> None:
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="axis of a turn"):
        Pose.of_rotation(axis, 10)


def test_a_turn_may_have_a_very_short_axis() -> None:
    assert np.allclose(Pose.of_rotation((0, 0, 1e-12), 90).apply((1, 0, 0)), (0, 1, 0))


# -- planes -------------------------------------------------------------------------------------


def test_distances_to_a_plane_are_signed_by_its_normal() -> None:
    plane = Plane((0, 0, 10), (0, 0, -4))
    assert plane.normal == (0, 0, -1)
    assert np.array_equal(plane.distance([[5, 5, 8], [0, 0, 10], [1, 2, 13]]), [2, 0, -3])
    assert float(plane.distance((0, 0, 9))) == 1


@given(points, directions)
def test_a_plane_is_the_same_from_its_own_numbers(
    point: tuple[float, float, float], normal: tuple[float, float, float]
) -> None:
    plane = Plane(point, normal)
    assert Plane(plane.point, plane.normal) == plane
    assert np.linalg.norm(plane.normal) == pytest.approx(1, abs=1e-12)


@given(points, directions, st.floats(1e-3, 1e3))
def test_the_length_of_a_normal_does_not_matter(
    point: tuple[float, float, float], normal: tuple[float, float, float], factor: float
) -> None:
    longer = Plane(point, tuple(factor * x for x in normal))
    assert np.allclose(longer.normal, Plane(point, normal).normal, atol=1e-12)


@given(points, directions, poses(), points)
def test_distances_move_along_with_a_plane(
    point: tuple[float, float, float],
    normal: tuple[float, float, float],
    pose: Pose,
    asked: tuple[float, float, float],
) -> None:
    plane = Plane(point, normal)
    moved = plane.moved(pose)
    assert float(moved.distance(pose.apply(asked))) == pytest.approx(float(plane.distance(asked)), abs=1e-7)


@pytest.mark.parametrize("normal", [(0, 0, 0), (0, 1e-12, 0), (1e200, 1e200, 0)])
def test_a_normal_without_a_direction_is_refused(normal: tuple[float, float, float]) -> None:
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="must not be zero"):
        Plane((0, 0, 0), normal)


def test_a_plane_needs_finite_points() -> None:
    with pytest.raises(ValueError, match="three finite numbers"):
        Plane((0, 0, float("nan")), (0, 0, 1))


@given(directions, directions)
def test_the_two_sides_of_a_plane_are_told_apart(
    normal: tuple[float, float, float], way: tuple[float, float, float]
) -> None:
    along = float(np.dot(normal, way))
    assume(abs(along) > 1e-6)
    assert np.sign(Plane((3, 4, 5), normal).distance(np.add((3, 4, 5), way))) == np.sign(along)
