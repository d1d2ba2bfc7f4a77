"""Boxes round what is seen; from the corners of a mesh, so that moving it costs nothing."""

from collections.abc import Iterable

import numpy as np

from ..plan.plan import Step
from ..values import EdgeMap, FloatArray, GapMap, Mask, Mesh, Part, Plane, Pose, Value, Volume, WallMap
from .view import Results, value_of

_CORNERS = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
_EDGES = np.array([[a, a | bit] for bit in (1, 2, 4) for a in range(8) if not a & bit])


def box_of(mesh: Mesh, pose: Pose) -> FloatArray:
    """(2, 3) a box in patient space that holds a placed mesh; not the tightest one when it is turned."""
    if not len(mesh.points):
        return np.zeros((0, 3))
    corners = pose.apply(np.where(_CORNERS, mesh.bounds[1], mesh.bounds[0]))
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def around(boxes: Iterable[FloatArray]) -> FloatArray:
    """(2, 3) the box round all these points, or (0, 3) when there are none."""
    points = np.concatenate([np.zeros((0, 3)), *boxes])
    return np.stack([points.min(axis=0), points.max(axis=0)]) if len(points) else points


def box_of_value(value: Value) -> FloatArray:
    """(2, 3) the box round a shape or an image, or (0, 3) for what has no place."""
    match value:
        case Part():
            return box_of(value.mesh, value.pose)
        case GapMap() | WallMap() | EdgeMap():
            return box_of(value.part.mesh, value.part.pose)
        case Volume() | Mask():
            return around([value.grid.corners_lps])
        case _:
            return np.zeros((0, 3))


def box_of_inputs(step: Step, results: Results) -> FloatArray:
    """(2, 3) the box round what a step is made of: its shapes, else its images; (0, 3) when unknown."""
    given: list[Value] = []
    for refs in step.references.values():
        for ref in refs:
            value = value_of(results.get(ref.step))
            given.append(value.get(ref.output) if ref.output and isinstance(value, dict) else value)
    shapes = [value for value in given if isinstance(value, Part)]
    return around(box_of_value(value) for value in shapes or given)


def section_half_mm(box: FloatArray, plane: Plane, axes: FloatArray) -> float:
    """Half the side of a square on a plane that covers the section of a box, with a little room, mm.

    axes: (2, 3) unit vectors of the sides. A plane that misses the box gets half its middle extent.
    """
    if not len(box):
        return 50.0
    corners = np.where(_CORNERS, box[1], box[0])
    away = plane.distance(corners)[_EDGES]
    crossed = (away[:, 0] >= 0) != (away[:, 1] >= 0)
    if not crossed.any():
        return max(float(np.median(box[1] - box[0])) / 2, 1.0)
    start, end = corners[_EDGES[crossed, 0]], corners[_EDGES[crossed, 1]]
    share = away[crossed, 0] / (away[crossed, 0] - away[crossed, 1])
    section = start + share[:, None] * (end - start)
    return max(1.1 * float(np.abs((section - plane.point) @ axes.T).max()), 1.0)
