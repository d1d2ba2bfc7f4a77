"""The layers of a surface between parallel planes: what lies in each, and each written out as a body.

These loops touch every point and triangle, so they are compiled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...values import IDENTITY, FloatArray, FloatsArray, IntArray, Mesh, Part, Plane, given_away
from ..compiled import compiled

USED = 128  # added to the layer of a point that a triangle uses
LayerArray = NDArray[np.uint8]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Layers:
    """Where the points of a part lie between parallel planes.

    points: (n,) how many planes lie below each; and USED, once it is known that triangles use it
    heights: of the planes above one such plane, from the highest to the lowest, mm
    gauge: what it takes to tell how far a point of the mesh lies above that plane
    low_mm, high_mm: how far the lowest and the highest do
    """

    points: LayerArray
    heights: FloatArray
    gauge: FloatArray
    low_mm: float
    high_mm: float

    def above(self, mesh: Mesh, rows: Rows) -> FloatArray:
        """How far some points of the mesh lie above the plane, mm."""
        return _above_each(mesh.points, rows, self.gauge)


def layers_of(part: Part, plane: Plane, heights_mm: tuple[float, ...]) -> Layers:
    """Sort the points of a part into the layers between parallel planes.

    heights_mm: of the planes above the given one, from the highest to the lowest
    """
    heights, gauge = np.array(heights_mm), _gauge(part, plane)
    points, low, high = _sorted(part.mesh.points, gauge, heights)
    return Layers(points, heights, gauge, low, high)


def _gauge(part: Part, plane: Plane) -> FloatArray:
    """(7,) what to take off a point of the mesh, what to multiply the rest with, and what to add to that."""
    if part.pose == IDENTITY:
        return np.array([*plane.point, *plane.normal, 0.0])
    normal = np.asarray(plane.normal)
    beyond = normal @ (part.pose.shift - np.asarray(plane.point))
    return np.array([0.0, 0.0, 0.0, *(normal @ part.pose.rotation), beyond])


@compiled
def _above(points: FloatsArray, n: int, gauge: FloatArray) -> float:
    x, y, z = points[n, 0] - gauge[0], points[n, 1] - gauge[1], points[n, 2] - gauge[2]
    away: float = x * gauge[3] + y * gauge[4] + z * gauge[5] + gauge[6]
    return away


@compiled
def _above_each(points: FloatsArray, rows: Rows, gauge: FloatArray) -> FloatArray:
    found = np.empty(len(rows))
    for n in range(len(rows)):
        found[n] = _above(points, rows[n], gauge)
    return found


@compiled
def _sorted(points: FloatsArray, gauge: FloatArray, heights: FloatArray) -> tuple[LayerArray, float, float]:
    layers, low, high = np.empty(len(points), np.uint8), np.inf, -np.inf
    for n in range(len(points)):
        away = _above(points, n, gauge)
        low, high = min(low, away), max(high, away)
        layers[n] = 0
        for k in range(len(heights)):
            layers[n] += away > heights[k]
    return layers, low, high


@compiled
def sorted_triangles(triangles: IntArray, layers: LayerArray, count: int) -> tuple[IntArray, IntArray]:
    """How many triangles lie wholly in each of so many layers, and the rows of the others.

    layers: of the points; USED is added for those that a triangle uses
    """
    counts, crossed, found = np.zeros(count, np.int32), np.empty(len(triangles), np.int32), 0
    for row in range(len(triangles)):
        a, b, c = triangles[row, 0], triangles[row, 1], triangles[row, 2]
        one, two, three = layers[a] | USED, layers[b] | USED, layers[c] | USED
        layers[a], layers[b], layers[c] = one, two, three
        if one == two == three:
            counts[one - USED] += 1
        else:
            crossed[found] = row
            found += 1
    return counts, crossed[:found]


@compiled
def beside(triangles: IntArray, layers: LayerArray, known: NDArray[np.bool_]) -> IntArray:
    """Rows of the triangles that lie wholly in one layer and have a known corner."""
    rows, found = np.empty(len(triangles), np.int32), 0
    for row in range(len(triangles)):
        a, b, c = triangles[row, 0], triangles[row, 1], triangles[row, 2]
        if (known[a] or known[b] or known[c]) and layers[a] == layers[b] == layers[c]:
            rows[found] = row
            found += 1
    return rows[:found]


def put_together(
    mesh: Mesh, layers: LayerArray, counts: IntArray, rows: Rows, seam: FloatsArray, lids: list[IntArray]
) -> list[tuple[Mesh, float]]:
    """The closed body of each layer, the lowest first, with its volume in mm³.

    Points and triangles stay in their order, those of the seam come behind. The bodies share their memory.

    layers: (n,) of the points
    counts: how many triangles lie wholly in each layer
    rows: which points of the mesh are the first ones of the seam
    seam: (k, 3) points
    lids: for each layer the triangles, with numbers of points of the seam, that close it
    """
    own = [int(np.count_nonzero(layers == USED + layer)) for layer in range(len(lids))]
    all_triangles = counts + np.array([len(lid) for lid in lids])
    room = np.array(own) + len(seam)
    first_point, first = np.cumsum(room) - room, np.cumsum(all_triangles) - all_triangles
    points, triangles = np.empty((room.sum(), 3), np.float32), np.empty((all_triangles.sum(), 3), np.int32)
    number = _write_points(mesh.points, layers, first_point, points)
    six = _write_triangles(mesh.points, mesh.triangles, layers, number, first, triangles)
    height, bodies = float(mesh.points[0, 2]), list[tuple[Mesh, float]]()
    for layer, lid in enumerate(lids):
        places = points[first_point[layer] : first_point[layer] + room[layer]]
        named = triangles[first[layer] : first[layer] + all_triangles[layer]]
        used, more = _write_lid(lid, seam, rows, layers, number, layer, own[layer], height, places, named)
        bodies.append((Mesh(given_away(places[:used]), given_away(named)), float(six[layer] + more) / 6))
    return bodies


@compiled
def _write_points(points: FloatsArray, layers: LayerArray, first: Rows, to: FloatsArray) -> IntArray:
    """Write the points in use, those of each layer from some row on; returns their numbers in the layer."""
    number, count = np.empty(len(points), np.int32), np.zeros(len(first), np.int32)
    for n in range(len(points)):
        if layers[n] >= USED:
            layer = layers[n] - USED
            row = first[layer] + count[layer]
            to[row, 0], to[row, 1], to[row, 2] = points[n, 0], points[n, 1], points[n, 2]
            number[n] = count[layer]
            count[layer] += 1
    return number


@compiled
def _six(points: FloatsArray, a: int, b: int, c: int, height: float) -> float:
    """Six times the volume between a triangle and the plane z = height."""
    x, y = np.float64(points[a, 0]), np.float64(points[a, 1])
    over_xy = (points[b, 0] - x) * (points[c, 1] - y) - (points[c, 0] - x) * (points[b, 1] - y)
    six: float = ((points[a, 2] - height) + (points[b, 2] - height) + (points[c, 2] - height)) * over_xy
    return six


@compiled
def _write_triangles(
    points: FloatsArray, triangles: IntArray, layers: LayerArray, number: IntArray, first: Rows, to: IntArray
) -> FloatArray:
    """Write the triangles that lie wholly in a layer, those of each from some row on.

    Returns for each layer six times the volume between them and the height of the first point.
    """
    row, six, height = first.copy(), np.zeros(len(first)), np.float64(points[0, 2])
    for n in range(len(triangles)):
        a, b, c = triangles[n, 0], triangles[n, 1], triangles[n, 2]
        if layers[a] == layers[b] == layers[c]:
            layer = layers[a] - USED
            here = row[layer]
            to[here, 0], to[here, 1], to[here, 2] = number[a], number[b], number[c]
            row[layer] += 1
            six[layer] += _six(points, a, b, c, height)
    return six


@compiled
def _write_lid(
    lid: IntArray,
    seam: FloatsArray,
    rows: Rows,
    layers: LayerArray,
    number: IntArray,
    layer: int,
    count: int,
    height: float,
    points: FloatsArray,
    triangles: IntArray,
) -> tuple[int, float]:
    """Write what closes a layer of so many points behind its triangles, and behind its points those it lacks.

    Returns how many points there are then, and six times the volume between the new triangles and a height.
    """
    named, wanted = np.full(len(seam), -1, np.int32), np.zeros(len(seam), np.bool_)
    for n in range(len(rows)):
        if layers[rows[n]] == USED + layer:
            named[n] = number[rows[n]]
    for n in range(len(lid)):
        for corner in range(3):
            wanted[lid[n, corner]] = True
    for n in range(len(seam)):
        if wanted[n] and named[n] < 0:
            named[n] = count
            points[count, 0], points[count, 1], points[count, 2] = seam[n, 0], seam[n, 1], seam[n, 2]
            count += 1
    six, row = 0.0, len(triangles) - len(lid)
    for n in range(len(lid)):
        a, b, c = lid[n, 0], lid[n, 1], lid[n, 2]
        triangles[row, 0], triangles[row, 1], triangles[row, 2] = named[a], named[b], named[c]
        six += _six(seam, a, b, c, height)
        row += 1
    return count, six
