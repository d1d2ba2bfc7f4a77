"""The figures of a comparison, against closed forms (P6) and against other programs."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK
from meshmetrics import DistanceMetrics

from surgiplan.algorithms.agreement import agreement
from surgiplan.algorithms.segment import threshold
from surgiplan.algorithms.surface import voxel_surface
from surgiplan.errors import Cancelled, Mismatch, StepFailed
from surgiplan.phantoms.bodies import SpherePhantom
from surgiplan.values import Agreement, Grid, Mask, Mesh, Part, Pose, vec3
from tests.ops.shapes import ball, box, holed, no_mask, no_part

MM, SHARE = 0.02, 0.001  # VALIDITY B3 row 9
R = 20.0


@pytest.fixture(scope="module")
def fine_ball() -> Part:
    return ball(R, rings=64)


def grid(shape: tuple[int, int, int], spacing: tuple[float, float, float], turned: float = 0.0) -> Grid:
    """A grid whose middle lies at (7, -3, 12) mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = Pose.of_rotation((1, 2, 3), turned).rotation @ np.eye(3)[:, ::-1] * spacing
    matrix[:3, 3] = (7, -3, 12) - matrix[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return Grid(shape, matrix, "1.2.3")


def ball_mask(where: Grid, centre: tuple[float, float, float], radius: float) -> Mask:
    places = where.to_lps(np.indices(where.shape_kji).reshape(3, -1).T)
    away = np.linalg.norm(places - centre, axis=1)
    return Mask(where, (away <= radius).reshape(where.shape_kji))


# -- closed forms -------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [0.7, 3.0, 11.0])
def test_two_equal_spheres(fine_ball: Part, d: float) -> None:
    """The way from a place of one sphere to the other is |sqrt(R2 + d2 - 2 R d c) - R|, c even in -1..1."""
    found = agreement(fine_ball, fine_ball.moved(Pose.of_shift((0.6 * d, 0, -0.8 * d))), tolerance_mm=d / 3)
    cosine = np.linspace(-1, 1, 1_000_001)
    away = np.abs(np.sqrt(R * R + d * d - 2 * R * d * cosine) - R)
    dice = (4 * R + d) * (2 * R - d) ** 2 / (16 * R**3)
    assert found.dice == pytest.approx(dice, abs=SHARE)
    assert found.jaccard == pytest.approx(dice / (2 - dice), abs=SHARE)
    assert found.hausdorff_mm == pytest.approx(d, abs=MM)
    assert found.hd95_mm == pytest.approx(np.quantile(away, 0.95), abs=MM)
    assert found.assd_mm == pytest.approx(away.mean(), abs=MM)
    assert found.nsd == pytest.approx(np.mean(away <= d / 3), abs=SHARE)


@pytest.mark.parametrize("r", [19.5, 17.0])
def test_concentric_spheres(fine_ball: Part, r: float) -> None:
    inner = ball(r, rings=64)
    found = agreement(fine_ball, inner, tolerance_mm=R - r + MM)
    assert found.dice == pytest.approx(2 * r**3 / (R**3 + r**3), abs=SHARE)
    for figure in (found.hausdorff_mm, found.hd95_mm, found.assd_mm):
        assert figure == pytest.approx(R - r, abs=MM)
    assert found.nsd == pytest.approx(1)
    assert agreement(fine_ball, inner, tolerance_mm=R - r - MM).nsd == 0


def test_concentric_spheres_of_voxels() -> None:
    """The overlap as in the closed form; the distances to a quarter and to a whole of the thickest voxel."""
    where = grid((55, 74, 88), (0.8, 0.6, 0.5), 25)
    outer, inner = (ball_mask(where, (7, -3, 12), radius) for radius in (R, 15.0))
    found = agreement(outer, inner)
    assert found.dice == pytest.approx(2 * 15**3 / (R**3 + 15**3), abs=SHARE)
    assert found.assd_mm == pytest.approx(5, abs=0.2)
    assert found.hausdorff_mm == pytest.approx(5, abs=0.8)


def test_a_mask_shifted_by_whole_voxels_is_that_far_away() -> None:
    """HD = d, to rounding, along the axis with the thick voxels."""
    where = grid((40, 60, 70), (2.5, 0.8, 0.7))
    mask = ball_mask(where, (7, -3, 12), 15.0)
    shifted = Mask(where, np.roll(mask.voxels, 3, axis=0))
    found = agreement(mask, shifted)
    assert found.hausdorff_mm == pytest.approx(7.5, abs=1e-4)
    assert found.dice == 2 * np.count_nonzero(mask.voxels & shifted.voxels) / (2 * mask.voxels.sum())


def test_two_blocks_whose_far_corner_is_known() -> None:
    """The same block with a spike: the farthest place is found though it is nearly no area."""
    plain = box((30, 20, 10), Pose.of_shift((1, 2, 3)))
    points, triangles = plain.mesh.points, plain.mesh.triangles
    tip = np.array([[0, 0, 9.0]])
    a, b, c = next(t for t in triangles if (points[t][:, 2] == 5).all())
    rest = [t for t in triangles.tolist() if t != [a, b, c]]
    new = len(points)
    spiked = Mesh(np.vstack([points, tip]), [*rest, [a, b, new], [b, c, new], [c, a, new]])
    found = agreement(plain, Part(spiked, plain.pose, plain.frame_uid))
    assert found.hausdorff_mm == pytest.approx(4, abs=1e-5)
    assert found.at_lps == pytest.approx((1, 2, 12), abs=1e-4)


# -- invariance -----------------------------------------------------------------------------------


def test_the_triangulation_does_not_weigh_in() -> None:
    """One block twice: of 12 triangles, and with one face cut into some ten thousand."""
    coarse = box()
    points, triangles = coarse.mesh.points.astype(np.float64), coarse.mesh.triangles
    top = [t for t in triangles.tolist() if (points[t][:, 2] == 5).all()]
    rest = [t for t in triangles.tolist() if t not in top]
    pieces = points[np.array(top)]
    for _ in range(6):
        a, b, c = (pieces[:, n] for n in range(3))
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        quarters = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
        pieces = np.concatenate([np.stack(one, axis=1) for one in quarters])
    all_corners = np.concatenate([points[np.array(rest)], pieces])
    fine = Part(
        Mesh(all_corners.reshape(-1, 3), np.arange(3 * len(all_corners)).reshape(-1, 3)),
        coarse.pose,
        coarse.frame_uid,
    )
    other = coarse.moved(Pose.of_shift((0.5, -0.8, 0.4)))
    one, two = agreement(coarse, other, 0.5), agreement(fine, other, 0.5)
    for name in ("hausdorff_mm", "hd95_mm", "assd_mm"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), abs=0.005)
    assert one.nsd == pytest.approx(two.nsd, abs=0.005)


