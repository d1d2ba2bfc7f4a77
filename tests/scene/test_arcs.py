"""The arc that shows an angle: as wide as the angle is, or not there at all."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.algorithms.measures.lines import angle_at, angle_between_lines
from surgiplan.scene.arcs import arc_of
from surgiplan.values import Measurement

places = st.tuples(*[st.floats(-100, 100) for _ in range(3)])


def swept(arc, apex) -> float:
    """The angle from the first to the last point of an arc, seen from its apex."""
    away = np.asarray(arc) - apex
    radii = np.linalg.norm(away, axis=1)
    assert np.allclose(radii, radii[0])
    steps = [math.degrees(math.acos(min(a @ b / radii[0] ** 2, 1))) for a, b in pairwise(away)]
    return sum(steps)


@given(places, places, places)
def test_the_arc_of_three_points_sweeps_the_angle_told(p, apex, q) -> None:
    legs = [np.linalg.norm(np.subtract(end, apex)) for end in (p, q)]
    if min(legs) < 1:
        return
    value = angle_at(p, apex, q)
    arc = arc_of(value)
    if value.value < 0.5 or value.value > 179.9:
        return
    assert swept(arc, apex) == pytest.approx(value.value, abs=1e-3)
    assert np.linalg.norm(np.subtract(arc[0], apex)) <= max(0.3 * min(legs), 2) + 1e-9


def test_the_arc_of_two_lines_lies_where_they_would_meet() -> None:
    value = angle_between_lines((10, 0, 0), (20, 0, 0), (5, 5, 0), (5, 10, 0))
    begin, *arc, end = arc_of(value)
    assert swept(arc, (5, 0, 0)) == pytest.approx(90)
    assert (begin, end) == ((10, 0, 0), (5, 5, 0)), "both are drawn out to there"
    crossing = angle_between_lines((0, 0, 0), (20, 0, 0), (5, -5, 0), (5, 10, 0))
    assert swept(arc_of(crossing), (5, 0, 0)) == pytest.approx(90)


def test_an_angle_told_as_what_lacks_to_a_half_turn_gets_that_arc() -> None:
    lines = (((0.0, 0, 0), (10.0, 0, 0)), ((0.0, 0, 0), (-5.0, 5, 0)))
    assert swept(arc_of(Measurement(45.0, "deg", "acute", lines_lps=lines)), (0, 0, 0)) == pytest.approx(45)
    assert swept(arc_of(Measurement(-135.0, "deg", "signed", lines_lps=lines)), (0, 0, 0)) == pytest.approx(
        135
    )


@pytest.mark.parametrize(
    "value",
    [
        Measurement(30.0, "deg", "projected", ((0, 0, 0), (10, 0, 0), (0, 0, 0), (0, 10, 5))),
        Measurement(12.0, "mm", "no angle", ((0, 0, 0), (10, 0, 0), (10, 10, 0))),
        Measurement(0.0, "deg", "parallel", ((0, 0, 0), (10, 0, 0), (0, 5, 0), (10, 5, 0))),
        Measurement(90.0, "deg", "far away", ((0, 0, 0), (1, 0, 0), (50, 5, 0), (50, 9, 0))),
        Measurement(0.1, "deg", "hardly any", ((100, 0, 0), (0, 0, 0), (100, 0.17, 0))),
        Measurement(40.0, "deg", "nothing to show it by"),
    ],
)
def test_what_is_no_angle_between_legs_gets_none(value: Measurement) -> None:
    assert arc_of(value) == ()
