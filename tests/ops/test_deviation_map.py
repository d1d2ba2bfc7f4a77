"""The map of a surface against the grey edge: right by a closed form, and seen in colours."""

import numpy as np
import pytest

from surgiplan.errors import Mismatch, StepFailed
from surgiplan.ops.deviation_map import DeviationMap
from surgiplan.ops.source import Source
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.plan.work import Work
from surgiplan.scene.shapes import surfaces
from surgiplan.scene.view import View
from surgiplan.session import Ready
from surgiplan.values import EdgeMap, Mask, Part, Pose, Volume, decode, encode, figures
from tests.ops.shapes import CENTRE, ELSEWHERE, ball, beside, grid, joined

STEP = DeviationMap(part=Ref("b"), volume=Ref("ct"), mask=Ref("m"))


def scan() -> Volume:
    """A ball that fades outwards by 125 HU each millimetre; 12 mm from its middle it has 500 HU."""
    place = grid()
    centres = place.to_lps(np.indices(place.shape_kji).reshape(3, -1).T)
    grey = 500 + 125 * (12 - np.linalg.norm(centres - CENTRE, axis=1))
    return Volume(place, np.clip(grey, 0, 1000).reshape(place.shape_kji).astype(np.float32))


def mapped(part: Part, step: DeviationMap = STEP, level: float | None = 500.0) -> EdgeMap:
    volume = scan()
    return step.run(Work(), part, volume, Mask(volume.grid, volume.voxels >= 500, level))


@pytest.mark.parametrize("radius", [11.7, 12.0, 12.4])
def test_a_ball_of_another_radius_is_off_by_the_difference(radius: float) -> None:
    found = mapped(ball(radius))
    assert found.off_mm == pytest.approx(radius - 12, abs=0.03)
    assert found.edge_mean_mm == pytest.approx(abs(radius - 12), abs=0.03)
    assert found.edge_share == 1
    assert found.level == 500


def test_a_moved_ball_is_off_where_it_has_moved_to() -> None:
    moved = ball().moved(Pose.of_shift((0.4, 0, 0)))
    found = mapped(moved)
    ahead = (moved.points_lps - CENTRE)[:, 0] / 12
    assert found.off_mm == pytest.approx(0.4 * ahead, abs=0.08)
    assert abs(found.at_lps[0] - CENTRE[0]) > 8


def test_what_has_no_edge_near_it_is_not_counted() -> None:
    found = mapped(joined(ball(), ball(5.0)))
    assert found.edge_share == pytest.approx(144 / (144 + 25), abs=0.01)
    assert found.edge_max_mm < 0.06
    assert np.isnan(found.off_mm).sum() == len(ball(5.0).mesh.points)
    with pytest.raises(StepFailed, match="No point of the surface has an edge at 500"):
        mapped(ball(3.0, beside(CENTRE, 1, 1, 1)))


def test_the_level_is_that_of_the_mask_unless_it_is_given() -> None:
    given = DeviationMap(part=Ref("b"), volume=Ref("ct"), mask=Ref("m"), level=550)
    assert mapped(ball(), given).off_mm.mean() == pytest.approx(0.4, abs=0.03)
    with pytest.raises(StepFailed, match="give the level"):
        mapped(ball(), level=None)
    with pytest.raises(Mismatch):
        mapped(ball(frame=ELSEWHERE))


def test_it_is_seen_in_colours_and_told_in_numbers() -> None:
    found = mapped(joined(ball(12.2), ball(5.0)))
    given = Plan().add("bone", Source(digest="0" * 32, kind="part"))
    given = given.add("ct", Source(digest="1" * 32, kind="volume"))
    given = given.add("m", Source(digest="2" * 32, kind="mask"))
    plan = given.add("truth", DeviationMap(part=Ref("bone"), volume=Ref("ct"), mask=Ref("m")))
    (seen,) = surfaces(plan, {"bone": Ready(found.part), "truth": Ready(found)}, View())
    assert seen.name == "truth"
    assert seen.scalars is not None
    assert seen.scalars.low == -seen.scalars.high < 0 < found.edge_p95_mm <= seen.scalars.high
    assert figures(found)["edge_max_mm"] == found.edge_max_mm
    assert "off_mm" not in figures(found)
    assert figures(decode(encode(found))) == figures(found)