def test_swapped_regions_agree_as_well(fine_ball: Part) -> None:
    other = ball(18.0, vec3(np.add(fine_ball.bounds_lps.mean(axis=0), (2, 1, 0))), rings=50)
    one, two = agreement(fine_ball, other), agreement(other, fine_ball)
    for name in ("dice", "jaccard", "hausdorff_mm", "hd95_mm", "assd_mm", "nsd"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), abs=1e-9)


def test_a_region_agrees_with_itself(fine_ball: Part) -> None:
    found = agreement(fine_ball, fine_ball, 0.0)
    assert (found.dice, found.jaccard) == pytest.approx((1, 1))
    assert found.hausdorff_mm < 1e-5


def test_masks_on_two_grids_of_one_frame() -> None:
    """The second grid is turned and has other voxels: the balls in them stay what they are."""
    one = ball_mask(grid((70, 90, 90), (0.7, 0.5, 0.5)), (7, -3, 12), 15.0)
    other = ball_mask(grid((50, 64, 60), (0.9, 0.7, 0.8), 30), (9, -3, 12), 15.0)
    found, d = agreement(one, other), 2.0
    assert found.dice == pytest.approx((60 + d) * (30 - d) ** 2 / (16 * 15**3), abs=0.002)
    assert found.assd_mm == pytest.approx(1.0, abs=0.15)
    assert found.hausdorff_mm == pytest.approx(d, abs=0.7)


