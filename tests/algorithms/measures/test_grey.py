import numpy as np
import pytest

from surgiplan.algorithms.measures import grey
from surgiplan.errors import StepFailed
from surgiplan.values import Grid, Volume


def ramp() -> Volume:
    """Grey values that rise by 10 per mm to the left, on an oblique grid."""
    turn = np.radians(20)
    axes = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = (axes @ np.diag((0.8, 0.9, 1.3)))[:, ::-1]
    affine[:3, 3] = (-20, -15, -10)
    shape = (24, 40, 48)
    grid = Grid(shape, affine, "1.2.3")
    points = grid.to_lps(np.indices(shape).reshape(3, -1).T)
    return Volume(grid, (10 * points[:, 0]).reshape(shape).astype(np.float32))


def test_a_line_through_a_ramp() -> None:
    found = grey.along_line(ramp(), (-9, 5, 2), (6, 5, 9))
    assert found["mean"].value == pytest.approx(-15, abs=1e-3)
    assert (found["lowest"].value, found["highest"].value) == (
        pytest.approx(-90, abs=0.01),
        pytest.approx(60, abs=0.01),
    )
    assert found["deviation"].value == pytest.approx(150 / np.sqrt(12), rel=0.05)
    profile = found["profile"]
    assert profile.at_mm[-1] == pytest.approx(np.hypot(15, 7), rel=1e-6)
    assert np.diff(profile.at_mm).max() <= 0.4 + 1e-6
    assert np.allclose(profile.grey, -90 + 150 * profile.at_mm / profile.at_mm[-1], atol=0.01)
    assert profile.unit == found["mean"].unit == "HU"
    assert found["mean"].id == "hu-line.mean"


def test_a_cylinder_holds_the_voxels_within_its_radius() -> None:
    volume = ramp()
    start, end, radius = np.array([-5.0, 4.0, 0.0]), np.array([8.0, 6.0, 9.0]), 3.0
    found = grey.in_cylinder(volume, start, end, radius)
    kji = np.indices(volume.grid.shape_kji).reshape(3, -1).T
    away = volume.grid.to_lps(kji) - start
    axis = (end - start) / np.linalg.norm(end - start)
    along = away @ axis
    off = np.linalg.norm(away - along[:, None] * axis, axis=1)
    inside = (along >= 0) & (along <= np.linalg.norm(end - start)) & (off <= radius)
    values = volume.voxels.reshape(-1)[inside].astype(float)
    assert found["mean"].value == pytest.approx(values.mean())
    assert found["deviation"].value == pytest.approx(values.std())
    assert found["highest"].value == values.max()
    assert found["mean"].expected_error == pytest.approx(values.std() / np.sqrt(len(values)))


def test_what_lies_outside_or_is_too_small_is_refused() -> None:
    volume = ramp()
    with pytest.raises(StepFailed, match=r"Point 2 lies \d+\.\d mm outside the scan"):
        grey.along_line(volume, (0, 5, 2), (200, 5, 2))
    with pytest.raises(StepFailed, match="voxels lie in this cylinder, 8 are needed"):
        grey.in_cylinder(volume, (0, 5, 2), (0, 5, 3), 0.3)
    with pytest.raises(StepFailed, match="no direction"):
        grey.along_line(volume, (0, 5, 2), (0, 5, 2))
