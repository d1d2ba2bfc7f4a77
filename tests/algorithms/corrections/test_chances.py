"""How likely another size or grade is: closed forms of the normal distribution."""

import math

import pytest

from surgiplan.algorithms.corrections.chances import between, nested, told
from surgiplan.algorithms.corrections.hip import cup_chances

SIGMA = 0.6826894921370859  # of a normal number within one standard deviation


def test_shares_of_a_normal_number_between_limits() -> None:
    low, inside, high = between(10.0, 2.0, [8.0, 12.0])
    assert inside == pytest.approx(SIGMA)
    assert low == pytest.approx(high) == pytest.approx((1 - SIGMA) / 2)
    assert between(3.0, 0.0, [2.0, 4.0]) == [0.0, 1.0, 0.0]


def test_a_cup_between_two_sizes_is_as_likely_as_the_next() -> None:
    """A socket of 52.05 mm is the largest that takes the cup of 52 mm."""
    sizes = {"cup-54": 54.0, "cup-50": 50.0, "cup-52": 52.0}
    shares = cup_chances(52.05, 1.0, sizes)
    assert shares["cup-50"] + shares["cup-52"] == pytest.approx(0.5)
    assert shares["none"] == pytest.approx((1 + math.erf(-2 / math.sqrt(2))) / 2)
    assert sum(shares.values()) == pytest.approx(1)
    assert cup_chances(51.0, 0.0, sizes)["cup-52"] == 1.0


def test_a_stem_is_the_largest_when_it_fits_and_the_next_does_not() -> None:
    shares = nested(
        {"thin": 3.0, "middle": 0.5, "thick": -0.5}, dict.fromkeys(("thin", "middle", "thick"), 0.5), 0.0
    )
    assert shares["none"] == pytest.approx(0, abs=1e-8)
    assert shares["thick"] == pytest.approx((1 - SIGMA) / 2)
    assert shares["thin"] == pytest.approx((1 - SIGMA) / 2)
    assert shares["middle"] == pytest.approx(SIGMA)
    assert nested({"one": -1.0}, {"one": 0.0}, 0.0) == {"none": 1.0, "one": 0.0}


def test_the_likeliest_is_told_first_and_what_never_happens_not_at_all() -> None:
    assert told({"A": 0.16, "B": 0.838, "C": 0.002}) == "B 84 %, A 16 %"
