"""From a group of pictures to a volume that can be read, or to the reason why it cannot."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ...errors import BadInput, Usage
from .crowds import Fingerprint, crowds_of, volumes_in
from .geometry import laid_out, named, placed
from .groups import grouped, is_localizer, is_mosaic, same_spacing, series_key
from .headers import Slice
from .issues import CHOICES, duplicates, missing
from .patients import mixed_series, whose
from .pixels import MAX_VOXELS, known_name, pixel_fault
from .remarks import remarks
from .series import Series

DICOMDIR = "1.2.840.10008.1.3.10"
VOLUME_CLASSES: Mapping[str, str] = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "Enhanced CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "Legacy Converted Enhanced CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "Enhanced MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "Legacy Converted Enhanced MR",
    "1.2.840.10008.5.1.4.1.1.13.1.1": "X-Ray 3D Angiographic",
    "1.2.840.10008.5.1.4.1.1.13.1.2": "X-Ray 3D Craniofacial",
    "1.2.840.10008.5.1.4.1.1.128": "PET",
    "1.2.840.10008.5.1.4.1.1.128.1": "Legacy Converted Enhanced PET",
    "1.2.840.10008.5.1.4.1.1.130": "Enhanced PET",
}


def found_in(slices: Sequence[Slice], fingerprint: Fingerprint) -> list[Series]:
    """All series among these pictures, largest usable one first, each with a UID of its own.

    slices: the pictures of all files
    fingerprint: compares pictures that lie at one place; called for those only
    """
    mixed = mixed_series(slices)
    groups = grouped(slices)
    images = [group for group in groups if not _no_volume(group[0])]
    volumes = Counter(series_key(group[0]) for group in images)
    pictures = Counter(series_key(picture) for group in images for picture in group)
    found = list[Series]()
    for group in groups:
        key = series_key(group[0])
        if key in mixed:
            reason = f"its images are of more than one patient (they differ in {mixed[key]}): sort them first"
            found.append(_unusable(group, reason))
        else:
            found += _candidates(group, volumes[key] == 1, pictures[key] - len(group), fingerprint)
    return _named_apart(found)


def accepted(series: Series, choices: Collection[str]) -> Series:
    """The series made usable by what a person accepts; unchanged when it is usable anyway.

    series: from a scan
    choices: words of CHOICES; those that this series does not need change nothing
    Raises Usage for a word that is no choice, BadInput when the series is not usable with these.
    """
    if unknown := set(choices) - set(CHOICES):
        raise Usage(f"{sorted(unknown)[0]!r} cannot be accepted; there are: {', '.join(CHOICES)}")
    if series.usable:
        return series
    if not series.choices or not set(series.choices) <= set(choices):
        raise BadInput(f"this series cannot be used: {series.reason}")
    made = _candidate(series.slices, False, series.warnings, frozenset(choices))
    return replace(made, uid=series.uid)


def _candidates(group: Sequence[Slice], alone: bool, others: int, fingerprint: Fingerprint) -> list[Series]:
    """The volumes of a group: one, or one for each phase where positions repeat.

    alone: whether the series holds no other group of images (a single slice is then a volume)
    others: number of images of the series in other groups
    """
    try:
        _require_images(group)
        parts = volumes_in(group, fingerprint)
    except BadInput as problem:
        return [_unusable(group, str(problem))]
    beside: tuple[str, ...] = ()
    if others:
        told = "1 more image of the series is" if others == 1 else f"{others} more images of the series are"
        beside = (f"{told} not in this volume, but listed apart",)
    most = max(len(part) for part, _ in parts)
    return [_candidate(part, alone and len(part) == most, (*label, *beside)) for part, label in parts]


def _candidate(
    slices: Sequence[Slice],
    alone: bool,
    warnings: tuple[str, ...],
    choices: Collection[str] = (),
) -> Series:
    """The volume of these pictures, or why there is none; `choices` are what a person accepts."""
    try:
        if len(slices) == 1 and not alone:
            raise BadInput("it is a single image beside others of its series, not a volume")
        crowds = crowds_of(slices)
        firsts = [crowd[0] for crowd in crowds]
        layout = laid_out(firsts)
        if layout.shape_kji[0] * layout.shape_kji[1] * layout.shape_kji[2] > MAX_VOXELS:
            raise BadInput(f"it has {layout.shape_kji} voxels: too large to be read")
    except BadInput as problem:
        return _unusable(slices, str(problem), warnings)
    ordered = tuple(firsts[n] for n in layout.order)
    issues = [issue for issue in (missing(ordered, layout), duplicates(crowds)) if issue]
    needed = tuple(issue.choice for issue in issues)
    if not set(needed) <= set(choices):
        reasons = "; ".join(issue.reason for issue in issues)
        return replace(_unusable(slices, reasons, warnings), choices=needed)
    notices = (issue.notice for issue in issues)
    told = remarks(ordered, layout, whole_series=alone and not warnings)
    return replace(
        _unusable(ordered, ""),
        shape_kji=layout.shape_kji,
        spacing_kji=layout.spacing_kji,
        kji_to_lps=layout.kji_to_lps,
        usable=True,
        warnings=(*warnings, *notices, *told),
        identity=whose(slices),
        layout=layout,
        accepted={issue.choice: issue.words for issue in issues},
    )


def _unusable(slices: Sequence[Slice], reason: str, warnings: tuple[str, ...] = ()) -> Series:
    one = slices[0].header
    return Series(
        uid=one.series_uid or one.sop_uid,
        modality=one.modality,
        description=one.description or ("DICOMDIR" if one.sop_class == DICOMDIR else ""),
        shape_kji=(len(slices), one.rows, one.columns),
        spacing_kji=(0.0, 0.0, 0.0),
        kji_to_lps=None,
        frame_uid=one.frame_uid or one.series_uid,
        transfer_syntax=one.transfer_syntax,
        usable=False,
        reason=reason,
        warnings=warnings,
        identity=one.identity,
        files=tuple(dict.fromkeys(picture.header.member for picture in slices)),
        slices=tuple(slices),
        layout=None,
    )


def _no_volume(picture: Slice) -> str:
    """Why a picture is of a kind that is no part of a volume; "" when it may be one."""
    sop_class = picture.header.sop_class
    if sop_class == DICOMDIR:
        return "it is an index of a medium, not a scan; what lies on the medium is listed by itself"
    if sop_class not in VOLUME_CLASSES:
        return f"it is no scan but an object of the kind {known_name(sop_class)}"
    if is_localizer(picture):
        return "it is a localizer (scout view), not a volume"
    if is_mosaic(picture):
        return (
            "it is a mosaic, many slices side by side in one picture, which is not read: export it unpacked"
        )
    return ""


def _require_images(group: Sequence[Slice]) -> None:
    """Raise BadInput unless these are pictures of known place, all of a kind that holds volumes."""
    if kind := _no_volume(group[0]):
        raise BadInput(kind)
    seen = dict.fromkeys(picture.header for picture in group)
    faults = [(h.member.name, h.fault if h.fault and not h.rows else pixel_fault(h) or h.fault) for h in seen]
    faults += [(picture.header.member.name, placed(picture)) for picture in group]
    faults = [(name, fault) for name, fault in faults if fault]
    if faults:
        count = len({name for name, _ in faults})
        others = "" if count == 1 else f" (as are {count - 1} more of its files)"
        raise BadInput(f"{faults[0][0]} cannot be used{others}: {faults[0][1]}")
    _require_one_pixel_spacing(group)


def _require_one_pixel_spacing(group: Sequence[Slice]) -> None:
    first = group[0]
    other = next((picture for picture in group if not same_spacing(first, picture)), None)
    if other is not None and first.spacing and other.spacing:
        (a, b), (c, d) = first.spacing, other.spacing
        raise BadInput(
            f"its images contradict each other: {named(first)} has pixels of {a:g} x {b:g} mm"
            f" and {named(other)} of {c:g} x {d:g} mm"
        )


def _named_apart(found: Sequence[Series]) -> list[Series]:
    """The series in order of use, largest first, each with a UID of its own."""

    def use(series: Series) -> tuple[bool, int, bool]:
        k, j, i = series.shape_kji
        return (not series.usable, -k * j * i, series.slices[0].header.lossy)

    ranked = sorted(found, key=use)
    counts: dict[str, int] = {}
    named = list[Series]()
    for series in ranked:
        count = counts[series.uid] = counts.get(series.uid, 0) + 1
        named.append(series if count == 1 else replace(series, uid=f"{series.uid}#{count}"))
    return named
