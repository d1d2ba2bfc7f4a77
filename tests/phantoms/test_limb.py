from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.phantoms import Limb, rectified
from surgiplan.phantoms.scanner import volume_of
from surgiplan.values import Mesh

LIMB = Limb()


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return LIMB.mesh(2.0).mesh


def disc_sum(limb: Limb, height: float) -> float:
    """Volume up to a height by adding up thin slices, each a polygon of 720 corners."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    z = (nodes + 1) / 2 * height
    phi = 2 * np.pi * np.arange(720) / 720
    radius = limb.skin.radius(*np.meshgrid(z, phi, indexing="ij"))
    area = (radius * np.roll(radius, 1, axis=1)).sum(axis=1) * np.sin(2 * np.pi / 720) / 2
    return float((weights * area).sum() * height / 2)


@pytest.mark.parametrize("height", [10.0, 38.0, 90.0, 165.0])
def test_volume_by_formula_is_the_sum_of_slices(height):
    assert LIMB.volume_below_mm3(height) == pytest.approx(disc_sum(LIMB, height), rel=3e-5)


def test_volume_of_the_voxels_is_the_volume_by_formula():
    class Whole(type(LIMB.surface)):
        @property
        def box(self):
            return LIMB.scan_box

    assert volume_of(Whole(LIMB.surface.parts), 2.0) == pytest.approx(LIMB.volume_mm3, rel=5e-4)


def test_volume_of_a_mesh_is_the_volume_by_formula(mesh):
    assert mesh.watertight
    assert mesh.volume_mm3 == pytest.approx(LIMB.volume_mm3, rel=2e-3)


@pytest.mark.parametrize("height", [20.0, 60.0, 140.0])
def test_circumference_is_the_length_of_a_fine_polygon(height):
    phi = 2 * np.pi * np.arange(20_001) / 20_000
    radius = LIMB.skin.radius(np.full_like(phi, height), phi)
    corners = radius[:, None] * np.stack([np.cos(phi), np.sin(phi)], axis=1)
    length = np.linalg.norm(np.diff(corners, axis=0), axis=1).sum()
    assert LIMB.circumference_mm(height) == pytest.approx(length, rel=1e-7)


@settings(max_examples=50, deadline=None)
@given(z=st.floats(2.0, 155.0), phi=st.floats(-3.1, 3.1))
def test_points_by_formula_lie_on_the_skin(z, phi):
    radius = LIMB.skin.radius(np.array([z]), np.array([phi]))[0]
    skin = LIMB.pose.apply((radius * np.cos(phi), radius * np.sin(phi), z))
    assert abs(float(LIMB.surface.field(skin))) < 1e-9
    assert abs(float(LIMB.surface_distance(skin))) < 1e-6
    height, angle, away = LIMB.cylindrical(skin[None])
    assert (height[0], angle[0], away[0]) == pytest.approx((z, phi, radius), abs=1e-9)


def test_one_percent_more_radius_is_2_01_percent_more_volume(mesh):
    wider = LIMB.displaced(mesh, lambda z, phi: 0.01 * LIMB.skin.radius(z, phi))
    assert wider.volume_mm3 / mesh.volume_mm3 == pytest.approx(1.0201, abs=2e-5)
    truth = LIMB.socket_truth(lambda z, phi: 0.01 * LIMB.skin.radius(z, phi), 0.0, 165.0)
    assert truth.volume_mm3 / LIMB.volume_mm3 == pytest.approx(0.0201, abs=1e-5)


def test_an_even_socket_has_its_offset_as_mean_and_no_spread():
    truth = LIMB.socket_truth(lambda z, phi: np.full_like(z, 1.5), 40.0, 150.0)
    assert truth.mean_mm == pytest.approx(1.5)
    assert truth.iqr_mm == pytest.approx(0.0, abs=1e-9)


def test_a_tilting_socket_has_the_spread_of_a_ramp():
    truth = LIMB.socket_truth(lambda z, phi: (z - 95.0) / 55.0, 40.0, 150.0)
    assert truth.mean_mm == pytest.approx(0.0, abs=1e-9)
    assert truth.iqr_mm == pytest.approx(1.0, abs=2e-3)


def test_a_plausible_socket_found_again_from_its_points(mesh):
    socket = LIMB.displaced(mesh, rectified)
    z, phi, away = LIMB.cylindrical(socket.points)
    judged = (z > 60.0) & (z < 150.0)
    gap = away[judged] - LIMB.skin.radius(z[judged], phi[judged])
    assert np.abs(gap - rectified(z[judged], phi[judged])).max() < 1e-3
    truth = LIMB.socket_truth(rectified, 60.0, 150.0)
    assert gap.min() == pytest.approx(-4.0, abs=0.1)
    assert gap.max() == pytest.approx(4.0, abs=0.1)
    assert gap.mean() == pytest.approx(truth.mean_mm, abs=0.05)
    assert np.subtract(*np.percentile(gap, [75, 25])) == pytest.approx(truth.iqr_mm, abs=0.05)


def test_dents_lie_in_front_and_at_the_fibula():
    press = LIMB.pose.rotation @ (np.cos(np.radians(-90)), np.sin(np.radians(-90)), 0)
    assert press[1] < -0.9  # to anterior
    free = LIMB.pose.rotation @ (np.cos(np.radians(150)), np.sin(np.radians(150)), 0)
    assert free[0] < -0.8  # to the right: lateral on a right leg


def test_bones_lie_inside_the_muscle_and_the_muscle_inside_the_fat():
    bodies = [shape for shape, _ in LIMB.materials]
    skin, muscle, tibia, fibula, marrow = bodies
    rng = np.random.default_rng(0)
    low, high = LIMB.scan_box
    points = rng.uniform(low, high, (60_000, 3))
    inside = [body.field(points) < 0 for body in (skin, muscle, tibia | fibula, marrow)]
    for outer, inner in pairwise(inside):
        assert inner.sum() > 20
        assert not (inner & ~outer).any()
    assert not ((tibia.field(points) < 0) & (fibula.field(points) < 0)).any()
