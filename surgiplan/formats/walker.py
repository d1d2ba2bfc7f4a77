"""The headers of plain DICOM files in one bounded walk; whatever is odd is left to pydicom.

Plain is a file with preamble and meta information in explicit or implicit VR little endian (compressed
pixels too), whose tags rise, whose lengths are even, and whose asked values are written as the standard
says. Of such a file the walk gives what pydicom gives, some ten times faster, since it looks only at what
is asked for. It is pure Python, does not recurse and reads no more than MAX_HEAD bytes.
Source: DICOM PS3.5 chapters 6 and 7, PS3.10 chapter 7.
"""

import re
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from .headers import Slice, slices_under
from .sources import Member

FIRST_READ, MAX_HEAD = 16 << 10, 4 << 20
_READS = (FIRST_READ, 256 << 10, MAX_HEAD)
_MAX_DEPTH = 16
_MAX_KNOWN = 20_000
_UNDEFINED = 0xFFFFFFFF
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_explicit, _implicit = struct.Struct("<HH2sH").unpack_from, struct.Struct("<HHI").unpack_from
_long = struct.Struct("<I").unpack_from

_PLAIN_TEXT = re.compile(rb"[ -~]*\0?").fullmatch
_WIDE_TEXT = re.compile(rb"[ -~\x80-\xff]*\0?").fullmatch
_LATIN_TEXT = re.compile(rb"[ -~\xa0-\xff]*\0?").fullmatch
_UID = re.compile(rb"[0-9]+(?:\.[0-9]+)*\0?").fullmatch
_DECIMAL = rb" *[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})? *"
_DECIMALS = re.compile(_DECIMAL + rb"(?:\\" + _DECIMAL + rb")*\0?").fullmatch
_WHOLE = rb" *[+-]?[0-9]{1,15} *"
_WHOLES = re.compile(_WHOLE + rb"(?:\\" + _WHOLE + rb")*\0?").fullmatch
_BINARY = {b"US": "H", b"SS": "h", b"UL": "I", b"SL": "i", b"FL": "f", b"FD": "d"}
_CODED = frozenset(b"AE AS CS DA DT TM".split())
_WORDED = frozenset(b"LO SH PN".split())
_CHARSETS = {b"": "ascii", b"ISO_IR 6": "ascii", b"ISO_IR 100": "latin-1", b"ISO_IR 192": "utf-8"}


class Odd(BaseException):
    """A file is not plain. No Exception, so that the tolerant readers of elements let it pass."""


class _Short(Exception):
    """The header goes on behind what was read of it."""


class Plain:
    """The elements of a plain file; `get` answers as a pydicom data set does, or raises Odd.

    file_meta: its meta information
    original_encoding: whether its VR are implicit, and its bytes in little endian
    """

    __slots__ = ("_charset", "_data", "_implicit", "_known", "_places", "file_meta", "original_encoding")

    def __init__(
        self, data: bytes, places: dict[int, int], implicit: bool, known: dict[Any, Any], meta: "Plain | None"
    ) -> None:
        self._data, self._places, self._implicit, self._known = data, places, implicit, known
        self.file_meta, self.original_encoding = meta, (implicit, True)
        self._charset = ""

    def get(self, keyword: str) -> Any:
        """The value of an element: text, a number, or a list of these; None when absent or empty."""
        tag, vr = _asked(keyword)
        at = self._places.get(tag)
        if at is None:
            return None
        vr, raw = self._raw(at, vr)
        if not raw:
            return None
        key = (tag, vr, raw, self._encoding() if vr in _WORDED else "")
        try:
            return self._known[key]
        except KeyError:
            value = _value(vr, raw, key[3])
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()
        self._known[key] = value
        return value

    def _raw(self, at: int, dictionary: bytes) -> tuple[bytes, bytes]:
        """VR and bytes of the element at a place; its VR must be the dictionary's."""
        if self._implicit:
            vr, (length,), start = dictionary, _long(self._data, at + 4), at + 8
            if vr == b"US or SS":
                vr = b"US"  # as it is meant is for PixelRepresentation to say, for either
        else:
            _, _, vr, length = _explicit(self._data, at)
            start = at + 8
            if vr in _LONG:
                raise Odd
            if vr != dictionary and not (dictionary == b"US or SS" and vr in (b"US", b"SS")):
                raise Odd
        return vr, self._data[start : start + length]

    def _encoding(self) -> str:
        if not self._charset:
            at = self._places.get(0x00080005)
            stated = b"" if at is None else self._raw(at, b"CS")[1].rstrip(b" ")
            if stated not in _CHARSETS:
                raise Odd
            self._charset = _CHARSETS[stated]
        return self._charset


