"""What the quarantined child does with files whose pixels must be decoded, or which pydicom must parse."""

import io
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from threading import Event, Lock
from typing import Any

import imagecodecs
import numpy as np
from blake3 import blake3
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from ...errors import BadInput, SurgiplanError
from ...progress import Report
from ..sharing import Ring, Shared
from ..sources import Member, Reader, filled
from .codecs import claimed_size, is_complete, quickly_decoded, reused
from .datasets import dataset_of
from .headers import Header, Slice, head_hash, slices_of
from .layouts import meta_end, native_pixels, only_fragment
from .pixels import Misfit, fits_in_place, measured, put, settled, stored_pictures, stored_type, used_bits

_deflate_decode = imagecodecs.deflate_decode  # here, since the first look at it loads a library
DIGEST = 32  # bytes of a BLAKE3 hash
THREADS = max(2, min(8, os.cpu_count() or 2))
_OVERHEAD, _USUAL_OVERHEAD = 64 << 20, 256 << 10
Place = tuple[int, Slice]


@dataclass(frozen=True)
class Errand:
    """A file, and at which k of the volume its pictures lie, in the order of the file."""

    header: Header
    places: tuple[Place, ...]


Portion = tuple[tuple[int, Errand], ...]
"""Files, each with its number, that are decoded one after the other; of a multi-frame file some frames."""


def pictures_in(member: Member) -> tuple[Slice, ...]:
    """The pictures of a file as pydicom reads it. Raises BadInput when it is damaged."""
    try:
        with Reader() as reader, reader.open(member) as stream:
            return slices_of(io.BufferedReader(stream, 1 << 16), member)  # type: ignore[type-var]
    except MemoryError:
        raise
    except Exception as problem:  # damaged bytes make pydicom raise nearly anything
        raise BadInput(why(problem)) from None


def why(problem: Exception) -> str:
    """What to say of an error while reading; never a text that a library made of the bytes."""
    return str(problem) if isinstance(problem, BadInput) else type(problem).__name__


def changed(member: Member) -> BadInput:
    """The error for a file that is not as the scan saw it."""
    return BadInput(f"{member.name} is damaged or has changed since it was listed: fetch it again")


def unreadable(member: Member, problem: Exception) -> BadInput:
    """The error for a file that cannot be read."""
    return BadInput(f"{member.name} cannot be read ({why(problem)}): fetch the file again")


def decoded_into(ring: Ring, notes: Shared, threads: int, report: Report) -> bool:
    """Decode the pictures of files and hand them over. It is run in a child.

    ring: its pieces of work are portions of files; of each picture its k is a note
    notes: uint8 (files, DIGEST + 1): the hash of a file, and 1 when it is done
    threads: that decode at a time
    Gives whether all values fitted. Raises BadInput that names the damaged file.
    """
    done, stop = list[int](), Event()

    def work() -> None:
        for portion, room, ks in ring.work():
            for number, errand in portion:
                if stop.is_set():
                    return
                file = _opened(errand.header, reader)
                for k, picture in errand.places:
                    file.decode(picture, room[len(ks)])
                    ks.append(k)
                    done.append(k)
                notes.array[number] = np.frombuffer(file.digest + b"\1", np.uint8)

    with Reader() as reader, ThreadPoolExecutor(threads) as pool:
        try:
            _awaited([pool.submit(work) for _ in range(threads)], done, report)
        except Misfit:
            return False
        finally:
            stop.set()
    return True


def _awaited(futures: Iterable[Future[None]], done: Sequence[int], report: Report) -> None:
    """Wait for all, and report only when one more is done: a decoder that hangs must not seem alive."""
    left, before = set(futures), -1
    while left:
        finished, left = wait(left, 0.1, FIRST_EXCEPTION)
        for future in finished:
            future.result()
        if len(done) > before:
            before = len(done)
            report(0.0, "reading the images")


_opening = Lock()


def _opened(header: Header, reader: Reader) -> "_File":
    if header.frames == 1:
        return _File(header, reader)
    with _opening:
        return _multi_frame(header)


@lru_cache(maxsize=1)  # portions of one file come one after the other
def _multi_frame(header: Header) -> "_File":
    with Reader() as reader:
        return _File(header, reader)


