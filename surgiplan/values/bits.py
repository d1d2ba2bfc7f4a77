"""The work of a hand: a sparse choice of voxels, shared between versions."""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import BoolArray

BLOCK = 32
Corner = tuple[int, int, int]
_BYTES = BLOCK**3 // 8
_EMPTY, _FULL = bytes(_BYTES), b"\xff" * _BYTES
_TEXT = "2"  # how the text of a plan file is written; what was written before is still read


@dataclass(frozen=True)
class Bits:
    """A set of voxels in 32-cubed blocks; an edit copies the touched blocks only.

    blocks: packed bits (4096 bytes) by block corner (k, j, i) / 32; empty blocks are left out
    """

    blocks: Mapping[Corner, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {tuple(map(int, k)): bytes(v) for k, v in self.blocks.items()}
        if any(len(k) != 3 or min(k) < 0 or len(v) != _BYTES for k, v in kept.items()):
            raise ValueError("a block of Bits holds 4096 bytes at a corner that is not negative")
        self._hold({key: block for key, block in kept.items() if block != _EMPTY})

    def _hold(self, blocks: dict[Any, bytes]) -> None:
        object.__setattr__(self, "blocks", MappingProxyType(blocks))

    @classmethod
    def _made(cls, blocks: dict[Corner, bytes]) -> "Bits":
        """Of blocks that come from other bits: whole, and none of them empty."""
        made = object.__new__(cls)
        made._hold(blocks)
        return made

    def __hash__(self) -> int:
        return hash(frozenset(self.blocks))

    def __reduce__(self) -> tuple[type["Bits"], tuple[dict[Corner, bytes]]]:
        return (Bits, (dict(self.blocks),))

    @classmethod
    def of(cls, kji: ArrayLike) -> "Bits":
        """The voxels with these (n, 3) indices."""
        return cls().with_voxels(kji)

    @classmethod
    def of_box(cls, low_kji: ArrayLike, chosen: BoolArray) -> "Bits":
        """The voxels that are chosen in a box.

        low_kji: index of the first voxel of the box
        chosen: [k, j, i] bool
        """
        low = np.asarray(low_kji, np.int64)
        if low.min() < 0:
            raise ValueError("a voxel index must not be negative")
        blocks = {}
        for corner in _corners(low, low + chosen.shape):
            block = np.zeros((BLOCK, BLOCK, BLOCK), np.bool_)
            inner, outer = _overlap(corner, low, chosen.shape)
            block[inner] = chosen[outer]
            if block.any():
                blocks[corner] = _FULL if block.all() else np.packbits(block).tobytes()
        return cls._made(blocks)

    @classmethod
    def all_of(cls, shape_kji: tuple[int, int, int]) -> "Bits":
        """All voxels of a grid of this shape; blocks that are alike share their memory."""
        whole = lru_cache(maxsize=8)(lambda *size: cls.of_box((0, 0, 0), np.ones(size, np.bool_)).blocks)
        sizes = [[min(BLOCK, n - start) for start in range(0, n, BLOCK)] for n in shape_kji]
        return cls._made(
            {
                (k, j, i): whole(sizes[0][k], sizes[1][j], sizes[2][i])[0, 0, 0]
                for k, j, i in product(*(range(len(one)) for one in sizes))
            }
        )

    def with_voxels(self, kji: ArrayLike) -> "Bits":
        """These bits and the voxels with these (n, 3) indices."""
        return self._changed(kji, True)

    def without_voxels(self, kji: ArrayLike) -> "Bits":
        """These bits less the voxels with these (n, 3) indices."""
        return self._changed(kji, False)

    def _changed(self, kji: ArrayLike, chosen: bool) -> "Bits":
        index = np.asarray(kji, dtype=np.int64).reshape(-1, 3)
        if index.size and index.min() < 0:
            raise ValueError("a voxel index must not be negative")
        blocks = dict(self.blocks)
        corners, place = np.unique(index // BLOCK, axis=0, return_inverse=True)
        for n, corner in enumerate(corners):
            key = (int(corner[0]), int(corner[1]), int(corner[2]))
            block = _unpacked(blocks.get(key))
            inside = index[place.ravel() == n] % BLOCK
            block[inside[:, 0], inside[:, 1], inside[:, 2]] = chosen
            blocks[key] = np.packbits(block).tobytes()
        return Bits(blocks)

    # --- sets

    def __or__(self, other: "Bits") -> "Bits":
        """The voxels that are in either; the blocks of one alone are shared with it."""
        many, few = (self, other) if len(self.blocks) >= len(other.blocks) else (other, self)
        blocks = dict(many.blocks)
        for key, block in few.blocks.items():
            held = blocks.get(key)
            blocks[key] = block if held is None else _joined(held, block)
        return Bits._made(blocks)

    def __sub__(self, other: "Bits") -> "Bits":
        """The voxels that are in these and not in the others."""
        blocks = dict(self.blocks)
        for key in self.blocks.keys() & other.blocks.keys():
            left = _less(blocks[key], other.blocks[key])
            if left == _EMPTY:
                del blocks[key]
            else:
                blocks[key] = left
        return Bits._made(blocks)

    def where(self, holds: Callable[[tuple[slice, slice, slice]], BoolArray]) -> "Bits":
        """The voxels of these for which something holds.

        holds: asked once for each block, with its place in a [k, j, i] array; what comes back may be
            smaller where the array ends, and outside of it nothing holds
        """
        blocks = {}
        for key, packed in self.blocks.items():
            k, j, i = (slice(n * BLOCK, (n + 1) * BLOCK) for n in key)
            found = holds((k, j, i))
            inside = tuple(slice(0, n) for n in found.shape)
            block = np.zeros((BLOCK, BLOCK, BLOCK), np.bool_)
            block[inside] = _unpacked(packed)[inside] & found
            if block.any():
                blocks[key] = np.packbits(block).tobytes()
        return Bits._made(blocks)

    # --- as arrays

    @property
    def box(self) -> tuple[Corner, Corner] | None:
        """The first voxel and the one after the last, of the smallest box of blocks; None when empty."""
        if not self.blocks:
            return None
        corners = np.array(list(self.blocks))
        low, high = corners.min(axis=0) * BLOCK, (corners.max(axis=0) + 1) * BLOCK
        return (int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2]))

    def in_box(self, low_kji: ArrayLike, shape: tuple[int, int, int]) -> BoolArray:
        """[k, j, i] bool: which voxels of a box are chosen.

        low_kji: index of the first voxel of the box
        """
        low = np.asarray(low_kji, np.int64)
        found = np.zeros(shape, np.bool_)
        for corner in _corners(low, low + shape):
            if (packed := self.blocks.get(corner)) is not None:
                inner, outer = _overlap(corner, low, shape)
                found[outer] = _unpacked(packed)[inner]
        return found

    def write_into(self, voxels: NDArray[np.bool_], chosen: bool) -> None:
        """Set these voxels of a [k, j, i] array to `chosen`; what lies outside is left out."""
        for (k, j, i), packed in self.blocks.items():
            view = voxels[
                k * BLOCK : (k + 1) * BLOCK, j * BLOCK : (j + 1) * BLOCK, i * BLOCK : (i + 1) * BLOCK
            ]
            if packed == _FULL:
                view[...] = chosen
            else:
                view[_unpacked(packed)[: view.shape[0], : view.shape[1], : view.shape[2]]] = chosen

    @cached_property
    def count(self) -> int:
        """Number of voxels."""
        return sum(int.from_bytes(block, "big").bit_count() for block in self.blocks.values())

    # --- as text

    def to_text(self) -> str:
        """A compact text for the plan file."""
        return self._text

    @cached_property
    def _text(self) -> str:
        """Block by block, so that a stroke costs as much as the blocks that it touches."""
        told = (f"{k},{j},{i}:{_block_text(self.blocks[k, j, i])}" for k, j, i in sorted(self.blocks))
        return _checked(" ".join(told))

    @classmethod
    def from_text(cls, text: str) -> "Bits":
        """The bits that `to_text` wrote; ValueError when it did not."""
        try:
            if text.startswith(f"{_TEXT} "):
                rest = text[len(_checked("")) :]
                if text != _checked(rest):
                    raise ValueError("the text was changed or cut off")
                pieces = (piece.partition(":") for piece in rest.split())
                return cls({tuple(map(int, at.split(","))): _block_of(told) for at, _, told in pieces})  # type: ignore[misc]
            return cls._from_one_piece(text)
        except (ValueError, TypeError, OverflowError, RecursionError, zlib.error) as problem:
            raise ValueError("this is not the text of a Bits value") from problem

    @classmethod
    def _from_one_piece(cls, text: str) -> "Bits":
        """How it was written at first: all blocks compressed as one."""
        corners, _, data = zlib.decompress(b64decode(text, validate=True)).partition(b"\n")
        order = [tuple(corner) for corner in json.loads(corners)]
        if len(data) != len(order) * _BYTES:
            raise ValueError(f"{len(order)} blocks are announced, {len(data)} bytes follow")
        return cls({key: data[n * _BYTES : (n + 1) * _BYTES] for n, key in enumerate(order)})


