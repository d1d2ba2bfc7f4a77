"""How far apart the slices of a stack lie: evenly, unevenly, or with some of them missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...values import FloatArray

EVEN_MM, EVEN_SHARE = 0.02, 0.02
GAP = 1.5
PLANNED = 3
WIDEST = 10.0


@dataclass(frozen=True)
class Gap:
    """A place where slices are missing.

    after: number of the slice before it, counted along the normal
    start, end: where the slices on both sides of it lie along the normal, mm
    count: how many are missing
    """

    after: int
    start: float
    end: float
    count: int


@dataclass(frozen=True, eq=False)
class Spacing:
    """The even planes that slices are read into.

    step: distance of the planes in mm
    heights: (n,) where the slices lie among the planes; 0, 1, 2 ... for an even and complete stack
    gaps: where slices are missing
    unevenness: how unevenly they lie, in words; "" when they lie evenly
    """

    step: float
    heights: FloatArray
    gaps: tuple[Gap, ...] = ()
    unevenness: str = ""

    @property
    def planes(self) -> int:
        """Number of planes, from the first slice to the last."""
        return round(float(self.heights[-1])) + 1

    @property
    def given(self) -> bool:
        """Whether every plane is a slice as it was taken, so that none is made from its neighbours."""
        return self.planes == len(self.heights) and not self.unevenness


def spaced(distances: FloatArray) -> Spacing:
    """The planes for slices at these places.

    Slices within 0.02 mm or 2 % of an even spacing count as even; the spacing is then fitted to all
    of them by least squares. Others get planes at their smallest step, shortened so
    that the first and the last slice lie on planes.

    distances: (n,) ascending along the normal, mm; two or more
    Raises BadInput when they differ too much to be bridged.
    """
    steps = np.diff(distances)
    gaps = tuple(_gaps(distances, steps))
    sound = np.delete(np.arange(len(steps)), [gap.after for gap in gaps])
    _require_bridgeable(steps[sound], gaps)
    smallest = float(steps[sound].min())
    usual = float(np.median(steps[sound][steps[sound] < GAP * smallest]))
    counts = np.rint(steps / usual)
    heights = np.concatenate([[0.0], np.cumsum(counts)])
    centred = heights - heights.mean()
    step = float(centred @ distances / (centred @ centred))
    off_step = np.abs(steps - counts * usual)
    off_plane = np.abs(distances - distances.mean() - centred * step)
    if max(off_step.max(), off_plane.max()) <= _allowed(usual):
        uneven = _unevenness(distances, sound) if counts[sound].max() > 1 else ""
        return Spacing(step, heights, gaps, uneven)
    length = float(distances[-1] - distances[0])
    step = length / ceil(length / smallest - 1e-6)
    even_but_for_gaps = float(np.ptp(steps[sound])) <= _allowed(usual)
    told = np.arange(len(steps)) if even_but_for_gaps else sound
    return Spacing(step, (distances - distances[0]) / step, gaps, _unevenness(distances, told))


def _allowed(step: float) -> float:
    return max(EVEN_MM, EVEN_SHARE * step)


def _gaps(distances: FloatArray, steps: FloatArray) -> Iterator[Gap]:
    """Steps so wide beside what was planned there that slices must be missing.

    A step that is held three times in a row was planned. Between two plans the wider one is the
    measure; where nothing was planned it is the median.
    """
    runs = _runs(steps)
    planned = [
        (start, end, float(np.median(steps[start:end]))) for start, end in runs if end - start >= PLANNED
    ]
    median = float(np.sort(steps)[(len(steps) - 1) // 2])
    for start, end in runs:
        if end - start >= PLANNED:
            continue
        before = [step for _, last, step in planned if last <= start][-1:]
        behind = [step for first, _, step in planned if first >= end][:1]
        usual = max(before + behind, default=median)
        for n in range(start, end):
            if steps[n] > GAP * usual:
                count = max(round(float(steps[n]) / usual) - 1, 1)
                yield Gap(n, float(distances[n]), float(distances[n + 1]), count)


def _runs(steps: FloatArray) -> list[tuple[int, int]]:
    """First and last-but-one number of each run of equal steps."""
    ends = [n + 1 for n in range(len(steps) - 1) if abs(steps[n + 1] - steps[n]) > _allowed(float(steps[n]))]
    return list(zip([0, *ends], [*ends, len(steps)], strict=True))


def _require_bridgeable(sound: FloatArray, gaps: tuple[Gap, ...]) -> None:
    if sound.max() > WIDEST * sound.min():
        raise BadInput(
            f"the slices are spaced too unevenly to be a volume: {sound.min():.3f} to {sound.max():.3f} mm"
        )
    wide = next((gap for gap in gaps if gap.count >= WIDEST), None)
    if wide:
        raise BadInput(
            f"{wide.count} slices are missing between {wide.start:.2f} and {wide.end:.2f} mm along the stack,"
            " too many to be filled in: fetch the complete series"
        )


def _unevenness(distances: FloatArray, which: NDArray[np.intp]) -> str:
    steps = np.diff(distances)[which]
    low, high = (float(distances[which[n]]) for n in (steps.argmin(), steps.argmax()))
    return (
        f"{steps.min():.3f} to {steps.max():.3f} mm"
        f" (narrowest after {low:.2f} mm, widest after {high:.2f} mm along the stack)"
    )
