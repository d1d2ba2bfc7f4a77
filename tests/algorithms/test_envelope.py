"""What is said to lie within a distance does so everywhere, between the corners too."""

import numpy as np
import pytest

from surgiplan.algorithms.change import farthest
from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.envelope import not_within
from surgiplan.errors import Cancelled
from surgiplan.phantoms import SpherePhantom
from surgiplan.values import Mesh
from tests.ops.shapes import CENTRE, ball, beside, box, joined


def places_in(corners: np.ndarray, each: int, seed: int = 0) -> np.ndarray:
    """(m, each, 3) places all over triangles (m, 3, 3), their corners among them."""
    share = np.random.default_rng(seed).dirichlet(np.full(3, 0.7), (len(corners), each))
    share[:, :3] = np.eye(3)
    return np.einsum("mei,mij->mej", share, corners)


@pytest.mark.parametrize(("one", "other"), [(12.0, 12.3), (12.3, 12.0)])
def test_a_ball_lies_within_the_difference_of_the_radii_and_no_nearer(one, other) -> None:
    one, other = ball(one, rings=80).mesh, SignedDistance(ball(other, rings=80).mesh)
    assert not not_within(one, other, 0.303).any()
    assert not_within(one, other, 0.297).all()


def quartered(mesh: Mesh, times: int) -> Mesh:
    """The same surface with each triangle as four, again and again."""
    corners = mesh.points[mesh.triangles]
    for _ in range(times):
        a, b, c = corners.transpose(1, 0, 2)
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        four = (a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)
        corners = np.concatenate([np.stack(one, axis=1) for one in four])
    points, number = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    return Mesh(points, number.reshape(-1, 3).astype(np.int32))


@pytest.mark.parametrize("depth", [0.4, -0.4])
def test_a_pit_or_a_bump_in_the_middle_of_a_large_triangle_is_seen(depth) -> None:
    """All corners of the box lie on the other surface; in between that goes another way."""
    plain, fine = box().mesh, quartered(box().mesh, 5)
    top = fine.points[:, 2].max()
    middle = np.argmin(np.square(fine.points - (4.0, 2.0, top)).sum(axis=1))
    points = fine.points.copy()
    points[middle, 2] += depth
    surface = SignedDistance(Mesh(points, fine.triangles))
    assert np.abs(surface.at(plain.points)).max() == 0
    assert not not_within(plain, surface, 0.41).any()
    flagged = plain.points[plain.triangles[not_within(plain, surface, 0.3)]]
    assert 1 <= len(flagged) <= 2
    assert (flagged[:, :, 2] == top).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("within", [0.15, 0.3, 0.6])
def test_what_is_proven_is_so_at_every_place(seed, within) -> None:
    """A ball, and another with corners moved by chance, so that it is nearer here and farther there."""
    rng = np.random.default_rng(seed)
    even, rough = (SpherePhantom(radius_mm=12.0).mesh(step).mesh for step in (1.4, 1.9))
    rough = Mesh(rough.points + rng.normal(0, 0.12, rough.points.shape), rough.triangles)
    for one, other in ((even, rough), (rough, even)):
        surface = SignedDistance(other)
        corners = one.points.astype(np.float64)[one.triangles]
        away = np.abs(surface.at(places_in(corners, 40).reshape(-1, 3))).reshape(len(corners), -1)
        proven = ~not_within(one, surface, within)
        assert (away[proven] <= within).all()
        assert proven.mean() > (0.9 if within >= 0.6 else 0.2)
        if within > 1.1 * farthest(even, rough):
            assert proven.all()


def test_a_surface_turned_inside_out_is_never_proven() -> None:
    """Its copies lie on the wrong sides."""
    plain = ball().mesh
    turned = Mesh(plain.points, np.ascontiguousarray(plain.triangles[:, ::-1]))
    assert not not_within(plain, SignedDistance(plain), 0.1).any()
    assert not_within(turned, SignedDistance(plain), 0.1).all()


def test_a_second_body_far_away_is_not_within_the_first() -> None:
    one, two = ball(), joined(ball(), ball(2.0, beside(CENTRE, 20, 0, 0)))
    surface = SignedDistance(one.mesh)
    assert not not_within(one.mesh, SignedDistance(two.mesh), 0.1).any()
    flagged = not_within(two.mesh, surface, 0.1)
    assert flagged[len(one.mesh.triangles) :].all()


def test_a_stop_is_heard() -> None:
    def stop(share: float, text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        not_within(ball().mesh, SignedDistance(ball(12.1).mesh), 0.2, stop)
