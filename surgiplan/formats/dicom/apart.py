"""Files whose pixels must be decoded: shared out among the quarantined children, and put into the volume."""

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, Cancelled
from ...progress import Report
from .. import quarantine
from ..sharing import Ring, Shared
from .decoding import DIGEST, THREADS, Errand, Portion, decoded_into
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
    with Shared((len(errands), DIGEST + 1), np.uint8) as notes:
        job = _Job(errands, voxels, notes, max(THREADS // len(children), 1))
        with ThreadPoolExecutor(len(children)) as pool:
            futures = [pool.submit(_Share(child, job).read) for child in children]
            try:
                _awaited(futures, job, report)
            finally:
                job.stop.set()
        return [bytes(row[:DIGEST]) for row in notes.array]


class _Job:
    """What all children do together.

    notes: uint8 (files, DIGEST + 1): the hash of a file, and 1 when it is read
    threads: of each child
    together: how many pictures a portion may have
    portions, packed: what a child does at a time, and the same pickled
    waiting: numbers of the portions that nobody does yet, together those that one child must do
    seconds, memory: what a child may take
    there: (k,) which pictures lie in the volume
    """

    def __init__(self, errands: Sequence[Errand], voxels: NDArray[Any], notes: Shared, threads: int) -> None:
        self.errands, self.voxels, self.notes, self.threads = errands, voxels, notes, threads
        self.stop, self.there = Event(), np.zeros(len(voxels), bool)
        self.pictures = sum(len(errand.places) for errand in errands)
        self.together = max(1, min(_PORTION // max(voxels[0].nbytes, 1), self.pictures // (4 * THREADS)))
        self.portions, self.waiting = list[Portion](), deque[deque[int]]()
        for portions in _portions(errands, self.together):
            self.waiting.append(deque(range(len(self.portions), len(self.portions) + len(portions))))
            self.portions += portions
        self.packed = [pickle.dumps(portion) for portion in self.portions]
        self.seconds, self.memory = _seconds(errands), _memory(errands, threads)

    def name(self, number: int) -> str:
        """The name of a file."""
        return self.errands[number].header.member.name

    def left_of(self, portion: Portion) -> Iterator[tuple[int, Errand]]:
        """The files of a portion without the pictures that are in the volume."""
        for number, errand in portion:
            places = tuple(place for place in errand.places if not self.there[place[0]])
            if places:
                yield number, replace(errand, places=places)


def _portions(errands: Sequence[Errand], most: int) -> Iterator[list[Portion]]:
    """Portions of at most so many pictures, together those of a file; smaller ones at the end."""
    singles = list[tuple[int, Errand]]()
    for number, errand in enumerate(errands):
        if errand.header.frames == 1:
            singles.append((number, errand))
        else:
            parts = (errand.places[n : n + most] for n in range(0, len(errand.places), most))
            yield [((number, replace(errand, places=part)),) for part in parts]
    at = 0
    while at < len(singles):
        size = max(1, min(most, (len(singles) - at) // (4 * THREADS)))
        yield [tuple(singles[at : at + size])]
        at += size


def _awaited(futures: Sequence[Future[None]], job: _Job, report: Report) -> None:
    left = set(futures)
    while left:
        finished, left = wait(left, _HEAR_SECONDS, FIRST_EXCEPTION)
        for future in finished:
            future.result()
        report(np.count_nonzero(job.there) / job.pictures, "reading the images")


class _Share:
    """What one of several children does of a job."""

    def __init__(self, child: int, job: _Job) -> None:
        self._child, self._job = child, job
        self._mine, self._begun = deque[int](), set[int]()

    def read(self) -> None:
        """Read portions until none waits. Raises as `read_apart` does."""
        job = self._job
        try:
            self._order(job.packed, self._next, job.name(0) if len(job.errands) == 1 else "")
        except quarantine.Lost as problem:
            lost = [job.portions[n] for n in sorted(self._begun)]
            left = [number for portion in lost for number, _ in job.left_of(portion)]
            if len(job.errands) == 1 or (problem.hung and not left):
                raise
            if problem.hung:
                unread = [number for number in left if not job.notes.array[number, DIGEST]]
                raise BadInput(f"{job.name((unread or left)[0])}: {problem}") from None
            for portion in lost:
                self._read_singly(portion)
            while (number := self._next()) is not None:
                self._read_singly(job.portions[number])

    def _read_singly(self, portion: Portion) -> None:
        """Give an order for each file, which shows whether it ends the child."""
        for number, errand in self._job.left_of(portion):
            once = partial(next, iter([0]), None)
            self._order([pickle.dumps(((number, errand),))], once, self._job.name(number))

    def _order(self, works: Sequence[bytes], choose: Callable[[], int | None], name: str) -> None:
        job, one = self._job, self._job.voxels[0]
        places = min(job.threads + 1, len(works))
        with Ring(places, (job.together, *one.shape), one.dtype, works, choose, self._put) as ring:
            fits = quarantine.run(
                decoded_into,
                *(ring, job.notes, job.threads),
                name=name,
                report=self._told,
                seconds=job.seconds,
                memory=job.memory,
                child=self._child,
            )
        if not fits:
            raise Misfit

    def _next(self) -> int | None:
        """The number of the portion to be done next; None when none waits or all shall stop."""
        if not self._mine:
            try:
                self._mine = self._job.waiting.popleft()
            except IndexError:
                return None
        if self._job.stop.is_set():
            return None
        self._begun.add(self._mine[0])
        return self._mine.popleft()

    def _put(self, number: int, pictures: NDArray[Any], ks: Sequence[int]) -> None:
        for picture, k in zip(pictures, ks, strict=False):
            self._job.voxels[k] = picture
            self._job.there[k] = True
        self._begun.discard(number)

    def _told(self, fraction: float, text: str) -> None:
        if self._job.stop.is_set():
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