def _content(member: Member, reader: Reader, reuse: bool) -> memoryview:
    """The bytes of a file, and one more when it is longer than it was.

    reuse: put them where the last file of this thread lay: fresh memory costs as much as the decoding
    """
    count = member.size + 1
    size = 1 << count.bit_length()
    room = (reused("file", (size,), np.dtype(np.uint8)) if reuse else np.empty(count, np.uint8)).data
    try:
        with reader.open(member) as stream:
            return room[: filled(stream, room[:count])].toreadonly()
    except Exception as problem:  # a damaged archive raises many kinds
        raise unreadable(member, problem) from None


@cache
def _encapsulated(transfer_syntax: str) -> bool:
    return bool(UID(transfer_syntax).is_encapsulated)


class _File:
    """A file that is read whole, once."""

    def __init__(self, header: Header, reader: Reader) -> None:
        self._header, member = header, header.member
        data = _content(member, reader, reuse=header.frames == 1)  # frames are decoded by several threads
        if len(data) != member.size or head_hash(data[: header.head_size]) != header.head_digest:
            raise changed(member)
        self.digest = blake3(data).digest()
        self._data = data
        self._frames: Sequence[memoryview | bytes] = ()
        self._native: NDArray[Any] | None = None
        self._guarded(self._look)

    def decode(self, picture: Slice, room: NDArray[Any]) -> None:
        """Put the values of a picture into an array (rows, columns). Raises BadInput, Misfit."""
        in_place = fits_in_place(picture, room)
        stored = self._guarded(self._stored, picture.frame, room if in_place else None)
        if in_place:
            settled(stored, picture, room)
        else:
            put(room, measured(used_bits(stored, self._header), picture))

    def _guarded(self, act: Any, *arguments: Any) -> Any:
        try:
            return act(*arguments)
        except (SurgiplanError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as problem:  # a panic in a Rust decoder is not an Exception
            name, kind = self._header.member.name, type(problem).__name__
            raise BadInput(
                f"{name}: the pixel data is damaged or cut short ({kind}): fetch the file again"
            ) from None

    def _look(self) -> None:
        """Find the frames, as far as that can be done without pydicom's data set."""
        header = self._header
        if header.transfer_syntax == DeflatedExplicitVRLittleEndian:
            self._native = self._inflated()
        elif header.pixels_at and _encapsulated(header.transfer_syntax):
            coded = self._data[header.pixels_at :]
            one = only_fragment(coded) if header.frames == 1 else None
            self._frames = (
                [one] if one else list(generate_frames(bytes(coded), number_of_frames=header.frames))
            )
            if any(claimed_size(frame) not in (None, header.size) for frame in self._frames):
                raise BadInput(f"{header.member.name}: the pixel data has another size than the header says")
            if not all(is_complete(frame, header.transfer_syntax) for frame in self._frames):
                raise BadInput(f"{header.member.name}: the pixel data is cut short: fetch the file again")

    def _inflated(self) -> NDArray[Any] | None:
        """The pixels of a deflated file that is plain within."""
        header, at = self._header, meta_end(self._data)
        if at is None:
            return None
        deflated: Any = self._data[at:]
        room: Any = header.pixel_bytes + _USUAL_OVERHEAD
        if header.frames == 1:  # else several threads use it
            room = reused("inflated", (room,), np.dtype(np.uint8))
        try:
            inflated = _deflate_decode(deflated, raw=True, out=room)
        except Exception:
            return None  # zlib, which bears more, is asked
        found = native_pixels(memoryview(inflated).toreadonly())
        if found is None or found.nbytes < header.pixel_bytes:
            return None
        count = header.frames * header.rows * header.columns
        return np.frombuffer(found, stored_type(header), count).reshape(header.frames, *header.size)

    def _stored(self, frame: int, room: NDArray[Any] | None) -> NDArray[Any]:
        """The stored numbers in little endian, unused bits cut off or not; perhaps in the room."""
        header, stored = self._header, None
        if self._native is not None:
            stored = self._native[frame]
        elif self._frames:
            stored = quickly_decoded(self._frames[frame], header, room)
        if stored is None:
            (parsed,) = stored_pictures(self._dataset, header, [frame])
            stored = np.ascontiguousarray(parsed, stored_type(header))
        return stored

    @cached_property
    def _dataset(self) -> Any:
        try:
            return dataset_of(io.BytesIO(self._data), pixels_up_to=self._header.pixel_bytes + _OVERHEAD)
        except Exception as problem:
            raise unreadable(self._header.member, problem) from None
