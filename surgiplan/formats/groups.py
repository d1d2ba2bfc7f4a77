"""Which pictures belong together: by what the headers say, never by folder or file name."""

from collections.abc import Hashable, Iterable, Sequence

from .geometry import placed
from .headers import Slice

SAME_DIRECTION = 0.01
SAME_SPACING = 1e-4


def grouped(slices: Iterable[Slice]) -> list[list[Slice]]:
    """Sort pictures into candidate volumes.

    One volume has one study, series, frame of reference, kind of object, matrix, pixel spacing and
    direction; localizers stand apart. A picture whose place is not known joins the largest volume it
    could belong to, so that it is never left out of it unnoticed.
    """
    kinds: dict[Hashable, list[Slice]] = {}
    for picture in slices:
        kinds.setdefault(_kind(picture), []).append(picture)
    return [group for kind in kinds.values() for group in _clusters(kind)]


def series_key(picture: Slice) -> tuple[str, str]:
    """Study and series a picture says it belongs to."""
    header = picture.header
    return (header.identity.study_uid, header.series_uid or header.sop_uid)


def is_localizer(picture: Slice) -> bool:
    """Whether it is a scout view for planning the scan."""
    return "LOCALIZER" in picture.header.image_type


def _kind(picture: Slice) -> Hashable:
    header = picture.header
    about = (header.frame_uid, header.sop_class, header.rows, header.columns, header.samples)
    return (*series_key(picture), *about, is_localizer(picture))


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
    if loose and clusters:
        max(clusters, key=len).extend(loose)
    elif loose:
        clusters.append(loose)
    return clusters


def _alike(one: Slice, other: Slice) -> bool:
    """Whether two placed pictures have one direction and one pixel spacing."""
    if one.directions is None or other.directions is None or one.spacing is None or other.spacing is None:
        return False
    turned = max(abs(a - b) for a, b in zip(one.directions, other.directions, strict=True))
    scaled = max(abs(a / b - 1) for a, b in zip(one.spacing, other.spacing, strict=True))
    return turned <= SAME_DIRECTION and scaled <= SAME_SPACING
