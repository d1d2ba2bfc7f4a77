"""Bytes of a volume file: unpacked no further than announced, taken from its own folder only."""

import bz2
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from ...errors import BadInput

MAX_BYTES = 8 << 30
MAX_HEADER = 1 << 20
MAX_FILES = 10_000
MOST_PACKED = 1032  # DEFLATE makes of a byte at most 1032
LEVEL = 3  # of zlib: higher ones take longer and save next to nothing on a scan
_ZLIB_OR_GZIP = 47  # zlib then looks which it is
_PATTERN = re.compile(r"%0?\d{0,2}d")


def contents(path: Path) -> bytes:
    """All bytes of a file. Raises BadInput when it cannot be read, is empty or too large."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadInput(f"{path.name} is larger than {MAX_BYTES >> 30} GiB")
        if not size:
            raise BadInput(f"{path.name} is empty")
        return path.read_bytes()
    except OSError as problem:
        raise BadInput(f"{path.name} cannot be read: {problem.strerror}") from None


def inflated(data: bytes | bytearray | memoryview, most: int, kind: str = "gzip") -> bytearray:
    """Unpack gzip, zlib or bzip2 data; its check sum must hold.

    most: bytes that are expected at most
    Raises BadInput when it is damaged, cut short, or unpacks to more.
    """
    found, rest = bytearray(), memoryview(data)
    try:
        while any(rest[:16]):  # files may stand one behind the other, and be padded
            tool = bz2.BZ2Decompressor() if kind == "bzip2" else zlib.decompressobj(_ZLIB_OR_GZIP)
            found += tool.decompress(rest, most - len(found) + 1)
            if len(found) > most:
                raise BadInput("it unpacks to more than its header says: it may be a bomb")
            if not tool.eof:
                raise BadInput("its packed data is cut short: fetch it again")
            rest = memoryview(tool.unused_data)
    except (zlib.error, OSError, ValueError, EOFError):
        raise BadInput("its packed data is damaged: fetch it again") from None
    return found


def beginning(data: bytes | bytearray, size: int) -> bytes:
    """The first bytes of gzip data, unpacked. Raises BadInput when it is damaged."""
    try:
        return zlib.decompressobj(_ZLIB_OR_GZIP).decompress(data, size)
    except zlib.error:
        raise BadInput("its packed data is damaged: fetch it again") from None


def beside(header: Path, name: str) -> Path:
    """The file of this name in the folder of a header, or below it.

    Raises BadInput when the name leads out of that folder, or there is no such file.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or name.startswith(("/", "\\", "~")) or ":" in name or "\0" in name:
        raise BadInput("it names a data file outside its own folder, which is not followed")
    folder = header.parent.resolve()
    try:
        found = folder.joinpath(*parts).resolve()
        inside = found.is_relative_to(folder)
        if inside and not found.is_file():
            raise BadInput(f"its data file {parts[-1]} is not beside it: give both, in one folder")
    except (OSError, RuntimeError, ValueError):
        raise BadInput("the name of its data file cannot be understood") from None
    if not inside:
        raise BadInput("its data file is a link out of its folder, which is not followed")
    return found


def numbered(pattern: str, first: str, last: str, step: str) -> list[str]:
    """The names of a numbered series, such as "slice%03d.raw" from 1 to 93."""
    try:
        low, high, by = int(first), int(last), int(step)
        if pattern.count("%") != 1 or not _PATTERN.search(pattern) or not 0 <= (high - low) // by < MAX_FILES:
            raise ValueError
        return [pattern % n for n in range(low, high + (1 if by > 0 else -1), by)]
    except (ValueError, ZeroDivisionError):
        raise BadInput("the names of its data files cannot be understood") from None


def together(header: Path, names: Sequence[str]) -> Iterator[memoryview]:
    """The contents of the files of a header, one after the other."""
    if len(names) > MAX_FILES:
        raise BadInput(f"it names {len(names)} data files; at most {MAX_FILES} are read")
    paths = [beside(header, name) for name in names]
    if sum(path.stat().st_size for path in paths) > MAX_BYTES:
        raise BadInput(f"its data files are larger than {MAX_BYTES >> 30} GiB")
    for path in paths:
        yield memoryview(contents(path))
