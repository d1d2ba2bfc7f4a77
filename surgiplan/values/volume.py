"""Images: measured grey values, and the voxels chosen from them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import BoolArray, frozen
from .grid import Grid


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan.

    grid: where the voxels lie
    voxels: [k, j, i] int16 or float32 grey values (HU for CT)
    modality: DICOM modality, such as CT or MR
    unit: "HU", or "" where the numbers have no physical unit
    """

    grid: Grid
    voxels: NDArray[Any]
    modality: str = "CT"
    unit: str = "HU"

    def __post_init__(self) -> None:
        if self.voxels.dtype not in (np.dtype(np.int16), np.dtype(np.float32)):
            raise ValueError(f"grey values are int16 or float32, not {self.voxels.dtype}")
        _require_shape(self.grid, self.voxels)
        object.__setattr__(self, "voxels", frozen(self.voxels))


@dataclass(frozen=True, eq=False)
class Mask:
    """A choice of voxels.

    grid: where the voxels lie
    voxels: [k, j, i] bool
    level: the grey value at which the choice was made, where the border of the object is sought;
        None when the mask did not come from a threshold
    """

    grid: Grid
    voxels: BoolArray
    level: float | None = None

    def __post_init__(self) -> None:
        if self.voxels.dtype != np.dtype(np.bool_):
            raise ValueError(f"a mask holds bool, not {self.voxels.dtype}")
        _require_shape(self.grid, self.voxels)
        object.__setattr__(self, "voxels", frozen(self.voxels))

    @property
    def volume_mm3(self) -> float:
        """Number of chosen voxels times the volume of one."""
        return int(np.count_nonzero(self.voxels)) * self.grid.voxel_mm3


def _require_shape(grid: Grid, voxels: NDArray[Any]) -> None:
    if voxels.shape != grid.shape_kji:
        raise ValueError(f"voxels have shape {voxels.shape}, the grid {grid.shape_kji}")
