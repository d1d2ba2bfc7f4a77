"""Move the border of a mask to the edge in the grey values near it (geodesic active contour)."""

from collections.abc import Iterator
from functools import partial
from math import ceil

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatsArray, Grid, Mask, Volume, given_away
from ..filters import run_apart
from ..masks.box import boxed, required_box, slabs_with_room, wider
from ..scans.sampling import even_grid, reach, resampled
from ..space import require_one_grid
from .depth import depths
from .front import Front

_MOST_VOXELS = 20_000_000
_PULL = 3.0  # weight of the pull towards edges
_PULLED_FROM = (
    0.82  # voxels: the speed is smoothed by that before, together with differences of two voxels by 1
)
_AT_ONCE = 1_000_000  # cubic voxels
_KNOWN = 8  # voxels on either side of the border to which the distance from it is measured


def fitted_contour(
    volume: Volume,
    mask: Mask,
    reach_mm: float = 5.0,
    edge: float = 200.0,
    growth: float = 1.0,
    smoothness: float = 0.5,
    rounds: int = 300,
    report: Report = silent,
) -> Mask:
    """Let the border of a mask run to edges in the grey values and stay there, smooth.

    Geodesic active contour (Caselles, Kimmel, Sapiro 1997) as a sparse level set, in cubic voxels in the box
    of the mask and the reach round it. Speed is 1 / (1 + (slope / edge)^2). What the cubic voxels hold is
    made from the scan, and the mask from them, some slices at a time.

    volume: the scan
    mask: where the contour starts, on the grid of the scan
    reach_mm: how far outside of the mask it may come
    edge: change of grey value per mm that slows it down to half
    growth: pressure outwards; negative inwards
    smoothness: weight of the curvature
    rounds: most steps, of up to a sixth of a voxel each
    report: told the progress; may raise Cancelled
    Raises StepFailed when no voxel is chosen or the contour vanishes, Mismatch when the grids differ.
    """
    require_one_grid(volume, mask)
    k, j, i = (ceil(reach_mm / step) + 1 for step in mask.grid.spacing_kji)
    box = wider(required_box(mask), (k, j, i), mask.voxels.shape)
    here = mask.grid.part(box)
    finest = (float(np.prod(here.shape_kji)) * here.voxel_mm3 / _MOST_VOXELS) ** (1 / 3)
    cubic = even_grid(here, max(min(here.spacing_kji), finest))
    level = _outwards(mask.voxels[box], here, cubic, part_of(report, 0.0, 0.05))
    speed = _speed(volume, cubic, edge, part_of(report, 0.05, 0.15))
    weights = (growth, smoothness, _PULL)
    make = partial(_front, level, speed, weights)
    front = run_apart(make, part_of(report, 0.15, 0.15), "Looking for edges")
    del speed, make
    front.run(rounds, part_of(report, 0.15, 0.95))
    del front
    chosen = _inside(Volume(cubic, given_away(level), unit=""), here, part_of(report, 0.95, 1.0))
    if not chosen.any():
        raise StepFailed(
            "The contour shrank to nothing: give it more growth, or start from a mask nearer to the edge."
        )
    return boxed(mask.grid, box, chosen)


def _front(level: FloatsArray, speed: FloatsArray, weights: tuple[float, float, float]) -> Front:
    """The contour with the speed, and the speed smoothed, by which it is drawn to edges."""
    edges = np.empty_like(speed)
    for some, wide, inner in slabs_with_room(speed.shape, ceil(4 * _PULLED_FROM)):
        edges[some] = gaussian_filter(speed[wide], _PULLED_FROM, mode="nearest")[inner]
    return Front(level, speed, edges, *weights)


def _stretches(grid: Grid, room: int = 0) -> Iterator[tuple[slice, Grid, slice]]:
    """Some slices of a grid after the other: which, the grid of them with some besides, and they in that."""
    for some, wide, inner in slabs_with_room(grid.shape_kji, room, _AT_ONCE):
        yield some, grid.part((wide, slice(None), slice(None))), inner


def _outwards(chosen: BoolArray, here: Grid, cubic: Grid, report: Report) -> FloatsArray:
    """How far each cubic voxel lies outside the border, in such voxels; negative within.

    Far from the border only the sign is right. The depth of a slice is let go as soon as it is read.
    """
    known = _KNOWN * max(here.spacing_kji)
    measured = depths(chosen, None, here.spacing_kji, deepest_mm=known, outside_mm=known, report=report)
    outwards = np.empty(cubic.shape_kji, np.float32)
    held: dict[int, FloatsArray] = {}
    for some, part, _ in _stretches(cubic):
        k, j, i = reach(here, part)
        while k.stop - 1 not in held:
            number, depth = next(measured)
            held[number] = -depth
        held = {number: depth for number, depth in held.items() if number >= k.start}
        read = np.stack([held[number][j, i] for number in range(k.start, k.stop)])
        stretch = Volume(here.part((k, j, i)), given_away(read), unit="")
        outwards[some] = resampled(stretch, part).voxels / np.float32(cubic.spacing_kji[0])
    return outwards


def _speed(volume: Volume, cubic: Grid, edge: float, report: Report) -> FloatsArray:
    """How fast the contour moves, 0 to 1, in cubic voxels."""
    spacing = cubic.spacing_kji[0]
    sigma = max(0.7 / spacing, 0.7)
    speed = np.empty(cubic.shape_kji, np.float32)

    def make(some: slice, part: Grid, inner: slice) -> None:
        box = reach(volume.grid, part)
        read = given_away(volume.voxels[box].astype(np.float32))
        grey = resampled(Volume(volume.grid.part(box), read, unit=volume.unit), part).voxels
        slope = gaussian_gradient_magnitude(grey, sigma)[inner] / spacing
        speed[some] = 1 / (1 + np.square(slope / edge))

    for some, part, inner in _stretches(cubic, ceil(4 * sigma) + 1):
        told = part_of(report, some.start / len(speed), some.stop / len(speed))
        run_apart(partial(make, some, part, inner), told, "Looking for edges")
    return speed


def _inside(level: Volume, here: Grid, report: Report) -> BoolArray:
    """The voxels of a grid that lie within the contour."""
    inside = np.empty(here.shape_kji, np.bool_)
    for some, part, _ in _stretches(here):
        told = part_of(report, some.start / len(inside), some.stop / len(inside))
        inside[some] = resampled(level, part, report=told).voxels < 0
    return inside
