"""A first answer at once: distances from places on a surface alone, and on which side of it nodes lie."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...values import BoolArray, FloatArray, FloatsArray, IntArray, Mesh
from ..spread import counted
from .cloud import Cloud

_AT_ONCE = 1 << 12  # nodes; what belongs to them stays in the cache
_ASIDE = 0.317  # columns pass corners and edges of rounded coordinates by so many micrometres


def first_distances(
    mesh: Mesh, cloud: Cloud, origin: FloatArray, shape: tuple[int, int, int], step_mm: float
) -> tuple[FloatsArray, float]:
    """Distances at the nodes of a lattice to the nearest place that a quick search finds.

    mesh: a closed surface that faces outwards
    cloud: the places on it
    origin: (3,) mm, of the lattice
    shape: nodes along x, y and z
    step_mm: from node to node
    Returns (shape) float32 mm, negative inside, and by how many mm each can be wrong at most.
    """
    nodes = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    points = (origin - cloud.middle + step_mm * nodes).astype(np.float32)
    middles, radii = cloud.groups[-1]
    tree = cKDTree(middles.T, leafsize=32, balanced_tree=False)
    group = np.asarray(tree.query(points)[1], np.intp)
    away = np.empty(len(points), np.float32)
    for start in range(0, len(points), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        row, place = cloud.opened(len(cloud.groups) - 1, group[some])
        apart = cloud.places.take(place, axis=1)
        apart -= points[some].T.take(row, axis=1)
        squared = np.einsum("ij,ij->j", apart, apart)
        away[some] = np.minimum.reduceat(squared, np.searchsorted(row, np.arange(len(group[some]))))
    away = np.sqrt(away, out=away).reshape(shape)
    return np.where(within(mesh, origin, shape, step_mm), -away, away), float(radii.max()) + cloud.apart_mm


def within(mesh: Mesh, origin: FloatArray, shape: tuple[int, int, int], step_mm: float) -> BoolArray:
    """Whether the nodes of a lattice lie inside a closed surface: by its winding number.

    Above a node along z, the surface is passed outwards more often than inwards. A column that meets an edge
    meets one of the two triangles at it: both find the same number for their side of it.

    mesh, origin, shape, step_mm: see `first_distances`
    Returns (shape) bool.
    """
    points = (mesh.points.astype(np.float64) - origin) / step_mm
    points[:, :2] += _ASIDE * 1e-3 / step_mm * np.array([1.0, 0.7548776662466927])
    triangle, columns = _under(points, mesh.triangles, shape)
    ends = mesh.triangles[triangle]
    low, high = np.minimum(ends, np.roll(ends, -1, axis=1)), np.maximum(ends, np.roll(ends, -1, axis=1))
    along, away = points[high] - points[low], columns[:, None] - points[low][..., :2]
    side = along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0]
    left = (side >= 0) == (ends == low)
    met = left.all(axis=1) | ~left.any(axis=1)
    up, column, z = left[met, 0], columns[met].astype(np.intp), points[ends[met]][..., 2]
    side = np.where(ends == low, side, -side)[met]
    weight = side[:, [1, 2, 0]] / side.sum(axis=1, keepdims=True)  # of a corner: the edge across from it
    below = np.ceil((weight * z).sum(axis=1)).astype(np.intp).clip(0, shape[2])
    turns = np.zeros((shape[0], shape[1], shape[2] + 1), np.int32)
    np.add.at(turns, (column[:, 0], column[:, 1], below), np.where(up, 1, -1))
    inside: BoolArray = np.cumsum(turns[:, :, ::-1], axis=2)[:, :, ::-1][:, :, 1:] > 0
    return inside


def _under(
    points: FloatArray, triangles: IntArray, shape: tuple[int, int, int]
) -> tuple[NDArray[np.intp], FloatArray]:
    """Pairs of a triangle and a column (n, 2) of nodes along z that may pass through it."""
    triangle: NDArray[np.intp] = np.arange(len(triangles))
    spans: list[FloatArray] = []
    for axis in (0, 1):
        a, b, c = (points[:, axis].take(triangles[triangle, n]) for n in range(3))
        first = np.ceil(np.minimum(np.minimum(a, b), c)).clip(0)
        last = np.floor(np.maximum(np.maximum(a, b), c)).clip(None, shape[axis] - 1)
        some = first <= last
        triangle = triangle[some]
        spans = [span[some] for span in spans] + [first[some], last[some]]
    x, x_end, y, y_end = spans
    wide, deep = (x_end - x + 1).astype(np.intp), (y_end - y + 1).astype(np.intp)
    row, number = np.repeat(np.arange(len(triangle)), wide * deep), counted(wide * deep)
    columns = np.stack([x[row] + number // deep[row], y[row] + number % deep[row]], axis=1)
    return triangle[row], columns
