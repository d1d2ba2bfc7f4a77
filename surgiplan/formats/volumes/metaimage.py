"""MetaImage (.mha, .mhd): the format of ITK, in LPS.

ITK's rules: DimSize, ElementSpacing, TransformMatrix (axis by axis) and Offset (centre of the first voxel)
make the place; AnatomicalOrientation describes it and must not contradict it. An own reader of this short
text header, since ITK takes a missing matrix for an upright scan and follows any path to the data.
"""

import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadInput
from ...values import FloatArray, Mask, Volume
from .lattice import Lattice, require_size
from .packed import LEVEL, MAX_HEADER, MOST_PACKED, contents, inflated, numbered, together

_KINDS: Mapping[str, str] = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_NAMES = {"MET_SHORT": np.dtype(np.int16), "MET_FLOAT": np.dtype(np.float32), "MET_UCHAR": np.dtype(np.uint8)}
_LINE = re.compile(rb"([A-Za-z_][\w ]*?)[ \t]*=[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_FROM = "RL", "AP", "IS"  # along +x, +y, +z of LPS: from the first letter to the second


def read_metaimage(path: Path) -> Lattice:
    """The voxels of a .mha or .mhd file and their place.

    Data files are taken from the folder of the header only.
    Raises BadInput when it is damaged, or does not say plainly where it lies.
    """
    data = contents(path)
    fields, start = _fields(data)
    try:
        if fields.get("ObjectType", "Image") != "Image" or int(fields["NDims"]) != 3:
            raise BadInput(f"it has {fields.get('NDims')} axes or is no image; a volume has three")
        sizes = tuple(int(n) for n in fields["DimSize"].split())
        kind = np.dtype(_KINDS[fields["ElementType"]])
        affine = _place(fields)
        channels = int(fields.get("ElementNumberOfChannels", 1))
        scale = tuple(
            float(fields.get(f"ElementToIntensityFunction{n}", d)) for n, d in (("Slope", 1), ("Offset", 0))
        )
    except (KeyError, ValueError, OverflowError):
        raise BadInput("its header is damaged or lacks a field: fetch or export it again") from None
    if len(sizes) != 3 or channels != 1 or scale != (1.0, 0.0) or not _true(fields, "BinaryData", True):
        raise BadInput("its voxels are not stored as plain grey values: export it again")
    swapped = _true(fields, "BinaryDataByteOrderMSB") or _true(fields, "ElementByteOrderMSB")
    raw = _raw(path, fields, memoryview(data)[start:], sizes, kind.itemsize)
    voxels = np.frombuffer(raw, kind.newbyteorder(">" if swapped else "<")).reshape(sizes[::-1])
    modality = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR"}.get(fields.get("Modality", ""), "")
    return Lattice(voxels, affine, modality)


def metaimage_bytes(value: Volume | Mask, remark: str) -> bytes:
    """A packed .mha file in LPS mm.

    remark: what it is for
    """
    voxels = value.voxels.astype(np.uint8) if isinstance(value, Mask) else value.voxels
    spacing, axes = value.grid.spacing_kji[::-1], value.grid.axes[:, ::-1]
    packed = zlib.compress(np.ascontiguousarray(voxels).tobytes(), LEVEL)
    modality = value.modality if isinstance(value, Volume) and value.modality in ("CT", "MR") else ""
    fields = {
        "ObjectType": "Image",
        "NDims": "3",
        "Comment": " ".join(remark.split()),
        **({"Modality": f"MET_MOD_{modality}"} if modality else {}),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True",
        "CompressedDataSize": str(len(packed)),
        "TransformMatrix": _words(axes.T.ravel()),
        "Offset": _words(value.grid.kji_to_lps[:3, 3]),
        "CenterOfRotation": "0 0 0",
        "ElementSpacing": _words(spacing),
        "DimSize": " ".join(map(str, value.grid.shape_kji[::-1])),
        "ElementType": next(name for name, kind in _NAMES.items() if kind == voxels.dtype),
        "ElementDataFile": "LOCAL",
    }
    return "".join(f"{key} = {text}\n" for key, text in fields.items()).encode("ascii", "replace") + packed


def _words(numbers: Any) -> str:
    return " ".join(f"{float(n) + 0.0:.17g}" for n in numbers)


def _fields(data: bytes) -> tuple[dict[str, str], int]:
    """The fields, and where the data begins."""
    fields, at = dict[str, str](), 0
    while True:
        found = _LINE.match(data, at, at + 65536)
        if found is None or at > MAX_HEADER:
            raise BadInput("it is no MetaImage file, or its header does not end")
        key, text = found[1].decode("ascii", "replace"), found[2].decode("ascii", "replace")
        if key in fields:
            raise BadInput("its header states a field twice: export it again")
        fields[key], at = text, found.end()
        if key == "ElementDataFile":
            return fields, at


def _true(fields: Mapping[str, str], key: str, otherwise: bool = False) -> bool:
    return fields[key].lower() in ("true", "t", "1", "yes") if key in fields else otherwise


def _raw(
    path: Path, fields: Mapping[str, str], rest: memoryview, sizes: tuple[int, ...], bytes_each: int
) -> bytes | memoryview:
    """The bytes of the voxels, from the file itself or from those beside it."""
    local = fields["ElementDataFile"].upper() == "LOCAL"
    sources = [rest] if local else list(together(path, _names(fields["ElementDataFile"], rest)))
    if not sources:
        raise BadInput("it names no data file")
    packed = _true(fields, "CompressedData")
    needed = require_size(sizes, bytes_each, sum(map(len, sources)) * (MOST_PACKED if packed else 1))
    skip = fields.get("HeaderSize", "0")
    if skip not in ("0", "-1") or (skip == "-1" and (packed or len(sources) > 1)):
        raise BadInput("it skips a part of its data in a way that is not read")
    raw: bytes | memoryview
    if packed:
        raw = b"".join(inflated(one, needed, "zlib") for one in sources)
    elif skip == "-1":
        raw = sources[0][len(sources[0]) - needed :]
    else:
        raw = sources[0] if len(sources) == 1 else b"".join(sources)
    if len(raw) != needed:
        raise BadInput(f"it holds {len(raw)} bytes of voxels and its header says {needed}: fetch it again")
    return raw


def _names(stated: str, rest: memoryview) -> list[str]:
    """The names of the data files: one, a numbered series, or a list behind the header."""
    words = stated.split()
    if stated.upper() == "LIST":
        lines = bytes(rest[:MAX_HEADER]).decode("utf-8", "replace").splitlines()
        return [line.strip() for line in lines if line.strip()]
    if len(words) in (3, 4) and "%" in words[0]:
        return numbered(words[0], words[1], words[2], (*words[3:], "1")[0])
    return [stated]


def _place(fields: Mapping[str, str]) -> FloatArray:
    """4x4 from (k, j, i) to LPS mm."""
    matrix = next(
        (fields[key] for key in ("TransformMatrix", "Rotation", "Orientation") if key in fields), None
    )
    offset = next((fields[key] for key in ("Offset", "Origin", "Position") if key in fields), None)
    if matrix is None or offset is None or "ElementSpacing" not in fields:
        raise BadInput("it has no TransformMatrix, Offset or ElementSpacing, so its place is not known")
    axes = np.array([float(n) for n in matrix.split()]).reshape(3, 3).T  # stored axis by axis
    spacing = np.array([float(n) for n in fields["ElementSpacing"].split()])
    if spacing.shape != (3,) or not (spacing > 0).all():
        raise BadInput("its ElementSpacing is not three positive numbers")
    if np.abs(np.linalg.norm(axes, axis=0) - 1).max() > 1e-3:
        raise BadInput("its TransformMatrix does not hold unit vectors: export it again")
    _require_described(fields.get("AnatomicalOrientation", ""), axes)
    affine = np.eye(4)
    affine[:3, :3] = (axes * spacing)[:, ::-1]
    affine[:3, 3] = np.array([float(n) for n in offset.split()]).reshape(3)
    return affine


def _require_described(stated: str, axes: FloatArray) -> None:
    """The letters name where each axis comes from (ITK) or goes to; either must fit the matrix."""
    if len(stated) != 3 or "?" in stated:
        return
    ways = [(int(np.abs(axis).argmax()), axis[np.abs(axis).argmax()] > 0) for axis in axes.T]
    begins = "".join(_FROM[way][0 if ahead else 1] for way, ahead in ways)
    ends = "".join(_FROM[way][1 if ahead else 0] for way, ahead in ways)
    if stated.upper() not in (begins, ends):
        raise BadInput(
            f"its AnatomicalOrientation ({stated.upper()}) contradicts its TransformMatrix ({begins}): one"
            " side may be the other; export it again"
        )
