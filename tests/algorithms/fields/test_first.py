import numpy as np
import pytest

from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.fields.cloud import Cloud
from surgiplan.algorithms.fields.first import first_distances, within
from surgiplan.values import FloatArray, Mesh
from tests.algorithms.bodies import ball, box, bumpy, rod

INNER = ball(12)
BODIES = {
    "ball": ball(20, finer=5),
    "shell": Mesh(
        np.concatenate([ball(20).points, INNER.points]),
        np.concatenate([ball(20).triangles, INNER.triangles[:, ::-1] + len(ball(20).points)]),
    ),
    "block whose corners and faces lie on nodes": box((-8, -12, -4), (8, 12, 4)),
    "rod of long slivers": rod(5, 40),
    "bumpy": bumpy(),
}
SHAPE, STEP = (15, 15, 17), 4.0
ORIGIN = np.array([-28.0, -28.0, -32.0])


def nodes() -> FloatArray:
    index = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), axis=-1).reshape(-1, 3)
    placed: FloatArray = ORIGIN + STEP * index
    return placed


@pytest.mark.parametrize("name", BODIES)
def test_inside_and_outside_are_told_apart(name: str) -> None:
    truth = SignedDistance(BODIES[name]).at(nodes())
    inside = within(BODIES[name], ORIGIN, SHAPE, STEP).ravel()
    sure = np.abs(truth) > 1e-3
    assert (inside == (truth < 0))[sure].all()
    assert inside.sum() > 20


@pytest.mark.parametrize("name", BODIES)
def test_first_distances_are_within_their_bound(name: str) -> None:
    mesh = BODIES[name]
    truth = SignedDistance(mesh).at(nodes())
    found, unsure = first_distances(mesh, Cloud(mesh), ORIGIN, SHAPE, STEP)
    error = np.abs(np.abs(found.ravel()) - np.abs(truth))
    assert error.max() <= unsure
    assert error.mean() <= 0.1
