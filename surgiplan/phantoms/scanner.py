"""A scanner for bodies of known shape: every voxel gets the mean of what lies in it.

Blocks of voxels are halved until one look at the centre shows that no surface passes, or they are
small. Voxels that a surface passes are cut into cells, and in each cell the surface is taken as
plane, for which the share of the cell on one side has a closed form (Scardovelli and Zaleski,
J. Comput. Phys. 164:228, 2000). With 3 x 3 x 3 cells the share of a voxel is right to about 1e-3 on
surfaces whose radius of curvature is 5 voxels or more, with no bias for planes along the axes.
"""

from collections.abc import Sequence
from math import erf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..progress import Report, part_of, silent
from ..values import FloatArray, FloatsArray, Grid, Volume, given_away
from .shape import Shape

Material = tuple[Shape, float]
IndexArray = NDArray[np.int64]
_BLOCK_VOXELS = 8192
_LOWEST_HU, _HIGHEST_HU = -1024, 32767
_THINNEST = 1e-4  # keeps the closed form away from 0 / 0 for planes along an axis


def axial_grid(box_lps: ArrayLike, spacing_kji: Sequence[float], frame_uid: str = "") -> Grid:
    """Lay an axial grid over a box: i runs to the left, j to posterior, k to superior.

    box_lps: (2, 3) lowest and highest corner in mm; the grid is centred on it and covers it
    spacing_kji: distance of voxels in mm along k, j and i
    frame_uid: DICOM Frame of Reference UID of the patient space
    """
    low, high = np.asarray(box_lps, np.float64)
    step = np.asarray(spacing_kji, np.float64)
    extent = (high - low)[::-1]
    shape = np.maximum(np.ceil(extent / step), 1)
    affine = np.zeros((4, 4))
    affine[[2, 1, 0], [0, 1, 2]] = step
    affine[:3, 3] = (low + high) / 2 - ((shape - 1) * step / 2)[::-1]
    affine[3, 3] = 1
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine, frame_uid)


def scan(
    materials: Sequence[Material],
    grid: Grid,
    *,
    background_hu: float = -1000.0,
    psf_sigma_mm: float = 0.0,
    noise_hu: float = 0.0,
    seed: int = 0,
    cells: int = 3,
    report: Report = silent,
) -> Volume:
    """Take a CT of bodies: partial volume, then blur, then noise, then whole HU.

    materials: bodies and their HU; a later one takes the place of earlier ones
    grid: where the voxels lie
    background_hu: what is where no body is
    psf_sigma_mm: standard deviation of a Gaussian blur of the voxel means, the same in all
        directions; it comes on top of the averaging over the voxel
    noise_hu: standard deviation of white noise
    seed: of the noise; the same seed gives the same scan
    cells: into how many cells per axis a voxel is cut where a surface passes (3 or more)
    report: told how far it is; may raise Cancelled
    """
    image = mean_values(
        materials, grid, background=background_hu, cells=cells, report=part_of(report, 0.0, 0.8)
    )
    if psf_sigma_mm > 0:
        report(0.8, "blurring")
        image = blurred(image, grid.spacing_kji, psf_sigma_mm)
    if noise_hu > 0:
        report(0.9, "adding noise")
        noise = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
        image += np.float32(noise_hu) * noise
    whole = np.clip(np.rint(image, out=image), _LOWEST_HU, _HIGHEST_HU).astype(np.int16)
    report(1.0, "scanned")
    return Volume(grid, given_away(whole))


def volume_of(shape: Shape, spacing_mm: float, cells: int = 4) -> float:
    """Find the volume of a body in mm3 by summing over a grid; the error falls with its square.

    shape: a body whose box is finite
    spacing_mm: edge of the voxels of the grid
    cells: cells per axis of a voxel that the surface passes
    """
    grid = axial_grid(shape.box + np.array([[-spacing_mm], [spacing_mm]]), (spacing_mm,) * 3)
    share = mean_values([(shape, 1.0)], grid, background=0.0, cells=cells)
    return float(share.sum(dtype=np.float64)) * grid.voxel_mm3


def mean_values(
    materials: Sequence[Material], grid: Grid, *, background: float, cells: int = 3, report: Report = silent
) -> FloatsArray:
    """Give each voxel the mean value of the bodies in it: float32 [k, j, i].

    materials: bodies and their values; a later one takes the place of earlier ones
    grid: where the voxels lie
    background: what is where no body is
    cells: cells per axis of a voxel that a surface passes (3 or more)
    report: told how far it is; may raise Cancelled
    """
    if cells < 3:
        raise ValueError(f"a voxel is cut into 3 cells per axis or more, not {cells}")
    image = np.empty(grid.shape_kji, np.float32)
    _Filling(grid, cells, report).fill(image, np.zeros(3, np.int64), materials, background)
    return image


def blurred(image: FloatsArray, spacing_kji: Sequence[float], sigma_mm: float) -> FloatsArray:
    """Blur an image with a Gaussian, its border continued outwards.

    image: float32 [k, j, i]
    spacing_kji: mm
    sigma_mm: standard deviation in mm
    """
    result = image
    for axis, step in enumerate(spacing_kji):
        weights = _gaussian_weights(sigma_mm / step)
        reach = len(weights) // 2
        pad = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        wide = np.pad(result, pad, mode="edge")
        total = np.zeros_like(result)
        for n, weight in enumerate(weights):
            part = [slice(n, n + result.shape[a]) if a == axis else slice(None) for a in range(3)]
            total += np.float32(weight) * wide[tuple(part)]
        result = total
    return result


