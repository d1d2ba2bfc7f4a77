from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.errors import NeedsHand, StepFailed, Usage
from surgiplan.ops.register import Register
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Measurement, Part, Pose, Vec3, vec3
from tests.ops.shapes import CENTRE, ELSEWHERE, FRAME, ball, inside_out
from tests.values.samples import poses

REFS = {"moving": Ref[Part]("scan"), "fixed": Ref[Part]("bone")}
MARKS = np.array([(20, 0, 0), (0, 15, 0), (0, 0, -10), (-12, 9, 6)]) + CENTRE
MOTION = Pose.of_shift((40, -25, 60)).after(Pose.of_rotation((1, -2, 0.5), 40, CENTRE))


def egg() -> Part:
    """A body with no two half axes alike, and one end blunter than the other."""
    round_ = ball(20.0, (0, 0, 0), rings=40)
    points = round_.mesh.points * (1.0, 0.75, 0.5)
    points[:, 1] *= 1 + 0.012 * points[:, 0]
    points[:, 2] += 0.01 * points[:, 0] ** 2
    return Part(replace(round_.mesh, points=points + CENTRE), frame_uid=FRAME)


def registered(moving: Part, fixed: Part, marks: np.ndarray, onto: np.ndarray, **fields: object) -> Part:
    points = {"moving_points": tuple(map(vec3, marks)), "fixed_points": tuple(map(vec3, onto))}
    result = Register(**REFS, **points, **fields).run(Work(), moving, fixed)  # type: ignore[arg-type]
    assert isinstance(result["residual"], Measurement)
    assert result["residual"].unit == "mm"
    return result["moved"]  # type: ignore[no-any-return]


@settings(max_examples=30)
@given(poses())
def test_landmarks_recover_any_motion(motion: Pose) -> None:
    """P21: without noise the target registration error is rounding."""
    body = egg()
    moved = registered(body, body, MARKS, motion.apply(MARKS), refine=False)
    assert np.abs(moved.points_lps - motion.apply(body.points_lps)).max() < 1e-8
    assert moved.mesh is body.mesh


def test_the_residual_is_the_misfit_of_the_landmarks() -> None:
    """Marks drawn apart by 1 % about their middle: they keep that misfit, whatever the motion."""
    middle = MARKS.mean(axis=0)
    wider = middle + 1.01 * (MARKS - middle)
    points = {"moving_points": tuple(map(vec3, wider)), "fixed_points": tuple(map(vec3, MOTION.apply(MARKS)))}
    result = Register(**REFS, **points, refine=False).run(Work(), egg(), egg())  # type: ignore[arg-type]
    misfit = 0.01 * np.sqrt(((MARKS - middle) ** 2).sum(axis=1).mean())
    assert result["residual"].value == pytest.approx(misfit, rel=1e-6)
    assert "not the accuracy" in result["residual"].definition


def test_the_surfaces_put_right_what_the_landmarks_leave() -> None:
    """P21: the same body moved, landmarks off by up to 2 mm; the surfaces find it to a few hundredths."""
    fixed = egg()
    moving = fixed.moved(MOTION.inverse)
    off = np.array([(1.5, -1, 0.5), (-1, 1.5, -1), (0.5, 1, 1.5), (-1.5, 0.5, -1)])
    rough = registered(moving, fixed, MOTION.inverse.apply(MARKS) + off, MARKS, refine=False)
    fine = registered(moving, fixed, MOTION.inverse.apply(MARKS) + off, MARKS, overlap=1.0)

    def error(part: Part) -> float:
        return float(np.linalg.norm(part.points_lps - fixed.points_lps, axis=1).max())

    assert error(rough) > 0.5
    assert error(fine) < 0.05
    assert fine.frame_uid == FRAME


