"""From chosen voxels to a closed triangle surface that follows the grey values between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from SimpleITK import BinaryFillholeImageFilter, GetArrayFromImage, GetImageFromArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import FloatArray, IntArray, Mask, Mesh, Part, Volume, given_away
from .deviation import deviation
from .filters import run_itk, run_vtk
from .space import require_one_grid

NUDGE = 0.01
"""No corner comes nearer to a voxel centre than this share of a step, so that every triangle has an area."""

_CHUNK = 400_000
Sites = NDArray[np.uint8]


@dataclass(frozen=True)
class Border:
    """The closed triangle surface between the 1 and the 0 of a lattice.

    Each corner lies on the step from one site to the next along one axis. How far along is for the
    caller to say; whatever is said, the triangles stay closed.

    low_kji: (n, 3) index of the site before each corner
    axis: (n,) axis of its step: 0 for k, 1 for j, 2 for i
    triangles: (m, 3) counter-clockwise seen from outside, where the axes i, j, k are right-handed
    """

    low_kji: IntArray
    axis: IntArray
    triangles: IntArray

    def at(self, share: FloatArray) -> FloatArray:
        """(n, 3) fractional indices of the corners when they lie this (n,) share of a step along."""
        kji = self.low_kji.astype(np.float64)
        kji[np.arange(len(kji)), self.axis] += np.clip(share, NUDGE, 1 - NUDGE)
        return kji


def border_of(inside: Sites, report: Report = silent) -> Border:
    """Find the surface between the 1 and the 0 of a lattice.

    Flying Edges (Schroeder, Maynard, Geveci 2015) doubles an edge where a value equals the level;
    between 0 and 1 that cannot happen, so each edge has exactly two triangles.

    inside: [k, j, i] 0 or 1; the outermost layer must be 0 for the surface to be closed
    report: told the progress; may raise Cancelled
    """
    image = vtkImageData()
    image.SetDimensions(*inside.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(inside.ravel()))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.5)
    edges.ComputeNormalsOff()
    edges.ComputeGradientsOff()
    edges.ComputeScalarsOff()
    run_vtk(edges, report, "Finding the border")
    found = edges.GetOutput()
    if not found.GetNumberOfPolys():
        return Border(np.zeros((0, 3), np.int32), np.zeros(0, np.int32), np.zeros((0, 3), np.int32))
    ijk = vtk_to_numpy(found.GetPoints().GetData())
    twice = np.rint(ijk[:, ::-1] * 2).astype(np.int32)  # odd along the axis of the step
    triangles = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return Border(twice // 2, np.argmax(twice % 2, axis=1).astype(np.int32), triangles.astype(np.int32))


def grey_surface(
    volume: Volume,
    mask: Mask,
    level: float | None = None,
    fill_cavities: bool = False,
    report: Report = silent,
) -> Part:
    """Make a closed surface of the chosen voxels, placed between voxels where the grey values say.

    Where a chosen voxel and its neighbour that is not chosen lie on either side of the level, the
    surface crosses between them where the linearly interpolated grey value equals the level. Where
    hand or algorithm decided otherwise than the level (painted, removed, kept apart) it lies half-way.
    Where the object reaches the edge of the scan, the surface is closed flat on the outer face of
    the last voxels. Measured on partial-volume spheres of 20 mm radius in 0.7 × 0.7 × 1.0 mm voxels:
    RMS 0.03 mm; a blur of standard deviation s moves convex surfaces inwards by about s²/radius.
    The part carries how far it lies from the grey edge and from the mask (values.Deviation).

    volume: the scan
    mask: the chosen voxels, on the grid of the scan
    level: grey value at which the border lies; None takes the level of the mask, and where that has
        none the surface lies half-way between voxels everywhere
    fill_cavities: leave out the inner shells of enclosed cavities, such as a closed marrow canal
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen, Mismatch when the grids differ.
    """
    require_one_grid(volume, mask)
    level = mask.level if level is None else level
    inside, corner_kji = _cropped(mask)
    if fill_cavities:
        inside = _without_cavities(inside, part_of(report, 0.0, 0.4))
    border = border_of(inside, part_of(report, 0.4, 0.6))
    points = np.empty((len(border.low_kji), 3), np.float32)
    for start in range(0, len(points), _CHUNK):
        report(0.6 + 0.3 * start / len(points), "Placing the surface between the voxels")
        some = slice(start, start + _CHUNK)
        piece = Border(border.low_kji[some], border.axis[some], border.triangles[:0])
        share = _shares(volume, level, inside, piece, corner_kji)
        points[some] = mask.grid.to_lps(piece.at(share) + corner_kji)
    report(0.9, "Checking that the surface is closed")
    mesh = _required_closed(Mesh(given_away(points), given_away(border.triangles)))
    report(0.95, "Measuring how true the surface is")
    found = deviation(mesh, volume, level, inside, corner_kji)
    return Part(mesh, frame_uid=mask.grid.frame_uid, deviation=found)


def voxel_surface(mask: Mask, report: Report = silent) -> Part:
    """Make the closed surface of the chosen voxels alone, half-way between each and its neighbours.

    mask: the chosen voxels
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen.
    """
    inside, corner_kji = _cropped(mask)
    border = border_of(inside, report)
    points = mask.grid.to_lps(border.at(np.full(len(border.axis), 0.5)) + corner_kji).astype(np.float32)
    mesh = _required_closed(Mesh(given_away(points), given_away(border.triangles)))
    return Part(mesh, frame_uid=mask.grid.frame_uid)


def _cropped(mask: Mask) -> tuple[Sites, IntArray]:
    """The chosen voxels in a box with one free layer round them, and the index of its corner."""
    low, high = [], []
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        hit = np.flatnonzero(mask.voxels.any(axis=others))
        if not len(hit):
            raise StepFailed(
                "No voxel is chosen, so there is no surface to make. "
                "Check the range of the threshold, or the seed, of the step before."
            )
        low.append(int(hit[0]))
        high.append(int(hit[-1]) + 1)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return np.pad(mask.voxels[box].view(np.uint8), 1), np.asarray(low, np.int32) - 1


def _without_cavities(inside: Sites, report: Report) -> Sites:
    """The lattice with every 0 made 1 that the outermost layer cannot reach from face to face."""
    fill = BinaryFillholeImageFilter()
    fill.SetForegroundValue(1)
    filled = run_itk(fill, report, "Filling the cavities", GetImageFromArray(inside))
    whole: Sites = GetArrayFromImage(filled)
    return whole


def _shares(
    volume: Volume, level: float | None, inside: Sites, border: Border, corner_kji: IntArray
) -> FloatArray:
    """(n,) how far along its step each corner lies: by grey value, or half-way (see grey_surface)."""
    share = np.full(len(border.axis), 0.5)
    if level is None:
        return share
    first = border.low_kji + corner_kji
    along = np.take_along_axis(first, border.axis[:, None], axis=1)[:, 0]
    last = np.asarray(volume.voxels.shape)[border.axis] - 1
    scanned = np.flatnonzero((along >= 0) & (along < last))
    first, axis = first[scanned], border.axis[scanned]
    second = first.copy()
    second[np.arange(len(axis)), axis] += 1
    a = volume.voxels[tuple(first.T)].astype(np.float64) - level
    b = volume.voxels[tuple(second.T)].astype(np.float64) - level
    sign = inside[tuple(border.low_kji[scanned].T)] * 2.0 - 1.0
    agreed = (a * sign >= 0) & (b * sign <= 0) & (a != b)
    share[scanned[agreed]] = a[agreed] / (a[agreed] - b[agreed])
    return share


def _required_closed(mesh: Mesh) -> Mesh:
    if not mesh.watertight or mesh.volume_mm3 <= 0:
        raise StepFailed(
            f"The surface did not close: {mesh.open_edges} open edges, {mesh.volume_mm3:.1f} mm³ enclosed. "
            "Close small gaps of the mask or keep its largest part, then make the surface again."
        )
    return mesh
