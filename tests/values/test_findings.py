from dataclasses import replace

import numpy as np
import pytest

from surgiplan.values import Collision, Finding, GapMap, Measurement
from tests.values.samples import part, values


def test_a_measurement_carries_what_it_takes_to_read_it() -> None:
    length = Measurement(12.5, "mm", "distance between two points")
    assert (length.points_lps, length.frame_uid, length.expected_error) == ((), "", None)
    assert length == Measurement(12.5, "mm", "distance between two points")


def test_a_collision_has_no_error_unless_told() -> None:
    assert Collision(0.0, 1.5, False, (1, 2, 3)).error_mm == 0


def test_a_gap_map_has_one_distance_for_each_point() -> None:
    mine = np.array([0.1, -0.2, 0.3, 0.4])
    kept = GapMap(part(), mine, 0.5, 0.15, 0.4, 0.4, 1.0)
    mine[0] = 9
    assert kept.gap_mm.dtype == np.float32
    assert kept.gap_mm[0] == np.float32(0.1)
    with pytest.raises(ValueError, match="read-only"):
        kept.gap_mm[0] = 1
    with pytest.raises(ValueError, match="one distance for each point"):
        GapMap(part(), mine[:3], 0.5, 0.15, 0.4, 0.4, 1.0)


def test_a_finding_may_have_a_place() -> None:
    assert Finding("step", "text").at_lps is None
    placed = Finding("step", "text", np.array([1, 2, 3]), "danger")  # type: ignore[arg-type]
    assert placed.at_lps == (1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match="three finite numbers"):
        Finding("step", "text", (1, 2, float("inf")))


def test_a_tolerance_needs_a_margin_for_each_trial() -> None:
    sample = values()["tolerance"]
    assert not sample.margins_mm.flags.writeable
    with pytest.raises(ValueError, match="one margin for each trial"):
        replace(sample, trials=3)
