import numpy as np
import pytest

from surgiplan.errors import NeedsHand, Usage
from surgiplan.ops import OPERATIONS
from surgiplan.ops.grow_seeds import GrowFromSeeds
from surgiplan.ops.keep_part import KeepPart
from surgiplan.ops.source import Source
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan, Step, from_json, to_json
from surgiplan.plan.work import Work
from surgiplan.values import Mask
from tests.ops.shapes import CENTRE, ball_mask, ball_scan, beside

LEFT, RIGHT = beside(CENTRE, -8, 0, 0), beside(CENTRE, 8, 0, 0)


def shared(**fields: object) -> GrowFromSeeds:
    return GrowFromSeeds(volume=Ref("ct"), mask=Ref("m"), **fields)  # type: ignore[arg-type]


def test_bodies_are_referred_to_by_their_names() -> None:
    operation = shared(names="femur, pelvis", points=(LEFT, RIGHT))
    assert dict(operation.outputs()) == {"femur": Mask, "pelvis": Mask}
    plan = Plan().add("ct", Source(digest="d")).add("m", Source(digest="e", kind="mask"))
    plan = plan.add("bones", operation).add("one", KeepPart(mask=Ref("bones", "femur")))
    assert from_json(OPERATIONS, to_json(plan["bones"].operation)) == operation
    with pytest.raises(Usage, match=r"'bones\.femur', but that step gives bones\.thigh or bones\.pelvis"):
        plan.edit("bones", names="thigh pelvis")
    value = run_step(
        Step("bones", operation), {"volume": ball_scan(), "mask": ball_mask(), "seeds": ()}, Work()
    )
    one, other = (np.count_nonzero(value[name].voxels, axis=(0, 1)) for name in ("femur", "pelvis"))
    middle = len(one) // 2 - 2  # the layer through the centre of the ball, as far from either point
    assert np.array_equal(one[:middle], other[middle + 1 : 2 * middle + 1][::-1]), "the halves are alike"
    assert one[:middle].sum() > 4000
    assert (one[middle], other[middle]) == (ball_mask().voxels[..., middle].sum(), 0), "a tie is the first's"
    whole = value["femur"].voxels ^ value["pelvis"].voxels
    assert (whole == ball_mask().voxels).all()


def test_a_body_without_a_seed_needs_a_hand() -> None:
    with pytest.raises(NeedsHand, match=r"x: there are 1 seeds for 3 names \(a and b and c\)"):
        shared(names="a b c", points=(LEFT,)).require_placed("x")


def test_a_body_has_as_many_seeds_as_its_name_is_said() -> None:
    operation = shared(names="bone gap bone", points=(LEFT, CENTRE, RIGHT))
    assert dict(operation.outputs()) == {"bone": Mask, "gap": Mask}
    value = run_step(
        Step("bones", operation), {"volume": ball_scan(), "mask": ball_mask(), "seeds": ()}, Work()
    )
    for seed, body in ((LEFT, "bone"), (CENTRE, "gap"), (RIGHT, "bone")):
        assert value[body].voxels[ball_mask().grid.nearest(seed)]
    with pytest.raises(NeedsHand, match=r"1 seeds for 3 names \(bone and gap\)"):
        shared(names="bone gap bone", points=(LEFT,)).require_placed("x")


@pytest.mark.parametrize("names", ["", "one", "a a", "a b-c", "1a b"])
def test_names_must_be_words_and_differ(names: str) -> None:
    with pytest.raises(Usage, match="names must hold two different words"):
        shared(names=names)
