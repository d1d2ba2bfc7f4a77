"""The middle of a joint: of its face, or between the two rises beside it."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...errors import StepFailed
from ...values import BoolArray, FloatArray, vec3
from .fits import Fitted, Near, require_enough
from .peaks import extreme
from .vectors import placed

_FACING = 0.8  # cosine; what faces further aside is no part of the face
_ROUNDS = 3
_ASIDE_MM = 1.0  # a rise lies further to one side of the click than this
_BESIDE_MM = 2.0  # how far round a line the surface is looked at
_RISE_MM = 1.0  # what rises less is no spine and no condyle
_NO_RISES = (
    "The bone does not rise on both sides of this place: click in the middle between the two rises, or place "
    "the landmark by hand."
)
_RIM = 1.0  # percent of the corners at either end that may stick out


def middle(bone: Near, click: ArrayLike, direction: ArrayLike, reach_mm: float = 60.0) -> Fitted:
    """Find the middle of the face of a bone that a click lies on: of its width and of its depth.

    bone: the surface
    click: (3,) LPS mm, on the face
    direction: (3,) to which the face looks, such as inferior
    reach_mm: a face goes no further from the click than this
    The face is what hangs together round the click and looks within 37 degrees to where the whole of it
    looks, which is found from that direction on. Its width is taken along its longest way and across it.
    Raises StepFailed when the bone looks elsewhere at the click.
    """
    start, way = bone.on_surface(click), placed(direction)[0]
    way = way / np.linalg.norm(way)
    for _ in range(_ROUNDS):
        face = _face(bone, start, way, reach_mm)
        looks = bone.normals[face].mean(axis=0)
        way = looks / np.linalg.norm(looks)
    flat = bone.points[face] - start
    flat -= np.outer(flat @ way, way)
    axes = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)[2][:2]
    ends = np.percentile(flat @ axes.T, [_RIM, 100 - _RIM], axis=0)
    centre = start + ends.mean(axis=0) @ axes
    rise = float(np.median((bone.points[face] - start) @ way))
    on_it = bone.on_surface(centre + rise * way)
    return Fitted(vec3(on_it), None, 0.0, 0.0, 0.0, int(face.sum()))


def _face(bone: Near, start: FloatArray, way: FloatArray, reach_mm: float) -> BoolArray:
    """(n,) the corners that hang together with the one nearest to a place and look one way."""
    looking = bone.within(start, reach_mm) & (bone.normals @ way > _FACING)
    nearest = int(np.square(bone.points - start).sum(axis=1).argmin())
    if not looking[nearest]:
        turn = np.degrees(np.arccos(np.clip(bone.normals[nearest] @ way, -1, 1)))
        raise StepFailed(
            f"The bone looks {turn:.0f} degrees away from the face that is meant: click on the joint face "
            "itself, or place the landmark by hand."
        )
    sides = bone.part.mesh.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    sides = sides[looking[sides].all(axis=1)]
    links = coo_array((np.ones(len(sides)), sides.T), (len(bone.points),) * 2)
    _, piece = connected_components(links, directed=False)
    face: BoolArray = piece == piece[nearest]
    require_enough(face, "joint face")
    return face


def between(bone: Near, click: ArrayLike, direction: ArrayLike, reach_mm: float) -> Fitted:
    """Find the place of a bone midway between two rises, such as both spines of a tibia or both condyles.

    bone: the surface
    click: (3,) LPS mm, between them
    direction: (3,) to which they rise
    reach_mm: they are looked for this far round the click, one on either side of it
    Midway between the tops of both, it lies on the surface between them.
    Raises StepFailed when the bone does not rise on both sides.
    """
    start, way = bone.on_surface(click), placed(direction)[0]
    way = way / np.linalg.norm(way)
    side = np.array([1.0, 0.0, 0.0]) - way[0] * way
    side /= np.linalg.norm(side)
    away = bone.points - start
    near = bone.within(start, reach_mm) & (bone.normals @ way > 0)
    tops = []
    for half in (1.0, -1.0):
        some = np.flatnonzero(near & (away @ side * half > _ASIDE_MM))
        if not len(some):
            raise StepFailed(_NO_RISES)
        tops.append(
            np.asarray(extreme(bone, bone.points[some[(away[some] @ way).argmax()]], way, 3.0).centre)
        )
    middle = (tops[0] + tops[1]) / 2
    off = bone.points - middle
    height = off @ way
    below = (np.linalg.norm(off - np.outer(height, way), axis=1) <= _BESIDE_MM) & (bone.normals @ way > 0)
    floor = float(np.median(height[below])) if below.any() else 0.0
    if floor > -_RISE_MM:
        raise StepFailed(_NO_RISES)
    return Fitted(vec3(bone.on_surface(middle + floor * way)), None, 0.0, 0.0, 0.0, int(below.sum()))
