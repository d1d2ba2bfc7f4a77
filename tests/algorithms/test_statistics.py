"""The figures of a segment against a ball whose volume, area and brightness are known."""

import numpy as np
import pytest

from surgiplan.algorithms.statistics import segment_figures
from surgiplan.errors import StepFailed
from surgiplan.values import Grid, Mask, Volume

RADIUS, SPACING = 15.0, (1.2, 0.6, 0.8)


def a_ball() -> tuple[Volume, Mask]:
    """Its edge is a ramp of 2 mm, half-way at the radius; inside the grey values go from left to right."""
    shape = (34, 66, 52)
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, ::-1] * SPACING
    grid = Grid(shape, affine, "1.2.3")
    away = (np.indices(shape).reshape(3, -1).T - np.asarray(shape) / 2 + 0.2) * SPACING
    far = np.linalg.norm(away, axis=1)
    grey = np.clip((RADIUS - far) / 2 + 0.5, 0, 1) * 1000
    return (
        Volume(grid, np.rint(grey).astype(np.int16).reshape(shape)),
        Mask(grid, (grey >= 500).reshape(shape), 500.0),
    )


def test_a_ball_is_measured_as_it_is() -> None:
    volume, mask = a_ball()
    found = segment_figures(volume, mask)
    assert found.voxels == np.count_nonzero(mask.voxels)
    assert found.volume_mm3 == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.01)
    assert found.area_mm2 == pytest.approx(4 * np.pi * RADIUS**2, rel=0.01)
    inside = volume.voxels[mask.voxels].astype(np.float64)
    assert found.mean == pytest.approx(inside.mean(), rel=1e-12)
    assert found.deviation == pytest.approx(inside.std(), rel=1e-9)


def test_an_empty_segment_says_what_to_do() -> None:
    volume, mask = a_ball()
    with pytest.raises(StepFailed, match="This segment is empty"):
        segment_figures(volume, Mask(mask.grid, np.zeros_like(mask.voxels)))
