"""The first view of a plan, and what a person may change about it."""

import numpy as np
import pytest

from surgiplan.plan.plan import Plan
from surgiplan.scene import Framing, View, grey_range
from surgiplan.values import Grid, Mask, Part, Volume

from .steps import Choose, Ready, Ref, Scan, Shape, box, small_case

GRID = Grid((3, 4, 6), np.diag((1.0, 1.0, 1.0, 1.0))[[2, 1, 0, 3]])


def test_a_ct_is_first_seen_in_its_middle_with_bone_grey_values() -> None:
    plan, results = small_case()
    view = View.of(plan, results)
    assert view.crosshair_lps == (0.0, 0.0, 0.0)
    assert (view.window, view.level) == (2000.0, 400.0)


def test_an_mr_is_seen_from_its_first_to_nearly_its_last_percentile() -> None:
    voxels = np.arange(72, dtype=np.float32).reshape(3, 4, 6)
    window, level = grey_range(Volume(GRID, voxels, "MR", ""))
    low, high = np.percentile(voxels, (1.0, 99.5))
    assert window == pytest.approx(high - low)
    assert level == pytest.approx((low + high) / 2)


def test_an_mr_of_one_grey_value_can_be_seen() -> None:
    window, _ = grey_range(Volume(GRID, np.ones((3, 4, 6), np.float32), "MR", ""))
    assert window > 0


def test_shapes_without_a_scan_are_first_seen_in_their_middle() -> None:
    plan = Plan().add("one", Shape()).add("two", Shape())
    results = {
        "one": Ready(Part(box((0, 0, 0), (2, 2, 2)))),
        "two": Ready(Part(box((8, 0, 0), (10, 4, 6)))),
    }
    assert View.of(plan, results).crosshair_lps == (5.0, 2.0, 3.0)


def test_a_mask_alone_is_first_seen_in_the_middle_of_its_grid() -> None:
    plan = Plan().add("ct", Scan()).add("mask", Choose(volume=Ref("ct")))
    results = {"mask": Ready(Mask(GRID, np.zeros((3, 4, 6), np.bool_)))}
    assert View.of(plan, results).crosshair_lps == (2.5, 1.5, 1.0)


def test_nothing_known_gives_a_view_all_the_same() -> None:
    assert View.of(Plan(), {}) == View()


def test_a_window_of_grey_values_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        View(window=0.0)


def test_each_2d_view_has_its_own_framing() -> None:
    view = View().with_framing("coronal", Framing(3.0, (1.0, 2.0)))
    assert view.framing("coronal") == Framing(3.0, (1.0, 2.0))
    assert view.framing("axial") == view.framing("sagittal") == Framing()


def test_hiding_a_step_hides_each_of_its_outputs() -> None:
    view = View(hidden=frozenset({"cut", "bone.a"}))
    assert view.hides("cut")
    assert view.hides("cut.kerf")
    assert view.hides("bone.a")
    assert not view.hides("bone.b")


def test_the_last_opacity_that_was_set_counts() -> None:
    assert View().with_opacity("bone", 0.2).with_opacity("bone", 0.7).opacities == (("bone", 0.7),)
