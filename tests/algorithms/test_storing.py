"""Bodies as they are stored: nothing of them folds up or opens in a file that joins equal points."""

from itertools import combinations

import numpy as np
import pytest

from surgiplan.algorithms import storing
from surgiplan.algorithms.storing import enclosed, rounded, same_places, set_apart
from surgiplan.phantoms import Femur
from surgiplan.values import FloatArray, IntArray, Mesh
from tests.algorithms.bodies import box


def pricked(mesh: Mesh, pairs: int) -> Mesh:
    """The mesh with some points moved to where others lie that are no neighbours of theirs."""
    points = mesh.points.copy()
    order = np.argsort(points[:, 2])
    for n in range(pairs):
        points[order[7 * n]] = points[order[-1 - 7 * n]]
    return Mesh(points, mesh.triangles)


def places(mesh: Mesh) -> int:
    return len(np.unique(mesh.points, axis=0))


def test_points_at_one_place_are_set_apart_by_the_least_that_can_be_told() -> None:
    mesh = pricked(Femur().mesh(6.0).mesh, 9)
    assert places(mesh) == len(mesh.points) - 9
    done = set_apart(mesh)
    assert places(done) == len(done.points)
    assert done.watertight
    assert np.array_equal(done.triangles, mesh.triangles)
    moved = (done.points != mesh.points).any(axis=1)
    assert moved.sum() == 9
    assert np.abs(done.points - mesh.points).max() <= 2 * np.spacing(np.abs(mesh.points).max())
    assert done.volume_mm3 == pytest.approx(mesh.volume_mm3, rel=1e-8)


def test_three_at_one_place_and_a_neighbour_one_step_on_all_come_apart() -> None:
    mesh = Femur().mesh(6.0).mesh
    points = mesh.points.copy()
    points[[40, 900]] = points[200]
    points[500] = points[200]
    points[500, 0] = np.nextafter(points[200, 0], np.float32(np.inf))
    done = set_apart(Mesh(points, mesh.triangles))
    assert places(done) == len(points)


def test_a_mesh_without_such_points_stays_the_same_object() -> None:
    mesh = Femur().mesh(6.0).mesh
    assert set_apart(mesh) is mesh
    still = Mesh(mesh.points + np.float32(0), mesh.triangles)
    assert set_apart(still).digest == still.digest


def test_rounding_to_float32_keeps_the_volume() -> None:
    shape = Femur().mesh(6.0).mesh
    points = shape.points + np.array((1200.3, -800.7, 90.1)) / 3
    near = rounded(points, shape.triangles)
    step = np.spacing(np.abs(points).astype(np.float32))
    assert (np.abs(near - points) <= step).all()
    plain = enclosed(points.astype(np.float32), shape.triangles, points[0])
    true = volume(points, shape.triangles)
    least = 1e-11 * np.ptp(points, axis=0).max() ** 3
    assert abs(enclosed(near, shape.triangles, points[0]) - true) < least < abs(plain - true)


def volume(points: FloatArray, triangles: IntArray) -> float:
    a, b, c = (points[triangles] - points[0]).transpose(1, 0, 2)
    return float(np.einsum("ni,ni->", a, np.cross(b, c))) / 6


def test_points_along_edges_of_no_length_become_the_first_of_them() -> None:
    points = np.array([(0, 0, 0), (1, 0, 0), (1, 0, 0), (1, 0, 0), (5, 0, 0), (0, 0, 0)], np.float32)
    triangles = np.array([(3, 2, 4), (2, 1, 4), (0, 4, 1)], np.int32)
    same = same_places(points, triangles)
    assert same is not None
    assert same.tolist() == [0, 1, 1, 1, 4, 5]
    kept = same_places(points, triangles, 3)
    assert kept is not None
    assert kept.tolist() == [0, 1, 2, 1, 4, 5]
    assert same_places(points, triangles[2:]) is None


def test_the_volume_of_a_box_is_told_from_anywhere() -> None:
    mesh = box((1, 2, 3), (4, 7, 10))
    for origin in ((0, 0, 0), (1, 2, 3), (-50, 9, 1)):
        assert enclosed(mesh.points, mesh.triangles, np.array(origin, float)) == pytest.approx(105, rel=1e-12)


@pytest.mark.parametrize("count", [0, 1, 2, 9, 15, 40])
def test_of_all_choices_of_gains_the_closest_sum_is_found(count: int) -> None:
    chance = np.random.default_rng(count)
    gain, wanted = chance.normal(size=count), 1.234
    chosen = storing._closest_sum(gain, np.arange(count), wanted)
    first = gain[:15]
    sums = [
        sum(first[list(some)])
        for size in range(len(first) + 1)
        for some in combinations(range(len(first)), size)
    ]
    assert abs(gain[chosen].sum() - wanted) == pytest.approx(
        min(abs(one - wanted) for one in sums), abs=1e-12
    )


def test_numbers_are_put_in_order_and_equal_ones_stay_in_theirs() -> None:
    chance = np.random.default_rng(3)
    numbers = np.concatenate([[0.0, 0.0, 5e300], chance.random(1000), np.repeat(chance.random(50), 3)])
    assert np.array_equal(storing._in_order(numbers), np.argsort(numbers, kind="stable"))
    assert len(storing._in_order(np.zeros(0))) == 0