@cache
def _asked(keyword: str) -> tuple[int, bytes]:
    """Tag and VR of a keyword."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag, dictionary_VR(tag).encode()


def _value(vr: bytes, raw: bytes, encoding: str) -> Any:
    """What pydicom makes of the bytes of an element that is written as the standard says."""
    if vr in _BINARY:
        return _binary(vr, raw)
    if vr in _WORDED:
        return _worded(vr, raw, encoding)
    if vr == b"UI" and _UID(raw):
        return raw.rstrip(b"\0").decode("ascii")
    if vr in _CODED and _PLAIN_TEXT(raw):
        return _one_or_more(raw.rstrip(b" \0").decode("ascii").split("\\"))
    if (vr == b"DS" and _DECIMALS(raw)) or (vr == b"IS" and _WHOLES(raw)):
        return _one_or_more([part.strip() for part in raw.rstrip(b"\0").decode("ascii").split("\\")])
    raise Odd


def _binary(vr: bytes, raw: bytes) -> Any:
    form = _BINARY[vr]
    count, rest = divmod(len(raw), struct.calcsize("<" + form))
    if rest:
        raise Odd
    return _one_or_more(list(struct.unpack(f"<{count}{form}", raw)))


def _worded(vr: bytes, raw: bytes, encoding: str) -> Any:
    if not _PLAIN_TEXT(raw) and not (
        (encoding == "utf-8" and _WIDE_TEXT(raw)) or (encoding == "latin-1" and _LATIN_TEXT(raw))
    ):
        raise Odd
    if vr == b"PN" and (b"=" in raw or b"\\" in raw):
        raise Odd
    try:
        decoded = raw.decode(encoding)
    except UnicodeDecodeError:
        raise Odd from None
    return _one_or_more([part.rstrip("\0 ") for part in decoded.split("\\")])


def _one_or_more(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else parts


class Walker:
    """Walks over the headers of one scan and remembers the values that its files share."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def slices(self, member: Member, first_bytes: Callable[[int], bytes]) -> tuple[Slice, ...] | None:
        """The pictures of a plain file as `slices_of` gives them; None when it is odd.

        first_bytes: gives so many bytes from the beginning of the file, or all when it is shorter
        """
        for count in _READS:
            data = first_bytes(count)
            if len(data) != min(count, member.size):
                return None
            try:
                plain, at = self._walked(data, len(data) == member.size)
                return slices_under(plain, member, data[:at], data[at : at + 12])
            except _Short:
                continue
            except (Odd, struct.error):
                return None
        return None

    def _walked(self, data: bytes, whole: bool) -> tuple[Plain, int]:
        """The elements, and where the pixel data begins (the end of the file when there is none)."""
        if data[128:132] != b"DICM":
            raise Odd
        places: dict[int, int] = {}
        at = _explicit_walk(data, 132, whole, 0x00020000, 0x0002FFFF, places)
        meta = Plain(data, places, False, self._known, None)
        syntax = meta.get("TransferSyntaxUID")
        if not isinstance(syntax, str) or not _little_endian(syntax):
            raise Odd
        implicit, places = syntax == ImplicitVRLittleEndian, {}
        if implicit is data[at + 4 : at + 6].isupper():  # as pydicom tells the two apart
            raise Odd
        walk = _implicit_walk if implicit else _explicit_walk
        at = walk(data, at, whole, 0x00040000, 0xFFFFFFFF, places)
        if at < len(data) and _tag_at(data, at) not in _PIXELS:
            raise Odd
        plain = Plain(data, places, implicit, self._known, meta)
        if not plain.get("SOPClassUID"):
            raise Odd
        return plain, at


def _tag_at(data: bytes, at: int) -> int:
    group, element, _ = _implicit(data, at)
    return int(group << 16 | element)


@cache
def _little_endian(syntax: str) -> bool:
    """Whether the data set of this syntax is written plainly in little endian."""
    uid = UID(syntax)
    if not uid.is_transfer_syntax or uid.is_private or uid == DeflatedExplicitVRLittleEndian:
        return False
    return uid in (ExplicitVRLittleEndian, ImplicitVRLittleEndian) or uid.is_encapsulated


