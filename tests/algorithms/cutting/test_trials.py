"""Cuts by the thousand: random planes on the ball of P7, and planes where a saw has no business."""

import math
from collections import Counter

import numpy as np
import pytest

from surgiplan.algorithms.cutting.planes import cut
from surgiplan.errors import StepFailed
from surgiplan.values import Mesh, Part, Plane, vec3
from tests.algorithms.bodies import NEAR_CENTRE, ball, box, bumpy
from tests.algorithms.cutting.hard import hard_bodies, hard_cuts

R = 20.0


def area_in(mesh: Mesh, plane: Plane) -> float:
    """The area of the faces of a mesh that lie in a plane, mm²."""
    flat = np.abs(plane.distance(mesh.points)) < 2e-4
    corners = mesh.points[mesh.triangles[flat[mesh.triangles].all(axis=1)]].astype(float)
    sides = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(sides, axis=1).sum()) / 2


@pytest.mark.parametrize(
    "count", [pytest.param(60, id="few"), pytest.param(1000, id="many", marks=pytest.mark.slow)]
)
def test_p7_random_planes(count: int, record_property) -> None:
    """Volume within 0.05 %, cap area within 0.1 % (edges of 0.4 mm); nothing lost to 1e-9."""
    chance = np.random.default_rng(count)
    centre = np.array(NEAR_CENTRE)
    sphere = Part(ball(R, centre, finer=6))
    whole = sphere.mesh.volume_mm3
    worst = {"volume": 0.0, "area": 0.0, "lost": 0.0}
    for _ in range(count):
        normal, away = chance.normal(size=3), chance.uniform(-0.75 * R, 0.75 * R)
        normal /= np.linalg.norm(normal)
        plane = Plane(vec3(centre + away * normal), vec3(normal))
        pieces = cut(sphere, plane, 0.0, "both")
        for mesh, height in ((pieces.a.mesh, R - away), (pieces.b.mesh, R + away)):
            assert mesh.watertight
            truth = math.pi * height**2 * (3 * R - height) / 3
            worst["volume"] = max(worst["volume"], abs(mesh.volume_mm3 / truth - 1))
            disc = area_in(mesh, plane)
            worst["area"] = max(worst["area"], abs(disc / (math.pi * (R**2 - away**2)) - 1))
        lost = pieces.a.mesh.volume_mm3 + pieces.b.mesh.volume_mm3 - whole
        worst["lost"] = max(worst["lost"], abs(lost) / whole)
    for name, figure in worst.items():
        record_property(name, f"{figure:.1e}")
    assert worst["volume"] <= 5e-4
    assert worst["area"] <= 1e-3
    assert worst["lost"] <= 1e-9


@pytest.mark.parametrize(
    "count", [pytest.param(200, id="few"), pytest.param(4000, id="many", marks=pytest.mark.slow)]
)
def test_planes_through_points_edges_and_faces(count: int) -> None:
    """Tangent, coplanar, through a corner, or almost: closed pieces that add up, or a word."""
    told = Counter[str]()
    for bone, plane, kerf in hard_cuts(count, hard_bodies()):
        try:
            pieces = cut(bone, plane, kerf, "both")
        except StepFailed as failure:
            words = str(failure)
            told[words.split(":")[0][:30]] += 1
            assert "Move" in words, words
            continue
        made = [one.mesh for one in (pieces.a, pieces.b, pieces.kerf) if len(one.mesh.triangles)]
        assert all(one.watertight and one.volume_mm3 > 0 for one in made)
        assert sum(one.volume_mm3 for one in made) == pytest.approx(bone.mesh.volume_mm3, rel=1e-6)
    assert sum(told.values()) < 0.6 * count


def test_a_surface_that_runs_through_itself_is_refused_where_it_is_cut() -> None:
    one, other = box((0, 0, 0), (10, 14, 18)), box((5, 3, 4), (15, 11, 12))
    both = Mesh(
        np.concatenate([one.points, other.points]), np.concatenate([one.triangles, other.triangles + 8])
    )
    with pytest.raises(
        StepFailed, match=r"runs through itself where it is cut: 40\.000 mm² .* Repair the body"
    ):
        cut(Part(both), Plane((0, 0, 7), (0.0, 0, 1)), 1.0, "both")
    clear = cut(Part(both), Plane((0, 0, 15), (0.0, 0, 1)), 1.0, "both")
    assert clear.a.mesh.volume_mm3 == pytest.approx(10 * 14 * 2.5)


def test_a_bone_in_two_pieces_with_canals_is_cut_as_the_engine_cuts_it() -> None:
    """The quick way and the geometry engine give the same volumes, and the same section."""
    from surgiplan.algorithms.cutting import halving, layers, planes

    shell = bumpy(14, finer=4)
    inner = Mesh(shell.points * np.float32(0.6), shell.triangles[:, ::-1])
    apart = Mesh(shell.points + np.float32(45), shell.triangles)
    points = np.concatenate([shell.points, inner.points, apart.points])
    count = len(shell.points)
    bone = Part(
        Mesh(points, np.concatenate([shell.triangles, inner.triangles + count, apart.triangles + 2 * count]))
    )
    plane = Plane((22.1, 23.2, 21.3), (0.5, 0.6, -1.0))
    quick = halving.parted(bone, plane, layers.layers_of(bone, plane, (0.5, -0.5)))
    slow = planes._split(bone, plane, 0.5, 0.5)
    assert quick is not None
    for one, other in zip(quick, slow, strict=True):
        assert one.volume_mm3 == pytest.approx(other.volume_mm3, rel=1e-6)
        assert one.area_mm2 == pytest.approx(other.area_mm2, rel=1e-6)
        assert one.euler_number == other.euler_number
