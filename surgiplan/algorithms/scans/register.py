"""The rigid motion that brings one scan onto another, from their grey values."""

from typing import Any

import numpy as np
from SimpleITK import (
    CenteredTransformInitializer,
    CenteredTransformInitializerFilter,
    Euler3DTransform,
    ImageRegistrationMethod,
    sitkLinear,
)

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import FloatArray, Pose, Volume
from ..filters import run_apart, run_itk
from .image import image_of
from .sampling import even_grid, resampled

_LEVELS_MM = (8.0, 4.0, 2.0)
_FINEST_MM = 1.0
_BINS = 50
_SAMPLES = 40_000
_FEWEST = 8  # voxels along each axis


def register_scans(moving: Volume, fixed: Volume, report: Report = silent) -> tuple[Pose, float]:
    """Find the rigid motion that brings a scan onto another one of the same patient.

    Mattes' mutual information (2003), from coarse to fine, so that CT and MR go together, too. Two starts,
    as the scans lie and with their middles on one another, are followed on the coarsest level; the better
    one goes on.

    moving: the scan to bring over
    fixed: the scan to bring it onto, in whatever frame of reference
    report: told the progress; may raise Cancelled
    Returns the motion in patient space, from where `moving` lies to where it shall lie, and the mutual
    information reached (in nats). That is a measure of the fit, not the accuracy of the registration.
    Raises StepFailed when the scans do not overlap or one has too few voxels.
    """
    if min(*moving.grid.shape_kji, *fixed.grid.shape_kji) < _FEWEST:
        raise StepFailed(f"A scan with fewer than {_FEWEST} slices, rows or columns cannot be registered.")
    finest = min(max(*fixed.grid.spacing_kji, _FINEST_MM), _LEVELS_MM[-1])
    levels = [mm for mm in _LEVELS_MM if mm > 1.3 * finest] + [finest]
    images = [
        (_coarse(fixed, mm, part_of(report, 0.0, 0.1)), _coarse(moving, mm, part_of(report, 0.1, 0.2)))
        for mm in levels
    ]
    centred = CenteredTransformInitializer(
        *images[0], Euler3DTransform(), CenteredTransformInitializerFilter.GEOMETRY
    )
    as_they_lie = Euler3DTransform(centred)
    as_they_lie.SetTranslation((0.0, 0.0, 0.0))
    found = []
    for n, start in enumerate((as_they_lie, Euler3DTransform(centred))):
        told = part_of(report, 0.2 + 0.2 * n, 0.4 + 0.2 * n)
        try:
            found.append((_followed(*images[0], start, levels[0], told), start))
        except RuntimeError:  # ITK: all samples fall outside; the other start may do
            continue
    if not found:
        raise StepFailed(
            "The scans do not overlap, not even with their middles on one another: check that they show the "
            "same part of the body."
        )
    value, best = min(found, key=lambda one: one[0])
    for n, (pair, mm) in enumerate(zip(images[1:], levels[1:], strict=True)):
        told = part_of(report, 0.6 + 0.4 * n / len(levels[1:]), 0.6 + 0.4 * (n + 1) / len(levels[1:]))
        value = _followed(*pair, best, mm, told)
    return _pose(best).inverse, -float(value)


def _coarse(volume: Volume, mm: float, report: Report) -> Any:
    grid = even_grid(volume.grid, mm)
    voxels = resampled(volume, grid, report=report).voxels
    text = "Reading the grey values at new places"
    return run_apart(lambda: image_of(grid, voxels.astype(np.float32)), part_of(report, 1.0, 1.0), text)


class _Run:
    """An ITK registration as a filter that `run_itk` can watch and stop."""

    def __init__(self, method: Any, iterations: int) -> None:
        self._method, self._iterations = method, iterations
        self._stopped = False

    def Execute(self, *images: Any) -> Any:  # noqa: N802  # the words of SimpleITK
        return self._method.Execute(*images)

    def GetProgress(self) -> float:  # noqa: N802
        return float(self._method.GetOptimizerIteration()) / self._iterations

    def Abort(self) -> None:  # noqa: N802
        self._method.StopRegistration()


def _followed(fixed: Any, moving: Any, start: Any, mm: float, report: Report) -> float:
    """Improve a transform in place on one level; the metric at its end."""
    method = ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.REGULAR)
    count = float(np.prod(fixed.GetSize()))
    method.SetMetricSamplingPercentage(min(1.0, _SAMPLES / count), 1)
    method.SetInterpolator(sitkLinear)
    method.SetNumberOfWorkUnits(1)  # several add up in any order, and no two runs would agree
    method.SetNumberOfThreads(1)
    rounds = 100
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=mm, minStep=0.005 * mm, numberOfIterations=rounds, relaxationFactor=0.6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(start, inPlace=True)
    run_itk(_Run(method, rounds), report, f"Bringing the scans together ({mm:g} mm)", fixed, moving)
    return float(method.GetMetricValue())


def _pose(transform: Any) -> Pose:
    """ITK's transform, from a place in the fixed scan to the same place in the moving one."""
    turn: FloatArray = np.reshape(transform.GetMatrix(), (3, 3))
    centre, shift = np.asarray(transform.GetCenter()), np.asarray(transform.GetTranslation())
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = shift + centre - turn @ centre
    return Pose.of(matrix)
