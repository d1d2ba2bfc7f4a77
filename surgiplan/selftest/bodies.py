"""Solids against their closed forms: comparing, cutting, joining, and keeping clear of each other."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from ..algorithms.agreement import agreement
from ..algorithms.clearance import collide
from ..algorithms.cutting.planes import cut
from ..algorithms.solid import boolean
from ..algorithms.spread import areas
from ..errors import StepFailed
from ..phantoms import SpherePhantom, TorusPhantom, mesh_of
from ..phantoms.femur import segment_distance
from ..phantoms.solids import Sphere, capsule
from ..values import FloatArray, Part, Plane, Pose, Vec3, vec3
from .bench import Bench
from .row import Figure

_ON_PLANE_MM = 1e-3
_BOTH: tuple[Literal["union", "intersection"], ...] = ("union", "intersection")


def comparing(bench: Bench) -> Iterator[Figure]:
    """P6: two equal spheres at a distance; the way from one to the other is known at every place."""
    r, d = 12.0, 3.0
    ball = _ball((0.0, 0.0, 0.0), r)
    found = agreement(ball, ball.moved(Pose.of_shift((0.6 * d, 0.0, 0.8 * d))), tolerance_mm=1.0)
    away = np.abs(np.sqrt(r * r + d * d - 2 * r * d * np.linspace(-1, 1, 100_001)) - r)
    dice = (4 * r + d) * (2 * r - d) ** 2 / (16 * r**3)
    yield Figure("Dice", abs((found.dice or 0.0) - dice), 0.001, "")
    yield Figure("HD", abs(found.hausdorff_mm - d), 0.02)
    yield Figure("HD95", abs(found.hd95_mm - float(np.quantile(away, 0.95))), 0.02)
    yield Figure("ASSD", abs(found.assd_mm - float(away.mean())), 0.02)
    yield Figure("NSD", abs(found.nsd - float(np.mean(away <= 1.0))), 0.001, "")


def cutting(bench: Bench) -> Iterator[Figure]:
    """P7: a ball cut by planes in all directions."""
    rng, centre, r = np.random.default_rng(12), np.array((31.27, -18.41, 104.63)), 20.0
    ball = _ball(vec3(centre), r)
    worst = dict.fromkeys(("volume", "area", "sum"), 0.0)
    count = bench.few(5, 60)
    for _ in range(count):
        normal = rng.normal(size=3)
        off = rng.uniform(-0.6, 0.6) * r
        plane = Plane(vec3(centre + off * normal / np.linalg.norm(normal)), vec3(normal))
        pieces = cut(ball, plane, 0.0, "a")
        height, both = r - off, [pieces.a.mesh.volume_mm3, pieces.b.mesh.volume_mm3]
        cap, disc = np.pi * height**2 * (3 * r - height) / 3, np.pi * (r * r - off * off)
        worst["volume"] = max(worst["volume"], abs(both[0] / cap - 1))
        worst["area"] = max(worst["area"], abs(_area_on(pieces.a, plane) / disc - 1))
        worst["sum"] = max(worst["sum"], abs(sum(both) / ball.mesh.volume_mm3 - 1))
    yield Figure(f"{count} planes, volume of the cap", 100 * worst["volume"], 0.05, "%")
    yield Figure(f"{count} planes, area of the cut", 100 * worst["area"], 0.1, "%")
    yield Figure(f"{count} planes, both pieces against the whole", worst["sum"], 1e-6, "")


def joining(bench: Bench) -> Iterator[Figure]:
    """V(A) + V(B) = V(A or B) + V(A and B), for a ball on a ring; and a pair that lies apart."""
    rng, worst, count = np.random.default_rng(13), 0.0, bench.few(6, 60)
    torus = TorusPhantom()
    ball, ring = SpherePhantom(radius_mm=14.0).mesh(1.2), Part(torus.mesh(1.5).mesh)
    beside = np.cross(torus.axis, (1.0, 0.0, 0.0))
    of_tube = np.add(torus.centre, torus.ring_radius_mm * beside / np.linalg.norm(beside))
    for _ in range(count):
        turn = Pose.of_rotation(vec3(rng.normal(size=3)), float(rng.uniform(0, 360)), vec3(of_tube))
        place = ball.bounds_lps.mean(axis=0) + rng.uniform(-8, 8, 3)
        moved = ring.moved(Pose.of_shift(place - of_tube).after(turn))
        halves = [boolean(ball, moved, kind).mesh.volume_mm3 for kind in _BOTH]
        worst = max(worst, abs(sum(halves) / (ball.mesh.volume_mm3 + ring.mesh.volume_mm3) - 1))
    yield Figure(f"{count} pairs, largest error of the sum", worst, 1e-6, "")
    yield Figure("a pair apart, empty without a word", _silent(ball, ring), 0, "")


def _silent(ball: Part, ring: Part) -> int:
    """1 when the shared volume of two bodies that lie apart is given as if there were one."""
    far = ring.moved(Pose.of_shift(ball.bounds_lps[1] - ring.bounds_lps[0] + 1.0))
    try:
        boolean(ball, far, "intersection")
    except StepFailed:
        return 0
    return 1


def clearing(bench: Bench) -> Iterator[Figure]:
    """P11: a screw passes a canal, or breaks into it; rods with round ends at random places."""
    rng, worst, count = np.random.default_rng(22), 0.0, bench.few(5, 25)
    canal_ends, canal_mm, screw_mm = ((0.0, 0.0, -30.0), (0.0, 0.0, 30.0)), 6.0, 2.25
    canal = _rod(*canal_ends, canal_mm)
    screw = _rod((0.0, 0.0, -20.0), (0.0, 0.0, 20.0), screw_mm)
    for _ in range(count):
        aside = canal_mm + screw_mm + rng.uniform(-2.0, 4.0)
        lean = Pose.of_rotation((1.0, 0.0, 0.0), float(rng.uniform(20, 90)))
        pose = Pose.of_rotation((0, 0, 1), float(rng.uniform(0, 360))).after(
            Pose.of_shift((aside, 0.0, float(rng.uniform(-8, 8)))).after(lean)
        )
        ends = pose.apply(np.array([(0.0, 0.0, -20.0), (0.0, 0.0, 20.0)]))
        true = segment_distance(ends[0], ends[1], *canal_ends) - canal_mm - screw_mm
        found = collide(screw.moved(pose), canal)
        worst = max(worst, abs(found.clearance_mm - found.depth_mm - true))
    yield Figure(f"{count} screws, clearance or depth of the breach", worst, 0.02)


def _area_on(part: Part, plane: Plane) -> float:
    """Area of the triangles that lie on a plane, mm²."""
    corners = part.points_lps[part.mesh.triangles]
    on = np.abs(plane.distance(corners.reshape(-1, 3))).reshape(-1, 3).max(axis=1) < _ON_PLANE_MM
    return float(areas(corners[on]).sum())


def _ball(centre: Vec3, radius: float) -> Part:
    shape = Sphere(centre, radius)
    return Part(mesh_of(shape, shape.box, 0.4))


def _rod(start: Vec3, end: Vec3, radius: float) -> Part:
    shape = capsule(start, end, radius)
    box: FloatArray = shape.box
    return Part(mesh_of(shape, box, 0.3))
