"""How well two regions agree: overlap by volume, distances over the surface.

Definitions follow Metrics Reloaded (Maier-Hein, Reinke et al., Nature Methods 2024), their computation
MeshMetrics (Podobnik and Vrtovec, arXiv 2509.05670), which found tools to differ by more than 100 mm:
distances are taken from places all over one surface to the nearest place anywhere on the other surface, not
from voxel to voxel or from corner to corner, and each place weighs as much as the area it stands for. So
neither the voxel spacing nor the triangulation weighs in.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Agreement, FloatArray, Mask, Part, Vec3, vec3
from .distance import SignedDistance
from .solid import solid
from .space import require_one_frame
from .spread import cover, percentile
from .storing import require_no_error
from .surface import voxel_surface

_STEP_MM = 0.5  # between places on large triangles
_MOST = 150_000  # places on one surface
_AT_ONCE = 1 << 20  # voxels


def agreement(
    a: Mask | Part, b: Mask | Part, tolerance_mm: float = 1.0, report: Report = silent
) -> Agreement:
    """Compare two regions by the figures that segmentations are judged by.

    Overlap. Two masks: by their voxels; on two grids the one with smaller voxels is asked at its centres
    what the other holds there. Else by the enclosed volumes, exactly. A mask beside a part is taken as the
    solid within the surface half-way between chosen voxels and their neighbours.
    Surface. Of a part its triangles; of a mask that half-way surface (the surface elements of a marching
    cubes table), in mm whatever the spacing. HD: max over both; HD95: the larger of the two directed 95th
    percentiles; ASSD and NSD: over the area of both together.

    a, b: masks on any grids, or parts, in one patient space
    tolerance_mm: distance up to which surfaces count as the same (NSD)
    report: told the progress; may raise Cancelled
    Raises StepFailed when one is empty or the tolerance is no distance, Mismatch for two patient spaces.
    """
    require_one_frame(a, b)
    if not (math.isfinite(tolerance_mm) and tolerance_mm >= 0):
        raise StepFailed(f"The tolerance must be 0 mm or more, not {tolerance_mm:g} mm.")
    parts = [_surface_of(one, name) for one, name in ((a, "the first region"), (b, "the second region"))]
    forth = _distances(parts[0], parts[1], part_of(report, 0.1, 0.5))
    back = _distances(parts[1], parts[0], part_of(report, 0.5, 0.9))
    report(0.9, "Measuring the overlap")
    volumes = _volumes(a, b) if isinstance(a, Mask) and isinstance(b, Mask) else _enclosed(*parts)
    both = np.array([forth.area_mm2, back.area_mm2]) / (forth.area_mm2 + back.area_mm2)
    within = [float(one.share[one.mm <= tolerance_mm].sum()) for one in (forth, back)]
    farthest = max(forth, back, key=lambda one: one.farthest_mm)
    return Agreement(
        dice=volumes and 2 * volumes[2] / (volumes[0] + volumes[1]),
        jaccard=volumes and volumes[2] / (volumes[0] + volumes[1] - volumes[2]),
        hausdorff_mm=farthest.farthest_mm,
        hd95_mm=max(percentile(one.mm, one.share, 0.95) for one in (forth, back)),
        assd_mm=float(both @ [one.share @ one.mm for one in (forth, back)]),
        nsd=float(both @ within),
        tolerance_mm=float(tolerance_mm),
        a_mm3=volumes and volumes[0],
        b_mm3=volumes and volumes[1],
        at_lps=farthest.at_lps,
    )


@dataclass(frozen=True)
class _Distances:
    """From one surface to another.

    mm: (n,) at places of the first
    share: (n,) of its area that each place stands for
    farthest_mm, at_lps: the largest, the corners of the triangles included
    """

    mm: FloatArray
    share: FloatArray
    area_mm2: float
    farthest_mm: float
    at_lps: Vec3


def _surface_of(region: Mask | Part, name: str) -> Part:
    if isinstance(region, Mask):
        return voxel_surface(region)
    if not region.mesh.area_mm2 > 0:
        raise StepFailed(f"There is nothing to compare: {name} is empty. Choose another one.")
    return region


def _distances(part: Part, other: Part, report: Report) -> _Distances:
    corners = part.mesh.points.astype(np.float64)[part.mesh.triangles]
    places, share = cover(corners, _STEP_MM, _MOST)
    asked = np.concatenate([places, part.mesh.points[np.unique(part.mesh.triangles)]])
    inside_other = other.pose.inverse.after(part.pose).apply(asked)
    nearest = SignedDistance(other.mesh).nearest(inside_other, report)
    mm: FloatArray = np.linalg.norm(inside_other - nearest, axis=1)
    worst = int(mm.argmax())
    at = vec3(part.pose.apply(asked[worst]))
    return _Distances(mm[: len(places)], share, part.mesh.area_mm2, float(mm[worst]), at)


def _enclosed(a: Part, b: Part) -> tuple[float, float, float] | None:
    """Volumes of both and of what they share, mm³; None where one is not closed."""
    if not (a.mesh.watertight and b.mesh.watertight):
        return None
    centre = (a.bounds_lps[0] + a.bounds_lps[1]) / 2
    one = solid(a.mesh, a.points_lps - centre, "the first region")
    other = solid(b.mesh, b.points_lps - centre, "the second region")
    shared = one ^ other
    require_no_error(shared, "what the regions share was not found")
    return float(one.volume()), float(other.volume()), float(shared.volume())


def _volumes(a: Mask, b: Mask) -> tuple[float, float, float]:
    """Volumes of both and of what they share, mm³."""
    if a.grid.same_as(b.grid):
        shared = int(np.count_nonzero(a.voxels & b.voxels)) * a.grid.voxel_mm3
        return a.volume_mm3, b.volume_mm3, shared
    fine, coarse = (a, b) if a.grid.voxel_mm3 <= b.grid.voxel_mm3 else (b, a)
    chosen, shared = np.argwhere(fine.voxels), 0
    for start in range(0, len(chosen), _AT_ONCE):
        kji = np.rint(coarse.grid.to_kji(fine.grid.to_lps(chosen[start : start + _AT_ONCE]))).astype(np.int64)
        held = ((kji >= 0) & (kji < coarse.grid.shape_kji)).all(axis=1)
        shared += int(np.count_nonzero(coarse.voxels[tuple(kji[held].T)]))
    return a.volume_mm3, b.volume_mm3, shared * fine.grid.voxel_mm3
