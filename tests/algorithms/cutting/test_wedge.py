import math

import numpy as np
import pytest

from surgiplan.algorithms.cutting.wedge import Hinge, closing, opening
from surgiplan.errors import StepFailed
from surgiplan.phantoms import Femur
from surgiplan.values import FloatArray, Part, Pose
from tests.algorithms.bodies import SCANNER, box, part, rod

R, LENGTH = 15.0, 60.0


def at(*points) -> list[tuple[float, float, float]]:
    return [tuple(map(float, SCANNER.apply(point))) for point in points]


def hinge(x: float = -R, moving: float = -20.0) -> Hinge:
    first, second, cortex, seed = at((x, -5, 0), (x, 5, 0), (R, 0, 0), (0, 0, moving))
    return Hinge.of((first, second), cortex, seed)


def tibia(facets: int = 512) -> Part:
    return part(rod(R, LENGTH, facets), SCANNER)


def plane_of(piece: Part, normal: FloatArray, near: FloatArray) -> FloatArray:
    """The mean unit normal of the faces of a piece within 25 degrees of a direction, near a place."""
    corners = piece.points_lps[piece.mesh.triangles]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(areas, axis=1)
    facing = areas @ normal > size * math.cos(math.radians(25))
    close = np.linalg.norm(corners.mean(axis=1) - near, axis=1) < 2 * R
    total = areas[facing & close].sum(axis=0)
    return total / np.linalg.norm(total)


@pytest.mark.parametrize("degrees", [3.0, 10.0, 17.5])
@pytest.mark.parametrize("kerf", [0.0, 1.0])
def test_p10_an_opening_wedge_opens_by_what_was_planned(degrees, kerf):
    bone, joint = tibia(), hinge()
    done = opening(bone, joint, degrees, kerf, "both")
    up = SCANNER.rotation @ np.array((0.0, 0.0, 1.0))
    low, high = plane_of(done.fixed, -up, joint.origin), plane_of(done.moved, up, joint.origin)
    measured = math.degrees(math.atan2(np.linalg.norm(np.cross(low, -high)), low @ -high))
    assert measured == pytest.approx(degrees, abs=0.01)
    assert done.angle.value == pytest.approx(degrees, abs=1e-9)
    assert done.gap.value == pytest.approx(2 * 2 * R * math.sin(math.radians(degrees / 2)), abs=0.01)
    pieces = (done.fixed, done.moved, done.taken, done.kerf)
    assert sum(one.mesh.volume_mm3 for one in pieces) == pytest.approx(bone.mesh.volume_mm3, rel=1e-9)
    assert done.kerf.mesh.volume_mm3 == pytest.approx(kerf * math.pi * R**2, rel=1e-3)


@pytest.mark.parametrize("degrees", [4.0, 12.0])
def test_p10_a_closing_wedge_takes_out_the_ungula(degrees):
    """A wedge through the axis of the cylinder: V = 2/3 r^3 tan(theta)."""
    bone, joint = tibia(), hinge(0.0)
    done = closing(bone, joint, degrees, 0.0)
    assert done.taken.mesh.volume_mm3 == pytest.approx(
        2 / 3 * R**3 * math.tan(math.radians(degrees)), rel=1e-3
    )
    pieces = (done.fixed, done.moved, done.taken)
    assert sum(one.mesh.volume_mm3 for one in pieces) == pytest.approx(bone.mesh.volume_mm3, rel=1e-9)
    assert done.moved.pose.degrees == pytest.approx(degrees, abs=1e-9)
    up = joint.moving
    edge = done.moved.points_lps
    sawn = (edge - joint.origin) @ joint.outwards > 5
    assert ((edge[sawn] - joint.origin) @ up).min() == pytest.approx(
        0, abs=1e-4
    )  # it closes on the fixed piece
    assert ((done.fixed.points_lps - joint.origin) @ up).max() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("kind", ["opening", "closing"])
def test_p19_a_distal_femur_is_realigned_as_planned(kind):
    """Frontal correction of 9 degrees above the condyles: the sawn faces, and where the knee comes to lie."""
    femur = Femur()
    bone = femur.mesh(2.0)
    first, second, cortex, knee = (
        femur.pose.apply(p) for p in ((20, -30, 70), (20, 30, 70), (-24, 0, 74), (0, 0, 0))
    )
    joint = Hinge.of((tuple(first), tuple(second)), tuple(cortex), tuple(knee))
    done = opening(bone, joint, 9.0, 1.0, "both") if kind == "opening" else closing(bone, joint, 9.0, 1.0)
    opens = kind == "opening"
    low = -joint.moving if opens else -(joint.turn(9.0).rotation @ joint.moving)  # out of the moving piece
    fixed = face(done.fixed, joint.moving, 0.5 * opens, joint)
    moved = done.moved.pose.rotation @ face(Part(done.moved.mesh), low, 0.5 * opens, joint)
    between = math.degrees(math.atan2(np.linalg.norm(np.cross(fixed, moved)), fixed @ -moved))
    assert between == pytest.approx(9.0 if opens else 0.0, abs=0.01)
    axis = (second - first) / np.linalg.norm(second - first)
    sense = math.copysign(1, axis @ np.cross(joint.outwards, joint.moving))
    turn = Pose.of_rotation(sense * axis, 9.0 if opens else -9.0, first)
    corners = done.moved.mesh.points
    assert np.abs(done.moved.points_lps - turn.apply(corners)).max() < 0.01
    nearest = corners[np.linalg.norm(corners - knee, axis=1).argmin()]
    assert done.moved.pose.apply(nearest) == pytest.approx(turn.apply(nearest), abs=0.01)


