"""A mirror image has the other hand, the same size, and still faces outwards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.algorithms.mirror import mirrored
from surgiplan.values import IDENTITY, Mesh, Part, Plane, Pose, digest

CORNERS = np.array([[0, 0, 0], [40, 0, 0], [0, 25, 0], [0, 0, 10]], np.float32)
WEDGE = Mesh(CORNERS, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32))

coordinates = st.floats(-100, 100)
points = st.tuples(coordinates, coordinates, coordinates)


def hand(part: Part) -> float:
    """Sign of the triple product of the edges at the first corner."""
    corners = part.points_lps
    return float(np.sign(np.linalg.det(corners[1:4] - corners[0])))


@given(points, points.filter(lambda p: np.linalg.norm(p) > 0.1), points, st.floats(-180, 180))
def test_mirrored_twice_is_the_same_place(point, normal, shift, degrees) -> None:
    plane = Plane(point, normal)
    part = Part(WEDGE, Pose.of_shift(shift).after(Pose.of_rotation((1, 2, 3), degrees)), "1.2")
    image = mirrored(part, plane)
    assert image.pose == IDENTITY
    assert image.frame_uid == "1.2"
    assert hand(image) == -hand(part)
    assert image.mesh.volume_mm3 == pytest.approx(WEDGE.volume_mm3, rel=1e-3)
    assert image.mesh.watertight
    assert plane.distance(image.points_lps) == pytest.approx(-plane.distance(part.points_lps), abs=1e-3)
    again = mirrored(image, plane)
    assert np.abs(again.points_lps - part.points_lps).max() < 1e-3
    assert (again.mesh.triangles == part.mesh.triangles).all()


def test_at_the_midsagittal_plane_left_becomes_right() -> None:
    image = mirrored(Part(WEDGE), Plane((3, 0, 0), (1, 0, 0)))
    assert image.points_lps.tolist() == (CORNERS * (-1, 1, 1) + (6, 0, 0)).tolist()


def test_the_input_stays_what_it_was() -> None:
    part = Part(WEDGE, Pose.of_shift((1, 2, 3)))
    before = digest(part)
    mirrored(part, Plane((0, 0, 0), (0, 1, 0)))
    assert digest(part) == before
