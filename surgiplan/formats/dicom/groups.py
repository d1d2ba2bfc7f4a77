"""Which pictures belong together: by what the headers say, never by folder or file name."""

from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache

import numpy as np

from .geometry import SAME_PLACE_MM, axes_of, placed, places
from .headers import Slice

SAME_DIRECTION = 0.01
SAME_SPACING = 1e-4
KINDS = ("ConvolutionKernel", "EchoNumbers", "DiffusionBValue")
REFORMATTED = {
    "MPR",
    "REFORMATTED",
    "PROJECTION IMAGE",
    "MIP",
    "MINIP",
    "CSA MPR",
    "CSAPARALLEL",
    "VOLUME RENDERED",
}


def grouped(slices: Iterable[Slice]) -> list[list[Slice]]:
    """Sort pictures into candidate volumes.

    One volume has one study, series, frame of reference, kind of object, matrix, pixel spacing,
    direction, kernel, echo and b-value; localizers and reformatted images stand apart. A picture whose
    place is not known, or which alone states another pixel spacing, joins the largest volume it could
    belong to, so that it is never left out of it unnoticed.
    """
    kinds: dict[Hashable, list[Slice]] = {}
    for picture in slices:
        kinds.setdefault(_kind(picture), []).append(picture)
    alike = [part for kind in kinds.values() for part in _told_apart(kind)]
    return [group for part in alike for group in _clusters(part)]


def series_key(picture: Slice) -> tuple[str, str]:
    """Study and series a picture says it belongs to."""
    header = picture.header
    return (header.identity.study_uid, header.series_uid or header.sop_uid)


def is_localizer(picture: Slice) -> bool:
    """Whether it is a scout view for planning the scan."""
    return "LOCALIZER" in picture.header.image_type or _kinds(picture)[0]


def is_mosaic(picture: Slice) -> bool:
    """Whether it holds the slices of a whole volume side by side, so that its position is not theirs."""
    return _kinds(picture)[1]


def _kinds(picture: Slice) -> tuple[bool, bool, str]:
    """What its image type, its frame's where it has one, says: localizer, mosaic, how made from others."""
    return _kinds_said(_said(picture, "FrameType") or _said(picture, "ImageType"))


def _said(picture: Slice, mark: str) -> str:
    """What a picture says of a mark; "" when nothing."""
    for name, value in picture.marks:
        if name == mark:
            return value
    return ""


@lru_cache(maxsize=1000)
def _kinds_said(image_type: str) -> tuple[bool, bool, str]:
    words = image_type.upper().split("\\")
    made = " ".join(word for word in words if word in REFORMATTED)
    return "LOCALIZER" in words, "MOSAIC" in words, made


def _kind(picture: Slice) -> Hashable:
    header = picture.header
    about = (header.frame_uid, header.sop_class, header.rows, header.columns, header.samples)
    localizer, mosaic, made = _kinds(picture)
    localizer |= "LOCALIZER" in header.image_type
    return (*series_key(picture), *about, localizer, mosaic, made)


def _told_apart(slices: list[Slice]) -> list[list[Slice]]:
    """The pictures by kernel, echo and b-value; one that does not state its own joins the most."""
    groups = [slices]
    for mark in KINDS:
        groups = [part for group in groups for part in _by(mark, group)]
    return groups


def _by(mark: str, slices: list[Slice]) -> list[list[Slice]]:
    parts: dict[str, list[Slice]] = {}
    for picture in slices:
        parts.setdefault(_said(picture, mark), []).append(picture)
    silent = parts.pop("", [])
    if not parts:
        return [silent]
    max(parts.values(), key=len).extend(silent)
    return list(parts.values())


def _clusters(slices: Sequence[Slice]) -> list[list[Slice]]:
    clusters = list[list[Slice]]()
    loose = list[Slice]()
    for picture in slices:
        if placed(picture):
            loose.append(picture)
            continue
        for cluster in clusters:
            if _alike(cluster[0], picture):
                cluster.append(picture)
                break
        else:
            clusters.append([picture])
    clusters = _with_strays(clusters)
    if loose and clusters:
        max(clusters, key=len).extend(loose)
    elif loose:
        clusters.append(loose)
    return clusters


def _with_strays(clusters: list[list[Slice]]) -> list[list[Slice]]:
    """The clusters, those of another pixel spacing put to the volume between whose slices they lie.

    Two volumes of one direction may differ in pixel spacing when they share planes (reconstructed
    twice) or lie one behind the other; else the files contradict each other.
    """
    whole = list[list[Slice]]()
    for cluster in sorted(clusters, key=len, reverse=True):
        home = next((other for other in whole if _strays(cluster, other)), None)
        if home is None:
            whole.append(cluster)
        else:
            home.extend(cluster)
    return whole


def _strays(cluster: list[Slice], other: list[Slice]) -> bool:
    if not _parallel(cluster[0], other[0]):
        return False
    axes = axes_of(other[:1])
    mine, theirs = (np.sort(places(part, axes)[:, 2]) for part in (cluster, other))
    if np.abs(mine[:, None] - theirs[None]).min() < SAME_PLACE_MM:
        return False
    return len(mine) == 1 or bool(mine[0] < theirs[-1] and theirs[0] < mine[-1])


def _alike(one: Slice, other: Slice) -> bool:
    """Whether two placed pictures have one direction and one pixel spacing."""
    return _parallel(one, other) and same_spacing(one, other)


def _parallel(one: Slice, other: Slice) -> bool:
    if one.directions is None or other.directions is None:
        return False
    if one.directions == other.directions:
        return True
    return max(abs(a - b) for a, b in zip(one.directions, other.directions, strict=True)) <= SAME_DIRECTION


def same_spacing(one: Slice, other: Slice) -> bool:
    """Whether two pictures state one pixel spacing."""
    if one.spacing is None or other.spacing is None:
        return False
    if one.spacing == other.spacing:
        return True
    return max(abs(a / b - 1) for a, b in zip(one.spacing, other.spacing, strict=True)) <= SAME_SPACING
