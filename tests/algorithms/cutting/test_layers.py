"""What lies between parallel planes: what numpy finds in several passes."""

import numpy as np
import pytest

from surgiplan.algorithms.cutting.layers import USED, layers_of, put_together, sorted_triangles
from surgiplan.values import IDENTITY, Mesh, Part, Plane, Pose
from tests.algorithms.bodies import SCANNER, bumpy

PLANE = Plane((1, -2, 3), (0.3, 0.2, -1))
HEIGHTS = (4.0, 0.5, -2.0)


@pytest.mark.parametrize("pose", [IDENTITY, SCANNER])
def test_points_are_sorted_by_how_far_they_lie_above_a_plane(pose: Pose) -> None:
    bone, plane = Part(bumpy(), pose), PLANE.moved(pose)
    away = plane.distance(bone.points_lps)
    found = layers_of(bone, plane, HEIGHTS)
    assert np.array_equal(found.points, sum(away > height for height in HEIGHTS))
    assert (found.low_mm, found.high_mm) == pytest.approx((away.min(), away.max()), abs=1e-11)
    rows = np.arange(0, len(away), 7)
    assert found.above(bone.mesh, rows) == pytest.approx(away[rows], abs=1e-11)


def test_triangles_lie_wholly_in_a_layer_or_are_crossed() -> None:
    shape = bumpy()
    mesh = Mesh(np.concatenate([shape.points, [(0, 0, 0)]]), shape.triangles)  # a point that nothing uses
    layers = layers_of(Part(mesh), PLANE, HEIGHTS).points
    corners = layers[mesh.triangles].astype(int)
    whole = (corners == corners[:, :1]).all(axis=1)
    counts, crossed = sorted_triangles(mesh.triangles, layers, 4)
    assert np.array_equal(crossed, np.flatnonzero(~whole))
    assert np.array_equal(counts, np.bincount(corners[whole, 0], minlength=4))
    assert (layers[:-1] >= USED).all()
    assert layers[-1] < USED


def test_a_body_that_no_plane_crosses_is_written_as_it_was() -> None:
    mesh = bumpy()
    layers = layers_of(Part(mesh), Plane((0, 0, -99), (0, 0, 1)), (0.0,)).points
    counts, _ = sorted_triangles(mesh.triangles, layers, 2)
    nothing, none = np.zeros((0, 3), np.int32), np.zeros(0, np.intp)
    seam = np.zeros((0, 3), np.float32)
    (below, _), (above, volume) = put_together(mesh, layers, counts, none, seam, [nothing, nothing])
    assert above.digest == mesh.digest
    assert volume == pytest.approx(mesh.volume_mm3, rel=1e-12)
    assert not len(below.points)
