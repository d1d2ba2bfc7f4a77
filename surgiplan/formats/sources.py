"""Where the bytes come from: the files of a folder, one file, or the members of a zip archive.

Nothing is ever unpacked to disk and nothing of a source is changed; a member's name is only shown.
"""

import io
import os
import stat
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from threading import get_ident
from types import TracebackType
from typing import BinaryIO, cast

from ..errors import BadInput

MAX_MEMBERS = 100_000
MAX_MEMBER_BYTES = 4 << 30
MAX_ARCHIVE_BYTES = 64 << 30
_INDEX = "DICOMDIR"
_AHEAD = 16
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class Member:
    """One file, or one member of a zip archive.

    path: of the file, or of the archive that holds the member, as text: to make, hash and send thousands of
        `Path`s takes longer than to read their headers
    name: the last part of its name, for messages
    size: number of bytes (unpacked)
    entry: number of the member in its archive; -1 for a file
    """

    path: str
    name: str
    size: int
    entry: int = -1


@dataclass(frozen=True)
class Listing:
    """What there is to read.

    members: the files, ordered by their names
    notes: what could not be looked at, and why
    """

    members: tuple[Member, ...]
    notes: tuple[str, ...] = ()


def listed(path: Path) -> Listing:
    """List what lies at a path: a folder with all below it, one file, or a zip archive.

    Raises BadInput when there is nothing to read, or when an archive is encrypted or built to do harm.
    """
    try:
        if path.is_dir():
            return _of_folder(path)
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInput(f"{path} is neither a folder nor a file")
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as problem:
        raise BadInput(f"{path} cannot be read: {problem.strerror}") from None
    if path.name.upper() == _INDEX:
        found = _of_folder(path.parent)
        return replace(found, notes=("the index is not trusted: all files were looked at", *found.notes))
    if start in ZIP_MAGIC:
        return Listing(tuple(_of_archive(path)))
    return Listing((Member(str(path), path.name, path.stat().st_size),))


def _of_folder(folder: Path) -> Listing:
    """All regular files below a folder. Links are not followed: what they lead to is seen where it lies."""
    members, notes, outside = list[Member](), list[str](), list[str]()
    waiting = [str(folder)]
    while waiting:
        place, folders = waiting.pop(), list[str]()
        try:
            with os.scandir(place) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as problem:
            notes.append(f"the folder {place} cannot be read: {problem.strerror}")
            continue
        for entry in found:
            try:
                if entry.is_symlink():
                    if not Path(entry.path).resolve().is_relative_to(folder.resolve()):
                        outside.append(entry.name)
                elif entry.is_dir():
                    folders.append(entry.path)
                elif entry.is_file():  # a pipe or a device would wait for ever
                    members.append(Member(entry.path, entry.name, entry.stat().st_size))
            except OSError as problem:
                notes.append(f"{entry.name} cannot be read: {problem.strerror}")
        waiting += reversed(folders)
    if outside:
        names = ", ".join(outside[:3]) + (", ..." if len(outside) > 3 else "")
        notes.append(f"{len(outside)} links lead out of the folder and were not followed: {names}")
    return Listing(tuple(members), tuple(notes))


def _of_archive(path: Path) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise BadInput(f"{path.name} is a damaged zip archive: fetch it again") from None
    _require_harmless(path.name, entries)
    for number, entry in enumerate(entries):
        if not entry.is_dir():
            yield Member(str(path), PurePosixPath(entry.filename).name, entry.file_size, number)


def _require_harmless(archive: str, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_MEMBERS:
        raise BadInput(f"{archive} holds {len(entries)} files; at most {MAX_MEMBERS} are read")
    if sum(entry.file_size for entry in entries) > MAX_ARCHIVE_BYTES:
        raise BadInput(f"{archive} would unpack to more than {MAX_ARCHIVE_BYTES >> 30} GiB")
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        name = parts[-1] if parts else "an entry"
        if entry.flag_bits & 0x1:
            raise BadInput(f"{archive} is encrypted: unpack it with its password and give the folder")
        if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in (parts or ("",))[0]:
            raise BadInput(f"{archive} is refused: the name of its entry {name} points outside the archive")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise BadInput(f"{archive} is refused: its entry {name} is a link")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadInput(f"{archive} is packed in a way that is not read: unpack it and give the folder")
        if entry.file_size > MAX_MEMBER_BYTES:
            raise BadInput(f"{archive} is refused: {name} unpacks to more than {MAX_MEMBER_BYTES >> 30} GiB")


class Reader:
    """Opens members, in any thread; an archive is opened once for all of its members. Use it in a `with`."""

    def __init__(self) -> None:
        self._archives: dict[tuple[str, int], tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]] = {}

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for archive, _ in self._archives.values():
            archive.close()
        self._archives.clear()

    def open(self, member: Member) -> BinaryIO:
        """A stream of the member's bytes; the caller closes it. Raises OSError, zipfile.BadZipFile."""
        if member.entry < 0:
            return cast(BinaryIO, open(member.path, "rb", buffering=0))
        key = (member.path, get_ident())
        if key not in self._archives:
            archive = zipfile.ZipFile(member.path)
            self._archives[key] = (archive, archive.infolist())
        archive, entries = self._archives[key]
        unpacked = cast(io.RawIOBase, archive.open(entries[member.entry]))
        return cast(BinaryIO, io.BufferedReader(unpacked, 1 << 16))  # so that a short step back costs nothing


def exactly(stream: BinaryIO, count: int) -> bytes:
    """So many bytes, or all when there are fewer."""
    data = stream.read(count)
    while len(data) < count and (more := stream.read(count - len(data))):
        data += more
    return data


def filled(stream: BinaryIO, room: memoryview) -> int:
    """Read until the room is full or the stream ends; gives the number of bytes."""
    done = 0
    while done < len(room) and (count := stream.readinto(room[done:])):  # type: ignore[attr-defined]
        done += count
    return done


def opened_ahead(
    reader: Reader, members: Iterable[tuple[int, Member]], count: int
) -> Iterator[tuple[int, Member, BinaryIO | Exception]]:
    """Each member with its number and open stream, or what was raised; closed when the next is asked for.

    Some are opened ahead, so that the system fetches their beginnings from a cold disk side by side.

    members: with a number each
    count: bytes of the beginning that will be read
    """
    waiting = deque[tuple[int, Member, BinaryIO | Exception]]()
    todo = iter(members)
    try:
        while True:
            for number, member in islice(todo, _AHEAD - len(waiting)):
                try:
                    stream = reader.open(member)
                    if member.entry < 0 and hasattr(os, "posix_fadvise"):
                        os.posix_fadvise(stream.fileno(), 0, count, os.POSIX_FADV_WILLNEED)
                    waiting.append((number, member, stream))
                except Exception as problem:  # a damaged archive raises many kinds
                    waiting.append((number, member, problem))
            if not waiting:
                return
            yield waiting[0]
            _closed(waiting.popleft()[2])
    finally:
        for _, _, left in waiting:
            _closed(left)


def _closed(stream: BinaryIO | Exception) -> None:
    if not isinstance(stream, Exception):
        stream.close()
