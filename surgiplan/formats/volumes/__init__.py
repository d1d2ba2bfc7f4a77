"""Volumes and label maps from and to NIfTI, NRRD and MetaImage, written whole and checked by reading back."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, CaseError
from ...progress import Report, silent
from ...values import NO_LABEL, Label, Mask, Volume
from ..files import write_whole
from .lattice import Lattice, Segment, on_grid, volume_of
from .metaimage import metaimage_bytes, read_metaimage
from .nifti import nifti_bytes, read_nifti
from .nrrd import MAX_SEGMENTS, nrrd_bytes, read_nrrd

SEGMENTS = ".seg.nrrd"
_READERS: Mapping[str, Callable[[Path], Lattice]] = {
    ".nii": read_nifti,
    ".nii.gz": read_nifti,
    ".nrrd": read_nrrd,
    ".nhdr": read_nrrd,
    ".mha": read_metaimage,
    ".mhd": read_metaimage,
}
READ_SUFFIXES = tuple(_READERS)
VOLUME_SUFFIXES = (".nii.gz", ".nrrd", ".mha")
MASK_SUFFIXES = (SEGMENTS, *VOLUME_SUFFIXES)
_SAME_MM = 1e-3
_USE = "Research use, not a medical device"


def suffix_of(path: Path) -> str:
    """The suffix that names the format, such as ".nii.gz"; "" when it is none of these."""
    name = path.name.lower()
    fitting = [suffix for suffix in (SEGMENTS, *READ_SUFFIXES) if name.endswith(suffix)]
    return max(fitting, key=len, default="")


def read_lattice(path: Path) -> Lattice:
    """What a volume file holds, in the order and handedness of the file.

    Raises BadInput, with the name of the file, when it cannot be used as it is.
    """
    suffix = suffix_of(path)
    if not suffix:
        raise BadInput(f"{path.name} is not read as a volume; {', '.join(READ_SUFFIXES)} are")
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # such numbers are refused with a sentence
            return _READERS[".nrrd" if suffix == SEGMENTS else suffix](path)
    except MemoryError:
        raise BadInput(f"{path.name} does not fit into memory") from None
    except BadInput as problem:
        raise _named(path, problem) from None


def read_volume(path: Path, modality: str = "", report: Report = silent) -> tuple[Volume, list[str]]:
    """Read a scan from a NIfTI, NRRD or MetaImage file.

    path: never changed
    modality: "CT" or "MR" as the person states it; these files seldom do
    Gives the scan in LPS mm on a right-handed grid without a frame of reference, and what to know of it.
    Raises BadInput when it is damaged, or its place or values are not plainly those of a scan.
    """
    report(0.0, f"reading {path.name}")
    lattice = read_lattice(path)
    report(0.6, f"judging {path.name}")
    try:
        return volume_of(lattice, modality)
    except BadInput as problem:
        raise _named(path, problem) from None


def read_labels(path: Path, report: Report = silent) -> tuple[dict[str, Mask], list[str], dict[str, Label]]:
    """Read the segments of a .seg.nrrd file, or the labels of a label map, each as a mask.

    Gives the masks by names that a step can have ("label_7" where the file has none), what is to be known of
    it, and how each is labelled: its name as it stands, colour and code.
    Raises BadInput when it is damaged, holds no labels, or its place is not plain.
    """
    report(0.0, f"reading {path.name}")
    lattice = read_lattice(path)
    try:
        grid, voxels = on_grid(lattice.kji_to_lps, lattice.voxels)
        layers = voxels if voxels.ndim == 4 else voxels[None]
        masks, told, labels = dict[str, Mask](), list(lattice.told), dict[str, Label]()
        for n, (name, value, layer, label) in enumerate(lattice.segments or _labels(layers)):
            report(0.5 + 0.5 * n / 100 if n < 100 else 1.0, f"reading {path.name}")
            if not 0 <= layer < len(layers):
                raise BadInput(f"segment {n} of it lies in a layer that is not there: export it again")
            chosen = np.ascontiguousarray(layers[layer] == value)
            if chosen.any():
                step = _free(name, masks)
                masks[step] = Mask(grid, chosen)
                labels[step] = replace(label, title="" if name == step else label.title)
            else:
                told.append(f"segment {n} of it is empty and was left out")
    except BadInput as problem:
        raise _named(path, problem) from None
    if not masks:
        raise BadInput(f"{path.name}: it holds no label, all is nought")
    return masks, told, labels


def write_volume(
    value: Volume | Mask, path: Path, *, notes: Mapping[str, str] = {}, label: Label = NO_LABEL
) -> None:
    """Write a scan or a mask in LPS mm (NIfTI: RAS); the suffix names the format.

    path: .nii.gz, .nrrd or .mha, for a mask .seg.nrrd too; replaced when it exists
    notes: said in the file where it has room
    label: title, colour and code of a mask, for a .seg.nrrd
    The file is read back and compared before it gets its name: a failed write leaves nothing.
    Raises BadInput when there is no such format, CaseError when the disk does not take it or the file
    read back is not the value.
    """
    suffix, allowed = suffix_of(path), MASK_SUFFIXES if isinstance(value, Mask) else VOLUME_SUFFIXES
    if suffix not in allowed:
        what = "a mask" if isinstance(value, Mask) else "a scan"
        raise BadInput(f"{what} is written as {', '.join(allowed)}, not {path.suffix or 'without a suffix'}")
    if suffix == ".nii.gz":
        data = nifti_bytes(value, f"{_USE}; {notes.get('side', '')}".strip("; "))
    elif suffix == ".mha":
        data = metaimage_bytes(value, "; ".join([_USE, *(f"{k}={v}" for k, v in notes.items())]))
    else:
        remarks = {"use": _USE} | {key: text for key, text in notes.items() if key != "use"}
        segment = Segment(label.title or notes.get("step", "mask"), 1, 0, label)
        data = nrrd_bytes(value, remarks, segment if suffix == SEGMENTS else None)
    reader = _READERS[".nrrd" if suffix == SEGMENTS else suffix]
    write_whole(path, data, lambda written: _require_same(value, reader, written, path.name))


def _require_same(value: Volume | Mask, reader: Callable[[Path], Lattice], written: Path, name: str) -> None:
    """Raise CaseError unless the file holds these voxels at this place."""
    try:
        lattice = reader(written)
        grid, voxels = on_grid(lattice.kji_to_lps, lattice.voxels)
    except BadInput as problem:
        raise CaseError(f"{name} was not written, it cannot be read back: {problem}") from problem
    if grid.shape_kji != value.grid.shape_kji or not np.array_equal(voxels, value.voxels):
        raise CaseError(f"{name} was not written: read back it holds other voxels")
    moved = float(np.linalg.norm(grid.corners_lps - value.grid.corners_lps, axis=1).max())
    if moved > _SAME_MM:
        raise CaseError(f"{name} was not written: read back it lies {moved:.4f} mm off")


def _labels(layers: NDArray[Any]) -> list[Segment]:
    """Every label of a map without names."""
    if layers.dtype.kind == "f" and (not np.isfinite(layers).all() or np.any(layers % 1)):
        raise BadInput("its values are not whole numbers: it is no label map")
    found = [int(value) for value in np.unique(layers) if value]
    if len(layers) != 1 or len(found) > MAX_SEGMENTS:
        raise BadInput(f"it holds {len(found)} labels without a name; at most {MAX_SEGMENTS} are read")
    return [Segment(f"label_{value}".replace("-", "minus_"), value, 0) for value in found]


def _free(name: str, taken: Mapping[str, Mask]) -> str:
    """A name for a step made of the name of a segment, such as "Left femur" -> "Left_femur"."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")[:56]
    plain = plain if plain[:1].isalpha() else f"segment_{plain}".rstrip("_")
    return next(n for n in (plain, *(f"{plain}_{m}" for m in range(2, 9999))) if n not in taken)


def _named(path: Path, problem: BadInput) -> BadInput:
    text = str(problem)
    return problem if path.name in text else BadInput(f"{path.name}: {text}")
