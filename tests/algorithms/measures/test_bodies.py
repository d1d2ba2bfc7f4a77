import numpy as np
import pytest
import trimesh

from surgiplan.algorithms.measures import bodies, paths, spots
from surgiplan.errors import Mismatch, StepFailed
from surgiplan.phantoms import ShellPhantom
from surgiplan.values import Deviation, Mesh, Part, Plane, Pose
from tests.algorithms.bodies import SCANNER, ball, box, mesh_of, part, random_pose, rod

BRICK = box((0, 0, 0), (10, 20, 30))


def ring() -> Mesh:
    """A tube, 20 mm long, radii 6 and 10."""
    return mesh_of(trimesh.creation.annulus(6.0, 10.0, 20.0, sections=256))


# --- sections


@pytest.mark.parametrize("pose", [Pose(), SCANNER])
def test_a_section_of_a_brick(pose: Pose) -> None:
    body = part(BRICK, pose)
    plane = Plane((5, 5, 7.0), (0, 0, 1)).moved(pose)
    assert bodies.section_area(body, plane).value == pytest.approx(200, rel=1e-4)
    assert bodies.section_perimeter(body, plane).value == pytest.approx(60, rel=1e-4)


def test_a_slanted_section_is_larger_by_the_cosine() -> None:
    body = part(box((-10, -10, -50), (10, 10, 50)))
    for degrees in (10.0, 30.0, 55.0):
        turn = np.radians(degrees)
        found = bodies.section_area(body, Plane((0, 0, 0), (np.sin(turn), 0, np.cos(turn))))
        assert found.value == pytest.approx(400 / np.cos(turn), rel=1e-6)


def test_holes_are_taken_off_the_area_and_count_in_the_outline() -> None:
    body, plane = part(ring()), Plane((0, 0, 1), (0, 0, -2))
    area, length = bodies.section_area(body, plane).value, bodies.section_perimeter(body, plane).value
    assert area == pytest.approx(np.pi * (100 - 36), rel=3e-4)
    assert length == pytest.approx(2 * np.pi * 16, rel=3e-4)


def test_a_section_through_corners_and_along_faces_is_still_one_outline() -> None:
    body = part(BRICK)
    through = bodies.section_area(body, Plane((0, 0, 10), (2, -1, 0)))  # along two edges
    assert through.value == pytest.approx(30 * np.hypot(10, 20), rel=1e-6)


def test_a_plane_that_misses_tells_by_how_much() -> None:
    with pytest.raises(StepFailed, match=r"misses the body by 12\.00 mm"):
        bodies.section_area(part(BRICK), Plane((0, 0, 42), (0, 0, 1)))
    with pytest.raises(StepFailed, match="no volume"):
        bodies.section_area(Part(Mesh(BRICK.points, BRICK.triangles[:-1])), Plane((0, 0, 2), (0, 0, 1)))


@pytest.mark.parametrize("height", [-18.0, -3.0, 0.0, 7.5, 19.0])
def test_the_volume_behind_a_plane_is_that_of_a_cap(height: float) -> None:
    radius, pose = 20.0, random_pose(3, 200)
    body = part(ball(radius, finer=5), pose)
    behind = bodies.volume_behind(body, Plane((0, 0, height), (0, 0, 1)).moved(pose))
    cap = np.pi * (radius + height) ** 2 * (3 * radius - radius - height) / 3
    assert behind == pytest.approx(cap, rel=4e-3)
    other = bodies.volume_behind(body, Plane((0, 0, height), (0, 0, -1)).moved(pose))
    assert behind + other == pytest.approx(body.mesh.volume_mm3, rel=1e-6)


def test_the_error_of_a_volume_follows_from_how_far_its_surface_is_off() -> None:
    off = Deviation(0.05, 0.1, 0.2, 1.0, 0.1, 0.2, 0.3, 0.1)
    told = bodies.volume(Part(BRICK, deviation=off))
    assert told.expected_error == pytest.approx(0.05 * 2200)
    assert bodies.volume(Part(BRICK)).expected_error is None


# --- contact


def test_the_contact_of_two_bricks_is_the_face_they_share() -> None:
    """The touched face is parted finely: contact counts by corners."""
    fine = mesh_of(trimesh.creation.box((40.0, 40.0, 10.0)).subdivide_to_size(0.8))
    under = part(box((-10, -5, -20), (10, 5, -5.3)))
    found = bodies.contact_area(part(fine), under, 0.5)
    assert found.value == pytest.approx(20 * 10, rel=0.12)
    assert found.unit == "mm2"
    assert bodies.contact_area(part(fine), under, 0.2).value == 0
    with pytest.raises(Mismatch):
        bodies.contact_area(Part(fine, frame_uid="1"), Part(BRICK, frame_uid="2"), 1.0)


# --- paths


