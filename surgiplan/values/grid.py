"""Where the voxels of an image lie in the patient."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .arrays import FloatArray, frozen


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular lattice of voxel centres in patient space.

    shape_kji: number of slices, rows and columns
    kji_to_lps: 4x4 float64 affine from index (k, j, i, 1) to millimetres (L, P, S, 1); the axes
        i, j, k are right-handed and orthogonal (a sheared scan is resampled at the door)
    frame_uid: DICOM Frame of Reference UID; grids of one frame share a patient space
    """

    shape_kji: tuple[int, int, int]
    kji_to_lps: FloatArray
    frame_uid: str = ""

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape_kji)
        affine = frozen(self.kji_to_lps, np.float64)
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"a grid needs three positive sizes, not {shape}")
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ValueError("kji_to_lps must be a finite 4x4 matrix")
        if not np.array_equal(affine[3], (0.0, 0.0, 0.0, 1.0)):
            raise ValueError("the last row of kji_to_lps must be 0 0 0 1")
        object.__setattr__(self, "shape_kji", shape)
        object.__setattr__(self, "kji_to_lps", affine)
        self._require_right_handed_orthogonal(affine[:3, :3])

    @staticmethod
    def _require_right_handed_orthogonal(axes: FloatArray) -> None:
        lengths = np.linalg.norm(axes, axis=0)
        if lengths.min() <= 0:
            raise ValueError("voxel spacing must be positive")
        unit = axes / lengths
        if np.abs(unit.T @ unit - np.eye(3)).max() > 1e-4:
            raise ValueError("the axes of a grid must be orthogonal: resample a sheared scan first")
        if np.linalg.det(unit[:, ::-1]) <= 0:
            raise ValueError("the axes i, j, k of a grid must be right-handed: this one is mirrored")

    @property
    def spacing_kji(self) -> tuple[float, float, float]:
        """Distance in mm between neighbouring voxel centres along k, j and i."""
        k, j, i = np.linalg.norm(self.kji_to_lps[:3, :3], axis=0)
        return (float(k), float(j), float(i))

    @property
    def axes(self) -> FloatArray:
        """3x3, columns are the unit vectors of k, j, i in patient space."""
        axes: FloatArray = self.kji_to_lps[:3, :3] / np.asarray(self.spacing_kji)
        return axes

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel in cubic millimetres."""
        return float(np.prod(self.spacing_kji))

    @cached_property
    def lps_to_kji(self) -> FloatArray:
        """4x4 inverse of kji_to_lps."""
        inverse: FloatArray = frozen(np.linalg.inv(self.kji_to_lps))
        return inverse

    def to_lps(self, kji: ArrayLike) -> FloatArray:
        """Patient coordinates (n, 3) in mm of (fractional) indices (n, 3) or (3,)."""
        points: FloatArray = np.asarray(kji, np.float64) @ self.kji_to_lps[:3, :3].T + self.kji_to_lps[:3, 3]
        return points

    def to_kji(self, points_lps: ArrayLike) -> FloatArray:
        """Fractional indices (n, 3) of patient points (n, 3) or (3,) in mm."""
        kji: FloatArray = (
            np.asarray(points_lps, np.float64) @ self.lps_to_kji[:3, :3].T + self.lps_to_kji[:3, 3]
        )
        return kji

    def nearest(self, point_lps: ArrayLike) -> tuple[int, int, int] | None:
        """Index of the voxel that holds this point, or None when it lies outside."""
        kji = np.rint(self.to_kji(point_lps))
        if not ((kji >= 0) & (kji < self.shape_kji)).all():  # no number, no voxel
            return None
        return (int(kji[0]), int(kji[1]), int(kji[2]))

    def part(self, box: tuple[slice, slice, slice]) -> "Grid":
        """The grid of the voxels in a box, at the same places.

        box: from where to where along k, j and i; in whole voxels, one by one
        """
        ends = [along.indices(size)[:2] for along, size in zip(box, self.shape_kji, strict=True)]
        affine = self.kji_to_lps.copy()
        affine[:3, 3] = self.to_lps([start for start, _ in ends])
        k, j, i = (stop - start for start, stop in ends)
        return Grid((k, j, i), affine, self.frame_uid)

    @property
    def corners_lps(self) -> FloatArray:
        """(8, 3) the centres of the eight corner voxels in patient space."""
        last = np.asarray(self.shape_kji) - 1
        choice = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        return self.to_lps(choice * last)

    def same_as(self, other: "Grid") -> bool:
        """Whether both have the same shape, place (1e-6 mm) and frame of reference."""
        return (
            self.shape_kji == other.shape_kji
            and self.frame_uid == other.frame_uid
            and bool(np.allclose(self.kji_to_lps, other.kji_to_lps, rtol=0, atol=1e-6))
        )
