"""Holes filled: enclosed, within slices, and behind pores."""

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes

from surgiplan.algorithms.masks.filling import filled, filled_slices, wrapped
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.phantoms import ShellPhantom, SpherePhantom
from surgiplan.phantoms.solids import cylinder
from surgiplan.values import Grid, Mask, digest

from .bodies import inside, mask_of, place_of, stop

SHELL = ShellPhantom()
FULL = SpherePhantom(centre=SHELL.centre, radius_mm=SHELL.outer_radius_mm)
PLACE = place_of(SHELL)


def test_a_shell_becomes_the_ball_round_it() -> None:
    result = filled(inside(SHELL.surface, PLACE, 226.0))
    truth = inside(FULL.surface, PLACE)
    assert np.array_equal(result.voxels, truth.voxels)
    assert result.volume_mm3 == pytest.approx(FULL.volume_mm3, rel=0.002)
    assert result.level == 226.0


@pytest.mark.parametrize("seed", range(4))
def test_it_fills_what_scipy_fills(seed) -> None:
    rough = np.random.default_rng(seed).random((11, 13, 17)) < 0.75
    assert np.array_equal(filled(mask_of(rough)).voxels, binary_fill_holes(rough))


def pierced(pore_mm: float, along=(0.0, 0.0, 1.0)) -> Mask:
    """The shell with a round pore from its cavity outwards."""
    x, y, z = np.add(SHELL.centre, np.multiply(along, 30.0))
    body = SHELL.surface - cylinder(SHELL.centre, (float(x), float(y), float(z)), pore_mm / 2)
    return inside(body, PLACE)


def test_a_pore_keeps_a_cavity_open_and_wrapping_closes_it() -> None:
    for along in ((0, 0, 1), (0.6, 0, -0.8)):
        mask = pierced(4.0, along)
        assert np.array_equal(filled(mask).voxels, mask.voxels)
        solid = wrapped(mask, 6.0)
        assert not (mask.voxels & ~solid.voxels).any()
        truth = inside(FULL.surface, PLACE)
        assert np.count_nonzero(solid.voxels != truth.voxels) < 0.003 * np.count_nonzero(truth.voxels)
        assert solid.volume_mm3 == pytest.approx(FULL.volume_mm3, rel=0.003)


def test_wrapping_leaves_a_pore_wider_than_asked() -> None:
    mask = pierced(8.0)
    assert wrapped(mask, 5.0).volume_mm3 < 1.02 * mask.volume_mm3


def tube(axis: int) -> Mask:
    """An open square tube along an index axis, on a tilted grid."""
    voxels = np.zeros((12, 14, 16), np.bool_)
    across = [slice(4, 9)] * 3
    across[axis] = slice(1, -1)
    inner = [slice(6, 8)] * 3
    inner[axis] = slice(None)
    voxels[tuple(across)] = True
    voxels[tuple(inner)] = False
    return Mask(Grid(voxels.shape, axial_prone(), "1.2.3"), voxels)


def axial_prone() -> np.ndarray:
    """k upwards, j to the front, i to the right; tilted by 10 degrees."""
    matrix = np.eye(4)
    c, s = np.cos(np.radians(10)), np.sin(np.radians(10))
    matrix[:3, :3] = np.array([[0, 0, -1.0], [s, -c, 0], [c, s, 0]]) * (1.5, 0.9, 0.7)
    return matrix


@pytest.mark.parametrize(("slicing", "axis"), [("axial", 0), ("coronal", 1), ("sagittal", 2)])
def test_an_open_canal_is_filled_within_the_slices_across_it(slicing, axis) -> None:
    mask = tube(axis)
    assert np.array_equal(filled(mask).voxels, mask.voxels)
    result = filled_slices(mask, slicing)
    stacked = np.moveaxis(mask.voxels, axis, 0)
    truth = np.stack([binary_fill_holes(one) for one in stacked])
    assert np.array_equal(np.moveaxis(result.voxels, axis, 0), truth)
    assert np.count_nonzero(result.voxels) > np.count_nonzero(mask.voxels)
    for other in {"axial", "coronal", "sagittal"} - {slicing}:
        assert np.array_equal(filled_slices(mask, other).voxels, mask.voxels)


def test_inputs_stay_a_stop_is_heard_and_nothing_is_refused() -> None:
    mask, nothing = inside(SHELL.surface, PLACE), mask_of(np.zeros((3, 4, 5)))
    before = digest(mask)
    for work in (
        lambda mask, *report: filled(mask, *report),
        lambda mask, *report: filled_slices(mask, "axial", *report),
        lambda mask, *report: wrapped(mask, 4.0, *report),
    ):
        work(mask)
        with pytest.raises(Cancelled):
            work(mask, stop)
        with pytest.raises(StepFailed, match="No voxel is chosen"):
            work(nothing)
    assert digest(mask) == before
