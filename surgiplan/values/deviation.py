"""How true a surface is to what it was made from."""

from dataclasses import dataclass, field

UNSET_IS_LEFT_OUT = {"unset is left out": True}
"""Marks a field that came later: at its default, the bytes and the digest of a value stay as before."""


@dataclass(frozen=True)
class Deviation:
    """How far a surface made from a scan lies from the grey edge and from its mask.

    All lengths in mm without sign, over the area of the surface, at places spread evenly over it.

    edge_mean_mm, edge_p95_mm, edge_max_mm: along the normal to where the linearly interpolated grey value
        equals the level; None where no level is known or no edge was found
    edge_share: share (0 to 1) of the area that has such an edge within the largest voxel spacing; the rest
        was painted, cut off, or lies at the rim of the scan
    mask_mean_mm, mask_p95_mm, mask_max_mm: to the nearest face between a chosen voxel and one that is not
    volume_percent: enclosed volume against that of the chosen voxels; positive when it is larger
    way: "grey" where the surface follows the grey values, "smoothed" where noise would have made that worse
    noise_mm: how far the noise of the scan alone moves the edge (standard deviation); None without a level
    """

    edge_mean_mm: float | None
    edge_p95_mm: float | None
    edge_max_mm: float | None
    edge_share: float
    mask_mean_mm: float
    mask_p95_mm: float
    mask_max_mm: float
    volume_percent: float
    way: str | None = field(default=None, metadata=UNSET_IS_LEFT_OUT)
    noise_mm: float | None = field(default=None, metadata=UNSET_IS_LEFT_OUT)


@dataclass(frozen=True)
class Change:
    """How far a smoothed, decimated, remeshed or repaired shape lies from the one it came from.

    mean_mm, p95_mm, max_mm: distance without sign, the larger of both ways, over the area of the surfaces
    shift_mm: mean distance with sign; positive where the new surface lies outside the old one
    volume_percent: enclosed volume against before; positive when it has become larger. None where the
        shape before enclosed none
    done: what was done, one sentence with its numbers for each
    """

    mean_mm: float
    p95_mm: float
    max_mm: float
    shift_mm: float
    volume_percent: float | None
    done: tuple[str, ...] = ()
