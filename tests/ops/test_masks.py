"""The operations that make a mask of a mask: what each field leads to."""

from dataclasses import replace

import numpy as np
import pytest

from surgiplan.errors import Mismatch, NeedsHand, StepFailed, Usage
from surgiplan.ops.fill import Fill
from surgiplan.ops.hollow import Hollow
from surgiplan.ops.logic import Logic
from surgiplan.ops.margin import Margin
from surgiplan.ops.mirror_mask import MirrorMask
from surgiplan.ops.smooth_mask import SmoothMask
from surgiplan.ops.surface import Surface
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Mask, Plane
from tests.ops.shapes import CENTRE, ELSEWHERE, ball_mask, ball_scan, beside, scan_of

REF = Ref[Mask]("m")
SIDES = ("inside", "outside", "centred")


def balls(*given: tuple[tuple[float, float, float], float]) -> Mask:
    volume = scan_of(*given)
    return Mask(volume.grid, volume.voxels >= 500, level=500.0)


def volume_of(radius: float) -> float:
    return 4 / 3 * np.pi * radius**3


def shell() -> Mask:
    """A ball of 9 mm without the ball of 5 mm in its middle."""
    outer, inner = balls((CENTRE, 9.0)), balls((CENTRE, 5.0))
    return Mask(outer.grid, outer.voxels & ~inner.voxels, 500.0)


# -- margin and hollow ----------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [2.0, -2.0])
def test_a_margin_grows_and_shrinks_a_ball(distance: float) -> None:
    """Voxels of 0.8, 0.9 and 1.1 mm."""
    moved = Margin(mask=REF, distance=distance).run(Work(), balls((CENTRE, 8.0)))
    radius = (moved.volume_mm3 / (4 / 3 * np.pi)) ** (1 / 3)
    assert radius == pytest.approx(8 + distance, abs=0.15)
    assert moved.level is None


def test_a_margin_out_of_range_is_refused() -> None:
    with pytest.raises(Usage, match="distance must lie between -100 and 100 mm"):
        Margin(mask=REF, distance=101)
    with pytest.raises(StepFailed, match=r"^m: Nothing is left: .* Shrink it by less"):
        run_step(Step("m", Margin(mask=REF, distance=-15)), {"mask": ball_mask()}, Work())


def test_a_surface_of_a_grown_mask_lies_between_its_voxels() -> None:
    """No grey value marks its border, so the surface does not snap back to the bone's."""
    grown = Margin(mask=REF, distance=2.0).run(Work(), balls((CENTRE, 8.0)))
    part = Surface(volume=Ref("ct"), mask=REF).run(Work(), scan_of((CENTRE, 8.0)), grown)
    assert part.mesh.volume_mm3 == pytest.approx(grown.volume_mm3, rel=0.03)


@pytest.mark.parametrize("side", SIDES)
def test_a_shell_lies_on_its_side_of_the_border(side: str) -> None:
    mask = balls((CENTRE, 8.0))
    wall = Hollow(mask=REF, thickness=3.0, side=side).run(Work(), mask)
    outer = {"inside": 8.0, "outside": 11.0, "centred": 9.5}[side]
    assert wall.volume_mm3 == pytest.approx(volume_of(outer) - volume_of(outer - 3), rel=0.12)
    assert not wall.voxels[wall.grid.nearest(CENTRE)]
    shared = np.count_nonzero(wall.voxels & mask.voxels) / np.count_nonzero(wall.voxels)
    assert shared == pytest.approx({"inside": 1.0, "outside": 0.0, "centred": 0.45}[side], abs=0.15)


# -- smoothing ------------------------------------------------------------------------------------


def test_each_kind_of_smoothing_keeps_what_it_says() -> None:
    two = balls((beside(CENTRE, -7, 0, 0), 6.0), (beside(CENTRE, 6, 0, 0), 6.0))  # 1 mm apart
    done = {
        kind: SmoothMask(mask=REF, kind=kind, radius=2.0).run(Work(), two)
        for kind in ("volume", "median", "closing", "opening")
    }
    between = two.grid.nearest(beside(CENTRE, -0.5, 0, 0))
    assert done["closing"].voxels[between]
    assert not (two.voxels & ~done["closing"].voxels).any()
    assert not (done["opening"].voxels & ~two.voxels).any()
    assert done["volume"].volume_mm3 == pytest.approx(two.volume_mm3, rel=0.005)
    assert all(mask.level == 500.0 for mask in done.values())


