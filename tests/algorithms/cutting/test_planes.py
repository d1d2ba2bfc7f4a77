import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.algorithms.cutting import planes, section
from surgiplan.algorithms.cutting.filling import swept
from surgiplan.algorithms.cutting.planes import cut
from surgiplan.algorithms.solid import boolean
from surgiplan.errors import StepFailed
from surgiplan.values import IDENTITY, Mesh, Part, Plane
from tests.algorithms.bodies import SCANNER, ball, box, bumpy, part, rod

CUBE = box((0, 0, 0), (10, 20, 30))


@pytest.mark.parametrize(("side", "a", "b"), [("a", 14, 15), ("b", 15, 14), ("both", 14.5, 14.5)])
def test_the_kerf_is_taken_from_its_side(side, a, b):
    pieces = cut(Part(CUBE, frame_uid="9"), Plane((0, 0, 15), (0, 0, 1)), 1.0, side)
    assert pieces.a.mesh.volume_mm3 == pytest.approx(200 * a, rel=1e-6)
    assert pieces.b.mesh.volume_mm3 == pytest.approx(200 * b, rel=1e-6)
    assert pieces.kerf.mesh.volume_mm3 == pytest.approx(200, rel=1e-6)
    assert np.allclose(pieces.a.bounds_lps[0, 2], 30 - a)
    assert np.allclose(pieces.b.bounds_lps[1, 2], b)
    assert {one.frame_uid for one in (pieces.a, pieces.b, pieces.kerf)} == {"9"}


def test_a_cut_without_thickness_has_no_kerf():
    pieces = cut(Part(CUBE), Plane((0, 0, 12), (0, 0, -2)), 0, "both")
    assert not len(pieces.kerf.mesh.triangles)
    assert pieces.a.mesh.volume_mm3 == pytest.approx(2400, rel=1e-6)
    assert pieces.b.mesh.volume_mm3 == pytest.approx(3600, rel=1e-6)


@pytest.mark.parametrize("offset", [-15.0, 0.0, 12.0])
def test_sphere_cap_p7(offset):
    radius = 20.0
    normal = np.array([1.0, 2.0, 2.0]) / 3
    sphere = ball(radius, finer=6)
    pieces = cut(part(sphere, SCANNER), Plane(normal * offset, normal).moved(SCANNER), 0, "a")
    height = radius - offset
    assert pieces.a.mesh.volume_mm3 == pytest.approx(
        math.pi * height**2 * (3 * radius - height) / 3, rel=5e-4
    )
    disc = (pieces.a.mesh.area_mm2 + pieces.b.mesh.area_mm2 - sphere.area_mm2) / 2
    assert disc == pytest.approx(math.pi * (radius**2 - offset**2), rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    side=st.sampled_from(["a", "b", "both"]),
    kerf=st.sampled_from([0, 0.4, 1.5]),
)
def test_random_cuts_keep_the_volume_and_their_sides(seed, side, kerf):
    chance = np.random.default_rng(seed)
    bone = part(bumpy(finer=4), SCANNER)
    plane = Plane(SCANNER.apply(chance.uniform(-6, 6, 3)), chance.normal(size=3))
    pieces = cut(bone, plane, kerf, side)
    made = [one for one in (pieces.a, pieces.b, pieces.kerf) if len(one.mesh.triangles)]
    assert len(made) == (3 if kerf else 2)
    assert sum(one.mesh.volume_mm3 for one in made) == pytest.approx(bone.mesh.volume_mm3, rel=1e-6)
    assert all(one.mesh.watertight and one.pose == IDENTITY for one in made)
    into_a = {"a": kerf, "b": 0, "both": kerf / 2}[side]
    assert plane.distance(pieces.a.points_lps).min() == pytest.approx(into_a, abs=2e-4)
    assert plane.distance(pieces.b.points_lps).max() == pytest.approx(into_a - kerf, abs=2e-4)


def test_a_plane_that_misses_tells_by_how_much():
    with pytest.raises(StepFailed, match=r"misses the body by 7\.500 mm"):
        cut(Part(CUBE), Plane((0, 0, 37.5), (0, 0, 1)), 1, "a")
    with pytest.raises(StepFailed, match=r"misses the body by 2\.000 mm"):
        cut(Part(CUBE), Plane((-2, 0, 0), (1, 0, 0)), 1, "a")
    with pytest.raises(StepFailed, match=r"misses the body by 0\.000 mm"):
        cut(Part(CUBE), Plane((0, 0, 30), (0, 0, 1)), 1, "b")


