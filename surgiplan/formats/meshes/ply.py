"""PLY: points and polygons, as text or binary, with room for remarks.

An own reader: trimesh 5.2 takes the corner count of the first polygon of a binary file for all of them.
"""

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...values import FloatArray, Mesh
from .content import Content

MAX_HEADER = 1 << 16
_END = re.compile(rb"^end_header[ \t]*\r?\n", re.MULTILINE)
_ORDERS = {"ascii": "<", "binary_little_endian": "<", "binary_big_endian": ">"}
_NAMES = {
    "i1": "char int8",
    "u1": "uchar uint8",
    "i2": "short int16",
    "u2": "ushort uint16",
    "i4": "int int32",
    "u4": "uint uint32",
    "f4": "float float32",
    "f8": "double float64",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}
_CORNERS = ("vertex_indices", "vertex_index")

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class _Property:
    """One number per row, or (counted: the kind of its length) a list of them."""

    name: str
    kind: str
    counted: str = ""


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: tuple[_Property, ...] = ()


def is_ply(data: bytes) -> bool:
    """Whether these bytes begin a PLY file."""
    return data[:4] in (b"ply\n", b"ply\r")


def read_ply(data: bytes) -> Content:
    """Points (n, 3), triangles (m, 3), and the header text; polygons are divided fan by fan.

    Raises BadInput when the file is damaged, cut short, or holds more or less than its header says.
    """
    end = _END.search(data[:MAX_HEADER])
    if end is None:
        raise BadInput("it is no PLY file: its header does not end")
    header = data[: end.end()].decode("latin-1")
    order, elements = _described(header)
    body = data[end.end() :]
    if " ascii " in header.partition("format")[2][:12]:
        body, elements = _numbers(body), [_as_doubles(element) for element in elements]
    tables, at = dict[str, Columns](), 0
    for element in elements:
        tables[element.name], at = _columns(body, at, element, order)
    if body[at:].strip():
        raise BadInput(f"{len(body) - at} bytes follow that its header does not speak of: fetch it again")
    return Content(_points(tables.get("vertex", {})), _triangles(tables.get("face", {})), header)


