"""A fibula flap: planes, lengths, faces that meet, and what may be taken."""

import math
from itertools import pairwise

import numpy as np
import pytest

from surgiplan.algorithms.corrections.fibula import Donor, Flap, fibula_flap, jaw_planes
from surgiplan.algorithms.corrections.shaft import Shaft, shaft_of
from surgiplan.algorithms.cutting.planes import cut
from surgiplan.errors import StepFailed
from surgiplan.phantoms import Fibula
from surgiplan.values import Part, Plane

LINE = ((-38.0, 12.0, 4.0), (-26.0, -20.0, 1.0), (4.0, -33.0, 0.0), (31.0, -14.0, 5.0))
INSIDE = (0.0, 0.0, 2.0)
UNEVEN, ROUND = Fibula(), Fibula(round_=True, taper=0.0)


def shaft(bone: Fibula, spacing: float = 1.0) -> tuple[Part, Shaft]:
    part, marks = bone.mesh(spacing), bone.landmarks
    return part, shaft_of(part, marks["fibula_head"], marks["lateral_malleolus"])


@pytest.fixture(scope="module")
def uneven() -> tuple[Part, Shaft]:
    return shaft(UNEVEN)


@pytest.fixture(scope="module")
def even() -> tuple[Part, Shaft]:
    return shaft(ROUND)


def test_the_planes_between_two_pieces_halve_their_angle() -> None:
    planes = jaw_planes(LINE)
    assert len(planes) == 4
    ways = [np.subtract(b, a) / math.dist(a, b) for a, b in pairwise(LINE)]
    assert np.allclose(planes[0].normal, ways[0])
    assert np.allclose(planes[-1].normal, ways[-1])
    for n in (1, 2):
        slants = [math.acos(np.dot(planes[n].normal, way)) for way in (ways[n - 1], ways[n])]
        bend = math.acos(np.dot(ways[n - 1], ways[n]))
        assert slants == pytest.approx([bend / 2] * 2)
        assert np.allclose(planes[n].point, LINE[n])


@pytest.mark.parametrize("mode", ["centre", "outer", "inner"])
def test_lengths_are_those_of_the_line_that_the_mode_names(uneven: tuple[Part, Shaft], mode: str) -> None:
    bone = uneven[1]
    flap = fibula_flap(bone, LINE, INSIDE, Donor(shortest_mm=10), mode)
    for n, piece in enumerate(flap.pieces):
        assert piece.length_mm == pytest.approx(math.dist(LINE[n], LINE[n + 1]))
        # the named line of the fibula, carried into the jaw, lies on the line there
        facing = math.radians(piece.roll_degrees) + (math.pi if mode == "inner" else 0)
        for at, place in ((piece.begin_mm, LINE[n]), (piece.end_mm, LINE[n + 1])):
            off = 0.0 if mode == "centre" else float(bone.radius(at, facing))
            own = bone.centre(at) + off * bone.ways(facing)
            assert np.allclose(piece.pose.apply(own), place, atol=1e-6)


def test_the_outer_edge_is_outside_and_the_inner_one_inside(uneven: tuple[Part, Shaft]) -> None:
    """The centre of the bone lies on the tongue's side of an outer line, on the other of an inner one."""
    bone = uneven[1]
    for mode, sign in (("outer", 1), ("inner", -1)):
        flap = fibula_flap(bone, LINE, INSIDE, Donor(shortest_mm=5), mode)
        piece = flap.pieces[1]
        middle = piece.pose.apply(bone.centre((piece.begin_mm + piece.end_mm) / 2))
        to_inside = np.subtract(INSIDE, np.add(LINE[1], LINE[2]) / 2)
        off = (middle - np.add(LINE[1], LINE[2]) / 2) @ to_inside
        assert off * sign > 0


def test_sawn_planes_are_the_planes_of_the_jaw(uneven: tuple[Part, Shaft]) -> None:
    flap = fibula_flap(uneven[1], LINE, INSIDE, Donor(shortest_mm=10))
    for n, piece in enumerate(flap.pieces):
        for plane, wanted in ((piece.near, flap.planes[n]), (piece.far, flap.planes[n + 1])):
            met = plane.moved(piece.pose)
            angle = math.degrees(math.acos(min(np.dot(met.normal, wanted.normal), 1.0)))
            assert angle < 1e-5
            assert abs(float(wanted.distance(met.point))) < 1e-9


def test_round_pieces_of_even_thickness_meet_without_a_step(even: tuple[Part, Shaft]) -> None:
    flap = fibula_flap(even[1], LINE, INSIDE, Donor(shortest_mm=10))
    assert max(flap.steps_mm) < 0.04  # that of its triangles: 1 mm^2 / 8 / 7 mm, at either face


def test_an_uneven_fibula_is_turned_until_its_faces_fit(uneven: tuple[Part, Shaft]) -> None:
    best = fibula_flap(uneven[1], LINE, INSIDE, Donor(shortest_mm=10))
    tried = [
        fibula_flap(uneven[1], LINE, INSIDE, Donor(shortest_mm=10), roll_degrees=r) for r in (0, 60, 120, 240)
    ]
    assert max(best.steps_mm) <= 0.8
    assert all(max(best.steps_mm) <= max(one.steps_mm) + 1e-3 for one in tried)


