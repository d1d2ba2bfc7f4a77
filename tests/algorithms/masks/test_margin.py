"""Margins and shells beside closed forms: balls, rings and blocks of voxels."""

import numpy as np
import pytest

from surgiplan.algorithms.masks.margin import hollow, margin
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.phantoms import ShellPhantom, SpherePhantom, TorusPhantom
from surgiplan.values import Mask, digest

from .bodies import centres, half_diagonal, inside, mask_of, place_of, stop

BALL, RING, SHELL = SpherePhantom(radius_mm=12.0), TorusPhantom(), ShellPhantom()


def radius_of(mask: Mask) -> float:
    """Of the ball of the same volume."""
    return float((mask.volume_mm3 / (4 / 3 * np.pi)) ** (1 / 3))


def ball_mm3(radius: float) -> float:
    return 4 / 3 * np.pi * radius**3


@pytest.mark.parametrize("distance", [1.5, 4.0, 7.3])
def test_a_ball_grows_by_the_distance_within_a_voxel(distance) -> None:
    """Each point of the smaller ball r - p has a chosen centre within p, the half diagonal of a voxel.

    So all centres within r + d - 2p are chosen, and none beyond r + d, where d is measured from centres (a
    quarter of the spacing more than from the border): the volume lies between those of two balls.
    """
    place = place_of(BALL, distance)
    grown = margin(inside(BALL.surface, place), distance)
    away = BALL.surface.distance(centres(place)).reshape(place.shape_kji)
    far = distance + 0.7 / 4
    assert not grown.voxels[away > far].any()
    assert grown.voxels[away <= far - 2 * half_diagonal(place)].all()
    outer, inner = 12.0 + far, 12.0 + far - 2 * half_diagonal(place)
    assert ball_mm3(inner) <= grown.volume_mm3 <= ball_mm3(outer)
    assert radius_of(grown) == pytest.approx(12 + distance, abs=1.1 / 4), "in the mean over the ball"
    assert grown.level is None


@pytest.mark.parametrize("distance", [1.5, 4.0])
def test_a_ball_shrinks_by_the_distance_within_a_voxel(distance) -> None:
    place = place_of(BALL)
    shrunk = margin(inside(BALL.surface, place), -distance)
    away = BALL.surface.distance(centres(place)).reshape(place.shape_kji)
    far = distance + 0.7 / 4
    assert shrunk.voxels[away < -far].all()
    assert not shrunk.voxels[away > 2 * half_diagonal(place) - far].any()
    assert radius_of(shrunk) == pytest.approx(12 - distance, abs=1.1 / 4)


@pytest.mark.parametrize("distance", [2.0, -2.0])
def test_a_ring_grows_and_shrinks_to_a_ring(distance) -> None:
    """2 pi^2 R (r + d)^2, the tube's radius to a quarter of the coarsest spacing of 1.1 mm."""
    place = place_of(RING, max(distance, 0.0))
    moved = margin(inside(RING.surface, place), distance)
    tube = (moved.volume_mm3 / (2 * np.pi**2 * 26.0)) ** 0.5
    assert tube == pytest.approx(9.0 + distance, abs=1.1 / 4)


@pytest.mark.parametrize(
    ("distance", "steps"), [(0.7, (0, 0, 1)), (1.5, (1, 1, 2)), (-0.9, (0, 1, 1)), (-1.5, (1, 1, 2))]
)
def test_a_flat_face_moves_by_whole_voxels(distance, steps) -> None:
    """Spacing 1.5, 0.9 and 0.7 mm."""
    voxels = np.zeros((14, 16, 20), np.bool_)
    voxels[4:10, 5:12, 6:14] = True
    moved = np.argwhere(margin(mask_of(voxels), distance).voxels)
    sign = 1 if distance > 0 else -1
    assert moved.min(axis=0).tolist() == [a - sign * n for a, n in zip((4, 5, 6), steps, strict=True)]
    assert moved.max(axis=0).tolist() == [b + sign * n for b, n in zip((9, 11, 13), steps, strict=True)]


