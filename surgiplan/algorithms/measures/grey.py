"""Grey values along a line and in a cylinder."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from ...errors import StepFailed
from ...values import FloatArray, Measurement, Profile, Vec3, Volume, given_away, vec3
from .vectors import line, placed, unit

_FEWEST = 8  # voxels in a cylinder


def along_line(volume: Volume, start: ArrayLike, end: ArrayLike) -> dict[str, Any]:
    """Read the grey values on the way from one point to another.

    volume: the scan
    start, end: (3,) LPS mm, both inside the scan
    Returns mean, deviation, lowest and highest as measurements, and the profile: trilinear, at steps of
    half the smallest voxel spacing or less.
    Raises StepFailed when a point lies outside the scan, or both in one place.
    """
    ends = placed(start, end)
    length = float(np.linalg.norm(line(ends[0], ends[1], "line")))
    _require_inside(volume, ends)
    count = max(2, math.ceil(length / (min(volume.grid.spacing_kji) / 2)) + 1)
    share = np.linspace(0, 1, count)
    kji = volume.grid.to_kji(ends[0] + share[:, None] * (ends[1] - ends[0]))
    grey = map_coordinates(volume.voxels, kji.T, np.float64, order=1, mode="nearest")
    words = "grey values on the straight line between two points (trilinear)"
    shown = (vec3(ends[0]), vec3(ends[1]))
    found: dict[str, Any] = _statistics(volume, grey, words, "hu-line", shown)
    at = given_away((share * length).astype(np.float32))
    found["profile"] = Profile(
        at, given_away(grey.astype(np.float32)), volume.unit, shown, volume.grid.frame_uid
    )
    return found


def in_cylinder(volume: Volume, start: ArrayLike, end: ArrayLike, radius_mm: float) -> dict[str, Measurement]:
    """Read the grey values in a cylinder round the way from one point to another.

    volume: the scan
    start, end: (3,) LPS mm, the middles of both ends, inside the scan
    radius_mm: of the cylinder
    Returns mean, deviation, lowest and highest of the voxels whose centre lies in it.
    Raises StepFailed when it holds fewer than eight voxels, or a point lies outside the scan.
    """
    ends = placed(start, end)
    axis = unit(ends[0], ends[1], "axis of the cylinder")
    length = float(np.linalg.norm(ends[1] - ends[0]))
    _require_inside(volume, ends)
    grey = volume.voxels[_box(volume, ends, radius_mm)]
    kji = np.stack(np.meshgrid(*_ranges(volume, ends, radius_mm), indexing="ij"), axis=-1).reshape(-1, 3)
    away = volume.grid.to_lps(kji) - ends[0]
    along = away @ axis
    off = np.linalg.norm(away - along[:, None] * axis, axis=1)
    inside = (along >= 0) & (along <= length) & (off <= radius_mm)
    if (count := int(inside.sum())) < _FEWEST:
        raise StepFailed(
            f"Only {count} voxels lie in this cylinder, {_FEWEST} are needed: enlarge its radius."
        )
    words = f"grey values of the voxels within {radius_mm:g} mm of the line between two points"
    shown = (vec3(ends[0]), vec3(ends[1]))
    return _statistics(volume, grey.reshape(-1)[inside], words, "hu-cylinder", shown)


def _ranges(volume: Volume, ends: FloatArray, radius_mm: float) -> list[NDArray[Any]]:
    reach = radius_mm / np.array(volume.grid.spacing_kji)
    kji = volume.grid.to_kji(ends)
    low = np.maximum(np.floor(kji.min(axis=0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(kji.max(axis=0) + reach) + 1, volume.grid.shape_kji).astype(int)
    return [np.arange(a, b) for a, b in zip(low, high, strict=True)]


def _box(volume: Volume, ends: FloatArray, radius_mm: float) -> tuple[slice, ...]:
    return tuple(slice(int(one[0]), int(one[-1]) + 1) for one in _ranges(volume, ends, radius_mm))


def _require_inside(volume: Volume, points: FloatArray) -> None:
    for n, kji in enumerate(volume.grid.to_kji(points)):
        beyond = np.maximum(-0.5 - kji, kji - np.array(volume.grid.shape_kji) + 0.5)
        far = float((beyond * np.array(volume.grid.spacing_kji)).max())
        if far > 0:
            raise StepFailed(f"Point {n + 1} lies {far:.1f} mm outside the scan: place it inside.")


def _statistics(
    volume: Volume, grey: NDArray[Any], words: str, name: str, shown: tuple[Vec3, ...]
) -> dict[str, Measurement]:
    values = grey.astype(np.float64)
    spread = float(values.std())
    figures = {
        "mean": (float(values.mean()), "mean of the", spread / math.sqrt(len(values))),
        "deviation": (spread, "standard deviation of the", None),
        "lowest": (float(values.min()), "lowest of the", None),
        "highest": (float(values.max()), "highest of the", None),
    }
    return {
        figure: Measurement(
            value,
            volume.unit,
            f"{which} {words}",
            shown,
            volume.grid.frame_uid,
            error,
            id=f"{name}.{figure}",
            lines_lps=(shown,) if figure == "mean" else (),
        )
        for figure, (value, which, error) in figures.items()
    }
