"""Grow several bodies from seeds until they meet: each voxel goes to the seed that reaches it first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from SimpleITK import FastMarchingImageFilter, GetImageFromArray

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatArray, FloatsArray, Mask, Vec3, Volume
from ..filters import run_itk, voxels_of
from ..masks.box import Box, boxed, required_box, slabs
from ..masks.parts import told
from ..space import require_one_grid
from .depth import depths
from .joint import joint_space

_SIGMA_MM = 0.7
_FASTEST = 65535  # 1 mm in a unit of time
_SLOWEST = 13
_NARROW_MM = 2.0
_NARROWEST = 0.2
_NEVER = 1e30
_HALO = 4  # voxels beyond a slab that its gradient looks at


def grow_seeds(
    volume: Volume,
    within: Mask,
    seeds: Mapping[str, Sequence[Mask | Vec3]],
    edge: float = 200.0,
    dip: float = 100.0,
    report: Report = silent,
) -> Mapping[str, Mask]:
    """Share out a mask among seeds by the time in which a front from each reaches a voxel.

    Fast marching (Sethian 1996): a front runs 1 mm in a unit of time where the grey values are even, half
    as fast where they change by `edge` a millimetre, slower on steeper edges, in places narrower than 4 mm,
    and hardly at all in a joint space (see `joint_space`). So bodies meet there, and half-way where there is
    nothing of that. Lengths are millimetres, whatever the spacing.

    volume: the scan
    within: what is shared out; voxels that no front reaches stay in no body
    seeds: by the name of the body, marked voxels on the same grid and points in LPS mm, one at least
    edge: change of grey value per mm that halves the speed
    dip: by how much grey value a joint space is darker than what lies on both its sides
    report: told the progress; may raise Cancelled
    Raises StepFailed for fewer than two seeds and for seeds outside the mask or on one another,
    Mismatch when grids differ.
    """
    require_one_grid(
        volume, within, *(one for some in seeds.values() for one in some if isinstance(one, Mask))
    )
    report(0.0, "Looking at the seeds")
    if len(seeds) < 2:
        raise StepFailed("One seed has nothing to meet: give a seed in each of two bodies or more.")
    box = required_box(within)
    started = _started(within, seeds, box)
    chosen = within.voxels[box]
    grey, spacing = volume.voxels[box], within.grid.spacing_kji
    speed = _speed(grey, chosen, spacing, edge, part_of(report, 0.0, 0.2))
    joint = joint_space(grey, chosen, spacing, dip, part_of(report, 0.2, 0.35))
    hear = part_of(report, 0.35, 0.4)
    for k, depth in depths(chosen, joint, spacing, deepest_mm=_NARROW_MM, report=hear):
        wide = np.square(np.clip(depth / _NARROW_MM, _NARROWEST, 1))
        speed[k] = np.where(chosen[k], np.maximum(speed[k] * wide, 1), 0)
    speed[joint] = _SLOWEST
    del joint
    image: Any = GetImageFromArray(speed)
    image.SetSpacing(spacing[::-1])
    del speed
    first = np.full(chosen.shape, np.inf, np.float32)
    owner = np.zeros(chosen.shape, np.int16)
    for n, (name, start) in enumerate(started.items()):
        share = part_of(report, 0.4 + 0.6 * n / len(started), 0.4 + 0.6 * (n + 1) / len(started))
        time = _arrival(image, start, share, f"Growing {name}")
        for some in slabs(chosen.shape):
            sooner = chosen[some] & (time[some] < np.minimum(first[some], _NEVER))
            first[some][sooner], owner[some][sooner] = time[some][sooner], n + 1
        del time
    for n, start in enumerate(started.values()):
        owner[start] = n + 1
    return {name: boxed(within.grid, box, owner == n + 1, within.level) for n, name in enumerate(started)}


def _started(within: Mask, seeds: Mapping[str, Sequence[Mask | Vec3]], box: Box) -> Mapping[str, BoolArray]:
    """The voxels each body starts from, in the box."""
    started: dict[str, BoolArray] = {}
    taken = np.zeros(within.voxels[box].shape, np.bool_)
    for name, some in seeds.items():
        start = np.zeros_like(taken)
        for seed in some:
            start |= _voxels(within, box, name, seed)
        if (start & taken).any():
            raise StepFailed(f"A seed of {name} lies on a seed before it: place each in a body of its own.")
        taken |= start
        started[name] = start
    return started


def _voxels(within: Mask, box: Box, name: str, seed: Mask | Vec3) -> BoolArray:
    if isinstance(seed, Mask):
        marked: BoolArray = seed.voxels[box] & within.voxels[box]
    else:
        marked = np.zeros(within.voxels[box].shape, np.bool_)
        at = within.grid.nearest(seed)
        if at is not None and within.voxels[at]:
            k, j, i = (n - along.start for n, along in zip(at, box, strict=True))
            marked[k, j, i] = True
    if not marked.any():
        where = "" if isinstance(seed, Mask) else f" at {told(seed)}"
        raise StepFailed(
            f"The seed of {name}{where} does not lie on the mask that is shared out: place it on the body, "
            "or widen that mask."
        )
    return marked


def _speed(grey: Any, chosen: BoolArray, spacing: Vec3, edge: float, report: Report) -> NDArray[np.uint16]:
    """Speed of a front: 0 outside of the mask."""
    speed = np.zeros(chosen.shape, np.uint16)
    sigma = np.maximum(_SIGMA_MM / np.asarray(spacing), 0.5)
    halo = int(np.ceil(_HALO * sigma[0])) + 1
    for some in slabs(chosen.shape):
        report(some.start / len(chosen), "Looking for edges")
        first, last = max(some.start - halo, 0), min(some.stop + halo, len(chosen))
        inner = slice(some.start - first, some.stop - first)
        steep = _gradient(np.asarray(grey[first:last], np.float32), sigma, spacing)[inner]
        speed[some] = _FASTEST / (1 + np.square(steep / edge)) * chosen[some]
    return speed


def _gradient(grey: FloatsArray, sigma: FloatArray, spacing: Vec3) -> FloatsArray:
    """Size of the gradient in grey value per mm."""
    squares = np.zeros_like(grey)
    for axis in range(3):
        along = grey
        for other in range(3):
            along = gaussian_filter1d(along, sigma[other], axis=other, order=int(other == axis))
        squares += np.square(along / np.float32(spacing[axis]))
    steep: FloatsArray = np.sqrt(squares)
    return steep


def _arrival(speed: Any, start: BoolArray, report: Report, text: str) -> FloatArray:
    march = FastMarchingImageFilter()
    march.SetTrialPoints([[int(n) for n in kji[::-1]] for kji in np.argwhere(start)])
    march.SetNormalizationFactor(_FASTEST)
    march.SetStoppingValue(_NEVER)
    times: FloatArray = voxels_of(run_itk(march, report, text, speed))
    return times
