"""JPEG for pydicom through imagecodecs, and a look at the size a compressed picture claims to have.

pydicom asks a plug-in module for `is_available` and `DECODER_DEPENDENCIES`.
"""

import struct

import imagecodecs
import numpy as np
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

SYNTAXES = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1)
DECODER_DEPENDENCIES = dict.fromkeys(SYNTAXES, ("numpy", "imagecodecs"))
_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}


def is_available(uid: str) -> bool:
    """Whether this transfer syntax can be decoded here."""
    return uid in DECODER_DEPENDENCIES


def decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    """The pixels of one JPEG picture as little-endian bytes."""
    pixels = imagecodecs.jpeg_decode(src)
    runner.set_option("bits_allocated", pixels.dtype.itemsize * 8)
    return bytes(pixels.astype(np.dtype(pixels.dtype).newbyteorder("<"), copy=False).tobytes())


def register() -> None:
    """Make pydicom decode JPEG with imagecodecs; a second call changes nothing."""
    for syntax in SYNTAXES:
        decoder = get_decoder(syntax)
        if "imagecodecs" not in decoder.available_plugins:
            decoder.add_plugin("imagecodecs", (__name__, "decode_frame"))


def claimed_size(picture: bytes) -> tuple[int, int] | None:
    """Rows and columns a JPEG, JPEG-LS or JPEG 2000 codestream claims; None when it is none of these.

    Sources: ISO/IEC 10918-1 B.2.2, 14495-1 C.2.2, 15444-1 A.5.1.
    """
    if picture[:4] == b"\xff\x4f\xff\x51" and len(picture) >= 24:
        right, below, left, above = struct.unpack_from(">4I", picture, 8)
        return (below - above, right - left)
    at = 2 if picture[:2] == b"\xff\xd8" else len(picture)
    while at + 9 <= len(picture) and picture[at] == 0xFF:
        marker = picture[at + 1]
        if marker in _FRAME_HEADERS:
            rows, columns = struct.unpack_from(">2H", picture, at + 5)
            return (rows, columns)
        at += 1 if marker == 0xFF else 2
        if marker != 0xFF and marker not in _ALONE:
            at += struct.unpack_from(">H", picture, at)[0]
    return None
