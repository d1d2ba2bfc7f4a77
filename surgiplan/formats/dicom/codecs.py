"""Decoders: the quick way for pictures that are as their header says, JPEG for pydicom, a look at claims.

The decoders of imagecodecs let other threads run. pydicom, which decodes whatever is not taken the quick
way, asks a plug-in module for `is_available` and `DECODER_DEPENDENCIES`.
"""

import struct
from collections.abc import Callable, Mapping
from threading import local
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import (
    HTJ2K,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from .headers import Header

_packbits_decode = imagecodecs.packbits_decode  # here, since the first look at a name of it loads a library
_HTJ2K = (HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K)
SYNTAXES = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, *_HTJ2K)
DECODER_DEPENDENCIES = dict.fromkeys(SYNTAXES, ("numpy", "imagecodecs"))
_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}


def is_available(uid: str) -> bool:
    """Whether this transfer syntax can be decoded here."""
    return uid in DECODER_DEPENDENCIES


def decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    """The pixels of one JPEG or HTJ2K picture as little-endian bytes."""
    decode = imagecodecs.htj2k_decode if runner.transfer_syntax in _HTJ2K else imagecodecs.jpeg_decode
    pixels = decode(src)
    runner.set_option("bits_allocated", pixels.dtype.itemsize * 8)
    return bytes(pixels.astype(np.dtype(pixels.dtype).newbyteorder("<"), copy=False).tobytes())


def register() -> None:
    """Make pydicom decode JPEG and HTJ2K with imagecodecs; a second call changes nothing."""
    for syntax in SYNTAXES:
        decoder = get_decoder(syntax)
        if "imagecodecs" not in decoder.available_plugins:
            decoder.add_plugin("imagecodecs", (__name__, "decode_frame"))


_QUICK: Mapping[str, Callable[..., Any]] = {
    JPEGLossless: imagecodecs.jpeg_decode,
    JPEGLosslessSV1: imagecodecs.jpeg_decode,
    JPEGLSLossless: imagecodecs.jpegls_decode,
    JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    **dict.fromkeys(_HTJ2K, imagecodecs.htj2k_decode),
}


def quickly_decoded(
    picture: bytes | memoryview, header: Header, room: NDArray[Any] | None = None
) -> NDArray[Any] | None:
    """The stored values (rows, columns) of one compressed picture, unused bits not yet cut off.

    room: numbers of 16 bits (rows, columns) which may be used to hold them
    Gives None when it is not coded just as its header says: then pydicom decodes it, which knows how to
    bring the two together. Its size must have been looked at. Raises what a decoder raises.
    The values may be overwritten when the next picture is decoded in this thread.
    """
    shape, words = (header.rows, header.columns), np.dtype(f"<u{header.bits_allocated // 8}")
    if header.transfer_syntax == RLELossless:
        decoded = _unpacked(picture, words, shape[0] * shape[1], room)
        return None if decoded is None else decoded.reshape(shape)
    if header.transfer_syntax not in _QUICK:
        return None
    bits, signed = _claimed_bits(picture)
    jpeg2000 = picture[:2] != b"\xff\xd8"
    if bits != header.bits_stored or signed is not (header.signed and jpeg2000):
        return None
    values = np.asarray(_QUICK[header.transfer_syntax](picture))
    if values.shape != shape or values.dtype.kind not in "iu" or values.itemsize != words.itemsize:
        return None
    return values.view(words)


def _unpacked(
    picture: bytes | memoryview, words: np.dtype[Any], count: int, room: NDArray[Any] | None
) -> NDArray[Any] | None:
    """The numbers of an RLE picture: a PackBits segment for each of their bytes, the highest first.

    Gives None when it has another number of segments, or one of another length. Source: DICOM PS3.5 annex G.
    """
    segments, *offsets = struct.unpack_from("<16I", picture)
    ends = [*offsets[1:segments], len(picture)]
    if segments != words.itemsize or segments > 2 or offsets[0] != 64 or sorted(ends) != ends:
        return None
    planes: NDArray[Any] = reused("planes", (segments, count), np.dtype(np.uint8))
    coded: Any = memoryview(picture)
    for plane, start, end in zip(planes, offsets, ends, strict=False):
        try:
            unpacked = _packbits_decode(coded[start:end], out=plane)
        except RuntimeError:
            return None
        if np.size(unpacked) != count:
            return None
    if segments == 1:
        return planes.reshape(count)
    values = reused("values", (count,), words) if room is None else room.reshape(count).view(words)
    np.multiply(planes[0], 256, out=values, dtype=words)
    np.bitwise_or(values, planes[1], out=values)
    return values


_rooms = local()


def reused(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array of this thread that is given again and again: fresh memory costs as much as the decoding."""
    found: NDArray[Any] | None = getattr(_rooms, name, None)
    if found is None or found.shape != shape or found.dtype != dtype:
        found = np.empty(shape, dtype)
        setattr(_rooms, name, found)
    return found


def is_complete(picture: bytes | memoryview, transfer_syntax: str) -> bool:
    """Whether a codestream ends as it should, where its decoder would fill up a lost end in silence."""
    end = bytes(picture[-64:]).rstrip(b"\0\xff")  # writers fill up with either
    return transfer_syntax not in SYNTAXES or end.endswith(b"\xff\xd9")


def _claimed_bits(picture: bytes | memoryview) -> tuple[int, bool]:
    """Bits of a sample that a codestream of one component claims, and whether they are signed."""
    if picture[:4] == b"\xff\x4f\xff\x51" and picture[40:42] == b"\0\1":
        return (picture[42] & 0x7F) + 1, picture[42] > 0x7F
    at = _frame_header(picture)
    return (picture[at + 4], False) if at and picture[at + 9 : at + 10] == b"\1" else (0, False)


def claimed_size(picture: bytes | memoryview) -> tuple[int, int] | None:
    """Rows and columns a JPEG, JPEG-LS or JPEG 2000 codestream claims; None when it is none of these.

    Sources: ISO/IEC 10918-1 B.2.2, 14495-1 C.2.2, 15444-1 A.5.1.
    """
    if picture[:4] == b"\xff\x4f\xff\x51" and len(picture) >= 24:
        right, below, left, above = struct.unpack_from(">4I", picture, 8)
        return (below - above, right - left)
    at = _frame_header(picture)
    if not at:
        return None
    rows, columns = struct.unpack_from(">2H", picture, at + 5)
    return (rows, columns)


def _frame_header(picture: bytes | memoryview) -> int:
    """Where the marker of the frame header of a JPEG or JPEG-LS codestream lies; 0 when there is none."""
    at = 2 if picture[:2] == b"\xff\xd8" else len(picture)
    while at + 9 <= len(picture) and picture[at] == 0xFF:
        marker = picture[at + 1]
        if marker in _FRAME_HEADERS:
            return at
        at += 1 if marker == 0xFF else 2
        if marker != 0xFF and marker not in _ALONE:
            at += struct.unpack_from(">H", picture, at)[0]
    return 0
