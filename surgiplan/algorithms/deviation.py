"""How far a surface lies from the grey edge and from the voxels it was made from."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Deviation, EdgeMap, FloatArray, IntArray, Part, Volume, given_away, vec3
from .border import Sites
from .compiled import compiled
from .filters import run_apart
from .smooth import normals_of
from .space import require_one_frame
from .spread import Sample, area_of_points, percentile

PLACES = 8000
"""Places at which a surface is looked at: a 95th percentile of 8000 is some 0.25 % of the area off."""

_AT_ONCE = 50_000  # points
_READINGS = 4  # of the grey value per smallest voxel spacing


def deviation(
    sample: Sample, volume: Volume, level: float | None, inside: Sites, corner_kji: IntArray
) -> Deviation:
    """Measure how true a surface is to the scan and to the chosen voxels.

    sample: of the surface, LPS mm
    volume: the scan
    level: grey value of the border; None when there is none
    inside: [k, j, i] 0 or 1, the chosen voxels in a box; none are outside of it
    corner_kji: (3,) index of the first voxel of that box in the scan
    """
    places, outward = sample.spread(PLACES)
    edge = np.zeros(0) if level is None else edge_offsets(volume, level, places, outward)
    edge_mm = np.abs(edge[np.isfinite(edge)])
    edge_mean, edge_p95, edge_max = _figures(edge_mm) if len(edge_mm) else (None, None, None)
    kji = volume.grid.to_kji(places) - corner_kji
    mask_mean, mask_p95, mask_max = _figures(_to_faces(kji, inside, volume.grid.spacing_kji))
    chosen_mm3 = int(np.count_nonzero(inside)) * volume.grid.voxel_mm3
    return Deviation(
        edge_mean_mm=edge_mean,
        edge_p95_mm=edge_p95,
        edge_max_mm=edge_max,
        edge_share=round(len(edge_mm) / len(places), 4),
        mask_mean_mm=mask_mean,
        mask_p95_mm=mask_p95,
        mask_max_mm=mask_max,
        volume_percent=round(100 * (sample.mesh.volume_mm3 / chosen_mm3 - 1), 3),
    )


def edge_map(part: Part, volume: Volume, level: float, report: Report = silent) -> EdgeMap:
    """Measure at every point of a surface how far it lies from the grey edge.

    part: the surface
    volume: the scan it was made from
    level: grey value of the border
    report: told the progress; may raise Cancelled
    Raises StepFailed when no point has an edge near it, Mismatch for two patient spaces.
    """
    require_one_frame(part, volume)
    text, mesh = "Measuring how true the surface is", part.placed()
    outward = run_apart(lambda: normals_of(mesh), part_of(report, 0.0, 0.2), text)
    off = np.empty(len(mesh.points))
    for start in range(0, len(off), _AT_ONCE):
        report(0.2 + 0.8 * start / len(off), text)
        some = slice(start, start + _AT_ONCE)
        off[some] = -edge_offsets(volume, level, mesh.points[some].astype(np.float64), outward[some])
    area = area_of_points(mesh)
    known = np.isfinite(off) & (area > 0)
    if not known.any():
        raise StepFailed(
            f"No point of the surface has an edge at {level:g} within {max(volume.grid.spacing_kji):.2f} mm. "
            "Check the level, and that the surface was made from this scan."
        )
    away, share = np.abs(off[known]), area[known] / area[known].sum()
    return EdgeMap(
        part=part,
        off_mm=given_away(off.astype(np.float32)),
        level=level,
        edge_mean_mm=round(float(away @ share), 4),
        edge_p95_mm=round(percentile(away, share, 0.95), 4),
        edge_max_mm=round(float(away.max()), 4),
        edge_share=round(float(area[known].sum() / area.sum()), 4),
        at_lps=vec3(mesh.points[np.flatnonzero(known)[away.argmax()]]),
    )


def edge_offsets(volume: Volume, level: float, places_lps: FloatArray, outward: FloatArray) -> FloatArray:
    """How far the grey edge lies from places, along their normals.

    An edge is where the linearly interpolated grey value falls through the level on the way outwards; of
    several the nearest counts, no farther than the largest voxel spacing.

    volume: the scan
    level: grey value of the border
    places_lps: (n, 3) mm
    outward: (n, 3) unit vectors
    Returns (n,) mm, positive outwards, NaN where there is no edge.
    """
    spacing = volume.grid.spacing_kji
    reach, step = max(spacing), min(spacing) / _READINGS
    along = step * np.arange(-math.ceil(reach / step), math.ceil(reach / step) + 1, dtype=np.float64)
    start, found = volume.grid.to_kji(places_lps), np.empty(len(places_lps))
    way = outward @ volume.grid.lps_to_kji[:3, :3].T
    _nearest_fall(volume.voxels, float(level), start, way, along, found)
    return np.where(np.abs(found) <= reach, found, np.nan)


@compiled
def _nearest_fall(
    voxels: NDArray[Any],
    level: float,
    start: FloatArray,
    way: FloatArray,
    along: FloatArray,
    found: FloatArray,
) -> None:
    """Find where along lines the linearly interpolated grey value falls through the level.

    voxels: [k, j, i] grey values
    level: grey value
    start: (n, 3) a place on each line, as indices k, j, i
    way: (n, 3) indices gone along each line for 1 mm
    along: (m,) mm from there at which the grey value is read
    found: (n,) filled with how far along the fall nearest to 0 lies, infinite where there is none in the scan
    """
    for n in range(len(start)):
        found[n], before = np.inf, np.nan
        for m in range(len(along)):
            mm = along[m]
            k, j, i = start[n, 0] + mm * way[n, 0], start[n, 1] + mm * way[n, 1], start[n, 2] + mm * way[n, 2]
            above = _grey(voxels, k, j, i) - level
            if before >= 0 and above < 0:
                offset = along[m - 1] + before / (before - above) * (mm - along[m - 1])
                if abs(offset) < abs(found[n]):
                    found[n] = offset
            before = above


@compiled
def _grey(voxels: NDArray[Any], k: float, j: float, i: float) -> float:
    """The linearly interpolated grey value at indices k, j, i; NaN outside of the scan."""
    end_k, end_j, end_i = voxels.shape[0] - 1, voxels.shape[1] - 1, voxels.shape[2] - 1
    if not (0 <= k <= end_k and 0 <= j <= end_j and 0 <= i <= end_i):
        return np.nan
    low_k, low_j, low_i = int(k), int(j), int(i)
    share_k, share_j, share_i = k - low_k, j - low_j, i - low_i
    grey = 0.0
    for at_k, of_k in ((low_k, 1 - share_k), (min(low_k + 1, end_k), share_k)):
        for at_j, of_j in ((low_j, 1 - share_j), (min(low_j + 1, end_j), share_j)):
            for at_i, of_i in ((low_i, 1 - share_i), (min(low_i + 1, end_i), share_i)):
                grey += voxels[at_k, at_j, at_i] * of_k * of_j * of_i
    return grey


def _figures(mm: FloatArray) -> tuple[float, float, float]:
    """Mean, 95th percentile and largest, to a tenth of a micrometre."""
    return round(float(mm.mean()), 4), round(float(np.percentile(mm, 95)), 4), round(float(mm.max()), 4)


def _to_faces(kji: FloatArray, inside: Sites, spacing: tuple[float, float, float]) -> FloatArray:
    """(n,) distance in mm from places (n, 3), given as indices, to the nearest face of a chosen voxel.

    A place on the surface has such a face nearer than half the largest spacing, so few voxels round it
    need to be looked at.
    """
    reach = [math.ceil(max(spacing) / (2 * mm)) for mm in spacing]
    squared = np.empty(len(kji))
    sites = given_away(inside.view(np.uint8))
    _near_faces(kji, sites, np.array(spacing), np.array(reach, np.int64), squared)
    return np.sqrt(squared)


@compiled
def _near_faces(
    kji: FloatArray,
    inside: NDArray[np.uint8],
    spacing: FloatArray,
    reach: NDArray[np.int64],
    squared: FloatArray,
) -> None:
    """Find the squared distances to faces of voxels that are no more than so many steps away.

    kji: (n, 3) places as indices
    inside: [k, j, i] 0 or 1; round it lie 0
    spacing: (3,) mm along k, j and i
    reach: (3,) steps along k, j and i
    squared: (n,) filled with mm², infinite where there is no face
    """
    off = np.empty(3)
    for n in range(len(kji)):
        squared[n] = np.inf
        k0, j0, i0 = int(np.rint(kji[n, 0])), int(np.rint(kji[n, 1])), int(np.rint(kji[n, 2]))
        for k in range(k0 - reach[0], k0 + reach[0] + 1):
            for j in range(j0 - reach[1], j0 + reach[1] + 1):
                for i in range(i0 - reach[2], i0 + reach[2] + 1):
                    chosen = _site(inside, k, j, i)
                    off[0], off[1], off[2] = kji[n, 0] - k, kji[n, 1] - j, kji[n, 2] - i
                    for axis in range(3):
                        if _site(inside, k + (axis == 0), j + (axis == 1), i + (axis == 2)) != chosen:
                            squared[n] = min(squared[n], _squared_to_face(off, axis, spacing))


@compiled
def _site(inside: NDArray[np.uint8], k: int, j: int, i: int) -> int:
    """Whether a voxel is chosen: 0 or 1."""
    within = 0 <= k < inside.shape[0] and 0 <= j < inside.shape[1] and 0 <= i < inside.shape[2]
    return inside[k, j, i] if within else 0


@compiled
def _squared_to_face(off: FloatArray, axis: int, spacing: FloatArray) -> float:
    """Squared mm from a place that lies so many steps off the middle of a voxel to its face to the next."""
    squared = 0.0
    for n in range(3):
        apart = off[n] - 0.5 if n == axis else max(abs(off[n]) - 0.5, 0.0)
        squared += (apart * spacing[n]) ** 2
    return squared
