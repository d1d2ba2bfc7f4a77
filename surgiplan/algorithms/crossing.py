"""Where a surface runs through itself, or through another."""

import numpy as np
from numpy.typing import NDArray

from ..progress import Report, part_of, silent
from ..values import BoolArray, FloatArray, FloatsArray, IntArray, Mesh
from .compiled import compiled
from .filters import run_apart

_LEAF = 4  # triangles in the smallest box
_DEEP = 64  # boxes that wait while others are opened
_AT_ONCE = 20_000  # triangles: some hundredths of a second
_FINEST = 65535  # steps from one end of the surface to the other
_ROUNDING_MM = 1e-6  # far more than the rounding of float64 makes of places in a body
_UPRIGHT = 1e-3  # least cosine between the triangles round a calm corner and its normal
# how the bits of a number are spread, two free places after each: shift, and the bits that stay
_SPREAD = (
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)
Rows = NDArray[np.int64]


def crossings(mesh: Mesh, report: Report = silent) -> IntArray:
    """Find the pairs of triangles that run through each other.

    An edge of one passes through the inside of the other; touching is no crossing.

    mesh: the surface
    report: told the progress; may raise Cancelled
    Returns (k, 2) rows of mesh.triangles, each pair once.
    """
    if len(mesh.triangles) < 2:
        return np.zeros((0, 2), np.int32)
    text = "Looking for places where the surface runs through itself"
    boxes = run_apart(lambda: Boxes(mesh), part_of(report, 0.0, 0.1), text)
    calm = run_apart(lambda: _calm(mesh), part_of(report, 0.1, 0.2), text)
    return boxes.crossings(calm, part_of(report, 0.2, 1.0), text)


class Boxes:
    """The triangles of a surface in a tree of boxes, to find those that run through each other or others.

    The tree stands over the triangles along a Morton curve. A pair whose boxes meet is let go where a
    slanting plane parts it (polytopes of 18 faces, Klosowski and others 1998), or the plane of one of the
    two. The signs of the volumes that decide on the rest are taken in float64 from the stored float32
    coordinates.

    mesh: the surface
    """

    def __init__(self, mesh: Mesh) -> None:
        self._order = _along_a_curve(mesh.points, mesh.triangles)
        self._triangles = mesh.triangles[self._order]
        self._corners = mesh.points[self._triangles]
        self._tree = _tree(self._corners)

    def crossed_by(self, one: Mesh, report: Report = silent) -> IntArray:
        """Find the pairs of triangles of another surface and this one; touching is no crossing.

        one: the other surface, in the same coordinates
        report: told the progress; may raise Cancelled
        Returns (k, 2) rows of one.triangles and of the triangles of this surface, each pair once.
        """
        text = "Looking for places where surfaces run through each other"
        corners, shared = one.points[one.triangles], np.zeros((0, 3), np.int32)
        found = self._near(corners, shared, np.zeros(0, np.bool_), report, text)
        return np.stack([found[:, 0], self._order[found[:, 1]]], axis=1).astype(np.int32)

    def crossings(self, calm: BoolArray, report: Report, text: str) -> IntArray:
        """(k, 2) rows of the surface that run through each other, the lower one first.

        calm: (n,) corners round which no triangles can cross (see _calm)
        """
        at_rest: BoolArray = np.all(calm[self._triangles], axis=1)
        found = self._near(self._corners, self._triangles, at_rest, report, text)
        return np.sort(self._order[found], axis=1).astype(np.int32)

    def _near(
        self, corners: FloatsArray, numbers: IntArray, calm: BoolArray, report: Report, text: str
    ) -> Rows:
        """(k, 2) pairs of some triangles (m, 3, 3) and of these, by their place along the curve, that cross.

        numbers, calm: of these triangles, where both are the same; else empty
        """
        crossing, pairs = [np.zeros((0, 2), np.int64)], np.empty((4 * _AT_ONCE, 2), np.int64)
        start, many = 0, len(corners)
        while start < many:
            report(start / many, text)
            last = min(start + _AT_ONCE, many)
            upto, count = _near_pairs(corners, start, last, self._tree, self._corners, numbers, calm, pairs)
            if upto == start:
                pairs = np.empty((2 * len(pairs), 2), np.int64)
            start, near = upto, pairs[:count]
            shared = self._triangles[near].swapaxes(0, 1) if len(numbers) else None
            one, other = corners[near[:, 0]], self._corners[near[:, 1]]
            through = _cross(one.astype(np.float64), other.astype(np.float64), shared)
            crossing.append(near[through])
        return np.concatenate(crossing)


