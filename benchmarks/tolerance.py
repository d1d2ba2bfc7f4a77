"""Time of a tolerance budget: 1,000 trials of a cut and of a trajectory, on bodies of several sizes.

python -m benchmarks.tolerance
"""

import time
from collections.abc import Callable

from surgiplan.algorithms.tolerance import Errors, Shaft, Slab, cut_spread, trajectory_spread
from surgiplan.values import Part, Plane
from tests.algorithms import bodies

ERRORS = Errors(voxel=0.12, threshold=0.8, print=0.26, seating=1.3, saw=2.0, angle=2.0)
CUT = Slab(Plane((0, 0, -40), (0, 0, 1)), 1.0, 40.0)
SCREW = Shaft((0, 0, -25), (0, 0, 20), 2.5, 5.0)
ROUNDS = 3


def seconds(act: Callable[[], object]) -> float:
    """The least time of this process over some rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        act()
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    print("| triangles | cut s | trajectory s |\n|---|---|---|")
    for finer in (5, 6, 7):
        body = Part(bodies.bumpy(30.0, finer))
        cut = seconds(lambda b=body: cut_spread(CUT, b, b, ERRORS, 1000))  # type: ignore[misc]
        screw = seconds(lambda b=body: trajectory_spread(SCREW, b, None, ERRORS, 1000))  # type: ignore[misc]
        print(f"| {len(body.mesh.triangles)} | {cut:.3f} | {screw:.2f} |", flush=True)


if __name__ == "__main__":
    main()
