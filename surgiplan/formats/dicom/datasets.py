"""DICOM data sets out of streams, with no more memory than their file can rightly need."""

import io
import logging
import warnings
import zlib
from collections.abc import Callable
from typing import BinaryIO

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import dcmread, read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ...errors import BadInput

# Values are checked by us where they matter; pydicom's complaints would print identities.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\b")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

MAX_HEADER_BYTES = 64 << 20
INFLATED_HEADERS = (16 << 10, 256 << 10, MAX_HEADER_BYTES)  # so much is tried for a header, one after another
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)


def looks_like_dicom(start: bytes) -> bool:
    """Whether the first 132 bytes begin a DICOM file, with its preamble or (old files) without."""
    return start[128:132] == b"DICM" or start[:2] in (b"\x08\x00", b"\x02\x00")


def dataset_of(stream: BinaryIO, pixels_up_to: int = 0) -> Dataset:
    """The data set of a stream that stands at its beginning.

    pixels_up_to: read the pixel data too, when the whole inflates to at most so many bytes; 0 stops before it
    Raises what pydicom raises on damaged bytes, BadInput when a deflated file is too large.
    """
    meta = meta_of(stream)
    stream.seek(0)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return dcmread(stream, stop_before_pixels=not pixels_up_to, force=True)
    for limit in (pixels_up_to,) if pixels_up_to else INFLATED_HEADERS:
        stream.seek(0)
        meta_of(stream)
        inflated = io.BytesIO(inflated_up_to(stream.read, limit))
        if pixels_up_to and inflated.getbuffer().nbytes > limit:
            raise BadInput(f"it inflates to more than the {limit} bytes its image can need")
        stop = None if pixels_up_to else _at_pixels
        dataset = read_dataset(inflated, is_implicit_VR=False, is_little_endian=True, stop_when=stop)
        if inflated.tell() < limit:
            break
    dataset.file_meta = FileMetaDataset(meta)
    return dataset


def meta_of(stream: BinaryIO) -> Dataset:
    """The file meta information; the stream then stands at the data set."""
    if stream.read(132)[128:] != b"DICM":
        stream.seek(0)
    return read_dataset(
        stream,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, vr, length: tag.group != 2,
    )


def _at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
    return int(tag) in _PIXEL_TAGS


def inflated_up_to(read: Callable[[int], bytes], limit: int, at_once: int = 0) -> bytes:
    """At most one byte more than `limit` of what is deflated.

    read: gives the next so many bytes; it is not asked for more than are needed, but for whole steps
    at_once: bytes of a step, when they are not as many as the limit
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    pieces, size = list[bytes](), 0
    while size <= limit and not inflater.eof and (data := read(min(at_once or limit, 1 << 20))):
        pieces.append(inflater.decompress(data, limit + 1 - size))
        size += len(pieces[-1])
    return b"".join(pieces)
