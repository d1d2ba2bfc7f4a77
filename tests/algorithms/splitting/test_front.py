"""A contour that moves: against what growth, curvature and the pull do to a ball."""

import numpy as np
import pytest

from surgiplan.algorithms.splitting.front import Front
from surgiplan.errors import Cancelled
from surgiplan.values import FloatsArray

SHAPE = (46, 50, 54)
AWAY = np.linalg.norm(np.indices(SHAPE).T - np.array((22.3, 24.6, 27.1)), axis=-1).T
ONES = np.ones(SHAPE, np.float32)


def ball(radius: float) -> FloatsArray:
    return (AWAY - radius).astype(np.float32)


def radius_of(level: FloatsArray) -> float:
    """Of the ball with the volume inside; the voxels at the contour count by their share."""
    return float((np.clip(0.5 - level, 0, 1).sum() / (4 / 3 * np.pi)) ** (1 / 3))


@pytest.mark.parametrize(("start", "growth"), [(7.0, 1.0), (15.0, -1.0), (7.0, 0.3)])
def test_growth_moves_it_by_a_sixth_of_a_voxel_a_round(start: float, growth: float) -> None:
    """Within 6 %: the layers count steps along the axes, so slanting places are a little slow."""
    level = ball(start)
    Front(level, ONES, ONES, growth, 0.0, 0.0).run(36)
    assert radius_of(level) == pytest.approx(start + np.sign(growth) * 6.0, abs=0.36)
    away = AWAY[np.abs(level) < 0.5] - level[np.abs(level) < 0.5]
    assert np.ptp(away) < 1.0, "still a ball"


def test_half_the_speed_is_half_the_way() -> None:
    """On one side of a plane half as fast as on the other."""
    level, speed = ball(8.0), ONES.copy()
    speed[:, :, :27] = 0.5
    Front(level, speed, ONES, 1.0, 0.0, 0.0).run(36)
    line = level[22, 25] < 0
    assert np.flatnonzero(line)[-1] == pytest.approx(27.1 + 8.0 + 6.0, abs=1.0)
    assert np.flatnonzero(line)[0] == pytest.approx(27.1 - 8.0 - 3.0, abs=1.0)


@pytest.mark.parametrize(("start", "grows"), [(7.5, True), (4.8, False)])
def test_curvature_holds_growth_at_twice_its_weight(start: float, grows: bool) -> None:
    """The curvature of a ball is 2 / radius: with a weight of 3 it balances a growth of 1 at 6 voxels."""
    level = ball(start)
    Front(level, ONES, ONES, 1.0, 3.0, 0.0).run(30)
    assert (radius_of(level) > start + 0.3) == grows
    assert (radius_of(level) < start - 0.3) != grows


@pytest.mark.parametrize("start", [10.3, 13.6])
def test_it_is_drawn_to_an_edge_from_both_sides(start: float) -> None:
    level = ball(start)
    edges = (1 - 0.9 * np.exp(-((AWAY - 12.0) ** 2) / 2 / 1.5**2)).astype(np.float32)
    Front(level, edges, edges, 0.0, 0.05, 3.0).run(150)
    assert radius_of(level) == pytest.approx(12.0, abs=0.1)


def test_what_vanishes_leaves_nothing_and_ends() -> None:
    level, rounds = ball(3.0), set[float]()
    Front(level, ONES, ONES, -1.0, 0.0, 0.0).run(100, lambda done, _: rounds.add(done))
    assert (level > 0).all()
    assert len(rounds) < 40


def test_the_band_has_no_hole_when_bodies_meet_and_reach_the_edge() -> None:
    """Two balls grow together; then every two voxels on either side have the contour between them."""
    other = np.linalg.norm(np.indices(SHAPE).T - np.array((22.0, 9.0, 27.0)), axis=-1).T
    level = np.minimum(ball(6.0), other - 5.0).astype(np.float32)
    chance = np.random.default_rng(3)
    speed = chance.uniform(0.2, 1.0, SHAPE).astype(np.float32)
    Front(level, speed, speed, 1.0, 0.2, 1.0).run(150)
    assert (level[:, 0] < 0).any()
    for axis in range(3):
        a, b = np.moveaxis(level, axis, 0)[:-1], np.moveaxis(level, axis, 0)[1:]
        across = (a < 0) != (b < 0)
        assert (np.minimum(np.abs(a), np.abs(b))[across] <= 0.5).all()
        assert np.abs(a - b).max() < 2.5


def test_a_stop_is_heard() -> None:
    def stop(done: float, _: str) -> None:
        if done > 0.1:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        Front(ball(7.0), ONES, ONES, 1.0, 0.0, 0.0).run(100, stop)
