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
ERROR_MM = 0.05
"""Largest error in a fine cell that interpolates well."""
FAR_ERROR_MM = 0.2
"""Largest error in a coarse cell that interpolates well."""
_DIAGONAL = float(np.sqrt(3) / 2)  # no place in a cell is farther from its nodes on the average
_FINE = np.array([ERROR_MM, CELL_MM / FINER * _DIAGONAL], np.float32)
_COARSE = np.array([FAR_ERROR_MM, CELL_MM * _DIAGONAL, 2 * CELL_MM * _DIAGONAL], np.float32)
UNMEASURED = np.uint8(2)
"""Mark of coarse cells whose nodes are not all measured yet."""

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


@dataclass(frozen=True)
class Levels:
    """All distances there are by now.

    lattice: where the nodes lie
    values: (nodes,) float32 mm
    hard: (nodes,) uint8, by the first node of a cell: 0, 1 where it interpolates badly, or UNMEASURED
    bricks: the fine cells, once they are there
    """

    lattice: Lattice
    values: FloatsArray
    hard: NDArray[np.uint8]
    bricks: Bricks | None = None

    def interpolated(self, cells: FloatsArray) -> tuple[FloatsArray, FloatsArray]:
        """Distances between the nodes: trilinear in the finest cell there is.

        cells: (3, n) float32 in cells from the origin of the lattice
        Returns (n,) float32 mm, and (n,) a bound of the error of each: what its cell is worth, or, since no
        distance is steeper than 1, the way to the nodes. Beyond the lattice the distance is never too large:
        that to the lattice and that from there, at a right angle (Pythagoras).
        """
        lattice = self.lattice
        ends = np.array(lattice.cells, np.float32)[:, None] * np.float32(1 - 1e-6)
        held = np.clip(cells, 0, ends)
        cell = held.astype(np.intp)
        share = held - cell.astype(np.float32)
        sx, sy, _ = lattice.strides
        node = cell[0] * sx + cell[1] * sy + cell[2]
        fine: Index = np.zeros(0, np.intp)
        if self.bricks is not None:
            slot = self.bricks.slots[node]
            fine = np.flatnonzero(slot >= 0)
        if len(fine) == len(node) and self.bricks is not None:
            found, slack = _in_bricks(self.bricks, slot, share)
        else:
            found, slack = _between(self.values, node, share, sx, sy), _COARSE[self.hard[node]]
            if len(fine) and self.bricks is not None:
                found[fine], slack[fine] = _in_bricks(self.bricks, slot[fine], share[:, fine])
        if held.min(initial=1.0) <= 0 or (held >= ends).any():
            beyond = np.sqrt(np.square(cells - held).sum(axis=0)) * np.float32(CELL_MM)
            out = beyond > 1e-3
            slack = np.where(out, slack + np.minimum(beyond, np.abs(found)), slack)
            found = np.where(out, np.hypot(found, beyond), found)
        return found, slack


def _in_bricks(
    bricks: Bricks, slot: NDArray[np.int32], share: FloatsArray
) -> tuple[FloatsArray, FloatsArray]:
    fine = share * np.float32(FINER)
    cell = fine.astype(np.intp)
    node = ((slot.astype(np.intp) * SIDE + cell[0]) * SIDE + cell[1]) * SIDE + cell[2]
    fine -= cell.astype(np.float32)
    return _between(bricks.values, node, fine, SIDE * SIDE, SIDE), _FINE[bricks.hard[node]]


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


def hard_cells(
    values: FloatsArray, slopes: FloatsArray, step_mm: float, allowed_mm: float
) -> NDArray[np.uint8]:
    """Find the cells in which the distance bends too much to be interpolated.

    From one end of an edge of a cell to the other the distance must change as the slopes at both ends say.

    values: (n, nodes along x, y, z) mm
    slopes: (n, nodes along x, y, z, 3) unit vectors away from the nearest place
    step_mm: from node to node
    allowed_mm: how far a tangent may miss the value at the other end of the edge
    Returns (n, nodes along x, y, z) uint8, 1 at the first node of such a cell.
    """
    step = np.float32(step_mm)
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
