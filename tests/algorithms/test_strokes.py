"""What a hand chooses, against shapes whose voxels can be counted or computed."""

import time

import numpy as np
import pytest

from surgiplan.algorithms.livewire import Wire, edge_costs
from surgiplan.algorithms.strokes import (
    Layer,
    between,
    brushed,
    enclosed,
    inside_polygon,
    island,
    of_grey,
    outside_of,
    simplified,
)
from surgiplan.errors import StepFailed
from surgiplan.values import Bits, Grid, Mask, Volume

SHAPE = (70, 90, 110)
SPACING = (1.5, 0.75, 0.5)


def a_grid() -> Grid:
    """Oblique, anisotropic, with three different sizes."""
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, 0.96, -0.28], [0, 0.28, 0.96]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn[:, ::-1] * SPACING
    affine[:3, 3] = (-20, 31, 5)
    return Grid(SHAPE, affine, "1.2.3")


GRID = a_grid()
MIDDLE = (35, 45, 55)


def dense(bits: Bits) -> np.ndarray:
    return bits.in_box((0, 0, 0), SHAPE)


def test_a_ball_has_the_volume_of_a_ball() -> None:
    ball = brushed(GRID, GRID.to_lps([MIDDLE]), 12.0)
    assert ball.count * GRID.voxel_mm3 == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.01)
    away = np.linalg.norm((np.argwhere(dense(ball)) - MIDDLE) * SPACING, axis=1)
    assert away.max() <= 12


def test_a_disc_has_the_area_of_a_disc_and_one_slice() -> None:
    disc = brushed(GRID, GRID.to_lps([MIDDLE]), 15.0, Layer(0, 35))
    assert disc.count * SPACING[1] * SPACING[2] == pytest.approx(np.pi * 15**2, rel=0.005)
    assert set(np.argwhere(dense(disc))[:, 0]) == {35}


def test_a_stroke_is_what_the_brush_passed_over() -> None:
    way = np.array([[35, 20, 30], [35, 60, 30], [35, 60, 80]])
    stroke = brushed(GRID, GRID.to_lps(way), 4.125, Layer(0, 35))
    straight = (40 * 0.75 + 50 * 0.5) * 8.25
    ends_and_corner = 4.125**2 * (np.pi + np.pi / 4 - 1)  # two half discs, a quarter of one, a square twice
    area = stroke.count * SPACING[1] * SPACING[2]
    assert area == pytest.approx(straight + ends_and_corner, rel=0.02)


def test_a_brush_beside_the_grid_chooses_nothing() -> None:
    assert brushed(GRID, GRID.to_lps([[-40, 5, 5]]), 5.0).count == 0
    half = brushed(GRID, GRID.to_lps([[-0.5, 45, 55]]), 9.0)
    assert half.count * GRID.voxel_mm3 == pytest.approx(2 / 3 * np.pi * 9**3, rel=0.01)


def test_the_slice_under_a_point() -> None:
    at = tuple(GRID.to_lps((12, 45, 55)))
    assert Layer.through(GRID, at, tuple(GRID.axes[:, 0])) == Layer(0, 12)
    assert Layer.through(GRID, at, tuple(-GRID.axes[:, 2])) == Layer(2, 55)
    assert Layer.through(GRID, tuple(GRID.to_lps((-3, 0, 0))), tuple(GRID.axes[:, 0])) is None


def test_limits_leave_what_lies_in_them() -> None:
    grey = np.indices(SHAPE)[2].astype(np.int16)
    ball = brushed(GRID, GRID.to_lps([MIDDLE]), 10.0)
    some = of_grey(ball, Volume(GRID, grey), 50, 60)
    assert np.array_equal(dense(some), dense(ball) & (grey >= 50) & (grey <= 60))
    mask = Mask(GRID, grey > 55)
    assert np.array_equal(dense(outside_of(ball, mask)), dense(ball) & (grey <= 55))


def straight_view() -> np.ndarray:
    """Along k: x is i, y is j, in quarter pixels."""
    view = np.eye(4)
    view[:3] = GRID.lps_to_kji[[2, 1, 0]] * [[4.0], [4.0], [1.0]]
    return view


