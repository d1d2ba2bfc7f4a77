"""DICOM series: found, judged, and read into a volume.

scan -> headers -> groups -> candidates -> read. pydicom reads, we place: no other library's idea of
the geometry is used. Nothing of a source is changed and no identity gets into a message.
"""

from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from ..errors import BadInput
from ..progress import Report, paced, part_of, silent
from ..values import Grid, Volume, given_away
from .between import evened
from .candidates import accepted, found_in
from .datasets import dataset_of, looks_like_dicom
from .geometry import Layout
from .headers import Header, Identity, Slice, header_of, pictures, slices_of
from .issues import CHOICES
from .patients import told_apart_by
from .pixels import CT_AIR, Stack, measured, stored_pictures, whole_valued
from .remarks import in_hounsfield
from .series import Scan, Series
from .shear import upright
from .sources import ZIP_MAGIC, Listing, Member, Reader, listed

__all__ = ["CHOICES", "Identity", "Scan", "Series", "accepted", "read_series", "scan", "source_digest"]

_CHUNK = 1 << 20
_HEADERS_SHARE = 0.9
_OVERHEAD = 64 << 20


def scan(path: Path, report: Report = silent) -> Scan:
    """Find the DICOM series of a folder (with all below it), a single file, or a zip archive.

    path: what to look at; never changed
    report: told how far it is
    Gives every series with the reason where it cannot be used; none when there is no DICOM.
    Raises BadInput when the path cannot be read or the archive is not to be trusted.
    """
    told = paced(report)
    with Reader() as reader:
        seen = _looked_through(reader, listed(Path(path)), told)
        found = found_in(seen.slices, _Fingerprints(reader, told))
    notes = list(seen.notes)
    if by := told_apart_by(seen.slices):
        notes.append(f"there are scans of more than one patient here (they differ in {by})")
    told(1.0, f"{len(found)} series found")
    series = tuple(_beside_damage(one, seen.damaged) for one in found)
    return Scan(Path(path), series, seen.files, seen.skipped, tuple(notes))


def read_series(series: Series, report: Report = silent) -> Volume:
    """Read the volume of a series that a scan has found usable.

    series: from `scan`; its files must not have changed since
    report: told how far it is
    Gives int16 voxels when all values are whole and fit, else float32. A tilted scan is put upright.
    Raises BadInput when the series is not usable, or a file is damaged, gone or changed.
    """
    layout = series.layout
    if layout is None:
        raise BadInput(f"this series cannot be used: {series.reason}")
    told = paced(report)
    try:
        voxels = _voxels(series, layout, told)
    except MemoryError:
        raise BadInput(f"the {layout.shape_kji} voxels of this series do not fit into memory") from None
    told(1.0, "the series is read")
    grid = Grid(layout.shape_kji, layout.kji_to_lps, series.frame_uid)
    unit = "HU" if in_hounsfield(series.slices) else ""
    return Volume(grid, given_away(voxels), series.modality, unit)


def source_digest(series: Series, report: Report = silent) -> str:
    """A hash of the files of a series: the same from a folder and from an archive, in any order."""
    told = paced(report)
    digests = list[bytes]()
    with Reader() as reader:
        for n, member in enumerate(series.files):
            told(n / len(series.files), "digesting the files")
            hasher = blake2b(digest_size=16)
            with _opened(reader, member) as stream:
                while data := stream.read(_CHUNK):
                    hasher.update(data)
            digests.append(hasher.digest())
    return blake2b(b"".join(sorted(digests)), digest_size=16).hexdigest()


def _opened(reader: Reader, member: Member) -> BinaryIO:
    try:
        return reader.open(member)
    except Exception as problem:  # a damaged archive raises many kinds
        raise BadInput(f"{member.name} cannot be opened ({type(problem).__name__})") from None


@dataclass
class _Seen:
    """What a walk over all files gave."""

    files: int
    notes: list[str]
    slices: list[Slice] = field(default_factory=list)
    skipped: int = 0
    damaged: list[str] = field(default_factory=list)


