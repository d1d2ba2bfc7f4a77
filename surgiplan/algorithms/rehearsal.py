"""Each compiled loop run once on something small, so that its code is kept and nobody waits for it later.

python -m surgiplan.algorithms.rehearsal
"""

import os

import numpy as np

from ..values import IDENTITY, Grid, Mask, Mesh, Part, Plane, Pose, Volume, given_away
from .crossing import crossings
from .cutting.planes import cut
from .decimate import decimate
from .splitting.contour import fitted_contour
from .surface import grey_surface

_SIDE, _LEVEL = 12, 50.0
_NEXT_TO_MM = 1e-7  # a cut so near to a corner makes points that are stored as one


def rehearse() -> None:
    """Compile all loops for the kinds of arrays that there are, or find that they are kept."""
    for kind in (np.int16, np.float32):
        volume = _ball(kind)
        mask = Mask(volume.grid, given_away(volume.voxels > _LEVEL), _LEVEL)
        part = grey_surface(volume, mask)
        grey_surface(volume, mask, way="smoothed")
        grey_surface(volume, Mask(volume.grid, given_away(np.ones_like(mask.voxels)), _LEVEL))
    fitted_contour(volume, mask, rounds=2)
    for pose in (IDENTITY, Pose.of_shift((1.0, 2.0, 3.0))):
        body = Part(part.mesh, pose)
        x, y, z = body.points_lps[len(body.points_lps) // 2]
        cut(body, Plane((x, y, z + _NEXT_TO_MM), (0.6, 0.0, 0.8)), 0.5, "b")
    decimate(part, 0.3)
    crossings(_doubled(part.mesh))


def _ball(kind: type[np.int16] | type[np.float32]) -> Volume:
    away = np.indices((_SIDE, _SIDE, _SIDE)) - _SIDE / 2
    grey = 100 - 20 * (np.sqrt((away**2).sum(axis=0)) - 3)
    return Volume(Grid((_SIDE, _SIDE, _SIDE), np.eye(4)[[2, 1, 0, 3]]), given_away(grey.astype(kind)))


def _doubled(mesh: Mesh) -> Mesh:
    """A surface and the same beside it, which run through each other."""
    points = np.concatenate([mesh.points, mesh.points + np.float32(0.3)])
    triangles = np.concatenate([mesh.triangles, mesh.triangles + np.int32(len(mesh.points))])
    return Mesh(given_away(points), given_away(triangles))


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(15)  # others work meanwhile
    rehearse()
