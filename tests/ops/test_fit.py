from dataclasses import replace

import numpy as np
import pytest

from surgiplan.errors import Mismatch, StepFailed
from surgiplan.ops.fit import Fit
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import GapMap, Part, Pose
from tests.ops.shapes import CENTRE, ELSEWHERE, TILTED, ball, beside, box, inside_out, joined, no_part

REFS = {"body": Ref[Part]("limb"), "against": Ref[Part]("socket")}
INNER, BODY, OFF = 14.0, 12.0, 1.4


def cup() -> Part:
    """A hollow ball: its inner face is what a limb lies against."""
    return joined(ball(INNER + 3, rings=50), inside_out(ball(INNER, rings=50)))


def fitted(body: Part, against: Part, **fields: float) -> GapMap:
    return Fit(**REFS, **fields).run(Work(), body, against)


def test_between_concentric_balls_the_gap_is_the_difference_of_their_radii() -> None:
    fit = fitted(ball(BODY, rings=50), cup(), contact=1.5)
    assert fit.mean_mm == pytest.approx(2, abs=0.02)
    assert fit.p95_mm == pytest.approx(2, abs=0.02)
    assert fit.max_mm == pytest.approx(2, abs=0.02)
    assert fit.contact_share == 0
    assert fitted(ball(BODY, rings=50), cup(), contact=2.1).contact_share == pytest.approx(1)
    assert np.abs(fit.gap_mm - 2).max() < 0.02


def test_between_balls_out_of_line_every_figure_has_its_formula() -> None:
    """The way to the middle is uniform in its square: mean, percentile and share follow."""
    shift = TILTED.rotation @ (0, 0, OFF)
    fit = fitted(ball(BODY, beside(CENTRE, *shift), rings=60), cup(), contact=1.0)
    assert fit.mean_mm == pytest.approx(INNER - BODY - OFF**2 / (3 * BODY), abs=0.02)
    assert fit.max_mm == pytest.approx(INNER - BODY + OFF, abs=0.02)
    assert fit.p95_mm == pytest.approx(INNER - np.sqrt(BODY**2 + OFF**2 - 1.8 * BODY * OFF), abs=0.03)
    from_middle = ((INNER - 1.0) ** 2 - BODY**2 - OFF**2) / (2 * BODY * OFF)
    assert fit.contact_share == pytest.approx((1 - from_middle) / 2, abs=0.02)


def test_where_a_body_digs_in_the_gap_is_negative_and_counts_as_contact() -> None:
    fit = fitted(ball(BODY, rings=50), ball(INNER, rings=50), contact=0.0)
    assert fit.mean_mm == pytest.approx(BODY - INNER, abs=0.02)
    assert fit.contact_share == pytest.approx(1)
    assert (fit.p95_mm, fit.max_mm) == (pytest.approx(2, abs=0.02), pytest.approx(2, abs=0.02))


def test_each_point_of_the_body_has_its_gap() -> None:
    """Corners of a small block over the face of a large one."""
    body = box((4.0, 4.0, 4.0), TILTED.after(Pose.of_shift((0, 0, 9))))
    fit = fitted(body, box(), contact=2.0)
    heights = TILTED.inverse.apply(body.points_lps)[:, 2]
    assert np.allclose(fit.gap_mm, heights - 5, atol=1e-4)
    assert fit.part is body
    assert fit.contact_mm == 2.0


def test_points_far_away_can_be_left_out() -> None:
    body = box((4.0, 4.0, 4.0), TILTED.after(Pose.of_shift((0, 0, 9))))
    near = fitted(body, box(), contact=2.1, within=3.0)
    assert near.mean_mm == pytest.approx(2, abs=1e-4)
    assert near.contact_share == pytest.approx(1)
    assert near.max_mm == pytest.approx(2, abs=1e-4)
    assert near.gap_mm.max() == pytest.approx(6, abs=1e-4)


def test_nothing_within_reach_says_how_far_it_is() -> None:
    body = box((4.0, 4.0, 4.0), TILTED.after(Pose.of_shift((0, 0, 9))))
    with pytest.raises(StepFailed, match=r"No point of the body is left .* nearest lies 2\.000 mm from"):
        fitted(body, box(), within=1.0)


def test_empty_shapes_are_refused() -> None:
    with pytest.raises(StepFailed):
        fitted(no_part(), box())
    with pytest.raises(StepFailed, match="no triangle with an area"):
        fitted(box(), no_part())


def test_two_patient_spaces_are_not_mixed() -> None:
    with pytest.raises(Mismatch, match="different patient spaces"):
        fitted(box(), replace(cup(), frame_uid=ELSEWHERE))
