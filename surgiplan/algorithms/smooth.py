"""Smoothing of surfaces that does not shrink them."""

from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import FloatArray, Mesh, Part, given_away
from .change import require_closed, reworked
from .crossing import crossings
from .filters import run_apart, run_vtk

_SINC_ROUNDS = 20
_IN, _PASS_BAND = 0.5, 0.1  # of Taubin's filter
_MOST_TAUBIN_ROUNDS = 60
_TAKE_BACKS = 6
Kind = Literal["windowed-sinc", "taubin"]


def smooth(part: Part, kind: Kind = "windowed-sinc", strength: float = 0.5, report: Report = silent) -> Part:
    """Smooth a closed surface, keep its volume, and say how far it has moved.

    Both filters keep long waves and take short ones away. What volume they still lose is given back by
    moving all corners along their normals by the same (tiny) length.

    part: the shape
    kind: "windowed-sinc" (Taubin, Zhang and Golub 1996) or "taubin" (Taubin 1995)
    strength: 0 to 1; windowed sinc passes waves up to 10^(-4 strength), Taubin takes 60 strength rounds
    report: told the progress; may raise Cancelled
    Raises StepFailed when the shape is not closed or the smoothed one runs through itself.
    """
    run_apart(lambda: require_closed(part), part_of(report, 0.0, 0.0), "Checking that the shape is closed")
    told = part_of(report, 0.0, 0.35)
    if kind == "taubin":
        rounds = round(_MOST_TAUBIN_ROUNDS * strength)
        smoothed, how = taubin(part.mesh, rounds, told), f"{rounds} rounds of Taubin's filter"
    else:
        band = 10 ** (-4 * strength)
        smoothed = windowed_sinc(part.mesh, band, told)
        how = f"windowed sinc with pass band {band:.2g}"
    volume, told = part.mesh.volume_mm3, part_of(report, 0.35, 0.4)
    kept = run_apart(lambda: with_volume(smoothed, volume), told, "Keeping the volume")
    clean = uncrossed(part.mesh, kept, part_of(report, 0.4, 0.6))
    if clean is None:
        raise StepFailed(
            "The smoothed surface runs through itself. Repair the shape before this step, or smooth less."
        )
    return reworked(part, clean, [f"smoothed by {how}"], part_of(report, 0.6, 1.0))


def uncrossed(before: Mesh, after: Mesh, report: Report = silent) -> Mesh | None:
    """Take back the smoothing round the places where it made a surface run through itself.

    before: the surface as it was
    after: the same triangles with moved corners
    report: told the progress; may raise Cancelled
    Returns the clean surface, mostly `after` itself; None where taking back does not help.
    """
    moved = np.ones(len(before.points), np.bool_)
    for n in range(_TAKE_BACKS):
        pairs = crossings(after, part_of(report, n / _TAKE_BACKS, (n + 1) / _TAKE_BACKS))
        if not len(pairs):
            return after
        moved[before.triangles[pairs.ravel()]] = False
        for _ in range(n + 1):  # wider from time to time
            moved[before.triangles[~moved[before.triangles].all(axis=1)]] = False
        after = Mesh(np.where(moved[:, None], after.points, before.points), before.triangles)
    return None


def windowed_sinc(mesh: Mesh, pass_band: float, report: Report = silent) -> Mesh:
    """Smooth by a windowed sinc filter of 20 rounds.

    mesh: the surface
    pass_band: 0 to 2; the smaller the smoother
    report: told the progress; may raise Cancelled
    """
    text = "Smoothing the surface"
    sinc = vtkWindowedSincPolyDataFilter()
    sinc.SetInputData(run_apart(lambda: _poly_data(mesh), part_of(report, 0.0, 0.1), text))
    sinc.SetNumberOfIterations(_SINC_ROUNDS)
    sinc.SetPassBand(pass_band)
    sinc.NormalizeCoordinatesOn()
    sinc.BoundarySmoothingOff()
    sinc.FeatureEdgeSmoothingOff()
    sinc.NonManifoldSmoothingOn()
    run_vtk(sinc, part_of(report, 0.1, 1.0), text)
    moved = vtk_to_numpy(sinc.GetOutput().GetPoints().GetData()) + _middle(mesh)
    return Mesh(given_away(moved.astype(np.float32)), mesh.triangles)


def taubin(mesh: Mesh, rounds: int = 10, report: Report = silent) -> Mesh:
    """Smooth by Taubin's filter: rounds of a step in (0.5) and a longer step out (pass band 0.1).

    mesh: the surface
    rounds: how many
    report: told the progress; may raise Cancelled
    """
    out = 1 / (_PASS_BAND - 1 / _IN)
    neighbours = run_apart(lambda: averaging(mesh), part_of(report, 0.0, 0.0), "Smoothing the surface")
    points = mesh.points - _middle(mesh)
    for n in range(rounds):
        report(n / rounds, "Smoothing the surface")
        for share in (_IN, out):
            points = points + share * (neighbours @ points - points)
    return Mesh(given_away((points + _middle(mesh)).astype(np.float32)), mesh.triangles)


def with_volume(mesh: Mesh, volume_mm3: float) -> Mesh:
    """The surface with all corners moved along their normals so that it encloses this volume.

    mesh: a closed surface that encloses nearly that volume
    volume_mm3: mm³
    """
    for _ in range(2):
        outward = normals_of(mesh)
        by_mm = (volume_mm3 - mesh.volume_mm3) / mesh.area_mm2
        mesh = Mesh(given_away((mesh.points + by_mm * outward).astype(np.float32)), mesh.triangles)
    return mesh


def normals_of(mesh: Mesh) -> FloatArray:
    """(n, 3) unit normals of the corners, the mean of those of the triangles round them by area."""
    corners = mesh.points.astype(np.float64)[mesh.triangles]
    double = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.stack(
        [
            np.bincount(mesh.triangles.ravel(), np.repeat(double[:, axis], 3), len(mesh.points))
            for axis in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    unit: FloatArray = summed / np.where(length > 0, length, 1)
    return unit


def averaging(mesh: Mesh) -> Any:
    """The matrix that gives each corner the mean of its neighbours."""
    ends = np.concatenate([mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]], mesh.triangles[:, [2, 0]]])
    count = np.bincount(ends[:, 0], minlength=len(mesh.points))
    return csr_array((1 / count[ends[:, 0]], (ends[:, 0], ends[:, 1])), shape=(len(mesh.points),) * 2)


def _poly_data(mesh: Mesh) -> Any:
    """The surface for VTK, round its own middle, so that float64 rounding does not depend on the place."""
    data, points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(mesh.points - _middle(mesh), deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(mesh.triangles.ravel().astype(np.int64), deep=True))
    data.SetPoints(points)
    data.SetPolys(cells)
    return data


def _middle(mesh: Mesh) -> FloatArray:
    middle: FloatArray = mesh.bounds.mean(axis=0)
    return middle
