"""Bodies as they are stored: nothing of them folds up or opens in a file that joins equal points."""

import numpy as np
import pytest

from surgiplan.algorithms.storing import set_apart
from surgiplan.phantoms import Femur
from surgiplan.values import Mesh


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
