import numpy as np
import pytest

from surgiplan.algorithms.surface import grey_surface
from surgiplan.phantoms import EllipsoidPhantom, ShellPhantom, SpherePhantom, TorusPhantom
from surgiplan.values import Mask

BODIES = [SpherePhantom, EllipsoidPhantom, TorusPhantom, ShellPhantom]


@pytest.mark.parametrize("kind", BODIES)
class TestEveryBody:
    def test_grey_values_sum_up_to_its_volume(self, kind):
        body = kind()
        volume = body.volume()
        found = volume.voxels.sum(dtype=float) / body.hu * volume.grid.voxel_mm3
        assert found == pytest.approx(body.volume_mm3, rel=5e-4)

    def test_ideal_mesh_has_its_volume_area_and_topology(self, kind):
        body = kind()
        mesh = body.mesh(1.0).mesh
        assert mesh.watertight
        assert mesh.volume_mm3 == pytest.approx(body.volume_mm3, rel=5e-3)
        assert mesh.area_mm2 == pytest.approx(body.area_mm2, rel=5e-3)
        assert mesh.euler_number == getattr(body, "euler_number", 2)
        assert np.abs(body.surface_distance(mesh.points)).max() < 1e-4

    def test_a_grey_surface_is_as_good_as_the_voxels_allow(self, kind):
        body = kind()
        volume = body.volume()
        mask = Mask(volume.grid, volume.voxels >= body.level_hu, body.level_hu)
        part = grey_surface(volume, mask)
        off = body.surface_distance(part.points_lps)
        assert np.sqrt((off**2).mean()) < 0.05
        assert np.abs(off).max() < 0.2


def test_axes_of_the_ellipsoid_are_its_principal_axes():
    body = EllipsoidPhantom()
    volume = body.volume()
    voxels = np.argwhere(volume.voxels > 0)
    weights = volume.voxels[tuple(voxels.T)].astype(float)
    values, vectors = np.linalg.eigh(np.cov(volume.grid.to_lps(voxels).T, aweights=weights))
    order = np.argsort(values)[::-1]
    turn = np.abs(np.sum(vectors[:, order] * body.axes, axis=0))
    assert np.degrees(np.arccos(np.clip(turn, -1, 1))).max() < 0.05
    # the variance along a half axis a is a^2 / 5
    assert np.allclose(np.sqrt(5 * values[order]), body.half_axes, rtol=2e-3)


def test_the_shell_is_as_thick_everywhere():
    body = ShellPhantom()
    way = np.random.default_rng(0).normal(size=(500, 3))
    way /= np.linalg.norm(way, axis=1)[:, None]
    inner = body.outer_radius_mm - body.thickness_mm
    for radius in (inner, body.outer_radius_mm):
        assert np.abs(body.surface_distance(np.asarray(body.centre) + radius * way)).max() < 1e-9
    middle = np.asarray(body.centre) + (inner + body.thickness_mm / 2) * way
    assert np.allclose(body.surface_distance(middle), -body.thickness_mm / 2)
