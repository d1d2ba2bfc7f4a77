import numpy as np
import pytest

from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.fields.field import BAND_MM, DistanceField, Fields
from surgiplan.algorithms.fields.lattice import ERROR_MM
from surgiplan.algorithms.nearest import NearestTriangles
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.values import FloatArray, Mesh
from tests.algorithms.bodies import ball, box, bumpy, rod

BODIES = {
    "ball": ball(12, finer=5),
    "small ball": ball(1.5, finer=4),
    "thin plate": box((0, 0, 0), (30, 20, 1.3)),
    "bumpy": bumpy(),
    "rod of long slivers": rod(3, 60),
}


def all_round(mesh: Mesh, count: int = 20_000) -> FloatArray:
    low, high = mesh.bounds
    return np.random.default_rng(1).uniform(low - 3, high + 3, (count, 3))


@pytest.mark.parametrize("name", BODIES)
def test_distances_near_the_surface_are_right(name: str) -> None:
    mesh = BODIES[name]
    points = all_round(mesh)
    truth = SignedDistance(mesh).at(points)
    field = DistanceField(mesh).refine()
    error = np.abs(field.at(points) - truth)
    near = np.abs(truth) <= BAND_MM
    assert near.sum() > 3000
    assert error[near].max() <= ERROR_MM
    assert error[near].mean() <= 0.01
    assert (np.sign(field.at(points)) == np.sign(truth))[np.abs(truth) > ERROR_MM].all()


def until_bricks(field: DistanceField) -> None:
    """Leave the field at its lattice of 2 mm."""

    def stop(fraction: float, text: str) -> None:
        if np.isfinite(field.at_most(np.zeros((1, 3)))).all():
            raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        field.refine(stop)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("stage", ["first", "lattice", "finished"])
def test_no_error_exceeds_its_bound(name: str, stage: str) -> None:
    mesh = BODIES[name]
    points = all_round(mesh)
    field = DistanceField(mesh)
    if stage == "lattice":
        until_bricks(field)
    elif stage == "finished":
        field.refine()
    found, slack = field.sampled(field.to_cells(points))
    assert (np.abs(found - SignedDistance(mesh).at(points)) <= slack + 1e-3).all()
    assert (slack.min() > 1) == (stage == "first")


@pytest.mark.parametrize("name", BODIES)
def test_no_place_is_farther_than_the_nodes_round_it_say(name: str) -> None:
    mesh = BODIES[name]
    points = all_round(mesh, 4000)
    field = DistanceField(mesh)
    assert np.isinf(field.at_most(points)).all()
    bound, truth = field.refine().at_most(points), np.abs(SignedDistance(mesh).at(points))
    assert (bound >= truth - 1e-5).all()
    assert (bound - truth).mean() <= 0.1


def test_the_first_answer_is_a_millimetre_right() -> None:
    mesh = bumpy(30)
    points = all_round(mesh)
    truth = SignedDistance(mesh).at(points)
    near = np.abs(truth) <= BAND_MM
    first = DistanceField(mesh)
    assert not first.finished
    assert np.abs(first.at(points) - truth)[near].mean() <= 0.2
    assert np.abs(first.at(points) - truth)[near].max() <= 1.0


def test_a_hollow_is_outside() -> None:
    outer, inner = ball(20), ball(10)
    shell = Mesh(
        np.concatenate([outer.points, inner.points]),
        np.concatenate([outer.triangles, inner.triangles[:, ::-1] + len(outer.points)]),
    )
    field = DistanceField(shell).refine()
    assert np.allclose(field.at([[0, 0, 0], [8.5, 0, 0], [0, 11.5, 0]]), [10, 1.5, -1.5], atol=0.1)


def test_beyond_the_lattice_the_distance_is_never_too_large() -> None:
    mesh = bumpy()
    points = np.random.default_rng(3).normal(size=(2000, 3)) * 150
    truth = SignedDistance(mesh).at(points)
    outside = truth > 0
    field = DistanceField(mesh).refine()
    found, slack = field.sampled(field.to_cells(points))
    assert (np.abs(found - truth) <= slack + 1e-3).all()
    assert (found - truth <= 0.2)[outside & (truth > 30)].all()
    assert (found > 0.5 * truth)[outside].all()


def test_gradients_point_away_from_the_nearest_place() -> None:
    field = DistanceField(ball(12, finer=5)).refine()
    points = np.random.default_rng(2).normal(size=(500, 3))
    points *= np.random.default_rng(4).uniform(6, 18, (500, 1)) / np.linalg.norm(
        points, axis=1, keepdims=True
    )
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert np.einsum("ij,ij->i", field.gradient_at(points), unit).min() > 0.995
    corner = ball(12, finer=5).points[:1]
    assert field.gradient_at(corner)[0] @ corner[0] / 12 > 0.99


def test_the_nearest_triangles_are_found_on_slivers_and_large_ones() -> None:
    for name, mesh in BODIES.items():
        points = all_round(mesh, 3000)
        exact = SignedDistance(mesh)
        truth = np.abs(exact.at(points))
        found = np.abs(exact.beside(points, NearestTriangles(exact.corners).of(points))[0])
        assert (found - truth)[truth < 4].max() <= 0.02, name
        assert (found - truth).max() <= 0.5, name


def test_a_stop_leaves_the_field_as_it_was() -> None:
    field = DistanceField(bumpy())

    def stop(fraction: float, text: str) -> None:
        raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        field.refine(stop)
    assert not field.finished
    assert field.refine().finished


def test_a_body_without_a_surface_has_no_field() -> None:
    with pytest.raises(StepFailed, match="no surface"):
        DistanceField(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]])))


def test_fields_are_made_once_and_the_oldest_go_first() -> None:
    one, other, third = ball(5), ball(6), ball(7)
    fields = Fields()
    made = fields.of(one)
    assert fields.of(Mesh(one.points.copy(), one.triangles.copy())) is made
    assert fields.known(other) is None
    small = Fields(most_megabytes=2.5 * made.megabytes)
    for mesh in (one, other, one, third):
        small.of(mesh)
    assert small.known(other) is None
    assert small.known(one) is not None
    assert small.known(third) is not None


def test_a_field_is_asked_while_it_is_refined() -> None:
    field = DistanceField(bumpy())
    asked = []

    def ask(fraction: float, text: str) -> None:
        asked.append(float(field.at([[0, 0, 0]])[0]))

    field.refine(ask)
    assert len(asked) > 2
    assert max(asked) < -10
