"""Seeds share a mask: half-way where nothing is between them, at edges and joints where there are."""

from dataclasses import replace

import numpy as np
import pytest

from surgiplan.algorithms.splitting.seeds import grow_seeds
from surgiplan.errors import Mismatch, StepFailed
from surgiplan.values import Grid, Mask, Vec3, Volume, vec3
from tests.ops.shapes import grid

PLACE = grid()
EVERYWHERE = Mask(PLACE, np.ones(PLACE.shape_kji, np.bool_), 300.0)


def at(k: float, j: float, i: float) -> Vec3:
    return vec3(PLACE.to_lps((k, j, i)))


def even() -> Volume:
    return Volume(PLACE, np.full(PLACE.shape_kji, 500, np.int16))


def test_where_all_is_even_the_bodies_meet_half_way_in_millimetres() -> None:
    """The border of two points is the plane between them, although voxels are 1.1 x 0.9 x 0.8 mm."""
    a, b = at(6, 8, 10), at(24, 28, 34)
    bodies = grow_seeds(even(), EVERYWHERE, {"a": [a], "b": [b]})
    assert (bodies["a"].voxels ^ bodies["b"].voxels).all()
    way = np.subtract(b, a) / np.linalg.norm(np.subtract(b, a))
    points = PLACE.to_lps(np.indices(PLACE.shape_kji).reshape(3, -1).T)
    beyond = ((points - np.add(a, b) / 2) @ way).reshape(PLACE.shape_kji)
    wrong = bodies["b"].voxels != (beyond > 0)
    assert np.abs(beyond[wrong]).max(initial=0) < 1.0  # less than a voxel


def test_a_wall_with_a_dark_gap_is_where_they_meet() -> None:
    """The seeds lie unevenly: half-way between them is 7 voxels beside the gap."""
    voxels = np.full(PLACE.shape_kji, 900, np.int16)
    voxels[:, :, 15] = 400
    scan = Volume(PLACE, voxels)
    inner = np.zeros(PLACE.shape_kji, np.bool_)
    inner[2:-2, 2:-2, 2:-2] = True
    bodies = grow_seeds(
        scan, Mask(PLACE, inner, 300.0), {"pelvis": [at(15, 19, 3)], "femur": [at(15, 19, 41)]}
    )
    assert np.array_equal(bodies["pelvis"].voxels[:, :, :14], inner[:, :, :14])
    assert np.array_equal(bodies["femur"].voxels[:, :, 17:], inner[:, :, 17:])
    assert bodies["femur"].level == 300.0


def test_an_edge_is_where_they_meet() -> None:
    voxels = np.full(PLACE.shape_kji, 200, np.int16)
    voxels[:, :, 12:] = 1200
    bodies = grow_seeds(
        Volume(PLACE, voxels), EVERYWHERE, {"dark": [at(15, 19, 9)], "bright": [at(15, 19, 22)]}
    )
    near = np.s_[5:25, 5:33]
    assert bodies["dark"].voxels[near][:, :, :10].all()
    assert bodies["bright"].voxels[near][:, :, 14:].all()


def test_painted_seeds_keep_all_their_voxels_and_three_bodies_are_kept_apart() -> None:
    stroke = np.zeros(PLACE.shape_kji, np.bool_)
    stroke[10:20, 5, 5:40] = True
    seeds = {"stroke": [Mask(PLACE, stroke)], "b": [at(5, 30, 8)], "c": [at(25, 30, 40)]}
    bodies = grow_seeds(even(), EVERYWHERE, seeds)
    total = np.sum([body.voxels for body in bodies.values()], axis=0)
    assert (total == 1).all()
    assert bodies["stroke"].voxels[stroke].all()


def test_several_seeds_of_a_body_grow_as_one() -> None:
    ends, middle = [at(15, 19, 4), at(15, 19, 40)], [at(15, 19, 22)]
    bodies = grow_seeds(even(), EVERYWHERE, {"ends": ends, "middle": middle})
    row = bodies["middle"].voxels[15, 19]
    assert np.array_equal(np.flatnonzero(row)[[0, -1]], [14, 30])
    assert (bodies["ends"].voxels ^ bodies["middle"].voxels).all()


def test_what_no_front_reaches_belongs_to_nobody() -> None:
    apart = np.ones(PLACE.shape_kji, np.bool_)
    apart[:, :, 20] = False
    bodies = grow_seeds(even(), Mask(PLACE, apart), {"a": [at(5, 5, 5)], "b": [at(20, 30, 10)]})
    assert not any(body.voxels[:, :, 20:].any() for body in bodies.values())


def test_seeds_that_cannot_grow_are_refused_in_words() -> None:
    a, b = at(6, 8, 10), at(24, 28, 34)
    some = EVERYWHERE.voxels.copy()
    some[:, :, :20] = False
    with pytest.raises(StepFailed, match=r"The seed of hip at \(.*\) does not lie on the mask"):
        grow_seeds(even(), Mask(PLACE, some), {"hip": [a], "b": [b]})
    with pytest.raises(StepFailed, match=r"The seed of hip at \(.*\) does not lie on the mask"):
        grow_seeds(even(), EVERYWHERE, {"b": [b], "hip": [(0.0, 0.0, 0.0)]})
    with pytest.raises(StepFailed, match="seed of again lies on a seed before"):
        grow_seeds(even(), EVERYWHERE, {"a": [a], "again": [a]})
    with pytest.raises(StepFailed, match="One seed has nothing to meet"):
        grow_seeds(even(), EVERYWHERE, {"a": [a]})
    other = Mask(replace(PLACE, frame_uid="1.2"), EVERYWHERE.voxels)
    with pytest.raises(Mismatch):
        grow_seeds(even(), other, {"a": [a], "b": [b]})


def test_exchanged_axes_give_the_same_bodies() -> None:
    rng = np.random.default_rng(2)
    scan = Volume(PLACE, (500 + 200 * rng.standard_normal(PLACE.shape_kji)).astype(np.int16))
    seeds = {"a": [at(6, 8, 10)], "b": [at(24, 28, 34)]}
    turn = (1, 2, 0)
    turned = Grid(tuple(np.take(PLACE.shape_kji, turn)), PLACE.kji_to_lps[:, [*turn, 3]], PLACE.frame_uid)
    one = grow_seeds(scan, EVERYWHERE, seeds)["a"].voxels.transpose(turn)
    again = grow_seeds(
        Volume(turned, scan.voxels.transpose(turn)), Mask(turned, np.ones(turned.shape_kji, np.bool_)), seeds
    )
    assert np.count_nonzero(again["a"].voxels != one) < 0.002 * one.size
