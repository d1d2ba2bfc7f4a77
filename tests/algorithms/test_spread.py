"""Places lie on the surface, evenly by area, and the same every time."""

import numpy as np
import pytest

from surgiplan.algorithms.spread import spread

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
