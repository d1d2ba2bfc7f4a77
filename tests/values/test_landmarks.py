import pickle

import pytest

from surgiplan.errors import NeedsHand
from surgiplan.values import Landmarks, Places, Pose

PLACES = Places({"head_centre": (1, 2, 3), "knee_centre": (4, 5, 6)})


def test_places_are_a_mapping_that_nobody_changes() -> None:
    assert dict(PLACES) == {"head_centre": (1.0, 2.0, 3.0), "knee_centre": (4.0, 5.0, 6.0)}
    moved = PLACES.put("head_centre", (0, 0, 0))
    assert (moved["head_centre"], PLACES["head_centre"]) == ((0.0, 0.0, 0.0), (1.0, 2.0, 3.0))
    assert list(moved) == list(PLACES)
    assert list(PLACES.without("head_centre")) == ["knee_centre"]
    assert pickle.loads(pickle.dumps(PLACES)) == PLACES
    assert hash(Places(dict(PLACES))) == hash(PLACES)
    assert repr(PLACES) == f"Places({dict(PLACES)})"


@pytest.mark.parametrize("name", ["", "two words", "a=b", "a,b"])
def test_a_name_is_one_word(name: str) -> None:
    with pytest.raises(ValueError, match="one word"):
        Places({name: (0, 0, 0)})


def test_a_place_is_three_finite_numbers() -> None:
    with pytest.raises(ValueError, match="three finite numbers"):
        Places({"a": (0, float("inf"), 0)})


def test_landmarks_are_read_by_name_and_the_missing_ones_are_named() -> None:
    found = Landmarks(PLACES, "femur", "left", "1.2", (1.0, None))
    assert found.at("knee_centre", "head_centre").tolist() == [[4, 5, 6], [1, 2, 3]]
    assert (found.error_of("head_centre"), found.error_of("knee_centre")) == (1.0, None)
    assert Landmarks(PLACES).error_of("head_centre") is None
    with pytest.raises(NeedsHand, match=r"landmark neck is not placed yet \(placed: head_centre, knee_c"):
        found.at("head_centre", "neck")
    with pytest.raises(NeedsHand, match=r"landmarks a, b are not placed yet \(placed: none\)"):
        Landmarks(Places()).at("a", "b")


def test_landmarks_move_with_their_body() -> None:
    moved = Landmarks(PLACES, side="right", errors_mm=(1.0, 2.0)).moved(Pose.of_shift((10, 0, 0)))
    assert moved.at("head_centre").tolist() == [[11, 2, 3]]
    assert (moved.side, moved.errors_mm) == ("right", (1.0, 2.0))


@pytest.mark.parametrize("errors", [(1.0,), (1.0, -1.0), (1.0, float("nan"))])
def test_errors_are_lengths_one_for_each(errors: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"as many errors|0 mm or more"):
        Landmarks(PLACES, errors_mm=errors)
