"""How breach and grade of a screw scatter with its landmarks and with the surface of the bone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from ...progress import Report, silent
from ...values import FloatArray, Part
from ..distance import SignedDistance
from .pedicle import Laid, grade_of
from .shaft import ANGLES

_SEED = 20240229
_TRIALS = 200
_STEP_MM = 1e-3  # a landmark is moved by this to see where it takes the thread
_ROUND, _ALONG = 3, 4  # of the places of a thread each so many-th round it and along it is asked
_FAR = 4.0  # standard deviations: a place with so much bone over it never leaves the bone


@dataclass(frozen=True)
class Scatter:
    """What came of it.

    breach_mm, anterior_mm: standard deviations
    grades: the share of each that was found
    """

    breach_mm: float
    anterior_mm: float
    grades: dict[str, float]


def scatter(
    bone: Part,
    distance: SignedDistance,
    lay: Callable[[FloatArray], Laid],
    places: FloatArray,
    errors: Sequence[float],
    diameter_mm: float,
    length_mm: float,
    surface_mm: float,
    report: Report = silent,
) -> Scatter:
    """Let the landmarks of a screw err, and see how far its thread leaves the bone each time.

    The place of least bone may be another one each time, so the breach itself has no slope (a screw in the
    middle of its pedicle comes nearer to the cortex whichever way it is moved). Where the places of the
    thread go is of first order; how far they then lie outside of the bone is measured. Trials are points of
    a scrambled Halton sequence (see `tolerance.draws`).

    bone, distance: the vertebra, and the distance to its surface
    lay: how the screw lies for landmarks at such places
    places, errors: (n, 3) the landmarks, LPS mm, and the standard deviation of each coordinate of each
    diameter_mm, length_mm: of the thread
    surface_mm: standard deviation of the surface, alike all round
    report: told the progress; may raise Cancelled
    """
    radius, base = diameter_mm / 2, lay(places)
    ends = [
        (lay(_moved(places, n, axis, _STEP_MM)), lay(_moved(places, n, axis, -_STEP_MM)), error)
        for n, error in enumerate(errors)
        if error > 0
        for axis in range(3)
    ]
    chance = ndtri(qmc.Halton(len(ends) + 1, seed=_SEED).random(_TRIALS))
    envelopes: tuple[Callable[[Laid], FloatArray], ...] = (
        lambda way: _thinned(way.thread(radius, base)),
        lambda way: _thinned(way.beyond(radius, length_mm, base)),
    )
    worst: list[FloatArray] = []
    for of in envelopes:
        points = of(base)
        slopes = np.array([(of(ahead) - of(behind)) * error for ahead, behind, error in ends])
        slopes = (slopes / (2 * _STEP_MM)).reshape(len(ends), len(points), 3)
        spread = np.hypot(np.sqrt((slopes**2).sum(axis=(0, 2))), surface_mm)
        away = distance.at(bone.pose.inverse.apply(points))
        near = away + _FAR * spread > 0
        gone = points[near] + np.tensordot(chance[:, :-1], slopes[:, near], axes=1)
        found = distance.at(bone.pose.inverse.apply(gone.reshape(-1, 3)), report).reshape(_TRIALS, -1)
        worst.append(found.max(axis=1, initial=-np.inf) + surface_mm * chance[:, -1])
    breaches, anterior = (np.maximum(one, 0.0) for one in worst)
    grades: list[str] = [grade_of(breach) for breach in breaches.tolist()]
    shares = {grade: grades.count(grade) / _TRIALS for grade in sorted(set(grades))}
    return Scatter(float(breaches.std()), float(anterior.std()), shares)


def _moved(places: FloatArray, n: int, axis: int, by: float) -> FloatArray:
    moved = places.copy()
    moved[n, axis] += by
    return moved


def _thinned(envelope: FloatArray) -> FloatArray:
    """A part of the places of an envelope that lies round it as all do."""
    whole = len(envelope) // ANGLES
    rings = envelope[: whole * ANGLES].reshape(whole, ANGLES, 3)
    kept = np.unique(np.r_[0:whole:_ALONG, whole - 1])
    thin: FloatArray = rings[kept, ::_ROUND].reshape(-1, 3)
    return thin
