import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.algorithms.cutting.planes import cut
from surgiplan.algorithms.solid import boolean, require_solid
from surgiplan.errors import Mismatch, StepFailed
from surgiplan.values import IDENTITY, Mesh, Part, Plane, Pose

from .bodies import SCANNER, ball, box, bumpy, part, random_pose, rod

CUBE = box((0, 0, 0), (10, 20, 30))


def holed(mesh: Mesh) -> Mesh:
    return Mesh(mesh.points, mesh.triangles[1:])


def inverted(mesh: Mesh) -> Mesh:
    return Mesh(mesh.points, mesh.triangles[:, ::-1])


# --- what is a solid


def test_a_closed_mesh_is_a_solid():
    require_solid(CUBE, "the cube")


@pytest.mark.parametrize(
    ("mesh", "words"),
    [
        (holed(CUBE), "3 open"),
        (inverted(CUBE), "inside out"),
        (Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), "no triangles"),
        (Mesh(CUBE.points, np.concatenate([CUBE.triangles, CUBE.triangles[:1]])), "badly joined"),
    ],
)
def test_what_is_no_solid_is_refused_with_the_reason(mesh, words):
    with pytest.raises(StepFailed, match=words) as refused:
        require_solid(mesh, "the bone")
    assert "the bone" in str(refused.value)


@pytest.mark.parametrize("spoil", [holed, inverted])
def test_booleans_and_cuts_refuse_what_is_no_solid(spoil):
    bad, good = Part(spoil(CUBE)), Part(box((5, 5, 5), (15, 15, 15)))
    for a, b in ((bad, good), (good, bad)):
        with pytest.raises(StepFailed, match=r"open|inside out"):
            boolean(a, b, "union")
    with pytest.raises(StepFailed, match=r"open|inside out"):
        cut(bad, Plane((5, 5, 5), (0, 0, 1)), 1, "both")


# --- booleans


@pytest.mark.parametrize(("place", "share"), [(IDENTITY, 1e-6), (SCANNER, 5e-6)])  # float32 at 1.2 m
@pytest.mark.parametrize(
    ("kind", "volume"), [("union", 6000 + 1000 - 250), ("intersection", 250), ("difference", 6000 - 250)]
)
def test_boxes(place, share, kind, volume):
    result = boolean(part(CUBE, place), part(box((5, 10, 25), (15, 20, 35)), place), kind)
    assert result.mesh.volume_mm3 == pytest.approx(volume, rel=share)
    assert result.mesh.watertight
    assert result.pose == IDENTITY


def test_a_result_lies_where_its_bodies_were():
    turn = Pose.of_rotation((0, 0, 1), 90, about=(5, 10, 15))
    result = boolean(part(CUBE, turn), Part(box((-100, -100, -100), (100, 100, 15))), "intersection")
    assert np.allclose(result.bounds_lps, [[-5, 5, 0], [15, 15, 15]], atol=1e-5)


def test_frames_are_kept_and_not_mixed():
    a, b = Part(CUBE, frame_uid="1.2.3"), Part(box((5, 5, 5), (15, 15, 15)))
    assert boolean(a, b, "union").frame_uid == "1.2.3"
    with pytest.raises(Mismatch):
        boolean(a, Part(b.mesh, frame_uid="1.2.4"), "union")


def test_steinmetz_p9():
    radius, facets = 8.0, 512
    rod_z = rod(radius, 40, facets)
    crossed = boolean(part(rod_z), part(rod_z, Pose.of_rotation((1, 0, 0), 90)), "intersection")
    assert crossed.mesh.volume_mm3 == pytest.approx(16 * radius**3 / 3, rel=1e-4)


