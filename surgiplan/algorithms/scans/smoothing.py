"""Take noise out of a scan and leave its edges."""

from collections.abc import Callable
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from SimpleITK import GetImageFromArray, MedianImageFilter

from ...progress import Report, part_of, silent
from ...values import FloatsArray, Vec3, Volume, given_away
from ..filters import run_itk, voxels_of
from ..masks.box import slabs

Kind = Literal["median", "diffusion", "gaussian"]
_AT_ONCE = 2_000_000
_SHARE = 0.9  # of the longest step of time at which diffusion is stable


def denoised(
    volume: Volume, kind: Kind, radius_mm: float, edge: float = 100.0, report: Report = silent
) -> Volume:
    """Smooth the grey values of a scan.

    median: the median of the voxels in a box of this radius; keeps straight edges, takes out single voxels
    diffusion: grey values flow between neighbours, hardly across edges (Perona and Malik 1990: the flow is
        weighted by 1 / (1 + (difference / edge)^2)); even regions are smoothed like a Gaussian of that radius
    gaussian: standard deviation of that radius; blurs edges, too

    volume: the scan
    kind: median, diffusion or gaussian
    radius_mm: how far it reaches
    edge: difference of neighbouring grey values at which diffusion goes down to half
    report: told the progress; may raise Cancelled
    """
    spacing = volume.grid.spacing_kji
    if kind == "median":
        reach = [max(round(radius_mm / step), int(step <= 1.5 * radius_mm)) for step in spacing]
        return _in_slabs(volume, reach[0], lambda grey: _median(grey, reach, report), report)
    if kind == "gaussian":
        sigma = [radius_mm / step for step in spacing]
        halo = ceil(4 * sigma[0]) + 1
        return _in_slabs(volume, halo, lambda grey: gaussian_filter(grey.astype(np.float32), sigma), report)
    rounds, time = _rounds(radius_mm, spacing)
    return _in_slabs(
        volume, rounds, lambda grey: _diffused(grey, spacing, rounds, time, edge, report), report
    )


def _in_slabs(
    volume: Volume, halo: int, smooth: Callable[[NDArray[Any]], NDArray[Any]], report: Report
) -> Volume:
    """The scan smoothed some slices at a time, each with the neighbours it depends on."""
    voxels = volume.voxels
    result = np.empty_like(voxels)
    for some in slabs(voxels.shape, _AT_ONCE):
        report(some.start / len(voxels), "Smoothing the scan")
        first, last = max(some.start - halo, 0), min(some.stop + halo, len(voxels))
        values = smooth(voxels[first:last])[some.start - first : some.stop - first]
        result[some] = np.rint(values) if result.dtype == np.int16 else values
    return Volume(volume.grid, given_away(result), volume.modality, volume.unit)


def _median(grey: NDArray[Any], reach: list[int], report: Report) -> NDArray[Any]:
    median = MedianImageFilter()
    median.SetRadius(reach[::-1])
    hear = part_of(report, 0.0, 0.0)
    return voxels_of(run_itk(median, hear, "Smoothing the scan", GetImageFromArray(grey)))


def _rounds(radius_mm: float, spacing: Vec3) -> tuple[int, float]:
    """How many rounds, and the time of each in mm²: diffusion over a time t blurs by sqrt(2 t)."""
    whole = radius_mm**2 / 2
    longest = _SHARE / (2 * float(np.sum(1 / np.square(spacing))))
    rounds = max(ceil(whole / longest), 1)
    return rounds, whole / rounds


def _diffused(
    grey: NDArray[Any], spacing: Vec3, rounds: int, time: float, edge: float, report: Report
) -> FloatsArray:
    values = grey.astype(np.float32)
    for _ in range(rounds):
        change = np.zeros_like(values)
        for axis, step in enumerate(spacing):
            report(0.0, "Smoothing the scan")
            flow = np.diff(values, axis=axis)
            flow *= np.float32(time / step**2) / (1 + np.square(flow / np.float32(edge)))
            out = np.moveaxis(change, axis, 0)
            along = np.moveaxis(flow, axis, 0)
            out[:-1] += along
            out[1:] -= along
        values += change
    return values
