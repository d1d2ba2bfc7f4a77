from math import acos, degrees

import numpy as np
import pytest

from surgiplan.phantoms import Femur, Hip
from surgiplan.phantoms.shape import Shape

HIP = Hip()


def rim(hip: Hip, count: int = 720) -> np.ndarray:
    axis = hip.axis
    one = np.cross(axis, (0.3, 0.5, 0.8))
    one /= np.linalg.norm(one)
    other = np.cross(axis, one)
    turn = 2 * np.pi * np.arange(count) / count
    around = np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * other
    return np.asarray(hip.centre) + hip.rim_radius_mm * around


@pytest.mark.parametrize(
    ("radiographic", "operative", "anatomical"),
    [
        ((40, 15), (38.38, 19.28), (42.27, 22.63)),
        ((45, 20), (41.64, 27.24), (48.36, 27.24)),
        ((50, 25), (43.97, 35.96), (54.37, 31.33)),
        ((30, 25), (26.95, 28.30), (38.29, 43.00)),
        ((40, 5), (39.82, 6.52), (40.26, 7.75)),
    ],
)
def test_murray_s_definitions_by_golden_values(radiographic, operative, anatomical):
    hip = Hip(inclination_deg=radiographic[0], anteversion_deg=radiographic[1])
    for found, truth in ((hip.operative, operative), (hip.anatomical, anatomical)):
        assert (found.inclination_deg, found.anteversion_deg) == pytest.approx(truth, abs=0.006)
    assert (hip.radiographic.inclination_deg, hip.radiographic.anteversion_deg) == radiographic


def test_angles_measured_from_the_plane_and_the_axis_in_the_patient():
    marks = {name: np.asarray(p) for name, p in HIP.landmarks.items()}
    right = marks["right_asis"] - marks["left_asis"]
    tubercles = (marks["right_pubic_tubercle"] + marks["left_pubic_tubercle"]) / 2
    forward = np.cross(marks["left_asis"] - tubercles, marks["right_asis"] - tubercles)
    forward /= np.linalg.norm(forward)
    forward *= np.sign(-forward[1])
    plane = HIP.anterior_pelvic_plane
    assert np.allclose(forward, plane.normal)
    lateral = HIP.pelvic_axes[:, 0]
    cranial = HIP.pelvic_axes[:, 2]
    assert right @ lateral > 200
    assert np.degrees(np.arcsin(HIP.axis @ forward)) == pytest.approx(HIP.anteversion_deg, abs=1e-9)
    seen = np.degrees(np.arctan2(HIP.axis @ lateral, -HIP.axis @ cranial))
    assert seen == pytest.approx(HIP.inclination_deg, abs=1e-9)


def test_the_pelvic_plane_touches_all_four_knobs_in_front():
    plane = HIP.anterior_pelvic_plane
    points = HIP.mesh(1.5).points_lps
    assert plane.distance(points).max() < 0.02
    for name, p in HIP.landmarks.items():
        if name != "cup_centre":
            assert plane.distance(p).item() == pytest.approx(0.0, abs=1e-9)
            assert abs(HIP.surface_distance(p)) < 1e-9
            assert np.linalg.norm(points - p, axis=1).min() < 1.5


def test_the_cup_is_a_hemisphere_with_its_rim_in_a_plane():
    edge = rim(HIP)
    assert np.abs(HIP.rim_plane.distance(edge)).max() < 1e-9
    assert np.abs(HIP.surface_distance(edge)).max() < 1e-9
    way = np.random.default_rng(0).normal(size=(2000, 3))
    way /= np.linalg.norm(way, axis=1)[:, None]
    hollow = np.asarray(HIP.centre) + HIP.rim_radius_mm * way[way @ HIP.axis < 0]
    assert np.abs(HIP.surface_distance(hollow)).max() < 1e-9


def test_it_holds_the_head_of_the_femur_with_a_gap():
    femur = Femur()
    assert femur.head_centre_lps == HIP.centre
    assert femur.frame_uid == HIP.frame_uid
    assert HIP.rim_radius_mm - femur.head_radius_mm == 2.5
    assert HIP.axis[0] < 0  # out of the cup is to the right,
    assert HIP.axis[2] < 0  # and down


def overlap_mm(hip: Hip, neck: Shape) -> float:
    """How deep the rim and the face beside it reach into the neck."""
    edge = rim(hip)
    outwards = (edge - hip.centre) / hip.rim_radius_mm
    face = np.concatenate([edge + out * outwards for out in np.linspace(0, hip.wall_mm, 13)])
    return float(-neck.field(face).min())


@pytest.mark.parametrize(("neck", "rim_radius"), [(6.0, 14.0), (8.0, 25.5)])
def test_the_neck_touches_the_rim_at_the_angle_by_formula(neck, rim_radius):
    hip = Hip(rim_radius_mm=rim_radius)
    theta = hip.first_contact_deg(neck)
    assert theta == pytest.approx(degrees(acos(neck / rim_radius)))
    side = np.cross(hip.axis, rim(hip, 5)[2] - np.asarray(hip.centre))
    side = np.cross(side / np.linalg.norm(side), hip.axis)

    def at(angle: float) -> float:
        direction = np.cos(np.radians(angle)) * hip.axis + np.sin(np.radians(angle)) * side
        return overlap_mm(
            hip, hip.ball_and_neck(direction, neck, head_radius_mm=rim_radius - 2, length_mm=90)
        )

    low, high = 10.0, 89.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if at(middle) > 0 else (middle, high)
    assert low == pytest.approx(theta, abs=0.02)


def test_the_golden_contact_angle():
    assert Hip(rim_radius_mm=14.0).first_contact_deg(6.0) == pytest.approx(64.623, abs=5e-4)
