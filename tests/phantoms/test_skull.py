import numpy as np
import pytest
from scipy.spatial import cKDTree

from surgiplan.phantoms import Skull
from surgiplan.phantoms.phantom import mesh_of
from surgiplan.phantoms.scanner import axial_grid, mean_values

SKULL = Skull()


@pytest.fixture(scope="module")
def patch() -> np.ndarray:
    return SKULL.patch_mesh(1.5).points_lps


def test_hole_and_lid_make_up_the_whole():
    grid = axial_grid(SKULL.scan_box, (3.0, 2.0, 2.5))
    points = grid.to_lps(np.argwhere(np.ones(grid.shape_kji, bool)))
    whole, rest, lid = (s.field(points) < 0 for s in (SKULL.whole, SKULL.surface, SKULL.patch))
    assert np.array_equal(whole, rest | lid)
    assert not (rest & lid).any()
    assert lid.sum() * grid.voxel_mm3 == pytest.approx(SKULL.patch_volume_mm3, rel=0.05)


def test_the_volume_of_the_lid_by_other_means():
    grid = axial_grid(SKULL.patch.box, (0.75, 0.65, 0.7))
    share = mean_values([(SKULL.patch, 1.0)], grid, background=0.0, cells=4)
    assert share.sum(dtype=float) * grid.voxel_mm3 == pytest.approx(SKULL.patch_volume_mm3, rel=1e-4)
    low, high = SKULL.patch.box
    points = np.random.default_rng(7).uniform(low, high, (200_000, 3))
    share_hit = (SKULL.patch.field(points) < 0).mean()
    box = np.prod(high - low)
    error = np.sqrt(share_hit * (1 - share_hit) / len(points)) / share_hit
    assert share_hit * box == pytest.approx(SKULL.patch_volume_mm3, rel=4 * error)


def test_a_smaller_lid_leaves_its_gap_all_round():
    gap = 0.3
    hole_edge = mesh_of(SKULL.cutter & SKULL.whole.offset(3.0), SKULL.cutter.box, 1.0).points.astype(float)
    hole_edge = hole_edge[np.abs(SKULL.cutter.distance(hole_edge)) < 1e-3]
    lid_points = mesh_of(SKULL.lid(gap), SKULL.cutter.box, 1.0).points.astype(float)
    side = lid_points[np.abs(SKULL.cutter.distance(lid_points) + gap) < 0.005]
    assert len(side) > 300
    nearest, _ = cKDTree(hole_edge).query(side)
    assert np.median(nearest) == pytest.approx(gap, abs=0.1)  # the hole's edge is sampled 1 mm apart
    assert nearest.min() > gap - 0.02
    assert SKULL.cutter.field(lid_points).max() < -gap + 0.02


def test_the_lid_lies_on_the_right_and_the_vault_is_not_symmetric(patch):
    assert SKULL.midplane.distance(patch).max() < -20
    centre = np.asarray(SKULL.defect_centre_lps)
    assert abs(SKULL.whole.distance(centre)) < 1e-6
    assert SKULL.cutter.field(centre) < -5
    normal = np.asarray(SKULL.midplane.normal)
    mirrored = patch - 2 * SKULL.midplane.distance(patch)[:, None] * normal
    off = np.abs(SKULL.surface.distance(mirrored))
    on_faces = np.abs(SKULL.cutter.distance(patch)) > 0.5
    assert 0.3 < off[on_faces].mean() < 4.0


def test_the_bone_is_4_to_9_mm_thick():
    way = np.random.default_rng(1).normal(size=(300, 3))
    way[:, 2] = np.abs(way[:, 2]) + 0.3
    own = way / np.linalg.norm(way / SKULL.outer_half_axes, axis=1)[:, None]
    outer = SKULL.pose.apply(own)
    assert np.abs(SKULL._outer.distance(outer)).max() < 1e-6
    thickness = SKULL._inner.distance(outer)
    assert thickness.min() > 4.0
    assert thickness.max() < 9.0


def test_a_mesh_of_the_lid_is_a_closed_body(patch):
    mesh = SKULL.patch_mesh(1.0).mesh
    assert mesh.watertight
    assert mesh.euler_number == 2
    assert mesh.volume_mm3 == pytest.approx(SKULL.patch_volume_mm3, rel=0.01)
    assert np.abs(SKULL.patch.distance(patch)).max() < 0.02
