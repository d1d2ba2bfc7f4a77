"""Monte-Carlo of cuts and trajectories against closed forms."""

from math import asin, cos, radians, sqrt

import numpy as np
import pytest
from scipy.special import ndtr

from surgiplan.algorithms.cutting import planes
from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.tolerance import (
    Errors,
    Shaft,
    Slab,
    _highest,
    cut_spread,
    draws,
    slab_of,
    slab_on,
    told,
    trajectory_spread,
)
from surgiplan.errors import StepFailed
from surgiplan.progress import silent
from surgiplan.values import Part, Plane, Pose, vec3
from tests.algorithms import bodies
from tests.algorithms.bodies import part
from tests.ops.shapes import ball, no_part

TRIALS = 4000
PLACE = Errors(voxel=0.12, threshold=0.8, print=0.26, seating=1.3, saw=2.0, angle=0.0)
RADIUS = 12.0


def tumour(distance: float) -> Part:
    """A sphere whose middle lies so far above a cut through the origin; left and right differ."""
    return ball(RADIUS, (0.0, 0.0, distance), rings=48)


def cut(thickness: float = 1.0) -> Slab:
    return Slab(Plane((0, 0, 0), (0, 0, 1)), thickness, 40.0)


def monte_carlo_error(chance: float) -> float:
    return 3 * sqrt(max(chance * (1 - chance), 1e-4) / TRIALS)


def test_errors_add_in_squares_to_what_is_published() -> None:
    assert PLACE.place_mm == pytest.approx(sqrt(0.12**2 + 0.8**2 + 0.26**2 + 1.3**2 + 2.0**2))
    assert PLACE.place_mm == pytest.approx(2.5, abs=0.05)


def test_the_draws_are_normal_independent_and_always_the_same() -> None:
    errors = Errors(0, 0, 0, 3.0, 4.0, 2.0)
    shifts, turns = draws(errors, TRIALS)
    assert np.array_equal(shifts, draws(errors, TRIALS)[0])
    assert shifts.std(axis=0) == pytest.approx([5, 5, 5], rel=0.02)
    assert turns.std(axis=0) == pytest.approx(np.radians([2, 2]), rel=0.02)
    assert np.abs(np.corrcoef(np.hstack([shifts, turns]).T) - np.eye(5)).max() < 0.03
    for share in (0.05, 0.25, 0.75, 0.95):
        assert ndtr(np.quantile(shifts, share, axis=0) / 5) == pytest.approx([share] * 3, abs=0.01)


@pytest.mark.parametrize("distance", [15.0, 18.0, 20.0])
@pytest.mark.parametrize("least", [0.0, 3.0, 5.0])
def test_the_chance_of_a_small_margin_is_that_of_the_normal_distribution(
    distance: float, least: float
) -> None:
    """P(margin < x) = Phi((x - planned) / sigma) for a sphere and a plane that is only shifted."""
    body = tumour(distance)
    planned = distance - RADIUS - 0.5
    found = told(cut_spread(cut(), body, None, PLACE, TRIALS), PLACE, least, 2.0)
    assert found.margin_mm == pytest.approx(planned, abs=1e-4), "a pole of the sphere is a corner of its mesh"
    truth = float(ndtr((least - found.margin_mm) / PLACE.place_mm))
    assert found.short_chance == pytest.approx(truth, abs=monte_carlo_error(truth))
    deep = float(ndtr((-2.0 - found.margin_mm) / PLACE.place_mm))
    assert found.deep_chance == pytest.approx(deep, abs=monte_carlo_error(deep))
    error = 3 * PLACE.place_mm / sqrt(TRIALS)
    assert found.margin_mean_mm == pytest.approx(planned, abs=error)
    assert found.margin_p5_mm == pytest.approx(planned - 1.6449 * PLACE.place_mm, abs=2 * error)
    assert found.margin_p95_mm == pytest.approx(planned + 1.6449 * PLACE.place_mm, abs=2 * error)


def test_a_tilt_lowers_the_margin_of_a_sphere_by_its_cosine() -> None:
    """The distance of a sphere over the middle of the plane is D cos(tilt) - R, whatever the direction."""
    errors = Errors(0, 0, 0, 0, 0, angle=5.0)
    spread = cut_spread(cut(0.0), tumour(20.0), None, errors, TRIALS)
    _, turns = draws(errors, TRIALS)
    truth = 20.0 * np.cos(np.linalg.norm(turns, axis=1)) - RADIUS
    assert spread.margins_mm == pytest.approx(truth, abs=RADIUS * (1 - cos(radians(180 / 48))))


