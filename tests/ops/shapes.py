"""Small inputs of every type for the tests of operations; asymmetric, off-centre, not isotropic."""

from dataclasses import replace

import numpy as np

from surgiplan.values import FloatArray, Grid, Mask, Mesh, Part, Pose, Vec3, Volume

FRAME = "1.2.826.0.1.3680043.8.498.1"
ELSEWHERE = "1.2.826.0.1.3680043.8.498.2"
CENTRE: Vec3 = (-45.0, 39.0, 157.0)
TILTED = Pose.of_shift((12.5, -7.25, 31.0)).after(Pose.of_rotation((1, 2, 3), 33.0))


def grid(shape: tuple[int, int, int] = (30, 38, 44), frame: str = FRAME) -> Grid:
    affine = np.zeros((4, 4))
    affine[[0, 1, 2, 3], [2, 1, 0, 3]] = (0.8, 0.9, 1.1, 1.0)
    affine[:3, 3] = (-61.0, 22.0, 140.0)
    return Grid(shape, affine, frame)


def scan_of(*balls: tuple[Vec3, float], frame: str = FRAME) -> Volume:
    """Balls (centre, radius) of 1000 HU with soft edges in water."""
    place = grid(frame=frame)
    centres = place.to_lps(np.indices(place.shape_kji).reshape(3, -1).T)
    depth = np.max([radius - np.linalg.norm(centres - centre, axis=1) for centre, radius in balls], axis=0)
    grey = 1000.0 * np.clip(0.5 + depth, 0, 1)
    return Volume(place, grey.reshape(place.shape_kji).round().astype(np.int16))


def ball_scan() -> Volume:
    """One ball of 12 mm, off the middle."""
    return scan_of((CENTRE, 12.0))


def ball_mask() -> Mask:
    volume = ball_scan()
    return Mask(volume.grid, volume.voxels >= 500, level=500.0)


def no_mask() -> Mask:
    return Mask(grid(), np.zeros(grid().shape_kji, np.bool_), level=500.0)


def ball(radius: float = 12.0, at: Vec3 = CENTRE, rings: int = 24, frame: str = FRAME) -> Part:
    """A closed ball of latitude rings whose corners lie on the sphere."""
    theta = np.linspace(0, np.pi, rings + 1)[1:-1]
    phi = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    t, p = np.meshgrid(theta, phi, indexing="ij")
    body = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=-1).reshape(-1, 3)
    points = np.vstack([[0, 0, 1], body, [0, 0, -1]]) * radius + at
    here = np.arange(2 * rings)
    there, last = (here + 1) % (2 * rings), len(points) - 1
    starts = 1 + 2 * rings * np.arange(rings - 2)[:, None]
    a, b, c, d = starts + here, starts + 2 * rings + here, starts + 2 * rings + there, starts + there
    around = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    bottom = last - 2 * rings
    poles = [np.stack([0 * here, 1 + here, 1 + there], -1)]
    poles.append(np.stack([0 * here + last, bottom + there, bottom + here], -1))
    return Part(Mesh(points, np.concatenate([*poles, around])), frame_uid=frame)


