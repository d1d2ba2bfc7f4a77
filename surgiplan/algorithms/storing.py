"""From the float64 bodies of the geometry engine to stored meshes: float32, closed, with the same volume."""

import math
from typing import Any

import manifold3d
import numpy as np
from numpy.typing import NDArray

from ..errors import StepFailed
from ..values import BoolArray, FloatArray, FloatsArray, IntArray, Mesh, given_away
from .compiled import compiled

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
    free, error = np.flatnonzero(moved), error[moved]
    whole = float(np.ptp(near[free], axis=0).max()) ** 3
    missing, slopes = _lost(_seen(points), _seen(near), _seen(triangles))
    step = np.nextafter(near[free], np.where(error > 0, -np.inf, np.inf).astype(np.float32))
    step = np.where(error == 0, 0, step.astype(np.float64) - near[free])
    gain = (step * slopes[free]).ravel() * np.sign(missing)
    order = _in_order((np.abs(error + step) - np.abs(error)).ravel())
    turned = _making_up(gain, order, abs(missing), _KEPT * whole)
    flat = near[free].ravel()
    flat[turned] += step.ravel()[turned].astype(np.float32)
    near[free] = flat.reshape(-1, 3)
    return near


def _seen(array: NDArray[Any]) -> NDArray[Any]:
    """A view of an array that cannot be written to: the one kind that the loops here are compiled for."""
    return given_away(np.ascontiguousarray(array).view())


@compiled
def _lost(points: FloatArray, near: FloatsArray, triangles: IntArray) -> tuple[float, FloatArray]:
    """What a body loses, mm³, when its points (n, 3) go to others near them.

    Returns also (n, 3) mm², how its volume then grows with each of their coordinates.
    """
    lost, slopes = 0.0, np.zeros(points.shape)
    before, after = np.empty((3, 3)), np.empty((3, 3))
    for n in range(len(triangles)):
        for corner in range(3):
            for axis in range(3):
                origin = points[triangles[0, 0], axis]
                before[corner, axis] = points[triangles[n, corner], axis] - origin
                after[corner, axis] = near[triangles[n, corner], axis] - origin
        for axis in range(3):
            y, z = (axis + 1) % 3, (axis + 2) % 3
            lost += before[0, axis] * (before[1, y] * before[2, z] - before[1, z] * before[2, y]) / 6
            for corner in range(3):
                two, three = (corner + 1) % 3, (corner + 2) % 3
                slope = (after[two, y] * after[three, z] - after[two, z] * after[three, y]) / 6
                slopes[triangles[n, corner], axis] += slope
                lost -= slope * after[corner, axis] / 3
    return lost, slopes


def same_places(points: FloatsArray, triangles: IntArray, kept: int = 0) -> IntArray | None:
    """For each point the one it becomes where an edge has no length; None where each has one.

    points: (n, 3) mm
    triangles: (m, 3)
    kept: so many points, the first ones, stay what they are
    """
    same, joined = _same_places(_seen(points), _seen(triangles))
    same[:kept] = np.arange(kept)
    return same if joined else None


@compiled
def _same_places(points: FloatsArray, triangles: IntArray) -> tuple[IntArray, bool]:
    """For each point the first of those that edges of no length join it to, and whether there are any."""
    same, joined = np.arange(len(points)).astype(np.int32), False
    for n in range(len(triangles)):
        for corner in range(3):
            one, other = triangles[n, corner - 1], triangles[n, corner]
            alike = points[one, 0] == points[other, 0]
            if alike and points[one, 1] == points[other, 1] and points[one, 2] == points[other, 2]:
                joined = True
                while same[one] != one:
                    one = same[one]
                while same[other] != other:
                    other = same[other]
                same[max(one, other)] = min(one, other)
    for n in range(len(same)):
        same[n] = same[same[n]]
    return same, joined


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
        _, slopes = _lost(_seen(points.astype(np.float64)), _seen(points), mesh.triangles)
        axis = np.abs(slopes[again]).argmin(axis=1)
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
    _, slopes = _lost(_seen(mesh.points.astype(np.float64)), mesh.points, mesh.triangles)
    ways = [np.nextafter(mesh.points, np.float32(end)) - mesh.points for end in (np.inf, -np.inf)]
    step = np.concatenate([way.ravel() for way in ways])
    gain = step * np.tile(slopes.ravel(), 2) * np.sign(missing)
    order = _in_order(np.abs(np.abs(gain) - abs(missing)))
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


def _in_order(numbers: FloatArray) -> NDArray[np.intp]:
    """Rows of numbers (n,), none below zero, the least first; of those that are as good as equal the earlier.

    Sorted as whole numbers that end with their row: many times as fast as a stable sort.
    """
    bits = len(numbers).bit_length()
    keys = (numbers.view(np.int64) >> bits << bits) + np.arange(len(numbers))
    keys.sort()
    return keys & (1 << bits) - 1


def _closest_sum(gain: FloatArray, choice: NDArray[np.intp], wanted: float) -> list[int]:
    """Those of some gains whose sum comes closest to what is wanted, of all choices."""
    choice = choice[gain[choice] != 0][:_TRIED]
    one, other = (_sums(gain[half]) for half in np.array_split(choice, 2))
    order = np.argsort(one, kind="stable")
    at = np.searchsorted(one, wanted - other, sorter=order)
    nearest = order[np.clip([at - 1, at], 0, len(one) - 1)]
    apart = np.abs(one[nearest] + other - wanted)
    way, second = divmod(int(apart.argmin()), len(other))
    best = int(nearest[way, second]) + second * len(one)
    return [int(one) for bit, one in enumerate(choice) if best >> bit & 1]


def _sums(gain: FloatArray) -> FloatArray:
    """The sums of all choices of some gains; bit n of the row says whether the nth is in it."""
    sums = np.zeros(1)
    for one in gain:
        sums = np.concatenate([sums, sums + one])
    return sums


def enclosed(points: FloatsArray, triangles: IntArray, origin: FloatArray) -> float:
    """The volume between triangles (m, 3) of points (n, 3) and an origin, mm³."""
    return _enclosed(_seen(points), _seen(triangles), origin)


@compiled
def _enclosed(points: FloatsArray, triangles: IntArray, origin: FloatArray) -> float:
    six, x, y, z = 0.0, origin[0], origin[1], origin[2]
    for n in range(len(triangles)):
        a, b, c = points[triangles[n, 0]], points[triangles[n, 1]], points[triangles[n, 2]]
        bx, by, bz, cx, cy, cz = b[0] - x, b[1] - y, b[2] - z, c[0] - x, c[1] - y, c[2] - z
        six += (a[0] - x) * (by * cz - bz * cy)
        six += (a[1] - y) * (bz * cx - bx * cz)
        six += (a[2] - z) * (bx * cy - by * cx)
    return six / 6


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
