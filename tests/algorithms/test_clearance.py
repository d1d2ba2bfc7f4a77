import math
from threading import Event
from time import monotonic

import manifold3d
import numpy as np
import pytest

from surgiplan.algorithms import clearance
from surgiplan.algorithms.clearance import collide
from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.solid import boolean
from surgiplan.errors import Cancelled, Mismatch, StepFailed
from surgiplan.values import IDENTITY, Collision, Mesh, Part, Pose

from .bodies import SCANNER, ball, box, bumpy, part, random_pose, rod

CUBE = box((0, 0, 0), (10, 20, 30))
PLACES = pytest.mark.parametrize("place", [IDENTITY, SCANNER], ids=["origin", "scanner"])


def shift(x: float, y: float, z: float) -> Pose:
    return Pose.of_shift((x, y, z))


def judged_gap(a: Part, b: Part) -> float:
    """The clearance as manifold3d finds it."""
    one, other = (
        manifold3d.Manifold(manifold3d.Mesh64(np.array(one.points_lps), one.mesh.triangles.astype(np.uint64)))
        for one in (a, b)
    )
    return one.min_gap(other, 1000)


def on_surface(part_: Part, point: tuple[float, float, float]) -> float:
    return abs(float(SignedDistance(part_.mesh).at(part_.pose.inverse.apply(point)[None])[0]))


# --- the truth table


@PLACES
@pytest.mark.parametrize("gap", [0.002, 0.05, 3.0, 250.0])
def test_separated(place, gap):
    a, b = part(CUBE, place), part(CUBE, shift(10 + gap, 4, 7), place)
    found = collide(a, b)
    assert found.depth_mm == 0
    assert found.clearance_mm == pytest.approx(gap, abs=1e-6)
    assert not found.contained
    assert min(on_surface(a, found.at_lps), on_surface(b, found.at_lps)) < 1e-6


@PLACES
@pytest.mark.parametrize(
    "at", [(10, 0, 0), (10, 5, 5), (10, 20, 0), (10, 20, 30)], ids=["face", "part", "edge", "corner"]
)
def test_touching(place, at):
    found = collide(part(CUBE, place), part(CUBE, shift(*at), place))
    assert found.depth_mm == pytest.approx(0, abs=1e-9)
    assert found.clearance_mm == pytest.approx(0, abs=1e-9)
    assert not found.contained


@PLACES
@pytest.mark.parametrize("overlap", [1e-3, 0.3, 1.0, 4.0])
def test_crossing(place, overlap):
    a, b = part(CUBE, place), part(CUBE, shift(10 - overlap, 5, 5), place)
    found = collide(a, b)
    assert found.depth_mm == pytest.approx(overlap, abs=found.error_mm)
    assert found.clearance_mm == 0
    assert not found.contained
    assert on_surface(a, found.at_lps) < 1e-6


@PLACES
def test_a_in_b_and_b_in_a(place):
    inner, outer = part(box((3, 3, 3), (4, 5, 6)), place), part(CUBE, place)
    for found in (collide(inner, outer), collide(outer, inner)):
        assert found.contained
        assert found.depth_mm == pytest.approx(4, abs=0.005)
        assert found.clearance_mm == pytest.approx(3, abs=1e-6)
        assert np.allclose(place.inverse.apply(found.at_lps)[0], 4, atol=0.005)
        assert on_surface(inner, found.at_lps) < 1e-6


def test_contained_and_touching_from_inside():
    found = collide(part(box((0, 3, 3), (4, 5, 6))), part(CUBE))
    assert found.contained
    assert found.clearance_mm == 0
    assert found.depth_mm == pytest.approx(4, abs=0.005)


@PLACES
def test_a_body_and_itself(place):
    bone = part(bumpy(finer=3), place)
    found = collide(bone, bone)
    assert found.contained
    assert found.depth_mm == pytest.approx(0, abs=1e-9)
    assert found.clearance_mm == pytest.approx(0, abs=1e-9)


