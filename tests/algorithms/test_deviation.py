"""What a surface says of itself is true: against closed forms and against an independent judge."""

import numpy as np
import pytest

from surgiplan.algorithms.deviation import PLACES, deviation, edge_offsets
from surgiplan.algorithms.segment import painted, threshold
from surgiplan.algorithms.spread import Sample, spread
from surgiplan.algorithms.surface import grey_surface, voxel_surface
from surgiplan.phantoms.bodies import SpherePhantom
from surgiplan.values import Bits, Grid, Mask, Mesh, Pose, Volume

TURNED = Pose.of_shift((13, -40, 205)).after(Pose.of_rotation((1, 2, 3), 25))
SPACING = (1.5, 0.8, 0.6)


def grid(shape: tuple[int, int, int] = (14, 24, 30)) -> Grid:
    made = np.eye(4)
    made[:3, :3] = TURNED.rotation @ np.eye(3)[:, ::-1] * SPACING
    made[:3, 3] = TURNED.shift
    return Grid(shape, made, "1.2")


def slope(start_hu: float, per_mm: float) -> Volume:
    """Grey values that fall along k alone."""
    where = grid()
    k = np.arange(where.shape_kji[0]) * SPACING[0]
    grey = (start_hu - per_mm * k)[:, None, None] * np.ones(where.shape_kji)
    return Volume(where, grey.astype(np.float32))


@pytest.mark.parametrize("off", [-0.9, -0.2, 0.0, 0.35, 1.2])
def test_the_edge_of_a_slope_is_found_where_it_is(off: float) -> None:
    """Seen along the slope, and 60 degrees beside it, where the way is twice as long."""
    volume = slope(1000, 100)
    edge_k = 5.0 / SPACING[0]  # 500 HU at 5 mm
    place = volume.grid.to_lps([[edge_k, 11.3, 14.2]]) - off * volume.grid.axes[:, 0]
    along = volume.grid.axes[:, 0]
    assert edge_offsets(volume, 500, place, along[None]) == pytest.approx([off], abs=1e-4)
    if abs(off) < 0.7:
        beside = np.cos(np.pi / 3) * along + np.sin(np.pi / 3) * volume.grid.axes[:, 2]
        assert edge_offsets(volume, 500, place, beside[None]) == pytest.approx([2 * off], abs=1e-4)


def test_no_edge_is_found_where_the_grey_value_rises_or_is_too_far() -> None:
    volume = slope(1000, 100)
    place = volume.grid.to_lps([[5.0 / SPACING[0], 11, 14]])
    along = volume.grid.axes[:, 0]
    assert np.isnan(edge_offsets(volume, 500, place, -along[None])).all()
    assert np.isnan(edge_offsets(volume, 500, place - 1.6 * along, along[None])).all()
    assert np.isnan(edge_offsets(volume, 500, place + 900 * along, along[None])).all()


def test_a_block_moved_off_its_voxels_is_as_far_away_as_it_was_moved() -> None:
    """The faces of the block lie on the faces of its voxels, moved outwards by 0.2 mm along k alone."""
    where = grid()
    voxels = np.zeros(where.shape_kji, np.uint8)
    voxels[4:9, 6:15, 7:21] = 1
    low, high = np.array((3.5, 5.5, 6.5)), np.array((8.5, 14.5, 20.5))
    low[0], high[0] = low[0] - 0.2 / SPACING[0], high[0] + 0.2 / SPACING[0]
    corners = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    triangles = np.array([t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))])
    mesh = Mesh(where.to_lps(np.where(corners, high, low)), triangles[:, ::-1])
    if mesh.volume_mm3 < 0:
        mesh = Mesh(mesh.points, triangles)
    inside = np.pad(voxels, 1)
    scan = Volume(where, np.zeros(where.shape_kji, np.int16))
    found = deviation(Sample(mesh), scan, None, inside, np.full(3, -1))
    assert found.mask_max_mm == pytest.approx(0.2, abs=1e-3)
    caps = 2 * (9 * 0.8) * (14 * 0.6)
    rims = 2 * 0.4 * (9 * 0.8 + 14 * 0.6)
    assert found.mask_mean_mm == pytest.approx((caps * 0.2 + rims * 0.1 / 2) / mesh.area_mm2, abs=0.002)
    assert found.volume_percent == pytest.approx(100 * (0.4 / (5 * 1.5)), abs=0.01)
    assert (found.edge_mean_mm, found.edge_share) == (None, 0.0)


