"""Places lie on the surface, evenly by area, and the same every time."""

import numpy as np
import pytest

from surgiplan.algorithms.spread import Sample, areas, cover, percentile, spread
from surgiplan.values import Mesh

# two triangles in the plane z = 2: one of 4 mm², one of 1 mm², and one without an area
CORNERS = np.array(
    [
        [[0, 0, 2], [4, 0, 2], [0, 2, 2]],
        [[9, 9, 9], [9, 9, 9], [9, 9, 9]],
        [[0, 0, 2], [-1, 0, 2], [0, -2, 2]],
    ],
    float,
)


def test_places_are_shared_out_by_area() -> None:
    places, triangle = spread(CORNERS, 1000)
    assert np.bincount(triangle, minlength=3).tolist() == [800, 0, 200]
    assert (places[:, 2] == 2).all()
    assert places[triangle == 0].mean(axis=0) == pytest.approx(CORNERS[0].mean(axis=0), abs=0.02)
    inside = places[triangle == 0] @ (0.25, 0.5, 0)
    assert (inside <= 1).all()
    assert (places[triangle == 0][:, :2] >= 0).all()


def test_every_quarter_of_a_triangle_gets_its_share() -> None:
    places, _ = spread(CORNERS[:1], 4000)
    left = places[:, 0] / 4 + places[:, 1] / 2 < 0.5  # a quarter of the area lies before the middle line
    assert left.mean() == pytest.approx(0.25, abs=0.01)


def test_nothing_is_left_to_chance() -> None:
    assert np.array_equal(spread(CORNERS, 50)[0], spread(CORNERS, 50)[0])


def test_no_area_no_places() -> None:
    assert spread(CORNERS[1:2], 10)[0].shape == (0, 3)
    assert spread(np.zeros((0, 3, 3)), 10)[0].shape == (0, 3)
    empty = Sample(Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32)))
    assert [one.shape for one in empty.spread(10)] == [(0, 3), (0, 3)]


def test_a_sample_of_a_surface_gives_the_same_places_and_the_way_outwards() -> None:
    points = CORNERS.reshape(-1, 3).astype(np.float32)
    sample = Sample(Mesh(points, np.arange(9).reshape(3, 3)))
    places, outward = sample.spread(1000)
    assert np.array_equal(places, spread(CORNERS, 1000)[0])
    assert outward == pytest.approx(np.tile((0, 0, 1), (1000, 1)))


def test_of_very_many_triangles_every_so_many_is_sampled() -> None:
    corners = np.tile(CORNERS[:1], (250_000, 1, 1)) + np.arange(250_000)[:, None, None]
    mesh = Mesh(corners.reshape(-1, 3), np.arange(750_000).reshape(-1, 3))
    places, outward = Sample(mesh).spread(500)
    height = places[:, 2] - 2
    assert (height % 3 == 0).all()
    assert height == pytest.approx(np.linspace(0, 249_999, 500), abs=1000)
    assert outward == pytest.approx(np.tile((0, 0, 1), (500, 1)))


def test_every_triangle_is_covered_and_weighs_its_area() -> None:
    places, share = cover(CORNERS, 0.5, 10_000)
    assert len(places) == 16 + 1 + 4
    assert share.sum() == pytest.approx(1)
    assert share[:16] == pytest.approx(0.8 / 16)
    assert share[16] == 0
    alone, whole = cover(CORNERS[:1], 5, 10)
    assert alone[0] == pytest.approx(CORNERS[0].mean(axis=0))
    assert whole.tolist() == [1]


def test_a_surface_that_needs_too_many_places_gets_as_many_as_are_allowed() -> None:
    places, share = cover(CORNERS, 0.01, 200)
    assert len(places) == 200
    assert share == pytest.approx(1 / 200)


def test_a_sum_over_the_places_is_an_integral() -> None:
    """The mean of x over the larger triangle is 4/3, of x * x 8/3."""
    places, share = cover(CORNERS[:1], 0.05, 100_000)
    assert share @ places[:, 0] == pytest.approx(4 / 3, abs=0.01)
    assert share @ places[:, 0] ** 2 == pytest.approx(8 / 3, abs=0.03)


def test_areas_and_percentiles() -> None:
    assert areas(CORNERS) == pytest.approx([4, 0, 1])
    values, share = np.array([3.0, 1.0, 2.0]), np.array([0.1, 0.6, 0.3])
    assert [percentile(values, share, wanted) for wanted in (0.5, 0.85, 0.95, 1)] == [1, 2, 3, 3]
