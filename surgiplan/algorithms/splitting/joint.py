"""Find the joint space between bones: thin dark sheets in the grey values."""

from collections.abc import Iterator
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates

from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatArray, FloatsArray, Vec3
from ..masks.box import slabs
from ..masks.pieces import pieces_of

_FINEST_MM = 1.0
_REACH = 3  # standard deviations
_SIDES = (1.0, 1.5, 2.0)  # standard deviations to where either side of a sheet is looked at
_SMALLEST_MM3 = 30.0
_BENT = 0.499  # of the dip: a little below the half that the second derivative must have, for its rounding


def joint_space(
    grey: NDArray[Any], within: BoolArray, spacing_kji: Vec3, dip: float, report: Report = silent
) -> BoolArray:
    """Choose the voxels of thin sheets that are darker than both their sides and open to the outside.

    A sheet is where the second derivative across (largest eigenvalue of the Hessian, Gaussian of 1 mm or
    one voxel) is more than twice those along; both sides, one to two standard deviations away, must be
    brighter by the dip. What does not come to the outside of the body, such as marrow, is no joint.

    grey: [k, j, i] grey values
    within: [k, j, i] the bodies, their inside filled
    spacing_kji: mm
    dip: by how much grey value the sheet is darker than both sides at least
    report: told the progress; may raise Cancelled
    """
    sigma = np.maximum(_FINEST_MM, spacing_kji) / spacing_kji
    halo = ceil(_REACH * sigma[0]) + 2
    dark = np.zeros(grey.shape, np.bool_)
    for some in slabs(grey.shape):
        report(0.7 * some.start / len(grey), "Looking for joint spaces")
        first, last = max(some.start - halo, 0), min(some.stop + halo, len(grey))
        inner = slice(some.start - first, some.stop - first)
        dark[some] = _sheets(
            grey[first:last].astype(np.float32), within[first:last], sigma, dip, inner, report
        )
    return _open_pieces(dark, within, float(np.prod(spacing_kji)), part_of(report, 0.7, 1.0))


def _sheets(
    grey: FloatsArray, within: BoolArray, sigma: FloatArray, dip: float, inner: slice, report: Report
) -> BoolArray:
    """The dark sheets in some slices, from these slices and their neighbours."""
    curved = _curvatures(grey, sigma, inner, report)
    maybe = within[inner] & (curved[0, 0] + curved[1, 1] + curved[2, 2] > 0)
    kji = np.argwhere(maybe)
    hessian = np.empty((len(kji), 3, 3), np.float32)
    for (a, b), values in curved.items():
        hessian[:, a, b] = hessian[:, b, a] = values[maybe]
    bent = np.square(hessian).sum(axis=(1, 2)) > (_BENT * dip) ** 2  # no eigenvalue is above the root of this
    kji, hessian = kji[bent], hessian[bent]
    result = np.zeros(maybe.shape, np.bool_)
    smooth = gaussian_filter(grey, sigma / 2, truncate=_REACH)
    for some in _runs(len(kji)):
        report(0.0, "Looking for joint spaces")
        bend, ways = np.linalg.eigh(hessian[some])
        sheet = (bend[:, 2] > dip / 2) & (np.abs(bend[:, :2]).max(axis=1) < bend[:, 2] / 2)
        places = kji[some][sheet]
        across = ways[sheet][:, :, 2] * sigma
        found = places[_dip(smooth, places + np.array([inner.start, 0, 0]), across) > dip]
        result[tuple(found.T)] = True
    return result


def _curvatures(
    grey: FloatsArray, sigma: FloatArray, inner: slice, report: Report
) -> dict[tuple[int, int], FloatsArray]:
    """The second derivatives of some slices by their axes, times the standard deviations."""
    curved: dict[tuple[int, int], FloatsArray] = {}
    for k in range(3):  # order of the derivative along each axis; together 2
        along_k = gaussian_filter1d(grey, sigma[0], 0, k, truncate=_REACH)[inner]
        for j in range(3 - k):
            along_j = gaussian_filter1d(along_k, sigma[1], 1, j, truncate=_REACH)
            report(0.0, "Looking for joint spaces")
            i = 2 - k - j
            a, b = np.repeat([0, 1, 2], [k, j, i]).tolist()
            smooth = gaussian_filter1d(along_j, sigma[2], 2, i, truncate=_REACH)
            curved[a, b] = smooth * np.float32(sigma[a] * sigma[b])
            report(0.0, "Looking for joint spaces")
    return curved


def _dip(grey: FloatsArray, kji: NDArray[np.int64], across: FloatArray) -> FloatArray:
    """(n,) by how much these voxels are darker than the darker one of their two sides."""
    here: FloatArray = grey[tuple(kji.T)]
    sides = []
    for way in (-1.0, 1.0):
        seen = [
            map_coordinates(grey, (kji + way * far * across).T, order=1, mode="nearest") for far in _SIDES
        ]
        sides.append(np.max(seen, axis=0))
    dip: FloatArray = np.minimum(*sides) - here
    return dip


def _open_pieces(dark: BoolArray, within: BoolArray, voxel_mm3: float, report: Report) -> BoolArray:
    """The connected pieces, over corners too, that are not tiny and come to the edge or to the outside."""

    def told(done: float, _: str) -> None:
        report(done, "Following joint spaces outwards")

    pieces = pieces_of(dark, part_of(told, 0.0, 0.4), corners=True)
    outer = np.zeros(pieces.count, np.bool_)
    for some in slabs(dark.shape):
        told(0.4 + 0.3 * some.start / len(dark), "")
        kji = np.argwhere(dark[some]) + np.array([some.start, 0, 0])
        outer[pieces.under(kji[_beside_free(kji, within)])] = True
    outer &= pieces.sizes * voxel_mm3 >= _SMALLEST_MM3
    return pieces.voxels(outer, part_of(told, 0.7, 1.0))


def _beside_free(kji: NDArray[np.int64], within: BoolArray) -> BoolArray:
    """(n,) which voxels lie at the edge of the scan or share a face with one outside the bodies."""
    last = np.array(within.shape) - 1
    found: BoolArray = ((kji == 0) | (kji == last)).any(axis=1)
    for step in np.vstack([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)]):
        found |= ~within[tuple(np.clip(kji + step, 0, last).T)]
    return found


def _runs(length: int, step: int = 200_000) -> Iterator[slice]:
    for start in range(0, length, step):
        yield slice(start, start + step)
