"""The border between the 1 and the 0 of a lattice is closed, whatever lies inside."""

import numpy as np
import pytest
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from surgiplan.algorithms import border, filters
from surgiplan.algorithms.border import border_of
from surgiplan.errors import Cancelled
from surgiplan.values import Mesh


def lattice(shape: tuple[int, int, int], density: float, seed: int = 0) -> np.ndarray:
    return np.pad((np.random.default_rng(seed).random(shape) < density).astype(np.uint8), 1)


@pytest.mark.parametrize("axis", range(3))
def test_whatever_two_neighbouring_cells_hold_the_border_between_them_is_closed(axis: int) -> None:
    """All 4096 ways to choose the corners of two cells, each in a block of its own, side by side."""
    cells = np.moveaxis(np.arange(12).reshape(3, 2, 2), 0, axis)
    ways = np.arange(4096)
    blocks = np.zeros((16, 16, 16, *(np.add(cells.shape, 2))), np.uint8)
    blocks[:, :, :, 1:-1, 1:-1, 1:-1] = (ways.reshape(16, 16, 16, 1, 1, 1) >> cells) & 1
    joined = blocks.transpose(0, 3, 1, 4, 2, 5).reshape(np.multiply(16, blocks.shape[3:]))
    found = border_of(np.ascontiguousarray(joined))
    assert Mesh(found.middle_ijk, found.triangles).open_edges == 0
    assert len(np.unique(found.triangles)) == len(found.middle_ijk)


def flying_edges(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What VTK makes of the whole lattice at once: middles of steps and triangles."""
    image = vtkImageData()
    image.SetDimensions(*inside.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(inside.ravel()))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.5)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    found = edges.GetOutput()
    points = vtk_to_numpy(found.GetPoints().GetData())
    return points, vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)


@pytest.mark.parametrize("shape", [(3, 4, 5), (40, 7, 9), (33, 64, 81)])
@pytest.mark.parametrize("density", [0.03, 0.5, 0.97])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_border_is_that_of_flying_edges_to_the_last_bit(shape, density, threads, monkeypatch) -> None:
    monkeypatch.setattr(filters.os, "cpu_count", lambda: threads)
    monkeypatch.setattr(border, "_SITES", 30_000)
    inside = lattice(shape, density)
    found = border_of(inside)
    middles, triangles = flying_edges(inside)
    assert np.array_equal(found.middle_ijk, middles)
    assert np.array_equal(found.triangles, triangles)


def test_round_a_lattice_lie_zeros_and_it_may_be_part_of_another() -> None:
    inside = lattice((20, 9, 12), 0.5)
    within = border_of(inside.view(np.bool_)[1:-1, 1:-1, 1:-1])
    assert np.array_equal(within.middle_ijk + 1, border_of(inside).middle_ijk)
    assert np.array_equal(within.triangles, border_of(inside).triangles)
    turned = border_of(np.ascontiguousarray(inside.transpose(2, 1, 0)).transpose(2, 1, 0))
    assert np.array_equal(turned.middle_ijk, border_of(inside).middle_ijk)


@pytest.mark.parametrize("layers", [1, 13, 14, 15, 30, 31, 46, 64])
@pytest.mark.parametrize("density", [0.0, 0.03, 0.5, 1.0])
def test_slabs_give_the_border_of_the_whole(layers: int, density: float, monkeypatch) -> None:
    inside = lattice((layers, 7, 9), density)
    inside[20:25] = 0  # a gap that begins and ends within slabs
    slabs = border_of(inside)
    monkeypatch.setattr(border, "_LAYERS", 1000)
    whole = border_of(inside)
    assert np.array_equal(slabs.middle_ijk, whole.middle_ijk)
    assert np.array_equal(slabs.triangles, whole.triangles)
    assert Mesh(slabs.middle_ijk, slabs.triangles).open_edges == 0


def test_a_stop_is_heard_between_slabs() -> None:
    told = []

    def stop(share: float, text: str) -> None:
        told.append(share)
        if len(told) == 3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        border_of(lattice((100, 20, 20), 0.5), stop)
    assert 0 < told[-1] < 0.5


def test_a_border_needs_no_voxel() -> None:
    border = border_of(np.zeros((4, 5, 6), np.uint8))
    assert border.middle_ijk.shape == (0, 3)
    assert border.triangles.shape == (0, 3)


def test_the_border_of_one_voxel_is_an_octahedron() -> None:
    inside = np.zeros((5, 6, 7), np.uint8)
    inside[1, 2, 3] = 1
    border = border_of(inside)
    corners = border.at(np.full(6, 0.5))
    half_steps = [tuple(0.5 * sign * step) for step in np.eye(3) for sign in (-1, 1)]
    assert sorted(map(tuple, corners - (1, 2, 3))) == sorted(half_steps)
    mesh = Mesh(corners[:, ::-1].astype(np.float32), border.triangles)
    assert mesh.volume_mm3 == pytest.approx(1 / 6)
