"""From the float64 bodies of the geometry engine to stored meshes: float32, closed, with the same volume."""

import math
from typing import Any

import manifold3d
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import StepFailed
from ..values import BoolArray, FloatArray, FloatsArray, IntArray, Mesh, given_away

VOLUMES_AGREE = 1e-6  # share of the volume by which a sum of volumes may differ
_KEPT = 1e-11  # share of the volume (of a cube as long as what is new) that rounding may take or give
_TIDYINGS = 5
_MOST_APART = 1e-8  # share of the volume that setting points apart may take or give
_ODD = 0x9E3779B97F4A7C15  # spreads bits over a word
_TRIED = 15  # coordinates of which all choices are tried


def require_no_error(body: Any, problem: str) -> None:
    """Make sure that manifold3d has done what it was asked.

    body: a manifold3d body
    problem: what failed, for the message
    Raises StepFailed with manifold3d's reason when it has not.
    """
    status = body.status()
    if status != manifold3d.Error.NoError:
        raise StepFailed(
            f"Geometry engine: {problem} ({status.name}). "
            "Use a closed mesh in which every edge joins exactly two triangles."
        )


def stored(body: Any, centre: FloatArray, what: str) -> Mesh:
    """The body as a mesh of float32 patient coordinates in which no edge has length zero.

    Points closer than the float32 step at this place become one when stored; the edge between them is
    taken out, lest it fold up in a file that joins equal points (STL). Those without an edge between them
    are set one step apart, lest such a file opens there.

    body: a manifold3d body
    centre: (3,) LPS mm, where its origin lies
    what: its name in the message
    Raises StepFailed when it is too thin to be stored.
    """
    require_no_error(body, f"{what} failed")
    raw = body.to_mesh64()
    triangles = given_away(raw.tri_verts.astype(np.int32))
    mesh = _unfolded(Mesh(given_away(rounded(raw.vert_properties[:, :3] + centre, triangles)), triangles))
    kept, folded = mesh, _folded(mesh)
    for _ in range(_TIDYINGS):
        if not folded:
            break
        tidy = manifold3d.Manifold(manifold3d.Mesh(mesh.points.copy(), mesh.triangles.astype(np.uint32)))
        require_no_error(tidy, f"{what} failed")
        raw = tidy.to_mesh()
        kept = Mesh(raw.vert_properties[:, :3], raw.tri_verts.astype(np.int32))
        mesh = _refilled(kept, body.volume())
        folded = _folded(mesh)
    if folded:
        mesh, folded = kept, _folded(kept)
    mesh = set_apart(mesh)
    lost = abs(mesh.volume_mm3 - body.volume())
    whole = mesh.watertight and mesh.volume_mm3 > 0 and not folded
    thin = 2 * body.volume() < mesh.area_mm2 * step_mm(mesh)
    if not whole or thin or lost > allowed_mm3(body.volume(), mesh):
        raise StepFailed(
            f"The result is thinner than can be stored: {what} holds {body.volume():.3g} mm³ "
            f"in an area of {body.surface_area():.3g} mm². Move the plane or a body a little."
        )
    return mesh


def rounded(points: FloatArray, triangles: IntArray) -> FloatsArray:
    """Points as float32, so rounded that the volume stays.

    Each coordinate becomes one of its two float32 neighbours: the nearer one, but for those few, the
    closest to half way first, that make up for what the others give or take.

    points: (n, 3) float64 mm
    triangles: (m, 3) of a closed surface, or at least all those with a point that float32 does not hold
    """
    near = points.astype(np.float32)
    error = near - points
    moved: BoolArray = (error[:, 0] != 0) | (error[:, 1] != 0) | (error[:, 2] != 0)
    if not moved.any():
        return near
    a, b, c = moved[triangles.T]
    touched = triangles[a | b | c]
    free, error = np.flatnonzero(moved), error[moved]
    if not len(touched):
        return near
    whole = float(np.ptp(near[free], axis=0).max()) ** 3
    origin = points[touched[0, 0]]
    missing = enclosed(points[touched] - origin) - enclosed(near[touched] - origin)
    step = np.nextafter(near[free], np.where(error > 0, -np.inf, np.inf).astype(np.float32))
    step = np.where(error == 0, 0, step.astype(np.float64) - near[free])
    gain = (step * _volume_slopes(near[touched] - origin, touched, free, len(points))).ravel() * np.sign(
        missing
    )
    further = (np.abs(error + step) - np.abs(error)).ravel()
    turned = _making_up(gain, np.argsort(further, kind="stable"), abs(missing), _KEPT * whole)
    flat = near[free].ravel()
    flat[turned] += step.ravel()[turned].astype(np.float32)
    near[free] = flat.reshape(-1, 3)
    return near


