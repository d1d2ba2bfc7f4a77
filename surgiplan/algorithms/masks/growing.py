"""What hangs together with a seed and looks like it."""

from math import ceil

import numpy as np

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, Mask, Vec3, Volume
from ..segment import in_range
from .ball import narrowed, widened
from .box import Box, boxed, slabs, wider
from .parts import told, voxel_at
from .pieces import pieces_of


def grow(
    volume: Volume,
    seed_lps: Vec3,
    low: float,
    high: float,
    reach_mm: float | None = None,
    report: Report = silent,
) -> Mask:
    """Choose the voxels between two grey values that a seed reaches from face to face.

    volume: the scan
    seed_lps: a point inside the body, LPS mm
    low: faintest grey value that is chosen; becomes the level of the mask
    high: brightest grey value that is chosen
    reach_mm: how far along each axis of the scan from the seed voxels are looked at; None for all
    report: told the progress; may raise Cancelled
    Raises StepFailed when the seed lies outside the scan or on a voxel that is out of range.
    """
    place = _Place(volume, seed_lps, reach_mm)
    place.require(low, high)
    return place.mask(place.region(low, high, report), low)


def grow_smooth(
    volume: Volume,
    seed_lps: Vec3,
    low: float,
    high: float,
    radius_mm: float,
    reach_mm: float | None = None,
    report: Report = silent,
) -> Mask:
    """Grow from a seed, but not through openings narrower than a ball.

    The ball is rolled from the seed through the voxels in range (they are narrowed by it, followed from the
    seed, and widened again), so a body that touches another over a small bridge stays alone. ITK's
    neighbourhood-connected filter is the first half of this, with a box for the ball.

    volume: the scan
    seed_lps: a point inside the body, at least the radius from its border, LPS mm
    low: faintest grey value that is chosen; becomes the level of the mask
    high: brightest grey value that is chosen
    radius_mm: of the ball
    reach_mm: how far along each axis of the scan from the seed voxels are looked at; None for all
    report: told the progress; may raise Cancelled
    Raises StepFailed when the seed lies outside the scan, or the ball round it holds voxels out of range.
    """
    place = _Place(volume, seed_lps, reach_mm)
    place.require(low, high)
    spacing = volume.grid.spacing_kji
    chosen = place.chosen(low, high, part_of(report, 0.0, 0.2))
    core = narrowed(chosen, radius_mm, spacing, part_of(report, 0.2, 0.4))
    if not core[place.seed]:
        raise StepFailed(
            f"Within {radius_mm:g} mm of the seed at {told(seed_lps)} there are voxels outside the range "
            f"{low:g} to {high:g}. Place the seed deeper, choose a smaller radius, or widen the range."
        )
    core = place.piece(core, part_of(report, 0.4, 0.7))
    return place.mask(widened(core, radius_mm, spacing, part_of(report, 0.7, 1.0)), low)


def grow_alike(
    volume: Volume,
    seed_lps: Vec3,
    spread: float,
    radius_mm: float,
    rounds: int,
    reach_mm: float | None = None,
    report: Report = silent,
) -> Mask:
    """Choose what hangs together with a seed and has grey values like those found so far.

    The range is the mean plus and minus so many standard deviations: first of the block round the seed, then,
    in each further round, of the region found before (confidence connected, as in ITK). It ends early when
    the region stays the same.

    volume: the scan
    seed_lps: a point inside the body, LPS mm
    spread: how many standard deviations
    radius_mm: how far the first block reaches from the seed; a voxel at least
    rounds: how often the range is taken from the region
    reach_mm: how far along each axis of the scan from the seed voxels are looked at; None for all
    report: told the progress; may raise Cancelled
    Raises StepFailed when the seed lies outside the scan, or outside a range that was learnt.
    """
    place = _Place(volume, seed_lps, reach_mm)
    block = volume.voxels[place.around(radius_mm)].astype(np.float64)
    mean, deviation, count = float(block.mean()), float(block.std()), 0
    region = np.zeros(0, np.bool_)
    for n in range(rounds + 1):
        low, high = mean - spread * deviation, mean + spread * deviation
        if not low <= place.grey <= high:
            raise StepFailed(
                f"The range learnt {f'in round {n}' if n else 'round the seed'}, {low:.0f} to {high:.0f}, "
                f"does not hold the seed itself, {place.grey:g}. Place it deeper in the body, or choose "
                "another spread, a smaller radius or fewer rounds."
            )
        now = part_of(report, n / (rounds + 1), (n + 1) / (rounds + 1))
        region = place.region(low, high, now)
        before, (count, mean, deviation) = count, place.figures(region)
        if count == before:
            break
    return place.mask(region, low)


class _Place:
    """A seed in a scan, and the box round it that is looked at.

    grey: the value of its voxel
    seed: its index in the box
    """

    def __init__(self, volume: Volume, seed_lps: Vec3, reach_mm: float | None) -> None:
        self._volume, self._seed_lps = volume, seed_lps
        self._voxel = voxel_at(volume.grid, seed_lps)
        self.box = self.around(np.inf if reach_mm is None else reach_mm)
        self.grey = float(volume.voxels[self._voxel])
        k, j, i = (n - along.start for n, along in zip(self._voxel, self.box, strict=True))
        self.seed = (k, j, i)

    def around(self, millimetres: float) -> Box:
        """The box that reaches so far from the seed; a voxel at least."""
        shape = self._volume.voxels.shape
        k, j, i = (
            max(1, min(ceil(min(millimetres / step, size)), size))
            for step, size in zip(self._volume.grid.spacing_kji, shape, strict=True)
        )
        a, b, c = (slice(n, n + 1) for n in self._voxel)
        return wider((a, b, c), (k, j, i), shape)

    def require(self, low: float, high: float) -> None:
        if not low <= self.grey <= high:
            unit = f" {self._volume.unit}" if self._volume.unit else ""
            raise StepFailed(
                f"The seed at {told(self._seed_lps)} lies on {self.grey:g}{unit}, outside the range "
                f"{low:g} to {high:g}. "
                "Place the seed on the body, or widen the range so that it holds this value."
            )

    def chosen(self, low: float, high: float, report: Report) -> BoolArray:
        """Voxels of the box in range."""
        return in_range(self._volume.voxels[self.box], low, high, report)

    def piece(self, chosen: BoolArray, report: Report) -> BoolArray:
        """What of these voxels hangs together with the seed."""
        pieces = pieces_of(chosen, part_of(report, 0.0, 0.6))
        kept = np.zeros(pieces.count, np.bool_)
        kept[pieces.at(self.seed)] = True
        return pieces.voxels(kept, part_of(report, 0.6, 1.0))

    def region(self, low: float, high: float, report: Report) -> BoolArray:
        """What is in range and hangs together with the seed."""
        return self.piece(self.chosen(low, high, part_of(report, 0.0, 0.4)), part_of(report, 0.4, 1.0))

    def figures(self, region: BoolArray) -> tuple[int, float, float]:
        """Number, mean and standard deviation of the grey values of a region."""
        grey = self._volume.voxels[self.box]
        count, total, squares = 0, 0.0, 0.0
        for some in slabs(region.shape):
            values = grey[some][region[some]].astype(np.float64) - self.grey
            count, total = count + len(values), total + float(values.sum())
            squares += float(values @ values)
        mean = total / count
        return count, self.grey + mean, float(np.sqrt(max(squares / count - mean**2, 0.0)))

    def mask(self, region: BoolArray, level: float) -> Mask:
        """The region on the grid of the scan."""
        return boxed(self._volume.grid, self.box, region, float(level))