def box(size: Vec3 = (30.0, 20.0, 10.0), pose: Pose = TILTED, frame: str = FRAME) -> Part:
    """A block, its middle at the origin of its own coordinates: every measure of it is exact."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * np.divide(size, 2)
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))]
    return Part(Mesh(corners, triangles), pose, frame)


def holed(part: Part) -> Part:
    """The part without one of its triangles."""
    return replace(part, mesh=replace(part.mesh, triangles=part.mesh.triangles[1:]))


def inside_out(part: Part) -> Part:
    return replace(part, mesh=replace(part.mesh, triangles=part.mesh.triangles[:, ::-1]))


def no_part() -> Part:
    return Part(Mesh(np.zeros((0, 3)), np.zeros((0, 3))), frame_uid=FRAME)


def joined(*parts: Part) -> Part:
    """Several closed bodies as one part, without cutting them."""
    starts = np.cumsum([0, *(len(part.mesh.points) for part in parts)])
    triangles = [part.mesh.triangles + start for part, start in zip(parts, starts, strict=False)]
    points = np.concatenate([part.points_lps for part in parts])
    return Part(Mesh(points, np.concatenate(triangles)), frame_uid=parts[0].frame_uid)


def beside(point: Vec3, *shift: float) -> Vec3:
    x, y, z = np.add(point, shift)
    return (float(x), float(y), float(z))


def in_box(part: Part, points_lps: FloatArray) -> FloatArray:
    """Points in the own coordinates of a block."""
    return part.pose.inverse.apply(points_lps)


def rod(start: Vec3, end: Vec3, radius: float, facets: int = 96, frame: str = FRAME) -> Part:
    """A closed cylinder whose cross-section has the area of the true circle."""
    way = np.subtract(end, start)
    length = np.linalg.norm(way)
    across = np.cross(way / length, np.eye(3)[np.argmin(np.abs(way))])
    across /= np.linalg.norm(across)
    turn = 2 * np.pi * np.arange(facets) / facets
    wide = radius * np.sqrt(2 * np.pi / facets / np.sin(2 * np.pi / facets))
    ring = wide * (np.outer(np.cos(turn), across) + np.outer(np.sin(turn), np.cross(way / length, across)))
    points = np.vstack([ring + start, ring + end, [start], [end]])
    here, first, last = np.arange(facets), 2 * facets, 2 * facets + 1
    there = (here + 1) % facets
    sides = [np.stack([here, there, there + facets], -1), np.stack([here, there + facets, here + facets], -1)]
    ends = [np.stack([there, here, 0 * here + first], -1)]
    ends.append(np.stack([here + facets, there + facets, 0 * here + last], -1))
    return Part(Mesh(points, np.concatenate([*sides, *ends])), frame_uid=frame)


def head_fields(points: FloatArray, features: bool = True) -> dict[str, FloatArray]:
    """Signed fields (below 0 inside, about mm) of a made-up head, its middle at (3, -4, 90) LPS mm.

    skin: an egg, upright; with a nose, lips and a chin in front if there shall be features
    skull: a shell round the cranial cavity, and a jaw
    cavity: what the shell encloses
    """
    x, y, z = (points - (3.0, -4.0, 90.0)).T

    def egg(centre: Vec3, axes: Vec3) -> FloatArray:
        scaled = np.stack([(a - c) / r for a, c, r in zip((x, y, z), centre, axes, strict=True)])
        return (np.linalg.norm(scaled, axis=0) - 1) * min(axes)

    head = [egg((0, 0, 30), (75, 95, 80)), egg((0, -35, -40), (60, 58, 70)), egg((0, 20, -60), (55, 55, 60))]
    face = [
        egg((2, -98, -18), (14, 22, 20)),
        egg((0, -88, -50), (24, 14, 6)),
        egg((0, -80, -85), (22, 20, 14)),
    ]
    skin = np.minimum.reduce(head + face * features)
    cavity = egg((0, 2, 32), (63, 82, 66))
    jaw = np.maximum(egg((0, -30, -60), (48, 50, 30)), -egg((0, -22, -60), (40, 44, 40)))
    skull = np.minimum(np.maximum(egg((0, 2, 32), (69, 88, 73)), -cavity), jaw)
    return {"skin": skin, "skull": skull, "cavity": cavity}


def head_scan(step: Vec3 = (4.0, 3.2, 3.0), turned: float = 0.0, features: bool = True) -> Volume:
    """A CT of that head on a grid turned about the axis of the body by some degrees."""
    shape = (int(236 / step[0]), int(250 / step[1]), int(200 / step[2]))
    around = Pose.of_rotation((0, 0, 1), turned, (3.0, -4.0, 90.0)).matrix
    affine = np.zeros((4, 4))
    affine[[0, 1, 2, 3], [2, 1, 0, 3]] = (step[2], step[1], step[0], 1.0)
    affine[:3, 3] = (-97.0, -128.0, -26.0)
    place = Grid(shape, around @ affine, FRAME)
    fields = head_fields(place.to_lps(np.indices(shape).reshape(3, -1).T), features)
    grey = np.where(fields["skin"] < 0, 40, -1000)
    grey = np.where(fields["skull"] < 0, 900, grey)
    return Volume(place, grey.reshape(shape).astype(np.int16))