def test_a_face_pierced_between_its_corners():
    """No corner of the plate lies in the needle, none of the needle in the plate."""
    plate, needle = box((-50, -50, -1), (50, 50, 1)), rod(0.5, 30)
    found = collide(part(plate), part(needle))
    assert found.clearance_mm == 0
    assert found.depth_mm > 0
    assert collide(part(needle), part(plate)).depth_mm == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("place", [IDENTITY, SCANNER], ids=["origin", "scanner"])
@pytest.mark.parametrize(("inner", "outer"), [(2.9, 3.0), (2.0, 4.0), (2.0, 12.0)])
def test_coaxial_cylinders(place, inner, outer):
    found = collide(part(rod(inner, 30), place), part(rod(outer, 80), place))
    assert found.contained
    assert found.clearance_mm == pytest.approx(outer - inner, abs=0.006)
    assert found.depth_mm == pytest.approx(outer, abs=0.006)  # the end of the axis is deepest


@PLACES
def test_concentric_balls(place):
    """At the corners of both balls, which lie on the radius, the gap is a facet's rise smaller at most."""
    found = collide(part(ball(6, finer=3), place), part(ball(10, finer=3), place))
    assert found.contained
    assert 3.9 < found.clearance_mm <= 4.0
    assert 3.9 < found.depth_mm < 4.05


@PLACES
@pytest.mark.parametrize("apart", [0.5, 7.0])
def test_balls_apart(place, apart):
    towards = np.array([2, 3, 6]) / 7
    a, b = part(ball(10, finer=5), place), part(ball(6, (16 + apart) * towards, finer=5), place)
    assert collide(a, b).clearance_mm == pytest.approx(apart, abs=0.02)


@pytest.mark.parametrize("bite", [0.2, 3.0])
def test_balls_that_overlap(bite):
    """Deepest on the line of centres: the surface of the first, measured to the second."""
    found = collide(part(ball(6, (0, 0, 16 - bite), finer=5)), part(ball(10, finer=5)))
    assert found.depth_mm == pytest.approx(bite, abs=0.03)
    assert found.at_lps[2] == pytest.approx(10 - bite, abs=0.03)


@pytest.mark.parametrize("wall", [1.5, 0.4, 0.0, -0.4, -1.2])
def test_screw_in_a_canal(wall):
    """A bone with a canal of radius 5; the screw of radius 2 runs parallel, `wall` mm from its wall."""
    bone = boolean(part(rod(12, 60)), part(rod(5, 80)), "difference")
    screw = part(rod(2, 40), shift(0, 3 - wall, 0), SCANNER)
    found = collide(screw, bone.moved(SCANNER))
    assert not found.contained
    if wall > 0:
        assert found.depth_mm == 0
        assert found.clearance_mm == pytest.approx(wall, abs=0.02)
    elif wall < 0:
        assert found.clearance_mm == 0
        assert found.depth_mm == pytest.approx(-wall, abs=0.02)
    else:
        assert max(found.depth_mm, found.clearance_mm) < 0.02


def test_a_screw_wholly_in_the_cortex_is_found_with_its_depth():
    """A wall 7 mm thick, a rod of radius 1.5 in its middle: deepest on the mid surface of the wall."""
    bone = boolean(part(rod(12, 60)), part(rod(5, 80)), "difference")
    found = collide(part(rod(1.5, 30), shift(8.5, 0, 0)), bone)
    assert found.contained
    assert found.depth_mm == pytest.approx(3.5, abs=0.02)
    assert found.clearance_mm == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_skew_cylinders_p11(seed):
    """The gap of two long cylinders is the distance of their axes less both radii."""
    chance = np.random.default_rng(seed)
    r1, r2, gap = *chance.uniform(0.5, 4, 2), chance.uniform(0.05, 5)
    angle = chance.uniform(25, 155)
    one = part(rod(r1, 60, 96), random_pose(seed, 100))
    apart = Pose.of_shift((r1 + r2 + gap, 0, 0)).after(Pose.of_rotation((1, 0, 0), angle))
    other = part(rod(r2, 60, 96), Pose.of_rotation((0, 0, 1), chance.uniform(0, 360)), apart, one.pose)
    found = collide(one, other)
    assert found.clearance_mm == pytest.approx(gap, abs=0.02)
    assert found.depth_mm == 0