def test_a_mask_beside_a_surface() -> None:
    mask = ball_mask(grid((70, 90, 90), (0.7, 0.5, 0.5)), (7, -3, 12), 15.0)
    found = agreement(mask, voxel_surface(mask))
    assert found.dice == pytest.approx(1)
    assert found.hausdorff_mm < 1e-4


# -- other programs -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_masks() -> tuple[Mask, Mask]:
    phantom = SpherePhantom()
    volume = phantom.volume((2.0, 0.9, 0.8), psf_sigma_mm=0.8, noise_hu=60)
    sparse, rich = (threshold(volume, level, 5000) for level in (720, 380))
    return sparse, Mask(rich.grid, np.roll(rich.voxels, (1, 2, -1), axis=(0, 1, 2)))


@pytest.fixture(scope="module")
def found(two_masks: tuple[Mask, Mask]) -> Agreement:
    return agreement(*two_masks, tolerance_mm=1.0)


def as_image(mask: Mask) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(mask.voxels.view(np.uint8))
    image.SetSpacing(mask.grid.spacing_kji[::-1])
    return image


def test_meshmetrics_says_the_same(two_masks: tuple[Mask, Mask], found: Agreement) -> None:
    """It takes distances at the middles of triangles as we do on small ones."""
    judge = DistanceMetrics()
    judge.set_input(*map(as_image, two_masks))
    assert found.dice == pytest.approx(judge.dsc(), abs=1e-9)
    assert found.hausdorff_mm == pytest.approx(judge.hd(), abs=0.1)
    assert found.hd95_mm == pytest.approx(judge.hd(95), abs=MM)
    assert found.assd_mm == pytest.approx(judge.assd(), abs=MM)
    assert found.nsd == pytest.approx(judge.nsd(1.0), abs=0.005)


def test_simpleitk_says_the_same(two_masks: tuple[Mask, Mask], found: Agreement) -> None:
    """Its Hausdorff distance is from voxel centre to voxel centre: a voxel coarser than ours."""
    images = [as_image(mask) for mask in two_masks]
    overlap = SimpleITK.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images)
    assert found.dice == pytest.approx(overlap.GetDiceCoefficient(), abs=1e-9)
    assert found.jaccard == pytest.approx(overlap.GetJaccardCoefficient(), abs=1e-9)
    hausdorff = SimpleITK.HausdorffDistanceImageFilter()
    hausdorff.Execute(*images)
    assert found.hausdorff_mm == pytest.approx(hausdorff.GetHausdorffDistance(), abs=1.0)


# -- contract -------------------------------------------------------------------------------------


def test_an_open_surface_has_distances_but_no_overlap(fine_ball: Part) -> None:
    found = agreement(holed(ball()), ball())
    assert (found.dice, found.jaccard, found.a_mm3) == (None, None, None)
    assert set(found.measurements) == {"HD", "HD95", "ASSD", "NSD"}
    assert found.hausdorff_mm < 2


def test_each_figure_carries_unit_and_definition(found: Agreement) -> None:
    told = found.measurements
    assert list(told) == ["Dice", "Jaccard", "HD", "HD95", "ASSD", "NSD"]
    assert [one.unit for one in told.values()] == ["", "", "mm", "mm", "mm", ""]
    assert "within 1 mm" in told["NSD"].definition


def test_bad_regions_are_refused() -> None:
    with pytest.raises(StepFailed, match="the second region is empty"):
        agreement(ball(), no_part())
    with pytest.raises(StepFailed, match="No voxel is chosen"):
        agreement(no_mask(), no_mask())
    with pytest.raises(StepFailed, match="tolerance must be 0 mm or more"):
        agreement(ball(), ball(), float("nan"))
    with pytest.raises(Mismatch, match="register step"):
        agreement(ball(), replace(ball(), frame_uid="9"))


def test_a_stop_is_heard(fine_ball: Part) -> None:
    def report(fraction: float, text: str) -> None:
        if fraction > 0.3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        agreement(fine_ball, fine_ball.moved(Pose.of_shift((1, 0, 0))), report=report)