def test_a_tilt_moves_what_lies_aside_by_the_lever() -> None:
    """A small body d aside of the middle is nearer by d sin(t) for a tilt t: normal, of deviation d sigma."""
    errors = Errors(0, 0, 0, 0, 0, angle=2.0)
    body = ball(0.5, (60.0, 0.0, 10.0))
    spread = cut_spread(cut(0.0), body, None, errors, TRIALS)
    assert spread.margins_mm.std() == pytest.approx(60 * radians(2.0), rel=0.03)


def test_the_side_of_the_normal_and_the_place_in_space_do_not_matter() -> None:
    body = tumour(18.0)
    one = cut_spread(cut(), body, None, PLACE, TRIALS)
    turned = Slab(Plane((0, 0, 0), (0, 0, -1)), 1.0, 40.0)
    other = cut_spread(turned, body, None, PLACE, TRIALS)
    assert other.margins_mm == pytest.approx(one.margins_mm)
    pose = Pose.of_rotation((1, 2, 3), 77, (5, 6, 7)).after(Pose.of_shift((40, -9, 300)))
    moved = Slab(cut().plane.moved(pose), 1.0, 40.0)
    away = cut_spread(moved, Part(body.mesh, pose.after(body.pose)), None, PLACE, TRIALS)
    assert away.margins_mm == pytest.approx(one.margins_mm, abs=1e-4)
    assert away.at_lps == pytest.approx(tuple(pose.apply((0, 0, 6))), abs=1e-3)


def test_a_body_across_the_cut_has_a_negative_margin() -> None:
    spread = cut_spread(cut(0.0), tumour(10.0), None, PLACE, TRIALS)
    assert spread.planned_mm == pytest.approx(-2.0, abs=1e-4)
    assert (spread.breaches_mm == np.maximum(0, -spread.margins_mm)).all()


def test_what_is_spared_is_breached_by_the_far_face_of_the_kerf() -> None:
    """P(breach > y) = Phi(-(gap - kerf/2 + y) / sigma) for a sphere on the other side."""
    nerve = ball(2.0, (0.0, 0.0, -5.0), rings=48)
    found = told(cut_spread(cut(1.0), tumour(20.0), nerve, PLACE, TRIALS), PLACE, 0.0, 1.0)
    truth = float(ndtr(-(5.0 - 2.0 - 0.5 + 1.0) / PLACE.place_mm))
    assert found.deep_chance == pytest.approx(truth, abs=monte_carlo_error(truth))
    assert found.margin_mm == pytest.approx(7.5, abs=1e-4)


def test_the_plane_of_a_kerf_is_found_in_its_two_faces() -> None:
    rng = np.random.default_rng(3)
    middle = (10.0, -20.0, 100.0)
    body = ball(20.0, middle, rings=40)
    for _ in range(20):
        plane = Plane(vec3(middle + rng.uniform(-8, 8, 3)), vec3(rng.normal(size=3)))
        thickness = float(rng.uniform(0.3, 3.0))
        kerf = planes.cut(body, plane, thickness, "both").kerf
        assert kerf is not None
        slab = slab_of(kerf)
        assert abs(np.dot(slab.plane.normal, plane.normal)) == pytest.approx(1, abs=1e-9)
        assert abs(float(plane.distance(slab.plane.point))) < 1e-4
        assert slab.thickness_mm == pytest.approx(thickness, abs=1e-4)
        distance = abs(float(plane.distance(middle)))
        assert slab.reach_mm == pytest.approx(sqrt(400 - max(0, distance - thickness / 2) ** 2), rel=0.02)


def test_what_is_no_slab_is_refused() -> None:
    with pytest.raises(StepFailed, match="not the slab"):
        slab_of(ball(20.0))
    with pytest.raises(StepFailed, match="there is no kerf"):
        slab_of(no_part())