def test_an_outline_cuts_its_area_times_the_depth() -> None:
    outline = 4.0 * np.array(
        [[20.5, 10.5], [90.5, 10.5], [90.5, 70.5], [55.5, 70.5], [55.5, 40.5], [20.5, 40.5]]
    )
    cut = enclosed(GRID, straight_view(), outline)
    assert cut.count == (70 * 60 - 35 * 30) * SHAPE[0], "an L of whole voxels"
    one = enclosed(GRID, straight_view(), outline, Layer(0, 7))
    assert one.count == 70 * 60 - 35 * 30
    assert one - cut == Bits()


def test_a_slanting_outline_has_its_area_too() -> None:
    outline = 4.0 * np.array([[15.2, 8.1], [101.7, 33.3], [40.4, 80.9]])
    (ax, ay), (bx, by), (cx, cy) = outline / 4
    area = abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2
    assert enclosed(GRID, straight_view(), outline).count / SHAPE[0] == pytest.approx(area, rel=0.003)


def perspective() -> np.ndarray:
    """From a point 200 mm before the middle, slantwise."""
    middle = GRID.to_lps(MIDDLE)
    away = np.array([0.48, 0.6, 0.64])
    right = np.cross(away, (0, 0, 1))
    right /= np.linalg.norm(right)
    down = np.cross(away, right)
    eye = middle - 200 * away
    view = np.zeros((4, 4))
    view[0, :3] = 900 * right + 300 * away
    view[1, :3] = 900 * down + 200 * away
    view[2, :3] = view[3, :3] = away
    view[:, 3] = -view[:, :3] @ eye
    return view


def test_in_perspective_each_voxel_is_where_it_is_seen() -> None:
    around = np.linspace(0, 2 * np.pi, 40)[:-1]
    wavy = 60 + 25 * np.cos(5 * around)
    outline = np.stack([300 + wavy * np.cos(around), 200 + wavy * np.sin(around)], axis=1)
    cut = dense(enclosed(GRID, perspective(), outline))
    seen = GRID.to_lps(np.argwhere(np.ones(SHAPE, np.bool_))) @ perspective()[:, :3].T + perspective()[:, 3]
    truth = inside_polygon(seen[:, :2] / seen[:, 3:], outline).reshape(SHAPE)
    assert np.array_equal(cut, truth)
    assert 0.02 < cut.mean() < 0.5


def test_what_lies_behind_the_eye_is_not_cut() -> None:
    middle = GRID.to_lps(MIDDLE)
    view = perspective()
    view[:, 3] = -view[:, :3] @ middle  # the eye stands in the middle
    everywhere = 1e9 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    cut = dense(enclosed(GRID, view, everywhere))
    depth = (GRID.to_lps(np.argwhere(np.ones(SHAPE, np.bool_))) @ view[3, :3] + view[3, 3]).reshape(SHAPE)
    clear = np.abs(depth) > 1e-3
    assert clear.mean() > 0.99
    assert np.array_equal(cut[clear], depth[clear] > 0)


def test_a_line_keeps_its_corners() -> None:
    around = np.linspace(0, 2 * np.pi, 400)
    circle = 100 * np.stack([np.cos(around), np.sin(around)], axis=1)
    few = simplified(circle, 0.5)
    assert len(few) < 60
    assert simplified(np.array([[0, 0], [1, 0], [2, 0], [2, 5.0]]), 0.1).tolist() == [[0, 0], [2, 0], [2, 5]]
    gone = np.abs(np.linalg.norm((few[1:] + few[:-1]) / 2, axis=1) - 100)
    assert gone.max() <= 0.5


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_way_between_two_circles_lies_the_circle_of_the_mean_radius(axis: int) -> None:
    at = np.array(GRID.to_lps([MIDDLE]))
    ends = [MIDDLE[axis] - 10, MIDDLE[axis] + 10]
    painted = Bits()
    for end, radius in zip(ends, (6.0, 14.0), strict=True):
        centre = at + (end - MIDDLE[axis]) * SPACING[axis] * GRID.axes[:, axis]
        painted |= brushed(GRID, centre, radius, Layer(axis, end))
    filled = dense(between(GRID, painted, axis))
    half = np.moveaxis(filled, axis, 0)[MIDDLE[axis]]
    pixel = np.delete(SPACING, axis)
    assert half.sum() * pixel.prod() == pytest.approx(np.pi * 10**2, rel=0.03)
    middle = np.delete(MIDDLE, axis)
    radii = np.linalg.norm((np.argwhere(half) - middle) * pixel, axis=1)
    assert radii.max() == pytest.approx(10, abs=0.75 * pixel.max())
    untouched = np.moveaxis(filled, axis, 0)[[*ends, ends[0] - 1, ends[1] + 1]]
    assert not untouched.any()


