"""Where shapes cross a slice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.scene import Frame, Outline
from surgiplan.scene.items import PlaneMark
from surgiplan.scene.outlines import outline, quad_trace
from surgiplan.values import IDENTITY, Mesh, Plane, Pose

from .steps import box, cost_of, torus

SHEET = Frame((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
RING = torus(120, 60)
numbers = st.floats(-8, 8)
poses = st.builds(
    lambda axis, degrees, shift: Pose.of_shift(shift).after(Pose.of_rotation(axis, degrees)),
    st.tuples(numbers, numbers, numbers).filter(lambda v: np.linalg.norm(v) > 0.1),
    st.floats(-180, 180),
    st.tuples(numbers, numbers, numbers),
)


def length(segments: np.ndarray) -> float:
    return float(np.linalg.norm(segments[:, 1].astype(float) - segments[:, 0], axis=1).sum())


def test_a_box_is_cut_in_its_rectangle() -> None:
    segments = outline(box((-3, -2, -5), (4, 6, 5)), IDENTITY, SHEET)
    assert length(segments) == pytest.approx(2 * (7 + 8))
    assert segments.reshape(-1, 2).min(axis=0) == pytest.approx((-3, -2))
    assert segments.reshape(-1, 2).max(axis=0) == pytest.approx((4, 6))


def test_a_ring_is_cut_in_two_circles() -> None:
    segments = outline(RING, IDENTITY, SHEET)
    assert length(segments) == pytest.approx(2 * np.pi * (80 + 40), rel=2e-3)
    radii = np.linalg.norm(segments.reshape(-1, 2), axis=1)
    assert np.abs(np.minimum(abs(radii - 80), abs(radii - 40))).max() < 0.1


@given(poses)
def test_a_moved_shape_is_cut_as_if_its_points_were_moved(pose: Pose) -> None:
    moved = Mesh(pose.apply(RING.points).astype(np.float32), RING.triangles)
    given_pose, given_points = outline(RING, pose, SHEET), outline(moved, IDENTITY, SHEET)
    assert length(given_pose) == pytest.approx(length(given_points), abs=0.05)


@given(poses)
def test_the_outline_of_a_closed_shape_is_closed(pose: Pose) -> None:
    segments = outline(RING, pose, SHEET)
    if len(segments):
        ends, counts = np.unique(np.round(segments.reshape(-1, 2), 2), axis=0, return_counts=True)
        assert len(ends)
        assert np.mean(counts % 2 == 0) > 0.98  # rounding parts a few ends


@given(poses)
def test_the_outline_lies_on_the_shape(pose: Pose) -> None:
    segments = outline(RING, pose, SHEET)
    points = pose.inverse.apply(SHEET.to_lps(segments.reshape(-1, 2)))
    ring = np.hypot(np.hypot(points[:, 0], points[:, 1]) - 60, points[:, 2])
    assert np.abs(ring - 20).max(initial=0.0) < 0.2


def test_a_shape_beside_the_slice_leaves_nothing() -> None:
    assert outline(RING, Pose.of_shift((0, 0, 100)), SHEET).shape == (0, 2, 2)
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    assert outline(empty, IDENTITY, SHEET).shape == (0, 2, 2)


def test_the_same_cut_is_made_once() -> None:
    again = Mesh(RING.points.copy(), RING.triangles.copy())
    assert outline(RING, IDENTITY, SHEET) is outline(again, IDENTITY, SHEET)
    assert not outline(RING, IDENTITY, SHEET).flags.writeable


def test_a_large_mesh_is_cut_in_under_5_ms() -> None:
    mesh = torus(450, 222)
    assert len(mesh.triangles) > 199_000
    outline(mesh, IDENTITY, SHEET)

    def cut(n: int) -> None:
        assert len(outline(mesh, Pose.of_rotation((1, 2, 3), 3.0 * n + 1), SHEET)) > 500

    assert cost_of(cut, goal=0.005) < 0.005


def test_the_square_of_a_plane_leaves_a_line() -> None:
    mark = PlaneMark("cut", "plane", Plane((1.0, 2.0, 0.0), (1.0, 0.0, 0.0)), 5.0, "#FFFFFF")
    (trace,) = quad_trace(mark.corners_lps, SHEET)
    assert trace[:, 0] == pytest.approx((1, 1))
    assert sorted(trace[:, 1]) == pytest.approx((-3, 7))
    away = PlaneMark("cut", "plane", Plane((0.0, 0.0, 9.0), (0.0, 0.0, 1.0)), 5.0, "#FFFFFF")
    assert len(quad_trace(away.corners_lps, SHEET)) == 0


def test_a_dimmed_outline_is_drawn_with_gaps() -> None:
    segments = outline(RING, IDENTITY, SHEET)
    whole, dimmed = (Outline("ring", "#FFFFFF", segments, d) for d in (False, True))
    assert whole.dashes(5.0) is segments
    assert 0.3 < len(dimmed.dashes(5.0)) / len(segments) < 0.7


def test_the_corners_of_a_plane_lie_on_it() -> None:
    mark = PlaneMark("cut", "plane", Plane((1.0, 2.0, 3.0), (1.0, 2.0, -0.5)), 7.0, "#FFFFFF")
    assert np.abs(mark.plane.distance(mark.corners_lps)).max() < 1e-9
    assert np.linalg.norm(np.diff(mark.corners_lps, axis=0), axis=1) == pytest.approx([14.0] * 3)
