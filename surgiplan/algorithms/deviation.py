"""How far a surface lies from the grey edge and from the voxels it was made from."""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Deviation, EdgeMap, FloatArray, IntArray, Mesh, Part, Volume, given_away, vec3
from .border import Sites
from .filters import run_apart
from .smooth import normals_of
from .space import require_one_frame
from .spread import area_of_points, crossed, percentile, some_of, spread

PLACES = 8000
"""Places at which a surface is looked at: a 95th percentile of 8000 is some 0.25 % of the area off."""

_AT_ONCE = 50_000  # points
_SITES_AT_ONCE = 200_000  # voxels near places
_READINGS = 4  # of the grey value per smallest voxel spacing


def deviation(
    mesh: Mesh,
    volume: Volume,
    level: float | None,
    inside: Sites,
    corner_kji: IntArray,
    corners: FloatArray | None = None,
) -> Deviation:
    """Measure how true a surface is to the scan and to the chosen voxels.

    mesh: the surface, LPS mm
    volume: the scan
    level: grey value of the border; None when there is none
    inside: [k, j, i] 0 or 1, the chosen voxels in a box; none are outside of it
    corner_kji: (3,) index of the first voxel of that box in the scan
    corners: `some_of` the surface, where they are at hand
    """
    corners = some_of(mesh) if corners is None else corners
    places, triangle = spread(corners, PLACES)
    with ThreadPoolExecutor(1) as beside:
        kji = volume.grid.to_kji(places) - corner_kji
        to_faces = beside.submit(_to_faces, kji, inside, volume.grid.spacing_kji)
        edge = np.full(len(places), np.nan)
        if level is not None:
            edge = edge_offsets(volume, level, places, _normals(corners[triangle]))
        mask_mm = to_faces.result()
    edge_mm = np.abs(edge[np.isfinite(edge)])
    edge_mean, edge_p95, edge_max = _figures(edge_mm) if len(edge_mm) else (None, None, None)
    mask_mean, mask_p95, mask_max = _figures(mask_mm)
    chosen_mm3 = int(np.count_nonzero(inside)) * volume.grid.voxel_mm3
    return Deviation(
        edge_mean_mm=edge_mean,
        edge_p95_mm=edge_p95,
        edge_max_mm=edge_max,
        edge_share=round(len(edge_mm) / len(places), 4),
        mask_mean_mm=mask_mean,
        mask_p95_mm=mask_p95,
        mask_max_mm=mask_max,
        volume_percent=round(100 * (mesh.volume_mm3 / chosen_mm3 - 1), 3),
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
    along = step * np.arange(-math.ceil(reach / step), math.ceil(reach / step) + 1)
    kji = volume.grid.to_kji(places_lps[:, None] + along[:, None] * outward[:, None])
    at = np.moveaxis(kji, 2, 0)
    grey = map_coordinates(
        volume.voxels, at, output=np.float64, order=1, mode="constant", cval=np.nan, prefilter=False
    )
    above = grey - level
    with np.errstate(invalid="ignore", divide="ignore"):  # readings that do not fall are not used
        falls = (above[:, :-1] >= 0) & (above[:, 1:] < 0)
        share = np.where(falls, above[:, :-1] / (above[:, :-1] - above[:, 1:]), 0)
    offset = np.where(falls, along[:-1] + share * step, np.inf)
    nearest: FloatArray = offset[np.arange(len(offset)), np.abs(offset).argmin(axis=1)]
    return np.where(np.abs(nearest) <= reach, nearest, np.nan)


def _normals(corners: FloatArray) -> FloatArray:
    normals = crossed(corners)
    unit: FloatArray = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return unit


def _figures(mm: FloatArray) -> tuple[float, float, float]:
    """Mean, 95th percentile and largest, to a tenth of a micrometre."""
    return round(float(mm.mean()), 4), round(float(np.percentile(mm, 95)), 4), round(float(mm.max()), 4)


def _to_faces(kji: FloatArray, inside: Sites, spacing: tuple[float, float, float]) -> FloatArray:
    """(n,) distance in mm from places (n, 3), given as indices, to the nearest face of a chosen voxel.

    A place on the surface has such a face nearer than half the largest spacing, so few voxels round it
    need to be looked at.
    """
    reach = [math.ceil(max(spacing) / (2 * mm)) for mm in spacing]
    at_once = max(1, _SITES_AT_ONCE // math.prod(2 * n + 2 for n in reach))
    some = [_near_faces(kji[n : n + at_once], inside, spacing, reach) for n in range(0, len(kji), at_once)]
    return np.concatenate(some)


def _near_faces(
    kji: FloatArray, inside: Sites, spacing: tuple[float, float, float], reach: list[int]
) -> FloatArray:
    """The same for faces of voxels that are no more steps than `reach` away along each axis."""
    chosen: Any = np.True_
    sites, along, across = [], [], []  # (n, w, 1, 1), (n, 1, w, 1), (n, 1, 1, w)
    for axis, (steps, mm) in enumerate(zip(reach, spacing, strict=True)):
        place = np.expand_dims(kji[:, axis], (1, 2, 3))
        window = np.expand_dims(np.arange(-steps, steps + 2), [n for n in range(3) if n != axis])
        site = np.rint(place).astype(np.int64) + window
        chosen = chosen & (site >= 0) & (site < inside.shape[axis])
        sites.append(np.clip(site, 0, inside.shape[axis] - 1))
        first = np.delete(site, -1, axis=axis + 1)
        along.append(np.square(np.maximum(np.abs(place - first) - 0.5, 0) * mm))
        across.append(np.square((place - first - 0.5) * mm))
    chosen = chosen & inside[tuple(sites)].view(np.bool_)
    nearest: FloatArray = np.full(len(kji), np.inf)
    for axis in range(3):
        differs = np.diff(chosen, axis=axis + 1)
        for other in range(3):
            if other != axis:
                differs = np.delete(differs, -1, axis=other + 1)
        k, j, i = (across[n] if n == axis else along[n] for n in range(3))
        squared = np.where(differs, k + j + i, np.inf)
        np.minimum(nearest, squared.min(axis=(1, 2, 3)), out=nearest)
    return np.sqrt(nearest, out=nearest)
