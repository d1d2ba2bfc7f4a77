"""Stored pixels out of a data set, and the values that were measured."""

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from ...errors import BadInput, SurgiplanError
from . import codecs
from .headers import Header, Slice

MAX_PICTURE = 1 << 26
MAX_VOXELS = 1 << 31
CT_AIR = -1024
INT16 = np.iinfo(np.int16)

codecs.register()


def pixel_fault(header: Header) -> str:
    """Why the pixels of a file cannot be read, judged before any is decoded; "" when they can."""
    if header.rows < 1 or header.columns < 1 or header.frames < 1:
        return f"it claims {header.rows} x {header.columns} pixels in {header.frames} frames"
    if (
        header.rows * header.columns > MAX_PICTURE
        or header.rows * header.columns * header.frames > MAX_VOXELS
    ):
        return f"it claims {header.rows} x {header.columns} pixels in {header.frames} frames: too large"
    if header.samples != 1 or header.photometric not in ("MONOCHROME1", "MONOCHROME2"):
        return f"it is a picture in colours ({header.photometric or 'unknown'}), not a scan"
    if header.bits_allocated not in (8, 16) or not 1 < header.bits_stored <= header.bits_allocated:
        return f"it stores {header.bits_stored} of {header.bits_allocated} bits, which is not read"
    if header.high_bit != header.bits_stored - 1:
        return f"its high bit is {header.high_bit} with {header.bits_stored} bits stored, which is not read"
    if not decodable(header.transfer_syntax):
        return f"its compression ({known_name(header.transfer_syntax)}) cannot be decoded"
    return ""


def known_name(uid: str) -> str:
    """The name of a UID of the standard; never the text itself, which damage may have filled."""
    name = UID(uid).name
    return "that is not known" if name == uid else str(name)


@cache
def decodable(transfer_syntax: str) -> bool:
    """Whether pixels of this transfer syntax can be read here."""
    try:
        return bool(get_decoder(transfer_syntax).is_available)
    except NotImplementedError:
        return False


def stored_pictures(dataset: Dataset, header: Header, frames: Sequence[int]) -> Iterator[NDArray[Any]]:
    """The stored values (rows, columns) of some frames of a file, in ascending order.

    dataset: with its pixel data
    frames: ascending places in the file
    Raises BadInput that names the file when the pixel data is damaged, cut short or larger than stated.
    """
    try:
        _require_claims_hold(dataset, header)
        everything = len(frames) == header.frames
        decoder = get_decoder(header.transfer_syntax)
        chosen = None if everything else list(frames)
        for picture, _ in decoder.iter_array(dataset, indices=chosen, raw=True):
            if picture.shape != (header.rows, header.columns):
                raise BadInput(f"{header.member.name}: the pixel data has another size than the header says")
            yield picture
    except (SurgiplanError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as problem:  # a panic in a Rust decoder is not an Exception
        kind = type(problem).__name__
        raise BadInput(
            f"{header.member.name}: the pixel data is damaged or cut short ({kind}): fetch the file again"
        ) from None


def _require_claims_hold(dataset: Dataset, header: Header) -> None:
    """A decoder believes its codestream: what that claims must be what the header says."""
    if not UID(header.transfer_syntax).is_encapsulated:
        return
    for frame in generate_frames(dataset.PixelData, number_of_frames=header.frames):
        if codecs.claimed_size(frame) not in (None, (header.rows, header.columns)):
            raise BadInput(f"{header.member.name}: the pixel data has another size than the header says")


def whole_valued(picture: Slice) -> bool:
    """Whether slope and intercept turn whole stored numbers into whole values."""
    return float(picture.slope or 1.0).is_integer() and float(picture.intercept).is_integer()


def measured(stored: NDArray[Any], picture: Slice) -> NDArray[Any]:
    """Measured values of stored ones: slope (0 counts as 1), intercept, -1024 where a CT has only padding.

    Gives int64 where the slope is 1 and the intercept whole, else float64.
    """
    slope = picture.slope or 1.0
    if slope == 1 and float(picture.intercept).is_integer():
        values: NDArray[Any] = stored.astype(np.int64) + int(picture.intercept)
    else:
        values = stored.astype(np.float64) * slope + picture.intercept
    if picture.header.padding is not None and picture.header.modality == "CT":
        low, high = picture.header.padding
        values[(stored >= low) & (stored <= high)] = CT_AIR
    return values


class Misfit(Exception):
    """A measured value does not fit into 16 bits."""


def put(room: NDArray[Any], values: NDArray[Any]) -> None:
    """Fill in a picture. Raises Misfit when a value does not fit."""
    if room.dtype == np.int16 and (values.min() < INT16.min or values.max() > INT16.max):
        raise Misfit
    room[:] = values


def stored_type(header: Header) -> np.dtype[Any]:
    """The type of the stored numbers of a file in little endian."""
    return np.dtype(f"<{'i' if header.signed else 'u'}{header.bits_allocated // 8}")


def used_bits(stored: NDArray[Any], header: Header) -> NDArray[Any]:
    """The stored values with the bits above those that are used cut off, and the sign extended.

    stored: numbers of as many bits as are allocated
    """
    unused = header.bits_allocated - header.bits_stored
    values = stored.view(stored_type(header))
    return (values << unused) >> unused if unused else values


def fits_in_place(picture: Slice, voxels: NDArray[Any]) -> bool:
    """Whether `settled` can make the values of a picture in a volume."""
    one = picture.slope in (0, 1) and float(picture.intercept).is_integer()
    words = picture.header.bits_allocated == 16 and sys.byteorder == "little"
    return one and words and voxels.dtype == np.int16


def settled(raw: NDArray[Any], picture: Slice, values: NDArray[Any]) -> None:
    """Turn the stored numbers of a picture into what `measured` gives.

    raw: (rows, columns) numbers of 16 bits as they lie in the file
    picture: with a slope of 1 (or 0) and a whole intercept
    values: int16 (rows, columns) that take the values; may be the same memory
    Raises Misfit when a measured value does not fit.
    """
    header, intercept = picture.header, int(picture.intercept)
    kind, unused = stored_type(header), 16 - picture.header.bits_stored
    raw, stored = raw.view(kind), values.view(kind)
    if header.signed and unused:
        np.left_shift(raw, unused, out=stored)
        np.right_shift(stored, unused, out=stored)
    elif unused:
        np.bitwise_and(raw, kind.type((1 << header.bits_stored) - 1), out=stored)
    else:
        np.copyto(stored, raw)
    padded = None
    if header.padding is not None and header.modality == "CT":
        low, high = header.padding
        padded = (stored >= low) & (stored <= high)
        stored[padded] = min(max(CT_AIR - intercept, 0), 0x7FFF)
    least, most = (
        (-1 << header.bits_stored - 1) * header.signed,
        (1 << header.bits_stored - header.signed) - 1,
    )
    if least + intercept < INT16.min or most + intercept > INT16.max:
        least, most = int(stored.min()), int(stored.max())
        if least + intercept < INT16.min or most + intercept > INT16.max:
            raise Misfit
    if intercept:
        values += np.int16((intercept + 0x8000) % 0x10000 - 0x8000)  # modulo 2**16, as the sum is
    if padded is not None:
        values[padded] = CT_AIR
