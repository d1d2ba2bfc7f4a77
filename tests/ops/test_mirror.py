import numpy as np
import pytest

from surgiplan.errors import NeedsHand, StepFailed
from surgiplan.ops.mirror import Mirror
from surgiplan.phantoms import Chirality
from surgiplan.phantoms.femur import Femur
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Part, Plane, Pose
from tests.ops.shapes import CENTRE, FRAME, TILTED, ball, beside, box, joined

REF = Ref[Part]("healthy")
MIDLINE = Plane((3.0, 0, 0), (1, 0.05, -0.02))


def mirrored(part: Part, plane: Plane = MIDLINE) -> Part:
    return Mirror(part=REF, plane=plane).run(Work(), part)


def test_it_keeps_volume_area_and_topology_and_faces_outwards() -> None:
    block = box()
    image = mirrored(block)
    assert image.mesh.volume_mm3 == pytest.approx(6000, rel=1e-5)
    assert image.mesh.area_mm2 == pytest.approx(2 * (600 + 300 + 200), rel=1e-5)
    assert image.mesh.watertight
    assert image.mesh.euler_number == 2
    assert image.frame_uid == FRAME
    assert image.pose == Pose()


def test_each_point_goes_to_the_other_side_of_the_plane() -> None:
    block = box()
    image = mirrored(block)
    assert np.allclose(MIDLINE.distance(image.points_lps), -MIDLINE.distance(block.points_lps), atol=1e-4)
    between = (image.points_lps + block.points_lps) / 2
    assert np.abs(MIDLINE.distance(between)).max() < 1e-4


def test_twice_is_where_it_was() -> None:
    block = box()
    assert np.allclose(mirrored(mirrored(block)).points_lps, block.points_lps, atol=1e-4)


def test_a_point_on_the_plane_stays() -> None:
    plane = Plane(CENTRE, (0, 1, 1))
    image = mirrored(ball(), plane)
    assert np.allclose(image.bounds_lps, ball().bounds_lps, atol=1e-4)


def test_it_turns_left_into_right() -> None:
    """P17: the sign of the scalar triple product of four unlike balls, whatever pose they have."""
    phantom = Chirality()
    balls = [ball(one.diameter_mm / 2, one.centre_lps, rings=12) for one in phantom.markers.values()]
    whole = joined(*balls)
    assert phantom.handedness(whole) == 1
    for part in (whole, whole.moved(TILTED)):
        image = mirrored(part, Plane(beside(phantom.centre, 1, 2, 3), (1, 0.2, -0.1)))
        assert phantom.handedness(part) == 1
        assert phantom.handedness(image) == -1
        assert phantom.handedness(mirrored(image, Plane((0, 0, 0), (0, 0, 1)))) == 1


def test_a_plane_nobody_has_laid_needs_a_hand() -> None:
    with pytest.raises(
        NeedsHand, match="other side: plane is not placed yet: lay the plane through the midline"
    ):
        run_step(Step("other side", Mirror(part=REF)), {"part": box()}, Work())


def test_the_plane_comes_from_the_symmetry_of_a_body() -> None:
    """A block that lies a little askew has its midline in its middle; the part is mirrored there."""
    pose = Pose.of_shift((7, 0, 0)).after(Pose.of_rotation((0, 1, 2), 8))
    whole, side = box((40, 70, 110), pose), ball(5.0)
    image = Mirror(part=REF, symmetric=Ref("whole")).run(Work(), side, whole)
    expected = Mirror(part=REF, plane=Plane(pose.shift, pose.rotation[:, 0])).run(Work(), side)
    assert np.allclose(image.points_lps, expected.points_lps, atol=0.05)


def test_a_plane_by_hand_goes_before_the_one_found() -> None:
    by_hand = Mirror(part=REF, plane=MIDLINE, symmetric=Ref("whole")).run(Work(), ball(), box())
    assert np.allclose(by_hand.points_lps, mirrored(ball()).points_lps)


def test_the_plane_found_can_be_taken_to_be_adjusted() -> None:
    pose = Pose.of_rotation((0, 0, 1), 6)
    found = Mirror(part=REF).suggest(Work(), box((40, 70, 110), pose))["symmetry"]["plane"]
    assert np.dot(found.normal, pose.rotation[:, 0]) > 0.99999


def test_a_body_that_has_no_midline_is_not_trusted_unseen() -> None:
    """One femur: its best plane leans little, but its two halves lie millimetres from one another."""
    femur = Femur().mesh(4.0)
    with pytest.raises(StepFailed, match=r"differs by \d\.\d mm from its mirror image, more than 1\.5 mm"):
        Mirror(part=REF, symmetric=Ref("femur")).run(Work(), femur, femur)
    assert "plane" in Mirror(part=REF).suggest(Work(), femur)["symmetry"]
