"""NIfTI: voxels with one or two stated places, in RAS; the place is turned to LPS here and nowhere else.

The header is read by nibabel; which of its places is believed is decided here (NIfTI-1, section 5):
sform and qform that agree are one; that disagree are refused; a file with neither is refused.
"""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...values import FloatArray, Mask, Volume
from .lattice import Lattice, require_size
from .packed import LEVEL, MOST_PACKED, beginning, contents, inflated

AGREE_MM = 0.1
SPACING_SHARE = 0.01
_RAS_TO_LPS: FloatArray = np.diag([-1.0, -1.0, 1.0, 1.0])
_UNITS = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 1e-3}
_PLACES = {2: "another scan it was aligned to", 3: "the Talairach atlas", 4: "the MNI atlas", 5: "a template"}
_LABELS = 1002
_HEADER = 544  # bytes of a NIfTI-2 header and of what says that no extension follows
_SLACK = 1 << 20


def read_nifti(path: Path) -> Lattice:
    """The voxels of a .nii or .nii.gz file and their place.

    Raises BadInput when it is damaged, has more than three axes, or does not say plainly where it lies.
    """
    data: bytes | bytearray = contents(path)
    packed = data[:2] == b"\x1f\x8b"
    header = _header(beginning(data, _HEADER) if packed else data[:_HEADER])
    sizes, kind, start = _sizes(header), _kind(header), _start(header)
    needed = require_size(sizes, kind.itemsize, len(data) * (MOST_PACKED if packed else 1) - start)
    if packed:
        data = inflated(data, start + needed + _SLACK)
        require_size(sizes, kind.itemsize, len(data) - start)
    told = list[str]()
    affine = _place(header, sizes, told)
    stored = np.frombuffer(data, kind, needed // kind.itemsize, start).reshape(sizes[::-1])
    return Lattice(
        _scaled(header, stored),
        affine,
        told=tuple(told),
        labels=int(header["intent_code"]) == _LABELS,
    )


def nifti_bytes(value: Volume | Mask, remark: str) -> bytes:
    """A gzipped NIfTI-1 file: sform and qform alike, both "scanner", in mm; no name of anybody.

    remark: what it is for, at most 79 characters
    """
    voxels = value.voxels.astype(np.uint8) if isinstance(value, Mask) else value.voxels
    header = _nibabel().Nifti1Header()
    header.set_data_dtype(voxels.dtype)
    header.set_data_shape(voxels.shape[::-1])
    ijk_to_ras = _RAS_TO_LPS @ value.grid.kji_to_lps[:, [2, 1, 0, 3]]
    header.set_qform(ijk_to_ras, code=1)
    header.set_sform(ijk_to_ras, code=1)
    header.set_xyzt_units("mm")
    header["descrip"] = remark.encode("ascii", "replace")[:79]
    if isinstance(value, Mask):
        header["intent_code"] = _LABELS
    header["vox_offset"], header["magic"] = 352, b"n+1"
    raw = header.binaryblock + bytes(4) + np.ascontiguousarray(voxels).tobytes()
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", LEVEL, packed, mtime=0) as stream:
        stream.write(raw)
    return packed.getvalue()


def _nibabel() -> Any:
    """The library, loaded when first needed: that takes a third of a second."""
    import nibabel

    return nibabel


def _header(data: bytes | bytearray) -> Any:
    """The header, as nibabel understands it."""
    size = int.from_bytes(data[:4], "little")
    swapped = int.from_bytes(data[:4], "big")
    if 540 in (size, swapped):
        kind: Any = _nibabel().Nifti2Header
        magic = bytes(data[4:8])
    elif 348 in (size, swapped):
        kind, magic = _nibabel().Nifti1Header, bytes(data[344:348])
    else:
        raise BadInput("it is no NIfTI file")
    if magic[:3] not in (b"n+1", b"n+2"):
        raise BadInput("it is the older Analyze format or half of a pair, which do not say where left is")
    try:
        with _nibabel().imageglobals.LoggingOutputSuppressor():
            header = kind.from_fileobj(io.BytesIO(bytes(data[: kind.sizeof_hdr]) + bytes(4)), check=False)
            header.get_data_dtype()
        return header
    except (
        _nibabel().spatialimages.HeaderDataError,
        ValueError,
        OverflowError,
        KeyError,
        EOFError,
        TypeError,
        IndexError,
    ):
        raise BadInput("its header is damaged: fetch it again") from None


def _sizes(header: Any) -> tuple[int, int, int]:
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise BadInput("its header is damaged: fetch it again")
    sizes = [int(n) for n in header["dim"][1 : count + 1]]
    if count < 3:
        raise BadInput(f"it has {count} axes: it is a picture, not a volume")
    if any(n != 1 for n in sizes[3:]):
        times = " x ".join(map(str, sizes[3:]))
        raise BadInput(f"it holds {times} volumes (4D): save the one to plan on as a file of its own")
    return sizes[0], sizes[1], sizes[2]


def _kind(header: Any) -> np.dtype[Any]:
    kind: np.dtype[Any] = header.get_data_dtype()
    if kind.kind not in "iuf" or kind.itemsize > 8:
        raise BadInput("its voxels are not grey values (colours, vectors or complex numbers)")
    return kind


def _start(header: Any) -> int:
    """Where the voxels begin, in bytes."""
    start = float(header["vox_offset"])
    if not 0 <= start <= 1 << 30 or start % 1:
        raise BadInput("its header is damaged: fetch it again")
    return int(start)


def _scaled(header: Any, stored: NDArray[Any]) -> NDArray[Any]:
    """The numbers, scaled where the header says so."""
    kind = stored.dtype
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or np.isnan(slope):  # the standard: then there is no scaling
        return stored
    if not (np.isfinite(slope) and np.isfinite(inter)):
        raise BadInput("its scaling is not a number: fetch or export it again")
    if (slope, inter) == (1.0, 0.0):
        return stored
    if slope.is_integer() and inter.is_integer() and kind.kind in "iu" and abs(slope) + abs(inter) < 1 << 30:
        return stored.astype(np.int64) * int(slope) + int(inter)
    with np.errstate(over="ignore", invalid="ignore"):
        return stored.astype(np.float64) * slope + inter


def _place(header: Any, sizes: tuple[int, int, int], told: list[str]) -> FloatArray:
    """4x4 from (k, j, i) to LPS mm."""
    codes = {"sform": int(header["sform_code"]), "qform": int(header["qform_code"])}
    if min(codes.values()) < 0 or max(codes.values()) > 5:
        raise BadInput("its header is damaged: fetch it again")
    stated = {name: _stated(header, name) for name, code in codes.items() if code > 0}
    if not stated:
        raise BadInput("it states neither sform nor qform, so where left is is not known: convert it again")
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]) * (np.array(sizes) - 1)
    if len(stated) == 2:
        apart = (stated["sform"] - stated["qform"])[:3] @ np.c_[corners, np.ones(8)].T
        most = float(np.linalg.norm(apart, axis=0).max()) * _unit_mm(header, [])
        if not most <= AGREE_MM:
            raise BadInput(
                f"its sform and qform disagree by {most:.3g} mm: keep the one that is right, set the code of"
                " the other to 0"
            )
    name = next(iter(stated))
    if codes[name] != 1:
        told.append(f"it lies in the space of {_PLACES[codes[name]]}, not of the scanner: check its size")
    affine, spacing = stated[name], np.linalg.norm(stated[name][:3, :3], axis=0)
    zooms = np.abs(np.asarray(header["pixdim"][1:4], np.float64))
    if not np.allclose(spacing, zooms, rtol=SPACING_SHARE, atol=0):
        told.append(
            f"its sform has voxels of {' x '.join(f'{s:.4g}' for s in spacing)}, its pixdim of"
            f" {' x '.join(f'{z:.4g}' for z in zooms)}: the sform was used"
        )
    scaled = affine.copy()
    scaled[:3] *= _unit_mm(header, told)
    turned: FloatArray = (_RAS_TO_LPS @ scaled)[:, [2, 1, 0, 3]]
    return turned


def _stated(header: Any, name: str) -> FloatArray:
    if header["pixdim"][0] == 0:
        header["pixdim"][0] = 1  # the standard: nought counts as right-handed
    try:
        with _nibabel().imageglobals.LoggingOutputSuppressor():
            affine = header.get_sform() if name == "sform" else header.get_qform()
    except (_nibabel().spatialimages.HeaderDataError, ValueError, np.linalg.LinAlgError):
        raise BadInput(f"its {name} is not a place: fetch or convert it again") from None
    affine = np.asarray(affine, np.float64)
    if not np.isfinite(affine).all():
        raise BadInput(f"its {name} is not a place: fetch or convert it again")
    return affine


def _unit_mm(header: Any, told: list[str]) -> float:
    code = int(header["xyzt_units"]) & 7
    if code not in _UNITS:
        raise BadInput("its unit of length is not known: convert it to millimetres")
    if code == 0:
        told.append("it does not state its unit; millimetres are assumed")
    elif code != 2:
        told.append(f"its unit is the {'metre' if code == 1 else 'micrometre'}, as the file states")
    return _UNITS[code]
