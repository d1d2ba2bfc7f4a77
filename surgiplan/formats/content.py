"""What a mesh file holds, before it is judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..values import FloatArray


@dataclass(frozen=True, eq=False)
class Content:
    """Points and triangles as a file has them.

    points: (n, 3) float64, in millimetres where the file states its unit, else in its own numbers
    triangles: (m, 3) places in the points, counter-clockwise seen from outside
    header: its remarks, where SPACE= and UNIT= are looked for
    unit: the unit it states, "" when its kind of file has none
    unit_mm: how many mm that unit has
    told: what is to be known of how it was read
    """

    points: FloatArray
    triangles: NDArray[np.int64]
    header: str = ""
    unit: str = ""
    unit_mm: float = 1.0
    told: tuple[str, ...] = ()


def joined(bodies: Sequence[tuple[FloatArray, NDArray[np.int64]]]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Several bodies as one list of points and triangles; none of them is changed."""
    starts = np.cumsum([0, *(len(points) for points, _ in bodies)])
    points = np.concatenate([np.zeros((0, 3)), *(points for points, _ in bodies)])
    triangles = np.concatenate(
        [np.zeros((0, 3), np.int64), *(t + n for n, (_, t) in zip(starts, bodies, strict=False))]
    )
    return points, triangles


def moved(
    points: FloatArray, triangles: NDArray[np.int64], matrix: FloatArray
) -> tuple[FloatArray, NDArray[np.int64]]:
    """A body after a 4x4 affine motion; a mirroring one turns its triangles too: they still face outwards."""
    turned = triangles if np.linalg.det(matrix[:3, :3]) > 0 else triangles[:, ::-1]
    return points @ matrix[:3, :3].T + matrix[:3, 3], turned
