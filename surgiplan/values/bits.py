"""The work of a hand: a sparse choice of voxels, shared between versions."""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import BoolArray

BLOCK = 32
Corner = tuple[int, int, int]


@dataclass(frozen=True)
class Bits:
    """A set of voxels in 32-cubed blocks; an edit copies the touched blocks only.

    blocks: packed bits (4096 bytes) by block corner (k, j, i) / 32; empty blocks are left out
    """

    blocks: Mapping[Corner, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {tuple(map(int, k)): bytes(v) for k, v in self.blocks.items() if any(v)}
        if any(len(k) != 3 or min(k) < 0 or len(v) != BLOCK**3 // 8 for k, v in kept.items()):
            raise ValueError("a block of Bits holds 4096 bytes at a corner that is not negative")
        object.__setattr__(self, "blocks", MappingProxyType(kept))

    def __hash__(self) -> int:
        return hash(frozenset(self.blocks))

    def __reduce__(self) -> tuple[type["Bits"], tuple[dict[Corner, bytes]]]:
        return (Bits, (dict(self.blocks),))

    @classmethod
    def of(cls, kji: ArrayLike) -> "Bits":
        """The voxels with these (n, 3) indices."""
        return cls().with_voxels(kji)

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

    def write_into(self, voxels: NDArray[np.bool_], chosen: bool) -> None:
        """Set these voxels of a [k, j, i] array to `chosen`; what lies outside is left out."""
        for (k, j, i), packed in self.blocks.items():
            view = voxels[
                k * BLOCK : (k + 1) * BLOCK, j * BLOCK : (j + 1) * BLOCK, i * BLOCK : (i + 1) * BLOCK
            ]
            block = _unpacked(packed)[: view.shape[0], : view.shape[1], : view.shape[2]]
            view[block] = chosen

    @property
    def count(self) -> int:
        """Number of voxels."""
        return sum(int(np.unpackbits(np.frombuffer(v, np.uint8)).sum()) for v in self.blocks.values())

    def to_text(self) -> str:
        """A compact text for the plan file."""
        order = sorted(self.blocks)
        raw = json.dumps(order).encode() + b"\n" + b"".join(self.blocks[k] for k in order)
        return b64encode(zlib.compress(raw, 6)).decode("ascii")

    @classmethod
    def from_text(cls, text: str) -> "Bits":
        """The bits that `to_text` wrote; ValueError when it did not."""
        try:
            corners, _, data = zlib.decompress(b64decode(text, validate=True)).partition(b"\n")
            size = BLOCK**3 // 8
            order = [tuple(corner) for corner in json.loads(corners)]
            if len(data) != len(order) * size:
                raise ValueError(f"{len(order)} blocks are announced, {len(data)} bytes follow")
            return cls({key: data[n * size : (n + 1) * size] for n, key in enumerate(order)})
        except (ValueError, TypeError, OverflowError, RecursionError, zlib.error) as problem:
            raise ValueError("this is not the text of a Bits value") from problem


def _unpacked(packed: bytes | None) -> BoolArray:
    if packed is None:
        return np.zeros((BLOCK, BLOCK, BLOCK), np.bool_)
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    return bits.astype(np.bool_).reshape(BLOCK, BLOCK, BLOCK)
