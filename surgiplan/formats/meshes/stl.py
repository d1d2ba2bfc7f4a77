"""STL: triangles without shared points, binary or as text. It has no unit and no frame of its own."""

import re
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import BadInput
from ...values import FloatArray, Mesh
from .content import Content

HEADER, RECORD = 80, 50
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_VERTEX = re.compile(rb"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)
_NAMES = re.compile(rb"^\s*(?:end)?solid\b.*$", re.IGNORECASE | re.MULTILINE)


def is_stl(data: bytes) -> bool:
    """Whether these bytes look like an STL file, binary or text."""
    return _is_text(data) or _is_exact(data)


def read_stl(data: bytes) -> Content:
    """Corners (3 m, 3), triangles (m, 3) that share none of them, and the header text.

    Raises BadInput when the file is cut short, lies about its size or is not STL.
    """
    if not _is_exact(data) and _is_text(data):
        corners = _text_corners(data)
        header = data[: data.find(b"\n") if b"\n" in data else HEADER]
    else:
        corners = _binary_corners(data)
        header = data[:HEADER]
    triangles = np.arange(len(corners), dtype=np.int64).reshape(-1, 3)
    return Content(corners, triangles, header.decode("latin-1"))


def stl_bytes(mesh: Mesh, remarks: Sequence[str]) -> bytes:
    """A binary STL file; as many of the remarks as fit stand in its header.

    mesh: in the coordinates the file shall have
    remarks: the most important first
    """
    header = ""
    for remark in remarks:
        longer = f"{header} {remark}".strip()
        header = longer if len(longer) <= HEADER else header
    table = np.zeros(len(mesh.triangles), _TRIANGLE)
    corners = mesh.points[mesh.triangles]
    table["corners"] = corners
    sides = corners.astype(np.float64)
    normals = np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    table["normal"] = normals / np.where(lengths > 0, lengths, 1)
    start = header.encode("ascii", "replace").ljust(HEADER)
    return start + struct.pack("<I", len(table)) + table.tobytes()


def _count(data: bytes) -> int:
    return int(struct.unpack_from("<I", data, HEADER)[0]) if len(data) >= HEADER + 4 else -1


def _is_exact(data: bytes) -> bool:
    """Whether the size is what a binary file of that many triangles has (its text may say "solid")."""
    return len(data) >= HEADER + 4 and len(data) == HEADER + 4 + RECORD * _count(data)


def _is_text(data: bytes) -> bool:
    start = data[:1024]
    return start.lstrip()[:5].lower() == b"solid" and b"\0" not in start


def _binary_corners(data: bytes) -> FloatArray:
    count, room = _count(data), (len(data) - HEADER - 4) // RECORD
    if count < 0:
        raise BadInput(f"it is no STL file: {len(data)} bytes are too few")
    if room != count:  # a few bytes behind the last triangle are harmless, a record too many is not
        raise BadInput(
            f"its header says {count} triangles and there is room for {max(room, 0)}: fetch it again"
        )
    table = np.frombuffer(data, _TRIANGLE, count, HEADER + 4)
    corners: FloatArray = table["corners"].reshape(-1, 3).astype(np.float64)
    return corners


def _text_corners(data: bytes) -> FloatArray:
    body = _NAMES.sub(b"", data)
    found: list[Any] = _VERTEX.findall(body)
    words = body.lower()
    loops, facets, closed = words.count(b"outer loop"), words.count(b"endfacet"), words.count(b"endloop")
    if b"endsolid" not in data.lower() or not loops == facets == closed:
        raise BadInput("it is cut short: a facet or the end of the solid is missing")
    if len(found) != 3 * loops or words.count(b"vertex") != len(found):
        raise BadInput(f"it has {len(found)} corners in {loops} facets: each must have three")
    try:
        return np.array(found, dtype=object).astype(np.float64).reshape(-1, 3)
    except ValueError:
        raise BadInput("a coordinate is not a number (a decimal comma?)") from None