@pytest.mark.parametrize(("side", "height"), [("a", 29.5), ("b", 0.5), ("both", 29.8)])
def test_a_blade_that_swallows_a_side_is_refused(side, height):
    with pytest.raises(StepFailed, match="leaves nothing on side"):
        cut(Part(CUBE), Plane((0, 0, height), (0, 0, 1)), 1.0, side)


@pytest.mark.parametrize("kerf", [-0.1, math.nan, math.inf])
def test_a_blade_has_a_thickness(kerf):
    with pytest.raises(StepFailed, match="mm thick"):
        cut(Part(CUBE), Plane((0, 0, 15), (0, 0, 1)), kerf, "a")


def test_there_must_be_something_to_cut():
    with pytest.raises(StepFailed, match="nothing to cut"):
        cut(Part(Mesh(np.zeros((0, 3)), np.zeros((0, 3), int))), Plane((0, 0, 0), (0, 0, 1)), 1, "a")


def test_a_bone_with_a_canal_is_capped_with_a_ring():
    tube = boolean(part(rod(10, 60)), part(rod(4, 80)), "difference")
    pieces = cut(tube, Plane((0, 0, 5), (0, 0, 1)), 1.0, "both")
    assert pieces.kerf.mesh.volume_mm3 == pytest.approx(math.pi * (100 - 16), rel=1e-3)
    assert pieces.kerf.mesh.euler_number == 0


def test_points_that_no_triangle_uses_go_into_no_piece():
    bone = bumpy(finer=3)
    stray = np.float32([[400, 0, 0], [0, 0, 300], [0, 0, 0.1]])
    order = np.random.default_rng(0).permutation(len(bone.points) + 3)
    points, number = np.concatenate([bone.points, stray])[np.argsort(order)], order.astype(np.int32)
    pieces = cut(Part(Mesh(points, number[bone.triangles])), Plane((0, 0, 0), (0.1, 0.2, 1)), 1.0, "both")
    for piece in (pieces.a, pieces.b, pieces.kerf):
        assert len(np.unique(piece.mesh.triangles)) == len(piece.mesh.points)
        assert np.abs(piece.bounds_lps).max() < 40


def test_a_body_far_from_the_origin_is_cut_through_its_smallest_triangles():
    """Where float32 is as coarse as the triangles, points of a rim become one, with corners too."""
    shape = bumpy(2, finer=5)
    bone = Part(Mesh(shape.points + np.float32([2000, -3000, 2500]), shape.triangles))
    for turn in np.linspace(0, 1, 12):
        pieces = cut(bone, Plane((2000, -3000, 2500 + turn), (turn, 1 - turn, 0.3)), 0.02, "both")
        made = [one.mesh for one in (pieces.a, pieces.b, pieces.kerf)]
        assert all(one.watertight and one.volume_mm3 > 0 for one in made)
        assert all(len(np.unique(one.triangles)) == len(one.points) for one in made)
        assert sum(one.volume_mm3 for one in made) == pytest.approx(bone.mesh.volume_mm3, rel=1e-6)


def backwards(flat, follower):
    """A filling of which one triangle faces the other way."""
    found = swept(flat, follower)
    found[0] = found[0, ::-1]
    return found


@pytest.mark.parametrize(
    "wrong", [backwards, lambda *loops: swept(*loops)[:-1], lambda *loops: swept(*loops)[:0]]
)
def test_a_wrong_filling_is_noticed_and_done_by_the_engine(wrong, monkeypatch):
    bone, plane = part(bumpy()), Plane((0, 0, 1), (0.1, 0.2, 1))
    due = cut(bone, plane, 1.0, "both")
    monkeypatch.setattr(section, "swept", wrong)
    monkeypatch.setattr(planes, "_split", None)  # the quick way goes on
    found = cut(bone, plane, 1.0, "both")
    for one, other in ((due.a, found.a), (due.b, found.b), (due.kerf, found.kerf)):
        assert other.mesh.watertight
        assert other.mesh.volume_mm3 == pytest.approx(one.mesh.volume_mm3, rel=1e-7)
        assert other.mesh.area_mm2 == pytest.approx(one.mesh.area_mm2, rel=1e-7)
