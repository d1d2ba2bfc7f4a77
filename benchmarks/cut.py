"""How fast a hollow bone is sawn with a kerf beside other libraries, as a table for docs/benchmarks.md.

python -m benchmarks.cut [--rounds N] [--limit SECONDS]

A bone with a canal, uneven, far from the origin and askew, made by code, of 100k, 500k and 2M triangles, is
cut along a plane with a blade of 1 mm: three pieces, as arrays. Each method runs in a process of its own, in
turns. CPU seconds are what to compare, best of the rounds. A method passes when all pieces are closed (after
joining equal points) and their volumes add up within 1e-6. A peer that is not installed is left out; those
that are not shipped (trimesh's triangulation, pymeshlab, libigl) are put into the environment by the person
who measures.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.cut_judge import verdict
from benchmarks.cut_peers import METHODS
from surgiplan.values import Mesh, Plane, Pose

POSE = Pose.of_shift((112, -245, 804)).after(Pose.of_rotation((1, 2, 3), 37))
PLANE = Plane((112, -245, 812), (0.2, 0.1, 0.95))
KERF = 1.0


def bone(count: int) -> Mesh:
    """A bone of about so many triangles: an uneven outer surface and a canal that ends blind."""
    rings = round((count / 8) ** 0.5)
    outer, inner = _egg(rings, (24.0, 20.0, 90.0), 0.06), _egg(rings, (11.0, 10.0, 80.0), 0.03)
    points = np.concatenate([outer[0], inner[0]])
    triangles = np.concatenate([outer[1], inner[1][:, ::-1] + len(outer[0])])
    return Mesh(POSE.apply(points).astype(np.float32), triangles.astype(np.int32))


def _egg(rings: int, axes: tuple[float, float, float], uneven: float) -> tuple[Any, Any]:
    theta = np.linspace(0, np.pi, rings + 1)[1:-1]
    phi = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    t, p = np.meshgrid(theta, phi, indexing="ij")
    swell = 1 + uneven * np.sin(5 * p + 3 * t) * np.sin(t) ** 2 + uneven * np.cos(7 * t) * np.sin(t)
    ball = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=-1) * swell[..., None]
    points = np.vstack([[0, 0, 1], ball.reshape(-1, 3), [0, 0, -1]]) * axes
    here = np.arange(2 * rings)
    there, last = (here + 1) % (2 * rings), len(points) - 1
    starts = 1 + 2 * rings * np.arange(rings - 2)[:, None]
    a, b, c, d = starts + here, starts + 2 * rings + here, starts + 2 * rings + there, starts + there
    sides = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    bottom = last - 2 * rings
    top = np.stack([0 * here, 1 + here, 1 + there], -1)
    end = np.stack([0 * here + last, bottom + there, bottom + here], -1)
    return points, np.concatenate([sides, top, end])


def worker(name: str, count: int) -> dict[str, Any]:
    mesh = bone(count)
    small = bone(2000)
    METHODS[name](small, PLANE, KERF)  # loads what is loaded once
    cpu, wall = time.process_time(), time.perf_counter()
    found = METHODS[name](mesh, PLANE, KERF)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "triangles": len(mesh.triangles), "told": verdict(mesh, found)}


def measured(name: str, count: int, limit: float) -> dict[str, Any]:
    order = [sys.executable, "-m", "benchmarks.cut", "--worker", name, "--triangles", str(count)]
    try:
        done = subprocess.run(order, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"told": f"more than {limit:g} s"}
    if done.returncode < 0:
        return {"told": f"died (signal {-done.returncode})"}
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1]
        return {"told": "not installed" if last.startswith(("ModuleNotFound", "ImportError")) else last[:80]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--limit", type=float, default=200.0)
    asked.add_argument("--worker")
    asked.add_argument("--triangles", type=int, default=0)
    given = asked.parse_args()
    if given.worker:
        print(json.dumps(worker(given.worker, given.triangles)))
        return
    print("| triangles | method | CPU s | times ours | clock s | result |\n|---|---|---|---|---|---|")
    for count in (100_000, 500_000, 2_000_000):
        best: dict[str, dict[str, Any]] = {}
        out = set()
        for _ in range(given.rounds):
            for name in METHODS:
                if name in out:
                    continue
                one = measured(name, count, given.limit)
                if "cpu" not in one or one["cpu"] > 20:
                    out.add(name)  # once is enough
                if name not in best or one.get("cpu", 1e9) < best[name].get("cpu", 1e9):
                    best[name] = one
        for name, one in best.items():
            figures = "- | - | -"
            if "cpu" in one:
                figures = f"{one['cpu']:.3f} | {one['cpu'] / best['ours']['cpu']:.1f} | {one['wall']:.3f}"
            print(f"| {count // 1000}k | {name} | {figures} | {one['told']} |", flush=True)


if __name__ == "__main__":
    main()
