"""Masks over slices: those of other segments, and what a hand is painting, whatever way the grid lies."""

from dataclasses import replace

import numpy as np
import pytest

from surgiplan.plan.plan import Plan
from surgiplan.scene import AXES, View, describe
from surgiplan.scene.covers import bits_on
from surgiplan.scene.slices import MASK_COLOUR, cut_through
from surgiplan.scene.view import Axis
from surgiplan.session import Ready
from surgiplan.values import Bits, Grid, Label, Mask

from .steps import Choose, Ref, Scan, axis_grids, scan_with_marks


@pytest.mark.parametrize("grid", axis_grids())
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("convention", ["radiological", "neurological"])
def test_painted_voxels_lie_where_the_mask_of_them_lies(grid: Grid, axis: Axis, convention: str) -> None:
    chosen = np.random.default_rng(6).random(grid.shape_kji) < 0.3
    middle = tuple(grid.to_lps(np.asarray(grid.shape_kji) // 2))
    view = View(crosshair_lps=middle, convention=convention)  # type: ignore[arg-type]
    one = cut_through(grid, None, axis, view, Mask(grid, chosen))
    seen = bits_on(one, grid, Bits.of(np.argwhere(chosen)))
    assert seen is not None
    left, top, width, height = seen.rect_mm
    row, column = round(top / one.pixel_mm[0] + 0.5), round(left / one.pixel_mm[1] + 0.5)
    rows, columns = seen.pixels.shape
    assert (width, height) == pytest.approx((columns * one.pixel_mm[1], rows * one.pixel_mm[0]))
    drawn = np.zeros(one.pixels.shape, np.bool_)
    drawn[row : row + rows, column : column + columns] = seen.pixels
    assert one.overlay is not None
    assert np.array_equal(drawn, one.overlay)


def test_what_lies_in_another_slice_or_askew_is_not_seen() -> None:
    grid = axis_grids()[0]
    one = cut_through(grid, None, "axial", View(crosshair_lps=tuple(grid.to_lps((0, 0, 0)))))
    last = np.asarray(grid.shape_kji) - 1
    assert bits_on(one, grid, Bits()) is None
    assert bits_on(one, grid, Bits.of([last + 40])) is None
    turned = grid.kji_to_lps.copy()
    turned[:3, :3] = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ turned[:3, :3]
    assert bits_on(one, Grid(grid.shape_kji, turned), Bits.of([[0, 0, 0]])) is None


def test_a_labelled_mask_is_shown_beside_the_chosen_one_until_it_is_hidden() -> None:
    scan, _ = scan_with_marks(axis_grids()[0])
    masks = {name: Mask(scan.grid, scan.voxels > level) for name, level in (("a", 0), ("b", 100), ("c", 200))}
    plan = Plan().add("ct", Scan())
    for name in masks:
        plan = plan.add(name, Choose(volume=Ref("ct")))
    plan = plan.annotate("a", label=Label("Skull", "#E69F00")).annotate("b", label=Label(colour="#009E73"))
    results = {"ct": Ready(scan), **{name: Ready(mask) for name, mask in masks.items()}}

    def shown(view: View) -> tuple[list[tuple[str, str]], str]:
        one = describe(plan, results, view).slices["axial"]
        return [(cover.name, cover.colour) for cover in one.covers], one.overlay_colour

    view = replace(View.of(plan, results), chosen="b")
    assert shown(view) == ([("a", "#E69F00")], "#009E73")
    assert shown(replace(view, chosen="c")) == ([("a", "#E69F00"), ("b", "#009E73")], MASK_COLOUR)
    assert shown(replace(view, hidden=frozenset({"a"}))) == ([], "#009E73")
    assert "cover a " in describe(plan, results, view).slices["axial"].to_text()