def test_pieces_that_are_cut_out_and_carried_over_meet_in_the_plane_of_the_joint(
    uneven: tuple[Part, Shaft],
) -> None:
    """With the saw of the house: the faces lie in the planes, and their outlines are as near as was said."""
    part, bone = uneven
    flap = fibula_flap(bone, LINE, INSIDE, Donor(shortest_mm=10))
    faces: dict[tuple[int, bool], np.ndarray] = {}
    for n, piece in enumerate(flap.pieces):
        rest = cut(part, piece.near, 0.0, "both").a
        body = cut(rest, piece.far, 0.0, "both").b.moved(piece.pose)
        for far in (False, True):
            plane = flap.planes[n + far]
            off = plane.distance(body.points_lps)
            assert (off.max() if far else -off.min()) < 1e-3
            corners = body.points_lps[body.mesh.triangles]
            flat = np.abs(plane.distance(corners.reshape(-1, 3))).reshape(-1, 3).max(axis=1) < 1e-3
            normal = np.cross(
                corners[flat][:, 1] - corners[flat][:, 0], corners[flat][:, 2] - corners[flat][:, 0]
            ).sum(0)
            normal /= np.linalg.norm(normal)
            assert math.degrees(math.acos(min(abs(normal @ plane.normal), 1.0))) <= 0.05
            faces[n, far] = np.unique(corners[flat].reshape(-1, 3).round(4), axis=0)
    for n, step in enumerate(flap.steps_mm):
        one, other = faces[n, True], faces[n + 1, False]
        apart = np.linalg.norm(one[:, None] - other, axis=2)
        assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) <= 0.8
        assert step <= 0.8


def test_between_two_pieces_the_saw_finds_its_room(uneven: tuple[Part, Shaft]) -> None:
    bone = uneven[1]
    for kerf, spare in ((1.0, 1.5), (0.5, 0.0)):
        flap = fibula_flap(bone, LINE, INSIDE, Donor(shortest_mm=10, kerf_mm=kerf, spare_mm=spare))
        for before, after in pairwise(flap.pieces):
            gaps = gap_between(bone, before.far, after.near, before.end_mm)
            assert gaps.min() == pytest.approx(kerf + spare, abs=0.02)


def gap_between(bone: Shaft, one: Plane, other: Plane, near: float) -> np.ndarray:
    """Along the fibula between two planes, on its surface."""
    found = []
    for angle in np.linspace(0, 2 * np.pi, 144):
        at = []
        for plane in (one, other):
            low, high = near - 25.0, near + 40.0
            for _ in range(50):
                middle = (low + high) / 2
                place = bone.centre(middle) + bone.radius(middle, angle) * bone.ways(angle)
                low, high = (middle, high) if plane.distance(place) < 0 else (low, middle)
            at.append(low)
        found.append(at[1] - at[0])
    return np.array(found)


def test_what_must_stay_stays(uneven: tuple[Part, Shaft]) -> None:
    bone = uneven[1]
    low = fibula_flap(bone, LINE, INSIDE, Donor(shortest_mm=10))
    assert 0 <= low.left_mm < 2e-3
    high = fibula_flap(bone, LINE, INSIDE, Donor(shortest_mm=10, start_mm=60.0))
    first = high.pieces[0]
    starts = [float(first.near.distance(bone.origin + at * bone.axis)) for at in (55.0, 60.0)]
    assert starts[0] < starts[1] < 1.0
    assert high.left_mm > 50
    with pytest.raises(StepFailed, match=r"30 mm from the proximal end, 60 mm must stay"):
        fibula_flap(bone, LINE, INSIDE, Donor(start_mm=30.0))
    long = [(x * 3, y * 3, z * 3) for x, y, z in LINE]
    with pytest.raises(StepFailed, match=r"The fibula is \d+\.\d mm too short"):
        fibula_flap(bone, long, INSIDE, Donor())


def test_pieces_keep_their_least_length(even: tuple[Part, Shaft]) -> None:
    short = ((-38.0, 12.0, 4.0), (-36.0, -9.0, 1.0), (-16.0, -30.0, 0.0))
    with pytest.raises(
        StepFailed, match=r"Piece 1 is \d+\.\d mm along its shortest side, 20 mm is the least"
    ):
        fibula_flap(even[1], short, INSIDE, Donor())


def test_planes_at_the_ends_can_be_given(even: tuple[Part, Shaft]) -> None:
    slanted = Plane((-38.0, 14.0, 4.0), (0.3, -0.9, 0.2))
    flap: Flap = fibula_flap(even[1], LINE, INSIDE, Donor(shortest_mm=10), first=slanted)
    assert np.allclose(flap.planes[0].normal, slanted.normal)
    assert float(slanted.distance(flap.planes[0].point)) == pytest.approx(0, abs=1e-9)
    with pytest.raises(StepFailed, match="Plane 1 would cut its piece at a slant of 8"):
        fibula_flap(even[1], LINE, INSIDE, Donor(), first=Plane(LINE[0], (0.95, 0.3, 0)))


def test_a_straight_piece_alone() -> None:
    _, bone = shaft(ROUND, 2.0)
    flap = fibula_flap(bone, LINE[:2], INSIDE, Donor())
    assert len(flap.planes) == 2
    assert flap.steps_mm == ()
    with pytest.raises(StepFailed, match="place at least two"):
        fibula_flap(bone, LINE[:1], INSIDE, Donor())
