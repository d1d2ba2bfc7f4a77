"""Small inputs of every type for the tests of operations; asymmetric, off-centre, not isotropic."""

import numpy as np

from surgiplan.values import Grid, Mask, Mesh, Part, Volume

FRAME = "1.2.826.0.1.3680043.8.498.1"


def grid(shape: tuple[int, int, int] = (30, 38, 44), frame: str = FRAME) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = np.diag([0.8, 0.9, 1.1])[:, ::-1]
    affine[:3, :3] = [[0, 0, 0.8], [0, 0.9, 0], [1.1, 0, 0]]
    affine[:3, 3] = (-61.0, 22.0, 140.0)
    return Grid(shape, affine, frame)


def ball_volume(radius: float = 12.0) -> Volume:
    """A ball of 1000 HU with soft edges in water, off the middle."""
    place = grid()
    index = np.stack(np.meshgrid(*map(np.arange, place.shape_kji), indexing="ij"), axis=-1)
    distance = np.linalg.norm(place.to_lps(index.reshape(-1, 3)) - centre(), axis=1)
    grey = 1000.0 * np.clip(0.5 + (radius - distance), 0, 1)
    return Volume(place, grey.reshape(place.shape_kji).round().astype(np.int16))


def centre() -> tuple[float, float, float]:
    return (-45.0, 39.0, 157.0)


def ball_mask() -> Mask:
    volume = ball_volume()
    return Mask(volume.grid, volume.voxels >= 500, level=500.0)


def icosphere(radius: float = 12.0, at: tuple[float, float, float] | None = None, rings: int = 24) -> Part:
    """A closed ball of latitude rings, facing outwards."""
    theta = np.linspace(0, np.pi, rings + 1)[1:-1]
    phi = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    t, p = np.meshgrid(theta, phi, indexing="ij")
    body = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=-1).reshape(-1, 3)
    points = np.vstack([[0, 0, 1], body, [0, 0, -1]]) * radius + (centre() if at is None else at)
    n, rows, last = 2 * rings, rings - 1, len(points) - 1
    triangles = []
    for c in range(n):
        d = (c + 1) % n
        triangles.append((0, 1 + c, 1 + d))
        triangles.append((last, 1 + (rows - 1) * n + d, 1 + (rows - 1) * n + c))
        for r in range(rows - 1):
            a, b = 1 + r * n, 1 + (r + 1) * n
            triangles += [(a + c, b + c, b + d), (a + c, b + d, a + d)]
    return Part(Mesh(points.astype(np.float32), np.array(triangles, np.int32)), frame_uid=FRAME)
