"""Where the elements of a plain DICOM file lie: a bounded walk that does not recurse.

Source: DICOM PS3.5 chapter 7, PS3.10 chapter 7.
"""

import struct
from collections import deque
from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from pydicom.datadict import dictionary_VR, tag_for_keyword

_MAX_DEPTH = 16
_MAX_FOUND = 1_000
_UNDEFINED = 0xFFFFFFFF
PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_explicit, _implicit = struct.Struct("<HH2sH").unpack_from, struct.Struct("<HHI").unpack_from
_long = struct.Struct("<I").unpack_from


class Odd(BaseException):
    """A file is not plain. No Exception, so that the tolerant readers of elements let it pass."""


class Short(Exception):
    """The header goes on behind what was read of it."""


class Memory:
    """What a function has read from files that lie alike, by the bytes of all elements it ever asked for."""

    def __init__(self) -> None:
        self.found: dict[tuple[bytes, ...], Any] = {}
        self._asked: set[str] = set()
        self._spans: tuple[tuple[int, int], ...] = ()

    def key(self, data: bytes) -> tuple[bytes, ...]:
        """The bytes of all that was asked for."""
        return tuple([data[start:end] for start, end in self._spans])

    def extend(self, spots: Mapping[str, tuple[int, int, bytes] | None]) -> None:
        """Note what was asked for, and where it lies; a new question makes former answers void."""
        new = {keyword: spot for keyword, spot in spots.items() if keyword not in self._asked}
        if new or len(self.found) > _MAX_FOUND:
            self.found.clear()
        self._asked |= new.keys()
        self._spans += tuple((spot[0], spot[1]) for spot in new.values() if spot)


class Part:
    """Where the elements of the meta information, or of the data set, of a file lie.

    Files that lie alike byte for byte share it, and with it what was found out about the elements asked for.
    """

    def __init__(self, data: bytes | memoryview, places: dict[int, int], implicit: bool) -> None:
        self.places, self.implicit = places, implicit
        self.spots: dict[str, tuple[int, int, bytes] | None] = {}
        self.readings: dict[Any, Memory] = {}
        self.charset = self._value_of(data, 0x00080005, b"CS").rstrip(b" ")

    def spot(self, data: bytes, keyword: str) -> tuple[int, int, bytes] | None:
        """Beginning and end of the value of an element and its VR; None when it is absent or empty."""
        tag, dictionary = _asked(keyword)
        at = self.places.get(tag)
        if at is None:
            return None
        vr, start, length = self._stated(data, at, dictionary)
        return (start, start + length, vr) if length else None

    def _stated(self, data: bytes | memoryview, at: int, dictionary: bytes) -> tuple[bytes, int, int]:
        """VR, beginning and length of the value of an element; the VR must be the dictionary's."""
        if self.implicit:  # how US or SS is meant is for PixelRepresentation to say, in either syntax
            return b"US" if dictionary == b"US or SS" else dictionary, at + 8, _long(data, at + 4)[0]
        _, _, vr, length = _explicit(data, at)
        if vr in _LONG or (vr != dictionary and not (dictionary == b"US or SS" and vr in (b"US", b"SS"))):
            raise Odd
        return vr, at + 8, length

    def _value_of(self, data: bytes | memoryview, tag: int, dictionary: bytes) -> bytes:
        if tag not in self.places:
            return b""
        _, start, length = self._stated(data, self.places[tag], dictionary)
        return bytes(data[start : start + length])