def test_far_is_measured_between_surfaces_not_between_corners():
    """The corners of the long cylinders are 57 mm farther apart than their sides."""
    found = collide(
        part(rod(5, 200, 12)), part(rod(5, 200, 12), Pose.of_rotation((1, 0, 0), 90), shift(20, 0, 0))
    )
    assert found.clearance_mm == pytest.approx(10, abs=0.4)


def test_two_bodies_in_one_part_one_inside_the_other_outside():
    both = Mesh(
        np.concatenate([box((1, 1, 1), (2, 2, 2)).points, box((50, 1, 1), (51, 2, 2)).points]),
        np.concatenate([box((0, 0, 0), (1, 1, 1)).triangles, box((0, 0, 0), (1, 1, 1)).triangles + 8]),
    )
    for found in (collide(part(both), part(CUBE)), collide(part(CUBE), part(both))):
        assert found.depth_mm == pytest.approx(2, abs=0.006)
        assert not found.contained


# --- judges and rules


@pytest.mark.parametrize("seed", range(12))
def test_clearance_agrees_with_manifold3d(seed):
    chance = np.random.default_rng(seed)
    a = part(bumpy(8, finer=3, seed=seed), random_pose(seed, 2))
    b = part(rod(2, 25, 48), random_pose(seed + 100, 1), shift(*chance.uniform(9, 14, 3)))
    expected = judged_gap(a, b)
    found = collide(a, b)
    if expected == 0:
        assert found.depth_mm > 0
    else:
        assert found.clearance_mm == pytest.approx(expected, abs=0.005)
        assert found.clearance_mm >= expected - 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_depth_agrees_with_a_dense_cloud(seed):
    a = part(rod(2, 25, 24), random_pose(seed, 6))
    b = part(bumpy(10, finer=3, seed=seed), random_pose(seed + 50, 2))
    chance = np.random.default_rng(seed)
    corners = a.points_lps[a.mesh.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    weight = chance.dirichlet((1, 1, 1), 15_000)
    chosen = corners[chance.choice(len(corners), 15_000, p=area / area.sum())]
    cloud = np.einsum("ni,nij->nj", weight, chosen)
    deepest = -SignedDistance(b.mesh).at(b.pose.inverse.apply(cloud)).min()
    found = collide(a, b)
    assert found.depth_mm >= deepest - found.error_mm
    assert found.depth_mm <= deepest + 0.25
    at = b.pose.inverse.apply(found.at_lps)[None]
    assert -SignedDistance(b.mesh).at(at)[0] == pytest.approx(found.depth_mm, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_moving_both_changes_nothing(seed):
    a, b = part(rod(2, 30, 32), random_pose(seed, 8)), part(bumpy(10, finer=3))
    motion = random_pose(seed + 9, 900)
    here, there = collide(a, b, 1e-4), collide(a.moved(motion), b.moved(motion), 1e-4)
    assert there.depth_mm == pytest.approx(here.depth_mm, abs=1e-4)
    assert there.clearance_mm == pytest.approx(here.clearance_mm, abs=1e-4)
    assert there.contained == here.contained


def test_clearance_is_the_same_both_ways():
    a, b = part(rod(2, 30, 32), shift(22, 3, 1)), part(bumpy(10, finer=3))
    assert collide(a, b).clearance_mm == pytest.approx(collide(b, a).clearance_mm, abs=0.005)


def test_a_finer_tolerance_is_kept():
    a, b = part(ball(6, (1, 0.5, 0), finer=3)), part(ball(10, finer=3))
    rough, fine = collide(a, b, 0.2), collide(a, b, 0.0005)
    assert fine.error_mm == 0.0005
    assert rough.depth_mm == pytest.approx(fine.depth_mm, abs=0.2)
    assert fine.depth_mm >= rough.depth_mm - 0.0005


def test_a_search_that_ends_early_says_how_far_off_it_can_be(monkeypatch):
    a, b = part(rod(2, 30, 32), shift(0, 0, 1)), part(bumpy(12, finer=4))
    exact = collide(a, b)
    monkeypatch.setattr(clearance, "_MOST_PIECES", 20)
    early = collide(a, b, 0.0001)
    assert early.error_mm > 0.0001
    assert (
        early.depth_mm <= exact.depth_mm + exact.error_mm <= early.depth_mm + early.error_mm + exact.error_mm
    )


# --- manners


def test_what_is_no_solid_is_refused():
    holed = Part(Mesh(CUBE.points, CUBE.triangles[1:]))
    for a, b, which in ((holed, part(CUBE), "first"), (part(CUBE), holed, "second")):
        with pytest.raises(StepFailed, match=f"the {which} body has 3 open"):
            collide(a, b)


def test_two_patient_spaces_are_not_mixed():
    with pytest.raises(Mismatch):
        collide(Part(CUBE, frame_uid="1"), Part(CUBE, frame_uid="2"))


@pytest.mark.parametrize("tolerance", [0, -1, math.nan])
def test_a_tolerance_is_above_zero(tolerance):
    with pytest.raises(StepFailed, match="tolerance"):
        collide(part(CUBE), part(CUBE), tolerance)


def test_inputs_stay_as_they_are():
    a, b = part(rod(2, 30, 24), random_pose(1, 3)), part(bumpy(finer=3))
    before = a.mesh.points.copy(), b.mesh.points.copy()
    collide(a, b)
    assert np.array_equal(before[0], a.mesh.points)
    assert np.array_equal(before[1], b.mesh.points)


def test_two_runs_agree():
    a, b = part(rod(2, 30, 24), random_pose(1, 3)), part(bumpy(finer=3))
    assert collide(a, b) == collide(a, b)
    assert isinstance(collide(a, b), Collision)


def test_a_stop_is_heard_within_a_second():
    stop, asked = Event(), monotonic()

    def report(_fraction: float, _text: str) -> None:
        nonlocal asked
        if stop.is_set():
            raise Cancelled("stopped on request")
        asked = monotonic()
        stop.set()

    with pytest.raises(Cancelled):
        collide(part(rod(2, 30)), part(bumpy(finer=5)), 0.005, report)
    assert monotonic() - asked < 1.0


def test_progress_does_not_go_beyond_the_whole():
    heard: list[float] = []
    collide(part(rod(2, 20), shift(0, 0, 60)), part(bumpy()), report=lambda share, _text: heard.append(share))
    assert heard[0] == 0
    assert all(0 <= share <= 1 for share in heard)


@pytest.mark.slow
def test_no_contact_is_missed_or_made_up_in_many_poses():
    bone, screw = bumpy(10, finer=3), rod(1.5, 20, 32)
    for seed in range(300):
        a, b = part(screw, random_pose(seed, 14)), part(bone, random_pose(seed + 1000, 3))
        found, expected = collide(a, b), judged_gap(a, b)
        assert (found.depth_mm > 0) == (expected == 0), seed
        if expected:
            assert found.clearance_mm == pytest.approx(expected, abs=0.005), seed


@pytest.mark.slow
def test_a_screw_of_ten_thousand_points_in_a_bone_of_a_hundred_thousand_triangles():
    fine = manifold3d.Manifold.cylinder(40, 3, 3, 64).refine_to_length(0.42).to_mesh64()
    screw = Mesh(fine.vert_properties[:, :3].astype(np.float32), fine.tri_verts.astype(np.int32))
    assert len(screw.points) > 8000
    bone = bumpy(25, finer=6)
    began = monotonic()
    found = collide(part(screw, shift(0, 14, -20)), part(bone))
    assert found.depth_mm > 0
    assert monotonic() - began < 20
