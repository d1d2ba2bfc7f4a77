"""The operation `compare` and its finding."""

import pytest

from surgiplan.errors import Usage
from surgiplan.ops.compare import Compare
from surgiplan.ops.source import Source
from surgiplan.ops.threshold import Threshold
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.plan.work import Work
from surgiplan.scene.describe import findings
from surgiplan.session import Ready
from surgiplan.values import decode, encode, figures
from tests.ops.shapes import CENTRE, ball, ball_mask, beside


def test_two_balls_apart() -> None:
    found = Compare(a=Ref("a"), b=Ref("b"), tolerance=2).run(Work(), ball(), ball(at=beside(CENTRE, 0, 3, 0)))
    assert found.hausdorff_mm == pytest.approx(3, abs=0.02)
    assert found.dice == pytest.approx((48 + 3) * (24 - 3) ** 2 / (16 * 12**3), abs=0.001)


def test_a_mask_beside_the_ball_it_was_scanned_from() -> None:
    found = Compare(a=Ref("a"), b=Ref("b")).run(Work(), ball_mask(), ball())
    assert found.dice > 0.95
    assert found.nsd > 0.95


def test_it_takes_masks_and_shapes_and_nothing_else() -> None:
    plan = Plan().add("ct", Source(digest="0" * 32)).add("bone", Source(digest="1" * 32, kind="part"))
    plan = plan.add("bright", Threshold(volume=Ref("ct")))
    assert plan.add("alike", Compare(a=Ref("bright"), b=Ref("bone")))
    with pytest.raises(Usage, match="is a Volume; a Region is needed"):
        plan.add("alike", Compare(a=Ref("ct"), b=Ref("bone")))


def test_its_figures_are_told_and_kept() -> None:
    found = Compare(a=Ref("a"), b=Ref("b")).run(Work(), ball(), ball(11.0))
    assert decode(encode(found)) == found
    told = figures(found)
    assert told["hd95_mm"] == found.hd95_mm
    assert set(told["definitions"]) == {"Dice", "Jaccard", "HD", "HD95", "ASSD", "NSD"}
    plan = Plan()
    for name in ("a", "b"):
        plan = plan.add(name, Source(digest=32 * name, kind="part"))
    plan = plan.add("alike", Compare(a=Ref("a"), b=Ref("b")))
    (finding,) = findings(plan, {"alike": Ready(found)})
    assert finding.text.startswith("a - b: Dice 0.87")
    assert ", HD 1.00 mm, HD95 1.00 mm, " in finding.text
    assert finding.at_lps == found.at_lps
