import math

import numpy as np
import pytest

from surgiplan.algorithms.cutting.path import direction_to, into_bone, normals_at, saw
from surgiplan.algorithms.cutting.ribbon import ribbon, smooth_path
from surgiplan.algorithms.solid import boolean
from surgiplan.errors import StepFailed
from surgiplan.values import FloatArray, Part
from tests.algorithms.bodies import SCANNER, ball, box, part

BLOCK = box((0, 0, 0), (40, 30, 20))
DOWN = np.array((0.0, 0.0, -1.0))
HALVES = (0.5, 0.5)


def blade(points, depth, kerf=HALVES, above=2.0, **more):
    path = SCANNER.apply(np.array(points, float))
    into = np.broadcast_to(SCANNER.rotation @ DOWN, path.shape)
    return ribbon(path, into, kerf, (above, depth), **more)


def volumes(cut) -> list[float]:
    return [one.mesh.volume_mm3 for one in (cut.a, cut.b, cut.kerf)]


def test_a_straight_path_through_all_is_a_plane_cut():
    """40 x 30 x 20 mm, sawn at y = 12 with a blade of 1 mm from the top to below the bottom."""
    bone = part(BLOCK, SCANNER)
    cut = saw(bone, blade([(-2, 12, 20), (42, 12, 20)], 22), "part")
    assert volumes(cut) == pytest.approx([40 * 20 * 17.5, 40 * 20 * 11.5, 40 * 20 * 1], rel=1e-5)
    assert sum(volumes(cut)) == pytest.approx(bone.mesh.volume_mm3, rel=1e-9)
    back = SCANNER.inverse.apply(cut.a.points_lps)
    assert back[:, 1].min() == pytest.approx(12.5, abs=1e-4)  # a lies on the left of a path along x


@pytest.mark.parametrize(("kerf", "a", "b"), [((1, 0), 17, 12), ((0, 1), 18, 11)])
def test_the_kerf_is_taken_from_its_side(kerf, a, b):
    cut = saw(part(BLOCK, SCANNER), blade([(-2, 12, 20), (42, 12, 20)], 22, kerf), "part")
    assert volumes(cut) == pytest.approx([800 * a, 800 * b, 800], rel=1e-5)


def test_a_limited_cut_leaves_one_body_with_a_slot():
    """10 mm long, 8 mm deep, 1 mm thick, in the middle of the upper face."""
    bone = part(BLOCK, SCANNER)
    cut = saw(bone, blade([(10, 15, 20), (20, 15, 20)], 8), "slot")
    assert cut.kerf.mesh.volume_mm3 == pytest.approx(80, rel=1e-4)
    assert cut.a.mesh.volume_mm3 == pytest.approx(24000 - 80, rel=1e-6)
    assert cut.a.mesh.euler_number == 2
    assert not len(cut.b.mesh.triangles)


def test_a_cut_that_does_not_part_the_bone_says_so():
    with pytest.raises(
        StepFailed, match=r"does not part the bone: a body of 23\.\d\d cm³ still hangs together"
    ):
        saw(part(BLOCK, SCANNER), blade([(-2, 12, 20), (42, 12, 20)], 15), "part")


def test_a_slot_that_parts_the_bone_says_so():
    with pytest.raises(StepFailed, match="The slot parts the bone into 2 bodies"):
        saw(part(BLOCK, SCANNER), blade([(-2, 12, 20), (42, 12, 20)], 22), "slot")


def test_a_saw_that_misses_tells_how_far():
    with pytest.raises(StepFailed, match=r"misses the body by 10\.000 mm"):
        saw(part(BLOCK, SCANNER), blade([(-1, 12, 40), (41, 12, 40)], 10), "part")


STEP = [(-3, 8, 20), (15, 8, 20), (15, 20, 20), (43, 20, 20)]
CHEVRON = [(-3, 8, 20), (20, 22, 20), (43, 8, 20)]


@pytest.mark.parametrize("points", [STEP, CHEVRON])
def test_the_kerf_of_steps_and_chevrons(points):
    """The kerf is the length of the path within the block times its thickness, a mitre at each bend."""
    bone = part(BLOCK, SCANNER)
    cut = saw(bone, blade(points, 22), "part")
    path = np.array(points)[:, :2]
    legs = np.diff(path, axis=0)
    over = sum(3 / abs(leg[0]) * np.linalg.norm(leg) for leg in (legs[0], legs[-1]))
    length = np.linalg.norm(legs, axis=1).sum() - over
    assert cut.kerf.mesh.volume_mm3 == pytest.approx(length * 20, rel=1e-5)
    assert sum(volumes(cut)) == pytest.approx(bone.mesh.volume_mm3, rel=1e-9)


