"""Places where a surface runs through itself: all of them, and none where it only touches."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.algorithms import crossing
from surgiplan.algorithms.crossing import Boxes, crossings
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


def all_crossings(mesh: Mesh) -> set[tuple[int, int]]:
    """Every pair of triangles looked at, by solving for the place where an edge passes through a face."""
    corners, found = mesh.points.astype(float)[mesh.triangles], set()
    a, u, v = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normals = np.cross(u, v)
    for row, triangle in enumerate(mesh.triangles):
        for p, q in zip(triangle, np.roll(triangle, -1), strict=True):
            start, way = mesh.points[p].astype(float), mesh.points[q].astype(float) - mesh.points[p]
            with np.errstate(divide="ignore", invalid="ignore"):
                t = np.einsum("ni,ni->n", normals, a - start) / (normals @ way)
                at = start + t[:, None] * way - a
                b, c = (
                    np.einsum("ni,ni->n", np.cross(*pair), normals) / (normals**2).sum(axis=1)
                    for pair in ((at, v), (u, at))
                )
            apart = ((mesh.triangles != p) & (mesh.triangles != q)).all(axis=1)
            passed = apart & (t > 0) & (t < 1) & (b > 0) & (c > 0) & (b + c < 1)
            found |= {(min(row, other), max(row, other)) for other in np.flatnonzero(passed).tolist()}
    return found


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.floats(0.05, 3.0))
def test_crossings_planted_anywhere_are_found_and_no_others(seed: int, moved: int, by: float) -> None:
    """A closed ball with any corners moved any way: spikes, folds between neighbours, walls run through."""
    rng, block = np.random.default_rng(seed), ball(rings=7).mesh
    points = block.points.copy()
    which = rng.integers(0, len(points), moved)
    points[which] += rng.normal(0, by * 10 ** rng.uniform(-1, 1), (moved, 3)).astype(np.float32)
    mesh = Mesh(points + rng.normal(0, 1e-3, points.shape).astype(np.float32), block.triangles)
    assert mesh.watertight
    assert {*map(tuple, crossings(mesh).tolist())} == all_crossings(mesh)


def test_a_crossing_between_neighbours_that_share_a_corner_is_found() -> None:
    """Round one corner of a ball two triangles change places: no other triangle is near."""
    block = ball(rings=12).mesh
    corner = int(np.argmin(np.linalg.norm(block.points - beside(CENTRE, 0, 10, 0), axis=1)))
    round_it = block.triangles[(block.triangles == corner).any(axis=1)]
    ring = [n for n in np.unique(round_it) if n != corner]
    points = block.points.copy()
    first, second = ring[0], ring[-1]
    points[[first, second]] = points[[second, first]]
    mesh = Mesh(points, block.triangles)
    expected = all_crossings(mesh)
    assert any(len({*mesh.triangles[a]} & {*mesh.triangles[b]}) == 1 for a, b in expected)
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


@pytest.mark.parametrize("at_once", [1, 7, 20_000])
def test_those_of_two_surfaces_are_those_of_both_as_one(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little room there is for the pairs that are looked at together."""
    monkeypatch.setattr(crossing, "_AT_ONCE", at_once)
    one, other = ball(12.0).mesh, ball(10.0, beside(CENTRE, 9, 1, 2), rings=20).mesh
    pairs = Boxes(other).crossed_by(one)
    both = Mesh(
        np.concatenate([one.points, other.points]),
        np.concatenate([one.triangles, other.triangles + len(one.points)]),
    )
    expected = crossings(both) - np.array([0, len(one.triangles)])
    assert len(expected) > 100
    assert len(pairs) == len(expected)
    assert {*map(tuple, pairs.tolist())} == {*map(tuple, expected.tolist())}


def test_a_triangle_through_thousands_of_others_crosses_each() -> None:
    """More than there is room for at once."""
    many = 300
    z = np.linspace(1.0, 9.0, many)
    fans = []
    for axis in (0, 1):
        corners = np.zeros((many, 3, 3))
        corners[:, :, 2] = z[:, None] + (0.01 if axis else 0.0)
        corners[:, 0, axis], corners[:, 1, axis], corners[:, 2, axis] = -9, 9, 9
        corners[:, 1, 2] += 20 * (1 - z / 10)
        corners[:, 2, 2] -= 20 * z / 10
        fans.append(corners.reshape(-1, 3).astype(np.float32))
    one, other = (Mesh(fan, np.arange(3 * many).reshape(-1, 3)) for fan in fans)
    pairs = Boxes(other).crossed_by(one)
    assert len(np.unique(pairs, axis=0)) == len(pairs) > 60_000


def test_nothing_and_one_triangle_do_not_cross() -> None:
    assert crossings(Mesh(np.zeros((0, 3)), np.zeros((0, 3)))).shape == (0, 2)
    assert crossings(Mesh(np.eye(3), [[0, 1, 2]])).shape == (0, 2)


def test_a_stop_is_heard() -> None:
    def stop(share: float, text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        crossings(ball(rings=60).mesh, stop)
