"""Distances to triangles and between triangles, row by row."""

import numpy as np

from ..values import FloatArray, IntArray

FACE = 6
"""Feature of a triangle: 0 1 2 its corners, 3 4 5 the edges that begin there, 6 its face."""


def closest_on_triangles(points: FloatArray, corners: FloatArray) -> tuple[FloatArray, IntArray]:
    """The place on a triangle that is nearest to a point, row by row.

    points: (n, 3) mm
    corners: (n, 3, 3) mm, the triangle of each point
    Returns (n, 3) places in mm, and (n,) the feature each lies on: 0 1 2 for the corners, 3 4 5 for the
    edges that begin there, 6 for the face.
    """
    edges = np.roll(corners, -1, axis=1) - corners
    to_point = points[:, None] - corners
    squared = np.einsum("nij,nij->ni", edges, edges)
    along = np.einsum("nij,nij->ni", edges, to_point) / np.where(squared > 0, squared, 1)
    along = np.clip(along, 0, 1)
    on_edges = corners + along[..., None] * edges
    distance = np.square(points[:, None] - on_edges).sum(axis=2)
    rows, edge = np.arange(len(points)), distance.argmin(axis=1)
    share = along[rows, edge]
    feature = np.where(share <= 0, edge, np.where(share >= 1, (edge + 1) % 3, edge + 3))
    place = on_edges[rows, edge]

    normals = np.cross(edges[:, 0], edges[:, 1])
    inside = (np.einsum("nij,nj->ni", np.cross(edges, to_point), normals) > 0).all(axis=1)
    height = np.einsum("nj,nj->n", to_point[:, 0], normals) / np.where(inside, (normals**2).sum(axis=1), 1)
    place = np.where(inside[:, None], points - height[:, None] * normals, place)
    return place, np.where(inside, FACE, feature).astype(np.int32)


def at_most_apart(ones: FloatArray, others: FloatArray) -> FloatArray:
    """How far the places of one triangle are from another at most, pair by pair: as its farthest corner.

    ones, others: (n, 3, 3) mm, the corners of both triangles of each pair
    Returns (n,) mm.
    """
    points = ones.reshape(-1, 3)
    places, _ = closest_on_triangles(points, np.repeat(others, 3, axis=0))
    farthest: FloatArray = np.linalg.norm(points - places, axis=1).reshape(-1, 3).max(axis=1)
    return farthest


def between_triangles(ones: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far two triangles that do not cross are apart, pair by pair.

    ones, others: (n, 3, 3) mm, the corners of both triangles of each pair
    Returns (n,) distances in mm, and (n, 3) the nearest place on the first triangle.
    """
    n = len(ones)
    here = [ones.reshape(-1, 3)]
    there = [closest_on_triangles(here[0], np.repeat(others, 3, axis=0))[0]]
    there.append(others.reshape(-1, 3))
    here.append(closest_on_triangles(there[1], np.repeat(ones, 3, axis=0))[0])
    on_one, on_other = _between_edges(ones, others)
    places = np.concatenate([side.reshape(n, -1, 3) for side in (*here, on_one)], axis=1)
    opposite = np.concatenate([side.reshape(n, -1, 3) for side in (*there, on_other)], axis=1)
    squared = np.square(places - opposite).sum(axis=2)
    rows, nearest = np.arange(n), squared.argmin(axis=1)
    return np.sqrt(squared[rows, nearest]), places[rows, nearest]


def _between_edges(ones: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n, 9, 3) the places where each edge of one triangle passes each edge of the other most closely.

    Right where both places lie within their edges; elsewhere the nearest place has a corner, and the
    places given here are merely on the edges.
    """
    u, v = (np.roll(corners, -1, axis=1) - corners for corners in (ones, others))
    u, v, p, q = (
        np.repeat(u, 3, axis=1),
        np.tile(v, (1, 3, 1)),
        np.repeat(ones, 3, axis=1),
        np.tile(others, (1, 3, 1)),
    )
    w = p - q
    uu, uv, vv, uw, vw = (np.einsum("nij,nij->ni", x, y) for x, y in ((u, u), (u, v), (v, v), (u, w), (v, w)))
    across = uu * vv - uv * uv
    across = np.where(across > 0, across, 1)
    s = np.clip((uv * vw - vv * uw) / across, 0, 1)
    t = np.clip((uu * vw - uv * uw) / across, 0, 1)
    return p + s[..., None] * u, q + t[..., None] * v