def test_a_step_leaves_the_area_on_each_side():
    """Below the step: 15.5 x 7.5 and 24.5 x 19.5 mm (the kerf of 1 mm lies half on each side)."""
    cut = saw(part(BLOCK, SCANNER), blade(STEP, 22), "part")
    below = 15.5 * 7.5 + 24.5 * 19.5
    assert cut.b.mesh.volume_mm3 == pytest.approx(below * 20, rel=1e-5)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([(0, 12, 20)], "path of 1 points"),
        ([(0, 12, 20), (0, 12, 20)], "are the same"),
        ([(0, 12, 20), (0, 12, 5)], "runs along the blade"),
        ([(0, 12, 20), (20, 12, 20), (1, 13, 20)], "turns back on itself at point 2"),
        (
            [(0, 5, 20), (30, 5, 20), (30, 20, 20), (15, 20, 20), (15, -9, 20)],
            "crosses itself between points 1",
        ),
    ],
)
def test_paths_that_no_saw_can_follow(points, words):
    with pytest.raises(StepFailed, match=words):
        blade(points, 10)


# --- closed curves


def ring(radius: float, at: FloatArray, count: int = 12) -> FloatArray:
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([at[0] + radius * np.cos(turn), at[1] + radius * np.sin(turn), 0 * turn + at[2]], axis=1)


@pytest.mark.parametrize("turned", [1, -1])
def test_a_box_is_sawn_out_exactly_whichever_way_it_is_clicked(turned):
    corners = np.array([(10, 8, 20), (24, 8, 20), (24, 18, 20), (10, 18, 20)])[::turned]
    bone = part(BLOCK, SCANNER)
    cut = saw(bone, blade(corners, 22, (0.0, 1.0), closed=True), "part")
    assert cut.a.mesh.volume_mm3 == pytest.approx(14 * 10 * 20, rel=1e-5)
    assert cut.kerf.mesh.volume_mm3 == pytest.approx((16 * 12 - 140) * 20, rel=1e-5)
    assert cut.b.mesh.euler_number == 0
    assert sum(volumes(cut)) == pytest.approx(bone.mesh.volume_mm3, rel=1e-9)


def test_a_bevel_makes_the_lid_narrower_with_the_depth():
    """A frustum: 14 x 10 mm above, tan(8 degrees) x 20 mm less on each side below."""
    corners = [(13, 10, 20), (27, 10, 20), (27, 20, 20), (13, 20, 20)]
    lean, depth = math.tan(math.radians(8)), 20.0
    cut = saw(part(BLOCK, SCANNER), blade(corners, 22, (0.0, 1.0), closed=True, bevel_deg=8), "part")
    top, bottom = 14 * 10, (14 - 2 * lean * depth) * (10 - 2 * lean * depth)
    middle = (14 - lean * depth) * (10 - lean * depth)
    assert cut.a.mesh.volume_mm3 == pytest.approx((top + 4 * middle + bottom) / 6 * depth, rel=1e-5)


def skull(outer: float = 80.0, thick: float = 6.0) -> Part:
    return boolean(part(ball(outer, finer=6)), part(ball(outer - thick, finer=6)), "difference")


def test_a_craniotomy_along_the_normals_of_a_ball_is_a_sector():
    """A cone of 25 degrees to the axis cuts 2 pi (1 - cos) (R^3 - r^3) / 3 out of a shell."""
    bone = skull()
    slope = math.radians(25)
    at = (0.0, 0.0, 80 * math.cos(slope))
    marks = ring(80 * math.sin(slope), at, 24)
    line = smooth_path(marks, closed=True)
    into = into_bone(bone, marks, line, even=False)
    cut = saw(bone, ribbon(line, into, (0.0, 1.0), (3.0, 9.0), closed=True), "part")
    sector = 2 * math.pi * (1 - math.cos(slope)) * (80**3 - 74**3) / 3
    assert cut.a.mesh.volume_mm3 == pytest.approx(sector, rel=4e-3)
    assert cut.a.mesh.euler_number == 2
    assert sum(volumes(cut)) == pytest.approx(bone.mesh.volume_mm3, rel=1e-9)


def test_a_window_that_is_too_shallow_says_so():
    bone = skull()
    marks = ring(30, (0, 0, math.sqrt(80**2 - 30**2)))
    line = smooth_path(marks, closed=True)
    into = into_bone(bone, marks, line, even=True)
    with pytest.raises(StepFailed, match=r"does not part the bone.*Saw deeper"):
        saw(bone, ribbon(line, into, HALVES, (3.0, 3.0), closed=True), "part")


def test_normals_point_out_of_the_bone():
    marks = ring(30, (0, 0, math.sqrt(80**2 - 30**2)))
    outwards = normals_at(skull(), marks)
    assert (np.einsum("ni,ni->n", outwards, marks / 80) > math.cos(math.radians(2))).all()
    with pytest.raises(StepFailed, match=r"Point 1 lies \d+\.\d mm off the bone"):
        normals_at(skull(), [(0, 0, 120)])


def test_a_smooth_path_goes_through_its_points():
    marks = ring(20, (3, 4, 5), 10)
    line = smooth_path(marks, closed=True)
    assert np.linalg.norm(line[:, :2] - (3, 4), axis=1) == pytest.approx(20, abs=0.02)
    assert max(np.linalg.norm(line - mark, axis=1).min() for mark in marks) < 0.6


def test_a_saw_needs_a_direction():
    with pytest.raises(StepFailed, match="has no direction"):
        direction_to([(0, 0, 0), (2, 0, 0)], (1, 0, 0))
    assert direction_to([(0, 0, 0), (2, 0, 0)], (1, 0, -9)) == pytest.approx([0, 0, -1])
