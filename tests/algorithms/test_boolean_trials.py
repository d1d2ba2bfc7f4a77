"""Booleans by the thousand: random pairs, and pairs that nearly share faces. Nothing may fail in silence."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from surgiplan.algorithms.solid import boolean
from surgiplan.errors import StepFailed
from surgiplan.values import Mesh, Part, Pose

from .bodies import SCANNER, ball, box, bumpy, part, random_pose, rod

BODIES = (
    box((0, 0, 0), (10, 14, 18)),
    bumpy(8, finer=2),
    rod(5, 22, 24),
    ball(9, finer=2),
    box((-4, -9, -2), (3, 2, 9)),
    bumpy(11, finer=1, seed=4),
)
NEAR = Pose.of_shift((62.0, -45.0, 104.0)).after(Pose.of_rotation((1, 2, 3), 37))
few_and_many = pytest.mark.parametrize(  # the slow lane: 10,000 in four parts
    ("start", "count"),
    [
        pytest.param(0, 300, id="few"),
        *(pytest.param(n, 2500, id=f"many-{n}", marks=pytest.mark.slow) for n in (0, 2500, 5000, 7500)),
    ],
)


def volume(mesh: Mesh) -> float:
    assert mesh.watertight
    assert mesh.volume_mm3 > 0
    return mesh.volume_mm3


@few_and_many
def test_random_pairs_keep_their_volume(start: int, count: int, record_property) -> None:
    """A + B = (A or B) + (A and B) to 1e-6; what has nothing in common is told with its distance."""
    chance, worst, apart = np.random.default_rng(start), 0.0, list[str]()
    for seed in range(start, start + count):
        one, other = (
            part(BODIES[n], random_pose(2 * seed + n % 2, 9), NEAR) for n in chance.integers(0, 6, 2)
        )
        both = volume(one.mesh) + volume(other.mesh)
        united = volume(boolean(one, other, "union").mesh)
        try:
            shared = volume(boolean(one, other, "intersection").mesh)
        except StepFailed as failure:
            shared, apart = 0.0, [*apart, str(failure)]
        worst = max(worst, abs(united + shared - both) / both)
    record_property("worst", f"{worst:.1e}")
    assert worst <= 1e-6
    assert len(apart) < 0.2 * count
    assert all("nothing in common: they lie" in words for words in apart)


def _awkward(start: int, count: int) -> Iterator[tuple[str, Part, Part]]:
    """Pairs of bodies, one of which is nearly, or just, the other one or its neighbour."""
    chance = np.random.default_rng(start)
    places = (Pose(), NEAR, SCANNER)
    kinds = ("itself", "shifted", "turned", "neighbour", "face shared in part", "sliver", "inside")
    for n in range(count):
        kind, place = kinds[n % len(kinds)], places[n // len(kinds) % 3]
        tiny = 10.0 ** -chance.integers(5, 13)
        way = np.eye(3)[chance.integers(3)] if chance.random() < 0.5 else chance.normal(size=3)
        mesh = BODIES[chance.integers(0, 6)]
        size = np.ptp(mesh.points, axis=0)
        low = mesh.points.min(axis=0)
        other, moved = mesh, Pose()
        if kind == "shifted":
            moved = Pose.of_shift(tiny * way)
        elif kind == "turned":
            moved = Pose.of_rotation(way, float(np.degrees(tiny)))
        elif kind == "neighbour":
            moved = Pose.of_shift((size[0] + chance.choice([0, tiny, -tiny]), 0, 0))
        elif kind == "face shared in part":
            half = low + size * chance.uniform(0.2, 0.8, 3)
            other = box(low - (0, 1, 0), half)
        elif kind == "sliver":
            other = box(low, low + size * (1, 1, 0) + (0, 0, 10 * tiny if tiny > 1e-7 else 1e-4))
        elif kind == "inside":
            other = box(
                low + size / 4, low + size * (0.75, 0.75, 1.0) + (0, 0, chance.choice([0, tiny, -tiny]))
            )
        yield kind, part(mesh, place), part(other, moved, place)


@few_and_many
def test_nearly_coplanar_and_degenerate_pairs(start: int, count: int, record_property) -> None:
    """Each result is closed and keeps the volume to 1e-6, or the step says why there is none."""
    told: Counter[tuple[str, str, str]] = Counter()
    for kind, one, other in _awkward(start, count):
        found: dict[str, float] = {}
        for way in ("union", "intersection", "difference"):
            try:
                found[way] = volume(boolean(one, other, way).mesh)  # type: ignore[arg-type]
            except StepFailed as failure:
                told[kind, way, str(failure).split(":")[0]] += 1
        a, b = volume(one.mesh), volume(other.mesh)
        assert "union" in found, kind
        if "intersection" in found:
            assert found["union"] + found["intersection"] == pytest.approx(a + b, rel=1e-6), kind
        if kind in ("itself", "shifted", "turned", "inside"):
            assert "intersection" in found, kind
        if "difference" in found and "intersection" in found:
            assert found["difference"] + found["intersection"] == pytest.approx(a, rel=1e-6), kind
        elif "difference" in found:
            assert found["difference"] == pytest.approx(a, rel=1e-4), kind
        elif kind in ("itself", "shifted", "turned"):
            assert found["intersection"] == pytest.approx(a, rel=1e-4)
    for (kind, way, words), number in told.items():
        record_property(f"{kind}, {way}: {words}", number)
        assert words in _NAMED[way], (kind, way, words)


_THIN = "The result is thinner than can be stored"
_NAMED = {
    "union": (),
    "intersection": ("The two bodies have nothing in common", _THIN),
    "difference": ("Nothing is left", _THIN),
}
