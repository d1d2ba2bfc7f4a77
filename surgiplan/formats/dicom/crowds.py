"""Pictures that lie at one place: copies, phases of one scan, or duplicates."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from ...errors import BadInput
from ..sources import Member
from .geometry import SAME_PLACE_MM, axes_of, places
from .headers import Slice

Fingerprint = Callable[[Slice], bytes]
"""Gives equal bytes for pictures with equal pixels."""
Labelled = tuple[list[Slice], tuple[str, ...]]
MARKS_AT_ONCE = 2
HOW_STORED = "TransferSyntaxUID"


def crowds_of(slices: Sequence[Slice]) -> list[list[Slice]]:
    """The pictures of each place, in order along the normal; in a place by instance number, else as given."""
    along = places(slices, axes_of(slices))
    order = np.argsort(np.round(along[:, 2], 3), kind="stable")
    here = np.abs(np.diff(along[order], axis=0)).max(axis=1) < SAME_PLACE_MM
    crowds = list[list[Slice]]()
    for n, with_last in zip(order.tolist(), [False, *here.tolist()], strict=True):
        if with_last:
            crowds[-1].append(slices[n])
        else:
            crowds.append([slices[n]])
    return [sorted(crowd, key=_instance) if len(crowd) > 1 else crowd for crowd in crowds]


def _instance(picture: Slice) -> tuple[bool, int, int]:
    number = picture.header.instance
    return (number is None, number or 0, picture.frame)


def volumes_in(slices: Sequence[Slice], fingerprint: Fingerprint) -> list[Labelled]:
    """The pictures as one volume, or as one for each phase where positions repeat, each with its warnings.

    Phases are told apart by the first mark, else the first two together, that leave one picture at
    each place. Pixels are compared only where no mark does: two phases may well share an empty slice.
    Copies are then dropped; what still lies at one place stays together, for a person to decide.
    Raises BadInput when that is so at most places: a choice of one for each would be a guess.
    """
    crowds = crowds_of(slices)
    if max(map(len, crowds)) == 1:
        return [(list(slices), ())]
    if parts := _told_apart(slices, crowds, 2, {HOW_STORED}):
        return parts
    kept, warnings = _without_copies(slices, crowds, fingerprint)
    crowds = crowds_of(kept)
    most = max(map(len, crowds))
    if most > 1:
        if parts := _told_apart(kept, crowds, 1, set()):
            return [(part, (*warnings, *label)) for part, label in parts]
        if sum(len(crowd) > 1 for crowd in crowds) * 2 > len(crowds):
            raise BadInput(
                f"up to {most} different images lie at one place, at most of its places, and nothing tells"
                " them apart: give only one of its volumes"
            )
    return [(kept, warnings)]


def _without_copies(
    slices: Sequence[Slice], crowds: Sequence[Sequence[Slice]], fingerprint: Fingerprint
) -> Labelled:
    """The pictures without those that are there twice, and a warning when there were any."""
    kept = list[Slice]()
    for crowd in crowds:
        if len(crowd) == 1:
            kept += crowd
        else:
            kept += {fingerprint(picture): picture for picture in reversed(crowd)}.values()
    dropped = len(slices) - len(kept)
    if not dropped:
        return list(slices), ()
    what = "1 image that is" if dropped == 1 else f"{dropped} images that are"
    return kept, (f"{what} there twice with the same pixels left out",)


def _told_apart(
    slices: Sequence[Slice], crowds: Sequence[Sequence[Slice]], least: int, unheard: Collection[str]
) -> list[Labelled]:
    """The phases, of at least so many pictures each; none when no marks but the unheard tell them apart.

    Marks that give as many phases as there are pictures at one place go before marks that give others.
    """
    most = max(map(len, crowds))
    place = {_key(picture): n for n, crowd in enumerate(crowds) for picture in crowd}

    def apart(parts: Mapping[tuple[str, ...], Sequence[Slice]]) -> bool:
        return all(
            len(part) >= least and len({place[_key(picture)] for picture in part}) == len(part)
            for part in parts.values()
        )

    found = [(marks, parts) for marks, parts in _splits(slices, unheard) if apart(parts)]
    complete = [split for split in found if len(split[1]) == most]
    larger = [split for split in found if min(map(len, split[1].values())) > 1]
    if not (complete or larger):
        return []
    marks, parts = (complete or larger)[0]
    several = f"the series holds {len(parts)} volumes; this is the one with"
    return [
        (part, (f"{several} {_label(marks, values)}",))
        for values, part in sorted(parts.items(), key=lambda item: list(map(_natural, item[0])))
    ]


def _key(picture: Slice) -> tuple[Member, int]:
    return (picture.header.member, picture.frame)


def _splits(
    slices: Sequence[Slice], unheard: Collection[str]
) -> Iterator[tuple[tuple[str, ...], dict[tuple[str, ...], list[Slice]]]]:
    """The pictures by the values of one mark, of the next, and so on, then of each two together."""
    telling = [
        n
        for n, (name, _) in enumerate(slices[0].marks)
        if name not in unheard and len({picture.marks[n][1] for picture in slices}) > 1
    ]
    for count in range(1, MARKS_AT_ONCE + 1):
        for chosen in combinations(telling, count):
            parts: dict[tuple[str, ...], list[Slice]] = {}
            for picture in slices:
                parts.setdefault(tuple(picture.marks[n][1] for n in chosen), []).append(picture)
            yield tuple(slices[0].marks[n][0] for n in chosen), parts


def _label(marks: tuple[str, ...], values: tuple[str, ...]) -> str:
    return ", ".join(f"{mark} {value or '(none)'}" for mark, value in zip(marks, values, strict=True))


def _natural(value: str) -> tuple[bool, float, str]:
    """Numbers by their size, before words."""
    try:
        return (False, float(value), "")
    except ValueError:
        return (True, 0.0, value)
