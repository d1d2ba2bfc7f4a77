"""Taking the face out of a scan of a head, so that nobody is known again by it.

Everything in front of a smooth sheet becomes air. The sheet lies behind the skin: at each place as far back
as the skin is anywhere within three centimetres, smoothed, and a depth further. So no feature of the face is
seen in it; a sheet that follows the skin at a depth would still show the face. Bone with a margin round it,
and what the skull encloses, stay.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from SimpleITK import BinaryDilateImageFilter, GetArrayViewFromImage, GetImageFromArray, sitkBall

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import BoolArray, FloatArray, Grid, Volume, given_away
from .filters import run_apart, run_itk
from .segment import otsu

STEP_MM = 2.0
_AIR_HU, _SKIN_HU, _BONE_HU = -1000, -300.0, 300.0
_FEATURE_MM = 30.0
_SMOOTH_MM = 12.0
_DEEPEST_MM = 45.0
_FRONT_SHARE = 0.35  # of the way from the middle of the head to its front, no further back than that
_FOREHEAD_MM = 70.0
_WIDTH_MM, _LENGTH_MM, _HEIGHT_MM = (110.0, 240.0), (130.0, 280.0), 90.0
_LEAST_CAVITY_ML = 150.0
_LEAST_REMOVED_ML = 15.0
_MOST_CUT_OFF = 0.03
_IN_SLICE = np.ones((1, 3, 3), np.bool_)


@dataclass(frozen=True)
class _Head:
    """A head on a coarse grid along the axes of the patient, [z, y, x], STEP_MM apart.

    low_lps: the place of its first voxel, mm
    skin: the head with all that is in it
    kept: what the skull encloses
    """

    low_lps: FloatArray
    skin: BoolArray
    kept: BoolArray


def without_face(
    volume: Volume, depth_mm: float, bone_margin_mm: float, report: Report = silent
) -> tuple[Volume, float]:
    """Replace the voxels of the face by air.

    volume: a CT or MR of a head; the front is the anterior side of the patient (LPS)
    depth_mm: how far behind the smoothed skin the voxels are replaced
    bone_margin_mm: width of what stays round bone; CT alone, since bone is not known in an MR
    report: told the progress; may raise Cancelled
    Gives the volume and the share (0 to 1) of the head's voxels that were replaced. Raises StepFailed when
    there is no whole head with its face in the scan, with what was found.
    """
    head = _head_in(volume, part_of(report, 0.0, 0.4))
    hear = part_of(report, 0.4, 0.45)
    sheet = run_apart(lambda: _sheet(head, depth_mm), hear, "Finding the voxels of the face")
    gone = _in_front(volume.grid, head, sheet, part_of(report, 0.45, 0.7))
    if volume.unit == "HU":
        _leave_bone(gone, volume, bone_margin_mm, part_of(report, 0.7, 0.9))
    skin = _skin_level(volume)
    body = int(np.count_nonzero(gone & (volume.voxels > skin)))
    removed_ml = body * volume.grid.voxel_mm3 / 1000
    if removed_ml < _LEAST_REMOVED_ML:
        raise StepFailed(
            f"only {removed_ml:.0f} ml lie in front of the face's sheet, so the face is hardly in this scan:"
            " nothing was replaced. Look at it, and share the scan only if no face can be made out."
        )
    voxels = volume.voxels.copy()
    voxels[gone] = _AIR_HU if volume.unit == "HU" else voxels.min()
    whole = float(np.count_nonzero(head.skin)) * STEP_MM**3 / volume.grid.voxel_mm3
    report(1.0, "The face is replaced")
    return Volume(volume.grid, given_away(voxels), volume.modality, volume.unit), body / whole


def _skin_level(volume: Volume) -> float:
    return _SKIN_HU if volume.unit == "HU" else otsu(volume) / 2


def _head_in(volume: Volume, report: Report) -> _Head:
    """The head on a coarse grid. Raises StepFailed when it is no head, or not wholly in the scan."""
    report(0.0, "Finding the head")
    corners = volume.grid.corners_lps
    low = corners.min(axis=0)
    size = np.ceil((corners.max(axis=0) - low) / STEP_MM).astype(int)[::-1] + 1
    outside = _AIR_HU if volume.unit == "HU" else float(volume.voxels.min())
    grey = np.empty(size, np.float32)
    seen = np.empty(size, np.bool_)
    y, x = np.meshgrid(np.arange(size[1]), np.arange(size[2]), indexing="ij")
    for z in range(size[0]):
        report(0.6 * z / size[0], "Finding the head")
        places = low + STEP_MM * np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], axis=1)
        kji = volume.grid.to_kji(places)
        grey[z] = ndimage.map_coordinates(
            volume.voxels, kji.T, output=np.float32, order=1, mode="constant", cval=outside, prefilter=False
        ).reshape(size[1:])
        seen[z] = (
            ((kji > -0.5) & (kji < np.asarray(volume.grid.shape_kji) - 0.5)).all(axis=1).reshape(size[1:])
        )

    def head() -> _Head:
        skin = ndimage.binary_opening(grey > _skin_level(volume), iterations=2)
        skin = _filled(_largest(skin))
        kept = _enclosed(grey > _BONE_HU) if volume.unit == "HU" else np.zeros_like(skin)
        _require_head(volume, skin, kept, seen)
        return _Head(low, skin, kept)

    return run_apart(head, part_of(report, 0.6, 1.0), "Finding the head")


def _largest(mask: BoolArray) -> BoolArray:
    labels, count = ndimage.label(mask)
    if not count:
        raise StepFailed("nothing in this scan is denser than air: choose a scan of a head")
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    part: BoolArray = labels == np.argmax(sizes)
    return part


def _filled(mask: BoolArray) -> BoolArray:
    return np.stack([ndimage.binary_fill_holes(plane) for plane in mask])


def _enclosed(bone: BoolArray) -> BoolArray:
    """What bone encloses in axial slices once gaps of up to 8 mm are closed: the cranial cavity."""
    closed = ndimage.binary_closing(np.pad(bone, 4), _IN_SLICE, iterations=2)[4:-4, 4:-4, 4:-4]
    cavity = ndimage.binary_opening(_filled(closed) & ~closed, _IN_SLICE, iterations=5)
    if not cavity.any():
        return np.zeros_like(bone)
    wide: BoolArray = ndimage.binary_dilation(_largest(cavity), iterations=3)
    return wide


def _require_head(volume: Volume, skin: BoolArray, kept: BoolArray, seen: BoolArray) -> None:
    extent = [STEP_MM * (int(np.ptp(found)) + 1) for found in np.nonzero(skin)]
    height, length, width = extent
    areas = np.count_nonzero(skin, axis=(1, 2))
    wide = skin[areas > 0.5 * areas.max()]
    across = [STEP_MM * (int(np.ptp(found)) + 1) for found in np.nonzero(wide.any(axis=0))]
    fits = (
        height >= _HEIGHT_MM
        and _LENGTH_MM[0] <= across[0] <= _LENGTH_MM[1]
        and _WIDTH_MM[0] <= across[1] <= _WIDTH_MM[1]
    )
    if not fits:
        raise StepFailed(
            f"the body in this scan measures {width:.0f} x {length:.0f} x {height:.0f} mm (across, front to"
            " back, up), which is not a whole head: choose a scan that shows the head with its skin all round"
        )
    cavity_ml = np.count_nonzero(kept) * STEP_MM**3 / 1000
    if volume.unit == "HU" and cavity_ml < _LEAST_CAVITY_ML:
        raise StepFailed(
            f"bone encloses {cavity_ml:.0f} ml in this scan, so there is no cranial cavity by which a head is"
            " known: choose a scan that shows the head"
        )
    border = seen & ~ndimage.binary_erosion(seen, _IN_SLICE, iterations=2)
    middle = skin.shape[1] // 2
    front, touching = skin[:, :middle], (skin & border)[:, :middle]
    columns, cut = int(front.any(axis=1).sum()), int(touching.any(axis=1).sum())
    if cut > _MOST_CUT_OFF * max(columns, 1):
        raise StepFailed(
            f"the front of the head is cut off by the border of the scan over {100 * cut / columns:.0f} % of"
            " its width: choose a scan with the whole face in the field of view"
        )


def _sheet(head: _Head, depth_mm: float) -> FloatArray:
    """(z, x) the y in mm in front of which all becomes air; minus infinity where nothing does."""
    skin = head.skin
    present = skin.any(axis=1)
    front = np.where(present, np.argmax(skin, axis=1), 0).astype(np.float64) * STEP_MM
    middle = float(np.mean(np.nonzero(skin)[1])) * STEP_MM
    typical = float(
        np.percentile(front[present], 15)
    )  # of the brow and cheeks: a nose takes less room than that
    hindmost = middle - _FRONT_SHARE * (middle - typical)
    facing = present & (front < hindmost)
    reach = int(_FEATURE_MM / STEP_MM)
    z, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    near = z * z + x * x <= reach * reach
    back = ndimage.grey_dilation(np.where(facing, front, -np.inf), footprint=near, mode="nearest")
    back = np.minimum(np.where(facing, back, front), front + _DEEPEST_MM)
    weights = ndimage.gaussian_filter(facing.astype(np.float64), _SMOOTH_MM / STEP_MM)
    smooth = ndimage.gaussian_filter(np.where(facing, back, 0.0), _SMOOTH_MM / STEP_MM)
    level = smooth / np.maximum(weights, 1e-6) + depth_mm
    level = np.minimum(level, hindmost) + head.low_lps[1]
    beside = ndimage.binary_dilation(facing, iterations=5)
    sheet: FloatArray = np.where(beside, level, -np.inf)
    areas = np.count_nonzero(skin, axis=(1, 2))
    top = int(np.nonzero(areas)[0].max())
    if areas[top] < 0.5 * areas.max():  # the vertex is in the scan
        sheet[max(0, top - int(_FOREHEAD_MM / STEP_MM)) :] = -np.inf
    return sheet


def _in_front(grid: Grid, head: _Head, sheet: FloatArray, report: Report) -> BoolArray:
    """The voxels in front of the sheet that the skull does not enclose."""
    gone = np.zeros(grid.shape_kji, np.bool_)
    last = np.asarray(head.skin.shape) - 1
    j, i = np.meshgrid(np.arange(grid.shape_kji[1]), np.arange(grid.shape_kji[2]), indexing="ij")
    for k in range(grid.shape_kji[0]):
        report(k / grid.shape_kji[0], "Finding the voxels of the face")
        places = grid.to_lps(np.stack([np.full(j.size, k), j.ravel(), i.ravel()], axis=1))
        zyx = np.rint((places - head.low_lps)[:, ::-1] / STEP_MM).astype(int)
        z, y, x = np.clip(zyx, 0, last).T
        ahead = (places[:, 1] < sheet[z, x]) & ~head.kept[z, y, x]
        gone[k] = ahead.reshape(gone.shape[1:])
    return gone


def _leave_bone(gone: BoolArray, volume: Volume, margin_mm: float, report: Report) -> None:
    """Take bone, with a margin round it, out of the voxels that become air."""
    found = [np.flatnonzero(gone.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    if not all(len(hit) for hit in found):
        return
    reach = [int(np.ceil(margin_mm / step)) for step in volume.grid.spacing_kji]
    box = tuple(
        slice(max(int(hit[0]) - r, 0), int(hit[-1]) + 1 + r) for hit, r in zip(found, reach, strict=True)
    )
    bone: NDArray[Any] = (volume.voxels[box] > _BONE_HU).astype(np.uint8)
    dilate = BinaryDilateImageFilter()
    dilate.SetKernelType(sitkBall)
    dilate.SetKernelRadius(reach[::-1])
    dilate.SetForegroundValue(1)
    wide = run_itk(dilate, report, "Leaving the bone as it is", GetImageFromArray(bone))
    gone[box] &= GetArrayViewFromImage(wide) == 0