def same_places(points: FloatsArray, triangles: IntArray, kept: int = 0) -> IntArray | None:
    """For each point the one it becomes where an edge has no length; None where each has one.

    points: (n, 3) mm
    triangles: (m, 3)
    kept: so many points, the first ones, stay what they are
    """
    starts, ends = triangles.ravel(), triangles[:, [1, 2, 0]].ravel()
    alike = np.ones(len(starts), np.bool_)
    for axis in np.ascontiguousarray(points.T):
        alike &= axis.take(starts) == axis.take(ends)
    if not alike.any():
        return None
    starts, ends = starts[alike], ends[alike]
    links = coo_array((np.ones(len(starts), np.int8), (starts, ends)), shape=(len(points), len(points)))
    _, group = connected_components(links, directed=False)
    lowest = np.full(group.max() + 1, len(points), np.int32)
    np.minimum.at(lowest, group, np.arange(len(points), dtype=np.int32))
    same: IntArray = lowest[group]
    same[:kept] = np.arange(kept)
    return same


def merged(triangles: IntArray, same: IntArray) -> IntArray:
    """The triangles with points that became one, without those that enclose nothing any more.

    Those are the triangles with no area left, and two of them that came to lie back to back.
    """
    named = same[triangles]
    renamed = named != triangles
    a, b, c = named.T
    left: IntArray = named[(a != b) & (b != c) & (c != a)]
    joint = np.zeros(len(same), np.bool_)
    joint[named[renamed]] = True
    a, b, c = joint[left.T]
    rows = np.flatnonzero(a | b | c)
    return np.delete(left, rows[_back_to_back(left[rows])], axis=0)


def _back_to_back(triangles: IntArray) -> NDArray[np.intp]:
    """Rows of triangles with the same corners as another."""
    corners = np.sort(triangles, axis=1)
    order = np.lexsort(corners.T)
    alike = np.flatnonzero((corners[order[1:]] == corners[order[:-1]]).all(axis=1))
    return np.concatenate([order[alike], order[alike + 1]])


def rows_of(array: NDArray[Any], wanted: BoolArray) -> NDArray[Any]:
    """Some rows of an array (n, k); taken as wholes, which is ten times as fast as number by number."""
    whole = array.view(np.dtype((np.void, array.itemsize * array.shape[1]))).ravel()
    return whole[wanted].view(array.dtype).reshape(-1, array.shape[1])


def _unfolded(mesh: Mesh) -> Mesh:
    """The mesh without edges of no length, which changes no volume; the mesh as it is where that opens it."""
    same = same_places(mesh.points, mesh.triangles)
    if same is None:
        return mesh
    triangles = merged(mesh.triangles, same)
    used = np.zeros(len(same), np.bool_)
    used[triangles] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    tidy = Mesh(given_away(rows_of(mesh.points, used)), given_away(number[triangles]))
    return tidy if tidy.watertight else mesh


def set_apart(mesh: Mesh) -> Mesh:
    """The mesh with no two points at one place: the later ones go on by float32 steps.

    Each goes where that changes the volume least; where that is too much the mesh stays as it is.
    """
    points = mesh.points
    for _ in range(_TIDYINGS):
        again = doubled(points)
        if not len(again):
            break
        touched = mesh.triangles[np.isin(mesh.triangles, again).any(axis=1)]
        corners = points[touched].astype(np.float64)
        axis = np.abs(_volume_slopes(corners - corners[0, 0], touched, again, len(points))).argmin(axis=1)
        points = points.copy()
        points[again, axis] = np.nextafter(points[again, axis], np.float32(np.inf))
    if points is mesh.points:
        return mesh
    apart = Mesh(given_away(points), mesh.triangles)
    dear = abs(apart.volume_mm3 - mesh.volume_mm3) > _MOST_APART * abs(mesh.volume_mm3)
    return mesh if dear else apart


def doubled(points: FloatsArray) -> NDArray[np.intp]:
    """Rows of points (n, 3) that lie where one before them lies."""
    x, y, z = (np.ascontiguousarray(points.T) + np.float32(0)).view(np.uint32).astype(np.uint64)
    mixed = (x * np.uint64(_ODD) ^ y) * np.uint64(_ODD) ^ z
    ordered = np.sort(mixed)
    alike = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(alike):
        return np.zeros(0, np.intp)
    rows = np.flatnonzero(np.isin(mixed, alike))
    _, first = np.unique(points[rows], axis=0, return_index=True)
    return np.delete(rows, first)


