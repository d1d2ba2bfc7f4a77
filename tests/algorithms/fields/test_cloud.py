import numpy as np
import pytest

from surgiplan.algorithms.fields.cloud import STEP_MM, Cloud
from surgiplan.values import Mesh
from tests.algorithms.bodies import ball, box, bumpy, rod

BODIES = {
    "ball": ball(12, finer=5),
    "block": box((0, 0, 0), (30, 20, 1.3)),
    "rod": rod(3, 60),
    "bumpy": bumpy(),
}


@pytest.mark.parametrize("name", BODIES)
def test_groups_hold_all_places_within_their_radius(name: str) -> None:
    cloud = Cloud(BODIES[name])
    for level, (middles, radii) in enumerate(cloud.groups):
        row = number = np.arange(radii.size)
        for below in range(level, len(cloud.groups)):
            inner, number = cloud.opened(below, number)
            row = row[inner]
        assert np.array_equal(np.sort(number), np.arange(cloud.count))
        away = np.linalg.norm(cloud.places[:, number] - middles[:, row], axis=0)
        assert (away <= radii[row] + 1e-4).all()
        nearest = np.full(radii.size, np.inf)
        np.minimum.at(nearest, row, away)
        assert nearest.max() == 0  # a group is asked at one of its own places


@pytest.mark.parametrize("name", BODIES)
def test_no_place_of_a_surface_is_far_from_a_place(name: str) -> None:
    mesh: Mesh = BODIES[name]
    cloud = Cloud(mesh)
    corners = mesh.points.astype(float)[mesh.triangles]
    chance = np.random.default_rng(1)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    some = corners[chance.choice(len(corners), 500, p=area / area.sum())]
    points = np.einsum("ij,ijk->ik", chance.dirichlet((1, 1, 1), 500), some) - cloud.middle
    away = np.linalg.norm(points[:, :, None] - cloud.places[None], axis=1).min(axis=1)
    assert away.max() <= cloud.apart_mm
    assert away.max() <= 1.2 * STEP_MM
