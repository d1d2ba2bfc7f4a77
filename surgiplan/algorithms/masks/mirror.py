"""The mirror image of a mask."""

import numpy as np
from scipy.ndimage import affine_transform

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import FloatArray, Grid, Mask, Plane, given_away
from .box import Box, padded, required_box, slabs

_AT_ONCE = 1_000_000  # voxels
_HALF = 0.5 + 1e-6  # how far outside the last centre, in voxels, a place still lies in the scan


def mirrored(mask: Mask, plane: Plane, report: Report = silent) -> Mask:
    """Make the mirror image of a mask on the same grid, such as the healthy side laid over the injured one.

    A voxel is chosen when the mask, linear between its voxels, is at least a half at its mirror image.
    The border lies on no grey value of the scan any more: the result has no level.

    mask: the chosen voxels
    plane: where the mirror stands, LPS mm
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen, or some would lie outside the scan.
    """
    box = required_box(mask)
    there = _reflection(mask.grid, plane)
    _require_inside(mask, box, there, part_of(report, 0.0, 0.3))
    low = np.array([along.start for along in box])
    target = _target(box, there, mask.voxels.shape)
    source = padded(mask.voxels[box], (1, 1, 1)).view(np.uint8)
    voxels = np.zeros(mask.voxels.shape, np.bool_)
    chosen = voxels[target]
    for some in slabs(chosen.shape, _AT_ONCE):
        report(0.3 + 0.7 * some.start / len(chosen), "Mirroring the mask")
        first = np.array([target[0].start + some.start, target[1].start, target[2].start])
        share = np.empty(chosen[some].shape, np.float32)
        offset = there[:3, :3] @ first + there[:3, 3] - low + 1
        affine_transform(source, there[:3, :3], offset, output=share, order=1, prefilter=False)
        chosen[some] = share >= 0.5 - 1e-5
    return Mask(mask.grid, given_away(voxels))


def _reflection(grid: Grid, plane: Plane) -> FloatArray:
    """4x4 from an index (k, j, i, 1) to the index of its mirror image."""
    normal, flip = np.asarray(plane.normal), np.eye(4)
    flip[:3, :3] -= 2 * np.outer(normal, normal)
    flip[:3, 3] = 2 * float(normal @ np.asarray(plane.point)) * normal
    there: FloatArray = grid.lps_to_kji @ flip @ grid.kji_to_lps
    return there


def _target(box: Box, there: FloatArray, shape: tuple[int, ...]) -> Box:
    """The box, in the scan, that holds the mirror image of a box."""
    ends = np.array([[along.start - 1, along.stop] for along in box])
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    image = corners @ there[:3, :3].T + there[:3, 3]
    low = np.clip(np.floor(image.min(axis=0)), 0, np.asarray(shape) - 1).astype(int)
    high = np.clip(np.ceil(image.max(axis=0)) + 1, 1, shape).astype(int)
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))


def _require_inside(mask: Mask, box: Box, there: FloatArray, report: Report) -> None:
    """Raise StepFailed when the mirror image of a chosen voxel lies outside the scan."""
    low = np.array([along.start for along in box])
    within, outside = mask.voxels[box], 0
    for some in slabs(within.shape, _AT_ONCE):
        report(some.start / len(within), "Mirroring the mask")
        image = (np.argwhere(within[some]) + low + (some.start, 0, 0)) @ there[:3, :3].T + there[:3, 3]
        last = np.asarray(mask.voxels.shape) - 1
        outside += int(np.count_nonzero(((image < -_HALF) | (image > last + _HALF)).any(axis=1)))
    if outside:
        share = 100 * outside / np.count_nonzero(within)
        raise StepFailed(
            f"{outside * mask.grid.voxel_mm3 / 1000:.2f} cm³ ({share:.2g} %) of the mirror image would lie "
            "outside the scan and be lost. Move the plane, cut the mask smaller before, or mirror its "
            "surface instead."
        )
