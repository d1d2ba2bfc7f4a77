import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.errors import NeedsHand
from surgiplan.ops.paint import Paint
from surgiplan.ops.threshold import Threshold
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step, from_json, to_json
from surgiplan.plan.work import Work
from surgiplan.values import Bits, Grid, Mask, Volume
from tests.ops.shapes import ball_mask, grid

REF = Ref[Mask]("m")
MASK = ball_mask()
voxels = st.lists(st.tuples(*[st.integers(0, n - 1) for n in grid().shape_kji]), max_size=30)


def chosen(kji: list[tuple[int, int, int]]) -> np.ndarray:
    array = np.zeros(grid().shape_kji, np.bool_)
    if kji:
        array[tuple(np.array(kji).T)] = True
    return array


@settings(max_examples=40)
@given(voxels, voxels)
def test_it_is_mask_or_added_and_not_removed(
    added: list[tuple[int, int, int]], removed: list[tuple[int, int, int]]
) -> None:
    paint = Paint(mask=REF, added=Bits.of(added), removed=Bits.of(removed))
    painted = paint.run(Work(), MASK)
    assert np.array_equal(painted.voxels, (MASK.voxels | chosen(added)) & ~chosen(removed))
    assert painted.level == MASK.level
    again = from_json({"paint": Paint}, to_json(paint))
    assert np.array_equal(again.run(Work(), MASK).voxels, painted.voxels)


@pytest.mark.parametrize("stroke", ["added", "removed"])
def test_one_stroke_is_enough(stroke: str) -> None:
    middle = (15, 19, 20)
    painted = Paint(mask=REF, **{stroke: Bits.of([middle, (0, 0, 0)])}).run(Work(), MASK)  # type: ignore[arg-type]
    assert painted.voxels[middle] == (stroke == "added")
    assert painted.voxels[0, 0, 0] == (stroke == "added")


def test_strokes_beyond_the_scan_are_left_out() -> None:
    painted = Paint(mask=REF, added=Bits.of([[500, 2, 3], [2, 3, 44]])).run(Work(), MASK)
    assert np.array_equal(painted.voxels, MASK.voxels)


def test_where_nobody_has_painted_it_needs_a_hand() -> None:
    with pytest.raises(NeedsHand, match="hand: nothing is painted yet: paint, erase, or remove this step"):
        run_step(Step("hand", Paint(mask=REF)), {"mask": MASK}, Work())
    said_so = Paint(mask=REF, added=Bits())
    assert np.array_equal(said_so.run(Work(), MASK).voxels, MASK.voxels)


def test_painted_stays_painted_when_the_threshold_below_changes() -> None:
    grey = np.random.default_rng(3).integers(-1000, 2000, (12, 20, 17)).astype(np.int16)
    volume = Volume(Grid(grey.shape, grid().kji_to_lps), grey)
    on, off = np.indices(grey.shape)[1] < 4, np.indices(grey.shape)[1] > 15
    paint = Paint(mask=Ref("m"), added=Bits.of(np.argwhere(on)), removed=Bits.of(np.argwhere(off)))
    for low in (-500, 226, 1500):
        mask = Threshold(volume=Ref("ct"), low=low, high=5000).run(Work(), volume)
        painted = paint.run(Work(), mask).voxels
        assert painted[on].all()
        assert not painted[off].any()
        untouched = ~on & ~off
        assert np.array_equal(painted[untouched], (grey >= low)[untouched])


def test_painting_starts_from_nothing_on_a_scan() -> None:
    scan = Volume(grid(), np.zeros(grid().shape_kji, np.int16))
    paint = Paint(volume=Ref("ct"), added=Bits.of([(15, 19, 20)]), removed=Bits.of([(1, 1, 1)]))
    value = run_step(Step("head", paint), {"volume": scan}, Work())
    assert np.array_equal(np.argwhere(value.voxels), [(15, 19, 20)])
    assert value.grid == scan.grid
    assert value.level is None


def test_it_waits_for_something_to_paint_on() -> None:
    with pytest.raises(NeedsHand, match="choose a mask to start from, or a scan"):
        Paint(added=Bits.of([(1, 1, 1)])).require_placed("p")