def _looked_through(reader: Reader, listing: Listing, report: Report) -> _Seen:
    seen = _Seen(len(listing.members), list(listing.notes))
    for n, member in enumerate(listing.members):
        report(_HEADERS_SHARE * n / len(listing.members), "looking at the files")
        try:
            with reader.open(member) as stream:
                start = stream.read(132)
                if looks_like_dicom(start):
                    stream.seek(0)
                    seen.slices += slices_of(stream, member)
                    continue
        except Exception as problem:  # damaged bytes make pydicom raise nearly anything
            seen.damaged.append(member.name)
            seen.notes.append(f"{member.name} is damaged and left out ({_why(problem)})")
            continue
        seen.skipped += 1
        if start[:4] in ZIP_MAGIC:
            seen.notes.append(f"{member.name} is an archive and was not looked into: give it by itself")
    return seen


def _why(problem: Exception) -> str:
    return str(problem) if isinstance(problem, BadInput) else type(problem).__name__


def _beside_damage(series: Series, damaged: list[str]) -> Series:
    """The series, with a warning when a damaged file may have been a part of it."""
    if not damaged or not (series.usable or series.choices):
        return series
    names = ", ".join(damaged[:3]) + (", ..." if len(damaged) > 3 else "")
    return replace(
        series, warnings=(*series.warnings, f"damaged files that may belong to it are left out: {names}")
    )


def _voxels(series: Series, layout: Layout, report: Report) -> NDArray[Any]:
    one = series.slices[0].header
    stack = Stack((len(series.slices), one.rows, one.columns), all(map(whole_valued, series.slices)))
    straight, even = layout.offsets is None, layout.spacing.given
    if straight and even:
        _fill(stack, series, report)
        return stack.voxels
    _fill(stack, series, part_of(report, 0.0, 0.7))
    voxels = stack.voxels
    if layout.offsets is not None:
        fill = CT_AIR if one.modality == "CT" else 0
        sized = (len(voxels), *layout.shape_kji[1:])
        voxels = upright(voxels, layout.offsets, sized, fill, part_of(report, 0.7, 1.0 if even else 0.85))
    if not even:
        spacing = layout.spacing
        voxels = evened(voxels, spacing.heights, spacing.planes, part_of(report, 0.85, 1.0))
    return voxels


def _fill(stack: Stack, series: Series, report: Report) -> None:
    """Read file by file and put every picture at its k."""
    files: dict[Header, dict[int, int]] = {}
    for k, picture in enumerate(series.slices):
        files.setdefault(picture.header, {})[picture.frame] = k
    done = 0
    with Reader() as reader:
        for header, k_of in files.items():
            report(done / len(series.slices), "reading the images")
            dataset = _whole(reader, header)
            _require_unchanged(dataset, header, [series.slices[k] for k in k_of.values()])
            frames = sorted(k_of)
            for frame, stored in zip(frames, stored_pictures(dataset, header, frames), strict=True):
                report(done / len(series.slices), "reading the images")
                stack.put(k_of[frame], measured(stored, series.slices[k_of[frame]]))
                done += 1


def _whole(reader: Reader, header: Header) -> Dataset:
    """The data set of a file with its pixel data."""
    needed = header.rows * header.columns * header.frames * header.bits_allocated // 8
    try:
        with reader.open(header.member) as stream:
            return dataset_of(stream, pixels_up_to=needed + _OVERHEAD)
    except MemoryError:
        raise
    except Exception as problem:
        raise BadInput(
            f"{header.member.name} cannot be read ({_why(problem)}): fetch the file again"
        ) from None


def _require_unchanged(dataset: Dataset, header: Header, chosen: list[Slice]) -> None:
    now = header_of(dataset, header.member)
    found = pictures(dataset, now)
    if now != header or any(found[picture.frame : picture.frame + 1] != (picture,) for picture in chosen):
        raise BadInput(f"{header.member.name} is damaged or has changed since it was listed: fetch it again")


class _Fingerprints:
    """Tells pictures with equal values from others; keeps the last file at hand for its next frame."""

    def __init__(self, reader: Reader, report: Report) -> None:
        self._reader, self._report = reader, report
        self._at: tuple[Header, Dataset] | None = None

    def __call__(self, picture: Slice) -> bytes:
        self._report(_HEADERS_SHARE, "comparing images that lie at one place")
        header = picture.header
        if self._at is None or self._at[0] is not header:
            self._at = (header, _whole(self._reader, header))
        (stored,) = stored_pictures(self._at[1], header, [picture.frame])
        values = np.ascontiguousarray(measured(stored, picture), np.float64)
        return blake2b(values.tobytes(), digest_size=16).digest()
