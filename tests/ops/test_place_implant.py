from dataclasses import replace

import numpy as np
import pytest

from surgiplan.errors import StepFailed, Usage
from surgiplan.ops.place_implant import PlaceImplant
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Part, Pose
from tests.ops.shapes import TILTED

ITEMS = PlaceImplant.spec.field("item").choices
each = pytest.mark.parametrize("item", ITEMS)
SCREWS = [item for item in ITEMS if "plate" not in item]


def placed(item: str, pose: Pose = TILTED) -> Part:
    return PlaceImplant(item=item, pose=pose).run(Work())


def test_there_are_at_least_three_screws_and_a_plate() -> None:
    assert len(SCREWS) >= 3
    assert any("plate" in item for item in ITEMS)


@each
def test_an_implant_is_a_closed_body_of_no_patient_space(item: str) -> None:
    part = placed(item)
    assert part.mesh.watertight
    assert part.mesh.volume_mm3 > 50
    assert part.frame_uid == ""
    assert part.pose == TILTED


@each
def test_placing_it_elsewhere_shares_its_shape(item: str) -> None:
    assert placed(item).mesh is placed(item, Pose()).mesh


@pytest.mark.parametrize("item", SCREWS)
def test_a_screw_points_along_its_z_axis_with_the_seat_of_its_head_at_the_origin(item: str) -> None:
    """Length and diameter stand in its name, as in "cortical-3.5x24"."""
    diameter, length = map(float, item.rsplit("-", 1)[1].split("x"))
    points = placed(item, Pose()).points_lps
    assert points[:, 2].max() == pytest.approx(length, abs=1e-4)
    assert points[:, 2].min() < -1
    shaft = points[points[:, 2] > length / 2]
    assert np.hypot(shaft[:, 0], shaft[:, 1]).max() == pytest.approx(diameter / 2, abs=0.003)


@pytest.mark.parametrize("item", SCREWS)
def test_the_pose_takes_the_tip_of_a_screw_to_its_place(item: str) -> None:
    length = float(item.rsplit("x", 1)[1])
    own = TILTED.inverse.apply(placed(item).points_lps)
    tip = own[np.argmax(own[:, 2])]
    assert np.allclose(tip, (0, 0, length), atol=1e-3)


def test_a_plate_lies_on_its_bone_side() -> None:
    plate = placed(next(item for item in ITEMS if "plate" in item), Pose())
    low, high = plate.bounds_lps
    assert low[2] == pytest.approx(0, abs=1e-4)
    assert np.allclose(low[:2], -high[:2], atol=1e-3)
    assert high[0] > 3 * high[1] > 6
    holes = 1 - plate.mesh.euler_number / 2  # genus
    assert holes == 8


def test_what_is_not_in_the_catalogue_is_refused_with_what_is() -> None:
    with pytest.raises(Usage, match=f"item must be one of {ITEMS[0]}, .* not 'nail'"):
        PlaceImplant(item="nail")


def test_it_needs_no_other_step() -> None:
    assert not [field for field in PlaceImplant.spec.fields if field.kind is Ref and not field.optional]
    assert PlaceImplant.spec.runs == "here"


def test_a_changed_catalogue_entry_is_noticed() -> None:
    """The shape of a plan must not change because somebody edited the catalogue."""
    chosen = PlaceImplant(item=ITEMS[0])
    assert chosen.edition.startswith(f"{ITEMS[0]}:")
    assert replace(chosen, item=ITEMS[1]).edition.startswith(f"{ITEMS[1]}:")
    old = replace(chosen, edition=f"{ITEMS[0]}:000000000000")
    with pytest.raises(StepFailed, match="has changed since it was chosen"):
        old.run(Work())
    assert replace(old, edition="") == chosen
