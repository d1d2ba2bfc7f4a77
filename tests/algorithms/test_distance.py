import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.triangles import between_triangles, closest_on_triangles
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.values import IDENTITY, Mesh

from .bodies import SCANNER, ball, box, bumpy, part, rod


def judge(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """What VTK's own implicit distance says, point by point."""
    corners, cells, surface = vtkPoints(), vtkCellArray(), vtkPolyData()
    corners.SetData(numpy_to_vtk(mesh.points.astype(np.float64), deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(mesh.triangles.astype(np.int64).ravel(), deep=True))
    surface.SetPoints(corners)
    surface.SetPolys(cells)
    implicit = vtkImplicitPolyDataDistance()
    implicit.SetInput(surface)
    return np.array([implicit.EvaluateFunction(*point) for point in points])


def sampled(corners: np.ndarray, steps: int = 60) -> np.ndarray:
    """Many points of one triangle."""
    u, v = np.meshgrid(np.linspace(0, 1, steps), np.linspace(0, 1, steps))
    u, v = u[u + v <= 1], v[u + v <= 1]
    return corners[0] + np.outer(u, corners[1] - corners[0]) + np.outer(v, corners[2] - corners[0])


# --- a box, whose distance is known everywhere


def box_distance(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    outside = np.maximum(np.maximum(low - points, points - high), 0)
    inside = np.minimum((points - low).min(axis=1), (high - points).min(axis=1))
    return np.where(outside.any(axis=1), np.linalg.norm(outside, axis=1), -inside)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_box_near_its_faces_edges_and_corners(seed):
    low, high = np.array([-1.0, 2.0, 5.0]), np.array([3.0, 12.0, 7.5])
    points = np.random.default_rng(seed).uniform(low - 4, high + 4, (200, 3))
    expected = box_distance(points, low, high)
    assert np.abs(SignedDistance(box(low, high)).at(points) - expected).max() < 1e-12


def test_corners_edges_and_faces_themselves():
    surface = SignedDistance(box((0, 0, 0), (2, 2, 2)))
    on = np.array([[0, 0, 0], [2, 2, 2], [1, 0, 0], [1, 1, 0], [2, 1, 1]], float)
    assert np.abs(surface.at(on)).max() == 0
    outward = np.array([[-1, -1, -1], [3, 3, 3], [1, -1, -1], [1, 1, -1], [3, 1, 1]], float)
    assert np.allclose(surface.at(outward), np.linalg.norm(outward - on, axis=1))
    assert np.allclose(surface.nearest(outward), on)


# --- other judges


@pytest.mark.parametrize("place", [IDENTITY, SCANNER])
@pytest.mark.parametrize(
    "mesh", [bumpy(finer=3), rod(3, 40), box((0, 0, 0), (1, 20, 5))], ids=["bumpy", "rod", "box"]
)
def test_agrees_with_vtk_in_size_and_sign(mesh, place):
    placed = part(mesh, place).placed()
    chance = np.random.default_rng(3)
    low, high = placed.bounds
    points = np.concatenate(
        [
            chance.uniform(low - 5, high + 5, (400, 3)),
            placed.points[chance.integers(0, len(placed.points), 400)] + chance.normal(0, 0.3, (400, 3)),
            chance.uniform(low - 300, high + 300, (50, 3)),
        ]
    )
    ours, theirs = SignedDistance(placed).at(points), judge(placed, points)
    assert np.abs(np.abs(ours) - np.abs(theirs)).max() < 1e-9
    clear = np.abs(ours) > 1e-6
    assert (np.sign(ours) == np.sign(theirs))[clear].all()


def test_a_ball():
    radius = 12.0
    points = np.random.default_rng(0).normal(0, 8, (500, 3))
    distances = SignedDistance(ball(radius, finer=5)).at(points)
    assert np.abs(distances - (np.linalg.norm(points, axis=1) - radius)).max() < 0.005


def test_a_hollow_body_has_an_inside_and_a_hole():
    outer, inner = box((0, 0, 0), (10, 10, 10)), box((3, 3, 3), (7, 7, 7))
    hollow = Mesh(
        np.concatenate([outer.points, inner.points]),
        np.concatenate([outer.triangles, inner.triangles[:, ::-1] + len(outer.points)]),
    )
    signed = SignedDistance(hollow).at([[5, 5, 5], [1, 5, 5], [-2, 5, 5], [2.5, 5, 5]])
    assert np.allclose(signed, [2, -1, 2, -0.5])


def test_triangles_that_do_not_share_their_points_are_neighbours_all_the_same():
    mesh = bumpy(finer=3)
    loose = Mesh(
        mesh.points[mesh.triangles].reshape(-1, 3), np.arange(3 * len(mesh.triangles)).reshape(-1, 3)
    )
    points = np.random.default_rng(5).normal(0, 15, (500, 3))
    assert np.array_equal(SignedDistance(loose).at(points), SignedDistance(mesh).at(points))


def test_the_sign_near_an_open_surface_is_the_side_it_faces():
    sheet = Mesh(np.array([[0, 0, 0], [10, 0, 0], [0, 10, 0]], np.float32), np.array([[0, 1, 2]]))
    assert np.allclose(SignedDistance(sheet).at([[2, 2, 3], [2, 2, -3]]), [3, -3])


def test_triangles_without_an_area_do_no_harm():
    mesh = box((0, 0, 0), (10, 10, 10))
    spiked = Mesh(mesh.points, np.concatenate([mesh.triangles, [[0, 0, 1], [2, 2, 2]]]))
    assert np.allclose(SignedDistance(spiked).at([[5, 5, 8], [5, 5, 12]]), [-2, 2])
    with pytest.raises(StepFailed, match="no triangle with an area"):
        SignedDistance(Mesh(mesh.points, np.array([[0, 0, 1]])))


@pytest.mark.parametrize("points", [[[math.nan, 0, 0]], [[math.inf, 0, 0]]])
def test_a_place_is_finite(points):
    with pytest.raises(ValueError, match="finite"):
        SignedDistance(box((0, 0, 0), (1, 1, 1))).at(points)


def test_no_points_have_no_distances():
    surface = SignedDistance(box((0, 0, 0), (1, 1, 1)))
    assert surface.at(np.zeros((0, 3))).shape == (0,)
    assert surface.nearest(np.zeros((0, 3))).shape == (0, 3)


# --- triangles


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), flat=st.sampled_from([1.0, 1e-3]))
def test_the_nearest_place_on_a_triangle(seed, flat):
    chance = np.random.default_rng(seed)
    corners = chance.normal(size=(3, 3)) * [1, flat, 1]
    point = chance.normal(size=3) * 2
    place, feature = closest_on_triangles(point[None], corners[None])
    best = np.linalg.norm(sampled(corners) - point, axis=1).min()
    found = np.linalg.norm(place[0] - point)
    assert found <= best + 1e-12
    assert found >= best - 0.1
    weights = np.linalg.lstsq(np.vstack([corners.T, np.ones(3)]), np.append(place[0], 1), rcond=None)[0]
    assert weights.min() > -1e-6
    assert (
        int(np.count_nonzero(weights > 1e-9)) <= {0: 1, 1: 1, 2: 1, 3: 2, 4: 2, 5: 2, 6: 3}[int(feature[0])]
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_distance_of_two_triangles(seed):
    chance = np.random.default_rng(seed)
    one, other = chance.normal(size=(3, 3)), chance.normal((0, 0, 4), size=(3, 3))
    apart, place = between_triangles(one[None], other[None])
    cloud = sampled(other, 40)
    from_one, _ = closest_on_triangles(cloud, np.repeat(one[None], len(cloud), axis=0))
    best = np.linalg.norm(cloud - from_one, axis=1).min()
    assert apart[0] <= best + 1e-12
    assert apart[0] >= best - 0.15
    on_other, _ = closest_on_triangles(place, other[None])
    assert np.linalg.norm(on_other[0] - place[0]) == pytest.approx(apart[0], abs=1e-9)


def test_crossed_edges_are_nearest_between_their_ends():
    one = np.array([[[-1, 0, 0], [1, 0, 0], [0, 0, -1]]], float)
    other = np.array([[[0, -1, 0.25], [0, 1, 0.25], [0, 0, 2]]], float)
    apart, place = between_triangles(one, other)
    assert apart[0] == pytest.approx(0.25, abs=1e-15)
    assert np.allclose(place, 0)


# --- manners


def test_a_stop_is_heard():
    """However slow the machine: nothing is reported any more, and the work was not done yet."""
    asked = []

    def stop(fraction: float, text: str) -> None:
        asked.append(fraction)
        if fraction > 0:  # a slow first batch reports more than once that nothing is done
            raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        SignedDistance(bumpy()).at(np.full((200_000, 3), 9.0), stop)
    assert not any(asked[:-1])
    assert 0 < asked[-1] < 1


def test_reports_come_often_even_where_the_search_is_slow():
    """At the centre of a ball every triangle is equally near."""
    moments = [time.perf_counter()]
    SignedDistance(ball(20, finer=5)).at(
        np.random.default_rng(0).normal(0, 0.01, (100, 3)), lambda _f, _t: moments.append(time.perf_counter())
    )
    assert max(np.diff(moments)) < 0.8


@pytest.mark.parametrize("offset", [(0.0, 3e-7), (3e-7, 0.0), (0.0, -3e-7), (-3e-7, 0.0), (0.0, 0.0)])
def test_a_sliver_on_a_sharp_edge_does_not_turn_the_sign(offset: tuple[float, float]) -> None:
    """A point on an edge of a box, off by less than the rounding, makes a triangle that may face any way."""
    corners = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32)
    middle = np.array([[1 + offset[0], 0.5, 1 + offset[1]]], np.float32)
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4))
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    triangles += [(5, 8, 1), (8, 7, 1), (7, 3, 1), (5, 7, 8)]  # top, with edge 5-7 broken at 8; the sliver
    box = Mesh(np.vstack([corners, middle]), np.array(triangles))
    assert box.watertight
    away = np.array([[1.2, 0.5, 1.3], [1.5, 0.5, 1.0], [1.0, 0.5, 1.5], [1.3, 0.52, 1.2]])
    assert (SignedDistance(box).at(away) > 0).all()
    assert (SignedDistance(box).at([[0.8, 0.5, 0.9], [0.95, 0.45, 0.8]]) < 0).all()


def test_slivers_alone_are_no_surface() -> None:
    needle = Mesh(np.array([[0, 0, 0], [9, 0, 0], [18, 0, 0]], np.float32), np.array([[0, 1, 2]]))
    with pytest.raises(StepFailed, match="no triangle with an area"):
        SignedDistance(needle)
