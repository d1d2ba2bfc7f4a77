"""Where a surface runs through itself."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..progress import Report, part_of, silent
from ..values import BoolArray, FloatArray, FloatsArray, IntArray, Mesh, given_away
from .filters import run_apart

_LEAF = 4  # triangles in the smallest box
_AT_ONCE = 1 << 14  # pairs of boxes that are looked at together: they stay in the cache of the processor
_FINEST = 65535  # steps from one end of the surface to the other
_ROUNDING_MM = 1e-6  # far more than the rounding of float64 makes of places in a body
_UPRIGHT = 1e-3  # least cosine between the triangles round a calm corner and its normal
_AXES = np.eye(3)
_SLANTS = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]], np.float64)
# how the bits of a number are spread, two free places after each: shift, and the bits that stay
_SPREAD = (
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)
Rows = NDArray[np.int64]
Steps = NDArray[np.uint16]
Bounds = tuple[Steps, Steps]
"""The first and the last step that a triangle or a box reaches along one direction."""


def crossings(mesh: Mesh, report: Report = silent) -> IntArray:
    """Find the pairs of triangles that run through each other.

    An edge of one passes through the inside of the other; touching is no crossing. Candidates come from a
    tree of boxes over the triangles along a Morton curve, searched against itself. Of these, neighbours are
    let go where the triangles round the corner they share lie side by side (see _calm), and others where a
    slanting plane parts them (polytopes of 18 faces, Klosowski and others 1998). The signs of the volumes
    that decide on the rest are taken in float64 from the stored float32 coordinates.

    mesh: the surface
    report: told the progress; may raise Cancelled
    Returns (k, 2) rows of mesh.triangles, each pair once.
    """
    if len(mesh.triangles) < 2:
        return np.zeros((0, 2), np.int32)
    text = "Looking for places where the surface runs through itself"
    search = run_apart(lambda: _Search(mesh, _calm(mesh)), part_of(report, 0.0, 0.2), text)
    return search.crossings(part_of(report, 0.2, 1.0), text)


def crossings_between(one: Mesh, other: Mesh, report: Report = silent) -> IntArray:
    """Find the pairs of triangles of two surfaces that run through each other; touching is no crossing.

    one, other: the surfaces, in the same coordinates
    report: told the progress; may raise Cancelled
    Returns (k, 2) rows of one.triangles and of other.triangles, each pair once.
    """
    text, many = "Looking for places where surfaces run through each other", len(one.triangles)

    def joined() -> _Search:
        triangles = np.concatenate([one.triangles, other.triangles + np.int32(len(one.points))])
        both = Mesh(given_away(np.concatenate([one.points, other.points])), given_away(triangles))
        return _Search(both, np.zeros(len(both.points), np.bool_), first=many)

    search = run_apart(joined, part_of(report, 0.0, 0.2), text)
    return search.crossings(part_of(report, 0.2, 1.0), text) - np.array([0, many], np.int32)


class _Search:
    """The triangles of a surface along a curve, with all that tells near pairs from others.

    mesh: the surface
    calm: (n,) corners round which no triangles can cross
    first: of so many triangles and the rest, pairs of one from each are looked for; 0 for all pairs
    """

    def __init__(self, mesh: Mesh, calm: BoolArray, first: int = 0) -> None:
        upright = [_steps_along(mesh.points, axis) for axis in _AXES]
        self._order = _along_a_curve(upright, mesh.triangles)
        self._triangles = mesh.triangles[self._order]
        self._calm: BoolArray = np.all(calm[self._triangles], axis=1)
        self._is_first = self._order < first if first else None
        self._upright = [_bounds(steps, self._triangles) for steps in upright]
        self._slanting = [_bounds(_steps_along(mesh.points, slant), self._triangles) for slant in _SLANTS]
        points = mesh.points.astype(np.float64)
        self._corners = points[self._triangles]
        self._planes = _Planes(points, self._triangles)
        self._numbers = np.ascontiguousarray(self._triangles.T)

    def crossings(self, report: Report, text: str) -> IntArray:
        """(k, 2) rows of the mesh that run through each other, the lower one first."""
        found = [np.zeros((0, 2), np.int64)]
        for done, pairs in _near_pairs(self._upright):
            report(done, text)
            found.append(self._crossing(pairs))
        return np.sort(np.concatenate(found), axis=1).astype(np.int32)

    def _crossing(self, pairs: tuple[Rows, Rows]) -> Rows:
        """(k, 2) rows of the mesh, of those pairs that run through each other."""
        if self._is_first is None:
            pairs = _not_side_by_side(pairs, self._numbers, self._calm)
        else:
            one, other = pairs
            rows = np.flatnonzero(self._is_first[one] != self._is_first[other])
            pairs = one[rows], other[rows]
        for bounds in self._slanting:
            pairs = _meeting(pairs, bounds)
        for _ in range(2):
            pairs = self._planes.reached(*pairs)[::-1]
        both = np.stack(pairs, axis=1)
        crossing: Rows = self._order[both[_cross(self._corners, self._triangles, both)]]
        return crossing


class _Planes:
    """The planes of triangles, to let go what surely lies on one side of one.

    points: (n, 3) mm
    triangles: (m, 3)
    """

    def __init__(self, points: FloatArray, triangles: IntArray) -> None:
        middle = points.mean(axis=0).astype(np.float32)  # so that differences from it are exact
        self._points = [[points[n, axis] - middle[axis] for axis in range(3)] for n in triangles.T]
        a, b, c = self._points
        normal = _product(np.subtract(b, a), np.subtract(c, a))
        length = np.sqrt(_dot(normal, normal))
        self._normal = normal / np.where(length > 0, length, 1)
        self._from_middle = _dot(self._normal, np.asarray(a))

    def reached(self, planes: Rows, others: Rows) -> tuple[Rows, Rows]:
        """The pairs whose second triangle may touch the plane of the first or reach to both sides of it."""
        normal, off = self._normal.take(planes, axis=1), self._from_middle.take(planes)
        above, below = np.ones(len(planes), np.bool_), np.ones(len(planes), np.bool_)
        for x, y, z in self._points:
            side = normal[0] * x.take(others) + normal[1] * y.take(others) + normal[2] * z.take(others) - off
            above &= side > _ROUNDING_MM
            below &= side < -_ROUNDING_MM
        rows = np.flatnonzero(~(above | below))
        return planes.take(rows), others.take(rows)


def _steps_along(points: FloatsArray, direction: FloatArray) -> Steps:
    """(n,) how far along a direction points lie, in whole steps: what is farther never gets fewer."""
    along = points.astype(np.float64) @ direction
    along -= along.min()
    along *= _FINEST / max(float(along.max()), 1e-9)
    return along.astype(np.uint16)


def _bounds(steps: Steps, triangles: IntArray) -> Bounds:
    a, b, c = (steps[triangles[:, n]] for n in range(3))
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def _along_a_curve(upright: list[Steps], triangles: IntArray) -> Rows:
    """Order of the triangles in which neighbours in the row are neighbours in space (Morton 1966)."""
    code = np.zeros(len(triangles), np.int64)
    for axis, steps in enumerate(upright):
        spread = sum(steps[triangles[:, n]].astype(np.int64) for n in range(3)) // 3
        for shift, kept in _SPREAD:
            spread = (spread | spread << shift) & kept
        code |= spread << axis
    return np.argsort(code, kind="stable")


def _calm(mesh: Mesh) -> BoolArray:
    """(n,) corners of the surface round which no triangles can cross, whatever lies farther off.

    Seen along the normal of such a corner all triangles round it face the eye, and they go round it once:
    so they lie side by side. They go round as often as an edge at the corner passes a ray on its way.
    Corners of a surface with open edges are never called calm.
    """
    if mesh.open_edges:
        return np.zeros(len(mesh.points), np.bool_)
    a, b, c = (mesh.points.astype(np.float64)[mesh.triangles[:, n]].T.copy() for n in range(3))
    edges = (b - a, c - b, a - c)
    faces = _product(edges[0], edges[1])
    size = np.sqrt(_dot(faces, faces))
    many, numbers = len(mesh.points), mesh.triangles.T
    normals = np.stack([sum(np.bincount(n, axis, many) for n in numbers) for axis in faces])
    length = np.sqrt(_dot(normals, normals))
    ray = _product(normals, np.eye(3)[:, np.argmin(np.abs(normals), axis=0)])
    faults, rounds = np.zeros(many), np.zeros(many)
    for n, number in enumerate(numbers):
        upright = _dot(normals[:, number], faces) > _UPRIGHT * length[number] * size
        faults += np.bincount(number, ~upright, many)
        here = ray[:, number]
        passes = (_dot(here, edges[n]) < 0) & (_dot(here, -edges[n - 1]) >= 0)
        rounds += np.bincount(number, passes, many)
    found: BoolArray = np.logical_and(faults == 0, rounds == 1)
    return found


def _product(u: FloatArray, v: FloatArray) -> FloatArray:
    """(3, n) cross products of vectors (3, n)."""
    return np.stack([u[n - 2] * v[n - 1] - u[n - 1] * v[n - 2] for n in range(3)])


def _dot(u: FloatArray, v: FloatArray) -> FloatArray:
    dot: FloatArray = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
    return dot


def _near_pairs(upright: list[Bounds]) -> Iterator[tuple[float, tuple[Rows, Rows]]]:
    """Share done, and pairs of triangles whose boxes meet."""
    levels = list(_tree(upright))
    stack = [(len(levels) - 1, (np.zeros(1, np.int64), np.zeros(1, np.int64)))]
    while stack:
        level, pairs = stack.pop()
        below = _children_that_meet(*levels[level], pairs)
        if level == 0:
            different = below[0] != below[1]
            yield float(pairs[0][-1] / levels[0][0].shape[2]), (below[0][different], below[1][different])
            continue
        starts = range(0, len(below[0]), _AT_ONCE)
        stack += [(level - 1, (below[0][n : n + _AT_ONCE], below[1][n : n + _AT_ONCE])) for n in starts][::-1]


def _tree(upright: list[Bounds]) -> Iterator[Bounds]:
    """Boxes of the children of each node, level by level up to the root.

    Yields the first and the last steps, (children of a node, 3 axes, nodes); what is missing meets nothing.
    """
    count, fan = len(upright[0][0]), _LEAF
    size = _LEAF << max(int(np.ceil(np.log2(count / _LEAF))), 0)
    low: Steps = np.full((3, size), _FINEST, np.uint16)
    high: Steps = np.zeros((3, size), np.uint16)
    low[:, :count], high[:, :count] = ([bounds[n] for bounds in upright] for n in range(2))
    while low.shape[1] > 1:
        low, high = (side.reshape(3, -1, fan).transpose(2, 0, 1).copy() for side in (low, high))
        yield low, high
        low, high, fan = low.min(axis=0), high.max(axis=0), 2


def _children_that_meet(low: Steps, high: Steps, pairs: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
    """The pairs of the children of both nodes of each pair whose boxes meet, the lower number first."""
    fan = len(low)
    (one_low, one_high), (other_low, other_high) = (
        [side.take(nodes, axis=2) for side in (low, high)] for nodes in pairs
    )
    found = []
    for i, j in product(range(fan), repeat=2):
        meet = (one_low[i] <= other_high[j]) & (other_low[j] <= one_high[i])
        rows = np.flatnonzero(meet[0] & meet[1] & meet[2])
        found.append((pairs[0][rows] * fan + i, pairs[1][rows] * fan + j))
    first, second = (np.concatenate([pair[n] for pair in found]) for n in range(2))
    ordered = first <= second
    return first[ordered], second[ordered]


def _meeting(pairs: tuple[Rows, Rows], bounds: Bounds) -> tuple[Rows, Rows]:
    """The pairs that no plane across this direction parts."""
    (low, high), (one, other) = bounds, pairs
    rows = np.flatnonzero((low[one] <= high[other]) & (low[other] <= high[one]))
    return one[rows], other[rows]


def _not_side_by_side(pairs: tuple[Rows, Rows], numbers: IntArray, calm: BoolArray) -> tuple[Rows, Rows]:
    """The pairs without those that share an edge, and without those that share a corner, if one is calm.

    numbers: (3, m) the corners of the triangles
    calm: (m,) triangles all of whose corners are calm
    """
    one, other = pairs
    shared = np.zeros(len(one), np.uint8)
    theirs = [side[other] for side in numbers]
    for side in numbers:
        mine = side[one]
        for their in theirs:
            shared += mine == their
    rows = np.flatnonzero((shared == 0) | ((shared == 1) & ~(calm[one] | calm[other])))
    return one[rows], other[rows]


def _cross(corners: FloatArray, triangles: IntArray, pairs: Rows) -> BoolArray:
    """(n,) whether an edge of one passes through the inside of the other."""
    crossing = np.zeros(len(pairs), np.bool_)
    rows, sides = np.arange(len(pairs)), list[FloatArray]()
    for _ in range(2):  # first drop what lies wholly on one side of the plane of the other
        a, b = pairs[rows].T
        shared = (triangles[b][:, :, None] == triangles[a][:, None, :]).any(axis=2)
        side = np.where(shared, 0.0, _volumes(corners[a], corners[b]))
        through = (side.min(axis=1) < 0) & (side.max(axis=1) > 0)
        rows, sides = rows[through], [*(one[through] for one in sides), side[through]]
        pairs = pairs[:, ::-1]
    one, other = pairs[rows].T
    passes = _edges_pass(corners[one], corners[other], sides[0])
    passes |= _edges_pass(corners[other], corners[one], sides[1])
    crossing[rows] = passes
    return crossing


def _volumes(faces: FloatArray, points: FloatArray) -> FloatArray:
    """(n, 3) signed volumes (times six) of triangles (n, 3, 3) with each of three points (n, 3, 3)."""
    normal = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    volumes: FloatArray = np.einsum("nij,nj->ni", points - faces[:, :1], normal)
    return volumes


def _edges_pass(faces: FloatArray, others: FloatArray, side: FloatArray) -> BoolArray:
    """(n,) whether an edge of the other triangle passes through the face.

    side: (n, 3) on which side of the plane of the face the corners of the other lie
    """
    rows, start = np.nonzero(side * np.roll(side, -1, axis=1) < 0)
    p, q = others[rows, start], others[rows, (start + 1) % 3]
    way, corners = (q - p).T.copy(), [(faces[rows, n] - p).T.copy() for n in range(3)]
    turns = np.stack([_dot(way, _product(corners[n - 1], corners[n])) for n in range(3)])
    passes = np.zeros(len(faces), np.bool_)
    passes[rows[(turns > 0).all(axis=0) | (turns < 0).all(axis=0)]] = True
    return passes
