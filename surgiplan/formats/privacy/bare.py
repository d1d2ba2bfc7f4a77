"""Pixel data without what rides along with them: bytes behind the last pixel, comments in compressed streams.

No pixel changes. A comment keeps its place and length and loses its text.
"""

import struct

from ..dicom.headers import Header

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_COMMENTS = {0xFFFE, 0xFF64} | set(range(0xFFE1, 0xFFF0)) - {
    0xFFE8,
    0xFFEE,
}  # APP8 and APP14 say how colours are coded
_PIXELS_FOLLOW = {0xFFDA, 0xFF93}
_ALONE = {0xFFD8, 0xFF4F, 0xFFD9}
_SIGNATURE_BOXES = (b"uuid", b"xml ")


def native(value: bytes, header: Header) -> bytes:
    """Native pixel data up to the last pixel, padded with zero to an even length.

    Data of 4:2:2 colours, whose length follows another rule, are left as they are.
    """
    if header.photometric == "YBR_FULL_422":
        return value
    bits = header.rows * header.columns * header.frames * header.samples * header.bits_allocated
    needed = -(-bits // 8)
    if needed % 2 and len(value) > needed:
        return value[:needed] + b"\0"
    return value[:needed]


def stream(value: bytes) -> bytes:
    """Encapsulated pixel data with the comments of their JPEG streams blanked."""
    bared, at = bytearray(value), 0
    while value[at : at + 4] == _ITEM and at + 8 <= len(value):
        length = struct.unpack_from("<I", value, at + 4)[0]
        _blank(bared, at + 8, min(at + 8 + length, len(value)))
        at += 8 + length
    if value[at : at + 4] == _END:
        at += 8
    return bytes(bared[:at])  # what follows the end belongs to no frame


def _blank(bared: bytearray, start: int, stop: int) -> None:
    """Blank the comments of one fragment, up to where its coded pixels begin.

    Raises nothing: a fragment that begins no JPEG stream holds coded pixels alone.
    """
    at = start
    if bytes(bared[at + 4 : at + 8]) == b"jP  ":
        at = _codestream(bared, at, stop)
    if bytes(bared[at : at + 2]) not in (b"\xff\xd8", b"\xff\x4f"):
        return
    while at + 4 <= stop:
        (marker,) = struct.unpack_from(">H", bared, at)
        if marker in _ALONE:
            at += 2
            continue
        if marker in _PIXELS_FOLLOW or marker < 0xFF00:
            return
        (length,) = struct.unpack_from(">H", bared, at + 2)
        if marker in _COMMENTS:
            keep = 6 if marker == 0xFF64 else 4  # the kind of a JPEG 2000 comment goes before its text
            first, last = at + keep, min(at + 2 + length, stop)
            bared[first:last] = bytes(max(last - first, 0))
        at += 2 + length


def _codestream(bared: bytearray, at: int, stop: int) -> int:
    """Blank the boxes of a JP2 file that hold text; gives where its codestream begins."""
    while at + 8 <= stop:
        length, kind = struct.unpack_from(">I4s", bared, at)
        if kind == b"jp2c":
            return at + 8
        end = min(at + max(length, 8), stop)
        if kind in _SIGNATURE_BOXES:
            bared[at + 8 : end] = bytes(end - at - 8)
        at = end
    return stop
