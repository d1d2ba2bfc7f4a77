"""Meshes of known shape, made by trimesh."""

import math

import numpy as np
import trimesh
from numpy.typing import ArrayLike

from surgiplan.values import Mesh, Part, Pose

SCANNER = Pose.of_shift((312, -845, 1204)).after(Pose.of_rotation((1, 2, 3), 37))
"""A pose far from the origin, as in a scanner, and askew."""


def mesh_of(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.vertices, np.float32), np.asarray(shape.faces, np.int32))


def box(low: ArrayLike, high: ArrayLike) -> Mesh:
    return mesh_of(trimesh.creation.box(bounds=[low, high]))


def ball(radius: float, centre: ArrayLike = (0, 0, 0), finer: int = 4) -> Mesh:
    """A sphere whose corners lie on the true radius."""
    shape = trimesh.creation.icosphere(subdivisions=finer, radius=radius)
    shape.apply_translation(centre)
    return mesh_of(shape)


def rod(radius: float, length: float, facets: int = 128) -> Mesh:
    """A cylinder along z about the origin whose facets touch the true radius from outside."""
    return mesh_of(trimesh.creation.cylinder(radius / math.cos(math.pi / facets), length, facets))


def bumpy(radius: float = 20, finer: int = 4, seed: int = 0) -> Mesh:
    """A closed, uneven, left/right different body."""
    shape = trimesh.creation.icosphere(subdivisions=finer, radius=1)
    x, y, z = shape.vertices.T
    phase = np.random.default_rng(seed).uniform(0, 6, 3)
    swell = 1 + 0.15 * np.sin(4 * x + phase[0]) * np.cos(3 * y + phase[1]) + 0.1 * np.sin(5 * z + phase[2])
    shape.vertices = shape.vertices * (radius * swell)[:, None] * [1.0, 0.8, 1.3]
    return mesh_of(shape)


def random_pose(seed: int, reach: float) -> Pose:
    """Any turn, and a shift of up to `reach` mm along each axis."""
    chance = np.random.default_rng(seed)
    turn = Pose.of_rotation(chance.normal(size=3), chance.uniform(0, 180))
    return Pose.of_shift(chance.uniform(-reach, reach, 3)).after(turn)


def part(mesh: Mesh, *poses: Pose) -> Part:
    """A part moved by these poses, the first one first."""
    placed = Part(mesh)
    for pose in poses:
        placed = placed.moved(pose)
    return placed


NEAR_CENTRE = (31.27, -18.41, 104.63)
"""Where the ball of the phantoms lies, LPS mm."""
