"""Array types, and the one way an array becomes part of a frozen value."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

FloatArray = NDArray[np.float64]
FloatsArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]
Vec3 = tuple[float, float, float]


def frozen(array: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """A C-ordered array of this type that cannot be written to; copied only when it must be.

    A writeable array given in is copied first, so the caller keeps what is theirs.
    """
    given = np.asarray(array)
    kept = np.ascontiguousarray(given, dtype=dtype)
    if kept is given and kept.flags.writeable:
        kept = kept.copy()
    kept.flags.writeable = False
    return kept


def given_away(array: NDArray[Any]) -> NDArray[Any]:
    """Freeze an array that its maker will not touch again, without a copy (large results)."""
    array.flags.writeable = False
    return array


def vec3(numbers: ArrayLike) -> Vec3:
    """Three finite numbers as a plain tuple.

    Raises ValueError when there are not three or one is not finite.
    """
    flat = np.asarray(numbers, dtype=np.float64).ravel()
    if flat.shape != (3,) or not np.isfinite(flat).all():
        raise ValueError(f"three finite numbers are needed, not {flat.tolist()}")
    return (float(flat[0]), float(flat[1]), float(flat[2]))