def _refilled(mesh: Mesh, volume_mm3: float) -> Mesh:
    """A mesh of this volume again, after points were joined: some coordinates go on by one float32 step."""
    missing = volume_mm3 - mesh.volume_mm3
    if not len(mesh.triangles) or abs(missing) <= _KEPT * volume_mm3:
        return mesh
    free = np.arange(len(mesh.points))
    slopes = _volume_slopes(
        mesh.points[mesh.triangles] - mesh.points[0].astype(np.float64), mesh.triangles, free, len(free)
    )
    ways = [np.nextafter(mesh.points, np.float32(end)) - mesh.points for end in (np.inf, -np.inf)]
    step = np.concatenate([way.ravel() for way in ways])
    gain = step * np.tile(slopes.ravel(), 2) * np.sign(missing)
    order = np.argsort(np.abs(np.abs(gain) - abs(missing)), kind="stable")
    flat = mesh.points.copy().ravel()
    for one in _making_up(gain, order, abs(missing), _KEPT * volume_mm3):
        flat[one % len(flat)] += step[one]
    return Mesh(flat.reshape(-1, 3), mesh.triangles)


def _making_up(gain: FloatArray, order: NDArray[np.intp], missing: float, least: float) -> list[int]:
    """Which steps to take, so that their gains make up for what is missing (> 0) but for the least.

    order: which to take first
    """
    turned: list[int] = []
    left = order[gain[order] > 0]
    while missing > least and len(left := left[gain[left] <= missing]):
        sums = np.cumsum(gain[left])
        count = int(np.searchsorted(sums, missing, side="right"))
        turned += left[:count].tolist()
        missing -= float(sums[count - 1])
        left = left[count:]
    if missing > least:
        turned += _closest_sum(gain, np.setdiff1d(order[: len(turned) + _TRIED], turned), missing)
    return turned


def _closest_sum(gain: FloatArray, choice: NDArray[np.intp], wanted: float) -> list[int]:
    """Those of some gains whose sum comes closest to what is wanted; all subsets are tried."""
    choice = choice[gain[choice] != 0][:_TRIED]
    sums = np.zeros(1)
    for one in gain[choice]:
        sums = np.concatenate([sums, sums + one])
    best = int(np.abs(sums - wanted).argmin())
    return [int(one) for bit, one in enumerate(choice) if best >> bit & 1]


def enclosed(corners: FloatArray) -> float:
    """The volume between triangles and the origin, mm³.

    corners: (n, 3, 3) mm
    """
    (xa, ya, za), (xb, yb, zb), (xc, yc, zc) = corners.transpose(1, 2, 0).astype(np.float64, order="C")
    six = xa * (yb * zc - zb * yc) + ya * (zb * xc - xb * zc) + za * (xb * yc - yb * xc)
    return float(six.sum()) / 6


def _volume_slopes(
    corners: FloatArray, triangles: IntArray, free: NDArray[np.intp], count: int
) -> FloatArray:
    """(k, 3) mm² how the volume of triangles (n, 3, 3) grows with each coordinate of some of their points."""
    row = np.full(count, len(free), np.intp)
    row[free] = np.arange(len(free))
    slopes = np.zeros((3, len(free) + 1))
    places = np.ascontiguousarray(corners.transpose(1, 2, 0))
    for corner, rows in enumerate(row[triangles.T]):
        u, v = places[corner - 2], places[corner - 1]
        for axis in range(3):
            share = (u[axis - 2] * v[axis - 1] - u[axis - 1] * v[axis - 2]) / 6
            slopes[axis] += np.bincount(rows, share, len(free) + 1)
    return slopes[:, :-1].T


def step_mm(mesh: Mesh) -> float:
    """The distance of two neighbouring float32 coordinates where the mesh lies, mm."""
    return float(np.spacing(np.float32(np.abs(mesh.bounds).max())))


def allowed_mm3(volume_mm3: float, *meshes: Mesh) -> float:
    """How far volumes may be apart: a share, and what rounding the points to float32 can move at most.

    The latter is the area times half the diagonal of a float32 step at that place.
    """
    moved = sum(mesh.area_mm2 * step_mm(mesh) for mesh in meshes) * math.sqrt(3) / 2
    return VOLUMES_AGREE * volume_mm3 + moved


def require_sum(whole_mm3: float, rest_mm3: float, meshes: list[Mesh], what: str) -> None:
    """Make sure that volumes add up.

    whole_mm3: what is due
    rest_mm3, meshes: what there is: a volume, and the stored pieces
    what: was done, for the message
    Raises StepFailed when they do not.
    """
    parts_mm3 = rest_mm3 + sum(mesh.volume_mm3 for mesh in meshes)
    apart = abs(parts_mm3 - whole_mm3)
    if not apart <= VOLUMES_AGREE * whole_mm3 and not apart <= allowed_mm3(whole_mm3, *meshes):
        raise StepFailed(
            f"The volumes do not add up: {what} has {parts_mm3:.6f} mm³ where {whole_mm3:.6f} mm³ are due. "
            "Make the surfaces of the bodies again, or move the plane or a body a little."
        )


def _folded(mesh: Mesh) -> bool:
    """Whether an edge has length zero."""
    return same_places(mesh.points, mesh.triangles) is not None
