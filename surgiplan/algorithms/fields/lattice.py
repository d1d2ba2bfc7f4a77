"""Distances on a lattice, and between its nodes: a coarse one over all, fine bricks along the surface."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...values import FloatArray, FloatsArray, IntArray

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
_COARSE = (
    0.05,
    0.1,
    0.15,
    FAR_ERROR_MM,
    0.3,
    0.4,
    0.6,
    0.9,
    1.3,
    CELL_MM * _DIAGONAL,
    2 * CELL_MM * _DIAGONAL,
)
_FINE = (ERROR_MM, 0.075, 0.1, 0.15, 0.22, 0.32, CELL_MM / FINER * _DIAGONAL)
_ERRORS = np.array([*_COARSE, *_FINE], np.float32)
"""By the mark of a cell: how far its tangents miss, or, since no distance is steeper than 1, the way to the
nodes; the last of the coarse ones where the nodes are not all measured yet."""
UNMEASURED = np.uint8(len(_COARSE) - 1)

_BRICK = SIDE**3
_FINE_STRIDES = np.array([SIDE * SIDE, SIDE, 1])
_ZERO = np.float32(0)
_AT_ONCE = 1 << 13  # places; what belongs to them stays in the cache

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
class Levels:
    """All distances there are by now: a coarse lattice, and bricks of fine nodes near the surface.

    lattice: where the coarse nodes lie
    values: (nodes + bricks * 125,) float32 mm; those of each brick along x, y, z
    marks: the same count of uint8, by the first node of a cell: what its interpolation is worth
    bricks: (nodes,) int32, where in `values` the brick begins that fills the cell which begins at a node; 0
        where there is none. None while there are no bricks
    """

    lattice: Lattice
    values: FloatsArray
    marks: NDArray[np.uint8]
    bricks: NDArray[np.int32] | None = None
    nearest: IntArray | None = None
    unsure_mm: float = 0.0

    @property
    def coarse(self) -> FloatsArray:
        """(nodes along x, y, z) float32 mm, those of the lattice."""
        shape = self.lattice.shape
        return self.values[: shape[0] * shape[1] * shape[2]].reshape(shape)

    @property
    def bytes(self) -> int:
        """Memory that the nodes take."""
        return sum(
            one.nbytes for one in (self.values, self.marks, self.bricks, self.nearest) if one is not None
        )

    def with_bricks(self, cells: NDArray[np.intp], values: FloatsArray, marks: NDArray[np.uint8]) -> "Levels":
        """These and fine distances.

        cells: (n,) the first node of each cell of the lattice that gets a brick
        values, marks: (n, 5, 5, 5) of each, as from `marked`
        """
        bricks = np.zeros(len(self.values), np.int32)
        bricks[cells] = len(self.values) + _BRICK * np.arange(len(cells), dtype=np.int32)
        return Levels(
            self.lattice,
            np.concatenate([self.values, values.ravel()]),
            np.concatenate([self.marks, np.uint8(len(_COARSE)) + marks.ravel()]),
            bricks,
            self.nearest,
        )

    @cached_property
    def _constants(self) -> tuple[FloatsArray, Index, Index]:
        """The end of the lattice, its strides, and from a first node to all eight: coarse, fine (8, 2)."""
        ends = np.array(self.lattice.cells, np.float32)[:, None] * np.float32(1 - 1e-6)
        strides = np.array(self.lattice.strides, np.intp)
        corners = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        return ends, strides, np.stack([corners @ strides, corners @ _FINE_STRIDES], axis=1)

    def interpolated(self, cells: FloatsArray) -> tuple[FloatsArray, FloatsArray]:
        """Distances between the nodes: trilinear in the finest cell there is.

        cells: (3, n) float32 in cells from the origin of the lattice
        Returns (n,) float32 mm, and (n,) a bound of the error of each: what its cell is worth. Beyond the
        lattice the distance is never too large: that to the lattice and that from there, at a right angle
        (Pythagoras).
        """
        if cells.shape[1] > _AT_ONCE:
            parts = [self._few(cells[:, n : n + _AT_ONCE]) for n in range(0, cells.shape[1], _AT_ONCE)]
            found, slack = (np.concatenate(some) for some in zip(*parts, strict=True))
            return found, slack
        return self._few(cells)

    def _few(self, cells: FloatsArray) -> tuple[FloatsArray, FloatsArray]:
        ends, strides, eight = self._constants
        held = np.maximum(cells, _ZERO)
        np.minimum(held, ends, out=held)
        node, share = _parted(held, strides)
        around = eight[:, :1]
        if self.bricks is not None:
            brick = self.bricks.take(node)
            fine = brick > 0
            if fine.any():
                inner, finer = _parted(share * np.float32(FINER), _FINE_STRIDES)
                inner += brick
                if fine.all():
                    node, share, around = inner, finer, eight[:, 1:]
                else:
                    node, share = np.where(fine, inner, node), np.where(fine, finer, share)
                    around = eight.take(fine, axis=1)
        found, slack = _between(self.values.take(node + around), share), _ERRORS.take(self.marks.take(node))
        if self.unsure_mm:
            slack += np.float32(self.unsure_mm)
        if not np.array_equal(held, cells):
            beyond = np.sqrt(np.square(cells - held).sum(axis=0)) * np.float32(CELL_MM)
            out = beyond > 1e-3
            slack = np.where(out, slack + np.minimum(beyond, np.abs(found)), slack)
            found = np.where(out, np.hypot(found, beyond), found)
        return found, slack

    def nodes_round(self, cells: FloatsArray) -> Index:
        """(8, n) the nodes of the coarse cells that places (3, n) lie in; see `interpolated`."""
        ends, strides, eight = self._constants
        return _parted(np.minimum(np.maximum(cells, _ZERO), ends), strides)[0] + eight[:, :1]


def _parted(places: FloatsArray, strides: Index) -> tuple[Index, FloatsArray]:
    """The first node of the cell each place lies in, and what is left of the place."""
    whole = np.trunc(places)
    x, y, z = whole.astype(np.intp)
    x *= strides[0]
    y *= strides[1]
    x += y
    x += z
    return x, places - whole


def _between(nodes: FloatsArray, share: FloatsArray) -> FloatsArray:
    """Trilinear (n,), from the eight nodes (8, n) of each cell, and the place in it (3, n).

    The nodes are used up.
    """
    for along in share:
        half = len(nodes) // 2
        low, high = nodes[:half], nodes[half:]
        high -= low
        high *= along
        high += low
        nodes = high
    found: FloatsArray = nodes[0]
    return found


def marked(values: FloatsArray, slopes: FloatsArray, step_mm: float) -> NDArray[np.uint8]:
    """Find out how much the distance bends in each cell, which is what interpolating there is worth.

    From one end of an edge of a cell to the other the distance must change as the slopes at both ends say.
    By how much such a tangent misses at most, interpolation does not miss: by half of it at a kink across an
    edge, by three quarters at one askew or on a sphere.

    values: (n, nodes along x, y, z) mm
    slopes: (n, nodes along x, y, z, 3) unit vectors away from the nearest place
    step_mm: from node to node, as in the coarse lattice or in bricks
    Returns (n, nodes along x, y, z) uint8 marks, by the first node of each cell.
    """
    step = np.float32(step_mm)
    most = np.zeros(values.shape, np.float32)
    for axis in (1, 2, 3):
        slope = step * slopes[..., axis - 1]
        ends = _pair(values, axis)
        change = ends[1] - ends[0]
        bent = np.zeros(values.shape, np.float32)
        _pair(bent, axis)[0][...] = np.maximum(*(np.abs(change - one) for one in _pair(slope, axis)))
        for across in {1, 2, 3} - {axis}:  # an edge belongs to the four cells round it
            low, high = _pair(bent, across)
            np.maximum(low, high, out=low)
        np.maximum(most, bent, out=most)
    errors = _COARSE[:-2] if step_mm == CELL_MM else _FINE[:-1]
    return np.searchsorted(errors, most).astype(np.uint8)


def _pair(values: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Views of all nodes but the last, and of the next ones, along an axis."""
    moved = np.moveaxis(values, axis, 0)
    return np.moveaxis(moved[:-1], 0, axis), np.moveaxis(moved[1:], 0, axis)
