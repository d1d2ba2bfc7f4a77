"""Planes where a saw has no business: tangent, in a face, along an edge, through a corner, or almost."""

from collections.abc import Iterator, Sequence

import numpy as np

from surgiplan.values import Mesh, Part, Plane, vec3
from tests.algorithms.bodies import box, bumpy, part, rod


def hard_bodies() -> list[Part]:
    """A box, an uneven body and a rod, each near the origin and far from it."""
    bodies = [part(mesh) for mesh in (box((0, 0, 0), (10, 14, 18)), bumpy(8, finer=2), rod(5, 22, 24))]
    return bodies + [Part(Mesh(one.mesh.points + np.float32(200.5), one.mesh.triangles)) for one in bodies]


def hard_cuts(count: int, bodies: Sequence[Part]) -> Iterator[tuple[Part, Plane, float]]:
    """So many cuts of bodies in turn: the body, the plane and the kerf in mm, the same at each call."""
    chance = np.random.default_rng(count)
    for n in range(count):
        bone = bodies[n % len(bodies)]
        mesh = bone.mesh
        corners = mesh.points[mesh.triangles[chance.integers(len(mesh.triangles))]].astype(float)
        along = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        normal = (along, chance.normal(size=3), corners[1] - corners[0], np.eye(3)[n % 3])[
            n // len(bodies) % 4
        ]
        tiny = chance.choice([0.0, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4]) * chance.choice([-1, 1])
        plane = Plane(vec3(corners[0] + tiny * normal / np.linalg.norm(normal)), vec3(normal))
        yield bone, plane, float(chance.choice([0.0, 0.0, 0.6]))
