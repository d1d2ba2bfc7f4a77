"""Masks mirrored on their own grid, beside bodies mirrored by formula."""

import numpy as np
import pytest

from surgiplan.algorithms.masks import box
from surgiplan.algorithms.masks.mirror import mirrored
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.phantoms import EllipsoidPhantom
from surgiplan.phantoms.solids import Sphere, cylinder
from surgiplan.values import Mask, Plane, digest

from .bodies import centres, inside, mask_of, place_of, stop

PLACE = place_of(EllipsoidPhantom(), 12.0)
MIDDLE = PLACE.to_lps((np.asarray(PLACE.shape_kji) - 1) / 2)


def at(x: float, y: float, z: float):
    a, b, c = np.add(MIDDLE, (x, y, z))
    return (float(a), float(b), float(c))


BODY = Sphere(at(-12, 3, 4), 8.0) | cylinder(at(-12, 3, 4), at(-3, -9, 1), 3.0)
PLANES = [Plane(at(0, 0, 0), (1, 0, 0)), Plane(at(-1.3, 2, 0.4), (0.93, 0.3, -0.2))]


def flipped(plane: Plane) -> Mask:
    """The body mirrored by formula."""
    points = centres(PLACE)
    there = points - 2 * plane.distance(points)[:, None] * np.asarray(plane.normal)
    return Mask(PLACE, (BODY.field(there) < 0).reshape(PLACE.shape_kji))


@pytest.mark.parametrize("plane", PLANES)
def test_the_mirror_image_lies_where_the_formula_says(plane) -> None:
    mask, truth = inside(BODY, PLACE), flipped(plane)
    result = mirrored(mask, plane)
    wrong = np.count_nonzero(result.voxels != truth.voxels)
    assert wrong < 0.08 * np.count_nonzero(truth.voxels), "voxels of the border alone"
    assert result.volume_mm3 == pytest.approx(mask.volume_mm3, rel=0.01)
    away = np.subtract(*(np.argwhere(one.voxels).mean(axis=0) for one in (result, truth)))
    assert np.linalg.norm(away * PLACE.spacing_kji) < 0.05
    assert result.level is None
    assert result.grid is mask.grid


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_through_the_middle_of_the_voxels_nothing_is_rounded(axis) -> None:
    voxels = np.random.default_rng(5).random((5, 6, 7)) < 0.4
    mask = mask_of(voxels)
    plane = Plane(tuple(mask.grid.to_lps((2, 2.5, 3))), tuple(mask.grid.axes[:, axis]))
    result = mirrored(mask, plane)
    assert np.array_equal(result.voxels, np.flip(voxels, axis))
    assert np.array_equal(mirrored(result, plane).voxels, voxels)


def test_slab_by_slab_it_is_the_same(monkeypatch) -> None:
    mask = inside(BODY, PLACE)
    whole = mirrored(mask, PLANES[1])
    monkeypatch.setattr(box, "_VOXELS_AT_ONCE", 2000)
    assert np.array_equal(mirrored(mask, PLANES[1]).voxels, whole.voxels)


def test_what_would_be_lost_outside_the_scan_is_refused_and_measured() -> None:
    voxels = np.zeros((4, 5, 10), np.bool_)
    voxels[1, 2, 2:6] = True
    mask = mask_of(voxels)  # mirrored at i = 6.5 lies at 7 to 10, the last of which there is not
    plane = Plane(tuple(mask.grid.to_lps((0, 0, 6))), tuple(mask.grid.axes[:, 2]))
    with pytest.raises(StepFailed, match=r"\(25 %\) of the mirror image would lie outside the scan"):
        mirrored(mask, plane)
    with pytest.raises(StepFailed, match="No voxel is chosen"):
        mirrored(mask_of(np.zeros((3, 4, 5))), plane)


def test_inputs_stay_and_a_stop_is_heard() -> None:
    mask = inside(BODY, PLACE)
    before = digest(mask)
    mirrored(mask, PLANES[0])
    assert digest(mask) == before
    with pytest.raises(Cancelled):
        mirrored(mask, PLANES[0], stop)
