"""Grow and shrink a mask by millimetres, and make a shell of it."""

from typing import Literal

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import Mask, Vec3
from .ball import narrowed, reach_of, widened
from .box import boxed, required_box, wider

Side = Literal["inside", "outside", "centred"]
_ONE = (1, 1, 1)


def from_centres(millimetres: float, spacing_kji: Vec3) -> float:
    """Measure a distance from the border from the centres of the voxels beside it.

    millimetres: from the border
    spacing_kji: of the grid, mm
    """
    return millimetres + min(spacing_kji) / 4


def margin(mask: Mask, millimetres: float, report: Report = silent) -> Mask:
    """Grow a mask outwards, or shrink it inwards, by a distance.

    A voxel joins when its centre lies within the distance of the border, and goes when it lies within it on
    the other side. The border is taken to lie a quarter of the finest spacing from the centres of the
    outermost voxels: then balls grow and shrink right to a quarter of the coarsest spacing in the mean, and a
    flat face that follows the voxels moves by whole voxels. No place is off by more than a voxel's diagonal.
    At the edge of the scan the object counts as going on. The border lies on no grey value any more: the
    result has no level.

    mask: the chosen voxels
    millimetres: how far; negative shrinks
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen, or none is left.
    """
    box, spacing = required_box(mask), mask.grid.spacing_kji
    if millimetres == 0:
        return mask
    if millimetres > 0:
        radius = from_centres(millimetres, spacing)
        box = wider(box, reach_of(radius, spacing), mask.voxels.shape)
        return boxed(mask.grid, box, widened(mask.voxels[box], radius, spacing, report))
    box = wider(box, _ONE, mask.voxels.shape)
    chosen = narrowed(mask.voxels[box], from_centres(-millimetres, spacing), spacing, report)
    if not chosen.any():
        raise StepFailed(
            f"Nothing is left: the mask is nowhere thicker than {-2 * millimetres:g} mm. Shrink it by less."
        )
    return boxed(mask.grid, box, chosen)


def hollow(mask: Mask, thickness_mm: float, side: Side = "inside", report: Report = silent) -> Mask:
    """Make a shell of a mask: its wall, with nothing within.

    The wall reaches as far as `margin` grows and shrinks. At the edge of the scan it is open.

    mask: the chosen voxels
    thickness_mm: of the wall
    side: where the wall lies: inside the border, outside it, or half on either side
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen, or the wall is thinner than the voxels.
    """
    spacing = mask.grid.spacing_kji
    outwards = {"inside": 0.0, "outside": thickness_mm, "centred": thickness_mm / 2}[side]
    inwards = thickness_mm - outwards
    least = max(spacing) * (2 if side == "centred" else 1)
    if thickness_mm < least:
        raise StepFailed(
            f"A wall of {thickness_mm:g} mm is thinner than the voxels can show: choose {least:.2f} mm "
            "or more."
        )
    outwards, inwards = (far and from_centres(far, spacing) for far in (outwards, inwards))
    box = wider(required_box(mask), reach_of(max(outwards, max(spacing)), spacing), mask.voxels.shape)
    within = mask.voxels[box]
    outer, inner = within, within
    if outwards:
        outer = widened(within, outwards, spacing, part_of(report, 0.0, 0.5))
    inner = narrowed(within, inwards, spacing, part_of(report, 0.5, 1.0)) if inwards else within
    return boxed(mask.grid, box, outer & ~inner)
