"""Which values lie in one space and may be used together."""

from itertools import pairwise

import numpy as np

from ..errors import Mismatch
from ..values import Landmarks, Mask, Part, Volume


def require_one_frame(*values: Volume | Mask | Part | Landmarks) -> str:
    """The frame of reference that all these values share.

    values: scans, masks, parts and landmarks; one without a frame (an implant, a mesh file) goes with any
    Returns the DICOM Frame of Reference UID they share, "" when none has one.
    Raises Mismatch when two lie in different frames.
    """
    frames = list(dict.fromkeys(uid for uid in map(_frame, values) if uid))
    if len(frames) > 1:
        raise Mismatch(
            f"These lie in {len(frames)} different patient spaces (frames of reference "
            f"{' and '.join(frames)}), so their positions cannot be compared. "
            "Bring one into the space of the other with a register step first."
        )
    return frames[0] if frames else ""


def require_one_grid(*images: Volume | Mask) -> None:
    """Make sure that voxel [k, j, i] is the same place in all these images.

    images: scans and masks
    Raises Mismatch when the frame, the shape or the place of two grids differ.
    """
    require_one_frame(*images)
    for one, other in pairwise(images):
        if one.grid.same_as(other.grid):
            continue
        if one.grid.shape_kji != other.grid.shape_kji:
            difference = f"{_shape(one)} and {_shape(other)} voxels"
        else:
            apart = np.linalg.norm(one.grid.corners_lps - other.grid.corners_lps, axis=1).max()
            difference = f"corners up to {apart:.3g} mm apart"
        raise Mismatch(
            f"These images do not share one voxel grid: {difference}. "
            "Choose a mask that was made from this scan."
        )


def _frame(value: Volume | Mask | Part | Landmarks) -> str:
    return value.frame_uid if isinstance(value, Part | Landmarks) else value.grid.frame_uid


def _shape(image: Volume | Mask) -> str:
    return "×".join(map(str, reversed(image.grid.shape_kji)))
