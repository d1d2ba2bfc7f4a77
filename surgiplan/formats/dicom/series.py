"""What a scan of a folder finds: the series, whether each can be used, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...values import FloatArray
from ..sources import Member
from .geometry import Layout
from .headers import Identity, Slice


@dataclass(frozen=True, eq=False)
class Series:
    """One candidate volume.

    uid: SeriesInstanceUID; further volumes of the same series have "#2", "#3" behind it
    shape_kji: slices, rows, columns of the volume that would be read
    spacing_kji: mm along k, j, i; zeros when it is not usable
    kji_to_lps: 4x4 from index to patient mm; None when it is not usable
    frame_uid: Frame of Reference UID; the series' own UID where the file states none
    transfer_syntax: UID of how the pixels are stored
    reason: why it cannot be used; "" when it can
    warnings: what the planner should know before using it
    files: the files (or members of an archive) it is read from, along k
    slices: its pictures along k (as found, when it is not usable)
    layout: how they are read into the grid; None when it is not usable
    choices: words of issues.CHOICES that would together make it usable; none when it is, or nothing would
    accepted: what was wrong and is accepted, by the word of the choice; names no file
    """

    uid: str
    modality: str
    description: str
    shape_kji: tuple[int, int, int]
    spacing_kji: tuple[float, float, float]
    kji_to_lps: FloatArray | None
    frame_uid: str
    transfer_syntax: str
    usable: bool
    reason: str
    warnings: tuple[str, ...]
    identity: Identity
    files: tuple[Member, ...]
    slices: tuple[Slice, ...]
    layout: Layout | None
    choices: tuple[str, ...] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Scan:
    """What was found at a path.

    series: usable ones first, the largest of them foremost
    seen: number of files that were looked at
    skipped: number of them that are not DICOM
    notes: damaged files and other things that were left out, and why
    """

    path: Path
    series: tuple[Series, ...]
    seen: int
    skipped: int
    notes: tuple[str, ...] = ()
