from dataclasses import replace

import numpy as np
import pytest

from surgiplan.errors import Mismatch, StepFailed
from surgiplan.ops.surface import Surface
from surgiplan.ops.threshold import Threshold
from surgiplan.phantoms import ShellPhantom, SpherePhantom, TorusPhantom
from surgiplan.phantoms.bodies import Body
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Mask, Part, Volume
from tests.ops.shapes import ELSEWHERE, ball_mask, ball_scan, grid, no_mask

REFS = {"volume": Ref[Volume]("ct"), "mask": Ref[Mask]("m")}
SPHERE, TORUS = SpherePhantom(radius_mm=15.0), TorusPhantom(ring_radius_mm=18.0, tube_radius_mm=7.0)
SHELL = ShellPhantom(outer_radius_mm=16.0)


def made(phantom: Body, **fields: object) -> Part:
    volume = phantom.volume()
    mask = Threshold(volume=REFS["volume"], low=phantom.level_hu).run(Work(), volume)
    return Surface(**REFS, **fields).run(Work(), volume, mask)  # type: ignore[arg-type]


@pytest.mark.parametrize(("phantom", "euler"), [(SPHERE, 2), (TORUS, 0), (SHELL, 4)])
def test_it_follows_the_true_surface(phantom: Body, euler: int) -> None:
    """VALIDITY 4: voxels of 0.8 x 0.8 x 1.0 mm, RMS at most 0.05 mm, largest 0.2 mm."""
    part = made(phantom)
    away = phantom.surface_distance(part.points_lps)
    assert np.sqrt(np.mean(away**2)) <= 0.05
    assert np.abs(away).max() <= 0.2
    assert part.mesh.volume_mm3 == pytest.approx(phantom.volume_mm3, rel=0.005)  # type: ignore[attr-defined]
    assert part.mesh.area_mm2 == pytest.approx(phantom.area_mm2, rel=0.02)  # type: ignore[attr-defined]
    assert part.mesh.watertight
    assert part.mesh.euler_number == euler
    assert part.frame_uid == phantom.frame_uid


def test_a_filled_cavity_makes_a_solid_body() -> None:
    solid = made(SHELL, cavities="fill")
    assert solid.mesh.euler_number == 2
    assert solid.mesh.volume_mm3 == pytest.approx(4 / 3 * np.pi * 16**3, rel=0.005)


def test_another_level_moves_the_surface() -> None:
    """The edge of this scan is a slope of 1000 HU over 1 mm: 200 HU lie 0.2 mm further in.

    Where the mask says otherwise than the level, the surface lies half-way between voxels.
    """
    volume, mask = ball_scan(), ball_mask()
    brighter = Mask(volume.grid, volume.voxels >= 700, level=500.0)

    def radius(mask: Mask, level: float | None) -> float:
        part = Surface(**REFS, level=level).run(Work(), volume, mask)
        return float((3 / 4 / np.pi * part.mesh.volume_mm3) ** (1 / 3))

    assert radius(mask, None) == radius(mask, 500)
    assert radius(mask, 500) - radius(brighter, 700) == pytest.approx(0.2, abs=0.05)
    assert radius(brighter, 700) < radius(mask, 700) < radius(mask, 500)


def test_a_painted_mask_has_its_surface_half_way_between_voxels() -> None:
    voxels = np.zeros(grid().shape_kji, np.bool_)
    voxels[10:14, 10:15, 10:16] = True
    part = Surface(**REFS).run(Work(), ball_scan(), Mask(grid(), voxels))
    low, high = grid().to_lps([(9.5, 9.5, 9.5), (13.5, 14.5, 15.5)])
    assert np.allclose(part.bounds_lps, [np.minimum(low, high), np.maximum(low, high)], atol=1e-4)


def test_an_object_at_the_edge_of_the_scan_is_closed_there() -> None:
    voxels = np.ones(grid().shape_kji, np.bool_)
    part = Surface(**REFS).run(Work(), ball_scan(), Mask(grid(), voxels))
    assert part.mesh.watertight
    assert part.mesh.volume_mm3 == pytest.approx(voxels.size * grid().voxel_mm3, rel=0.01)


def test_an_empty_mask_has_no_surface() -> None:
    with pytest.raises(
        StepFailed, match=r"No voxel is chosen.*Check the range of the threshold, or the seed"
    ):
        Surface(**REFS).run(Work(), ball_scan(), no_mask())


def test_a_mask_of_another_scan_is_refused() -> None:
    volume, mask = ball_scan(), ball_mask()
    smaller = Mask(grid((29, 38, 44)), mask.voxels[1:])
    with pytest.raises(Mismatch, match=r"44×38×30 and 44×38×29 voxels. Choose a mask that was made from"):
        Surface(**REFS).run(Work(), volume, smaller)
    shifted = mask.grid.kji_to_lps.copy()
    shifted[0, 3] += 0.3
    with pytest.raises(Mismatch, match=r"corners up to 0\.3 mm apart"):
        Surface(**REFS).run(Work(), volume, replace(mask, grid=replace(mask.grid, kji_to_lps=shifted)))
    with pytest.raises(Mismatch, match="different patient spaces"):
        Surface(**REFS).run(Work(), volume, replace(mask, grid=replace(mask.grid, frame_uid=ELSEWHERE)))
