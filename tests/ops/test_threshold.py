import numpy as np
import pytest

from surgiplan.errors import StepFailed, Usage
from surgiplan.ops.threshold import Threshold
from surgiplan.phantoms import EllipsoidPhantom
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Volume
from tests.ops.shapes import CENTRE, ball_scan, grid, scan_of

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
    even = Volume(grid(), np.zeros(grid().shape_kji, np.int16))
    with pytest.raises(StepFailed):
        Threshold(volume=REF).suggest(Work(), even)


def test_what_was_suggested_can_be_used() -> None:
    volume = scan_of((CENTRE, 12.0))
    for parameters in Threshold(volume=REF).suggest(Work(), volume).values():
        assert Threshold(volume=REF, **parameters).run(Work(), volume).voxels.any()
