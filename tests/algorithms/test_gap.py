import math

import numpy as np
import pytest

from surgiplan.algorithms.gap import gap_map
from surgiplan.errors import Cancelled, Mismatch, StepFailed
from surgiplan.values import IDENTITY, Mesh, Part, Pose

from .bodies import SCANNER, ball, box, part, rod


def sheet(size: float = 10, cells: int = 20, height: float = 0.0) -> Mesh:
    """A flat square that faces up."""
    x, y = np.meshgrid(np.linspace(0, size, cells + 1), np.linspace(0, size, cells + 1), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.full(x.size, height)], axis=1)
    corner = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    right, up = corner + cells + 1, corner + 1
    triangles = np.concatenate(
        [np.stack([corner, right, right + 1], axis=1), np.stack([corner, right + 1, up], axis=1)]
    )
    return Mesh(points.astype(np.float32), triangles.astype(np.int32))


@pytest.mark.parametrize("place", [IDENTITY, SCANNER], ids=["origin", "scanner"])
def test_concentric_balls(place):
    inner, outer = part(ball(10), place), part(ball(13, finer=5), place)
    found = gap_map(inner, outer, contact_mm=1)
    assert found.mean_mm == pytest.approx(-3, abs=0.01)  # the inner ball lies in the outer: it digs in
    assert found.p95_mm == pytest.approx(3, abs=0.01)
    assert found.max_mm == pytest.approx(3, abs=0.01)
    assert found.contact_share == 1
    assert found.gap_mm.shape == (len(inner.mesh.points),)
    assert found.part is inner


def test_a_limb_in_a_socket_with_an_even_gap():
    """A rod in a tube: the gap of its side is the difference of the radii."""
    hole = rod(12, 200, 256)
    socket = Part(Mesh(hole.points, hole.triangles[:, ::-1]))  # the inner wall faces the limb
    limb = part(rod(10, 60, 256))
    assert gap_map(limb, socket, contact_mm=0.5).max_mm == pytest.approx(12, abs=0.02)  # middle of its ends
    side = np.hypot(*limb.mesh.points[:, :2].T) > 9
    only_side = gap_map(limb, socket, contact_mm=0.5, region=side)
    assert only_side.mean_mm == pytest.approx(2, abs=0.02)
    assert only_side.p95_mm == pytest.approx(2, abs=0.02)
    assert only_side.contact_share == 0
    assert gap_map(limb, socket, contact_mm=2.1, region=side).contact_share == 1


def test_digging_in_is_negative_and_counts_as_contact():
    found = gap_map(Part(sheet(height=-0.4)), Part(box((-5, -5, -20), (15, 15, 0))), contact_mm=0)
    assert found.mean_mm == pytest.approx(-0.4, abs=1e-6)
    assert found.p95_mm == pytest.approx(0.4, abs=1e-6)
    assert found.contact_share == 1


def test_an_open_surface_has_a_side():
    body, ground = Part(sheet(height=0.7)), sheet()
    assert gap_map(body, Part(ground), 0).mean_mm == pytest.approx(0.7, abs=1e-6)
    turned = Mesh(ground.points, ground.triangles[:, ::-1])
    assert gap_map(body, Part(turned), 0).mean_mm == pytest.approx(-0.7, abs=1e-6)


def test_a_known_slope():
    """A sheet tilted by 0 to 1 mm over its width, against the plane: mean, percentile and contact by area."""
    flat = sheet(cells=100)
    points = flat.points.copy()
    points[:, 2] = points[:, 0] / 10
    found = gap_map(
        Part(Mesh(points, flat.triangles)), Part(box((-5, -5, -20), (15, 15, 0))), contact_mm=0.25
    )
    assert found.mean_mm == pytest.approx(0.5, abs=1e-3)
    assert found.p95_mm == pytest.approx(0.95, abs=0.011)
    assert found.max_mm == pytest.approx(1.0, abs=1e-6)
    assert found.contact_share == pytest.approx(0.25, abs=0.011)


def test_figures_are_weighted_by_area_not_by_the_number_of_points():
    """Half of the area has 2 triangles and lies at 1 mm, the other half has many and lies at 0."""
    fine, coarse = sheet(cells=30), sheet(cells=1, height=1.0)
    body = Mesh(
        np.concatenate([fine.points, coarse.points + np.float32([20, 0, 0])]),
        np.concatenate([fine.triangles, coarse.triangles + len(fine.points)]),
    )
    found = gap_map(Part(body), Part(box((-5, -5, -20), (40, 15, 0))), contact_mm=0.1)
    assert found.mean_mm == pytest.approx(0.5, abs=1e-6)
    assert found.contact_share == pytest.approx(0.5, abs=1e-6)


def test_far_points_are_left_out_of_the_figures_and_stay_in_the_map():
    body = Part(box((0, 0, 0.2), (10, 10, 30)))
    ground = Part(box((-5, -5, -20), (15, 15, 0)))
    found = gap_map(body, ground, contact_mm=0.5, within_mm=5)
    assert found.mean_mm == pytest.approx(0.2, abs=1e-6)
    assert found.max_mm == pytest.approx(0.2, abs=1e-6)
    assert found.contact_share == 1
    assert found.gap_mm.max() == pytest.approx(30, abs=1e-5)


def test_moving_both_changes_nothing():
    body, ground = part(ball(10, finer=3)), part(box((-20, -20, -40), (20, 20, -9)))
    here, there = gap_map(body, ground, 1), gap_map(body.moved(SCANNER), ground.moved(SCANNER), 1)
    assert there.mean_mm == pytest.approx(here.mean_mm, abs=1e-9)
    assert there.p95_mm == pytest.approx(here.p95_mm, abs=1e-9)
    assert np.allclose(there.gap_mm, here.gap_mm, atol=1e-6)


def test_nothing_near_is_refused_with_the_distance():
    with pytest.raises(StepFailed, match=r"nearest lies 30\.000 mm"):
        gap_map(Part(sheet(height=30)), Part(box((-5, -5, -20), (15, 15, 0))), 1, within_mm=2)


def test_nothing_chosen_is_refused():
    body = Part(sheet())
    with pytest.raises(StepFailed, match="No point"):
        gap_map(body, body, 1, region=np.zeros(len(body.mesh.points), bool))


@pytest.mark.parametrize(("contact", "within"), [(-1, 0), (math.nan, 0), (1, -1), (1, math.inf)])
def test_lengths_are_not_negative(contact, within):
    with pytest.raises(StepFailed, match="0 mm or more"):
        gap_map(Part(sheet()), Part(sheet()), contact, within_mm=within)


def test_two_patient_spaces_are_not_mixed():
    with pytest.raises(Mismatch):
        gap_map(Part(sheet(), frame_uid="1"), Part(sheet(), frame_uid="2"), 1)


def test_a_stop_is_heard():
    def stop(_fraction: float, _text: str) -> None:
        raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        gap_map(Part(sheet()), part(ball(5), Pose.of_shift((5, 5, 20))), 1, report=stop)
