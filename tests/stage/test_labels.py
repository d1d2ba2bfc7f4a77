"""Labels do not cover each other."""

from hypothesis import given
from hypothesis import strategies as st

from surgiplan.stage.labels import spread

numbers = st.integers(0, 400).map(float)


def test_a_label_stands_right_of_its_place_or_left_where_there_is_no_room() -> None:
    assert spread([(10.0, 50.0)], [(60.0, 12.0)], 200.0, 8.0) == [(18.0, 50.0)]
    assert spread([(190.0, 50.0)], [(60.0, 12.0)], 200.0, 8.0) == [(122.0, 50.0)]


def test_in_a_narrow_view_it_stands_below() -> None:
    assert spread([(50.0, 50.0)], [(90.0, 12.0)], 100.0, 8.0) == [(10.0, 64.0)]


@given(st.lists(st.tuples(numbers, numbers), max_size=9), st.floats(20, 200))
def test_no_label_covers_another(anchors: list[tuple[float, float]], width: float) -> None:
    places = spread(anchors, [(width, 14.0)] * len(anchors), 600.0, 8.0)
    for n, one in enumerate(places):
        for other in places[:n]:
            beside = abs(one[0] - other[0]) >= width - 1e-6
            assert beside or abs(one[1] - other[1]) >= 14.0 - 1e-6
