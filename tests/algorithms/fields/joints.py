"""P18: a ball with a neck in a cup, as meshes turned on a lathe; the first touch has a closed form."""

import math

import numpy as np

from surgiplan.values import Mesh


def turned(profile: list[tuple[float, float]], facets: int = 256, true_at_corners: bool = True) -> Mesh:
    """A closed body from its outline (radius, height): from the lower end of the axis round to the upper."""
    scale = 1.0 if true_at_corners else 1 / math.cos(math.pi / facets)
    ring = np.array(profile[1:-1])
    angle = np.arange(facets) * 2 * np.pi / facets
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1) * scale
    points = np.concatenate([np.repeat(around[None] * r, 1, axis=0)[0] for r, _ in ring])
    heights = np.repeat(ring[:, 1], facets)[:, None]
    points = np.concatenate([np.hstack([points, heights]), [[0, 0, profile[0][1]], [0, 0, profile[-1][1]]]])
    i, j = np.meshgrid(np.arange(len(ring) - 1), np.arange(facets), indexing="ij")
    a, b = i * facets + j, i * facets + (j + 1) % facets
    c, d = a + facets, b + facets
    k = np.arange(facets)
    last = (len(ring) - 1) * facets
    triangles = np.concatenate(
        [
            np.stack([a, b, d], axis=-1).reshape(-1, 3),
            np.stack([a, d, c], axis=-1).reshape(-1, 3),
            np.stack([np.full(facets, len(points) - 2), (k + 1) % facets, k], axis=-1),
            np.stack([np.full(facets, len(points) - 1), last + k, last + (k + 1) % facets], axis=-1),
        ]
    )
    return Mesh(points.astype(np.float32), triangles.astype(np.int32))


def cup(rim: float = 14.0, wall: float = 4.0) -> Mesh:
    """A hemisphere that opens towards +z; its inner rim lies in the plane of the centre."""
    inner = [(rim * math.sin(t), -rim * math.cos(t)) for t in np.linspace(0, math.pi / 2, 60)]
    outer = [
        ((rim + wall) * math.sin(t), -(rim + wall) * math.cos(t)) for t in np.linspace(0, math.pi / 2, 40)
    ]
    return turned([(0.0, outer[0][1]), *outer[1:], *reversed(inner[1:]), (0.0, inner[0][1])], 360)


def ball_and_neck(neck: float = 6.0, ball: float = 12.5, length: float = 40.0) -> Mesh:
    """A ball about the origin, and a neck that leaves it along +z."""
    meets = math.asin(neck / ball)
    arc = [(ball * math.sin(t), -ball * math.cos(t)) for t in np.linspace(0, math.pi - meets, 60)]
    shaft = [(neck, z) for z in np.linspace(ball * math.cos(meets), length, 40)[1:]]
    return turned([(0.0, -ball), *arc[1:], *shaft, (0.0, length)], 256, true_at_corners=False)


def first_touch_deg(neck: float = 6.0, rim: float = 14.0) -> float:
    """Between the axes of cup and neck."""
    return math.degrees(math.acos(neck / rim))
