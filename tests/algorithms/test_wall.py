"""Walls: thickness against closed forms, the law of what a scan can show, and the warnings."""

import numpy as np
import pytest
from scipy.stats import norm

from surgiplan.algorithms.masks.parts import largest_parts
from surgiplan.algorithms.segment import threshold
from surgiplan.algorithms.surface import grey_surface
from surgiplan.algorithms.wall import INVISIBLE, apparent, blur_of, thickness, walls
from surgiplan.errors import Mismatch, StepFailed
from surgiplan.phantoms import ShellPhantom, SpherePhantom
from surgiplan.values import Part, Volume, vec3
from tests.ops.shapes import ELSEWHERE, ball, box, holed

FINE = (0.5, 0.5, 0.5)


def shell(wall_mm: float, radius: float = 14.0) -> ShellPhantom:
    return ShellPhantom(thickness_mm=wall_mm, outer_radius_mm=radius)


def scanned(phantom, sigma: float = 0.6, noise: float = 0.0) -> tuple[Volume, Part]:
    volume = phantom.volume(FINE, psf_sigma_mm=sigma, noise_hu=noise)
    mask = largest_parts(threshold(volume, phantom.level_hu, 5000))
    return volume, grey_surface(volume, mask)


@pytest.mark.parametrize("wall_mm", [1.0, 2.5, 6.0])
def test_the_wall_of_a_shell_is_as_thick_as_it_is(wall_mm: float) -> None:
    """VALIDITY 24: within 0.02 mm on an ideal mesh."""
    found = thickness(shell(wall_mm).mesh(0.6).mesh, 10.0)
    assert np.abs(found - wall_mm).max() <= 0.02


def test_the_wall_of_a_block_is_as_thick_as_it_is() -> None:
    """Corners of a block stand askew; the ball that touches both sides is still found."""
    from surgiplan.algorithms.remesh import remesh

    block = remesh(box((30.0, 20.0, 4.0)), 1.0)
    own = block.mesh.points
    flat = (np.abs(own[:, 0]) < 11) & (np.abs(own[:, 1]) < 6)
    assert np.abs(thickness(block.mesh, 10.0)[flat] - 4.0).max() <= 0.02


def test_a_full_body_has_no_wall_within_reach() -> None:
    assert np.isinf(thickness(ball().mesh, 10.0)).all()
    with pytest.raises(StepFailed, match="Raise the reach"):
        walls(ball(), 0.6, reach_mm=10.0)


@pytest.mark.parametrize(("wall_mm", "bias_mm"), [(1.0, -0.20), (1.5, -0.02)])
def test_the_law_of_thin_walls(wall_mm: float, bias_mm: float) -> None:
    """VALIDITY P16: nothing below 1.349 sigma; the published biases; and the equation itself."""
    assert apparent(wall_mm, 0.6) - wall_mm == pytest.approx(bias_mm, abs=0.015)
    x = apparent(wall_mm, 0.6) / 2
    shown = norm.cdf((wall_mm / 2 - x) / 0.6) - norm.cdf((-wall_mm / 2 - x) / 0.6)
    assert shown == pytest.approx(0.5, abs=1e-9)
    assert apparent(0.999 * INVISIBLE * 0.6, 0.6) == 0
    assert 0 < apparent(1.01 * INVISIBLE * 0.6, 0.6) < 0.2


@pytest.mark.parametrize("wall_mm", [1.2, 2.0, 4.0])
def test_a_scanned_wall_looks_as_thin_as_the_law_says(wall_mm: float) -> None:
    sigma = float(np.hypot(0.6, 0.5 / np.sqrt(12)))
    volume, part = scanned(shell(wall_mm))
    found = thickness(part.mesh, 10.0)
    assert found[np.isfinite(found)].mean() == pytest.approx(apparent(wall_mm, sigma), abs=0.03)
    assert blur_of(volume, part) == pytest.approx(sigma, abs=0.02)


@pytest.mark.parametrize("sigma", [0.4, 0.6, 0.9])
@pytest.mark.parametrize("noise", [0.0, 40.0])
def test_the_blur_is_read_from_the_edge(sigma: float, noise: float) -> None:
    volume, part = scanned(SpherePhantom(radius_mm=14.0), sigma, noise)
    assert blur_of(volume, part) == pytest.approx(np.hypot(sigma, 0.5 / np.sqrt(12)), abs=0.03)


def test_the_blur_of_another_scan_is_refused() -> None:
    volume, part = scanned(SpherePhantom(radius_mm=10.0))
    flat = Volume(volume.grid, np.zeros(volume.voxels.shape, np.int16))
    with pytest.raises(StepFailed, match="does not fall at the surface"):
        blur_of(flat, part)


def test_thin_walls_are_marked_and_thick_ones_are_not() -> None:
    for wall_mm, marked in ((1.2, True), (2.5, False)):
        _, part = scanned(shell(wall_mm))
        found = walls(part, 0.617)
        assert (found.thin_share > 0.95) == marked
        assert (found.thin_share == 0) == (not marked)
        assert found.thin_mm == pytest.approx(apparent(2.5 * 0.617, 0.617))
    assert walls(part, None).thin_share == 0


def test_a_body_that_rests_on_a_thin_wall_is_warned_of() -> None:
    phantom = shell(1.2)
    _, part = scanned(phantom)
    beside = vec3(np.add(phantom.centre, (14.0 + 2.0, 0, 0)))
    far = vec3(np.add(phantom.centre, (14.0 + 9.0, 0, 0)))
    resting = walls(part, 0.617, ball(2.2, beside, frame=part.frame_uid))
    assert resting.resting_share > 0.9
    assert np.linalg.norm(np.subtract(resting.resting_lps[0], beside)) < 3
    clear = walls(part, 0.617, ball(2.2, far, frame=part.frame_uid))
    assert (clear.resting_share, clear.resting_lps) == (0.0, ())
    with pytest.raises(Mismatch):
        walls(part, 0.617, ball(2.2, beside, frame=ELSEWHERE))


def test_an_open_bone_has_no_walls() -> None:
    with pytest.raises(StepFailed, match="Repair the bone first"):
        walls(holed(ball()), 0.6)