@pytest.mark.parametrize("finer", [3, 4, 5])
def test_a_way_over_a_ball_is_a_great_circle(finer: int) -> None:
    body = part(ball(30.0, finer=finer), SCANNER)
    ends = [np.array([30.0, 0, 0]), 30 * np.array([np.cos(2), np.sin(2) * 0.6, np.sin(2) * 0.8])]
    found = paths.path(body, *(SCANNER.apply(end) for end in ends))
    assert found.value == pytest.approx(30 * 2.0, rel=[0.02, 0.005, 0.0015][finer - 3])
    assert found.value <= 60.0 + 1e-6  # the facets lie inside the ball
    assert len(found.lines_lps[0]) > 5


def test_a_way_round_a_rod_is_a_helix() -> None:
    """Unrolled, a straight line: exact for a rod of many facets."""
    body = part(mesh_of(trimesh.creation.cylinder(15.0, 100.0, sections=180).subdivide_to_size(6.0)))
    turn, rise = 1.9, 44.0
    ends = [(15.0, 0.0, -20.0), (15 * np.cos(turn), 15 * np.sin(turn), -20.0 + rise)]
    found = paths.path(body, *ends)
    assert found.value == pytest.approx(np.hypot(15 * turn, rise), rel=2e-4)


def test_a_way_over_the_edge_of_a_brick_is_its_unfolding() -> None:
    found = paths.path(part(box((0, 0, 0), (10, 10, 10))), (5, 0, 5), (10, 5, 7))
    assert found.value == pytest.approx(np.hypot(10, 2), rel=1e-4)
    straight = np.linalg.norm(np.subtract((5, 0, 5), (10, 5, 7)))
    assert found.value > straight


def test_a_way_over_more_points_is_the_sum_of_its_legs_and_their_errors_join() -> None:
    body = part(box((0, 0, 0), (30, 30, 5)))
    a, b, c = (2, 2, 5), (12, 2, 5), (12, 22, 5)
    whole = paths.path(body, a, b, c, landmark_sd_mm=0.5)
    assert whole.value == pytest.approx(30, rel=1e-4)
    assert whole.expected_error == pytest.approx(0.5 * np.sqrt(1 + 2 + 1), rel=1e-3)


def test_what_has_no_way_is_refused() -> None:
    body = part(BRICK)
    with pytest.raises(StepFailed, match=r"Point 2 lies 5\.0 mm off the surface"):
        paths.path(body, (0, 0, 0), (5, 10, 35))
    two = trimesh.util.concatenate(
        [
            trimesh.creation.icosphere(radius=5),
            trimesh.creation.icosphere(radius=5).apply_translation((30, 0, 0)),
        ]
    )
    with pytest.raises(StepFailed, match="do not hang together"):
        paths.path(part(mesh_of(two)), (5, 0, 0), (25, 0, 0))


# --- at a place


@pytest.mark.parametrize("pose", [Pose(), SCANNER])
def test_curvature_of_a_ball_and_a_rod(pose: Pose) -> None:
    sphere = part(ball(25.0, finer=5), pose)
    at = pose.apply((0.0, 15.0, 20.0))
    assert spots.curvature(sphere, at, 6.0, "mean").value == pytest.approx(1 / 25, rel=0.005)
    assert spots.curvature(sphere, at, 6.0, "gauss").value == pytest.approx(1 / 625, rel=0.02)
    shape = trimesh.creation.cylinder(12.0, 80.0, sections=240).subdivide_to_size(1.5)
    cylinder = part(mesh_of(shape), pose)
    at = pose.apply((12.0, 0.0, 3.0))
    assert spots.curvature(cylinder, at, 5.0, "mean").value == pytest.approx(1 / 24, rel=0.01)
    assert spots.curvature(cylinder, at, 5.0, "gauss").value == pytest.approx(0.0, abs=2e-4)


def test_a_hollow_is_bent_the_other_way() -> None:
    shape = trimesh.creation.icosphere(5, 25.0)
    shape.invert()
    hollow = part(mesh_of(shape))
    assert spots.curvature(hollow, (0, 0, 25), 6.0, "mean").value == pytest.approx(-1 / 25, rel=0.01)
    assert spots.curvature(hollow, (0, 0, 25), 6.0, "gauss").value == pytest.approx(1 / 625, rel=0.02)


def test_too_few_corners_tell_nothing_of_curvature() -> None:
    with pytest.raises(StepFailed, match="corners of the surface lie within 1 mm, 30 are needed"):
        spots.curvature(part(rod(10, 50)), (10, 0, 0), 1.0, "mean")


def test_row_24_the_wall_of_a_shell_is_what_it_was_made(record_property) -> None:
    """Within 0.02 mm on an ideal mesh."""
    shell = ShellPhantom()
    body = shell.mesh(0.7)
    points = body.points_lps
    middle = points.mean(axis=0)
    outer = points[int(np.linalg.norm(points - middle, axis=1).argmax())]
    found = spots.wall(body, outer, 30.0)
    truth = shell.thickness_mm
    record_property("wall_mm", f"{found.value - truth:.5f}")
    assert found.value == pytest.approx(truth, abs=0.02)
    with pytest.raises(StepFailed, match=r"no wall thinner than 0\.2 mm"):
        spots.wall(body, outer, 0.2)
