import time
from itertools import combinations
from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, QhullError

from surgiplan.phantoms.scanner import axial_grid, blurred, mean_values, scan, volume_of
from surgiplan.phantoms.solids import Box, Cone, Ellipsoid, HalfSpace, RoundCone, Sphere, Torus
from surgiplan.values import Grid, Plane, Pose, digest

BODIES = {
    "ball": Sphere((3.1, 4.2, 5.3), 20.0),
    "ellipsoid": Ellipsoid((1.0, 2.0, 3.0), (30.0, 20.0, 12.0)),
    "torus": Torus((1.0, 2.0, 3.0), (0.3, 0.2, 0.9), 30.0, 7.0),
    "round cone": RoundCone((1.0, 2.0, 3.0), (30.0, 10.0, 20.0), 10.0, 4.0),
    "cone": Cone((1.0, 2.0, 3.0), (30.0, 10.0, 20.0), 10.0, 4.0),
    "block": Box((1.0, 2.0, 3.0), (60.3, 35.2, 40.1)),
}


def some_grid(spacing=(1.0, 0.7, 0.8), reach=30.0) -> Grid:
    return axial_grid([[-reach] * 3, [reach] * 3], spacing)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("turn", [0.0, 33.0])
def test_voxel_sum_is_the_volume_by_formula(name, turn):
    body = BODIES[name]
    shape = body.moved(Pose.of_rotation((1, 2, 3), turn))
    began = time.perf_counter()
    grid = axial_grid(shape.box + np.array([[-2], [2]]), (1.0, 0.7, 0.8))
    image = mean_values([(shape, 1.0)], grid, background=0.0)
    took = time.perf_counter() - began
    found = image.sum(dtype=np.float64) * grid.voxel_mm3
    print(f"{name}: {found / body.volume_mm3 - 1:+.1e} of the volume, {image.size / took / 1e6:.1f} Mvoxel/s")
    assert found == pytest.approx(body.volume_mm3, rel=5e-4)


def clipped_share(plane: Plane, grid: Grid, kji: tuple[int, int, int]) -> float:
    """Share of a voxel behind a plane: the hull of its corners there and of the cuts of its edges."""
    choice = np.array(list(np.ndindex(2, 2, 2)))
    corners = grid.to_lps(np.asarray(kji) + choice - 0.5)
    off = plane.distance(corners)
    kept = list(corners[off <= 0])
    for a, b in combinations(range(8), 2):
        if np.abs(choice[a] - choice[b]).sum() == 1 and off[a] * off[b] < 0:
            kept.append(corners[a] + (corners[b] - corners[a]) * off[a] / (off[a] - off[b]))
    if len(kept) < 4:
        return 0.0
    try:
        return float(ConvexHull(kept).volume) / grid.voxel_mm3
    except QhullError:  # so flat that it has no volume
        return 0.0


def test_the_error_of_the_volume_falls_with_the_square_of_the_spacing():
    torus = BODIES["torus"]
    coarse, fine = volume_of(torus, 2.0), volume_of(torus, 1.0)
    assert (4 * fine - coarse) / 3 == pytest.approx(torus.volume_mm3, rel=2e-6)


@settings(max_examples=40, deadline=None)
@given(
    normal=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda n: np.linalg.norm(n) > 0.1),
    off=st.floats(-1.5, 1.5),
)
def test_the_share_of_a_voxel_beyond_a_plane_is_exact(normal, off):
    plane = Plane(tuple(off * np.asarray(normal) / np.linalg.norm(normal)), normal)
    grid = Grid((3, 3, 3), np.array([[0, 0, 0.8, -0.8], [0, 0.7, 0, -0.7], [1.3, 0, 0, -1.3], [0, 0, 0, 1]]))
    found = mean_values([(HalfSpace(plane), 1.0)], grid, background=0.0)
    for kji in np.ndindex(3, 3, 3):
        assert found[kji] == pytest.approx(clipped_share(plane, grid, kji), abs=3e-4)


def test_a_plane_between_voxels_is_met_exactly():
    grid = some_grid((1.0, 0.7, 0.8), 5.0)
    edge = grid.to_lps((5, 5, 5))[0] + 0.3 * 0.8
    image = mean_values([(HalfSpace(Plane((edge, 0.0, 0.0), (1.0, 0.0, 0.0))), 1.0)], grid, background=0.0)
    assert np.allclose(image[:, :, 4], 1.0)
    assert np.allclose(image[:, :, 5], 0.8, atol=1e-3)
    assert np.allclose(image[:, :, 6], 0.0)


def test_a_voxel_right_to_a_thousandth_on_a_ball():
    ball, grid = Sphere((0.2, -0.3, 0.1), 8.0), some_grid((1.3, 0.9, 1.0), 10.0)
    found = mean_values([(ball, 1.0)], grid, background=0.0)
    truth = mean_values([(ball, 1.0)], grid, background=0.0, cells=12)
    assert np.abs(found - truth).max() < 3e-3
    assert np.abs(found - truth)[np.abs(truth - 0.5) < 0.499].mean() < 1e-3


