"""A closed surface parted along parallel planes: only the triangles that a plane crosses are touched.

The work on each point and triangle is to see between which planes it lies; all else grows with the section.
Every other point and triangle stays as it was. What is too close to a plane to be decided in this simple way
is left to the geometry engine.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...values import IDENTITY, FloatArray, IntArray, Mesh, Part, Plane, given_away
from ..storing import VOLUMES_AGREE, doubled, enclosed, merged, rounded, same_places
from .layers import USED, LayerArray, Layers, Rows, beside, put_together, sorted_triangles
from .section import each_way_once, level


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


def parted(part: Part, plane: Plane, layers: Layers) -> list[Mesh] | None:
    """The pieces of a closed surface between parallel planes, the uppermost first, each closed.

    part: a body without open edges
    plane: one such plane, LPS mm
    layers: the planes, and where the points of the body lie between them
    Returns as many meshes as there are planes and one more, in patient coordinates; they share the corners
    of their cuts bit for bit, and their volumes add up to that of the whole; None when an edge lies in a
    plane, a section cannot be filled, or a piece would enclose nothing.
    Raises StepFailed when the surface runs through itself, or is inside out, where it is cut.
    """
    mesh, pieces = _placed(part), len(layers.heights) + 1
    counts, split = sorted_triangles(mesh.triangles, layers.points, pieces)
    rows, crossed = _numbered_anew(mesh.triangles[split], len(mesh.points))
    seam = _seam(mesh, rows, crossed, layers.above(part.mesh, rows), layers.heights, plane)
    if seam is None:
        return None
    stored = given_away(rounded(seam.points, np.concatenate(seam.shells)))
    same = same_places(stored, np.concatenate([*seam.shells, *seam.caps]), len(rows))
    if same is not None:
        shells, caps = ([merged(one, same) for one in some] for some in (seam.shells, seam.caps))
        seam = replace(seam, shells=shells, caps=caps)
        if not _still_closed(mesh, layers.points, seam, same):
            return None
    left = np.arange(len(stored)) if same is None else np.flatnonzero(same == np.arange(len(same)))
    if (left[doubled(stored[left])] >= len(rows)).any():  # a file that joins equal points would open there
        return None
    gained = enclosed(stored, np.concatenate(seam.shells), seam.points[0])
    gained -= enclosed(stored, crossed, seam.points[0])
    bodies = put_together(mesh, layers.points, counts, rows, stored, _closed_with_caps(seam)[::-1])
    return [body for body, _ in bodies[::-1]] if _add_up([volume for _, volume in bodies], gained) else None


def _placed(part: Part) -> Mesh:
    """The surface of a part in patient coordinates, with its volume as before it was stored."""
    if part.pose == IDENTITY:
        return part.mesh
    triangles = part.mesh.triangles
    return Mesh(given_away(rounded(part.points_lps, triangles)), triangles)


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
    heights: FloatArray,
    plane: Plane,
) -> _Seam | None:
    points, rest = mesh.points[rows].astype(np.float64), crossed
    shells, caps = [], []
    for height in heights:
        found = level(points, rest, away - height, np.asarray(plane.normal))
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


def _add_up(volumes: list[float], gained: float) -> bool:
    """Whether each piece encloses something, and all together what the whole does.

    gained: by how much the triangles of the seam enclose more than those that were there before, mm³; all
        others are in one piece each, with the same corners, so the volumes differ by nothing else
    """
    return min(volumes) > 0 and abs(gained) <= VOLUMES_AGREE * sum(volumes)


def _still_closed(mesh: Mesh, layers: LayerArray, seam: _Seam, same: IntArray) -> bool:
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
        layer = USED + len(seam.caps) - number
        left[shell[layers[seam.rows[np.minimum(shell, count - 1)]] == layer]] = True
    looked_at = ~left
    looked_at[same[count:]] = True
    corners = seam.rows[looked_at[:count]]
    looked_at[count:] = True
    names = np.concatenate([seam.rows, first + np.arange(len(same) - count)])
    known, near = np.zeros(first + len(same), np.bool_), mesh.triangles[:0]
    known[names[looked_at]] = True
    if len(corners):
        near = mesh.triangles[beside(mesh.triangles, layers, known)]
        left_alone = np.setdiff1d(corners, np.concatenate([near.ravel(), names[:count][left[:count]]]))
        layers[left_alone] -= USED
    for number, piece in enumerate(_closed_with_caps(seam)):
        triangles = np.concatenate([names[piece], near[layers[near[:, 0]] == USED + len(seam.caps) - number]])
        starts, ends = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
        counted = known[starts] | known[ends]
        if not each_way_once(starts[counted], ends[counted], len(known)):
            return False
    return True