def _explicit_walk(data: bytes, at: int, whole: bool, low: int, high: int, places: dict[int, int]) -> int:
    """Note the place of each element from `low` to `high`; gives where the first behind them begins.

    whole: whether `data` is the whole file, so that it may end after any element
    Raises _Short when more of the file is needed, Odd when it is not plain.
    """
    size, last = len(data), low - 1
    while at + 12 <= size:
        group, element, vr, length = _explicit(data, at)
        tag = group << 16 | element
        if tag > high or tag in _PIXELS:
            break
        if tag <= last:
            raise Odd
        if vr in _SHORT:
            following = at + 8 + length
        elif vr in _LONG and length == 0:
            (length,) = _long(data, at + 8)
            following = at + 12 + length
            if length == _UNDEFINED:
                if vr != b"SQ":
                    raise Odd
                following = _Sequence(data, at + 12).end()
        else:
            raise Odd
        if length & 1 and length != _UNDEFINED:
            raise Odd
        places[tag] = at
        last, at = tag, following
    return _end(data, at, whole, size)


def _implicit_walk(data: bytes, at: int, whole: bool, low: int, high: int, places: dict[int, int]) -> int:
    """The same for implicit VR; a sequence of undefined length is odd here."""
    size, last = len(data), low - 1
    while at + 12 <= size:
        group, element, length = _implicit(data, at)
        tag = group << 16 | element
        if tag > high or tag in _PIXELS:
            break
        if tag <= last or length & 1:
            raise Odd
        places[tag] = at
        last, at = tag, at + 8 + length
    return _end(data, at, whole, size)


def _end(data: bytes, at: int, whole: bool, size: int) -> int:
    if at + 12 <= size or (whole and at == size):
        return at
    raise Odd if whole else _Short


class _Sequence:
    """A walk through a sequence of undefined length, its items and what is nested in them."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._ends = [_UNDEFINED]  # of sequences (even places) and items (odd places), innermost last
        self._lasts = [-1]  # the last tag in each of them

    def end(self) -> int:
        """Where the sequence ends. Raises _Short or Odd."""
        while self._ends:
            if self._at == self._ends[-1]:
                self._leave()
                continue
            if self._at > min(self._ends) or len(self._ends) > 2 * _MAX_DEPTH:
                raise Odd
            if self._at + 12 > len(self._data):
                raise _Short
            group, element, vr, length = _explicit(self._data, self._at)
            tag = group << 16 | element
            if group == 0xFFFE:
                self._bracket(tag, _long(self._data, self._at + 4)[0])
            else:
                self._element(tag, vr, length)
        return self._at

    def _enter(self, length: int) -> None:
        if length & 1 and length != _UNDEFINED:
            raise Odd
        self._ends.append(_UNDEFINED if length == _UNDEFINED else self._at + length)
        self._lasts.append(-1)

    def _leave(self) -> None:
        self._ends.pop()
        self._lasts.pop()

    def _bracket(self, tag: int, length: int) -> None:
        """The beginning of an item, or the end of an item or a sequence."""
        in_sequence = len(self._ends) % 2 == 1
        self._at += 8
        if tag == _ITEM and in_sequence:
            self._enter(length)
        elif tag == (_SEQUENCE_END if in_sequence else _ITEM_END) and not length:
            if self._ends[-1] != _UNDEFINED:
                raise Odd
            self._leave()
        else:
            raise Odd

    def _element(self, tag: int, vr: bytes, length: int) -> None:
        if len(self._ends) % 2 == 1 or tag <= self._lasts[-1]:
            raise Odd
        self._lasts[-1] = tag
        self._at += 8
        if vr in _LONG and length == 0:
            (length,) = _long(self._data, self._at)
            self._at += 4
        elif vr not in _SHORT:
            raise Odd
        if vr == b"SQ":
            self._enter(length)
        elif length & 1:
            raise Odd
        else:
            self._at += length


def native_pixels(data: bytes) -> memoryview | None:
    """The value of the native pixel data in a data set in explicit VR little endian; None when it is odd."""
    try:
        at = _explicit_walk(data, 0, True, 0x00040000, 0xFFFFFFFF, {})
        _, _, vr, reserved = _explicit(data, at)
        (length,) = _long(data, at + 8)
    except (Odd, _Short, struct.error):
        return None
    if (
        _tag_at(data, at) != 0x7FE00010
        or vr not in (b"OB", b"OW")
        or reserved
        or at + 12 + length > len(data)
    ):
        return None
    return memoryview(data)[at + 12 : at + 12 + length]
