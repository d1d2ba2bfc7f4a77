"""Which cuts give closed pieces: all methods on the same cuts, hard ones too; a table for docs/benchmarks.md.

python -m benchmarks.cut_judge [--hard N] [--real N] [--plain N] [--methods NAME ...] [--reasons]

Hard cuts are those of our own tests: planes in a face, along an edge, through a corner, tangent, and next to
that by 1e-4 to 1e-12 mm, with and without a kerf; on small bodies, and on the bones of real scans made by our
own chain (the developers' data beside the checkout; left out where that is absent). Plain cuts are random
planes through the bone of benchmarks.cut. Each method runs in a process of its own that is started again
where it dies. A cut is closed when in each piece every edge has two triangles that run along it in opposite
ways, no triangle has an edge of no length, none is there twice, and the volumes add up within 1e-6; a piece
may keep its numbering or have equal points joined, whatever suits it better. An empty side is no fault where
nothing is missing. What a method says itself (an exception, an error event) counts as refused.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cut_peers import METHODS, Piece
from surgiplan.values import Mesh, Part, Plane, vec3

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SCANS = {
    "ct_pelvis_lumbar/ACRIN-FLT-Breast_001_series.zip": 250,
    "ct_skull_phantom/S21570_mixed_study.zip": 300,
    "ct_body_coronal/coronal_CView.zip": 200,
}
JUDGED = ("ours", "manifold3d", "vtk_clip_closed", "trimesh")
Case = tuple[Mesh, Plane, float]


def verdict(mesh: Mesh, found: list[Piece]) -> str:
    """What is wrong with the pieces of a cut; begins with "closed" when nothing is."""
    volume, problems = 0.0, []
    for points, triangles in found:
        if not len(triangles):
            continue
        places, named = np.asarray(points, np.float64)[:, :3], np.asarray(triangles).astype(np.int64)
        volume += _volume(places, named)
        if fault := _fault(places, named):
            same, number = np.unique(places, axis=0, return_inverse=True)
            if _fault(same, number.ravel()[named]):
                problems.append(fault)
    lost = volume / mesh.volume_mm3 - 1
    if abs(lost) > 1e-6:
        problems.append(f"volume {lost:+.1e}")
    return ", ".join(problems) or f"closed, volume {lost:+.0e}"


def _fault(points: Any, triangles: Any) -> str:
    a, b, c = triangles.T
    if flat := int(((a == b) | (b == c) | (c == a)).sum()):
        return f"{flat} triangles without area"
    if open_edges := Mesh(points, triangles).open_edges:
        return f"{open_edges} open edges"
    twice = len(triangles) - len(np.unique(np.sort(triangles, axis=1), axis=0))
    return f"{twice} triangles twice" if twice else ""


def _volume(points: Any, triangles: Any) -> float:
    corners = (points - points.mean(axis=0))[triangles]
    return float(np.einsum("ni,ni->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))) / 6


def real_bones() -> Iterator[Part]:
    """The bones of real scans, as the operations make them."""
    from surgiplan.algorithms.masks.parts import largest_parts
    from surgiplan.algorithms.segment import threshold
    from surgiplan.algorithms.surface import grey_surface
    from surgiplan.formats import dicom

    for name, level in SCANS.items():
        if (DATA / name).exists():
            scan = dicom.read_series(dicom.scan(DATA / name).series[0])
            yield grey_surface(scan, largest_parts(threshold(scan, level, 4000)))


def cases(kind: str, count: int) -> Iterator[Case]:
    """The cuts of a kind, the same at each call."""
    from benchmarks.cut import PLANE, bone
    from tests.algorithms.cutting.hard import hard_bodies, hard_cuts

    if kind == "plain":
        chance, body = np.random.default_rng(count), bone(100_000)
        for _ in range(count):
            point = np.asarray(PLANE.point) + chance.uniform(-15, 15, 3)
            yield body, Plane(vec3(point), vec3(chance.normal(size=3))), float(chance.choice([0.0, 1.0]))
        return
    bodies = hard_bodies() if kind == "hard" else list(real_bones())
    if bodies:
        for part, plane, kerf in hard_cuts(count, bodies):
            yield part.mesh, plane, kerf


def worker(name: str, kind: str, count: int, start: int) -> None:
    """Print the verdict of each case from one on, a line each."""
    from surgiplan.errors import StepFailed

    for n, (mesh, plane, kerf) in enumerate(cases(kind, count)):
        if n < start:
            continue
        try:
            told = verdict(mesh, METHODS[name](mesh, plane, kerf))
        except ImportError:
            raise
        except StepFailed as problem:
            told = f"refused: {str(problem).split(':')[0][:60]}"
        except Exception as problem:
            told = f"refused: {type(problem).__name__} {str(problem)[:60]!r}"
        print(json.dumps(told), flush=True)


def verdicts(name: str, kind: str, count: int) -> list[str]:
    """The verdicts of a method; "died" where its process ended."""
    told: list[str] = []
    while len(told) < count:
        order = [sys.executable, "-m", "benchmarks.cut_judge", "--worker", name, kind, str(len(told))]
        order += [f"--{kind}", str(count)]
        done = subprocess.run(order, capture_output=True, text=True, check=False)
        told += [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode >= 0:
            break
        told.append(f"died (signal {-done.returncode})")
    return told


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    for kind, count in (("hard", 1000), ("real", 60), ("plain", 100)):
        asked.add_argument(f"--{kind}", type=int, default=count)
    asked.add_argument("--methods", nargs="*", default=JUDGED, choices=list(METHODS))
    asked.add_argument("--worker", nargs=3)
    asked.add_argument("--reasons", action="store_true", help="what was wrong, below each row")
    given = asked.parse_args()
    if given.worker:
        name, kind, start = given.worker
        worker(name, kind, getattr(given, kind), int(start))
        return
    print("| cuts | method | closed | refused | not closed | died |\n|---|---|---|---|---|---|")
    for kind in ("plain", "hard", "real"):
        for name in given.methods:
            told = verdicts(name, kind, getattr(given, kind))
            counted = Counter(
                next((w for w in ("closed", "refused", "died") if t.startswith(w)), "") for t in told
            )
            figures = [counted[word] for word in ("closed", "refused", "", "died")]
            print(f"| {len(told)} {kind} | {name} | " + " | ".join(map(str, figures)) + " |", flush=True)
            if given.reasons:
                for text, many in Counter(t for t in told if not t.startswith("closed")).most_common(12):
                    print(f"    {many} x {text}", flush=True)


if __name__ == "__main__":
    main()
