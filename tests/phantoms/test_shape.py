import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from surgiplan.phantoms.limb import Limb
from surgiplan.phantoms.mandible import Arch
from surgiplan.phantoms.shape import Shape
from surgiplan.phantoms.solids import (
    Box,
    Cone,
    Ellipsoid,
    HalfSpace,
    RoundCone,
    Sphere,
    Torus,
    capsule,
    cylinder,
)
from surgiplan.values import Plane, Pose

SHAPES: dict[str, Shape] = {
    "sphere": Sphere((1.0, 2.0, 3.0), 9.0),
    "ellipsoid": Ellipsoid((1.0, -2.0, 3.0), (14.0, 9.0, 5.0)),
    "torus": Torus((2.0, 1.0, -1.0), (0.3, 0.2, 0.9), 11.0, 4.0),
    "round cone": RoundCone((-8.0, 0.0, 2.0), (9.0, 4.0, -3.0), 6.0, 3.0),
    "capsule": capsule((-8.0, 0.0, 2.0), (9.0, 4.0, -3.0), 5.0),
    "cone": Cone((-8.0, 1.0, 2.0), (7.0, 4.0, -3.0), 3.0, 8.0),
    "cylinder": cylinder((-8.0, 1.0, 2.0), (7.0, 4.0, -3.0), 6.0),
    "box": Box((-7.0, -4.0, -2.0), (8.0, 5.0, 11.0)),
    "half space": HalfSpace(Plane((1.0, 2.0, 3.0), (0.2, -0.5, 0.8))),
    "arch": Arch(10.0, (6.0, 9.0), 2.0, 3.0),
    "stump": Limb(radius_mm=9.0, tip_mm=7.0, length_mm=30.0, widening_mm=2.0).skin,
}
TURN = Pose.of_shift((3.0, -1.0, 2.0)).after(Pose.of_rotation((1, 2, 3), 40.0))
MIXED: dict[str, Shape] = {
    "union": SHAPES["box"] | SHAPES["torus"] | SHAPES["sphere"],
    "intersection": SHAPES["box"] & SHAPES["ellipsoid"],
    "difference": SHAPES["sphere"] - SHAPES["round cone"],
    "moved": SHAPES["cone"].moved(TURN),
    "offset": (SHAPES["round cone"] | SHAPES["sphere"]).offset(-2.0),
    "offset ellipsoid": SHAPES["ellipsoid"].offset(1.5),
}
ALL = SHAPES | MIXED
EXACT = [name for name in SHAPES if SHAPES[name].exact]
coordinates = st.tuples(*[st.floats(-25, 25)] * 3)


def cloud(count: int = 4000, reach: float = 20.0, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-reach, reach, (count, 3))


def on_surface(shape: Shape, points: np.ndarray) -> np.ndarray:
    """Points of the surface by bisection between inner and outer points of a cloud."""
    inner, outer = points[shape.field(points) < 0], points[shape.field(points) > 0]
    pick = np.random.default_rng(0)
    low, high = (side[pick.integers(len(side), size=60_000)] for side in (inner, outer))
    for _ in range(60):
        middle = (low + high) / 2
        below = (shape.field(middle) < 0)[:, None]
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=30, deadline=None)
@given(a=coordinates, b=coordinates)
def test_a_field_is_never_steeper_than_one(name, a, b):
    shape = ALL[name]
    change = abs(float(shape.field(np.array(a))) - float(shape.field(np.array(b))))
    assert change <= np.linalg.norm(np.subtract(a, b)) * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("name", SHAPES)
def test_distance_is_that_of_the_nearest_point_of_the_surface(name):
    shape = SHAPES[name]
    surface = on_surface(shape, cloud(20_000, 32.0))
    points = cloud(2000, 16.0, seed=2)
    points = points[np.abs(shape.field(points)) < 2.0]
    assert len(points) > 50
    nearest, _ = cKDTree(surface).query(points)
    found = np.abs(shape.distance(points))
    assert (found <= nearest + 1e-6).all()
    # the surface is sampled: its nearest point is a little further away than the surface
    assert np.percentile(nearest - found, 95) < 0.3
    assert np.median(nearest - found) < 0.05


@pytest.mark.parametrize("name", SHAPES)
def test_the_closest_point_lies_on_the_surface_at_that_distance(name):
    shape = SHAPES[name]
    points = cloud(500, 16.0, seed=3)
    points = points[np.abs(shape.field(points)) < 1.0]
    foot = shape.foot(points)
    off = np.linalg.norm(points - foot, axis=1)
    smooth = np.abs(shape.field(foot)) < 1e-6
    assert smooth.mean() > 0.9  # an edge of a cone or a box has no slope to follow
    assert np.abs(off - np.abs(shape.distance(points)))[smooth].max() < 0.05 or name in (
        "cone",
        "cylinder",
        "box",
    )


