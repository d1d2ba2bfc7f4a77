"""Known motions are found again, by landmarks and by surfaces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.algorithms.registering.landmarks import fit_landmarks, left_out_errors
from surgiplan.algorithms.registering.surfaces import icp_point_to_plane, register_surfaces
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.phantoms.bodies import SpherePhantom
from surgiplan.phantoms.femur import Femur
from surgiplan.values import IDENTITY, Mesh, Part, Pose, digest
from tests.ops.shapes import ball, box

coordinates = st.floats(-300, 300)
points = st.tuples(coordinates, coordinates, coordinates)


@st.composite
def poses(draw) -> Pose:
    axis = draw(points.filter(lambda p: np.linalg.norm(p) > 1))
    return Pose.of_shift(draw(points)).after(Pose.of_rotation(axis, draw(st.floats(-180, 180))))


SCALENE = np.array([[0.0, 0, 0], [80, 0, 0], [10, 45, 0], [-20, 15, 60]])


# -- landmarks ------------------------------------------------------------------------------------


@given(poses(), st.integers(3, 4))
def test_landmarks_give_back_a_known_motion(pose, count) -> None:
    found, residual = fit_landmarks(SCALENE[:count], pose.apply(SCALENE[:count]))
    assert np.abs(found.apply(SCALENE) - pose.apply(SCALENE)).max() < 1e-9
    assert residual < 1e-9


def test_the_residual_is_the_root_mean_square_distance_of_the_pairs() -> None:
    rng = np.random.default_rng(2)
    fixed = SCALENE + rng.normal(0, 2, SCALENE.shape)
    found, residual = fit_landmarks(SCALENE, fixed)
    away = np.linalg.norm(found.apply(SCALENE) - fixed, axis=1)
    assert residual == pytest.approx(np.sqrt((away**2).mean()))
    nudged = Pose.of_rotation((1, 2, 3), 0.5).after(found)
    assert residual < np.sqrt((np.linalg.norm(nudged.apply(SCALENE) - fixed, axis=1) ** 2).mean())


def test_scale_is_not_taken_up() -> None:
    found, residual = fit_landmarks(SCALENE, 1.1 * SCALENE)
    assert found.degrees == pytest.approx(0.0, abs=1e-6)
    assert residual > 3


def test_mirrored_pairs_are_refused_with_the_likely_reason() -> None:
    with pytest.raises(StepFailed, match="left and right"):
        fit_landmarks(SCALENE, SCALENE * (-1, 1, 1))


def test_noise_on_nearly_flat_landmarks_is_not_taken_for_a_mirror() -> None:
    flat = np.array([[0.0, 0, 0.4], [80, 0, -0.4], [10, 45, 0.4], [70, 60, -0.4]])
    _, residual = fit_landmarks(flat, flat * (1, 1, -1))
    assert residual < 1


@pytest.mark.parametrize(
    ("moving", "fixed", "words"),
    [
        (SCALENE[:2], SCALENE[:2], "at least three"),
        (SCALENE[:3], SCALENE, "3 landmarks .* and 4"),
        (SCALENE[[0, 1, 0]], SCALENE[:3], "moving part lie on one line"),
        (SCALENE[:3], np.outer([0, 1, 2], [30.0, 20, 10]), "fixed part lie on one line"),
        (SCALENE[[0, 0, 0]], SCALENE[:3], "on one line"),
        (SCALENE * np.nan, SCALENE, "finite"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "at least three"),
    ],
)
def test_landmarks_that_fix_no_position_are_refused(moving, fixed, words) -> None:
    with pytest.raises(StepFailed, match=words):
        fit_landmarks(moving, fixed)


# -- surfaces -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def femur() -> Part:
    return Femur().mesh(2.5)


def moved_away(part: Part, true: Pose, noise_mm: float, seed: int) -> Part:
    """The part, each corner moved at random, where `true` brings it home."""
    noise = np.random.default_rng(seed).normal(0, noise_mm, part.mesh.points.shape)
    mesh = Mesh((part.mesh.points + noise).astype(np.float32), part.mesh.triangles)
    return Part(mesh, true.inverse, "9.9")


def targets_mm(part: Part, found: Pose, true: Pose) -> np.ndarray:
    """Distance of each corner from where it belongs."""
    return np.linalg.norm(found.apply(true.inverse.apply(part.points_lps)) - part.points_lps, axis=1)


@pytest.mark.parametrize("seed", range(6))
def test_surfaces_give_back_a_known_motion_under_noise(femur, seed) -> None:
    rng = np.random.default_rng(seed)
    middle = femur.points_lps.mean(axis=0)
    true = Pose.of_shift(rng.normal(0, 40, 3)).after(Pose.of_rotation(rng.normal(size=3), 160 * rng.random()))
    start = (
        Pose.of_shift(rng.normal(0, 2, 3)).after(Pose.of_rotation(rng.normal(size=3), 4, middle)).after(true)
    )
    found, residual = icp_point_to_plane(moved_away(femur, true, 0.25, seed), femur, start)
    away = targets_mm(femur, found, true)
    assert away.mean() < 0.05
    assert away.max() < 0.25
    assert (found.after(true.inverse)).degrees < 0.1
    assert 0.05 < residual < 0.25


def test_without_noise_the_motion_is_exact(femur) -> None:
    true = Pose.of_rotation((1, -2, 1), 6, femur.points_lps.mean(axis=0))
    found, residual = icp_point_to_plane(moved_away(femur, true, 0.0, 0), femur, IDENTITY, trim=1.0)
    assert targets_mm(femur, found, true).max() < 0.005
    assert residual < 0.02


def test_the_pose_of_the_fixed_part_counts(femur) -> None:
    fixed_pose = Pose.of_rotation((0, 1, 1), 70)
    true = Pose.of_rotation((1, -2, 1), 3, femur.points_lps.mean(axis=0))
    found, _ = icp_point_to_plane(moved_away(femur, true, 0.0, 0), femur.moved(fixed_pose), fixed_pose)
    assert targets_mm(femur, fixed_pose.inverse.after(found), true).max() < 0.02


def test_a_part_without_counterpart_is_trimmed_away(femur) -> None:
    true = Pose.of_rotation((1, -2, 1), 3, femur.points_lps.mean(axis=0))
    moving = moved_away(femur, true, 0.1, 0)
    middles = femur.points_lps[femur.mesh.triangles].mean(axis=1)
    upper = femur.mesh.triangles[middles[:, 2] > np.percentile(middles[:, 2], 35)]
    fixed = Part(Mesh(femur.mesh.points, upper))
    found, _ = icp_point_to_plane(moving, fixed, IDENTITY, trim=0.6)
    assert targets_mm(femur, found, true).mean() < 0.15


def test_a_ball_is_not_turned() -> None:
    phantom = SpherePhantom()
    ball = phantom.mesh(2.0)
    found, residual = icp_point_to_plane(ball, ball.moved(Pose.of_shift((3, -2, 1))), IDENTITY)
    assert found.apply(phantom.centre) == pytest.approx(np.add(phantom.centre, (3, -2, 1)), abs=0.01)
    assert found.degrees < 0.5
    assert residual < 0.01


def test_two_runs_agree_and_inputs_stay_what_they_were(femur) -> None:
    moving = moved_away(femur, Pose.of_shift((2, 1, 0)), 0.2, 1)
    before = digest(moving), digest(femur)
    runs = [icp_point_to_plane(moving, femur, IDENTITY, iterations=8) for _ in range(2)]
    assert runs[0] == runs[1]
    assert (digest(moving), digest(femur)) == before


def test_progress_is_reported_and_a_stop_is_heard(femur) -> None:
    said = []

    def report(fraction: float, text: str) -> None:
        said.append(fraction)
        if len(said) == 3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        icp_point_to_plane(femur.moved(Pose.of_shift((5, 0, 0))), femur, IDENTITY, report=report)
    assert said == sorted(said)


def test_what_cannot_come_together_is_refused(femur) -> None:
    empty = Part(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
    with pytest.raises(StepFailed, match="moving part has no surface"):
        icp_point_to_plane(empty, femur, IDENTITY)
    with pytest.raises(StepFailed, match="fixed part has no surface"):
        icp_point_to_plane(femur, empty, IDENTITY)
    for share in (0.0, 1.2, float("nan")):
        with pytest.raises(StepFailed, match="share of pairs"):
            icp_point_to_plane(femur, femur, IDENTITY, trim=share)


def test_surfaces_that_face_apart_are_refused() -> None:
    square = Mesh(np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0]], np.float32), np.array([[0, 1, 2]], np.int32))
    turned = Mesh(square.points, square.triangles[:, ::-1])
    with pytest.raises(StepFailed, match="only 0 of 5000"):
        icp_point_to_plane(Part(square), Part(turned), Pose.of_shift((0, 0, 7)))


# -- leaving one out ------------------------------------------------------------------------------


def test_without_noise_a_left_out_landmark_lands_on_its_partner() -> None:
    pose = Pose.of_shift((7, -30, 12)).after(Pose.of_rotation((1, 1, -2), 75))
    assert left_out_errors(SCALENE, pose.apply(SCALENE)).max() < 1e-9


def test_a_landmark_that_was_picked_wrong_stands_out_by_how_wrong_it_is() -> None:
    wrong = SCALENE.copy()
    wrong[3] += (0.0, 0.0, 5.0)
    errors = left_out_errors(SCALENE, wrong)
    assert errors[3] == pytest.approx(5.0, abs=1e-9)
    assert fit_landmarks(SCALENE, wrong)[1] < 2.5


def test_three_that_lie_on_a_line_do_not_judge_the_fourth() -> None:
    row = np.array([[0.0, 0, 0], [30, 0, 0], [80, 0, 0], [20, 40, 0]])
    errors = left_out_errors(row, row)
    assert np.isnan(errors).tolist() == [False, False, False, True]


# -- several starts -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_without_landmarks_the_principal_axes_find_any_motion(femur, seed) -> None:
    rng = np.random.default_rng(seed + 40)
    true = Pose.of_shift(rng.normal(0, 200, 3)).after(
        Pose.of_rotation(rng.normal(size=3), 180 * rng.random())
    )
    found = register_surfaces(moved_away(femur, true, 0.25, seed), femur)
    assert targets_mm(femur, found.pose, true).max() < 0.25


def test_landmarks_that_mislead_give_way_to_the_bodies_as_they_lie(femur) -> None:
    true = Pose.of_rotation((1, -2, 1), 4, femur.points_lps.mean(axis=0))
    upside_down = Pose.of_rotation((1, 0, 0), 170, femur.points_lps.mean(axis=0))
    found = register_surfaces(moved_away(femur, true, 0.1, 2), femur, upside_down)
    assert found.start == "as they lie"
    assert targets_mm(femur, found.pose, true).max() < 0.15


def test_a_body_that_fits_in_two_positions_needs_landmarks() -> None:
    block = box((60.0, 30.0, 14.0))
    with pytest.raises(StepFailed, match=r"Two positions .* mm apart fit alike .* start from landmarks"):
        register_surfaces(block, block.moved(Pose.of_rotation((0.2, 0.3, 1), 50)))


def test_only_the_untouched_bone_counts(femur) -> None:
    """The far end was cut off and put on 15 mm aside: it must not draw the rest along."""
    true = Pose.of_rotation((1, -2, 1), 3, femur.points_lps.mean(axis=0))
    points = femur.mesh.points.copy()
    low = np.percentile(points[:, 2], 45)
    points[points[:, 2] < low, 0] += 15
    changed = Part(Mesh(points, femur.mesh.triangles))
    top = femur.mesh.points[:, 2].max() + 50
    middle = (*femur.points_lps[:, :2].mean(axis=0), (low + 5 + top) / 2)
    only = box((300.0, 300.0, top - low - 5), Pose.of_shift(middle), "")
    moving = moved_away(femur, true, 0.05, 3)
    drawn = register_surfaces(moving, changed, true, 0.9)
    free = register_surfaces(moving, changed, true, 0.5, only)
    assert targets_mm(femur, drawn.pose, true).max() > 0.5
    assert targets_mm(femur, free.pose, true).max() < 0.25


def test_what_limits_must_be_closed_and_hold_enough(femur) -> None:
    open_ = Part(Mesh(femur.mesh.points, femur.mesh.triangles[1:]))
    with pytest.raises(StepFailed, match="has holes"):
        register_surfaces(femur, femur, IDENTITY, only=open_)
    with pytest.raises(StepFailed, match="Only 0 of 100000 places"):
        register_surfaces(femur, femur, IDENTITY, only=ball(1.0, (0, 0, 900), frame=""))