@cache
def _asked(keyword: str) -> tuple[int, bytes]:
    """Tag and VR of a keyword."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag, dictionary_VR(tag).encode()


class Layout:
    """Where all lies in a plain file, and the bytes that make it so.

    at: where the pixel data element begins
    """

    def __init__(self, data: bytes | memoryview, meta: Part, body: Part, nested: list[int], at: int) -> None:
        self.meta, self.body, self.at = meta, body, at
        self._pixels = bytes(data[at : at + 8])
        spans = [range(128, 132)] if meta.places else []  # a data set by itself begins without a preamble
        for part in (meta, body):
            spans += [_header_span(data, place, part.implicit) for place in part.places.values()]
        spans += [_header_span(data, place, False) for place in nested]
        spans += [_value_span(data, self.meta, 0x00020010), _value_span(data, self.body, 0x00080005)]
        self._index = np.fromiter(chain.from_iterable(spans), np.intp)
        self._bytes = self._telling(data)

    def _telling(self, data: bytes | memoryview) -> bytes:
        return np.frombuffer(data, np.uint8)[self._index].tobytes()

    def fits(self, data: bytes | memoryview) -> bool:
        """Whether a walk over this file would go the same way."""
        at = self.at
        return (
            data[at : at + 8] == self._pixels and at + 12 <= len(data) and self._telling(data) == self._bytes
        )


def _header_span(data: bytes | memoryview, at: int, implicit: bool) -> range:
    """The bytes of an element that say what and how long it is."""
    return range(at, at + (12 if not implicit and bytes(data[at + 4 : at + 6]) in _LONG else 8))


def _value_span(data: bytes | memoryview, part: Part, tag: int) -> range:
    if tag not in part.places:
        return range(0)
    at = part.places[tag] + 8
    length = _long(data, at - 4)[0] if part.implicit else _explicit(data, at - 8)[3]
    return range(at, at + length)


def explicit_walk(
    data: bytes | memoryview,
    at: int,
    whole: bool,
    low: int,
    high: int,
    places: dict[int, int],
    nested: list[int],
) -> int:
    """Note the place of each element from `low` to `high`; gives where the first behind them begins.

    whole: whether `data` is the whole file, so that it may end after any element
    nested: takes the places of what is in sequences of undefined length
    Raises Short when more of the file is needed, Odd when it is not plain.
    """
    size, last = len(data), low - 1
    while at + 12 <= size:
        group, element, vr, length = _explicit(data, at)
        tag = group << 16 | element
        if tag > high or tag in PIXELS:
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
                following = _Sequence(data, at + 12, nested).end()
        else:
            raise Odd
        if length & 1 and length != _UNDEFINED:
            raise Odd
        places[tag] = at
        last, at = tag, following
    return _end(data, at, whole, size)


def implicit_walk(
    data: bytes, at: int, whole: bool, low: int, high: int, places: dict[int, int], nested: list[int]
) -> int:
    """The same for implicit VR; a sequence of undefined length is odd here."""
    size, last = len(data), low - 1
    while at + 12 <= size:
        group, element, length = _implicit(data, at)
        tag = group << 16 | element
        if tag > high or tag in PIXELS:
            break
        if tag <= last or length & 1:
            raise Odd
        places[tag] = at
        last, at = tag, at + 8 + length
    return _end(data, at, whole, size)


def _end(data: bytes | memoryview, at: int, whole: bool, size: int) -> int:
    if at + 12 <= size or (whole and at == size):
        return at
    raise Odd if whole else Short


class _Sequence:
    """A walk through a sequence of undefined length, its items and what is nested in them."""

    def __init__(self, data: bytes | memoryview, at: int, nested: list[int]) -> None:
        self._data, self._at, self._nested = data, at, nested
        self._ends = [_UNDEFINED]  # of sequences (even places) and items (odd places), innermost last
        self._lasts = [-1]  # the last tag in each of them

    def end(self) -> int:
        """Where the sequence ends. Raises Short or Odd."""
        while self._ends:
            if self._at == self._ends[-1]:
                self._leave()
                continue
            if self._at > min(self._ends) or len(self._ends) > 2 * _MAX_DEPTH:
                raise Odd
            if self._at + 12 > len(self._data):
                raise Short
            group, element, vr, length = _explicit(self._data, self._at)
            tag = group << 16 | element
            self._nested.append(self._at)
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


def tag_at(data: bytes | memoryview, at: int) -> int:
    """Group and element of the tag at a place, as one number."""
    group, element, _ = _implicit(data, at)
    return int(group << 16 | element)


def meta_end(data: memoryview) -> int | None:
    """Where the meta information of a file ends; None when it is odd."""
    try:
        return explicit_walk(data, 132, False, 0x00020000, 0x0002FFFF, {}, [])
    except (Odd, Short, struct.error):
        return None


def only_fragment(coded: memoryview) -> memoryview | None:
    """The fragment of encapsulated pixel data that has but one; None when there are others, or it is odd.

    coded: the value of the pixel data element, and what follows
    Source: DICOM PS3.5 A.4.
    """
    lengths, at = list[int](), 0
    while at + 8 <= len(coded) and len(lengths) < 3:
        tag, length = tag_at(coded, at), _long(coded, at + 4)[0]
        if tag == _SEQUENCE_END:
            start = 16 + lengths[0] if len(lengths) == 2 else 0
            return coded[start : start + lengths[1]] if start else None
        if tag != _ITEM or length == _UNDEFINED:
            return None
        lengths.append(length)
        at += 8 + length
    return None


_known_bodies: deque[Layout] = deque(maxlen=16)  # of data sets that were inflated: few in one series


def native_pixels(data: memoryview) -> memoryview | None:
    """The value of the native pixel data in a data set in explicit VR little endian; None when it is odd."""
    try:
        at = _pixels_in(data)
        _, _, vr, reserved = _explicit(data, at)
        (length,) = _long(data, at + 8)
    except (Odd, Short, struct.error):
        return None
    if tag_at(data, at) != 0x7FE00010 or vr not in (b"OB", b"OW") or reserved or at + 12 + length > len(data):
        return None
    return data[at + 12 : at + 12 + length]


def _pixels_in(data: memoryview) -> int:
    """Where the pixel data element begins; without a walk in a data set that lies like one of the last."""
    for n, layout in enumerate(list(_known_bodies)):
        if layout.fits(data):
            if n:  # most files are as the last one
                _known_bodies.appendleft(layout)
            return layout.at
    places: dict[int, int] = {}
    nested = list[int]()
    at = explicit_walk(data, 0, True, 0x00040000, 0xFFFFFFFF, places, nested)
    if at + 12 <= len(data):
        layout = Layout(data, Part(data, {}, False), Part(data, places, False), nested, at)
        _known_bodies.appendleft(layout)
    return at