def _gaussian_weights(sigma_voxels: float) -> list[float]:
    """Shares of a Gaussian in voxels; narrowed first, since averaging over a voxel widens it."""
    narrowed = sqrt(max(sigma_voxels**2 - 1 / 12, 1e-6))
    reach = int(np.ceil(4 * sigma_voxels + 0.5))
    edges = [erf((n - 0.5) / (narrowed * sqrt(2))) for n in range(-reach, reach + 2)]
    shares = np.diff(edges)
    return [float(share) for share in shares / shares.sum()]


class _Filling:
    """Fills the blocks of one image, and says how far it is."""

    def __init__(self, grid: Grid, cells: int, report: Report) -> None:
        self._grid, self._cells, self._report = grid, cells, report
        self._reach = float(np.linalg.norm(grid.spacing_kji)) / 2  # of a voxel round its centre
        self._filled = 0

    def fill(
        self, image: FloatsArray, corner: IndexArray, materials: Sequence[Material], base: float
    ) -> None:
        """Fill a block whose first voxel is `corner`, halving it while surfaces pass through it."""
        size = np.asarray(image.shape)
        extent = size * self._grid.spacing_kji
        crossing, base = self._crossing(
            corner + (size - 1) / 2, float(np.linalg.norm(extent)) / 2, materials, base
        )
        if crossing and image.size > _BLOCK_VOXELS:
            axis = int(np.argmax(np.where(size > 1, extent, 0)))
            half = int(size[axis]) // 2
            low, high = np.split(image, [half], axis=axis)
            self.fill(low, corner, crossing, base)
            self.fill(high, corner + half * np.eye(3, dtype=np.int64)[axis], crossing, base)
            return
        image[...] = self._block(image.shape, corner, crossing, base) if crossing else base
        self._filled += image.size
        self._report(self._filled / int(np.prod(self._grid.shape_kji)), "scanning")

    def _crossing(
        self, middle_kji: FloatArray, radius: float, materials: Sequence[Material], base: float
    ) -> tuple[list[Material], float]:
        """The bodies whose surface may pass through a ball, simplified, and the value below them."""
        centre = self._grid.to_lps(middle_kji)
        crossing: list[Material] = []
        for shape, value in materials:
            simpler = shape.near(centre, radius)
            at_centre = float(simpler.field(centre))
            if at_centre <= -radius:
                crossing, base = [], value
            elif at_centre < radius:
                crossing.append((simpler, value))
        return crossing, base

    def _block(
        self, size: tuple[int, ...], corner: IndexArray, materials: list[Material], base: float
    ) -> FloatArray:
        """Mean values of a small block, as [k, j, i]."""
        centres = self._grid.to_lps(np.indices(size).reshape(3, -1).T + corner)
        fields = [shape.field(centres) for shape, _ in materials]
        values = np.full(len(centres), base)
        passed = np.zeros(len(centres), np.bool_)
        for (_, value), field in zip(materials, fields, strict=True):
            inside = field <= -self._reach
            values[inside] = value
            passed[inside] = False
            passed |= np.abs(field) < self._reach
        if passed.any():
            kept = [field[passed] for field in fields]
            values[passed] = self._cut_voxels(centres[passed], kept, materials, base)
        return values.reshape(size)

    def _cut_voxels(
        self, centres: FloatArray, fields: list[FloatArray], materials: list[Material], base: float
    ) -> FloatArray:
        """Mean values of voxels that surfaces pass, cell by cell."""
        cells = self._cells
        steps = (np.arange(cells) + 0.5) / cells - 0.5
        lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
        shifts = lattice.reshape(-1, 3) @ self._grid.kji_to_lps[:3, :3].T
        values = np.full((len(centres), cells, cells, cells), base)
        for (shape, value), field in zip(materials, fields, strict=True):
            values[field <= -self._reach] = value
            near = np.abs(field) < self._reach
            if near.any():
                points = (centres[near][:, None] + shifts).reshape(-1, 3)
                share = _shares(shape.field(points).reshape(-1, cells, cells, cells))
                values[near] += share * (value - values[near])
        mean: FloatArray = values.mean(axis=(1, 2, 3))
        return mean


def _shares(field: FloatArray) -> FloatArray:
    """Share of each cell inside a body, from the field (n, c, c, c) at the centres of the cells."""
    rises = [np.abs(part) for part in np.gradient(field, axis=(1, 2, 3), edge_order=2)]
    span = rises[0] + rises[1] + rises[2]
    share = (field < 0).astype(np.float64)
    cut = np.abs(field) < span / 2
    share[cut] = _plane_share(field[cut], np.stack([part[cut] for part in rises]))
    return share


def _plane_share(field: FloatArray, rises: FloatArray) -> FloatArray:
    """Share of a box where a linear field is negative.

    field: (n,) at the centre of the box; rises: (3, n) how much it changes across each edge
    """
    m = np.maximum(rises, _THINNEST * rises.max(axis=0))
    span = m.sum(axis=0)
    m /= span
    full = np.clip(0.5 - field / span, 0, 1)
    level = np.minimum(full, 1 - full)  # the smaller side; the other is the rest
    total = level**3
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        total -= np.maximum(level - m[a], 0) ** 3
        total += np.maximum(level - m[b] - m[c], 0) ** 3
    share = total / (6 * m[0] * m[1] * m[2])
    whole: FloatArray = np.where(full > 0.5, 1 - share, share)
    return whole
