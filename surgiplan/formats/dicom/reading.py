"""The voxels of a series, and the hash of its files from the same pass.

Native pixels of plain files are read here, straight into the volume: no foreign parser is involved.
Whatever must be decoded, or parsed by pydicom, is read by the quarantined children (`apart`).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any, BinaryIO

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ...errors import SurgiplanError
from ...progress import Report, part_of, silent
from ..sources import Member, Reader, exactly, filled
from .apart import read_apart
from .decoding import Errand, changed, unreadable
from .headers import Header, Slice
from .pixels import Misfit, fits_in_place, measured, put, settled, stored_type, used_bits, whole_valued

READERS = 8  # of files at a time: they wait for a cold disk side by side, and a warm one costs them nothing
_CHUNK = 1 << 20


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
    voxels = np.empty(shape, dtype)
    digests = _fetched(native, voxels, part_of(report, 0.0, share)) if native else []
    if others:
        digests += read_apart(others, voxels, part_of(report, share, 1.0))
    return voxels, joined(digests)


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
    if filled(stream, room) < len(room):
        raise changed(member)
    return len(room)


def fingerprint(picture: Slice) -> bytes:
    """Equal for pictures with equal measured values. Raises BadInput when they cannot be read."""
    return blake3(values_of(picture).tobytes()).digest()


def values_of(picture: Slice, report: Report = silent) -> NDArray[np.float64]:
    """The measured values (rows, columns) of one picture. Raises BadInput when they cannot be read."""
    header = picture.header
    if is_native(header):
        return np.ascontiguousarray(_native_values(picture), np.float64)
    values: NDArray[np.float64] = np.empty((1, *header.size), np.float64)
    read_apart([Errand(header, ((0, picture),))], values, report)
    (one,) = values
    return np.asarray(one, np.float64)


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
