"""What a mesh file holds, before it is judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...values import FloatArray

MAX_TRIANGLES = 20_000_000
MAX_BODIES = 20_000


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


def require_modest(bodies: int, triangles: int) -> None:
    """Raise BadInput when a file, perhaps a small one that repeats itself, grows beyond all use."""
    if bodies > MAX_BODIES or triangles > MAX_TRIANGLES:
        raise BadInput(f"it grows to over {MAX_BODIES} bodies or {MAX_TRIANGLES} triangles: a bomb?")


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
