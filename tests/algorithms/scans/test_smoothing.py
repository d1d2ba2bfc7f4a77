"""Noise goes by the formula, edges stay."""

import numpy as np
import pytest

from surgiplan.algorithms.scans import smoothing
from surgiplan.algorithms.scans.smoothing import Kind, denoised
from surgiplan.values import Volume
from tests.ops.shapes import grid

PLACE = grid((40, 42, 48))
NOISE = np.random.default_rng(0).normal(0, 30, PLACE.shape_kji)


def step(noise: float = 1.0) -> Volume:
    """0 and 1000 HU, the border between two columns."""
    grey = np.zeros(PLACE.shape_kji)
    grey[:, :, 24:] = 1000
    return Volume(PLACE, (grey + noise * NOISE).astype(np.float32))


@pytest.mark.parametrize(("kind", "sharp"), [("diffusion", True), ("median", True), ("gaussian", False)])
def test_noise_goes_and_the_edge_stays(kind: Kind, sharp: bool) -> None:
    smooth = denoised(step(), kind, 1.2, edge=150.0).voxels
    assert smooth[5:-5, 5:-5, 5:18].std() < 0.35 * 30
    edge = smooth[5:-5, 5:-5].mean(axis=(0, 1))
    assert bool(edge[23] < 60 and edge[24] > 940) is sharp
    assert abs(edge[10]) < 5
    assert abs(edge[40] - 1000) < 5


def test_diffusion_without_an_edge_is_a_gaussian_of_that_radius() -> None:
    """A point spreads to the variance radius^2 along each axis, in mm, and nothing is lost."""
    point = np.zeros(PLACE.shape_kji, np.float32)
    point[20, 21, 24] = 1.0
    spread = denoised(Volume(PLACE, point, "MR", ""), "diffusion", 1.5, edge=1e4).voxels
    assert spread.sum(dtype=np.float64) == pytest.approx(1.0, abs=1e-4)
    for axis, size in enumerate(PLACE.spacing_kji):
        along = spread.sum(axis=tuple(n for n in range(3) if n != axis))
        away = (np.arange(len(along)) - (20, 21, 24)[axis]) * size
        assert along @ away**2 == pytest.approx(1.5**2, rel=0.01)


def test_the_median_takes_out_single_voxels() -> None:
    scan = step(0.0)
    dotted = scan.voxels.copy()
    dotted[::7, ::5, ::6] = 3000
    clean = denoised(Volume(PLACE, dotted), "median", 1.0).voxels
    assert np.array_equal(clean[2:-2, 2:-2, 2:-2], scan.voxels[2:-2, 2:-2, 2:-2])


@pytest.mark.parametrize("kind", ["diffusion", "median", "gaussian"])
def test_pieces_join_without_a_seam(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = denoised(step(), kind, 1.5).voxels
    monkeypatch.setattr(smoothing, "_AT_ONCE", 7 * 42 * 48)
    assert np.allclose(denoised(step(), kind, 1.5).voxels, whole, atol=1e-3)