def test_filling_needs_two_slices_and_a_gap() -> None:
    for slices in ([], [20], [20, 21]):
        painted = Bits.of([[k, 5, 5] for k in slices])
        with pytest.raises(StepFailed, match="paint the outline in two slices"):
            between(GRID, painted, 0)


def test_an_island_is_kept_or_goes() -> None:
    voxels = np.zeros(SHAPE, np.bool_)
    voxels[3:8, 3:9, 3:5], voxels[40:60, 40:60, 40:60] = True, True
    mask = Mask(GRID, voxels)
    small = tuple(GRID.to_lps((5, 5, 4)))
    assert island(mask, small, keep=False).count == 5 * 6 * 2
    assert island(mask, small, keep=True).count == 20**3
    with pytest.raises(StepFailed, match="beside the chosen voxels"):
        island(mask, tuple(GRID.to_lps((20, 20, 20))), keep=True)


def test_a_live_wire_follows_the_edge_of_a_disc() -> None:
    """From one point of the circle to the opposite one: half of the circumference, within a pixel."""
    row, column = np.indices((120, 150))
    pixel = (0.7, 0.5)
    away = np.hypot((row - 60) * pixel[0], (column - 70) * pixel[1])
    picture = np.rint(1000 / (1 + np.exp((away - 20) / 0.3)) - 200).astype(np.int16)
    picture += np.random.default_rng(5).integers(-30, 30, picture.shape).astype(np.int16)
    wire = Wire(edge_costs(picture, pixel), (60, 110), pixel)
    way = wire.to((60, 30))
    assert tuple(way[0]) == (60, 110)
    assert tuple(way[-1]) == (60, 30)
    radii = np.hypot((way[:, 0] - 60) * pixel[0], (way[:, 1] - 70) * pixel[1])
    assert np.abs(radii - 20).max() <= max(pixel)
    assert abs(way[:, 0] - 60).max() * pixel[0] == pytest.approx(20, abs=max(pixel))


def test_a_live_wire_stays_within_its_reach() -> None:
    wire = Wire(np.ones((300, 300)), (10, 10), (1.0, 1.0), reach=40)
    assert tuple(wire.to((250, 250))[-1]) == (50, 50)


def test_a_flat_picture_gives_straight_ways() -> None:
    way = Wire(edge_costs(np.zeros((40, 40), np.int16), (1.0, 1.0)), (5, 5), (1.0, 1.0)).to((30, 30))
    assert np.array_equal(way[:, 0], way[:, 1])


@pytest.mark.slow
def test_a_cut_through_a_large_scan_is_quick(record_property: object) -> None:
    grid = Grid((400, 512, 512), np.diag([0.8, 0.5, 0.5, 1.0])[[2, 1, 0, 3]])
    around = np.linspace(0, 2 * np.pi, 60)[:-1]
    outline = 250 + 150 * np.stack([np.cos(around), np.sin(around)], axis=1)
    view = np.eye(4)
    view[:3] = grid.lps_to_kji[[2, 1, 0]]
    view[0, 0] += 0.2
    took = []
    for _ in range(3):
        started = time.process_time()
        enclosed(grid, view, outline)
        took.append(time.process_time() - started)
    record_property("cut_s", min(took))  # type: ignore[operator]
    assert min(took) <= 3.0
