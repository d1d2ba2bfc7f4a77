import numpy as np
import pytest

from surgiplan.ops.source import Source
from surgiplan.ops.surface import Surface
from surgiplan.ops.threshold import Threshold
from surgiplan.ops.walls import Walls
from surgiplan.phantoms import ShellPhantom
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.plan.work import Work
from surgiplan.scene.findings import findings
from surgiplan.session import Ready
from surgiplan.values import Part, WallMap, figures, vec3
from tests.ops.shapes import ball


def scanned(wall_mm: float) -> tuple[WallMap, Part]:
    phantom = ShellPhantom(thickness_mm=wall_mm, outer_radius_mm=12.0)
    volume = phantom.volume((0.5, 0.5, 0.5), psf_sigma_mm=0.6)
    mask = Threshold(volume=Ref("ct"), low=phantom.level_hu).run(Work(), volume)
    bone = Surface(volume=Ref("ct"), mask=Ref("m")).run(Work(), volume, mask)
    resting = ball(2.2, vec3(np.add(phantom.centre, (14.0, 0, 0))), frame=bone.frame_uid)
    step = Walls(bone=Ref("bone"), volume=Ref("ct"), resting=Ref("screw"))
    return step.run(Work(), bone, volume, resting), bone


def test_a_thin_cortex_is_marked_and_what_rests_there_is_warned_of() -> None:
    found, bone = scanned(1.2)
    assert found.part is bone
    assert found.sigma_mm == pytest.approx(np.hypot(0.6, 0.5 / np.sqrt(12)), abs=0.02)
    assert found.thin_share > 0.95
    assert found.resting_lps
    told = figures(found)
    assert told["thin_share"] == found.thin_share
    assert "wall_mm" not in told
    given = (
        Plan()
        .add("bone", Source(digest="0" * 32, kind="part"))
        .add("screw", Source(digest="1" * 32, kind="part"))
    )
    plan = given.add("cortex", Walls(bone=Ref("bone"), resting=Ref("screw")))
    texts = [one.text for one in findings(plan, {"cortex": Ready(found)})]
    assert "bone: 100.0 % of the surface has a wall that looks thinner than 1.5" in texts[0]
    assert any("screw rests on a wall of bone that the scan cannot show rightly" in text for text in texts)


def test_a_thick_cortex_is_measured_and_not_marked() -> None:
    """VALIDITY 24: within 0.1 mm from a scan for walls of 2.5 sigma and more."""
    found, _ = scanned(2.5)
    assert np.abs(found.wall_mm - 2.5).max() < 0.1
    assert found.thin_share == 0
    assert found.resting_lps == ()
