"""The closed triangle surface between the 1 and the 0 of a lattice."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from ..progress import Report, silent
from ..values import FloatArray, FloatsArray, IntArray

NUDGE = 0.01
"""No corner comes nearer to a voxel centre than this share of a step, so that every triangle has an area."""

_LAYERS = 16  # steps from the first layer of a slab to its last, which is the first of the next
_AT_A_TIME = 2  # slabs
_SPARE = 1.1  # room for more rows than expected from those so far
Sites = NDArray[np.uint8]


@dataclass(frozen=True)
class Border:
    """The closed triangle surface between the 1 and the 0 of a lattice.

    Each corner lies on the step from one site to the next along one axis. How far along is for the
    caller to say; whatever is said, the triangles stay closed.

    middle_ijk: (n, 3) float32 middle of the step of each corner: two whole indices, and one and a half
    triangles: (m, 3) counter-clockwise seen from outside, where the axes i, j, k are right-handed
    """

    middle_ijk: FloatsArray
    triangles: IntArray

    def at(self, share: FloatArray) -> FloatArray:
        """(n, 3) indices [k, j, i] of the corners when they lie this (n,) share of a step along."""
        beyond = np.clip(share, NUDGE, 1 - NUDGE) - 0.5
        kji: FloatArray = (self.middle_ijk + self.step_ijk * beyond[:, None])[:, ::-1]
        return kji

    @property
    def low_kji(self) -> IntArray:
        """(n, 3) index of the site before each corner."""
        return np.floor(self.middle_ijk[:, ::-1]).astype(np.int32)

    @property
    def axis(self) -> IntArray:
        """(n,) axis of the step of each corner: 0 for k, 1 for j, 2 for i."""
        axis: IntArray = np.argmax(self.step_ijk[:, ::-1], axis=1).astype(np.int32)
        return axis

    @cached_property
    def step_ijk(self) -> FloatArray:
        """(n, 3) the step of each corner: 1 along its axis and 0 else."""
        return 2.0 * (self.middle_ijk - np.floor(self.middle_ijk)).astype(np.float64)


def border_of(inside: Sites, report: Report = silent) -> Border:
    """Find the surface between the 1 and the 0 of a lattice.

    Flying Edges (Schroeder, Maynard, Geveci 2015) doubles an edge where a value equals the level;
    between 0 and 1 that cannot happen, so each edge has exactly two triangles. It runs over slabs, whose
    memory serves again and again; corners and triangles come in the same order as from the whole lattice.

    inside: [k, j, i] 0 or 1; the outermost layer must be 0 for the surface to be closed
    report: told the progress; may raise Cancelled
    """
    starts = range(0, max(len(inside) - 1, 1), _LAYERS)
    middles, triangles = _Rows(np.zeros((0, 3), np.float32)), _Rows(np.zeros((0, 3), np.int32))
    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        coming = (pool.submit(_slab, inside[k : k + _LAYERS + 1], k) for k in starts)
        slabs = deque(islice(coming, _AT_A_TIME))
        for k in starts:
            report(k / len(inside), "Finding the border")
            middle, found = slabs.popleft().result()
            slabs.extend(islice(coming, 1))
            shared = np.flatnonzero(middle[: np.searchsorted(middle[:, 2], k + 1), 2] == k)
            if k:  # corners in the layer that two slabs share are those of the later one
                middles.count -= len(shared)
                before = triangles.last
                beyond = before >= middles.count
                before[beyond] = middles.count + shared[before[beyond] - middles.count]
            share = min((k + _LAYERS) / len(inside), 1.0)
            np.add(found, middles.count, out=triangles.more(len(found), share), casting="same_kind")
            middles.more(len(middle), share)[:] = middle
    finally:
        pool.shutdown(cancel_futures=True)
    return Border(middles.all, triangles.all)


class _Rows:
    """An array that grows: into one piece of memory, since touching memory first costs as much as the rest.

    array: (0, 3), of the wanted type
    """

    def __init__(self, array: NDArray[Any]) -> None:
        self._array, self.count, self.last = array, 0, array

    def more(self, count: int, share: float) -> NDArray[Any]:
        """(count, 3) new rows, to be filled; with them about this share of all rows is there."""
        end = self.count + count
        if end > len(self._array):
            before, size = self.all, int(_SPARE * end / share)
            self._array = np.empty((size, 3), before.dtype)
            self._array[: self.count] = before
        self.last = self._array[self.count : end]
        self.count = end
        return self.last

    @property
    def all(self) -> NDArray[Any]:
        """(n, 3) the rows so far."""
        return self._array[: self.count]


def _slab(inside: Sites, first: int) -> tuple[FloatsArray, NDArray[np.int64]]:
    """The corners (n, 3) and the triangles (m, 3) of some layers, of which the first has this index."""
    image = vtkImageData()
    image.SetDimensions(*inside.shape[::-1])
    image.SetOrigin(0, 0, first)
    image.GetPointData().SetScalars(numpy_to_vtk(inside.ravel()))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.5)
    edges.ComputeNormalsOff()
    edges.ComputeGradientsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    found = edges.GetOutput()
    if not found.GetNumberOfPolys():
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int64)
    middle: FloatsArray = vtk_to_numpy(found.GetPoints().GetData())
    triangles = vtk_to_numpy(found.GetPolys().GetConnectivityArray())
    return middle, triangles.reshape(-1, 3)