def face(piece: Part, outwards: FloatArray, below: float, joint: Hinge) -> FloatArray:
    """The outward unit normal of a plane fitted to the points of a sawn face, so far below the cut."""
    off = piece.points_lps - joint.origin
    sawn = (np.abs(off @ outwards + below) < 2e-3) & (off @ joint.outwards > 2.0)
    assert sawn.sum() > 20
    on = off[sawn]
    normal = np.linalg.svd(on - on.mean(axis=0), full_matrices=False)[2][2]
    return normal * math.copysign(1, normal @ outwards)


def test_the_kerf_of_a_closing_wedge_lies_within_it():
    bone, joint = tibia(), hinge()
    bare, sawn = closing(bone, joint, 10, 0.0), closing(bone, joint, 10, 1.0)
    assert sawn.taken.mesh.volume_mm3 + sawn.kerf.mesh.volume_mm3 == pytest.approx(
        bare.taken.mesh.volume_mm3, rel=1e-6
    )
    assert sawn.moved.mesh.volume_mm3 == pytest.approx(bare.moved.mesh.volume_mm3, rel=1e-9)


def test_the_kerf_of_an_opening_wedge_has_an_owner():
    bone, joint = tibia(), hinge()
    none = opening(bone, joint, 8, 0.0, "both")
    for owner, loses in (("fixed", none.fixed), ("moved", none.moved)):
        done = opening(bone, joint, 8, 1.2, owner)
        one = done.fixed if owner == "fixed" else done.moved
        lost = loses.mesh.volume_mm3 - one.mesh.volume_mm3
        assert lost == pytest.approx(done.kerf.mesh.volume_mm3, rel=1e-4)


def test_bone_beyond_the_hinge_is_kept_and_told():
    """A block of 30 x 20 x 60 mm, hinged 6 mm before its far side, where a wedge is crushed."""
    block = part(box((-15, -10, -30), (15, 10, 30)), SCANNER)
    done = opening(block, hinge(-9.0), 10, 0.0, "both")
    assert done.hinge.value == pytest.approx(6, abs=1e-3)
    assert done.taken.mesh.volume_mm3 == pytest.approx(0.5 * 6**2 * math.tan(math.radians(10)) * 20, rel=1e-3)
    free = opening(block, hinge(-15.0), 10, 0.0, "both")
    assert free.hinge.value == pytest.approx(0, abs=1e-3)


def test_a_gap_fixes_the_angle():
    joint = hinge()
    assert joint.degrees_for(2 * 2 * R * math.sin(math.radians(4))) == pytest.approx(8)
    with pytest.raises(StepFailed, match=r"A gap of 50 mm cannot be made with a lever of 30\.0 mm"):
        joint.degrees_for(50)


def test_which_piece_moves_is_told_by_a_point():
    bone = tibia()
    below, above = opening(bone, hinge(), 5, 1, "both"), opening(bone, hinge(moving=20), 5, 1, "both")
    assert below.fixed.pose == above.fixed.pose == Pose()
    assert SCANNER.inverse.apply(below.moved.points_lps.mean(axis=0))[2] < 0
    assert SCANNER.inverse.apply(above.moved.points_lps.mean(axis=0))[2] > 0


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (((-15, 0, 0), (-15, 0.2, 0), (15, 0, 0), (0, 0, 9)), r"hinge are 0\.20 mm apart"),
        (((-15, -5, 0), (-15, 5, 0), (-15, 9, 0), (0, 0, 9)), r"starts 0\.00 mm from the hinge"),
        (((-15, -5, 0), (-15, 5, 0), (15, 0, 0), (3, 2, 0)), "moving piece lies in the cut"),
    ],
)
def test_points_that_fix_no_wedge(points, words):
    first, second, cortex, seed = at(*points)
    with pytest.raises(StepFailed, match=words):
        Hinge.of((first, second), cortex, seed)


@pytest.mark.parametrize("degrees", [0.0, 75.0])
def test_wedges_have_an_angle(degrees):
    with pytest.raises(StepFailed, match="cannot be made"):
        opening(tibia(32), hinge(), degrees, 1, "both")


def test_a_wedge_beside_the_bone_tells_by_how_much():
    far = part(rod(R, LENGTH, 32), Pose.of_shift((0, 0, 37)), SCANNER)
    with pytest.raises(StepFailed, match=r"misses the body by 7\.000 mm"):
        closing(far, hinge(), 5, 1)
