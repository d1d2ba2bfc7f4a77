"""Connected parts of a mask: keep the largest, the large, or those under seeds."""

from collections.abc import Sequence

import numpy as np

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, Grid, Mask, Vec3
from .box import Box, boxed, required_box
from .pieces import Pieces, pieces_of


def largest_parts(mask: Mask, count: int = 1, report: Report = silent) -> Mask:
    """Keep the connected parts with the most voxels; voxels connect through their faces.

    mask: the chosen voxels
    count: how many parts are kept; all, where there are no more
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen.
    """
    box, pieces = _parts(mask, report)
    kept = np.zeros(pieces.count, np.bool_)
    kept[np.argsort(-pieces.sizes, kind="stable")[:count]] = True
    return _with(mask, box, pieces, kept, report)


def parts_above(mask: Mask, smallest_mm3: float, report: Report = silent) -> Mask:
    """Remove the connected parts below a volume.

    mask: the chosen voxels
    smallest_mm3: volume of the smallest part that is kept
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen, or every part is smaller.
    """
    box, pieces = _parts(mask, report)
    kept = pieces.sizes * mask.grid.voxel_mm3 >= smallest_mm3 * (1 - 1e-9)
    if not kept.any():
        largest = float(pieces.sizes.max() * mask.grid.voxel_mm3)
        raise StepFailed(
            f"Every part is smaller than {smallest_mm3:g} mm³, so nothing would be left: the largest has "
            f"{largest:.1f} mm³. Ask for a smaller volume."
        )
    return _with(mask, box, pieces, kept, report)


def parts_at(mask: Mask, seeds_lps: Sequence[Vec3], report: Report = silent) -> Mask:
    """Keep the connected parts under seeds; voxels connect through their faces.

    mask: the chosen voxels
    seeds_lps: points inside the parts, LPS mm
    report: told the progress; may raise Cancelled
    Raises StepFailed when a seed lies outside the scan or on a voxel that is not chosen.
    """
    places = [voxel_at(mask.grid, seed) for seed in seeds_lps]
    for seed, place in zip(seeds_lps, places, strict=True):
        _require_chosen(mask, seed, place)
    box, pieces = _parts(mask, report)
    kept = np.zeros(pieces.count, np.bool_)
    for k, j, i in places:
        kept[pieces.at((k - box[0].start, j - box[1].start, i - box[2].start))] = True
    return _with(mask, box, pieces, kept, report)


def voxel_at(grid: Grid, seed_lps: Vec3) -> tuple[int, int, int]:
    """Find the voxel that holds a seed.

    grid: of the scan
    seed_lps: LPS mm
    Raises StepFailed when the seed lies outside.
    """
    voxel = grid.nearest(seed_lps)
    if voxel is None:
        kji = grid.to_kji(seed_lps)
        inside = np.clip(kji, 0, np.asarray(grid.shape_kji) - 1)
        away = float(np.linalg.norm((kji - inside) * grid.spacing_kji))
        raise StepFailed(
            f"The seed at {told(seed_lps)} lies {away:.1f} mm outside the scan. Place it inside the body."
        )
    return voxel


def told(point_lps: Vec3) -> str:
    """Write a place as people read it.

    point_lps: LPS mm
    """
    return "({:.1f}, {:.1f}, {:.1f})".format(*point_lps)


def _parts(mask: Mask, report: Report) -> tuple[Box, Pieces]:
    box = required_box(mask)
    return box, pieces_of(mask.voxels[box], part_of(report, 0.0, 0.6))


def _with(mask: Mask, box: Box, pieces: Pieces, kept: BoolArray, report: Report) -> Mask:
    return boxed(mask.grid, box, pieces.voxels(kept, part_of(report, 0.6, 1.0)), mask.level)


def _require_chosen(mask: Mask, seed_lps: Vec3, voxel: tuple[int, int, int]) -> None:
    required_box(mask)
    if not mask.voxels[voxel]:
        away = _distance_to_chosen(mask, voxel)
        raise StepFailed(
            f"The seed at {told(seed_lps)} lies beside the chosen voxels, {away:.1f} mm from the nearest. "
            "Place it on the part to keep, or widen the range of the threshold before."
        )


def _distance_to_chosen(mask: Mask, seed: tuple[int, int, int]) -> float:
    """Distance in mm from a voxel to the nearest chosen one; slices are searched from near to far."""
    spacing = mask.grid.spacing_kji
    best = np.inf
    for k in sorted(range(len(mask.voxels)), key=lambda k: abs(k - seed[0])):
        along = abs(k - seed[0]) * spacing[0]
        if along >= best:
            break
        j, i = np.nonzero(mask.voxels[k])
        if len(j):
            beside = np.hypot((j - seed[1]) * spacing[1], (i - seed[2]) * spacing[2]).min()
            best = min(best, float(np.hypot(along, beside)))
    return best
