"""Smoothed, decimated and remeshed surfaces: clean solids that say truly how far they have moved."""

import fast_simplification
import numpy as np
import pytest

from surgiplan.algorithms.change import change_of, farthest, require_clean
from surgiplan.algorithms.crossing import crossings
from surgiplan.algorithms.decimate import _Search, decimate
from surgiplan.algorithms.masks.parts import largest_parts
from surgiplan.algorithms.remesh import edges_mm, remesh
from surgiplan.algorithms.segment import threshold
from surgiplan.algorithms.smooth import smooth, uncrossed
from surgiplan.algorithms.surface import grey_surface, voxel_surface
from surgiplan.errors import StepFailed
from surgiplan.phantoms import ShellPhantom, SpherePhantom, TorusPhantom
from surgiplan.values import Mesh, Part
from tests.ops.shapes import CENTRE, ball, beside, box, holed, inside_out, joined

SPHERE, TORUS = SpherePhantom(radius_mm=14.0), TorusPhantom(ring_radius_mm=18.0, tube_radius_mm=7.0)
SHELL = ShellPhantom(outer_radius_mm=14.0, thickness_mm=4.0)


def scanned(phantom, **scanner) -> Part:
    volume = phantom.volume((1.0, 0.8, 0.8), **scanner)
    return grey_surface(volume, largest_parts(threshold(volume, phantom.level_hu, 5000)), way="grey")


def clean(part: Part) -> bool:
    mesh = part.mesh
    return mesh.watertight and mesh.volume_mm3 > 0 and len(crossings(mesh)) == 0


# -- the change -----------------------------------------------------------------------------------


def test_the_change_between_two_balls_is_the_difference_of_their_radii() -> None:
    small, large = ball(12.0, rings=80).mesh, ball(12.5, rings=80).mesh
    found = change_of(small, large)
    assert (found.mean_mm, found.p95_mm, found.max_mm) == pytest.approx((0.5, 0.5, 0.5), abs=0.01)
    assert found.shift_mm == pytest.approx(0.5, abs=0.01)
    assert found.volume_percent == pytest.approx(100 * ((12.5 / 12) ** 3 - 1), abs=0.01)
    assert change_of(large, small).shift_mm == pytest.approx(-0.5, abs=0.01)


def test_the_change_sees_what_only_one_of_both_surfaces_has() -> None:
    """A second ball: from the first alone it is not seen, but the way back reaches it."""
    one, two = ball(), joined(ball(), ball(2.0, beside(CENTRE, 20, 0, 0)))
    there, back = change_of(one.mesh, two.mesh), change_of(two.mesh, one.mesh)
    assert there.max_mm == back.max_mm == pytest.approx(10.0, abs=0.05)
    assert farthest(one.mesh, two.mesh) == pytest.approx(10.0, abs=0.05)


def test_a_surface_that_is_open_or_crosses_itself_is_refused() -> None:
    with pytest.raises(StepFailed, match="open"):
        require_clean(holed(ball()).mesh)
    with pytest.raises(StepFailed, match=r"runs through itself in \d+ places"):
        require_clean(joined(ball(), ball(8.0, beside(CENTRE, 10, 0, 0))).mesh)


# -- smoothing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["windowed-sinc", "taubin"])
@pytest.mark.parametrize("phantom", [SPHERE, TORUS, SHELL])
def test_smoothing_keeps_volume_and_place(phantom, kind) -> None:
    """VALIDITY 8, and it comes nearer to the truth than the noisy surface was."""
    rough = scanned(phantom, noise_hu=60)
    for strength in (0.25, 0.5, 1.0):
        smoothed = smooth(rough, kind, strength)
        assert clean(smoothed)
        assert smoothed.change.volume_percent == pytest.approx(0, abs=0.01)
        assert abs(smoothed.change.shift_mm) <= 0.01
        before, after = (np.abs(phantom.surface_distance(p.points_lps)).mean() for p in (rough, smoothed))
        assert after < 0.8 * before
        assert smoothed.mesh.volume_mm3 == pytest.approx(rough.mesh.volume_mm3, rel=1e-4)
        assert smoothed.deviation is None


def test_where_smoothing_would_cross_a_wall_it_is_taken_back() -> None:
    before = ball().mesh
    moved = before.points.copy()
    moved[300] += 2.2 * (np.asarray(CENTRE, np.float32) - moved[300])
    after = Mesh(moved, before.triangles)
    assert len(crossings(after)) > 0
    found = uncrossed(before, after)
    assert found is not None
    assert len(crossings(found)) == 0


