"""Masks of bodies whose shape is a formula, and small ones by hand; anisotropic, oblique, asymmetric."""

import numpy as np

from surgiplan.errors import Cancelled
from surgiplan.phantoms.phantom import Phantom
from surgiplan.phantoms.shape import Shape
from surgiplan.values import BoolArray, Grid, Mask, Vec3, Volume

SPACING_KJI = (1.5, 0.9, 0.7)


def stop(fraction: float, text: str) -> None:
    raise Cancelled("stopped")


def grid(shape: tuple[int, int, int]) -> Grid:
    """An oblique, anisotropic grid."""
    turn = np.linalg.qr(np.array([[2.0, 1.0, 0.3], [0.1, 1.7, -0.6], [0.4, -0.2, 1.1]]))[0]
    turn *= np.sign(np.linalg.det(turn[:, ::-1]))
    matrix = np.eye(4)
    matrix[:3, :3] = turn * SPACING_KJI
    matrix[:3, 3] = (-31.0, 12.0, 407.0)
    return Grid(shape, matrix, "1.2.3")


def mask_of(voxels: object, level: float | None = None) -> Mask:
    array = np.asarray(voxels, np.bool_)
    return Mask(grid(array.shape), array, level)


def volume_of(voxels: object) -> Volume:
    array = np.asarray(voxels, np.int16)
    return Volume(grid(array.shape), array)


def two_boxes() -> BoolArray:
    """A box of 24 voxels and one of 8 that touches it along an edge only."""
    voxels = np.zeros((7, 8, 9), np.bool_)
    voxels[1:3, 1:4, 1:5] = True
    voxels[3:5, 4:6, 2:4] = True
    return voxels


def centres(place: Grid) -> np.ndarray:
    """(n, 3) LPS mm of all voxels."""
    return place.to_lps(np.indices(place.shape_kji).reshape(3, -1).T)


def inside(shape: Shape, place: Grid, level: float | None = 500.0) -> Mask:
    """The voxels whose centre lies in a body."""
    return Mask(place, (shape.field(centres(place)) < 0).reshape(place.shape_kji), level)


def place_of(phantom: Phantom, room_mm: float = 0.0, spacing_kji: Vec3 = (1.1, 0.8, 0.7)) -> Grid:
    """A grid round a phantom with more room on all sides than a scan has."""
    low, high = phantom.scan_box + np.array([[-room_mm], [room_mm]])
    matrix = np.zeros((4, 4))
    matrix[[0, 1, 2, 3], [2, 1, 0, 3]] = (spacing_kji[2], spacing_kji[1], spacing_kji[0], 1.0)
    matrix[:3, 3] = low
    shape = np.ceil((high - low)[::-1] / spacing_kji).astype(int) + 1
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), matrix, phantom.frame_uid)


def half_diagonal(place: Grid) -> float:
    return float(np.linalg.norm(place.spacing_kji)) / 2