def ply_bytes(mesh: Mesh, remarks: Sequence[str]) -> bytes:
    """A binary PLY file with the remarks as comments."""
    lines = ["ply", "format binary_little_endian 1.0", *(f"comment {remark}" for remark in remarks)]
    lines += [f"element vertex {len(mesh.points)}", *(f"property float {axis}" for axis in "xyz")]
    lines += [f"element face {len(mesh.triangles)}", "property list uchar int vertex_indices", "end_header"]
    faces = np.zeros(len(mesh.triangles), np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    faces["count"], faces["corners"] = 3, mesh.triangles
    header = "\n".join(lines).encode("ascii", "replace") + b"\n"
    return header + mesh.points.astype("<f4").tobytes() + faces.tobytes()


def _described(header: str) -> tuple[str, list[_Element]]:
    """Byte order and elements of a header."""
    order, elements = "", list[_Element]()
    for line in header.splitlines():
        match line.split():
            case ["format", form, *_] if form in _ORDERS:
                order = _ORDERS[form]
            case ["element", name, count] if count.isdecimal():
                elements.append(_Element(name, int(count)))
            case ["property", "list", counted, kind, name] if elements and {counted, kind} <= _KINDS.keys():
                elements[-1] = _with(elements[-1], _Property(name, _KINDS[kind], _KINDS[counted]))
            case ["property", kind, name] if elements and kind in _KINDS:
                elements[-1] = _with(elements[-1], _Property(name, _KINDS[kind]))
            case ["ply"] | ["comment" | "obj_info", *_] | ["end_header"] | []:
                pass
            case _:
                raise BadInput("a line of its header cannot be understood: export it again")
    if not all(element.properties for element in elements):
        raise BadInput("its header does not say what its rows hold")
    if not order:
        raise BadInput("its header does not say whether it is text or binary")
    return order, elements


def _with(element: _Element, more: _Property) -> _Element:
    return replace(element, properties=(*element.properties, more))


def _numbers(body: bytes) -> bytes:
    """The numbers of a text body as doubles, so that it can be read like a binary one."""
    try:
        return np.array(body.split(), dtype=object).astype("<f8").tobytes()
    except ValueError:
        raise BadInput("a number in it is none (a decimal comma?)") from None


def _as_doubles(element: _Element) -> _Element:
    doubles = tuple(_Property(p.name, "f8", "f8" if p.counted else "") for p in element.properties)
    return replace(element, properties=doubles)


def _columns(body: bytes, at: int, element: _Element, order: str) -> tuple[Columns, int]:
    """The properties of an element that begins at a byte, and where the next one begins."""
    if not element.count:
        return {}, at
    first, _ = _row(body, at, element, order)
    fields = list[tuple[Any, ...]]()
    for n, (one, value) in enumerate(zip(element.properties, first, strict=True)):
        if one.counted:
            fields.append((f"{n} counted", order + one.counted))
        fields.append((f"{n}", order + one.kind, *((len(value),) if one.counted else ())))
    kind = np.dtype(fields)
    if at + element.count * kind.itemsize <= len(body):
        table = np.frombuffer(body, kind, element.count, at)
        lists = [n for n, one in enumerate(element.properties) if one.counted]
        if all((table[f"{n} counted"] == len(first[n])).all() for n in lists):
            columns = {one.name: table[f"{n}"] for n, one in enumerate(element.properties)}
            return columns, at + element.count * kind.itemsize
    return _row_by_row(body, at, element, order)


def _row_by_row(body: bytes, at: int, element: _Element, order: str) -> tuple[Columns, int]:
    """The slow way, for lists of different lengths."""
    rows = list[list[Any]]()
    for _ in range(element.count):
        row, at = _row(body, at, element, order)
        rows.append(row)
    return {one.name: [row[n] for row in rows] for n, one in enumerate(element.properties)}, at


def _row(body: bytes, at: int, element: _Element, order: str) -> tuple[list[Any], int]:
    row = list[Any]()
    try:
        for one in element.properties:
            count = 1
            if one.counted:
                (length,) = struct.unpack_from(order + _CODES[one.counted], body, at)
                at += struct.calcsize(_CODES[one.counted])
                count = int(length)
            values = struct.unpack_from(f"{order}{count}{_CODES[one.kind]}", body, at)
            at += count * struct.calcsize(_CODES[one.kind])
            row.append(values if one.counted else values[0])
    except (struct.error, ValueError, OverflowError):
        raise BadInput(f"it is cut short or damaged among its {element.count} {element.name} rows") from None
    return row, at


def _points(columns: Columns) -> FloatArray:
    if not columns:
        return np.zeros((0, 3))
    axes = [columns.get(axis, ()) for axis in "xyz"]
    if not all(len(axis) and np.ndim(axis[0]) == 0 for axis in axes):
        raise BadInput("its points have no x, y and z")
    return np.column_stack([np.asarray(axis, np.float64) for axis in axes])


def _triangles(columns: Columns) -> NDArray[np.int64]:
    corners = next((columns[name] for name in _CORNERS if name in columns), None)
    if corners is None:
        return np.zeros((0, 3), np.int64)
    if np.ndim(corners[0]) != 1 or min(map(len, corners)) < 3:
        raise BadInput("a face of it has fewer than three corners")
    if isinstance(corners, np.ndarray):
        return _fans(_indices(corners))
    return np.concatenate([_fans(_indices(np.array([one]))) for one in corners])


def _indices(corners: NDArray[Any]) -> NDArray[np.int64]:
    whole = corners.astype(np.int64)
    if not (whole == corners).all():
        raise BadInput("a face of it names a point by a number that is not whole")
    return whole


def _fans(polygons: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangles of (n, m) polygons of m corners, each divided from its first corner."""
    starts = np.repeat(polygons[:, :1], polygons.shape[1] - 2, axis=1)
    return np.stack([starts, polygons[:, 1:-1], polygons[:, 2:]], axis=-1).reshape(-1, 3)
