"""A closed surface parted along parallel planes: only the triangles that a plane crosses are touched.

The work on each point and triangle is to see between which planes it lies; all else grows with the section.
Every other point and triangle stays as it was. What is too close to a plane to be decided in this simple way
is left to the geometry engine.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...values import BoolArray, FloatArray, FloatsArray, IntArray, Mesh, given_away
from ..storing import VOLUMES_AGREE, doubled, enclosed, merged, rounded, rows_of, same_places
from .section import each_way_once, level

_NOWHERE = 255
_UNSEEN = np.uint8(128)
Layers = NDArray[np.uint8]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class _Sorted:
    """Where a surface lies between parallel planes.

    points: (n,) number of planes below each point; _NOWHERE for one that no triangle uses
    triangles: (m,) the same for the first corner of each triangle
    whole: (m,) triangles that no plane crosses
    """

    points: Layers
    triangles: Layers
    whole: BoolArray


@dataclass(frozen=True)
class _Seam:
    """The triangles that planes cross, parted; they have points of their own.

    rows: which points of the surface come first
    points: (n, 3) float64 mm, those points, and then those of the rims
    shells: the triangles of each piece, the uppermost first
    caps: what closes the piece above each plane; turned round it closes the one below
    """

    rows: Rows
    points: FloatArray
    shells: list[IntArray]
    caps: list[IntArray]


def parted(mesh: Mesh, away: FloatArray, normal: FloatArray, heights: tuple[float, ...]) -> list[Mesh] | None:
    """The pieces of a closed surface between parallel planes, the uppermost first, each closed.

    mesh: a surface without open edges
    away: (n,) how far its points lie above one such plane, mm
    normal: unit vector
    heights: of the planes above that one, from the highest to the lowest, mm
    Returns as many meshes as there are planes and one more; they share the corners of their cuts bit for bit,
    and their volumes add up to that of the whole; None when an edge lies in a plane, a section cannot be
    filled, or a piece would enclose nothing.
    Raises StepFailed when the surface runs through itself, or is inside out, where it is cut.
    """
    found = _sorted(mesh, away, heights)
    rows, crossed = _numbered_anew(mesh.triangles[~found.whole], len(away))
    seam = _seam(mesh, rows, crossed, away, normal, heights)
    if seam is None:
        return None
    stored = rounded(seam.points, np.concatenate(seam.shells))
    same = same_places(stored, np.concatenate([*seam.shells, *seam.caps]), len(rows))
    if same is not None:
        shells, caps = ([merged(one, same) for one in some] for some in (seam.shells, seam.caps))
        seam = replace(seam, shells=shells, caps=caps)
        if not _still_closed(mesh, found, seam, same):
            return None
    left = np.arange(len(stored)) if same is None else np.flatnonzero(same == np.arange(len(same)))
    if (left[doubled(stored[left])] >= len(rows)).any():  # a file that joins equal points would open there
        return None
    pieces = [
        _piece(mesh, found, len(heights) - number, seam, stored, triangles)
        for number, triangles in enumerate(_closed_with_caps(seam))
    ]
    gained = enclosed(stored[np.concatenate(seam.shells)] - seam.points[0])
    gained -= enclosed(stored[crossed] - seam.points[0])
    return pieces if _add_up(pieces, gained) else None


def _sorted(mesh: Mesh, away: FloatArray, heights: tuple[float, ...]) -> _Sorted:
    layer = np.zeros(len(away), np.uint8)
    for height in heights:
        layer += away > height
    used = np.zeros(len(away), np.bool_)
    used[mesh.triangles[:, 0]] = True
    layer[~used] |= _UNSEEN
    corners = layer.take(mesh.triangles.ravel())
    a, b, c = (corners[start::3] for start in range(3))
    if not used.all():  # most of these are a second or a third corner
        layer[mesh.triangles[(b | c) >= _UNSEEN]] &= ~_UNSEEN
        layer[layer >= _UNSEEN] = _NOWHERE
        b, c = b & ~_UNSEEN, c & ~_UNSEEN
    return _Sorted(layer, a, (a == b) & (b == c))


def _numbered_anew(triangles: IntArray, count: int) -> tuple[Rows, IntArray]:
    """The points that triangles use, in their order, and the triangles with numbers among these."""
    used = np.zeros(count, np.bool_)
    used[triangles] = True
    rows, number = np.flatnonzero(used), np.empty(count, np.int32)
    number[rows] = np.arange(len(rows))
    return rows, number[triangles]


def _seam(
    mesh: Mesh,
    rows: Rows,
    crossed: IntArray,
    away: FloatArray,
    normal: FloatArray,
    heights: tuple[float, ...],
) -> _Seam | None:
    points, away, rest = mesh.points[rows].astype(np.float64), away[rows], crossed
    shells, caps = [], []
    for height in heights:
        found = level(points, rest, away - height, normal)
        if found is None:
            return None
        points, rest = np.concatenate([points, found.rim]), found.lower
        away = np.concatenate([away, np.full(len(found.rim), height)])
        shells.append(found.upper)
        caps.append(found.cap)
    return _Seam(rows, points, [*shells, rest], caps)


def _closed_with_caps(seam: _Seam) -> list[IntArray]:
    """The triangles of each piece with those of its caps, the uppermost first."""
    above, below = [[cap[:, ::-1]] for cap in seam.caps], [[cap] for cap in seam.caps]
    pieces = zip(seam.shells, [[], *above], [*below, []], strict=True)
    return [np.concatenate([shell, *over, *under]) for shell, over, under in pieces]


def _piece(
    mesh: Mesh, found: _Sorted, layer: int, seam: _Seam, stored: FloatsArray, triangles: IntArray
) -> Mesh:
    """The closed piece in one layer: what no plane crosses as it was, and these triangles of the seam."""
    kept = found.points == layer
    number = np.cumsum(kept, dtype=np.int32) - 1
    points, shell = (
        rows_of(mesh.points, kept),
        rows_of(mesh.triangles, found.whole & (found.triangles == layer)),
    )
    own, rim = np.flatnonzero(kept[seam.rows]), np.zeros(len(stored), np.bool_)
    rim[triangles] = True
    rim[own] = False
    behind = len(points) - 1 + np.cumsum(rim, dtype=np.int32)
    behind[own] = number[seam.rows[own]]
    joined = np.empty((len(shell) + len(triangles), 3), np.int32)
    number.take(shell, out=joined[: len(shell)], mode="clip")
    behind.take(triangles, out=joined[len(shell) :], mode="clip")
    return Mesh(given_away(np.concatenate([points, stored[rim]])), given_away(joined))


def _add_up(pieces: list[Mesh], gained: float) -> bool:
    """Whether each piece encloses something, and all together what the whole does.

    gained: by how much the triangles of the seam enclose more than those that were there before, mm³; all
        others are in one piece each, with the same corners, so the volumes differ by nothing else
    """
    volumes = [piece.volume_mm3 for piece in pieces]
    return min(volumes) > 0 and abs(gained) <= VOLUMES_AGREE * sum(volumes)


def _still_closed(mesh: Mesh, found: _Sorted, seam: _Seam, same: IntArray) -> bool:
    """Whether the pieces are closed after points of the rims became one; corners left alone drop out.

    A triangle that was taken out had two points of a rim that became one, or one that became a corner of
    its own. So an edge between two corners that no point of a rim became has its two triangles as before.
    The other edges are counted: those that end on a rim, on a corner that took in a point of it, or on one
    that has no triangles of its layer left in the seam. All triangles at these are known: those of the seam,
    and those beside it, which are looked for.
    """
    count, first = len(seam.rows), len(mesh.points)
    left = np.zeros(len(same), np.bool_)
    for number, shell in enumerate(seam.shells):
        left[shell[found.points[seam.rows[np.minimum(shell, count - 1)]] == len(seam.caps) - number]] = True
    looked_at = ~left
    looked_at[same[count:]] = True
    corners = seam.rows[looked_at[:count]]
    looked_at[count:] = True
    names = np.concatenate([seam.rows, first + np.arange(len(same) - count)])
    known, beside = np.zeros(first + len(same), np.bool_), mesh.triangles[:0]
    known[names[looked_at]] = True
    if len(corners):
        a, b, c = (known.take(mesh.triangles.ravel())[start::3] for start in range(3))
        beside = mesh.triangles[(a | b | c) & found.whole]
        left_alone = np.setdiff1d(corners, np.concatenate([beside.ravel(), names[:count][left[:count]]]))
        found.points[left_alone] = _NOWHERE
    layers = found.points[beside[:, 0]]
    for number, piece in enumerate(_closed_with_caps(seam)):
        triangles = np.concatenate([names[piece], beside[layers == len(seam.caps) - number]])
        starts, ends = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
        counted = known[starts] | known[ends]
        if not each_way_once(starts[counted], ends[counted], len(known)):
            return False
    return True