def test_later_bodies_take_the_place_of_earlier_ones():
    big, small = Sphere((0.0, 0.0, 0.0), 8.0), Sphere((0.0, 0.0, 0.0), 4.0)
    grid = some_grid((1.0, 0.7, 0.8), 10.0)
    over = mean_values([(big, 100.0), (small, 500.0)], grid, background=0.0)
    hidden = mean_values([(small, 500.0), (big, 100.0)], grid, background=0.0)
    assert over.sum(dtype=float) * grid.voxel_mm3 == pytest.approx(
        100 * big.volume_mm3 + 400 * small.volume_mm3, rel=1e-3
    )
    assert np.array_equal(hidden, mean_values([(big, 100.0)], grid, background=0.0))


def test_the_same_body_on_a_turned_grid_has_the_same_volume():
    torus = BODIES["torus"]
    turn = Pose.of_rotation((1, 1, 2), 50.0).rotation
    affine = np.eye(4)
    affine[:3, :3] = turn[:, [2, 1, 0]] * (1.0, 0.8, 0.7)
    shape = (90, 110, 130)
    affine[:3, 3] = np.asarray(torus.centre) - affine[:3, :3] @ (np.asarray(shape) / 2)
    image = mean_values([(torus, 1.0)], Grid(shape, affine), background=0.0)
    assert image.sum(dtype=float) * 0.56 == pytest.approx(torus.volume_mm3, rel=5e-4)


def test_a_cell_must_have_neighbours():
    with pytest.raises(ValueError, match="3 cells"):
        mean_values([], some_grid(), background=0.0, cells=2)


def test_an_axial_grid_runs_to_left_posterior_superior_round_the_middle():
    grid = axial_grid([[-10, 0, 5], [20, 31, 50]], (2.0, 1.5, 1.0), "1.2.3")
    assert grid.shape_kji == (23, 21, 30)
    assert grid.spacing_kji == (2.0, 1.5, 1.0)
    assert np.allclose(grid.axes, [[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    assert np.allclose(grid.corners_lps.mean(axis=0), (5, 15.5, 27.5))
    assert grid.frame_uid == "1.2.3"


class TestBlur:
    def test_keeps_the_sum_and_widens_by_its_variance(self):
        image = np.zeros((31, 33, 35), np.float32)
        image[15, 16, 17] = 1000.0
        spacing, sigma = (1.0, 0.8, 0.7), 1.3
        result = blurred(image, spacing, sigma)
        assert result.sum() == pytest.approx(1000.0, rel=1e-5)
        for axis, step in enumerate(spacing):
            line = result.sum(axis=tuple(a for a in range(3) if a != axis))
            place = np.arange(len(line)) * step
            variance = (line * place**2).sum() / line.sum() - ((line * place).sum() / line.sum()) ** 2
            assert sqrt(variance) == pytest.approx(sigma, rel=5e-3)

    def test_leaves_an_even_image_even_up_to_its_border(self):
        assert np.allclose(blurred(np.full((5, 6, 7), 42.0, np.float32), (1, 1, 1), 2.0), 42.0)

    def test_shows_a_thin_slab_as_the_law_says(self):
        """P16: at a distance x from the middle it is Phi((w/2 - x)/s) - Phi((-w/2 - x)/s)."""
        step, sigma, width = 0.1, 0.6, 1.0
        grid = axial_grid([[-4, -0.5, -0.5], [4, 0.5, 0.5]], (1.0, 1.0, step))
        slab = Box((-width / 2, -9.0, -9.0), (width / 2, 9.0, 9.0))
        line = scan([(slab, 10_000.0)], grid, background_hu=0.0, psf_sigma_mm=sigma).voxels[0, 0]
        x = grid.to_lps(np.stack([0 * np.arange(80), 0 * np.arange(80), np.arange(80)], axis=1))[:, 0]

        def phi(t: float) -> float:
            return (1 + erf(t / sqrt(2))) / 2

        truth = [1e4 * (phi((width / 2 - a) / sigma) - phi((-width / 2 - a) / sigma)) for a in x]
        assert np.abs(line - truth).max() < 15  # 0.15 % of the contrast


class TestNoise:
    def test_has_its_size_and_no_bias(self):
        volume = scan([], some_grid(), background_hu=100.0, noise_hu=20.0, seed=3)
        assert volume.voxels.dtype == np.int16
        assert volume.voxels.std() == pytest.approx(20.0, rel=0.01)
        assert volume.voxels.mean() == pytest.approx(100.0, abs=0.2)

    def test_follows_its_seed(self):
        def taken(seed: int) -> str:
            return digest(scan([], some_grid((3.0, 2.0, 2.5)), noise_hu=20.0, seed=seed))

        assert taken(1) == taken(1)
        assert taken(1) != taken(2)

    def test_air_stays_at_the_lowest_value_of_a_scanner(self):
        assert scan([], some_grid((3.0, 2.0, 2.5)), noise_hu=50.0).voxels.min() == -1024
