"""The surface follows the grey values, stays with the mask, and is always closed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.algorithms.border import NUDGE
from surgiplan.algorithms.masks.parts import largest_parts
from surgiplan.algorithms.segment import painted, threshold
from surgiplan.algorithms.surface import _required_closed, grey_surface, voxel_surface
from surgiplan.errors import Cancelled, Mismatch, StepFailed
from surgiplan.phantoms.bodies import EllipsoidPhantom, ShellPhantom, SpherePhantom, TorusPhantom
from surgiplan.phantoms.femur import Femur
from surgiplan.progress import silent
from surgiplan.values import AT_ONCE, Bits, Grid, Mask, Mesh, Part, Pose, Volume, digest

FINE = (1.0, 0.7, 0.7)


def plain_grid(shape, spacing=(2.0, 0.8, 0.6)) -> Grid:
    matrix = np.zeros((4, 4))
    matrix[[2, 1, 0], [0, 1, 2]] = spacing
    matrix[:, 3] = (13.0, -40.0, 205.0, 1.0)
    return Grid(shape, matrix, "1.2.3")


def of_threshold(volume: Volume, level: float, **options) -> Part:
    return grey_surface(volume, largest_parts(threshold(volume, level, 32767)), **options)


def errors_of(phantom, part: Part) -> np.ndarray:
    """Distances to the true surface of 40 000 corners and middles of triangles, at most."""
    points = part.points_lps
    points = np.concatenate([points, points[part.mesh.triangles].mean(axis=1)])
    return phantom.surface_distance(points[:: 1 + len(points) // 40_000])


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))


# -- accuracy -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phantom", "euler", "share"),
    [
        (SpherePhantom(), 2, 0.005),
        (EllipsoidPhantom(), 2, 0.005),
        (TorusPhantom(), 0, 0.0075),
        (ShellPhantom(), 4, 0.005),
    ],
)
@pytest.mark.parametrize("scanner", [{}, {"psf_sigma_mm": 0.5, "noise_hu": 15.0}])
def test_surface_of_a_known_body(phantom, euler, share, scanner) -> None:
    part = of_threshold(phantom.volume(FINE, **scanner), phantom.level_hu)
    away = errors_of(phantom, part)
    assert rms(away) <= 0.05
    assert np.percentile(np.abs(away), 95) <= 0.12
    assert np.abs(away).max() <= 0.20
    assert part.mesh.volume_mm3 == pytest.approx(phantom.volume_mm3, rel=share)
    assert part.mesh.watertight
    assert part.mesh.euler_number == euler
    assert part.frame_uid == phantom.frame_uid


def test_surface_in_thick_slices() -> None:
    phantom = SpherePhantom()
    away = errors_of(phantom, of_threshold(phantom.volume((2.5, 0.8, 0.8)), phantom.level_hu))
    assert rms(away) <= 0.10
    assert np.abs(away).max() <= 0.45


def test_surface_of_an_oblique_coronal_scan_lies_in_the_same_place() -> None:
    phantom = EllipsoidPhantom()
    axes = (
        Pose.of_rotation((3, -1, 2), 37).rotation
        @ np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]])[:, [1, 0, 2]]
    )
    axes *= np.sign(np.linalg.det(axes[:, ::-1]))
    shape = np.array([52, 98, 101])
    matrix = np.eye(4)
    matrix[:3, :3] = axes * (1.2, 0.7, 0.8)
    matrix[:3, 3] = phantom.scan_box.mean(axis=0) - matrix[:3, :3] @ ((shape - 1) / 2)
    part = of_threshold(phantom.volume(grid=Grid(tuple(shape), matrix, "7")), phantom.level_hu)
    assert rms(errors_of(phantom, part)) <= 0.05
    assert part.mesh.volume_mm3 == pytest.approx(phantom.volume_mm3, rel=0.005)
    assert part.frame_uid == "7"


def test_surface_of_the_upper_end_of_a_femur() -> None:
    femur = Femur()
    whole = femur.grid()
    matrix = whole.kji_to_lps.copy()
    matrix[:3, 3] = whole.to_lps((whole.shape_kji[0] - 90, 0, 0))
    grid = Grid((90, *whole.shape_kji[1:]), matrix, whole.frame_uid)
    part = of_threshold(femur.volume(grid=grid, noise_hu=15), femur.level_hu)
    scanned = part.points_lps[part.points_lps[:, 2] > grid.to_lps((0, 0, 0))[2]]
    away = femur.surface_distance(scanned[::4])
    away = away[away > -femur.cortex_mm / 2]  # the inner side of the cortex has another truth
    assert len(away) > 5000
    assert rms(away) <= 0.05
    assert np.percentile(np.abs(away), 95) <= 0.12
    assert part.mesh.watertight


@pytest.mark.slow
def test_surface_of_a_whole_femur() -> None:
    femur = Femur()
    part = of_threshold(femur.volume(noise_hu=15), femur.level_hu, fill_cavities=True)
    away = errors_of(femur, part)
    assert rms(away) <= 0.05
    assert np.percentile(np.abs(away), 95) <= 0.12
    assert part.mesh.volume_mm3 == pytest.approx(femur.outer_volume_mm3, rel=0.005)
    assert part.mesh.euler_number == 2


def test_the_grey_surface_is_several_times_better_than_that_of_the_mask_alone() -> None:
    phantom = SpherePhantom()
    volume = phantom.volume(FINE)
    mask = threshold(volume, phantom.level_hu, 3000)
    grey = rms(errors_of(phantom, grey_surface(volume, mask)))
    steps = rms(errors_of(phantom, grey_surface(volume, Mask(mask.grid, mask.voxels))))
    assert grey < steps / 4


def test_cavities_are_kept_or_filled() -> None:
    phantom = ShellPhantom()
    volume = phantom.volume((1.2, 0.9, 0.9))
    kept, filled = (of_threshold(volume, phantom.level_hu, fill_cavities=fill) for fill in (False, True))
    assert kept.mesh.euler_number == 4
    assert filled.mesh.euler_number == 2
    assert filled.mesh.volume_mm3 == pytest.approx(4 / 3 * np.pi * phantom.outer_radius_mm**3, rel=0.005)
    outer = filled.points_lps
    assert {*map(tuple, outer)} <= {*map(tuple, kept.points_lps)}


# -- where mask and grey values disagree ----------------------------------------------------------


def flat_scan(shape=(9, 12, 14)) -> Volume:
    rng = np.random.default_rng(0)
    return Volume(plain_grid(shape), rng.normal(40, 20, shape).astype(np.float32))


def test_the_border_of_a_painted_box_lies_half_way_between_voxels() -> None:
    volume = flat_scan()
    voxels = np.indices(volume.voxels.shape).reshape(3, -1).T
    box = voxels[((voxels >= (2, 3, 4)) & (voxels <= (5, 7, 10))).all(axis=1)]
    nothing = threshold(volume, 300, 3000)
    part = grey_surface(volume, painted(nothing, Bits.of(box), Bits()))
    kji = volume.grid.to_kji(part.points_lps)
    assert np.allclose(np.sort(np.abs(kji - np.rint(kji)), axis=1)[:, 2], 0.5, atol=1e-4)
    assert np.allclose(kji.min(axis=0), (1.5, 2.5, 3.5), atol=1e-4)
    assert np.allclose(kji.max(axis=0), (5.5, 7.5, 10.5), atol=1e-4)


def test_what_was_removed_by_hand_is_cut_off_half_way() -> None:
    phantom = SpherePhantom()
    volume = phantom.volume((1.4, 1.1, 1.1))
    mask = threshold(volume, phantom.level_hu, 3000)
    cut = volume.voxels.shape[2] // 2 - 5
    removed = np.argwhere(mask.voxels)
    part = grey_surface(volume, painted(mask, Bits(), Bits.of(removed[removed[:, 2] >= cut])))
    i = volume.grid.to_kji(part.points_lps)[:, 2]
    assert i.max() == pytest.approx(cut - 0.5, abs=1e-4)
    round_part = part.points_lps[i < cut - 1.01]
    assert rms(phantom.surface_distance(round_part)) <= 0.06
    assert part.mesh.watertight


def test_without_any_level_the_border_lies_half_way_everywhere() -> None:
    phantom = SpherePhantom()
    volume = phantom.volume((1.4, 1.1, 1.1))
    mask = threshold(volume, phantom.level_hu, 3000)
    kji = volume.grid.to_kji(grey_surface(volume, Mask(mask.grid, mask.voxels)).points_lps)
    assert np.allclose((2 * kji) % 1, np.rint((2 * kji) % 1), atol=1e-3)
    by_hand = grey_surface(volume, Mask(mask.grid, mask.voxels), level=phantom.level_hu)
    assert digest(by_hand) == digest(grey_surface(volume, mask))


def test_grey_values_equal_to_the_level_leave_no_flat_triangles() -> None:
    grey = np.zeros((7, 8, 9), np.int16)
    grey[2:5, 2:6, 2:7] = 500
    part = of_threshold(Volume(plain_grid(grey.shape), grey), 500)
    a, b, c = part.points_lps[part.mesh.triangles].transpose(1, 0, 2)
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 0
    kji = plain_grid(grey.shape).to_kji(part.points_lps)
    assert kji.max(axis=0) == pytest.approx(np.array((4, 5, 6)) + NUDGE, abs=1e-4)


# -- always closed --------------------------------------------------------------------------------


def test_an_object_at_the_edge_of_the_scan_is_closed_flat_on_the_last_voxels() -> None:
    phantom = SpherePhantom()
    whole = phantom.volume(FINE)
    k = whole.voxels.shape[0] // 2
    grid = Grid((k, *whole.grid.shape_kji[1:]), whole.grid.kji_to_lps, whole.grid.frame_uid)
    part = of_threshold(Volume(grid, whole.voxels[:k]), phantom.level_hu)
    assert part.mesh.watertight
    assert grid.to_kji(part.points_lps)[:, 0].max() == pytest.approx(k - 0.5, abs=1e-4)
    height = grid.to_lps((k - 0.5, 0, 0))[2] - phantom.centre[2] + phantom.radius_mm
    cap = np.pi * height**2 * (3 * phantom.radius_mm - height) / 3
    assert part.mesh.volume_mm3 == pytest.approx(cap, rel=0.01)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95), st.booleans())
def test_any_mask_gives_a_closed_surface_that_faces_outwards(seed, density, fill) -> None:
    rng = np.random.default_rng(seed)
    shape = (5, 6, 7)
    volume = Volume(plain_grid(shape), rng.integers(-3, 4, shape).astype(np.int16))
    mask = Mask(volume.grid, rng.random(shape) < density, 0.0)
    if not mask.voxels.any():
        return
    part = grey_surface(volume, mask, fill_cavities=fill)
    assert part.mesh.watertight
    assert part.mesh.volume_mm3 > 0
    assert len(np.unique(part.mesh.triangles)) == len(part.mesh.points)
    assert len(np.unique(part.mesh.points, axis=0)) == len(part.mesh.points)


# -- contract -------------------------------------------------------------------------------------


def test_two_runs_agree_and_inputs_stay_what_they_were() -> None:
    phantom = TorusPhantom()
    volume = phantom.volume((1.6, 1.2, 1.2))
    mask = threshold(volume, phantom.level_hu, 3000)
    before = digest(volume), digest(mask)
    first, second = (grey_surface(volume, mask, fill_cavities=True) for _ in range(2))
    assert digest(first) == digest(second)
    assert (digest(volume), digest(mask)) == before


def test_an_empty_mask_fails() -> None:
    volume = flat_scan()
    with pytest.raises(StepFailed, match="No voxel is chosen"):
        grey_surface(volume, threshold(volume, 2000, 3000))


def test_a_mask_of_another_grid_is_a_mismatch() -> None:
    volume = flat_scan()
    other = plain_grid(volume.voxels.shape, (2.0, 0.8, 0.61))
    with pytest.raises(Mismatch):
        grey_surface(volume, Mask(other, np.ones(other.shape_kji, np.bool_)))


@pytest.mark.parametrize("stop_at", [1, 3, 5, 6])
def test_a_stop_is_heard(stop_at) -> None:
    volume = flat_scan()
    said = []

    def report(fraction: float, text: str) -> None:
        said.append(fraction)
        if len(said) == stop_at:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        grey_surface(volume, threshold(volume, 40, 3000), fill_cavities=True, report=report)
    assert said == sorted(said)


def test_the_volume_summed_up_beside_the_check_is_that_of_the_mesh_to_the_last_bit() -> None:
    phantom = TorusPhantom()
    mesh = of_threshold(phantom.volume(FINE), phantom.level_hu).mesh
    assert len(mesh.triangles) > AT_ONCE
    assert mesh.volume_mm3 == Mesh(mesh.points, mesh.triangles).volume_mm3


@pytest.mark.parametrize("wrong", ["a triangle less", "one turned", "inside out"])
def test_a_surface_that_is_not_closed_or_faces_inwards_is_refused(wrong: str) -> None:
    mesh = voxel_surface(Mask(plain_grid((4, 5, 6)), np.ones((4, 5, 6), np.bool_))).mesh
    triangles = mesh.triangles.copy()
    if wrong == "a triangle less":
        triangles = triangles[1:]
    elif wrong == "one turned":
        triangles[7] = triangles[7, ::-1]
    else:
        triangles = triangles[:, ::-1]
    with pytest.raises(StepFailed, match="did not close"):
        _required_closed(Mesh(mesh.points, triangles), silent)
