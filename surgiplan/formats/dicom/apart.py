"""Files whose pixels must be decoded: shared out among the quarantined children, and put into the volume."""

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, Cancelled
from ...progress import Report
from .. import quarantine
from ..sharing import Ring, Shared
from .decoding import DIGEST, THREADS, Errand, decoded_into
from .pixels import Misfit

_WORTH = 16  # files for each child, so that several are asked
_PORTION = 2 << 20  # bytes of pictures that a child hands over at once
_SLOW_PIXELS, _SLOW_BYTES = 5e6, 2e7  # per second, of a slow decoder and a slow medium
_HEAR_SECONDS = 0.05


def read_apart(errands: Sequence[Errand], voxels: NDArray[Any], report: Report) -> list[bytes]:
    """Let the children read files into a volume; gives the hashes of the files.

    errands: the files, and where in the volume [k, j, i] their pictures lie
    Raises BadInput that names a file which is damaged, gone or changed, or which ends a child; Misfit.
    """
    children = (quarantine.ready() or [0])[: max(1, len(errands) // _WORTH)]  # an order starts the first
    stop = Event()
    shares = [
        _Share(child, len(children), errands[n :: len(children)], voxels, stop)
        for n, child in enumerate(children)
    ]
    with ThreadPoolExecutor(len(shares)) as pool:
        futures = [pool.submit(share.read) for share in shares]
        try:
            _awaited(futures, shares, report)
        finally:
            stop.set()
    return [digest for future in futures for digest in future.result()]


def _awaited(futures: Sequence[Future[list[bytes]]], shares: Sequence["_Share"], report: Report) -> None:
    left = set(futures)
    while left:
        finished, left = wait(left, _HEAR_SECONDS, FIRST_EXCEPTION)
        for future in finished:
            future.result()
        report(sum(share.done for share in shares) / len(shares), "reading the images")


class _Share:
    """The files that one of several children reads.

    done: how much of the work is done, 0 to 1
    """

    def __init__(
        self, child: int, children: int, errands: Sequence[Errand], voxels: NDArray[Any], stop: Event
    ) -> None:
        self._child, self._threads = child, max(THREADS // children, 1)
        self._errands, self._voxels, self._stop = errands, voxels, stop
        self._there = np.zeros(len(voxels), bool)
        self.done = 0.0

    def read(self) -> list[bytes]:
        """Read them all; gives the hashes of the files. Raises as `read_apart` does."""
        one, count = self._voxels[0], sum(len(errand.places) for errand in self._errands)
        places = min(2 * self._threads + 1, count)
        together = max(1, min(_PORTION // max(one.nbytes, 1), count // (4 * self._threads)))
        with (
            Ring(places, (together, *one.shape), one.dtype, self._put) as ring,
            Shared((len(self._errands), DIGEST + 1), np.uint8) as notes,
        ):
            self._read(ring, notes)
            return [bytes(row[:DIGEST]) for row in notes.array]

    def _read(self, ring: Ring, notes: Shared) -> None:
        """Give one order for all; when that ends the child, one for each file that is not read yet."""
        everything = range(len(self._errands))
        try:
            self._order(everything, ring, notes)
        except quarantine.Lost as problem:
            unread = [n for n in everything if not notes.array[n, DIGEST]]
            left = [n for n in everything if not self._is_there(self._errands[n])]
            if len(self._errands) == 1 or not left:
                raise
            if problem.hung:
                raise BadInput(f"{self._name((unread or left)[0])}: {problem}") from None
            for n in left:
                self._order([n], ring, notes)

    def _order(self, numbers: Sequence[int], ring: Ring, notes: Shared) -> None:
        these = [self._errands[n] for n in numbers]
        fits = quarantine.run(
            decoded_into,
            *(these, numbers, ring, notes, self._threads),
            name=self._name(numbers[0]) if len(numbers) == 1 else "",
            report=self._told,
            seconds=_seconds(these),
            memory=_memory(these, self._threads),
            child=self._child,
        )
        if not fits:
            raise Misfit

    def _put(self, pictures: NDArray[Any], ks: Sequence[int]) -> None:
        for picture, k in zip(pictures, ks, strict=False):
            self._voxels[k] = picture
            self._there[k] = True

    def _is_there(self, errand: Errand) -> bool:
        return all(self._there[k] for k, _ in errand.places)

    def _name(self, number: int) -> str:
        return self._errands[number].header.member.name

    def _told(self, fraction: float, text: str) -> None:
        self.done = fraction
        if self._stop.is_set():
            raise Cancelled


def _seconds(errands: Sequence[Errand]) -> float:
    """How long a child may work on one picture."""
    pixels = max(errand.header.rows * errand.header.columns for errand in errands)
    size = max(errand.header.member.size for errand in errands)
    return quarantine.SECONDS + pixels / _SLOW_PIXELS + size / _SLOW_BYTES


def _memory(errands: Sequence[Errand], threads: int) -> int:
    """How many bytes a child may take: the files that are read at once, decoded and not."""
    sizes = [4 * errand.header.member.size + 8 * errand.header.pixel_bytes for errand in errands]
    return quarantine.MEMORY + threads * max(sizes)
