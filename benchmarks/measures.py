"""How right and how fast ways along a surface and fits of landmarks are.

python -m benchmarks.measures

Ways over a ball against great circles, beside the shortest way along edges (vtkDijkstraGraphGeodesicPath);
fits on a femur scanned with voxels of 1 mm, blurred (0.6 mm) and noisy (25 HU). Times of the process.
"""

import time

import numpy as np
from vtkmodules.vtkFiltersModeling import vtkDijkstraGraphGeodesicPath

from surgiplan.algorithms.measures import fits, paths
from surgiplan.algorithms.smooth import _poly_data
from surgiplan.algorithms.surface import grey_surface
from surgiplan.phantoms import Femur, mesh_of
from surgiplan.phantoms.solids import Sphere
from surgiplan.values import Mask, Mesh, Part

RADIUS = 30.0
PAIRS = 20


def along_edges(mesh: Mesh, start: int, end: int) -> float:
    """Length of the shortest way along the edges, mm."""
    search = vtkDijkstraGraphGeodesicPath()
    search.SetInputData(_poly_data(mesh))
    search.SetStartVertex(start)
    search.SetEndVertex(end)
    search.Update()
    found = search.GetOutput()
    way = np.array([found.GetPoint(n) for n in range(found.GetNumberOfPoints())])
    return float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())


def ways(edge_mm: float) -> None:
    """Compare ways over a ball with great circles."""
    reach = np.array([[-RADIUS - 1] * 3, [RADIUS + 1] * 3])
    mesh = mesh_of(Sphere((0.0, 0.0, 0.0), RADIUS), reach, edge_mm)
    chance, ours, peer, seconds = np.random.default_rng(0), [], [], 0.0
    for start, end in chance.integers(0, len(mesh.points), (PAIRS, 2)):
        a, b = mesh.points[[start, end]].astype(np.float64)
        truth = RADIUS * np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)
        begun = time.process_time()
        ours.append(abs(paths.path(Part(mesh), a, b).value / truth - 1))
        seconds += time.process_time() - begun
        peer.append(along_edges(mesh, int(start), int(end)) / truth - 1)
    told = f"max error {100 * max(ours):.3f} %, along edges {100 * max(peer):.1f} %"
    print(f"{len(mesh.triangles)} triangles: {told}, {seconds / PAIRS:.3f} s")


def landmarks() -> None:
    """Fit the head, the neck and the shaft of the phantom femur."""
    femur = Femur()
    volume = femur.volume((1.0, 1.0, 1.0), psf_sigma_mm=0.6, noise_hu=25.0, seed=1)
    part = grey_surface(volume, Mask(volume.grid, volume.voxels >= femur.level_hu, level=femur.level_hu))
    bone = fits.Near(part)
    begun = time.process_time()
    head = fits.sphere(bone, femur.landmarks["head_top"])
    seconds = time.process_time() - begun
    off = np.linalg.norm(np.subtract(head.centre, femur.head_centre_lps))
    count = len(part.mesh.triangles)
    print(f"{count} triangles: head {off:.4f} mm, told {head.error_mm:.4f} mm, {seconds:.2f} s")
    begun = time.process_time()
    shaft = fits.shaft(bone, np.mean(femur.shaft_stretch, axis=0) + 12 * femur.pose.rotation[:, 0])
    seconds = time.process_time() - begun
    assert shaft.axis is not None
    turned = np.degrees(np.linalg.norm(np.cross(shaft.axis, femur.shaft_axis)))
    print(f"shaft {turned:.4f} degrees, {seconds:.2f} s")


if __name__ == "__main__":
    for edge in (1.5, 0.75, 0.4):
        ways(edge)
    landmarks()
