"""From a group of pictures to a volume that can be read, or to the reason why it cannot."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..errors import BadInput
from .geometry import SAME_PLACE_MM, Layout, axes_of, laid_out, placed, places
from .groups import grouped, is_localizer, series_key
from .headers import Slice
from .patients import mixed_series
from .pixels import MAX_VOXELS, known_name, pixel_fault
from .series import Series

Fingerprint = Callable[[Slice], bytes]
"""Gives equal bytes for pictures with equal pixels."""

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
    images = Counter(series_key(group[0]) for group in groups if not _no_volume(group[0]))
    found = list[Series]()
    for group in groups:
        key = series_key(group[0])
        if key in mixed:
            reason = f"its images are of more than one patient (they differ in {mixed[key]}): sort them first"
            found.append(_unusable(group, reason))
        else:
            found += _candidates(group, images[key] == 1, fingerprint)
    return _named_apart(found)


def _candidates(group: Sequence[Slice], alone: bool, fingerprint: Fingerprint) -> list[Series]:
    """The volumes of a group: one, or one for each phase where positions repeat.

    alone: whether the series holds no other images (a single slice is then a volume)
    """
    try:
        _require_images(group)
        kept, dropped = _without_copies(group, fingerprint)
        phases = _phases(kept)
    except BadInput as problem:
        return [_unusable(group, str(problem))]
    return [_candidate(phase, alone, (*dropped, *label)) for phase, label in phases]


def _candidate(slices: Sequence[Slice], alone: bool, warnings: tuple[str, ...]) -> Series:
    try:
        if len(slices) == 1 and not alone:
            raise BadInput("it is a single image beside others of its series, not a volume")
        layout = laid_out(slices)
        if layout.shape_kji[0] * layout.shape_kji[1] * layout.shape_kji[2] > MAX_VOXELS:
            raise BadInput(f"it has {layout.shape_kji} voxels: too large to be read")
    except BadInput as problem:
        return _unusable(slices, str(problem))
    ordered = tuple(slices[n] for n in layout.order)
    told = (*warnings, *_warnings(ordered, layout, whole_series=alone and not warnings))
    return replace(
        _unusable(ordered, ""),
        shape_kji=layout.shape_kji,
        spacing_kji=layout.spacing_kji,
        kji_to_lps=layout.kji_to_lps,
        usable=True,
        warnings=told,
        layout=layout,
    )


def _unusable(slices: Sequence[Slice], reason: str) -> Series:
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
        warnings=(),
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
    return "it is a localizer (scout view), not a volume" if is_localizer(picture) else ""


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


def _without_copies(group: Sequence[Slice], fingerprint: Fingerprint) -> tuple[list[Slice], tuple[str, ...]]:
    """The pictures without those that are there twice, and a warning when there were any."""
    kept = list[Slice]()
    for crowd in _by_place(group):
        if len(crowd) == 1:
            kept += crowd
        else:
            kept += {fingerprint(picture): picture for picture in reversed(crowd)}.values()
    dropped = len(group) - len(kept)
    if not dropped:
        return list(group), ()
    what = "1 image that is" if dropped == 1 else f"{dropped} images that are"
    return kept, (f"{what} there twice with the same pixels left out",)


def _by_place(slices: Sequence[Slice]) -> list[list[Slice]]:
    """The pictures in runs of one place, in order along their normal."""
    along = places(slices, axes_of(slices))
    crowds, last = list[list[Slice]](), None
    for n in sorted(range(len(slices)), key=lambda n: (round(along[n, 2], 3), n)):
        if last is not None and abs(along[n] - along[last]).max() < SAME_PLACE_MM:
            crowds[-1].append(slices[n])
        else:
            crowds.append([slices[n]])
        last = n
    return crowds


def _phases(slices: Sequence[Slice]) -> list[tuple[list[Slice], tuple[str, ...]]]:
    """The pictures as one volume, or as one for each phase where positions repeat, each with a warning.

    Raises BadInput when they repeat and no mark tells the phases apart.
    """
    crowded = next((crowd for crowd in _by_place(slices) if len(crowd) > 1), None)
    if crowded is None:
        return [(list(slices), ())]
    for n, (mark, _) in enumerate(slices[0].marks):
        parts: dict[str, list[Slice]] = {}
        for picture in slices:
            parts.setdefault(picture.marks[n][1], []).append(picture)
        if len(parts) > 1 and all(max(map(len, _by_place(part))) == 1 for part in parts.values()):
            several = f"the series holds {len(parts)} volumes; this is the one with {mark}"
            return [(part, (f"{several} {value or '(none)'}",)) for value, part in sorted(parts.items())]
    first, second = crowded[:2]
    at = float(places([first], axes_of(slices))[0, 2])
    raise BadInput(
        f"{first.header.member.name} and {second.header.member.name} lie at one place"
        f" ({at:.2f} mm along the stack) and show different images: give only one of them"
    )


def _warnings(slices: Sequence[Slice], layout: Layout, whole_series: bool) -> list[str]:
    one, told = slices[0].header, list[str]()
    if layout.tilt_degrees:
        told.append(
            f"the gantry was tilted by {layout.tilt_degrees:.1f} degrees:"
            " the pictures are moved within their planes to put the scan upright"
        )
    if len(slices) == 1:
        told.append(f"a single slice: its thickness of {slices[0].thickness:g} mm stands for the spacing")
    if one.photometric == "MONOCHROME1":
        told.append("stored for inverted display (MONOCHROME1); the values are kept as they are measured")
    if any(picture.slope == 0 for picture in slices):
        told.append("a rescale slope of 0 is taken as 1")
    if one.modality == "CT" and not in_hounsfield(slices):
        told.append("its values are not stated to be Hounsfield units: choose thresholds by eye")
    if any(picture.header.lossy for picture in slices):
        told.append("compressed with loss: fine detail may be changed")
    if any(picture.header.burned_in for picture in slices):
        told.append("text is burned into the pixels")
    if not one.frame_uid:
        told.append("no Frame of Reference UID: it shares its space with no other series")
    if whole_series and one.expected > len(slices):
        told.append(
            f"the scanner made {one.expected} images and {len(slices)} are here: an end may be missing"
        )
    return told


def in_hounsfield(slices: Sequence[Slice]) -> bool:
    """Whether the values are stated to be Hounsfield units."""
    return slices[0].header.modality == "CT" and all(picture.hounsfield for picture in slices)


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
