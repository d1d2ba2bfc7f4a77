from dataclasses import replace

import numpy as np
import pytest

from surgiplan.algorithms.presets import presets
from surgiplan.errors import StepFailed, Usage
from surgiplan.ops.threshold import Threshold
from surgiplan.phantoms import EllipsoidPhantom
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Volume
from tests.ops.shapes import CENTRE, ball_scan, beside, grid, scan_of

REF = Ref[Volume]("ct")


def test_it_keeps_the_voxels_between_both_values_and_those_that_equal_them() -> None:
    voxels = np.resize(np.array([99, 100, 150, 200, 201], np.int16), grid().shape_kji)
    mask = Threshold(volume=REF, low=100, high=200).run(Work(), Volume(grid(), voxels))
    assert np.array_equal(mask.voxels, (voxels >= 100) & (voxels <= 200))
    assert mask.grid.same_as(grid())
    assert mask.level == 100


@pytest.mark.parametrize(("low", "high"), [(99.5, 200.5), (100.0, 200.9)])
def test_limits_between_whole_values_and_grey_values_between_them(low: float, high: float) -> None:
    voxels = np.resize(np.array([99, 100, 150, 200, 201], np.int16), grid().shape_kji)
    threshold = Threshold(volume=REF, low=low, high=high)
    whole = threshold.run(Work(), Volume(grid(), voxels))
    assert np.array_equal(whole.voxels, (voxels >= 100) & (voxels <= 200))
    between = threshold.run(Work(), Volume(grid(), voxels.astype(np.float32) + np.float32(0.25)))
    assert np.array_equal(between.voxels, (voxels + 0.25 >= low) & (voxels + 0.25 <= high))


def test_the_voxels_of_a_ball_make_up_its_volume() -> None:
    """The count of voxels errs by chance, so less than a voxel layer by far."""
    mask = Threshold(volume=REF, low=500).run(Work(), ball_scan())
    assert mask.volume_mm3 == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.01)


def test_nothing_between_the_values_is_an_empty_mask() -> None:
    assert not Threshold(volume=REF, low=2000).run(Work(), ball_scan()).voxels.any()


def test_values_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(StepFailed, match=r"\(600\) lies above the brightest \(500\): exchange them"):
        Threshold(volume=REF, low=600, high=500).run(Work(), ball_scan())


def test_values_no_scanner_gives_are_refused() -> None:
    with pytest.raises(Usage, match="low must lie between -32768 and 32767 HU, not 40000"):
        Threshold(volume=REF, low=40000)


def test_it_suggests_the_place_where_a_ball_is_measured_without_bias() -> None:
    """Half-way between 1000 HU and water; Otsu's value parts the two classes somewhere between."""
    phantom = EllipsoidPhantom()
    found = Threshold(volume=REF).suggest(Work(), phantom.volume((2.0, 1.6, 1.6)))
    assert found["half-maximum"]["low"] == pytest.approx(phantom.level_hu, abs=25)
    assert 100 < found["otsu"]["low"] < 900


def test_where_there_is_no_edge_no_suggestion_is_made_up() -> None:
    """What the scan does not show is left out; the presets remain, where the scan is in HU."""
    even = Volume(grid(), np.zeros(grid().shape_kji, np.int16))
    assert set(Threshold(volume=REF).suggest(Work(), even)) == set(presets())
    assert Threshold(volume=REF).suggest(Work(), replace(even, modality="MR", unit="")) == {}


def test_presets_are_suggested_with_both_their_numbers() -> None:
    found = Threshold(volume=REF).suggest(Work(), ball_scan())
    names = ["bone", "cortical", "spongy", "enamel", "metal", "skin", "fat", "muscle", "air", "vessel"]
    assert [name for name in found if name in names] == names
    assert found["cortical"] == {"low": 662, "high": 1988}


def test_a_line_across_the_edge_gives_a_suggestion_and_changes_no_result() -> None:
    volume = ball_scan()
    line = (beside(CENTRE, 15, 0, 0), beside(CENTRE, 6, 0, 0))
    across = Threshold(volume=REF, line=line)
    assert across.suggest(Work(), volume)["half-maximum-line"]["low"] == pytest.approx(500, abs=20)
    assert "half-maximum-line" not in Threshold(volume=REF).suggest(Work(), volume)
    assert np.array_equal(across.run(Work(), volume).voxels, Threshold(volume=REF).run(Work(), volume).voxels)
    with pytest.raises(StepFailed, match="has 1 points, not 2"):
        Threshold(volume=REF, line=line[:1]).suggest(Work(), volume)


def test_what_was_suggested_can_be_used() -> None:
    volume = scan_of((CENTRE, 12.0))
    for parameters in Threshold(volume=REF).suggest(Work(), volume).values():
        assert Threshold(volume=REF, **parameters).low == parameters["low"]
    for method in ("half-maximum", "otsu", "bone", "cortical"):
        parameters = Threshold(volume=REF).suggest(Work(), volume)[method]
        assert Threshold(volume=REF, **parameters).run(Work(), volume).voxels.any()
