"""The voxels of a series, and the hash of its files from the same pass.

Native pixels of plain files are read here, straight into the volume: no foreign parser is involved.
Whatever must be decoded, or parsed by pydicom, is read by the quarantined child into shared memory.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any, BinaryIO

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ...errors import BadInput, SurgiplanError
from ...progress import Report, part_of, silent
from .. import quarantine
from ..sources import Member, Reader, exactly
from .decoding import DIGEST, THREADS, Errand, changed, decoded_into, unreadable
from .headers import Header, Slice
from .pixels import Misfit, fits_in_place, measured, put, settled, stored_type, used_bits, whole_valued

READERS = 8  # of files at a time: they wait for a cold disk side by side, and a warm one costs them nothing
_CHUNK = 1 << 20
_SLOW_PIXELS, _SLOW_BYTES = 5e6, 2e7  # per second, of a slow decoder and a slow medium


def errands_for(slices: Sequence[Slice]) -> list[Errand]:
    """What to fetch for slices that lie along k, file by file, the frames of a file in its order."""
    files: dict[int, list[tuple[int, Slice]]] = {}
    for k, picture in enumerate(slices):
        files.setdefault(id(picture.header), []).append((k, picture))
    return [
        Errand(places[0][1].header, tuple(sorted(places, key=lambda place: place[1].frame)))
        for places in files.values()
    ]


def is_native(header: Header) -> bool:
    """Whether the pixels lie plainly in the file, at a place that is known."""
    return header.pixels_at > 0 and header.transfer_syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def voxels_of(slices: Sequence[Slice], report: Report) -> tuple[NDArray[Any], str]:
    """The measured values of slices, one above the other, and the hash of their files.

    slices: along k, of one size
    Gives int16 [k, j, i] when all values are whole and fit, else float32.
    Raises BadInput that names a file which is damaged, gone or changed.
    """
    one = slices[0].header
    shape = (len(slices), one.rows, one.columns)
    errands = errands_for(slices)
    if all(map(whole_valued, slices)):
        try:
            return _filled(errands, shape, np.dtype(np.int16), report)
        except Misfit:
            pass
    return _filled(errands, shape, np.dtype(np.float32), report)


def _filled(
    errands: list[Errand], shape: tuple[int, int, int], dtype: np.dtype[Any], report: Report
) -> tuple[NDArray[Any], str]:
    native = [errand for errand in errands if is_native(errand.header)]
    others = [errand for errand in errands if not is_native(errand.header)]
    share = len(native) / len(errands)
    if not others:
        voxels = np.empty(shape, dtype)
        return voxels, joined(_fetched(native, voxels, report))
    with quarantine.Shared(shape, dtype) as memory:
        digests = _fetched(native, memory.array, part_of(report, 0.0, share)) if native else []
        digests += _quarantined(others, memory, part_of(report, share, 1.0))
        return memory.kept(), joined(digests)


def joined(digests: Sequence[bytes]) -> str:
    """One hash of the hashes of files, whatever their order, with the name of the algorithm before it."""
    return f"blake3:{blake3(b''.join(sorted(digests))).hexdigest()}"


def _fetched(errands: list[Errand], voxels: NDArray[Any], report: Report) -> list[bytes]:
    """Read native files into the volume with some threads; gives their hashes."""
    stop = Event()
    with Reader() as reader, ThreadPoolExecutor(READERS) as pool:
        futures = [pool.submit(_fetch, errand, voxels, reader, stop) for errand in errands]
        try:
            return list(_one_by_one(futures, report))
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _one_by_one(futures: Sequence[Future[Any]], report: Report) -> Iterator[Any]:
    """The results in their order; every twentieth of a second the report is told, and may stop it."""
    for n, future in enumerate(futures):
        report(n / len(futures), "reading the images")
        while not future.done():
            try:
                future.exception(timeout=0.05)
            except TimeoutError:
                report(n / len(futures), "reading the images")
        yield future.result()


def _fetch(errand: Errand, voxels: NDArray[Any], reader: Reader, stop: Event) -> bytes:
    """Read one native file; gives the hash of its bytes. Raises BadInput, Misfit."""
    header = errand.header
    try:
        with reader.open(header.member) as stream:
            return _streamed(stream, errand, voxels, stop)
    except (SurgiplanError, Misfit, MemoryError):
        raise
    except Exception as problem:  # a damaged archive raises many kinds
        raise unreadable(header.member, problem) from None


def _streamed(stream: BinaryIO, errand: Errand, voxels: NDArray[Any], stop: Event) -> bytes:
    header, hasher = errand.header, blake3()
    head = exactly(stream, header.pixels_at)
    hasher.update(head[: header.head_size])
    if len(head) < header.pixels_at or hasher.digest() != header.head_digest:
        raise changed(header.member)
    hasher.update(head[header.head_size :])
    size, at = len(head), {picture.frame: (k, picture) for k, picture in errand.places}
    room = np.empty((header.rows, header.columns), stored_type(header))
    for frame in range(header.frames):
        if stop.is_set():
            return b""
        k, picture = at.get(frame, (-1, None))
        in_place = picture is not None and fits_in_place(picture, voxels)
        target = voxels[k] if in_place else room
        size += _read_into(stream, target, header.member)
        hasher.update(target.data.cast("B"))
        if picture is None:
            continue
        if in_place:
            settled(target, picture, target)
        else:
            put(voxels[k], measured(used_bits(room, header), picture))
    while data := stream.read(_CHUNK):
        hasher.update(data)
        size += len(data)
    if size != header.member.size:
        raise changed(header.member)
    return hasher.digest()


def _read_into(stream: BinaryIO, target: NDArray[Any], member: Member) -> int:
    room = target.data.cast("B")
    done = 0
    while done < len(room):
        count = stream.readinto(room[done:])  # type: ignore[attr-defined]
        if not count:
            raise changed(member)
        done += count
    return done


def _quarantined(errands: list[Errand], memory: quarantine.Shared, report: Report) -> list[bytes]:
    """Let the child read files into the volume; gives their hashes. One that ends the child is named."""
    with quarantine.Shared((len(errands), DIGEST + 1), np.uint8) as notes:

        def ordered(numbers: list[int], name: str, told: Report) -> None:
            these = [errands[n] for n in numbers]
            fits = quarantine.run(
                decoded_into,
                *(these, numbers, memory, notes),
                name=name,
                report=told,
                seconds=_seconds(these),
                memory=_memory(these),
            )
            if not fits:
                raise Misfit

        names = [errand.header.member.name for errand in errands]
        try:
            ordered(list(range(len(errands))), names[0] if len(errands) == 1 else "", report)
        except quarantine.Lost as problem:
            left = [n for n in range(len(errands)) if not notes.array[n, DIGEST]]
            if len(errands) == 1 or not left:
                raise
            if problem.hung:
                raise BadInput(f"{names[left[0]]}: {problem}") from None
            for n in left:
                ordered([n], names[n], report)
        return [bytes(row[:DIGEST]) for row in notes.array]


def _seconds(errands: list[Errand]) -> float:
    """How long the child may work on one picture."""
    pixels = max(errand.header.rows * errand.header.columns for errand in errands)
    size = max(errand.header.member.size for errand in errands)
    return quarantine.SECONDS + pixels / _SLOW_PIXELS + size / _SLOW_BYTES


def _memory(errands: list[Errand]) -> int:
    """How many bytes the child may take: the files that are read at once, decoded and not."""
    sizes = [4 * errand.header.member.size + 8 * errand.header.pixel_bytes for errand in errands]
    return quarantine.MEMORY + THREADS * max(sizes)


def fingerprint(picture: Slice) -> bytes:
    """Equal for pictures with equal measured values. Raises BadInput when they cannot be read."""
    return blake3(values_of(picture).tobytes()).digest()


def values_of(picture: Slice, report: Report = silent) -> NDArray[np.float64]:
    """The measured values (rows, columns) of one picture. Raises BadInput when they cannot be read."""
    header = picture.header
    if is_native(header):
        return np.ascontiguousarray(_native_values(picture), np.float64)
    with quarantine.Shared((1, *header.size), np.float64) as memory:
        _quarantined([Errand(header, ((0, picture),))], memory, report)
        values: NDArray[np.float64] = memory.kept()[0]
        return values


def _native_values(picture: Slice) -> NDArray[Any]:
    header = picture.header
    room = np.empty(header.size, stored_type(header))
    try:
        with Reader() as reader, reader.open(header.member) as stream:
            stream.seek(header.pixels_at + picture.frame * room.nbytes)
            _read_into(stream, room, header.member)
    except Exception as problem:
        raise unreadable(header.member, problem) from None
    return measured(used_bits(room, header), picture)