# -- filling --------------------------------------------------------------------------------------


def test_cavities_slices_and_pores() -> None:
    full = balls((CENTRE, 9.0))
    assert np.array_equal(Fill(mask=REF).run(Work(), shell()).voxels, full.voxels)
    k, j, i = full.grid.nearest(CENTRE)
    pierced = shell().voxels.copy()
    pierced[k:, j - 1 : j + 2, i - 1 : i + 2] = False  # a pore of 2.7 x 2.4 mm upwards
    open_shell = Mask(full.grid, pierced, 500.0)
    assert np.array_equal(Fill(mask=REF).run(Work(), open_shell).voxels, pierced)
    assert Fill(mask=REF, kind="axial").run(Work(), open_shell).voxels[k, j, i]
    assert not Fill(mask=REF, kind="coronal").run(Work(), open_shell).voxels[k, j, i]
    solid = Fill(mask=REF, kind="wrap", pore=6.0).run(Work(), open_shell)
    assert solid.voxels[k, j, i]
    assert np.count_nonzero(solid.voxels != full.voxels) < 0.02 * np.count_nonzero(full.voxels)


# -- logic ----------------------------------------------------------------------------------------


def test_the_kinds_of_logic() -> None:
    a, b = balls((beside(CENTRE, -3, 0, 0), 6.0)), balls((beside(CENTRE, 3, 0, 0), 6.0))
    truth = {"union": a.voxels | b.voxels, "intersect": a.voxels & b.voxels, "subtract": a.voxels & ~b.voxels}
    for kind, voxels in truth.items():
        assert np.array_equal(Logic(a=REF, b=REF, kind=kind).run(Work(), a, b).voxels, voxels)
    assert np.array_equal(Logic(a=REF, kind="invert").run(Work(), a).voxels, ~a.voxels)


def test_logic_needs_two_masks_of_one_scan() -> None:
    a = ball_mask()
    with pytest.raises(StepFailed, match="subtract needs a second mask: choose one for b"):
        Logic(a=REF, kind="subtract").run(Work(), a)
    with pytest.raises(Mismatch, match="different patient spaces"):
        Logic(a=REF, b=REF).run(Work(), a, replace(a, grid=replace(a.grid, frame_uid=ELSEWHERE)))


# -- mirror ---------------------------------------------------------------------------------------


def test_a_ball_is_mirrored_to_the_other_side_of_the_plane() -> None:
    mask = balls((beside(CENTRE, -8, 1, 2), 5.0))
    plane = Plane(beside(CENTRE, -1, 0, 0), (1, 0, 0))
    result = MirrorMask(mask=REF, plane=plane).run(Work(), mask)
    truth = balls((beside(CENTRE, 6, 1, 2), 5.0))
    middle = result.grid.to_lps(np.argwhere(result.voxels).mean(axis=0))
    assert middle == pytest.approx(beside(CENTRE, 6, 1, 2), abs=0.1)
    assert np.count_nonzero(result.voxels != truth.voxels) < 0.2 * np.count_nonzero(truth.voxels), (
        "border voxels"
    )


def test_mirroring_waits_for_its_plane_and_loses_nothing_in_silence() -> None:
    with pytest.raises(NeedsHand, match="lay the plane through the midline"):
        run_step(Step("other", MirrorMask(mask=REF)), {"mask": ball_mask()}, Work())
    far = MirrorMask(mask=REF, plane=Plane(beside(CENTRE, 12, 0, 0), (1, 0, 0)))
    with pytest.raises(
        StepFailed, match=r"^other: .*% of the mirror image|^other: .*%\) of the mirror image"
    ):
        run_step(Step("other", far), {"mask": ball_mask()}, Work())


def test_a_whole_chain_from_scan_to_shell() -> None:
    """A wall of 2 mm outside a ball of 12 mm, as a socket or a guide would begin."""
    mask = ball_mask()
    solid = Fill(mask=REF, kind="wrap").run(Work(), mask)
    wall = Hollow(mask=REF, thickness=2.2, side="outside").run(Work(), solid)
    part = Surface(volume=Ref("ct"), mask=REF).run(Work(), ball_scan(), wall)
    assert part.mesh.watertight
    assert part.mesh.volume_mm3 == pytest.approx(volume_of(14.2) - volume_of(12.0), rel=0.2)
