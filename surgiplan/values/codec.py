"""Value <-> bytes: one layout for the case file, the cache and the child process.

Layout: magic, length of the header, header (JSON tree in which arrays are named by number), then
the arrays one after the other, each at a multiple of 64 bytes. Decoded arrays are read-only views.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .deviation import UNSET_IS_LEFT_OUT, Change, Deviation
from .findings import (
    Agreement,
    Collision,
    EdgeMap,
    Finding,
    GapMap,
    Measurement,
    Profile,
    RangeOfMotion,
    WallMap,
)
from .frames import Plane, Pose
from .grid import Grid
from .landmarks import Landmarks
from .mesh import Mesh, Part
from .tolerance import Tolerance
from .volume import Mask, Volume

Value = Any
_MAGIC = b"SPVALUE1"
_ALIGN = 64
_KINDS = (Grid, Volume, Mask, Mesh, Deviation, Change, Part, Pose, Plane, Landmarks)
_FOUND = (
    Measurement,
    Profile,
    Collision,
    GapMap,
    EdgeMap,
    WallMap,
    RangeOfMotion,
    Agreement,
    Finding,
    Tolerance,
)
_TYPES: dict[str, type] = {cls.__name__: cls for cls in (*_KINDS, *_FOUND)}


def encode(value: Value) -> bytes:
    """The bytes of a value; TypeError for what is not a value."""
    arrays: list[NDArray[Any]] = []
    header = json.dumps(_taken_apart(value, arrays), separators=(",", ":")).encode()
    pieces = [_MAGIC, struct.pack("<Q", len(header)), header]
    at = sum(map(len, pieces))
    for array in arrays:
        gap = -at % _ALIGN
        pieces += [bytes(gap), array.tobytes()]
        at += gap + array.nbytes
    return b"".join(pieces)


def decode(data: bytes | memoryview) -> Value:
    """The value of these bytes; ValueError when they are damaged or not from `encode`."""
    view = memoryview(data)
    if bytes(view[:8]) != _MAGIC or len(view) < 16:
        raise ValueError("these bytes do not hold a surgiplan value")
    (size,) = struct.unpack("<Q", view[8:16])
    if size > len(view) - 16:
        raise ValueError("the bytes of this value are cut short")
    try:
        tree = json.loads(bytes(view[16 : 16 + size]))
        return _put_together(tree, _Arrays(view, 16 + size))
    except (ValueError, MemoryError):
        raise
    except Exception as problem:  # damaged bytes can ask anything of JSON, numpy and the types
        raise ValueError("the bytes of this value are damaged") from problem


def digest(value: Value) -> str:
    """A hash of the content: equal for equal values, on every machine."""
    return blake2b(encode(value), digest_size=16).hexdigest()


def _taken_apart(value: Value, arrays: list[NDArray[Any]]) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value))
        return {"$array": [value.dtype.str, list(value.shape)]}
    if isinstance(value, tuple | list):
        return {"$tuple": [_taken_apart(v, arrays) for v in value]}
    if isinstance(value, Mapping):
        return {"$map": {str(k): _taken_apart(v, arrays) for k, v in value.items()}}
    if is_dataclass(value) and type(value).__name__ in _TYPES:
        kept = [
            f for f in fields(value) if f.metadata != UNSET_IS_LEFT_OUT or getattr(value, f.name) != f.default
        ]
        content = {f.name: _taken_apart(getattr(value, f.name), arrays) for f in kept}
        return {"$type": type(value).__name__, "with": content}
    raise TypeError(f"{type(value).__name__} is not a value that can be kept")


class _Arrays:
    """Hands out the arrays of the data in their order."""

    def __init__(self, view: memoryview, start: int) -> None:
        self._view, self._at = view, start

    def take(self, dtype: str, shape: list[int]) -> NDArray[Any]:
        start = self._at + -self._at % _ALIGN
        kind = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        if kind.hasobject or count < 0 or start + count * kind.itemsize > len(self._view):
            raise ValueError("the bytes of this value are cut short")
        self._at = start + count * kind.itemsize
        array = np.frombuffer(self._view, kind, count, start).reshape(shape)
        array.flags.writeable = False
        return array


def _put_together(tree: Any, arrays: _Arrays) -> Value:
    if not isinstance(tree, dict):
        return tree
    if "$array" in tree:
        return arrays.take(*tree["$array"])
    if "$tuple" in tree:
        return tuple(_put_together(v, arrays) for v in tree["$tuple"])
    if "$map" in tree:
        return {k: _put_together(v, arrays) for k, v in tree["$map"].items()}
    content = {k: _put_together(v, arrays) for k, v in tree["with"].items()}
    return _TYPES[tree["$type"]](**content)
