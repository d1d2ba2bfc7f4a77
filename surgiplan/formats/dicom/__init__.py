"""DICOM series: found, judged, and read into a volume.

scan -> headers -> groups -> candidates -> read. Plain headers are walked over here, odd ones parsed by
pydicom in a quarantined child; we place: no other library's idea of the geometry is used. Nothing of a
source is changed and no identity gets into a message.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...errors import BadInput
from ...progress import Report, paced, part_of, silent
from ...values import Grid, Volume, given_away
from .. import quarantine
from ..sources import Listing, listed
from .between import evened
from .candidates import accepted, found_in
from .decoding import decoded_into, pictures_in
from .geometry import Layout
from .headers import Identity, Slice
from .issues import CHOICES
from .patients import told_apart_by
from .pixels import CT_AIR
from .reading import fingerprint, is_native, voxels_of
from .remarks import in_hounsfield
from .series import Scan, Series
from .shear import upright
from .sorting import sorted_files

__all__ = [
    "CHOICES",
    "Identity",
    "Scan",
    "Series",
    "accepted",
    "read",
    "read_series",
    "scan",
]

_HEADERS_SHARE = 0.9


@dataclass(frozen=True)
class Read:
    """What reading a series gives.

    volume: its grid and values
    files_digest: "blake3:" and the BLAKE3 hash of the sorted BLAKE3 hashes of its files in hexadecimal: the
        same from a folder and from an archive, in any order. Older cases hold 32 digits of a BLAKE2b hash
        without a name; the two are never equal and nothing follows from that
    """

    volume: Volume
    files_digest: str


def scan(path: Path, report: Report = silent) -> Scan:
    """Find the DICOM series of a folder (with all below it), a single file, or a zip archive.

    path: what to look at; never changed. For the index of a medium (DICOMDIR) its folder is looked at
    report: told how far it is
    Gives every series with the reason where it cannot be used; none when there is no DICOM.
    Raises BadInput when the path cannot be read or the archive is not to be trusted.
    """
    told = paced(report)

    def compared(picture: Slice) -> bytes:
        told(_HEADERS_SHARE, "comparing images that lie at one place")
        return fingerprint(picture)

    seen = _looked_through(listed(Path(path)), part_of(told, 0.0, _HEADERS_SHARE))
    found = found_in(seen.slices, compared)
    notes = list(seen.notes)
    if by := told_apart_by(seen.slices):
        notes.append(f"there are scans of more than one patient here (they differ in {by})")
    if any(series.usable and not is_native(series.slices[0].header) for series in found):
        quarantine.warm(decoded_into.__module__)
    told(1.0, f"{len(found)} series found")
    series = tuple(_beside_damage(one, seen.damaged) for one in found)
    return Scan(Path(path), series, seen.files, seen.skipped, tuple(notes))


def read(series: Series, report: Report = silent) -> Read:
    """Read the volume of a series that a scan has found usable, and the hash of its files.

    series: from `scan`; its files must not have changed since
    report: told how far it is
    Gives int16 voxels when all values are whole and fit, else float32. A tilted scan is put upright.
    Raises BadInput when the series is not usable, or a file is damaged, gone or changed.
    """
    layout = series.layout
    if layout is None:
        raise BadInput(f"this series cannot be used: {series.reason}")
    told, modality = paced(report), series.slices[0].header.modality
    try:
        if layout.offsets is None and layout.spacing.given:
            voxels, digest = voxels_of(series.slices, told)
        else:
            voxels, digest = voxels_of(series.slices, part_of(told, 0.0, 0.7))
            voxels = _on_grid(voxels, layout, modality, part_of(told, 0.7, 1.0))
    except MemoryError:
        raise BadInput(f"the {layout.shape_kji} voxels of this series do not fit into memory") from None
    told(1.0, "the series is read")
    grid = Grid(layout.shape_kji, layout.kji_to_lps, series.frame_uid)
    unit = "HU" if in_hounsfield(series.slices) else ""
    return Read(Volume(grid, given_away(voxels), series.modality, unit), digest)


def read_series(series: Series, report: Report = silent) -> Volume:
    """Read the volume of a series; as `read`, without the hash of its files."""
    return read(series, report).volume


@dataclass
class _Seen:
    """What a walk over all files gave."""

    files: int
    notes: list[str]
    slices: list[Slice] = field(default_factory=list)
    skipped: int = 0
    damaged: list[str] = field(default_factory=list)


def _looked_through(listing: Listing, report: Report) -> _Seen:
    members = listing.members
    kinds = sorted_files(members, report)
    names = [members[n].name for n in kinds.odd]
    answers = quarantine.each(pictures_in, [members[n] for n in kinds.odd], names=names, report=report)
    for n, answer in zip(kinds.odd, answers, strict=True):
        if isinstance(answer, BadInput):
            kinds.damaged[n] = str(answer)
        else:
            kinds.plain[n] = answer
    damaged = [(members[n].name, kinds.damaged[n]) for n in sorted(kinds.damaged)]
    seen = _Seen(len(members), [*listing.notes], skipped=kinds.skipped)
    seen.notes += [f"{name} is damaged and left out ({reason})" for name, reason in damaged]
    archives, programs = ([members[n].name for n in found] for found in (kinds.archives, kinds.programs))
    seen.notes += _counted(archives, "is an archive and was not looked into: give it by itself")
    seen.notes += _counted(programs, "begins like a program (the scan in it is used): never run it")
    seen.damaged = [name for name, _ in damaged]
    seen.slices = [picture for n in sorted(kinds.plain) for picture in kinds.plain[n]]
    return seen


def _counted(names: list[str], what: str) -> list[str]:
    """A note on files of one kind: the first named, all counted."""
    if not names:
        return []
    more = f" ({len(names)} files are of this kind)" if len(names) > 1 else ""
    return [f"{', '.join(names[:3])} {what}{more}"]


def _beside_damage(series: Series, damaged: list[str]) -> Series:
    """The series, with a warning when a damaged file may have been a part of it."""
    if not damaged or not (series.usable or series.choices):
        return series
    names = ", ".join(damaged[:3]) + (", ..." if len(damaged) > 3 else "")
    return replace(
        series, warnings=(*series.warnings, f"damaged files that may belong to it are left out: {names}")
    )


def _on_grid(voxels: NDArray[Any], layout: Layout, modality: str, report: Report) -> NDArray[Any]:
    """The pictures of a tilted or unevenly spaced stack, moved to the grid."""
    even = layout.spacing.given
    if layout.offsets is not None:
        fill = CT_AIR if modality == "CT" else 0
        sized = (len(voxels), *layout.shape_kji[1:])
        voxels = upright(voxels, layout.offsets, sized, fill, part_of(report, 0.0, 1.0 if even else 0.5))
    if not even:
        voxels = evened(voxels, layout.spacing.heights, layout.spacing.planes, part_of(report, 0.5, 1.0))
    return voxels
