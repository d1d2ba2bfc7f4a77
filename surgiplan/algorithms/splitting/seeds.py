"""Grow several bodies from seeds until they meet: each voxel goes to the seed that reaches it first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import BoolArray, FloatArray, FloatsArray, Mask, Vec3, Volume
from ..masks.box import Box, boxed, required_box, slabs
from ..masks.parts import told
from ..space import require_one_grid
from .depth import depths
from .joint import joint_space
from .marching import Chosen, Front

_SIGMA_MM = 0.7
_FASTEST = 65535  # 1 mm in a unit of time
_SLOWEST = 13
_NARROW_MM = 2.0
_NARROWEST = 0.2
_MOST_IN_BYTES = 255  # bodies
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

    The solution of fast marching (Sethian 1996): a front runs 1 mm in a unit of time where the grey values
    are even, half as fast where they change by `edge` a millimetre, slower on steeper edges, in places
    narrower than 4 mm, and hardly at all in a joint space (see `joint_space`). So bodies meet there, and
    half-way where there is nothing of that; a voxel that two fronts reach at the same time goes to the body
    named first. Lengths are millimetres, whatever the spacing.

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
    chosen, spacing = within.voxels[box], within.grid.spacing_kji
    space = Chosen(chosen)
    front = Front(
        space,
        _speed(volume.voxels[box], chosen, spacing, edge, dip, part_of(report, 0.0, 0.4)),
        _FASTEST,
        spacing,
    )
    first = np.full(space.count, np.inf, np.float32)
    owner = np.zeros(space.count, np.uint8 if len(seeds) < _MOST_IN_BYTES else np.int32)
    for n, (name, start) in enumerate(started.items()):
        share = part_of(report, 0.4 + 0.6 * n / len(started), 0.4 + 0.6 * (n + 1) / len(started))
        time = front.arrival(start, first, share, f"Growing {name}")
        sooner = time < first
        first[sooner], owner[sooner] = time[sooner], n + 1
    del front, first, time, sooner
    bodies = {}
    for n, name in enumerate(started):
        report(1.0, f"Growing {name}")
        bodies[name] = boxed(within.grid, box, _spread_out(owner == n + 1, chosen), within.level)
    return bodies


def _spread_out(some: BoolArray, chosen: BoolArray) -> BoolArray:
    """Some of the chosen voxels, in the array."""
    spread = chosen.copy()
    spread[chosen] = some
    return spread


def _started(
    within: Mask, seeds: Mapping[str, Sequence[Mask | Vec3]], box: Box
) -> Mapping[str, NDArray[np.int64]]:
    """(n, 3) the voxels each body starts from, in the box."""
    started: dict[str, NDArray[np.int64]] = {}
    taken = np.zeros(within.voxels[box].shape, np.bool_)
    for name, some in seeds.items():
        kji = np.concatenate([_voxels(within, box, name, seed) for seed in some])
        if taken[tuple(kji.T)].any():
            raise StepFailed(f"A seed of {name} lies on a seed before it: place each in a body of its own.")
        taken[tuple(kji.T)] = True
        started[name] = kji
    return started


def _voxels(within: Mask, box: Box, name: str, seed: Mask | Vec3) -> NDArray[np.int64]:
    """(n, 3) the voxels of a seed, in the box."""
    if isinstance(seed, Mask):
        marked = np.argwhere(seed.voxels[box] & within.voxels[box])
    else:
        at = within.grid.nearest(seed)
        inside = at is not None and bool(within.voxels[at])
        marked = np.array([at] if inside else [], np.int64).reshape(-1, 3) - [along.start for along in box]
    if not len(marked):
        where = "" if isinstance(seed, Mask) else f" at {told(seed)}"
        raise StepFailed(
            f"The seed of {name}{where} does not lie on the mask that is shared out: place it on the body, "
            "or widen that mask."
        )
    return marked


def _speed(
    grey: Any, chosen: BoolArray, spacing: Vec3, edge: float, dip: float, report: Report
) -> NDArray[np.uint16]:
    """Speed of a front in each of the chosen voxels, in their order."""
    ends = np.cumsum([0, *(int(np.count_nonzero(one)) for one in chosen)])
    speed = np.empty(ends[-1], np.uint16)
    sigma = np.maximum(_SIGMA_MM / np.asarray(spacing), 0.5)
    halo = int(np.ceil(_HALO * sigma[0])) + 1
    for some in slabs(chosen.shape):
        report(0.4 * some.start / len(chosen), "Looking for edges")
        first, last = max(some.start - halo, 0), min(some.stop + halo, len(chosen))
        inner = slice(some.start - first, some.stop - first)
        steep = _gradient(np.asarray(grey[first:last], np.float32), sigma, spacing, inner)[chosen[some]]
        speed[ends[some.start] : ends[some.stop]] = _FASTEST / (1 + np.square(steep / edge))
    joint = joint_space(grey, chosen, spacing, dip, part_of(report, 0.4, 0.8))
    hear = part_of(report, 0.8, 1.0)
    for k, depth in depths(chosen, joint, spacing, deepest_mm=_NARROW_MM, report=hear):
        here, bone = slice(ends[k], ends[k + 1]), chosen[k]
        wide = np.square(np.clip(depth[bone] / _NARROW_MM, _NARROWEST, 1))
        speed[here] = np.where(joint[k][bone], _SLOWEST, np.maximum(speed[here] * wide, 1))
    return speed


def _gradient(grey: FloatsArray, sigma: FloatArray, spacing: Vec3, inner: slice) -> FloatsArray:
    """Size of the gradient in grey value per mm, in some of the slices."""
    squares = np.zeros_like(grey[inner])
    for axis in range(3):
        along = gaussian_filter1d(grey, sigma[0], axis=0, order=int(axis == 0))[inner]
        for other in (1, 2):
            along = gaussian_filter1d(along, sigma[other], axis=other, order=int(other == axis))
        squares += np.square(along / np.float32(spacing[axis]))
    steep: FloatsArray = np.sqrt(squares)
    return steep