def test_an_open_shape_is_not_smoothed() -> None:
    for broken in (holed(ball()), inside_out(ball())):
        with pytest.raises(StepFailed, match="Repair it first"):
            smooth(broken)


# -- decimation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("within", [0.02, 0.1])
@pytest.mark.parametrize("phantom", [SPHERE, SHELL])
def test_decimation_keeps_its_bound_both_ways(phantom, within) -> None:
    """Judged at other places than those the search looked at."""
    part = phantom.mesh(0.8)
    few = decimate(part, within)
    assert clean(few)
    assert few.mesh.euler_number == part.mesh.euler_number
    assert len(few.mesh.triangles) < 0.7 * len(part.mesh.triangles)
    assert farthest(few.mesh, part.mesh, most=300_000) <= within
    assert few.change.max_mm <= within
    assert f"{len(part.mesh.triangles)} triangles made {len(few.mesh.triangles)}" in few.change.done[0]


def test_flat_sides_need_hardly_any_triangles() -> None:
    split = remesh(box(), 2.0)
    few = decimate(split, 0.05)
    assert len(few.mesh.triangles) < len(split.mesh.triangles) / 3


def test_a_few_places_that_need_their_triangles_do_not_hold_up_the_rest() -> None:
    """Thin spikes on a ball, higher than the bound: a smaller share of the triangles goes there alone."""
    block = SPHERE.mesh(1.2)
    points = block.mesh.points.copy()
    spikes = np.random.default_rng(1).integers(0, len(points), 12)
    points[spikes] += 0.06 * (points[spikes] - block.mesh.bounds.mean(axis=0))
    spiky = Part(Mesh(points, block.mesh.triangles), frame_uid=block.frame_uid)
    plain, few = (decimate(part, 0.1) for part in (block, spiky))
    assert clean(few)
    assert farthest(few.mesh, spiky.mesh, most=300_000) <= 0.1
    assert len(few.mesh.triangles) < 1.5 * len(plain.mesh.triangles)


def test_corners_that_flew_away_when_collapses_were_taken_back_are_brought_back() -> None:
    """In flat places the place of least error may lie anywhere once other collapses went before it."""
    stepped = voxel_surface(largest_parts(threshold(TORUS.volume((0.8, 0.8, 0.8)), TORUS.level_hu, 5000)))
    search, triangles = _Search(stepped.mesh, 0.05), stepped.mesh.triangles
    least, most = search._points.min(axis=0) - 1.0, search._points.max(axis=0) + 1.0
    _, _, collapses = fast_simplification.simplify(
        search._points, triangles.copy(), target_count=len(triangles) // 2, agg=5, return_collapses=True
    )
    some = np.ascontiguousarray(collapses[np.random.default_rng(0).random(len(collapses)) > 0.05])
    wild, _, _ = fast_simplification.replay_simplification(search._points, triangles.copy(), some)
    assert ((wild < least) | (wild > most)).any()
    tame, _, kept = search._replayed(some)
    assert ((tame > least) & (tame < most)).all()
    assert 0.9 * len(some) < len(kept) < len(some)


def test_no_room_and_no_solid_are_refused() -> None:
    with pytest.raises(StepFailed, match="above 0 mm"):
        decimate(ball(), 0.0)
    with pytest.raises(StepFailed, match="Repair it first"):
        decimate(holed(ball()), 0.1)


# -- remeshing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("phantom", "euler"), [(SPHERE, 2), (TORUS, 0), (SHELL, 4)])
def test_remeshing_makes_edges_of_one_length(phantom, euler) -> None:
    part = phantom.mesh(1.2)
    even = remesh(part, 1.4)
    lengths = edges_mm(even.mesh)
    assert clean(even)
    assert even.mesh.euler_number == euler
    assert lengths.mean() == pytest.approx(1.4, rel=0.1)
    assert lengths.std() < 0.25 * lengths.mean()
    assert even.change.max_mm < 0.12
    assert abs(even.change.volume_percent) < 1.5


def test_walls_that_edges_cannot_follow_are_no_silent_loss() -> None:
    with pytest.raises(StepFailed, match="Choose shorter edges"):
        remesh(ShellPhantom(outer_radius_mm=14.0, thickness_mm=0.6).mesh(0.5), 3.0)
    with pytest.raises(StepFailed, match="too short"):
        remesh(ball(), 0.05)