@pytest.mark.parametrize("radius", [12.0, 20.0])
def test_napkin_ring_p8_does_not_depend_on_the_sphere(radius):
    height = 10.0
    drill = rod(math.sqrt(radius**2 - height**2 / 4), 60, 512)
    ring = boolean(part(ball(radius, finer=6)), part(drill), "difference")
    assert ring.mesh.volume_mm3 == pytest.approx(math.pi * height**3 / 6, rel=0.02)
    assert ring.mesh.euler_number == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_volumes_of_random_pairs_add_up(seed):
    a, b = part(bumpy(finer=3), SCANNER), part(rod(6, 50, 64), random_pose(seed, 12), SCANNER)
    union, shared = boolean(a, b, "union").mesh, boolean(a, b, "intersection").mesh
    rest = boolean(a, b, "difference").mesh
    both = a.mesh.volume_mm3 + b.mesh.volume_mm3
    assert union.volume_mm3 + shared.volume_mm3 == pytest.approx(both, rel=1e-6)
    assert rest.volume_mm3 + shared.volume_mm3 == pytest.approx(a.mesh.volume_mm3, rel=1e-6)
    assert union.watertight
    assert shared.watertight
    assert rest.watertight


def test_nothing_in_common_tells_the_distance():
    with pytest.raises(StepFailed, match=r"3\.000 mm apart"):
        boolean(part(CUBE), part(CUBE, Pose.of_shift((13, 0, 0))), "intersection")


def test_bodies_that_only_touch_have_nothing_in_common():
    with pytest.raises(StepFailed, match=r"0\.000 mm apart"):
        boolean(part(CUBE), part(CUBE, Pose.of_shift((10, 0, 0))), "intersection")


def test_nothing_left_of_a_covered_body():
    with pytest.raises(StepFailed, match="covers the first"):
        boolean(part(box((1, 1, 1), (2, 2, 2))), part(CUBE), "difference")


@pytest.mark.parametrize(("place", "share"), [(IDENTITY, 1e-6), (SCANNER, 5e-6)])
def test_coplanar_cubes_join_to_one_body(place, share):
    joined = boolean(part(CUBE, place), part(CUBE, Pose.of_shift((10, 0, 0)), place), "union").mesh
    assert joined.volume_mm3 == pytest.approx(12000, rel=share)
    assert joined.euler_number == 2
    inner = boolean(part(CUBE, place), part(CUBE, place), "intersection").mesh
    assert inner.volume_mm3 == pytest.approx(6000, rel=share)


def test_nearly_coplanar_cubes():
    a, b = part(CUBE), part(CUBE, Pose.of_shift((1e-6, 0, 0)))
    assert boolean(a, b, "union").mesh.volume_mm3 == pytest.approx(6000, rel=1e-6)
    assert boolean(a, b, "intersection").mesh.volume_mm3 == pytest.approx(6000, rel=1e-6)


@pytest.mark.parametrize("place", [IDENTITY, SCANNER])
def test_a_bone_and_itself_shifted_by_almost_nothing(place):
    bone = bumpy(finer=5)
    a, b = part(bone, place), part(bone, place, Pose.of_shift((1e-5, 1e-5, 1e-5)))
    for kind in ("union", "intersection"):
        mesh = boolean(a, b, kind).mesh
        assert mesh.volume_mm3 == pytest.approx(bone.volume_mm3, rel=3e-6)
        assert mesh.watertight


def test_a_result_thinner_than_float32_is_refused():
    a, b = part(CUBE, SCANNER), part(CUBE, Pose.of_shift((1e-6, 0, 0)), SCANNER)
    with pytest.raises(StepFailed, match="thinner than can be stored"):
        boolean(a, b, "difference")


def test_no_edge_of_a_result_has_length_zero():
    bone = bumpy(finer=5)
    mesh = boolean(part(bone, SCANNER), part(bone, SCANNER, Pose.of_shift((1e-3, 0, 0))), "union").mesh
    corners = mesh.points[mesh.triangles]
    assert (np.abs(corners - np.roll(corners, 1, axis=1)).max(axis=2) > 0).all()


def test_inputs_stay_as_they_are():
    a, b = part(bumpy(), SCANNER), part(rod(5, 60), SCANNER)
    before = a.mesh.digest, b.mesh.digest
    boolean(a, b, "difference")
    cut(a, Plane((312, -845, 1204), (0, 0, 1)), 1, "a")
    assert (
        Mesh(a.mesh.points, a.mesh.triangles).digest,
        Mesh(b.mesh.points, b.mesh.triangles).digest,
    ) == before
