"""The operation `tolerance`: what it refuses, and that it follows the cut."""

from math import sqrt

import numpy as np
import pytest
from scipy.special import ndtr

from surgiplan.errors import Mismatch, NeedsHand, StepFailed
from surgiplan.ops.cut import Cut
from surgiplan.ops.tolerance import ToleranceBudget
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Part, Plane, Tolerance, figures
from tests.ops.shapes import ball

BONE = ball(30.0, (0.0, 0.0, 0.0), rings=40)
TUMOUR = ball(8.0, (0.0, 0.0, 14.0), rings=40)
WORK = Work()


def kerf(height: float, thickness: float = 1.0) -> Part:
    cut = Cut(part=Ref("bone"), plane=Plane((0, 0, height), (0, 0, 1)), kerf=thickness)
    return cut.run(WORK, BONE)["kerf"]


def budget(**fields: object) -> ToleranceBudget:
    return ToleranceBudget(body=Ref("tumour"), **fields)  # type: ignore[arg-type]


def test_the_chance_follows_the_kerf_of_the_cut() -> None:
    step = budget(kerf=Ref("saw", "kerf"), angle=0.0, least_margin=3.0)
    sigma = sqrt(0.12**2 + 0.8**2 + 0.26**2 + 1.3**2 + 2.0**2)
    for height in (0.0, -2.0):
        found = step.run(WORK, TUMOUR, kerf(height), None)
        planned = 14.0 - 8.0 - 0.5 - height
        assert found.margin_mm == pytest.approx(planned, abs=1e-3)
        truth = float(ndtr((3.0 - planned) / sigma))
        assert found.short_chance == pytest.approx(truth, abs=3 * sqrt(truth * (1 - truth) / 1000))
        assert found.place_sd_mm == pytest.approx(sigma)


def test_a_plane_of_its_own_gives_the_same_as_a_kerf_there() -> None:
    with_kerf = budget(kerf=Ref("saw", "kerf"), angle=0.0).run(WORK, TUMOUR, kerf(0.0), None)
    alone = budget(plane=Plane((0, 0, 0), (0, 0, 1)), angle=0.0).run(WORK, TUMOUR, None, None)
    assert alone.margin_mm == pytest.approx(with_kerf.margin_mm, abs=1e-3)
    assert alone.short_chance == pytest.approx(with_kerf.short_chance, abs=0.002)


def test_two_runs_agree_bit_for_bit_and_the_figures_leave_the_trials_out() -> None:
    step = budget(plane=Plane((0, 0, 0), (0, 0, 1)))
    one, other = (step.run(WORK, TUMOUR, None, None) for _ in range(2))
    assert np.array_equal(one.margins_mm, other.margins_mm)
    told = figures(one)
    assert told["trials"] == len(one.margins_mm) == 1000
    assert "margins_mm" not in told
    assert told["short_chance"] == one.short_chance


def test_it_waits_for_what_a_hand_must_place() -> None:
    for step, words in (
        (budget(), "choose the kerf of a cut, or drag the plane"),
        (budget(kind="trajectory"), "entry is not placed"),
        (budget(kind="trajectory", entry=(0, 0, 0)), "tip is not placed"),
    ):
        with pytest.raises(NeedsHand, match=words):
            step.require_placed("check")
    budget(kerf=Ref("saw", "kerf")).require_placed("check")


def test_a_trajectory_is_checked_in_its_bone() -> None:
    step = budget(kind="trajectory", entry=(0.0, 0.0, -20.0), tip=(0.0, 0.0, 20.0), radius=3.0, skip=0.0)
    found = step.run(WORK, BONE, None, None)
    assert isinstance(found, Tolerance)
    assert found.margin_mm == pytest.approx(30.0 - 20.0 - 3.0, abs=0.05)
    assert found.length_mm == 40.0


def test_bad_bodies_are_refused() -> None:
    with pytest.raises(Mismatch):
        budget(kerf=Ref("saw", "kerf")).run(WORK, ball(8.0, frame="1.2.9"), kerf(0.0), None)
    with pytest.raises(StepFailed, match="not the slab"):
        budget(kerf=Ref("saw", "a")).run(WORK, TUMOUR, BONE, None)
    step = budget(kind="trajectory", entry=(0.0, 0.0, 0.0), tip=(0.0, 0.0, 3.0))
    with pytest.raises(StepFailed, match="do not count"):
        step.run(WORK, BONE, None, None)
