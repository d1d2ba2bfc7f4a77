"""NRRD, attached or with data files beside it, and the segmentations that 3D Slicer writes in it (.seg.nrrd).

pynrrd reads the fields of the header; what they mean for place and data is decided here (NRRD 5
definition: space origin is the centre of the first voxel; a space that does not say left is refused).
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...values import FloatArray, Mask, Volume
from .lattice import UNITS_MM, Lattice, Segment, require_size
from .packed import LEVEL, MAX_HEADER, MOST_PACKED, contents, inflated, numbered, together
from .terminology import label_fields, label_of

_SPACES: Mapping[str, tuple[float, float, float]] = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
_PACKED = {"gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_TEXT = ("ascii", "text", "txt")
_END = re.compile(rb"\r?\n\r?\n")
_DATA_FILE = re.compile(r"data ?file:\s*(.*)", re.IGNORECASE)
_SEGMENT = re.compile(r"Segment(\d{1,4})_(Name|LabelValue|Layer|Color|Tags)")
_NAME_HERE = "name_here"
MAX_SEGMENTS = 1000


def read_nrrd(path: Path) -> Lattice:
    """The voxels of a .nrrd, .nhdr or .seg.nrrd file and their place.

    Data files are taken from the folder of the header only.
    Raises BadInput when it is damaged, or does not say plainly where it lies.
    """
    data = contents(path)
    header, rest, files = _header(data)
    sizes = tuple(int(n) for n in header["sizes"])
    kind = _kind(header)
    told = list[str]()
    affine, layers = _place(header, len(sizes), told)
    voxels = _values(header, kind, sizes, list(together(path, files)) if files else [rest])
    if layers is None and voxels.ndim == 4:
        raise BadInput(f"it holds {sizes[-1]} volumes (4D): save the one to plan on as a file of its own")
    if layers is not None:
        voxels = np.moveaxis(voxels, len(sizes) - 1 - layers, 0)
    return Lattice(voxels, affine, told=tuple(told), segments=_segments(header, layers is not None))


def nrrd_bytes(value: Volume | Mask, remarks: Mapping[str, str], segment: Segment | None = None) -> bytes:
    """A gzipped NRRD file in left-posterior-superior mm.

    remarks: key and value pairs that stand in its header
    segment: name and label of the one segment of a mask, for a .seg.nrrd
    """
    voxels = value.voxels.astype(np.uint8) if isinstance(value, Mask) else value.voxels
    affine = value.grid.kji_to_lps
    header: dict[str, Any] = {
        "space": "left-posterior-superior",
        "space directions": affine[:3, [2, 1, 0]].T,
        "space origin": affine[:3, 3],
        "space units": ["mm", "mm", "mm"],
        "kinds": ["domain", "domain", "domain"],
        "encoding": "gzip",
        "endian": "little",
    }
    header |= {key: " ".join(_ascii(text).split()) for key, text in remarks.items()}
    if segment is not None:
        k, j, i = value.grid.shape_kji
        header |= {
            "Segmentation_MasterRepresentation": "Binary labelmap",
            "Segment0_ID": "Segment_1",
            "Segment0_Name": _NAME_HERE,
            "Segment0_LabelValue": str(segment.value),
            "Segment0_Layer": str(segment.layer),
            "Segment0_Extent": f"0 {i - 1} 0 {j - 1} 0 {k - 1}",
        }
        header |= {f"Segment0_{key}": _ascii(text) for key, text in label_fields(segment.label).items()}
    packed = io.BytesIO()
    nrrd.write(packed, voxels, header, index_order="C", compression_level=LEVEL)
    data = packed.getvalue()
    if segment is None:
        return data
    line = b"Segment0_Name:="  # pynrrd writes ASCII alone; a name may be of any language
    return data.replace(line + _NAME_HERE.encode(), line + " ".join(segment.name.split()).encode(), 1)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _header(data: bytes) -> tuple[dict[str, Any], memoryview, list[str]]:
    """The fields, the bytes behind them, and the names of data files (empty when attached)."""
    if not data.startswith(b"NRRD"):
        raise BadInput("it is no NRRD file")
    end = _END.search(data, 0, MAX_HEADER)
    if end is None and len(data) > MAX_HEADER:
        raise BadInput("its header does not end")
    lines = data[: end.start() if end else len(data)].decode("utf-8", "replace").splitlines()
    files, kept = list[str](), list[str]()
    for n, line in enumerate(lines):
        found = _DATA_FILE.fullmatch(line.strip())
        if found is None:
            kept.append(line)
        elif re.fullmatch(r"LIST( \d)?", found[1].strip()):
            files = [name.strip() for name in lines[n + 1 :] if name.strip()]
            break
        else:
            files = _named(found[1].strip())
    try:
        header = dict(nrrd.read_header([line + "\n" for line in kept]))
        if len(header["sizes"]) != int(header["dimension"]):
            raise ValueError
        header["type"], header["encoding"] = str(header["type"]).lower(), str(header["encoding"]).lower()
    except (nrrd.NRRDError, ValueError, KeyError, TypeError, IndexError, StopIteration, OverflowError):
        raise BadInput("its header is damaged: fetch it again") from None
    return header, memoryview(data)[end.end() if end else len(data) :], files


def _named(text: str) -> list[str]:
    words = text.split()
    if len(words) in (4, 5) and "%" in words[0]:
        return numbered(words[0], words[1], words[2], words[3])
    return [text]


def _kind(header: Mapping[str, Any]) -> np.dtype[Any]:
    try:
        kind: np.dtype[Any] = np.dtype(nrrd.reader._determine_datatype(header))
    except (nrrd.NRRDError, KeyError):
        raise BadInput("the type or byte order of its voxels is not stated or not known") from None
    if kind.kind not in "iuf":
        raise BadInput("its voxels are not grey values")
    return kind


def _values(
    header: Mapping[str, Any], kind: np.dtype[Any], sizes: tuple[int, ...], sources: list[memoryview]
) -> NDArray[Any]:
    """The numbers, last axis fastest."""
    encoding, available = header["encoding"], sum(map(len, sources))
    packing = _PACKED.get(encoding)
    if packing is None and encoding not in ("raw", *_TEXT):
        raise BadInput("its encoding is not read (raw, gzip, bzip2 and text are)")
    most = {"gzip": MOST_PACKED, "bzip2": 50_000}.get(
        packing or "", kind.itemsize if encoding in _TEXT else 1
    )
    needed = require_size(sizes, kind.itemsize, available * most)
    skipped = [_skipped(header, source, needed // len(sources), packing is not None) for source in sources]
    raw: bytes | memoryview
    if packing:
        raw = b"".join(inflated(source, needed, packing) for source in skipped)
    elif encoding in _TEXT:
        return _typed(skipped, kind, needed // kind.itemsize).reshape(sizes[::-1])
    else:
        raw = skipped[0] if len(skipped) == 1 else b"".join(skipped)
    if len(raw) != needed:
        raise BadInput(f"it holds {len(raw)} bytes of voxels and its header says {needed}: fetch it again")
    return np.frombuffer(raw, kind).reshape(sizes[::-1])


def _typed(sources: list[memoryview], kind: np.dtype[Any], count: int) -> NDArray[Any]:
    try:
        numbers = np.array(b" ".join(sources).split(), dtype=object).astype(np.float64)
    except ValueError:
        raise BadInput("a value of it is not a number") from None
    if len(numbers) != count:
        raise BadInput(f"it holds {len(numbers)} values and its header says {count}: fetch it again")
    with np.errstate(invalid="ignore", over="ignore"):
        made = numbers.astype(kind.newbyteorder("="))
    if kind.kind in "iu" and not np.array_equal(made, numbers):
        raise BadInput("a value of it does not fit its type")
    return made


def _skipped(header: Mapping[str, Any], source: memoryview, needed: int, packed: bool) -> memoryview:
    lines = int(header.get("lineskip", header.get("line skip", 0)))
    skip = int(header.get("byteskip", header.get("byte skip", 0)))
    if lines == 0 and skip == 0:
        return source
    if packed or lines < 0 or skip < -1 or lines > 10_000:
        raise BadInput("it skips a part of its data in a way that is not read")
    if skip == -1:
        return source[max(len(source) - needed, 0) :]
    at = 0
    whole = bytes(source)
    for _ in range(lines):
        at = whole.find(b"\n", at) + 1
        if at == 0:
            raise BadInput("its data is cut short: fetch it again")
    return source[at + skip :]


def _place(header: Mapping[str, Any], axes: int, told: list[str]) -> tuple[FloatArray, int | None]:
    """4x4 from (k, j, i) to LPS mm, and which axis counts the layers of segments (None when none does)."""
    space = str(header.get("space", "")).strip().lower()
    if space not in _SPACES:
        stated = f"its space ({space}) does" if space in ("3d-left-handed", "3d-right-handed") else "it does"
        raise BadInput(
            f"{stated} not say where left is (space: left-posterior-superior): export it with its place"
        )
    directions, origin = header.get("space directions"), header.get("space origin")
    if directions is None or origin is None:
        raise BadInput("it has no space directions or no space origin, so its place is not known")
    rows = [np.full(3, np.nan) if row is None else np.asarray(row, np.float64) for row in directions]
    if len(rows) != axes or any(row.shape != (3,) for row in rows) or np.shape(origin) != (3,):
        raise BadInput("its space directions do not fit its sizes")
    spatial = [n for n, row in enumerate(rows) if np.isfinite(row).all()]
    if len(spatial) != 3 or axes > 4:
        raise BadInput(f"it has {len(spatial)} axes in space and {axes} in all; a volume has three")
    units = {str(unit) for unit in header.get("space units", [])} or {"mm"}
    if len(units) != 1 or not units <= set(UNITS_MM):
        raise BadInput("its unit of length is not known: convert it to millimetres")
    unit = units.pop()
    if unit != "mm":
        told.append(f"its unit is {unit}, as the file states")
    affine = np.eye(4)
    affine[:3, :3] = np.array([rows[n] for n in spatial]).T[:, ::-1]
    affine[:3, 3] = np.asarray(origin, np.float64)
    affine[:3] *= UNITS_MM[unit]
    affine[:3] *= np.array(_SPACES[space])[:, None]
    layers = next((n for n in range(axes) if n not in spatial), None)
    kinds = [str(kind).lower() for kind in header.get("kinds", [])]
    if layers is not None and (layers >= len(kinds) or kinds[layers] != "list"):
        raise BadInput("it holds several values for each voxel (4D, vectors or colours): give one volume")
    return affine, layers


def _segments(header: Mapping[str, Any], layered: bool) -> tuple[Segment, ...]:
    found = dict[int, dict[str, str]]()
    for key, text in header.items():
        if match := _SEGMENT.fullmatch(key):
            found.setdefault(int(match[1]), {})[match[2]] = str(text)
    if len(found) > MAX_SEGMENTS:
        raise BadInput(f"it holds {len(found)} segments; at most {MAX_SEGMENTS} are read")
    try:
        return tuple(
            Segment(
                one.get("Name", f"segment {n}"),
                int(one.get("LabelValue", 1)),
                int(one.get("Layer", n if layered else 0)),
                label_of(one.get("Name", ""), one),
            )
            for n, one in sorted(found.items())
        )
    except ValueError:
        raise BadInput("a segment of it has no label value that is a number") from None
