"""The files of a listing by what they are; those children that wait take a part of a long one.

Plain headers are the same walk in either process; a child that is lost costs nothing but its part, which is
then done here.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from threading import Event
from typing import BinaryIO

from ...errors import Cancelled
from ...progress import Report, paced
from .. import quarantine
from ..sources import ZIP_MAGIC, Member, Reader, opened_ahead
from .datasets import looks_like_dicom
from .decoding import why
from .headers import Slice
from .walker import FIRST_READ, Walker

_PROGRAMS = (b"MZ", b"\x7fELF")
_WORTH = 16  # files that a child gets at a time, at least
_HELPERS = max((os.cpu_count() or 2) - 1, 1)
_ALIVE_SECONDS = 0.5
_scans = count()
_File = tuple[int, Member]  # with its place in the listing


@dataclass
class Sorted:
    """What the files of a listing are; numbers are places in it.

    plain: the pictures of files whose headers are plain
    odd: files that pydicom must parse
    damaged: why a file cannot be read
    archives: files that are archives
    programs: files that are DICOM and begin like a program
    skipped: how many are not DICOM
    """

    plain: dict[int, tuple[Slice, ...]] = field(default_factory=dict)
    odd: list[int] = field(default_factory=list)
    damaged: dict[int, str] = field(default_factory=dict)
    archives: list[int] = field(default_factory=list)
    programs: list[int] = field(default_factory=list)
    skipped: int = 0

    def take(self, other: "Sorted") -> None:
        """Take what was found of other files of the listing."""
        self.plain |= other.plain
        self.odd = sorted(self.odd + other.odd)
        self.damaged |= other.damaged
        self.archives = sorted(self.archives + other.archives)
        self.programs = sorted(self.programs + other.programs)
        self.skipped += other.skipped


def sorted_files(members: Sequence[Member], report: Report) -> Sorted:
    """Look at the beginning of each file."""
    waiting, stop = deque(enumerate(members)), Event()
    in_folder = bool(members) and members[0].entry < 0  # each process would read the index of an archive
    helpers = quarantine.ready()[:_HELPERS] if in_folder and len(members) >= 4 * _WORTH else []
    with ThreadPoolExecutor(max(len(helpers), 1)) as pool:
        futures = [pool.submit(_sorted_by, child, waiting, stop) for child in helpers]
        try:
            found = _sorted(_taken(waiting, report), Walker())
            for future in futures:
                for part in future.result():
                    found.take(part)
        finally:
            stop.set()
    return found


def _taken(waiting: deque[_File], report: Report) -> Iterator[_File]:
    """The files that wait, from the first on, as long as there are any."""
    everything = max(len(waiting), 1)
    with suppress(IndexError):
        while True:
            report(1 - len(waiting) / everything, "looking at the files")
            yield waiting.popleft()


def _sorted_by(child: int, waiting: deque[_File], stop: Event) -> list[Sorted]:
    """Let a child sort files from the last on, fewer at a time as fewer wait."""
    found, scan = list[Sorted](), next(_scans)

    def told(fraction: float, text: str) -> None:
        if stop.is_set():
            raise Cancelled

    while (size := len(waiting) // 2) >= _WORTH and child in quarantine.ready():
        portion = deque[_File]()
        with suppress(IndexError):
            while len(portion) < size:
                portion.appendleft(waiting.pop())
        try:
            found.append(quarantine.run(sorted_apart, portion, scan, name="", report=told, child=child))
        except quarantine.Lost:
            found.append(_sorted(portion, Walker()))
    return found


def sorted_apart(files: Iterable[_File], scan: int, report: Report) -> Sorted:
    """Sort some files of a listing, each with its place. It is run in a child.

    scan: number of the scan; what the walker knows of its files is used again
    """
    alive = paced(report, _ALIVE_SECONDS)

    def told() -> Iterator[_File]:
        for file in files:
            alive(0.0, "looking at the files")
            yield file

    return _sorted(told(), _walker(scan))


@lru_cache(maxsize=1)
def _walker(scan: int) -> Walker:
    return Walker()


def _sorted(files: Iterable[_File], walker: Walker) -> Sorted:
    found = Sorted()
    with Reader() as reader:
        for n, member, stream in opened_ahead(reader, files, FIRST_READ):
            try:
                if isinstance(stream, Exception):
                    raise stream
                _sort(found, walker, n, member, stream)
            except Exception as problem:  # a damaged archive raises many kinds
                found.damaged[n] = why(problem)
    return found


def _sort(found: Sorted, walker: Walker, n: int, member: Member, stream: BinaryIO) -> None:
    start = stream.read(FIRST_READ)
    if not looks_like_dicom(start):
        found.skipped += 1
        if start[:4] in ZIP_MAGIC:
            found.archives.append(n)
        return
    if start.startswith(_PROGRAMS):
        found.programs.append(n)

    def first_bytes(count: int) -> bytes:
        nonlocal start
        while len(start) < count and (more := stream.read(count - len(start))):
            start += more
        return start

    slices = walker.slices(member, first_bytes)
    if slices is None:
        found.odd.append(n)
    else:
        found.plain[n] = slices
