"""Places where a surface runs through itself: all of them, and none where it only touches."""

from itertools import combinations

import numpy as np
import pytest

from surgiplan.algorithms.crossing import crossings
from surgiplan.algorithms.surface import grey_surface
from surgiplan.errors import Cancelled
from surgiplan.values import Grid, Mask, Mesh, Volume
from tests.ops.shapes import CENTRE, ball, beside, box, joined

APART = ball(10.0, beside(CENTRE, 30, 0, 0))


def test_a_ball_does_not_run_through_itself() -> None:
    assert len(crossings(ball(rings=60).mesh)) == 0
    assert len(crossings(joined(ball(), APART).mesh)) == 0


def test_two_balls_in_one_another_cross_along_a_circle() -> None:
    """Against manifold3d's own intersection: each crossing pair holds a piece of the circle they share."""
    mesh = joined(ball(12.0), ball(10.0, beside(CENTRE, 9, 1, 2), rings=20)).mesh
    pairs = crossings(mesh)
    first = len(ball(12.0).mesh.triangles)
    assert len(pairs) > 100
    assert (pairs[:, 0] < first).all()
    assert (pairs[:, 1] >= first).all()
    places = mesh.points[mesh.triangles[pairs[:, 0]]].mean(axis=1)
    assert np.abs(np.linalg.norm(places - CENTRE, axis=1) - 12).max() < 0.3
    assert np.abs(np.linalg.norm(places - np.add(CENTRE, (9, 1, 2)), axis=1) - 10).max() < 1.5


def test_every_pair_of_a_heap_of_triangles_is_found() -> None:
    """Against every pair of 60 triangles, one by one, by solving for the place where an edge passes."""
    corners = np.random.default_rng(4).normal(size=(60, 3, 3)).astype(np.float32)
    mesh = Mesh(corners.reshape(-1, 3), np.arange(180).reshape(-1, 3))

    def passes(face: np.ndarray, p: np.ndarray, q: np.ndarray) -> bool:
        a, b, c = face.astype(float)
        t, u, v = np.linalg.solve(np.stack([p.astype(float) - q, b - a, c - a], axis=1), p - a)
        return bool(0 < t < 1 and u > 0 and v > 0 and u + v < 1)

    def cross(one: np.ndarray, other: np.ndarray) -> bool:
        return any(passes(f, g[n], g[(n + 1) % 3]) for f, g in ((one, other), (other, one)) for n in range(3))

    expected = {(a, b) for a, b in combinations(range(60), 2) if cross(corners[a], corners[b])}
    assert len(expected) > 50
    assert {*map(tuple, crossings(mesh).tolist())} == expected


def test_touching_is_no_crossing() -> None:
    block = box().mesh
    beside_it = Mesh(block.points + np.array([30, 0, 0], np.float32), block.triangles)
    points = np.concatenate([block.points, beside_it.points])
    both = Mesh(points, np.concatenate([block.triangles, beside_it.triangles + len(block.points)]))
    assert len(crossings(both)) == 0


@pytest.mark.parametrize("seed", range(12))
def test_the_surface_of_any_mask_does_not_run_through_itself(seed: int) -> None:
    rng, shape = np.random.default_rng(seed), (8, 9, 10)
    matrix = np.array([[0, 0, 0.7, 0], [0, 0.8, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    volume = Volume(Grid(shape, matrix), rng.integers(-30, 40, shape).astype(np.int16))
    mask = Mask(volume.grid, volume.voxels >= 0 if seed % 2 else rng.random(shape) < 0.5, 0.0)
    assert len(crossings(grey_surface(volume, mask).mesh)) == 0


def test_nothing_and_one_triangle_do_not_cross() -> None:
    assert crossings(Mesh(np.zeros((0, 3)), np.zeros((0, 3)))).shape == (0, 2)
    assert crossings(Mesh(np.eye(3), [[0, 1, 2]])).shape == (0, 2)


def test_a_stop_is_heard() -> None:
    def stop(share: float, text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        crossings(ball(rings=60).mesh, stop)
