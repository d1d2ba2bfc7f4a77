"""Results by their recipe key: a bounded memory, and a bounded folder beside the case."""

import os
import secrets
import shutil
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Lock

import numpy as np
import platformdirs
import zstandard

from .. import __version__
from ..values import Value, decode, encode

_GIB = 1 << 30
_KEPT_SECONDS = 14 * 86400  # how long the results of another state of the program stay


def cache_folder() -> Path:
    """Where results are kept beside the cases; one folder per state of the program, as a fix changes results.

    The environment variable SURGIPLAN_CACHE names another place.
    """
    root = os.environ.get("SURGIPLAN_CACHE") or platformdirs.user_cache_dir("surgiplan", appauthor=False)
    house = Path(__file__).parents[1]
    looks = [(str(f.relative_to(house)), f.stat().st_mtime_ns) for f in sorted(house.rglob("*.py"))]
    state = blake2b(repr((looks, sys.version_info)).encode(), digest_size=6).hexdigest()
    folder = Path(root) / f"results-{__version__}-{state}"
    for other in Path(root).glob("results-*"):
        if other != folder and time.time() - other.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    return folder


class Store:
    """Keeps what was computed; forgets the longest unused first. Safe to use from several threads.

    memory_bytes: bound of what is kept in memory (the newest result is always kept)
    folder: where results are also written, None for memory alone (an encrypted case)
    disk_bytes: bound of that folder
    """

    def __init__(
        self, memory_bytes: int = 3 * _GIB, folder: Path | None = None, disk_bytes: int = 8 * _GIB
    ) -> None:
        self._memory: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self._memory_bytes, self._disk_bytes = memory_bytes, disk_bytes
        self._folder = folder
        self._lock = Lock()

    def peek(self, key: str) -> Value | None:
        """The result of this key if it is in memory; never waits for the disk."""
        with self._lock:
            if key not in self._memory:
                return None
            self._memory.move_to_end(key)
            return self._memory[key][0]

    def get(self, key: str) -> Value | None:
        """The result of this key from memory or disk; None when it must be computed."""
        if (value := self.peek(key)) is not None or self._folder is None:
            return value
        try:
            value = decode(zstandard.decompress((self._folder / key).read_bytes()))
            os.utime(self._folder / key)
        except (OSError, ValueError, zstandard.ZstdError):
            return None  # absent or damaged: it is only a cache
        self._remember(key, value)
        return value

    def put(self, key: str, value: Value, to_disk: bool = True) -> None:
        """Keep a result; a disk that is full or read-only costs only the speed of the next start."""
        self._remember(key, value)
        if self._folder is None or not to_disk:
            return
        part = self._folder / f".{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            packer = zstandard.ZstdCompressor(level=1, write_checksum=True)
            part.write_bytes(packer.compress(encode(value)))
            os.replace(part, self._folder / key)
            self._shrink_folder(self._folder)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _remember(self, key: str, value: Value) -> None:
        with self._lock:
            self._memory[key] = (value, size_of(value))
            self._memory.move_to_end(key)
            while len(self._memory) > 1 and sum(s for _, s in self._memory.values()) > self._memory_bytes:
                self._memory.popitem(last=False)

    def _shrink_folder(self, folder: Path) -> None:
        files = sorted(
            ((f.stat().st_mtime, f.stat().st_size, f) for f in folder.iterdir()), key=lambda f: f[0]
        )
        excess = sum(size for _, size, _ in files) - self._disk_bytes
        for _, size, file in files:
            if excess <= 0:
                return
            file.unlink(missing_ok=True)
            excess -= size


def size_of(value: Value) -> int:
    """Bytes a value holds in its arrays."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, Mapping):
        return sum(map(size_of, value.values()))
    if is_dataclass(value) and not isinstance(value, type):
        return sum(size_of(getattr(value, f.name)) for f in fields(value)) + 64
    return 64
