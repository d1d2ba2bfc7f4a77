"""Places spread evenly over a surface, however it is cut into triangles."""

import numpy as np

from ..values import FloatArray, IntArray

# steps of the R2 sequence (Roberts 2018): powers of the plastic number, x^3 = x + 1
_PLASTIC = 1.324717957244746
_STEPS = np.array([1 / _PLASTIC, 1 / _PLASTIC**2])


def spread(corners: FloatArray, count: int) -> tuple[FloatArray, IntArray]:
    """Choose places evenly over the area of a surface, so that each stands for the same share of it.

    The area is walked through triangle by triangle and a place is taken at equal steps (systematic
    sampling); where in its triangle it lies follows a low-discrepancy sequence. Nothing is left to chance.

    corners: (m, 3, 3) mm, the corners of the triangles
    count: how many places
    Returns (n, 3) places in mm and (n,) the triangle of each; none when the surface has no area.
    """
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    reached = np.cumsum(np.linalg.norm(normals, axis=1) / 2)
    if not len(reached) or reached[-1] <= 0:
        return np.zeros((0, 3)), np.zeros(0, np.int32)
    number = np.arange(count)
    triangle = np.searchsorted(reached, (number + 0.5) * (reached[-1] / count)).astype(np.int32)
    u, v = np.mod(0.5 + number[:, None] * _STEPS, 1.0).T
    beyond = u + v > 1
    u, v = np.where(beyond, 1 - u, u), np.where(beyond, 1 - v, v)
    a, b, c = (corners[triangle, n] for n in range(3))
    places: FloatArray = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    return places, triangle