def _along_a_curve(points: FloatsArray, triangles: IntArray) -> Rows:
    """Order of the triangles in which neighbours in the row are neighbours in space (Morton 1966)."""
    code = np.zeros(len(triangles), np.int64)
    for axis in range(3):
        along = points[:, axis].astype(np.float64)
        along -= along.min()
        steps = (along * (_FINEST / max(float(along.max()), 1e-9))).astype(np.int64)
        spread = sum(steps[triangles[:, n]] for n in range(3)) // 3
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


def _tree(corners: FloatsArray) -> FloatsArray:
    """(n, 6) where boxes begin and end along x, y and z: the root is 1, the halves of n are 2n and 2n + 1.

    The smallest hold four triangles of (m, 3, 3), in their order; what is missing meets nothing.
    """
    many = 1 << max(int(np.ceil(np.log2(len(corners) / _LEAF))), 0)
    tree = np.empty((2 * many, 6), np.float32)
    for end, (least, far) in enumerate(((np.minimum, np.inf), (np.maximum, -np.inf))):
        boxes = np.full((many * _LEAF, 3), far, np.float32)
        boxes[: len(corners)] = least.reduce(corners, axis=1)
        level, size = least.reduce(boxes.reshape(many, _LEAF, 3), axis=1), many
        tree[0, end::2] = far
        while size:
            tree[size : 2 * size, end::2] = level
            level, size = least(level[::2], level[1::2]) if size > 1 else level, size // 2
    return tree


@compiled
def _apart_along(one: FloatsArray, a: int, other: FloatsArray, b: int, x: float, y: float, z: float) -> bool:
    """Whether a plane across a direction parts two triangles."""
    low = high = np.float64(one[a, 0, 0]) * x + np.float64(one[a, 0, 1]) * y + np.float64(one[a, 0, 2]) * z
    below = above = (
        np.float64(other[b, 0, 0]) * x + np.float64(other[b, 0, 1]) * y + np.float64(other[b, 0, 2]) * z
    )
    for n in range(1, 3):
        at = np.float64(one[a, n, 0]) * x + np.float64(one[a, n, 1]) * y + np.float64(one[a, n, 2]) * z
        low, high = min(low, at), max(high, at)
        at = np.float64(other[b, n, 0]) * x + np.float64(other[b, n, 1]) * y + np.float64(other[b, n, 2]) * z
        below, above = min(below, at), max(above, at)
    return bool(high < below or above < low)


@compiled
def _beside_plane(face: FloatsArray, a: int, other: FloatsArray, b: int) -> bool:
    """Whether a triangle surely lies on one side of the plane of another."""
    x0, y0, z0 = np.float64(face[a, 0, 0]), np.float64(face[a, 0, 1]), np.float64(face[a, 0, 2])
    ux, uy, uz = face[a, 1, 0] - x0, face[a, 1, 1] - y0, face[a, 1, 2] - z0
    vx, vy, vz = face[a, 2, 0] - x0, face[a, 2, 1] - y0, face[a, 2, 2] - z0
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    least = _ROUNDING_MM * np.sqrt(nx * nx + ny * ny + nz * nz)
    above = below = 0
    for n in range(3):
        side = nx * (other[b, n, 0] - x0) + ny * (other[b, n, 1] - y0) + nz * (other[b, n, 2] - z0)
        above += side > least
        below += side < -least
    return above == 3 or below == 3


@compiled
def _may_cross(one: FloatsArray, a: int, other: FloatsArray, b: int) -> bool:
    """Whether neither a plane across a slanting direction nor that of one of the two parts two triangles."""
    return not (
        _apart_along(one, a, other, b, 1.0, 1.0, 0.0)
        or _apart_along(one, a, other, b, 1.0, -1.0, 0.0)
        or _apart_along(one, a, other, b, 1.0, 0.0, 1.0)
        or _apart_along(one, a, other, b, 1.0, 0.0, -1.0)
        or _apart_along(one, a, other, b, 0.0, 1.0, 1.0)
        or _apart_along(one, a, other, b, 0.0, 1.0, -1.0)
        or _beside_plane(one, a, other, b)
        or _beside_plane(other, b, one, a)
    )


