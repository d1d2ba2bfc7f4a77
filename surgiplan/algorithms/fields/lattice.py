"""Distances on a lattice, and between its nodes: a coarse one over all, fine bricks along the surface."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...values import FloatArray, FloatsArray

CELL_MM = 2.0
"""Edge of a cell of the coarse lattice; a brick fills one."""
FINER = 4
"""Fine cells along the edge of a brick: their edges are 0.5 mm long."""
SIDE = FINER + 1  # nodes along the edge of a brick
EASY, HARD, FAR = np.uint8(0), np.uint8(1), np.uint8(2)
"""What a point lies in: a fine cell that interpolates well, one that does not, none at all."""

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Lattice:
    """Where the nodes lie: `cells` cells of 2 mm along x, y and z, from `origin` on (mm)."""

    origin: FloatArray
    cells: tuple[int, int, int]

    @classmethod
    def round(cls, bounds: FloatArray, margin_mm: float) -> "Lattice":
        """The smallest lattice round a box (2, 3), with room on all sides; an even number of cells."""
        pairs = np.maximum(np.ceil((np.ptp(bounds, axis=0) + 2 * margin_mm) / (2 * CELL_MM)), 1).astype(int)
        origin = bounds.mean(axis=0) - pairs * CELL_MM
        return cls(origin, tuple((2 * pairs).tolist()))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Nodes along x, y and z."""
        x, y, z = self.cells
        return x + 1, y + 1, z + 1

    @property
    def strides(self) -> tuple[int, int, int]:
        """From a node to the next along x, y and z, in a flat array."""
        _, y, z = self.shape
        return y * z, z, 1


@dataclass(frozen=True)
class Bricks:
    """Fine distances for the cells of a lattice that lie near the surface.

    slots: (nodes of the lattice,) int32 number of the brick in the cell that begins at a node, or -1
    values: (bricks * 125,) float32 mm, nodes along x, y, z
    hard: (bricks * 125,) uint8, by the first node of a fine cell: 1 where it interpolates badly
    """

    slots: NDArray[np.int32]
    values: FloatsArray
    hard: NDArray[np.uint8]


def interpolated(
    lattice: Lattice, coarse: FloatsArray, bricks: Bricks | None, at: FloatsArray
) -> tuple[FloatsArray, NDArray[np.uint8]]:
    """Distances between the nodes: trilinear in the finest cell there is.

    lattice: where the nodes lie
    coarse: (nodes,) float32 mm
    bricks: the fine cells, if there are any yet
    at: (3, n) float32 in cells from the origin of the lattice
    Returns (n,) float32 mm, and (n,) what each point lies in. Beyond the lattice the distance is never too
    large: that to the lattice and that from there, at a right angle (Pythagoras).
    """
    ends = np.array(lattice.cells, np.float32)[:, None] * np.float32(1 - 1e-6)
    held = np.clip(at, 0, ends)
    cell = held.astype(np.intp)
    share = held - cell.astype(np.float32)
    sx, sy, _ = lattice.strides
    node = cell[0] * sx + cell[1] * sy + cell[2]
    found, level = np.empty(node.shape, np.float32), np.full(node.shape, FAR)
    if bricks is None:
        found = _between(coarse, node, share, sx, sy)
    else:
        slot = bricks.slots[node]
        fine = slot >= 0
        near = np.flatnonzero(fine)
        if len(near) == len(node):
            found, level = _in_bricks(bricks, slot, share)
        else:
            found[near], level[near] = _in_bricks(bricks, slot[near], share[:, near])
            far = np.flatnonzero(~fine)
            found[far] = _between(coarse, node[far], share[:, far], sx, sy)
    if held.min() <= 0 or (held >= ends).any():
        beyond = np.sqrt(np.square(at - held).sum(axis=0)) * np.float32(CELL_MM)
        found = np.where(beyond > 1e-3, np.hypot(found, beyond), found)
    return found, level


def _in_bricks(
    bricks: Bricks, slot: NDArray[np.int32], share: FloatsArray
) -> tuple[FloatsArray, NDArray[np.uint8]]:
    fine = share * np.float32(FINER)
    cell = fine.astype(np.intp)
    node = ((slot.astype(np.intp) * SIDE + cell[0]) * SIDE + cell[1]) * SIDE + cell[2]
    return _between(bricks.values, node, fine - cell.astype(np.float32), SIDE * SIDE, SIDE), bricks.hard[node]


def _between(values: FloatsArray, node: Index, share: FloatsArray, sx: int, sy: int) -> FloatsArray:
    """Trilinear, from the eight nodes that begin at `node`."""
    x, y, z = share
    lines: list[FloatsArray] = []
    for first in (0, sy, sx, sx + sy):
        low = values.take(node + first if first else node)
        high = values.take(node + (first + 1))
        high -= low
        high *= z
        high += low
        lines.append(high)
    for n in (0, 2):
        lines[n + 1] -= lines[n]
        lines[n + 1] *= y
        lines[n + 1] += lines[n]
    found = lines[3]
    found -= lines[1]
    found *= x
    found += lines[1]
    return found


def hard_cells(values: FloatsArray, slopes: FloatsArray, allowed_mm: float) -> NDArray[np.uint8]:
    """Find the fine cells in which the distance bends too much to be interpolated.

    From one end of an edge of a cell to the other the distance must change as the slopes at both ends say.

    values: (bricks, 5, 5, 5) mm
    slopes: (bricks, 5, 5, 5, 3) unit vectors away from the nearest place
    allowed_mm: how far a tangent may miss the value at the other end of the edge
    Returns (bricks, 5, 5, 5) uint8, 1 at the first node of such a cell.
    """
    step = np.float32(CELL_MM / FINER)
    hard = np.zeros(values.shape, np.bool_)
    for axis in (1, 2, 3):
        slope = step * slopes[..., axis - 1]
        ends = _pair(values, axis)
        change = ends[1] - ends[0]
        miss = np.maximum(*(np.abs(change - one) for one in _pair(slope, axis)))
        bent = np.zeros(values.shape, np.bool_)
        _pair(bent, axis)[0][...] = miss > allowed_mm
        for across in {1, 2, 3} - {axis}:  # an edge belongs to the four cells round it
            low, high = _pair(bent, across)
            low |= high
        hard |= bent
    return hard.astype(np.uint8)


def _pair(values: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Views of all nodes but the last, and of the next ones, along an axis."""
    moved = np.moveaxis(values, axis, 0)
    return np.moveaxis(moved[:-1], 0, axis), np.moveaxis(moved[1:], 0, axis)