def test_a_cut_without_a_kerf_has_its_middle_where_the_body_is() -> None:
    slab = slab_on(Plane((500, 0, 3), (0, 0, 1)), 1.0, tumour(20.0))
    assert slab.plane.point == pytest.approx((0, 0, 3), abs=1e-6)
    assert slab.reach_mm == pytest.approx(RADIUS, rel=0.01)


def rod(radius: float, length: float) -> Part:
    return part(bodies.rod(radius, length, 256))


def test_a_screw_in_a_round_canal_leaves_by_the_rayleigh_distribution() -> None:
    """The sideways shift of an axis has a Rayleigh distribution: P(r > g) = exp(-g^2 / (2 sigma^2))."""
    bone = rod(6.0, 400.0)
    shaft = Shaft((0, 0, -15.0), (0, 0, 15.0), 2.5)
    errors = Errors(0, 0, 0, 1.5, 0, 0)
    found = told(trajectory_spread(shaft, bone, None, errors, TRIALS), errors, 0.0, 1.0)
    assert found.margin_mm == pytest.approx(3.5, abs=0.01)
    for chance, gap in ((found.short_chance, 3.5), (found.deep_chance, 4.5)):
        truth = float(np.exp(-(gap**2) / (2 * 1.5**2)))
        assert chance == pytest.approx(truth, abs=monte_carlo_error(truth) + 0.003)


def test_a_tilted_screw_leaves_at_its_tip() -> None:
    errors = Errors(0, 0, 0, 0, 0, angle=3.0)
    shaft = Shaft((0, 0, 0), (0, 0, 40.0), 2.0)
    spread = trajectory_spread(shaft, rod(6.0, 400.0), None, errors, TRIALS)
    _, turns = draws(errors, TRIALS)
    aside = 40.0 * np.sin(np.linalg.norm(turns, axis=1))
    assert spread.margins_mm == pytest.approx(4.0 - aside, abs=0.01)
    truth = float(np.exp(-(asin(4 / 40) ** 2) / (2 * radians(3.0) ** 2)))
    assert float(np.mean(spread.margins_mm < 0)) == pytest.approx(truth, abs=monte_carlo_error(truth) + 0.003)


def test_what_lies_above_the_skipped_length_does_not_count() -> None:
    bone = rod(6.0, 40.0)  # from -20 to 20
    errors = Errors(0, 0, 0, 0, 0, 0)
    outside = trajectory_spread(Shaft((0, 0, -25), (0, 0, 10), 2.0), bone, None, errors, 100)
    inside = trajectory_spread(Shaft((0, 0, -25), (0, 0, 10), 2.0, 10.0), bone, None, errors, 100)
    assert outside.planned_mm == pytest.approx(-7.0, abs=0.01)
    assert inside.planned_mm == pytest.approx(3.0, abs=0.01)
    with pytest.raises(StepFailed, match="do not count"):
        trajectory_spread(Shaft((0, 0, 0), (0, 0, 5), 2.0, 10.0), bone, None, errors, 100)


def test_a_trajectory_may_breach_what_is_spared() -> None:
    nerve = ball(3.0, (8.0, 0.0, 0.0), rings=48)
    errors = Errors(0, 0, 0, 1.0, 0, 0)
    shaft = Shaft((0, 0, -15.0), (0, 0, 15.0), 2.0)
    spread = trajectory_spread(shaft, rod(20.0, 400.0), nerve, errors, TRIALS)
    truth = float(1 - ndtr(3.0))
    assert float(np.mean(spread.breaches_mm > 0)) == pytest.approx(truth, abs=0.004)


@pytest.mark.parametrize("seed", range(3))
def test_asking_for_few_places_gives_what_asking_for_all_would(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bone = part(bodies.bumpy(20.0, 4, seed))
    starts, ways = rng.normal(size=(60, 1, 3)) * 8, rng.normal(size=(60, 1, 3))
    ways /= np.linalg.norm(ways, axis=2, keepdims=True)
    for count in (2, 9, 26):
        axes = starts + ways * np.linspace(0, count - 1, count)[None, :, None]
        every = SignedDistance(bone.placed()).at(axes.reshape(-1, 3)).reshape(60, count)
        for sign in (1.0, -1.0):
            best, at = _highest(bone, axes, sign, silent)
            assert best == pytest.approx((sign * every).max(axis=1), abs=1e-12)
            assert sign * every[np.arange(60), at] == pytest.approx(best, abs=1e-12)
