"""What our checks add to the geometry engine in cuts that are no plane, as a table for docs/benchmarks.md.

python -m benchmarks.cut_shapes [--rounds N] [--triangles N ...]

The bone of benchmarks.cut is sawn along a stepped path, opened by a craniotomy, drilled through, robbed of a
wedge, and a piece between three planes is taken out. Beside each: manifold3d alone, given the same bodies of
the tools and asked for the same pieces as arrays. CPU seconds of one process, in turns, best of the rounds.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import manifold3d
import numpy as np

from benchmarks.cut import POSE, bone
from surgiplan.algorithms.cutting import bore, path, wedge
from surgiplan.algorithms.cutting.pieces import reach_of, region
from surgiplan.algorithms.cutting.planes import resect
from surgiplan.algorithms.cutting.ribbon import Blade, ribbon, smooth_path
from surgiplan.algorithms.solid import middle
from surgiplan.values import Mesh, Part, Plane, vec3

KERF = 1.0
Work = Callable[[], list[Any]]


def at(*places: tuple[float, float, float]) -> Any:
    """Places in the bone's own space as LPS mm."""
    return POSE.apply(np.array(places, float))


def along(*way: float) -> Any:
    return POSE.rotation @ np.array(way)


def step_cut(part: Part) -> tuple[Work, Work]:
    line = at((-40, -30, -6), (0, -30, -6), (0, -30, 6), (40, -30, 6))
    blade = ribbon(line, np.broadcast_to(along(0, 1, 0), line.shape), (KERF / 2, KERF / 2), (5, 70))
    return lambda: _sides(path.saw(part, blade, "part")), lambda: _bare_saw(part, blade)


def craniotomy(part: Part) -> tuple[Work, Work]:
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    wanted = at(*((6 * np.cos(t), -20, 10 + 6 * np.sin(t)) for t in turns))
    points = [part.points_lps[np.linalg.norm(part.points_lps - one, axis=1).argmin()] for one in wanted]
    line = smooth_path(points, closed=True)

    def made() -> Blade:
        into = path.into_bone(part, points, line, even=True)
        return ribbon(line, into, (KERF / 2, KERF / 2), (4, 16), closed=True)

    blade = made()
    return lambda: _sides(path.saw(part, made(), "part")), lambda: _bare_saw(part, blade)


def drill(part: Part) -> tuple[Work, Work]:
    centre = middle(part)
    tool = bore.tool_body("drill", at((-35, 0, 20), (35, 0, 20)), 6.0, 118.0, 2.0, centre)
    return lambda: list(bore.bore(part, tool, centre)), lambda: _arrays(*reversed(_whole(part).split(tool)))


def closing_wedge(part: Part) -> tuple[Work, Work]:
    first, second, cortex, moving = (
        vec3(one) for one in at((-15, -9, 0), (-15, 9, 0), (24, 0, 0), (0, 0, 50))
    )
    hinge, degrees = wedge.Hinge.of((first, second), cortex, moving), 10.0
    bench = wedge._Bench.of(Part(Mesh(part.mesh.points, part.mesh.triangles)), hinge, degrees, KERF)
    tilted = -(hinge.turn(-degrees).inverse.rotation @ hinge.moving)
    outer = bench.region((hinge.outwards, 0.0), (tilted, 0.0))
    inner = bench.region((hinge.moving, KERF), (tilted, KERF))

    def ours() -> list[Any]:
        found = wedge.closing(part, hinge, degrees, KERF)
        return [found.fixed, found.moved, found.taken, found.kerf]

    def bare() -> list[Any]:
        above, fixed = bench.split(_whole(part), hinge.moving)
        taken, moved = above.split(outer)
        return _arrays(fixed, moved, *taken.split(inner))

    return ours, bare


def block(part: Part) -> tuple[Work, Work]:
    ends = (((0, 0, -12), (0, 0, 1)), ((0, 0, 12), (0, 0, -1)), ((0, 0, 0), (0, -1, 0)))
    planes = [Plane(vec3(at(place)[0]), vec3(along(*normal))) for place, normal in ends]
    seed, centre = vec3(at((0, -15, 0))[0]), middle(part)
    facing = [(np.asarray(p.normal), float(np.dot(p.normal, np.subtract(p.point, centre)))) for p in planes]
    outer, inner = (
        region(reach_of(part, centre), *((n, d + way * KERF / 2) for n, d in facing)) for way in (-1, 1)
    )

    def ours() -> list[Any]:
        found = resect(part, planes, seed, KERF, "both")
        return [found.piece, found.rest, found.kerf]

    def bare() -> list[Any]:
        taken, rest = _whole(part).split(outer)
        return _arrays(*taken.split(inner), rest)

    return ours, bare


def _whole(part: Part) -> Any:
    points = part.points_lps - middle(part)
    return manifold3d.Manifold(manifold3d.Mesh64(points, part.mesh.triangles.astype(np.uint64)))


def _bare_saw(part: Part, blade: Blade) -> list[Any]:
    kerf, rest = _whole(part).split(path.blade_body(blade, middle(part))[0])
    return _arrays(kerf, *rest.decompose())


def _sides(found: Any) -> list[Any]:
    return [found.a, found.b, found.kerf]


def _arrays(*bodies: Any) -> list[Any]:
    raw = [body.to_mesh64() for body in bodies]
    return [(one.vert_properties, one.tri_verts) for one in raw]


def _once(cut: Callable[[Part], tuple[Work, Work]], shape: Mesh) -> list[float]:
    """CPU seconds of ours and of the engine alone, each with a body of which nothing is known yet."""
    return [_seconds(cut(Part(Mesh(shape.points, shape.triangles)))[n]) for n in range(2)]


def _seconds(work: Work) -> float:
    start = time.process_time()
    found = work()
    spent = time.process_time() - start
    assert len(found) >= 2, "a cut that leaves one piece measures nothing"
    return spent


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--triangles", type=int, nargs="*", default=[100_000, 500_000])
    given = asked.parse_args()
    print("| triangles | cut | ours | manifold3d alone | times |\n|---|---|---|---|---|")
    for count in given.triangles:
        shape = bone(count)
        for cut in (step_cut, craniotomy, drill, closing_wedge, block):
            ours, bare = np.min([_once(cut, shape) for _ in range(given.rounds)], axis=0)
            name = cut.__name__.replace("_", " ")
            print(f"| {count // 1000}k | {name} | {ours:.2f} | {bare:.2f} | {ours / bare:.2f} |", flush=True)


if __name__ == "__main__":
    main()
