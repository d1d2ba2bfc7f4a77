"""How much the noise of a scan moves the edge of an object."""

import numpy as np
from scipy.ndimage import map_coordinates

from ..values import FloatArray, Volume
from .spread import Sample

_PLACES = 4000
_AWAY = 3.0  # voxels off the edge, where noise is read
_SECOND_DIFFERENCE = np.sqrt(6.0)  # how much larger it makes white noise
_TO_SIGMA = 1.4826  # from the median of absolute values, for a normal distribution
_BETWEEN_VOXELS = np.sqrt(2 / 3)  # what linear interpolation leaves of white noise on average


def edge_noise_mm(volume: Volume, level: float, sample: Sample) -> float | None:
    """Estimate how far noise alone moves the grey edge: its standard deviation over the slope of the edge.

    The noise is read some voxels inside and outside of the edge from second differences along rows, by their
    median, so that structure does not count as noise; noise that is alike in neighbouring voxels is
    underrated. The slope is the median fall of the grey value along the normal.

    volume: the scan
    level: grey value of the border; places where the grey value is far from it are left out
    sample: of the surface at that level, LPS mm
    Returns mm; None where the grey value does not fall outwards, as round what was painted.
    """
    places, outward = sample.spread(_PLACES)
    half = min(volume.grid.spacing_kji) / 2
    within, beyond = (_grey(volume, places + side * half * outward) for side in (-1, 1))
    on_edge = (within >= level) & (beyond <= level)
    slope = float(np.median((within - beyond)[on_edge])) / (2 * half) if on_edge.any() else 0.0
    if slope <= 0:
        return None
    step = _AWAY * max(volume.grid.spacing_kji)
    noise = [_noise_at(volume, places + side * step * outward) for side in (-1, 1)]
    return float(_BETWEEN_VOXELS * np.sqrt(np.mean(np.square(noise))) / slope)


def _grey(volume: Volume, places: FloatArray) -> FloatArray:
    at = volume.grid.to_kji(places).T
    grey: FloatArray = map_coordinates(
        volume.voxels, at, output=np.float64, order=1, mode="nearest", prefilter=False
    )
    return grey


def _noise_at(volume: Volume, places: FloatArray) -> float:
    """Standard deviation of the noise in the voxels nearest to places."""
    last = np.asarray(volume.voxels.shape) - 1
    k, j, i = np.clip(np.rint(volume.grid.to_kji(places)).astype(np.int64), 0, last).T
    i = np.clip(i, min(1, last[2]), max(last[2] - 1, 0))
    rows = volume.voxels
    bend = rows[k, j, np.maximum(i - 1, 0)] - 2.0 * rows[k, j, i] + rows[k, j, np.minimum(i + 1, last[2])]
    return float(_TO_SIGMA * np.median(np.abs(bend)) / _SECOND_DIFFERENCE)