def _checked(text: str) -> str:
    return f"{_TEXT} {zlib.crc32(text.encode()):08x} {text}"


@lru_cache(maxsize=16_384)
def _block_text(block: bytes) -> str:
    return b64encode(zlib.compress(block, 6)).decode("ascii")


def _block_of(text: str) -> bytes:
    opened = zlib.decompressobj()
    block = opened.decompress(b64decode(text, validate=True), _BYTES + 1)
    if len(block) != _BYTES or not opened.eof or opened.unused_data:
        raise ValueError("a block has another length than it should")
    return _FULL if block == _FULL else block


def _corners(low: NDArray[np.int64], high: NDArray[np.int64]) -> Iterator[Corner]:
    """The blocks that a box touches."""
    spans = (range(int(a) // BLOCK, -(-int(b) // BLOCK)) for a, b in zip(low, high, strict=True))
    yield from product(*spans)


_Slices = tuple[slice, ...]


def _overlap(corner: Corner, low: NDArray[np.int64], shape: tuple[int, ...]) -> tuple[_Slices, _Slices]:
    """What a block and a box have in common: its place in the block, and in the box."""
    start = np.asarray(corner) * BLOCK
    first, last = np.maximum(start, low), np.minimum(start + BLOCK, low + shape)
    inner = tuple(slice(int(a), int(b)) for a, b in zip(first - start, last - start, strict=True))
    outer = tuple(slice(int(a), int(b)) for a, b in zip(first - low, last - low, strict=True))
    return inner, outer


def _joined(a: bytes, b: bytes) -> bytes:
    if a is b or a == b or b == _EMPTY:
        return a
    return (np.frombuffer(a, np.uint8) | np.frombuffer(b, np.uint8)).tobytes()


def _less(a: bytes, b: bytes) -> bytes:
    return (np.frombuffer(a, np.uint8) & ~np.frombuffer(b, np.uint8)).tobytes()


def _unpacked(packed: bytes | None) -> BoolArray:
    if packed is None:
        return np.zeros((BLOCK, BLOCK, BLOCK), np.bool_)
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    return bits.view(np.bool_).reshape(BLOCK, BLOCK, BLOCK)