@compiled
def _side_by_side(numbers: IntArray, calm: BoolArray, a: int, b: int) -> bool:
    """Whether two triangles share an edge, or a corner while one of them has calm corners alone."""
    shared = 0
    for n in range(3):
        for m in range(3):
            shared += numbers[a, n] == numbers[b, m]
    return shared > 1 or (shared == 1 and (calm[a] or calm[b]))


@compiled
def _near_pairs(
    one: FloatsArray,
    start: int,
    last: int,
    tree: FloatsArray,
    other: FloatsArray,
    numbers: IntArray,
    calm: BoolArray,
    pairs: Rows,
) -> tuple[int, int]:
    """Find the pairs that may cross, of some triangles and those in a tree; with numbers both are the same.

    Where both are the same a triangle meets only what comes later in the tree. Returns the first triangle
    that is not done, since there was no more room for its pairs, and how many pairs there are.
    """
    own, leaves, many, count = len(numbers) > 0, len(tree) // 2, len(other), 0
    waiting = np.empty(_DEEP, np.int64)
    for a in range(start, last):
        before = count
        x0, x1 = _ends(one, a, 0)
        y0, y1 = _ends(one, a, 1)
        z0, z1 = _ends(one, a, 2)
        left = _first_boxes(waiting, leaves + a // _LEAF if own else 1)
        while left:
            left -= 1
            n = waiting[left]
            apart = tree[n, 0] > x1 or tree[n, 1] < x0 or tree[n, 2] > y1 or tree[n, 3] < y0
            if apart or tree[n, 4] > z1 or tree[n, 5] < z0:
                continue
            if n < leaves:
                waiting[left], waiting[left + 1] = 2 * n + 1, 2 * n
                left += 2
                continue
            first = (n - leaves) * _LEAF
            for b in range(max(first, a + 1) if own else first, min(first + _LEAF, many)):
                if not (_reach(other, b, 0, x0, x1) and _reach(other, b, 1, y0, y1)):
                    continue
                if not _reach(other, b, 2, z0, z1) or (own and _side_by_side(numbers, calm, a, b)):
                    continue
                if not _may_cross(one, a, other, b):
                    continue
                if count == len(pairs):
                    return a, before
                pairs[count, 0], pairs[count, 1] = a, b
                count += 1
    return last, count


@compiled
def _ends(triangles: FloatsArray, n: int, axis: int) -> tuple[float, float]:
    """Where a triangle begins and ends along an axis."""
    a, b, c = triangles[n, 0, axis], triangles[n, 1, axis], triangles[n, 2, axis]
    return min(a, b, c), max(a, b, c)


@compiled
def _reach(triangles: FloatsArray, n: int, axis: int, low: float, high: float) -> bool:
    """Whether a triangle reaches a stretch of an axis."""
    a, b, c = triangles[n, 0, axis], triangles[n, 1, axis], triangles[n, 2, axis]
    return bool((a <= high or b <= high or c <= high) and (a >= low or b >= low or c >= low))


@compiled
def _first_boxes(waiting: Rows, n: int) -> int:
    """Put a box and all that come later in the tree into a list; returns how many those are."""
    waiting[0], left = n, 1
    while n > 1:
        if n % 2 == 0:
            waiting[left] = n + 1
            left += 1
        n //= 2
    return left


def _cross(one: FloatArray, other: FloatArray, numbers: IntArray | None) -> BoolArray:
    """(n,) whether an edge of one passes through the inside of the other.

    one, other: (n, 3, 3) corners
    numbers: (2, n, 3) of the corners of both, where they may share some
    """
    crossing = np.zeros(len(one), np.bool_)
    rows, sides = np.arange(len(one)), list[FloatArray]()
    for mine, theirs in ((0, 1), (1, 0)):  # first drop what lies wholly on one side of the plane of the other
        pair = one[rows], other[rows]
        side = _volumes(pair[mine], pair[theirs])
        if numbers is not None:
            shared = numbers[theirs][rows][:, :, None] == numbers[mine][rows][:, None, :]
            side = np.where(shared.any(axis=2), 0.0, side)
        through = (side.min(axis=1) < 0) & (side.max(axis=1) > 0)
        rows, sides = rows[through], [*(before[through] for before in sides), side[through]]
    passes = _edges_pass(one[rows], other[rows], sides[0])
    passes |= _edges_pass(other[rows], one[rows], sides[1])
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