def test_a_surface_of_grey_values_says_how_true_it_is() -> None:
    phantom = SpherePhantom()
    volume = phantom.volume((1.0, 0.8, 0.8))
    mask = threshold(volume, phantom.level_hu, 3000)
    part = grey_surface(volume, mask)
    assert part.deviation is not None
    assert part.deviation.edge_share == 1
    assert part.deviation.edge_mean_mm < 0.03
    assert part.deviation.edge_max_mm < 0.2
    assert part.deviation.volume_percent == pytest.approx(
        100 * (part.mesh.volume_mm3 / mask.volume_mm3 - 1), abs=1e-3
    )


def test_the_way_to_the_mask_is_the_way_to_the_nearest_of_all_its_faces() -> None:
    """Against every face of every voxel, one by one, on a mask without any order."""
    where = grid((7, 9, 8))
    mask = Mask(where, np.random.default_rng(1).random(where.shape_kji) < 0.4)
    mesh = voxel_surface(mask).mesh
    inside, mm = np.pad(mask.voxels.view(np.uint8), 1), np.asarray(SPACING)
    scan = Volume(where, np.zeros(where.shape_kji, np.int16))
    found = deviation(Sample(mesh), scan, None, inside, np.full(3, -1))
    places, _ = spread(mesh.points[mesh.triangles].astype(float), PLACES)
    kji, nearest = where.to_kji(places) + 1, np.full(len(places), np.inf)
    for axis in range(3):
        for low in np.argwhere(np.diff(inside, axis=axis)):
            middle = low + 0.5 * np.eye(3)[axis]
            half = 0.5 - 0.5 * np.eye(3)[axis]
            apart = np.maximum(np.abs(kji - middle) - half, 0) * mm
            nearest = np.minimum(nearest, np.linalg.norm(apart, axis=1))
    assert found.mask_mean_mm == pytest.approx(nearest.mean(), abs=1e-4)
    assert found.mask_p95_mm == pytest.approx(np.percentile(nearest, 95), abs=1e-4)
    assert found.mask_max_mm == pytest.approx(nearest.max(), abs=1e-4)


def test_a_surface_half_way_is_farther_from_the_grey_edge_than_one_that_follows_it() -> None:
    phantom = SpherePhantom()
    volume = phantom.volume((1.0, 0.8, 0.8))
    mask = threshold(volume, phantom.level_hu, 3000)
    steps = voxel_surface(mask)
    inside = np.pad(mask.voxels.view(np.uint8), 1)
    found = deviation(Sample(steps.mesh), volume, phantom.level_hu, inside, np.full(3, -1, np.int32))
    true = np.abs(phantom.surface_distance(steps.points_lps[steps.mesh.triangles].mean(axis=1)))
    assert found.edge_mean_mm > 0.08
    assert found.edge_mean_mm == pytest.approx(true.mean(), abs=0.05)
    assert found.mask_mean_mm < grey_surface(volume, mask).deviation.mask_mean_mm + 0.1


def test_what_was_painted_has_no_grey_edge() -> None:
    phantom = SpherePhantom()
    volume = phantom.volume((1.4, 1.1, 1.1))
    mask = threshold(volume, phantom.level_hu, 3000)
    removed = np.argwhere(mask.voxels)
    half = removed[removed[:, 2] >= volume.voxels.shape[2] // 2 - 5]
    whole, cut = (grey_surface(volume, painted(mask, Bits(), Bits.of(b))) for b in (half[:0], half))
    assert whole.deviation.edge_share > 0.999
    cap = 1 - cut.deviation.edge_share
    assert 0.15 < cap < 0.45
    assert cut.deviation.edge_max_mm < 1.4


def test_a_mask_without_a_level_has_no_grey_edge() -> None:
    phantom = SpherePhantom()
    volume = phantom.volume((1.4, 1.1, 1.1))
    mask = threshold(volume, phantom.level_hu, 3000)
    found = grey_surface(volume, Mask(mask.grid, mask.voxels)).deviation
    assert (found.edge_mean_mm, found.edge_p95_mm, found.edge_max_mm, found.edge_share) == (
        None,
        None,
        None,
        0,
    )
    assert 0 < found.mask_mean_mm < found.mask_p95_mm < found.mask_max_mm < 1.4