def test_a_part_without_all_of_its_counterpart_is_brought_over_too() -> None:
    """The end of the body is missing on the fixed side: the rest must decide."""
    whole = egg()
    cut = whole.mesh.triangles[(whole.mesh.points[whole.mesh.triangles] - CENTRE)[:, :, 0].max(axis=1) < 8]
    part_of_it = replace(whole, mesh=replace(whole.mesh, triangles=cut))
    moving = whole.moved(Pose.of_shift((1.0, -0.8, 0.6)))
    moved = registered(moving, part_of_it, MARKS, MARKS, overlap=0.6)
    assert np.linalg.norm(moved.points_lps - whole.points_lps, axis=1).max() < 0.1


def test_it_joins_two_patient_spaces() -> None:
    elsewhere = replace(egg().moved(MOTION.inverse), frame_uid=ELSEWHERE)
    moved = registered(elsewhere, egg(), MOTION.inverse.apply(MARKS), MARKS, refine=False)
    assert moved.frame_uid == FRAME
    assert np.abs(moved.points_lps - egg().points_lps).max() < 1e-6


def refused(marks: np.ndarray, onto: np.ndarray, words: str, **fields: object) -> None:
    with pytest.raises(StepFailed, match=words):
        registered(egg(), egg(), marks, onto, **fields)


def test_landmarks_must_be_pairs_enough_and_well_spread() -> None:
    refused(
        MARKS,
        MARKS[:3],
        "4 landmarks on the moving part and 3 on the fixed part: pick the same points on both",
    )
    refused(MARKS[:2], MARKS[:2], "2 pairs of landmarks do not fix a position: pick at least three")
    line = CENTRE + np.outer((0.0, 10.0, 25.0), (1, 2, 2))
    refused(line, MARKS[:3], r"landmarks on the moving part lie on one line .* Pick one more point")
    refused(MARKS[:3], line, "landmarks on the fixed part lie on one line")


def test_exchanged_sides_are_noticed() -> None:
    mirrored = MARKS * (-1, 1, 1)
    refused(mirrored, MARKS, "match as mirror images .* Check that left and right were not exchanged")


def test_surfaces_that_do_not_meet_are_refused() -> None:
    """A surface that faces inwards has no place that faces its counterpart."""
    with pytest.raises(StepFailed, match="do not come together: only 0 of 1000 places face a counterpart"):
        registered(inside_out(egg()), egg(), MARKS, MARKS)


@pytest.mark.parametrize("overlap", [-0.1, 1.1, float("nan")])
def test_the_overlap_is_a_share(overlap: float) -> None:
    with pytest.raises(Usage, match="overlap must lie between 0 and 1"):
        Register(**REFS, overlap=overlap)


@pytest.mark.parametrize("missing", ["moving_points", "fixed_points"])
def test_landmarks_nobody_has_clicked_need_a_hand(missing: str) -> None:
    marks: tuple[Vec3, ...] = tuple(map(vec3, MARKS))
    given_marks = {"moving_points": marks, "fixed_points": marks} | {missing: ()}
    with pytest.raises(NeedsHand, match=f"overlay: {missing} is not placed yet: click"):
        run_step(Step("overlay", Register(**REFS, **given_marks)), {"moving": egg(), "fixed": egg()}, Work())


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_noise_on_the_landmarks_spreads_as_it_must(seed: int) -> None:
    """Four marks with an error of 0.25 mm each: their residual stays below, the motion near the truth."""
    noise = np.random.default_rng(seed).normal(0, 0.25, MARKS.shape)
    moved = registered(egg(), egg(), MARKS, MOTION.apply(MARKS) + noise, refine=False)
    away = moved.points_lps - MOTION.apply(egg().points_lps)
    assert np.linalg.norm(away, axis=1).max() < 6 * 0.25


def test_landmarks_have_a_say_only_where_it_starts_from_them() -> None:
    assert Register(**REFS).matters("moving_points")
    from_surfaces = Register(**REFS, start="surfaces")
    assert not from_surfaces.matters("fixed_points")
    assert from_surfaces.matters("overlap")
