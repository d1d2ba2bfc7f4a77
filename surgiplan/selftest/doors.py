"""Reading and writing: places, sides and grey values."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ..formats import dicom
from ..formats.dicom.dicomwrite import COMPRESSED, NATIVE, write_series
from ..phantoms import Chirality
from ..values import FloatArray, Grid, Pose, Volume
from .bench import Bench, only_series
from .row import Figure

_AXIAL: FloatArray = np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]])  # rows: directions of k, j and i in LPS
_SAGITTAL: FloatArray = np.array([[-1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
ACQUIRED: Mapping[str, FloatArray] = {
    "axial": _AXIAL,
    "oblique sagittal": _SAGITTAL @ Pose.of_rotation((1, 1, 0), 15).rotation,
    "coronal": np.array([[0.0, 1, 0], [0, 0, -1], [1, 0, 0]]),
    "prone": _AXIAL * [[1], [-1], [-1]],
    "sagittal": _SAGITTAL,
    "oblique": _AXIAL @ Pose.of_rotation((1, 2, 3), 25).rotation,
}
_SPACING = np.array((1.6, 1.2, 1.0))
_FILES = (".stl", ".ply", ".obj")


def lattice(phantom: Chirality, axes: FloatArray) -> Grid:
    """A grid of 1.6 x 1.2 x 1.0 mm with these axes (rows: k, j, i) round the whole phantom."""
    box = phantom.scan_box
    corners = np.array([[box[a, 0], box[b, 1], box[c, 2]] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    along = corners @ axes.T
    shape = np.ceil(np.ptp(along, axis=0) / _SPACING).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = axes.T * _SPACING
    affine[:3, 3] = along.min(axis=0) @ axes
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine, phantom.frame_uid)


def places(bench: Bench) -> Iterator[Figure]:
    """Where slices lie in the patient, for scans along all kinds of axes; and series with a fault in them."""
    phantom, worst = Chirality(), 0.0
    for axes in _some(bench):
        walked = bench.walk(phantom, grid=lattice(phantom, axes), largest=False)
        apart = walked.volume.grid.corners_lps - walked.scanned.grid.corners_lps
        worst = max(worst, float(np.linalg.norm(apart, axis=1).max()))
    yield Figure("corners of the scans, largest shift", worst, 0.001)
    silent = sum(_silently_wrong(bench, fault) for fault in (_lost, _doubled))
    yield Figure("a slice lost, a slice twice: read wrongly without a word", silent, 0, "")


def sides(bench: Bench) -> Iterator[Figure]:
    """Surfaces that came back mirrored, over all ways in and out; and how far the balls are off."""
    phantom, flips, ways, worst = Chirality(), 0, 0, 0.0
    for axes in _some(bench):
        part = bench.walk(phantom, grid=lattice(phantom, axes), largest=False).part
        for suffix in _FILES:
            mesh = bench.through_file(part, suffix)
            ways += 1
            flips += phantom.handedness(mesh) != 1
            worst = max(worst, *phantom.marker_errors_mm(mesh).values())
    yield Figure(f"{ways} ways, mirrored", flips, 0, "")
    yield Figure(f"{ways} ways, centre of a ball, largest", worst, 0.1)


def grey_values(bench: Bench) -> Iterator[Figure]:
    """Grey values written in every transfer syntax the house writes, and read again."""
    values = np.random.default_rng(5).integers(-1024, 3072, (9, 30, 41)).astype(np.int16)
    affine = np.eye(4)
    affine[:3, :3] = _AXIAL.T * _SPACING
    volume, worst = Volume(Grid(values.shape, affine, "1.2.3"), values), 0.0
    syntaxes = (*NATIVE, *COMPRESSED)
    for n, syntax in enumerate(syntaxes):
        folder = bench.fresh()
        write_series(volume, folder, transfer_syntax=syntax, series_number=n + 1)
        read = only_series(folder).voxels.astype(np.float64)
        worst = max(worst, float(np.abs(read - values).max()))
    yield Figure(f"{len(syntaxes)} transfer syntaxes, largest difference", worst, 0.5, "HU")


def _some(bench: Bench) -> list[FloatArray]:
    return list(ACQUIRED.values())[: bench.few(2, len(ACQUIRED))]


def _silently_wrong(bench: Bench, fault: Callable[[Path], None]) -> bool:
    """Whether a series with a fault is read as something else than it was, and nothing is said."""
    phantom, folder = Chirality(), bench.fresh()
    scanned = phantom.volume((4.0, 2.5, 2.0))
    write_series(scanned, folder)
    fault(folder)
    found = dicom.scan(folder)
    said = any(one.warnings or not one.usable for one in found.series) or found.notes
    if said or len(found.series) != 1:
        return False
    read = dicom.read_series(found.series[0])
    return not (read.grid.same_as(scanned.grid) and np.array_equal(read.voxels, scanned.voxels))


def _lost(folder: Path) -> None:
    files = sorted(folder.iterdir())
    files[len(files) // 2].unlink()


def _doubled(folder: Path) -> None:
    first = min(folder.iterdir())
    shutil.copy(first, folder / "again.dcm")
