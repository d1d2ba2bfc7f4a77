"""Loops filled with triangles: the area of each, and an independent look at what covers what."""

import numpy as np
import pytest

from surgiplan.algorithms.cutting.filling import swept
from surgiplan.algorithms.cutting.section import each_way_once
from surgiplan.values import FloatArray

CHANCE = np.random.default_rng(7)


def star(points: int, radius: float, rough: float, middle: tuple[float, float] = (0, 0)) -> FloatArray:
    """A ragged loop, counter-clockwise."""
    angle = 2 * np.pi * (np.arange(points) + 0.8 * CHANCE.random(points)) / points
    away = radius * (1 - rough * CHANCE.random(points))
    loop: FloatArray = np.stack([away * np.cos(angle), away * np.sin(angle)], axis=1) + middle
    return loop


def area(loop: FloatArray) -> float:
    x, y = loop.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2


def filled(*loops: FloatArray) -> bool:
    """Whether loops are filled: as much as they enclose, each triangle forwards, no edge left over."""
    flat, ends = np.concatenate(loops), np.cumsum([len(loop) for loop in loops])
    follower = np.arange(1, len(flat) + 1)
    follower[ends - 1] = np.concatenate([[0], ends[:-1]])
    triangles = swept(flat, follower)
    if not len(triangles):
        return False
    a, b, c = flat[triangles].transpose(1, 0, 2)
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    areas = (ux * vy - uy * vx) / 2
    starts = np.concatenate([triangles.ravel(), follower])
    ends = np.concatenate([np.roll(triangles, -1, axis=1).ravel(), np.arange(len(flat))])
    inside = sum(area(loop) for loop in loops)
    return bool(areas.min() >= 0 and np.isclose(areas.sum(), inside)) and each_way_once(
        starts, ends, len(flat)
    )


@pytest.mark.parametrize("points", [3, 4, 30, 1000])
def test_a_ragged_loop(points: int) -> None:
    assert all(filled(star(points, 10, 0.6)) for _ in range(20))


def test_holes_and_what_lies_in_them() -> None:
    for _ in range(100):
        loops = [star(int(CHANCE.integers(40, 300)), 10, 0.2)]
        for x in (-4.0, -1.5, 1.5, 4.0):
            for y in (-4.0, -1.5, 1.5, 4.0):
                loops.append(star(int(CHANCE.integers(5, 40)), 1, 0.8, (x, y))[::-1])
                loops.append(star(6, 0.1, 0.5, (x, y)))
        assert filled(*loops)


def test_corners_above_each_other_and_on_straight_edges() -> None:
    around = np.array(
        [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (3, 3), (1, 3), (0, 3), (0, 2), (0, 1)]
    )
    hole = np.array([(1, 1), (1, 2), (2, 2), (2, 1)])
    teeth = [(x, y) for x in range(9) for y in ((0, 5) if x % 2 else (5, 0))]
    comb = np.array([(9, -1), *teeth[::-1], (-1, -1)])
    assert filled(around.astype(float), hole.astype(float))
    assert filled(comb.astype(float))
    assert filled(comb[:, ::-1][::-1].astype(float))


def test_two_bodies_beside_each_other_are_not_joined() -> None:
    assert filled(star(50, 1, 0.4), star(50, 1, 0.4, (5, 0)), star(50, 1, 0.4, (0, 5)))


def test_loops_that_cross_are_not_filled_in_silence() -> None:
    assert not filled(star(30, 5, 0.1), star(30, 5, 0.1, (3, 0))[::-1])


def test_very_many_points() -> None:
    assert filled(star(200_000, 10, 0.001))
