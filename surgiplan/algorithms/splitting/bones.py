"""Part bones that touch: along the joint space between them, and where only a thin bridge holds them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes
from SimpleITK import (
    GetArrayFromImage,
    GetImageFromArray,
    MorphologicalWatershedFromMarkersImageFilter,
)

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, Mask, Vec3, Volume
from ..filters import run_itk
from ..masks.box import Box, boxed, neighbours, required_box, slabs
from ..masks.filling import without_holes
from ..masks.pieces import Pieces, pieces_of
from ..space import require_one_grid
from .depth import depths
from .joining import Labels, joined
from .joint import joint_space

_LADDER = (1.0, 0.6, 0.3)  # of the radius of a bridge: a core lies deeper than this below the surface
_SMALLEST_MM3 = 100.0  # of a core
_UNEVEN = 2.0
_STEPS_A_MM = 100  # depth is flooded in steps of 0.01 mm
_MOST_CORES = 30_000
_MOST_IN_BYTES = 255  # labels


def part_bones(
    volume: Volume, mask: Mask, bridge_mm: float = 3.0, dip: float = 100.0, report: Report = silent
) -> Mask:
    """Cut a mask where bones touch, so that each can be kept by itself.

    The joint space (see `joint_space`) and the outer surface bound the depth of the bones, their inside
    filled. Cores that are deep grow to meet each other (watershed on the depth). Those that meet over more
    bright bone than the cross-section of a bridge, and more bright bone than joint space, are joined to one
    bone (see `joined`). Along the other meeting faces the darker voxel of each pair is left out.

    volume: the scan
    mask: the bones, on the grid of the scan
    bridge_mm: radius up to which a bridge of bone between two bodies is cut
    dip: by how much grey value a joint space is darker than the bone on both sides
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen or only one bone is found, Mismatch when the grids differ.
    """
    require_one_grid(volume, mask)
    box = required_box(mask)
    grey, chosen, spacing = volume.voxels[box], mask.voxels[box], mask.grid.spacing_kji
    solid = _solid(chosen, box, mask.voxels.shape, part_of(report, 0.0, 0.1))
    joint = joint_space(grey, solid, spacing, dip, part_of(report, 0.1, 0.5))
    bodies = _bodies(solid, joint, spacing, bridge_mm, part_of(report, 0.5, 0.9))
    del solid
    bones = joined(bodies, joint, spacing, np.pi * bridge_mm**2, part_of(report, 0.9, 0.95))
    del joint
    if not _several(bones, chosen):
        raise StepFailed(
            f"Only one bone is found: nothing hangs together by a bridge under {bridge_mm:g} mm in radius "
            f"or over a joint space that is darker by {dip:g}. Give a wider bridge or a smaller dip, or grow "
            "the bones from seeds." + _coarse(mask)
        )
    parted = _without_darker_side(chosen, grey, bones, part_of(report, 0.95, 1.0))
    return boxed(mask.grid, box, parted, mask.level)


def _several(bones: Labels, chosen: BoolArray) -> bool:
    found: set[int] = set()
    for some in slabs(bones.shape):
        found |= set(np.flatnonzero(np.bincount(bones[some][chosen[some]])).tolist()) - {0}
    return len(found) > 1


def _coarse(mask: Mask) -> str:
    """What helps where the slices are too far apart to show a joint."""
    fine, coarse = min(mask.grid.spacing_kji), max(mask.grid.spacing_kji)
    if coarse < _UNEVEN * fine:
        return ""
    return f" The voxels are {coarse:.2f} mm long and {fine:.2f} mm wide: resample the scan to cubes first."


def _solid(chosen: BoolArray, box: Box, shape: tuple[int, ...], report: Report) -> BoolArray:
    """The bones with their inside filled, also that of a bone which the edge of the scan cuts through."""
    closed = chosen.copy()
    for axis, along in enumerate(box):
        stacked = np.moveaxis(closed, axis, 0)
        for end, at_edge in ((0, along.start == 0), (-1, along.stop == shape[axis])):
            if at_edge:
                stacked[end] = binary_fill_holes(stacked[end])
    return without_holes(closed, lambda done, _: report(done, "Filling the bones"))


def _bodies(solid: BoolArray, joint: BoolArray, spacing: Vec3, bridge_mm: float, report: Report) -> Labels:
    """Each voxel of the solid with the number (from 1 on) of the core it belongs to; 0 where none reaches.

    Every array is as large as the box, so each is let go as soon as the next is made of it.
    """
    relief = _relief(solid, joint, spacing, part_of(report, 0.0, 0.3))
    cores, count = _cores(relief, bridge_mm, float(np.prod(spacing)), part_of(report, 0.3, 0.5))
    images = [GetImageFromArray(relief)]
    del relief
    outside = count + 1
    start = np.zeros(solid.shape, np.uint8 if outside <= _MOST_IN_BYTES else np.int16)
    for pieces, number in cores:
        pieces.numbered(number.astype(start.dtype), part_of(report, 0.5, 0.55), onto=start)
    start[~solid] = outside
    images.append(GetImageFromArray(start))
    del start, cores
    flood = MorphologicalWatershedFromMarkersImageFilter()
    flood.MarkWatershedLineOff()
    flooded = run_itk(flood, part_of(report, 0.55, 1.0), "Growing the cores", *images)
    images.clear()
    bodies: Labels = GetArrayFromImage(flooded)
    for some in slabs(bodies.shape):
        bodies[some][bodies[some] == outside] = 0
    return bodies


def _relief(solid: BoolArray, joint: BoolArray, spacing: Vec3, report: Report) -> NDArray[np.int16]:
    """How high each voxel lies above the deepest, in steps of 0.01 mm: its depth with the other sign.

    The outside lies highest: it is flooded last and takes no voxel of the bones.
    """
    relief = np.empty(solid.shape, np.int16)
    for k, depth in depths(solid, joint, spacing, report=report):
        relief[k] = np.where(solid[k], np.clip(np.rint(depth * -_STEPS_A_MM), -32767, 32766), 32767)
    return relief


def _cores(
    relief: NDArray[np.int16], bridge_mm: float, voxel_mm3: float, report: Report
) -> tuple[list[tuple[Pieces, NDArray[np.int16]]], int]:
    """Connected voxels deeper than the radius of a bridge; and less deep ones where they hold no deeper.

    Returns the pieces with the number of the core that each is, from 1 on, or 0; and the number of cores.
    """
    cores = []
    first = np.zeros(0, np.int64)  # voxel of each core
    for n, share in enumerate(_LADDER):
        told = part_of(report, n / len(_LADDER), (n + 1) / len(_LADDER))
        pieces = pieces_of(relief < -share * bridge_mm * _STEPS_A_MM, told)
        held = np.zeros(pieces.count, np.bool_)
        held[pieces.piece[np.searchsorted(pieces.starts, first, "right") - 1]] = True
        new = np.flatnonzero(~held & (pieces.sizes * voxel_mm3 >= _SMALLEST_MM3))
        count = len(first)
        if count + len(new) > _MOST_CORES:
            raise StepFailed("Thousands of bodies are found, too many for bones: choose a higher threshold.")
        number = np.zeros(pieces.count, np.int16)
        number[new] = np.arange(count + 1, count + len(new) + 1)
        cores.append((pieces, number))
        first = np.concatenate([first, pieces.first[new]])
    return cores, len(first)


def _without_darker_side(chosen: BoolArray, grey: NDArray[Any], bones: Labels, report: Report) -> BoolArray:
    """The chosen voxels but for the darker of each two that meet and belong to two bones."""
    left = chosen.copy()
    for here, there, _ in neighbours(bones.shape):
        report(here[0].start / len(bones), "Cutting where the bones meet")
        label, other = bones[here], bones[there]
        meet = (label != other) & (label > 0) & (other > 0)
        first = grey[here] <= grey[there]
        left[here] &= ~(meet & first)
        left[there] &= ~(meet & ~first)
    return left
