"""Voxels as a volume file has them, and the right-handed grid of patient space they are put on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...values import NO_LABEL, BoolArray, FloatArray, Grid, Label, Mask, Volume, given_away
from ..dicom.geometry import SPACING_MM
from ..dicom.pixels import INT16, MAX_VOXELS
from ..dicom.plausible import hounsfield_doubts

FARTHEST_MM = 1e5
SHEAR = 1e-4  # sine; what a grid takes
EXACT_FLOAT32 = 1 << 24
SNAP_MM = 0.02
LIKELY_LABELS = 256

UNITS_MM: Mapping[str, float] = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3}


class Segment(NamedTuple):
    """A segment as its file names it.

    value: number that its voxels have
    layer: in which of the layers they lie
    label: its colour and code
    """

    name: str
    value: int
    layer: int
    label: Label = NO_LABEL


@dataclass(frozen=True, eq=False)
class Lattice:
    """What a NIfTI, NRRD or MetaImage file holds.

    voxels: [k, j, i] numbers, scaled as the file says; layers of segments have a further first axis
    kji_to_lps: 4x4 from index to patient mm; may be left-handed
    modality: "CT", "MR" or "" where the file does not say
    told: what is to be known of how it was read
    segments: what the file of segments says of each
    labels: whether the file says that its numbers are labels
    """

    voxels: NDArray[Any]
    kji_to_lps: FloatArray
    modality: str = ""
    told: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    labels: bool = False


def require_size(sizes: tuple[int, ...], bytes_each: int, available: int) -> int:
    """The number of bytes that voxels of these sizes need; judged before any memory is asked for.

    available: bytes that can be there at most
    Raises BadInput when the sizes are absurd or the file is too short for them.
    """
    count = 1
    for size in sizes:
        if size < 1:
            raise BadInput(f"it claims {' x '.join(map(str, sizes))} voxels")
        count *= size
    if count > MAX_VOXELS:
        raise BadInput(f"it claims {' x '.join(map(str, sizes))} voxels: too large")
    if count * bytes_each > available:
        raise BadInput(
            f"it claims {' x '.join(map(str, sizes))} voxels and is too short for them: fetch it again"
        )
    return count * bytes_each


def volume_of(lattice: Lattice, modality: str = "") -> tuple[Volume, list[str]]:
    """The scan on a right-handed grid, and what the planner should know before using it.

    modality: as the person states it; else what the file says
    Values stay what they are: int16 when all are whole and fit, else float32.
    Raises BadInput when the place is not that of a grid, or a value is no number.
    """
    if lattice.voxels.ndim != 3:
        raise BadInput(f"it has {lattice.voxels.ndim} axes; a volume has three: give one of its volumes")
    grid, voxels = on_grid(lattice.kji_to_lps, lattice.voxels)
    grey, told = _grey(voxels)
    told = [*lattice.told, *told]
    if modality and lattice.modality and modality != lattice.modality:
        raise BadInput(f"the file says that it is {lattice.modality}, not {modality}: check which it is")
    kind = modality or lattice.modality
    if not kind:
        told.append(
            "the file does not say whether it is CT or MR: its numbers have no unit, thresholds are chosen by"
            " eye (say --modality CT when they are Hounsfield units)"
        )
    if lattice.labels or _like_labels(grey):
        told.append("it looks like a label map: with --labels each label becomes a mask")
    volume = Volume(grid, given_away(grey), kind, "HU" if kind == "CT" else "")
    return volume, [*told, *hounsfield_doubts(volume)]


def on_grid(kji_to_lps: FloatArray, voxels: NDArray[Any]) -> tuple[Grid, NDArray[Any]]:
    """The right-handed grid of these voxels; a left-handed order is turned round along k with its place.

    voxels: the last three axes are k, j, i
    Raises BadInput when the axes are sheared, flat, not finite, or no size of a patient.
    """
    axes = kji_to_lps[:3, :3]
    if not np.isfinite(kji_to_lps).all() or np.abs(kji_to_lps[:3, 3]).max() > FARTHEST_MM:
        raise BadInput("its place in the patient is no number that can be right")
    spacing = np.linalg.norm(axes, axis=0)
    if not (SPACING_MM[0] <= spacing.min() and spacing.max() <= SPACING_MM[1]):
        raise BadInput(f"its voxels are {' x '.join(f'{s:.4g}' for s in spacing[::-1])} mm: not of a patient")
    unit = axes / spacing
    lean = np.abs(unit.T @ unit - np.eye(3)).max()
    if lean > SHEAR:
        degrees = float(np.degrees(np.arcsin(min(lean, 1.0))))
        raise BadInput(
            f"its axes are sheared, {degrees:.2f} degrees off the right angle: resample it orthogonally"
        )
    affine = kji_to_lps.copy()
    if np.linalg.det(axes[:, ::-1]) < 0:
        affine[:3, 3] += (voxels.shape[-3] - 1) * affine[:3, 0]
        affine[:3, 0] *= -1
        voxels = voxels[..., ::-1, :, :]
    k, j, i = voxels.shape[-3:]
    return Grid((k, j, i), affine), voxels


def moved_to(mask: Mask, grid: Grid) -> Mask:
    """The same voxels on the grid of a scan: axes re-ordered, a cropped box put into its place.

    Raises BadInput when the lattices differ by more than 0.02 mm, or a chosen voxel lies outside.
    """
    step = grid.lps_to_kji @ mask.grid.kji_to_lps
    order = np.rint(step)
    apart = (grid.kji_to_lps @ (step - order))[:3] @ np.c_[_corner_places(mask.grid.shape_kji), np.ones(8)].T
    if (np.abs(order[:3, :3]).sum(axis=0) != 1).any() or np.linalg.norm(apart, axis=0).max() > SNAP_MM:
        raise BadInput(
            f"the label map does not lie on the voxels of that scan"
            f" ({_size(mask.grid)} against {_size(grid)}): resample it, or import it by itself"
        )
    chosen = np.argwhere(mask.voxels)
    places = (chosen @ order[:3, :3].T + order[:3, 3]).astype(np.int64)
    if len(places) and ((places < 0) | (places >= grid.shape_kji)).any():
        raise BadInput("a part of the label map lies outside that scan: check which scan it was made from")
    voxels: BoolArray = np.zeros(grid.shape_kji, np.bool_)
    voxels[tuple(places.T)] = True
    return Mask(grid, given_away(voxels), mask.level)


def _corner_places(shape_kji: tuple[int, int, int]) -> FloatArray:
    last = np.asarray(shape_kji) - 1
    corners: FloatArray = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]) * last
    return corners


def _size(grid: Grid) -> str:
    voxels = " x ".join(map(str, grid.shape_kji[::-1]))
    return f"{voxels} voxels of {' x '.join(f'{s:.4g}' for s in grid.spacing_kji[::-1])} mm"


def _grey(voxels: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """The values as int16 or float32 (native byte order), and what was lost in that."""
    if voxels.dtype.kind == "b":
        return voxels.astype(np.int16), []
    if voxels.dtype.kind in "iu":
        low, high = int(voxels.min()), int(voxels.max())
        if INT16.min <= low and high <= INT16.max:
            return voxels.astype(np.int16), []
        rounded = max(abs(low), abs(high)) > EXACT_FLOAT32
        told = [f"its values reach {max(abs(low), abs(high))}: they are rounded to seven digits"]
        return voxels.astype(np.float32), told if rounded else []
    if voxels.dtype.kind != "f":
        raise BadInput("its voxels are not grey values (colours, vectors or complex numbers)")
    bad = int(np.count_nonzero(~np.isfinite(voxels)))
    if bad:
        raise BadInput(
            f"{bad} of its {voxels.size} values are not finite numbers: replace them and export again"
        )
    if voxels.dtype.itemsize <= 4:
        return voxels.astype(np.float32), []
    if np.abs(voxels).max() > np.finfo(np.float32).max:
        raise BadInput("its values are larger than any that is measured: it is damaged")
    if INT16.min <= voxels.min() and voxels.max() <= INT16.max and not np.any(voxels % 1):
        return voxels.astype(np.int16), []
    single = voxels.astype(np.float32)
    away = float(np.abs(voxels - single).max())
    return single, [f"its values are kept to seven digits (at most {away:.2g} off)"] if away else []


def _like_labels(grey: NDArray[Any]) -> bool:
    """Whether these may be labels: few whole numbers from nought on, most of them nought."""
    if grey.dtype != np.int16 or grey.min() != 0 or not 0 < grey.max() < LIKELY_LABELS:
        return False
    return bool(np.count_nonzero(grey) < grey.size // 2)
