import numpy as np
import pytest

from surgiplan.phantoms import Mandible
from surgiplan.phantoms.scanner import volume_of
from surgiplan.values import Pose

MANDIBLE = Mandible()


def test_the_body_has_the_volume_by_formula():
    assert volume_of(MANDIBLE.arch, 1.0) == pytest.approx(MANDIBLE.arch_volume_mm3, rel=5e-4)


def test_the_whole_bone_has_the_volume_found_on_other_grids():
    assert volume_of(MANDIBLE.surface, 0.8) == pytest.approx(MANDIBLE.outer_volume_mm3, rel=1e-4)
    assert MANDIBLE.outer_volume_mm3 > MANDIBLE.arch_volume_mm3 + 3000


def test_the_canal_is_as_deep_as_it_is_made_all_along():
    line = MANDIBLE.canal_line
    depth = -MANDIBLE.arch.distance(line) - MANDIBLE.canal_radius_mm
    assert depth == pytest.approx(np.full(len(line), MANDIBLE.canal_to_lingual_mm), abs=1e-9)
    assert MANDIBLE.canal_to_lingual_mm == 4.0
    assert MANDIBLE.canal_to_buccal_mm == 6.0


@pytest.mark.parametrize(("inwards", "truth"), [(True, "canal_to_lingual_mm"), (False, "canal_to_buccal_mm")])
def test_straight_to_either_side_the_bone_ends_where_it_should(inwards, truth):
    own = MANDIBLE.pose.inverse.apply(MANDIBLE.canal_line)[:50]  # in the bow, where outwards is radial
    out = own * (1, 1, 0) / np.linalg.norm(own[:, :2], axis=1)[:, None] * (-1 if inwards else 1)
    far = MANDIBLE.canal_radius_mm + getattr(MANDIBLE, truth)
    assert np.abs(MANDIBLE.arch.distance(MANDIBLE.pose.apply(own + far * out))).max() < 1e-9


def test_the_canal_is_a_tube_about_its_line():
    line = MANDIBLE.canal_line
    assert MANDIBLE.canal.field(line[1:]).max() < -0.2
    assert MANDIBLE.canal.field(line[5:-1]) == pytest.approx(np.full(len(line) - 6, -1.5), abs=1e-9)
    before = line[0] - (line[1] - line[0])
    assert MANDIBLE.canal.field(before) > 0
    points = MANDIBLE.pose.apply(np.random.default_rng(0).uniform((-40, -40, -20), (40, 50, 20), (40_000, 3)))
    inside = points[MANDIBLE.canal.field(points) < 0]
    assert len(inside) > 20
    assert np.linalg.norm(inside[:, None] - line, axis=2).min(axis=1).max() < 1.5 + 0.1
    assert MANDIBLE.pose.inverse.apply(inside)[:, 0].max() < 0  # the right side only


def test_landmarks_lie_on_the_surface():
    assert np.abs(MANDIBLE.surface_distance(list(MANDIBLE.landmarks.values()))).max() < 1e-9
    assert MANDIBLE.landmarks["right_condyle"][0] < MANDIBLE.landmarks["left_condyle"][0]


def test_truth_moves_with_it():
    moved = Mandible(pose=Pose.of_rotation((1, 5, 2), 77))
    assert moved.surface_distance(moved.canal_line[3]) == pytest.approx(
        MANDIBLE.surface_distance(MANDIBLE.canal_line[3]), abs=1e-9
    )


def test_the_canal_shows_in_a_scan():
    volume = MANDIBLE.volume()
    middle = volume.grid.nearest(MANDIBLE.canal_line[80])
    assert volume.voxels[middle] == MANDIBLE.canal_hu
