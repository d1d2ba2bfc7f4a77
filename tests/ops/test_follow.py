import numpy as np
import pytest
from hypothesis import given, settings

from surgiplan.errors import Mismatch, StepFailed
from surgiplan.ops.follow import Follow
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Part, Plane, Pose
from tests.ops.shapes import ELSEWHERE, ball, box
from tests.values.samples import poses

REFS = {"part": Ref[Part]("second"), "before": Ref[Part]("first"), "after": Ref[Part]("moved")}


def followed(part: Part, before: Part, after: Part, symmetric: Plane | None = None) -> Part:
    return Follow(**REFS, symmetric=symmetric).run(Work(), part, before, after)


@settings(max_examples=30)
@given(poses())
def test_a_chain_keeps_its_links_together(motion: Pose) -> None:
    """What lay on the first fragment still lies on it, and the next in the chain on that one."""
    first, second = box(), ball(8.0)
    moved = first.moved(motion)
    carried = followed(second, first, moved)
    third = followed(box((5, 6, 7)), second, carried)
    assert np.allclose(carried.points_lps, motion.apply(second.points_lps), atol=1e-6)
    assert np.allclose(third.points_lps, motion.apply(box((5, 6, 7)).points_lps), atol=1e-6)
    assert carried.mesh is second.mesh


@settings(max_examples=30)
@given(poses())
def test_the_other_side_makes_the_mirrored_motion(motion: Pose) -> None:
    """The mirror image of a point before goes to the mirror image of the point after."""
    midline = Plane((4.0, 0, 0), (1, 0.1, -0.05))

    def image(points: np.ndarray) -> np.ndarray:
        return np.asarray(points - 2 * midline.distance(points)[:, None] * np.asarray(midline.normal))

    left = box()
    other = Part(ball(8.0).mesh, frame_uid=left.frame_uid)
    carried = followed(other, left, left.moved(motion), midline)
    expected = image(motion.apply(image(other.points_lps)))
    assert np.allclose(carried.points_lps, expected, atol=1e-5)


def test_a_leader_that_changed_its_shape_is_no_leader() -> None:
    with pytest.raises(StepFailed, match="different shapes, so there is no motion to follow"):
        followed(ball(), box(), ball(9.0))


def test_two_patient_spaces_are_refused() -> None:
    with pytest.raises(Mismatch):
        followed(ball(frame=ELSEWHERE), box(), box())
