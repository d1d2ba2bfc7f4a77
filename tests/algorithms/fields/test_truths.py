"""Rows of the acceptance table for distances and collisions, on bodies with a closed form."""

import math

import numpy as np
import pytest

from surgiplan.algorithms.clearance import collide
from surgiplan.algorithms.corrections.pedicle import grade_of
from surgiplan.algorithms.fields.cloud import Cloud
from surgiplan.algorithms.fields.contact import Body, contacts
from surgiplan.algorithms.fields.field import FIELDS
from surgiplan.values import IDENTITY, FloatArray, Mesh, Pose
from tests.algorithms.bodies import ball, box, part, rod

MM = 0.02  # beyond it no answer may be wrong


def skew_rods(count: int, gaps: FloatArray, one: float, other: float) -> list[Pose]:
    """Poses of a rod along z so that it passes another rod along z at these gaps (P11)."""
    chance = np.random.default_rng(11)
    poses = []
    for gap in gaps[:count]:
        across = chance.uniform(0, 2 * np.pi)
        aside = np.array([np.cos(across), np.sin(across), 0.0])
        tilt = Pose.of_rotation(aside, chance.uniform(25, 155))
        along = Pose.of_shift(tuple(chance.uniform(-5, 5) * tilt.rotation[:, 2]))
        place = (gap + one + other) * aside + [0, 0, chance.uniform(-8, 8)]
        poses.append(along.after(Pose.of_shift(tuple(place)).after(tilt)))
    return poses


@pytest.mark.slow
def test_screw_and_canal_in_a_thousand_poses() -> None:
    """Row 22: the distance within 0.02 mm, the grade right wherever it is not within 0.02 mm of a limit."""
    screw, canal = rod(3.0, 60, facets=240), rod(9.0, 90, facets=360)
    gaps = np.random.default_rng(22).uniform(-8, 4, 1000)
    poses = skew_rods(1000, gaps, 3.0, 9.0)
    bodies = [Body(FIELDS.of(mesh), Cloud(mesh, 0.5)) for mesh in (screw, canal)]
    found = contacts(*bodies, poses, IDENTITY, exact=True)
    assert np.abs(found.signed_mm - gaps).max() <= MM
    for gap, measured in zip(gaps.tolist(), found.signed_mm.tolist(), strict=True):
        if min(abs(-gap - limit) for limit in (0, 2, 4, 6)) > MM:
            assert grade_of(-measured) == grade_of(-gap)
    for n in range(2):
        exact = collide(part(screw, poses[n]), part(canal))
        assert exact.clearance_mm - exact.depth_mm == pytest.approx(gaps[n], abs=MM)


BODIES = {
    "ball": ball(6, finer=4),
    "block": box((-9, -7, -5), (9, 7, 5)),
    "tube": Mesh(
        np.concatenate([rod(8, 40, 256).points, rod(5, 36, 256).points]),
        np.concatenate(
            [rod(8, 40, 256).triangles, rod(5, 36, 256).triangles[:, ::-1] + len(rod(8, 40, 256).points)]
        ),
    ),
}


def rod_in_tube(poses: list[Pose]) -> FloatArray:
    """Coaxial: how far a rod of 3 mm, shifted across its axis, is from the hollow of 5 mm it lies in."""
    return np.array([5 - 3 - math.hypot(*pose.shift[:2]) for pose in poses])


@pytest.mark.slow
def test_ten_thousand_poses_are_told_apart() -> None:
    """Row 23: no contact missed, none invented, beyond 0.02 mm; contained, touching, coaxial, slivers."""
    chance = np.random.default_rng(23)
    bodies = {name: Body.of(mesh) for name, mesh in BODIES.items()}
    away = chance.normal(size=(6000, 3))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    # a ball near a block: the distance to a box has a closed form
    centres = chance.uniform(-17, 17, (6000, 3))
    outside = np.flatnonzero((np.abs(centres) > [9, 7, 5]).any(axis=1))[
        :3000
    ]  # come within 0.1 mm of a touch
    on_block = centres[outside].clip([-9, -7, -5], [9, 7, 5])
    off = centres[outside] - on_block
    reach = 6 + chance.uniform(-0.1, 0.1, (len(outside), 1))
    centres[outside] = on_block + reach * off / np.linalg.norm(off, axis=1, keepdims=True)
    beyond = np.abs(centres) - [9, 7, 5]
    signed = np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0) - 6
    poses = [
        Pose.of_shift(tuple(c)).after(Pose.of_rotation(a, 40)) for c, a in zip(centres, away, strict=True)
    ]
    found = contacts(bodies["ball"], bodies["block"], poses, IDENTITY)
    sure = np.abs(signed) > MM
    assert ((found.signed_mm < 0) == (signed < 0))[sure].all()
    apart = outside[signed[outside] > MM]
    assert np.abs(found.signed_mm - signed)[apart].max() <= MM
    assert not found.contained.any()  # a ball of 6 mm does not fit into 5 mm
    # coaxial slivers in a tube: free, touching, through
    shifts = np.append(chance.uniform(0, 3.2, 2000), chance.uniform(1.9, 2.1, 2000))
    turns = chance.uniform(0, 2 * np.pi, 4000)
    poses = [
        Pose.of_shift((float(s * np.cos(t)), float(s * np.sin(t)), 0.0))
        for s, t in zip(shifts, turns, strict=True)
    ]
    short = Body.of(rod(3.0, 30, facets=600))
    truth = rod_in_tube(poses)
    found = contacts(short, bodies["tube"], poses, IDENTITY)
    sure = np.abs(truth) > MM
    assert ((found.signed_mm < 0) == (truth < 0))[sure].all()
    assert np.abs(found.signed_mm - truth)[(truth > MM) & (truth < 2)].max() <= 0.05


def test_a_contained_body_is_contained_everywhere() -> None:
    inner, outer = Body.of(ball(3)), Body.of(ball(10, finer=5))
    chance = np.random.default_rng(3)
    poses = [Pose.of_shift(tuple(one)) for one in chance.uniform(-5, 5, (400, 3))]
    truth = np.array([10 - 3 - np.linalg.norm(pose.shift) for pose in poses])
    found = contacts(inner, outer, poses, IDENTITY)
    sure = np.abs(truth) > 0.05
    assert (found.contained == (truth > 0))[sure].all()
    back = contacts(outer, inner, [pose.inverse for pose in poses], IDENTITY)
    assert (back.contained == (truth > 0))[sure].all()


def test_edges_that_cross_are_told_apart_between_their_places() -> None:
    """Sharp edges at right angles, which meet anywhere between the places on them."""
    one, other = Body.of(box((-10, -10, -10), (10, 10, 10))), Body.of(box((-12, -9, -12), (12, 9, 12)))
    own, base = Pose.of_rotation((1, 0, 0), 45), Pose.of_rotation((0, 1, 0), 45)
    chance = np.random.default_rng(45)
    gaps = chance.uniform(-0.3, 0.3, 500)
    heights = (10 + 12) * math.sqrt(2) + gaps
    across = chance.uniform(-3, 3, (500, 2))
    poses = [Pose.of_shift((x, y, z)).after(own) for (x, y), z in zip(across, heights, strict=True)]
    found = contacts(one, other, poses, base)
    sure = np.abs(gaps) > MM
    assert ((found.signed_mm < 0) == (gaps < 0))[sure].all()
    assert np.abs(found.signed_mm - gaps)[gaps > 0].max() <= MM
