"""The midline of bodies whose plane of symmetry is known."""

import numpy as np
import pytest

from surgiplan.algorithms.registering.symmetry import plane_of_symmetry
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.values import Mesh, Part, Plane, Pose
from tests.ops.shapes import ball, box, no_part


def head() -> Part:
    """An egg that is symmetrical in x alone, its middle at the origin."""
    points = ball(80.0, (0, 0, 0), rings=60).mesh.points * (0.8, 1.1, 1.0)
    points[:, 2] += 0.002 * points[:, 1] ** 2
    points[:, 1] += 0.0015 * points[:, 2] ** 2 + 6 * np.exp(
        -((points[:, 2] - 20) ** 2 + points[:, 0] ** 2) / 300
    )
    return Part(Mesh(points, ball(80.0, rings=60).mesh.triangles))


def lean_degrees(plane: Plane, normal: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(np.dot(plane.normal, normal), -1, 1))))


@pytest.mark.parametrize("seed", range(4))
def test_the_midline_of_a_head_that_lies_askew_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = Pose.of_shift(rng.normal(0, 60, 3)).after(Pose.of_rotation(rng.normal(size=3), 18 * rng.random()))
    found = plane_of_symmetry(head().moved(pose))
    assert lean_degrees(found.plane, pose.rotation[:, 0]) < 0.05
    assert abs(found.plane.distance(pose.apply((0, 0, 0))[None])[0]) < 0.05
    assert found.residual_mm < 0.05


def test_a_defect_on_one_side_does_not_draw_the_plane() -> None:
    """A dent of 12 mm on a tenth of the surface."""
    body, pose = head(), Pose.of_rotation((0.3, 1, 0.2), 9, (0, 0, 0))
    points = body.mesh.points.copy()
    side = np.linalg.norm(points - (60, 10, 30), axis=1) < 42
    points[side, 0] -= 12
    found = plane_of_symmetry(Part(Mesh(points, body.mesh.triangles)).moved(pose))
    assert lean_degrees(found.plane, pose.rotation[:, 0]) < 0.2
    assert abs(found.plane.distance(pose.apply((0, 0, 0))[None])[0]) < 0.2


def test_the_normal_points_to_the_left() -> None:
    assert plane_of_symmetry(head()).plane.normal[0] > 0.99


def test_a_body_without_left_and_right_is_refused() -> None:
    """A long block that lies half across: its nearest plane of symmetry is no midline."""
    with pytest.raises(StepFailed, match=r"leans .* degrees .* not the midline"):
        plane_of_symmetry(box((120.0, 60.0, 30.0), Pose.of_rotation((0, 0, 1), 38)))
    with pytest.raises(StepFailed, match="no body"):
        plane_of_symmetry(no_part())


def test_a_stop_is_heard() -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        plane_of_symmetry(head(), report=stop)