@pytest.mark.parametrize("name", ["ellipsoid", "stump"])
def test_the_two_ways_to_a_distance_agree(name):
    shape = SHAPES[name]
    points = cloud(400, 16.0, seed=4)
    points[:, 2] += 14.0 if name == "stump" else 0.0
    points = points[np.abs(shape.field(points)) < 0.5]
    projected = Shape.distance(shape, points)
    surface = on_surface(shape, cloud(2000, 20.0))[:500]
    assert np.abs(shape.distance(surface)).max() < 1e-6
    assert np.abs(projected - shape.distance(points)).max() < 1e-6


@pytest.mark.parametrize("name", ALL)
def test_a_simpler_body_is_the_same_inside_the_ball(name):
    shape = ALL[name]
    rng = np.random.default_rng(5)
    for centre in cloud(40, 15.0, seed=6):
        radius = rng.uniform(0.5, 6.0)
        way = rng.normal(size=(200, 3))
        points = centre + way / np.linalg.norm(way, axis=1)[:, None] * rng.uniform(0, radius, (200, 1))
        assert np.array_equal(shape.near(centre, radius).field(points), shape.field(points))


def test_a_union_leaves_out_what_is_far_away():
    near = (SHAPES["sphere"] | Sphere((100.0, 0.0, 0.0), 5.0)).near(np.array([1.0, 2.0, 12.0]), 2.0)
    assert near == SHAPES["sphere"]


@pytest.mark.parametrize("name", [name for name in ALL if np.isfinite(ALL[name].box).all()])
def test_a_body_lies_in_its_box(name):
    shape = ALL[name]
    low, high = shape.box
    points = cloud(20_000, 25.0)
    inside = points[shape.field(points) < 0]
    assert len(inside) > 20
    assert (inside >= low).all()
    assert (inside <= high).all()


def test_sets_combine_as_sets():
    a, b, points = SHAPES["sphere"], SHAPES["box"], cloud()
    in_a, in_b = a.field(points) < 0, b.field(points) < 0
    assert np.array_equal((a | b).field(points) < 0, in_a | in_b)
    assert np.array_equal((a & b).field(points) < 0, in_a & in_b)
    assert np.array_equal((a - b).field(points) < 0, in_a & ~in_b)


def test_a_moved_body_has_the_distances_of_the_points_moved_back():
    shape, points = SHAPES["torus"], cloud()
    assert np.abs(shape.moved(TURN).distance(TURN.apply(points)) - shape.distance(points)).max() < 1e-12


def test_a_round_cone_with_one_radius_is_all_points_near_a_line():
    rod = capsule((0.0, 0.0, 0.0), (0.0, 0.0, 10.0), 2.0)
    assert rod.field(np.array([[5.0, 0, 5], [0, 0, 15], [0, 0, -4], [1, 0, 5]])).tolist() == [3, 3, 2, -1]


def test_a_flat_rod_has_corners():
    rod = cylinder((0.0, 0.0, 0.0), (0.0, 0.0, 10.0), 2.0)
    points = np.array([[5.0, 0, 5], [0, 0, 15], [5, 0, 14], [1, 0, 5], [0, 0, 9.5]])
    assert np.allclose(rod.field(points), [3, 5, 5, -1, -0.5])


def test_the_foot_of_an_ellipsoid_s_middle_is_its_nearest_end():
    shape = SHAPES["ellipsoid"]
    assert float(shape.distance(np.array([1.0, -2.0, 3.0]))) == pytest.approx(-5.0, abs=1e-6)


def test_area_of_an_ellipsoid_against_its_special_cases():
    assert Ellipsoid((0.0, 0.0, 0.0), (7.0, 7.0, 7.0)).area_mm2 == pytest.approx(4 * np.pi * 49, rel=1e-12)
    a, c = 4.0, 9.0  # prolate: 2 pi a^2 (1 + c / (a e) asin e)
    e = np.sqrt(1 - a * a / (c * c))
    truth = 2 * np.pi * a * a * (1 + c / (a * e) * np.arcsin(e))
    assert Ellipsoid((0.0, 0.0, 0.0), (a, a, c)).area_mm2 == pytest.approx(truth, rel=1e-12)
