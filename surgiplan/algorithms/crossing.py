"""Where a surface runs through itself."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..progress import Report, silent
from ..values import BoolArray, FloatArray, IntArray, Mesh

_LEAF = 4  # triangles in the smallest box
_AT_ONCE = 1 << 17  # pairs of boxes or of triangles that are looked at together
Pairs = NDArray[np.int64]


def crossings(mesh: Mesh, report: Report = silent) -> IntArray:
    """Find the pairs of triangles that run through each other.

    An edge of one passes through the inside of the other; touching is no crossing. Candidates come from a
    tree of boxes over the triangles along a Morton curve, searched against itself; the signs of the volumes
    that decide are taken in float64 from the stored float32 coordinates.

    mesh: the surface
    report: told the progress; may raise Cancelled
    Returns (k, 2) rows of mesh.triangles, each pair once.
    """
    if len(mesh.triangles) < 2:
        return np.zeros((0, 2), np.int32)
    corners = mesh.points[mesh.triangles].astype(np.float64)
    order = _along_a_curve(corners)
    found = []
    for done, pairs in _near_pairs(corners[order]):
        report(done, "Looking for places where the surface runs through itself")
        pairs = order[pairs]
        pairs = pairs[_boxes_meet(corners, pairs)]
        found.append(pairs[_cross(corners, mesh.triangles, pairs)])
    crossing = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    return np.sort(crossing, axis=1).astype(np.int32)


def _along_a_curve(corners: FloatArray) -> NDArray[np.int64]:
    """Order of the triangles in which neighbours in the row are neighbours in space (Morton 1966)."""
    middle = corners.mean(axis=1)
    low = middle.min(axis=0)
    cells = ((middle - low) * (1023 / max(float(np.ptp(middle, axis=0).max()), 1e-9))).astype(np.int64)
    code = np.zeros(len(cells), np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return np.argsort(code, kind="stable")


def _near_pairs(corners: FloatArray) -> Iterator[tuple[float, Pairs]]:
    """Share done, and pairs of triangles whose smallest boxes of the tree meet."""
    depth = max(int(np.ceil(np.log2(len(corners) / _LEAF))), 0)
    size = _LEAF << depth
    low, high = np.full((size, 3), np.inf), np.full((size, 3), -np.inf)
    low[: len(corners)], high[: len(corners)] = corners.min(axis=1), corners.max(axis=1)
    low, high = low.reshape(-1, _LEAF, 3).min(axis=1), high.reshape(-1, _LEAF, 3).max(axis=1)
    levels = [(low, high)]
    while len(low) > 1:
        low, high = low.reshape(-1, 2, 3).min(axis=1), high.reshape(-1, 2, 3).max(axis=1)
        levels.append((low, high))
    stack: list[tuple[int, Pairs]] = [(len(levels) - 1, np.zeros((1, 2), np.int64))]
    while stack:
        level, pairs = stack.pop()
        if level == 0:
            within = _children(pairs, _LEAF)
            within = within[(within < len(corners)).all(axis=1) & (within[:, 0] != within[:, 1])]
            yield float(pairs[-1, 0] / len(levels[0][0])), within
            continue
        low, high = levels[level - 1]
        below = _children(pairs, 2)
        a, b = below.T
        below = below[((low[a] <= high[b]) & (low[b] <= high[a])).all(axis=1)]
        pieces = -(-len(below) // (_AT_ONCE // 8))
        stack += [(level - 1, piece) for piece in reversed(np.array_split(below, pieces))] if pieces else []


def _children(pairs: Pairs, count: int) -> Pairs:
    """All pairs of the children of both, each once."""
    first, second = (n.ravel() for n in np.meshgrid(np.arange(count), np.arange(count), indexing="ij"))
    below = np.stack([pairs[:, :1] * count + first, pairs[:, 1:] * count + second], axis=2).reshape(-1, 2)
    return below[below[:, 0] <= below[:, 1]]


def _boxes_meet(corners: FloatArray, pairs: Pairs) -> BoolArray:
    one, other = corners[pairs[:, 0]], corners[pairs[:, 1]]
    meet: BoolArray = ((one.min(axis=1) <= other.max(axis=1)) & (other.min(axis=1) <= one.max(axis=1))).all(
        axis=1
    )
    return meet


def _cross(corners: FloatArray, triangles: IntArray, pairs: Pairs) -> BoolArray:
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
    passes = np.zeros(len(faces), np.bool_)
    for start in range(3):
        end = (start + 1) % 3
        p, q = others[:, start], others[:, end]
        spans = side[:, start] * side[:, end] < 0
        turns = np.stack(
            [
                np.einsum("ni,ni->n", q - p, np.cross(faces[:, n] - p, faces[:, (n + 1) % 3] - p))
                for n in range(3)
            ],
            axis=1,
        )
        passes |= spans & ((turns > 0).all(axis=1) | (turns < 0).all(axis=1))
    return passes