def test_a_body_that_reaches_the_edge_of_the_scan_goes_on_there() -> None:
    voxels = np.zeros((6, 9, 12), np.bool_)
    voxels[:, 3:7, 4:12] = True
    shrunk = margin(mask_of(voxels), -0.9)
    assert np.argwhere(shrunk.voxels).min(axis=0).tolist() == [0, 4, 5]
    assert np.argwhere(shrunk.voxels).max(axis=0).tolist() == [5, 5, 11]
    tube = hollow(mask_of(voxels), 1.5, "inside")
    assert np.array_equal(tube.voxels[0], tube.voxels[3])


def test_growing_stops_at_the_edge_of_the_scan() -> None:
    voxels = np.zeros((4, 5, 6), np.bool_)
    voxels[1, 2, 3] = True
    assert margin(mask_of(voxels), 50.0).voxels.all()


@pytest.mark.parametrize("side", ["inside", "outside", "centred"])
@pytest.mark.parametrize("thickness", [2.5, 4.0])
def test_a_hollow_ball_is_the_shell_between_two_balls(side, thickness) -> None:
    outwards = {"inside": 0.0, "outside": thickness, "centred": thickness / 2}[side]
    place = place_of(BALL, outwards)
    mask = inside(BALL.surface, place)
    wall = hollow(mask, thickness, side)
    away = BALL.surface.distance(centres(place)).reshape(place.shape_kji)
    voxel = 2 * half_diagonal(place)
    low, high = outwards - thickness, outwards
    assert wall.voxels[(away > low + voxel) & (away < high - voxel)].all()
    assert not wall.voxels[(away < low - 0.175) | (away > high + 0.175)].any()
    truth = ball_mm3(12 + outwards) - ball_mm3(12 + outwards - thickness)
    faces = [12 + face for face in (low, high) if face]  # a face that stays is right
    off = 1.1 / 4 * 4 * np.pi * sum(radius**2 for radius in faces)
    assert wall.volume_mm3 == pytest.approx(truth, abs=off)
    if side == "inside":
        assert not (wall.voxels & ~mask.voxels).any()
    if side == "outside":
        assert not (wall.voxels & mask.voxels).any()


def test_the_wall_of_a_hollow_ball_is_that_of_the_phantom() -> None:
    """The phantom's shell of 6 mm: its full ball, hollowed by 6 mm."""
    place = place_of(SHELL)
    full = inside(SpherePhantom(centre=SHELL.centre, radius_mm=SHELL.outer_radius_mm).surface, place)
    wall = hollow(full, SHELL.thickness_mm, "inside")
    assert wall.volume_mm3 == pytest.approx(SHELL.volume_mm3, rel=0.015)
    truth = inside(SHELL.surface, place)
    assert np.count_nonzero(wall.voxels != truth.voxels) < 0.04 * np.count_nonzero(truth.voxels)


def test_what_leaves_nothing_is_refused() -> None:
    mask = inside(BALL.surface, place_of(BALL))
    with pytest.raises(StepFailed, match="nowhere thicker than 26 mm"):
        margin(mask, -13.0)
    for thickness, side in ((0.9, "inside"), (2.1, "centred")):
        with pytest.raises(StepFailed, match="thinner than the voxels can show"):
            hollow(mask, thickness, side)
    for work in (lambda empty: margin(empty, 1.0), lambda empty: hollow(empty, 3.0)):
        with pytest.raises(StepFailed, match="No voxel is chosen"):
            work(mask_of(np.zeros((3, 4, 5))))
    assert margin(mask, 0.0) is mask


def test_inputs_stay_and_a_stop_is_heard() -> None:
    mask = inside(BALL.surface, place_of(BALL))
    before = digest(mask)
    margin(mask, -1.5)
    hollow(mask, 3.0, "centred")
    assert digest(mask) == before
    for work in (lambda: margin(mask, 2.0, stop), lambda: hollow(mask, 2.0, "inside", stop)):
        with pytest.raises(Cancelled):
            work()
