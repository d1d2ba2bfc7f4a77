"""Streaks made as a scanner makes them: projections of a slice with two rods, counted in photons."""

from functools import cache

import numpy as np
import pytest
from skimage.transform import iradon, radon

from surgiplan.algorithms.scans.metal import metal_and_streaks
from surgiplan.errors import StepFailed
from surgiplan.values import BoolArray, FloatArray, Grid, Volume
from tests.ops.shapes import ball_scan

SIZE = 160
Y, X = np.mgrid[:SIZE, :SIZE] - SIZE / 2
BODY = np.hypot(X / 65, Y / 50) < 0.97
METAL = (np.hypot(X - 25, Y + 10) < 4) | (np.hypot(X + 30, Y + 12) < 5)
ANGLES = np.linspace(0, 180, 240, endpoint=False)


def scanned(weakening: FloatArray) -> FloatArray:
    """HU of a slice by filtered back projection; few photons come through metal."""
    expected = 3e5 * np.exp(-radon(weakening, ANGLES, circle=True))
    counted = np.random.default_rng(1).poisson(expected).clip(1)
    found = iradon(-np.log(counted / 3e5), ANGLES, circle=True, filter_name="hann")
    hu: FloatArray = np.clip(np.rint((found / 0.02 - 1) * 1000), -1024, 3071)
    return hu


@cache
def slices() -> tuple[FloatArray, FloatArray]:
    """Without and with the rods."""
    body = np.where(np.hypot(X / 65, Y / 50) < 1, 0.02, 0.0)
    body[np.hypot(X - 20, Y - 5) < 8] = 0.035
    return scanned(body), scanned(np.where(METAL, 0.4, body))


def patient(axis: int) -> Volume:
    """Four slices without and four with the rods, stored with the long axis of the body along an index."""
    clean, streaked = slices()
    stack = np.stack([clean] * 4 + [streaked] * 4).astype(np.int16)
    affine = np.array([[0, 0, 1.0, 0], [0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]])
    order = [(0, 1, 2), (2, 0, 1), (1, 2, 0)][axis]
    shape = tuple(np.take(stack.shape, order))
    return Volume(Grid((shape[0], shape[1], shape[2]), affine[:, [*order, 3]], "1.2"), stack.transpose(order))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_metal_is_found_and_most_of_what_it_makes_untrue(axis: int) -> None:
    volume = patient(axis)
    back = np.argsort([(0, 1, 2), (2, 0, 1), (1, 2, 0)][axis])
    metal, streaks = (one.voxels.transpose(back) for one in metal_and_streaks(volume))
    clean, streaked = slices()
    error = np.abs(streaked - clean)

    def share(of: BoolArray) -> float:
        return float(np.count_nonzero(streaks[5] & of) / np.count_nonzero(of))

    assert not metal[:4].any()
    assert metal[5][METAL].mean() > 0.95
    assert not (metal & streaks).any()
    assert share((error > 150) & BODY & ~METAL) > 0.6
    assert share((error < 60) & BODY) < 0.25
    assert streaks[:2].mean() < 0.01


def test_a_ct_without_metal_and_an_mr_say_so() -> None:
    with pytest.raises(StepFailed, match="No metal is found"):
        metal_and_streaks(ball_scan())
    scan = ball_scan()
    with pytest.raises(StepFailed, match="choose a CT"):
        metal_and_streaks(Volume(scan.grid, scan.voxels, "MR", ""))
