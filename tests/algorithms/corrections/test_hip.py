"""Hip templating on a socket and a femur of known measures."""

import math

import numpy as np
import pytest

from surgiplan.algorithms.corrections.hip import (
    Pelvis,
    Stem,
    cup_pose,
    cup_size,
    fitted_socket,
    fitted_stem,
    leg_after,
    tried_stems,
)
from surgiplan.algorithms.corrections.shaft import Shaft, shaft_of
from surgiplan.errors import StepFailed
from surgiplan.phantoms import Femur, Hip, mesh_of
from surgiplan.values import Part

HIP, FEMUR = Hip(), Femur()
MARKS = [HIP.landmarks[n] for n in ("right_asis", "left_asis", "right_pubic_tubercle", "left_pubic_tubercle")]
PELVIS = Pelvis.of(*MARKS, "R")
CUPS = {f"cup-{size}": float(size) for size in range(44, 66, 2)}
STEMS = [
    Stem(f"stem-{n}", top_mm=9.0 + n, tip_mm=6.0 + n, length_mm=120.0, neck_degrees=131.0, neck_mm=34.0 + n)
    for n in range(1, 9)
]


def wall(hip: Hip, count: int, noise_mm: float = 0.0) -> np.ndarray:
    """Places on the inner wall of a socket."""
    rng = np.random.default_rng(2)
    ways = rng.normal(size=(count, 3))
    ways -= np.maximum(ways @ hip.axis + 0.05, 0)[:, None] * 2 * hip.axis
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    return np.asarray(hip.centre) + hip.rim_radius_mm * ways + rng.normal(scale=noise_mm, size=(count, 3))


@pytest.fixture(scope="module")
def canal() -> Shaft:
    body = Part(mesh_of(FEMUR.canal, FEMUR.canal.box, 1.0))
    low, high = (np.asarray(p) for p in FEMUR.canal_ends)
    return shaft_of(body, high, low)


def test_the_pelvic_frame_is_that_of_the_pelvis() -> None:
    right, ahead, up = HIP.pelvic_axes.T
    for found, truth in ((PELVIS.outwards, right), (PELVIS.ahead, ahead), (PELVIS.upwards, up)):
        assert (
            math.degrees(math.acos(min(found @ truth, 1))) < 0.9
        )  # its knobs lie up to 3 mm apart in height
    left = Pelvis.of(*MARKS, "L")
    assert np.allclose(left.outwards, -PELVIS.outwards)
    with pytest.raises(StepFailed, match="change the two landmarks over"):
        Pelvis.of(MARKS[1], MARKS[0], *MARKS[2:], "R")


@pytest.mark.parametrize("side", ["R", "L"])
def test_radiographic_angles_go_there_and_back(side: str) -> None:
    pelvis = Pelvis.of(*MARKS, side)
    for angles in ((40, 15), (45, 20), (50, 25), (30, 25), (40, -5)):
        assert pelvis.radiographic(pelvis.cup_axis(*angles)) == pytest.approx(angles, abs=1e-9)


def test_the_axis_of_the_cup_is_the_phantom_s() -> None:
    plain = Pelvis(*HIP.pelvic_axes.T)
    axis = plain.cup_axis(HIP.inclination_deg, HIP.anteversion_deg)
    assert np.allclose(axis, HIP.axis, atol=1e-12)
    pose = cup_pose(HIP.centre, axis)
    assert np.allclose(pose.rotation[:, 2], HIP.axis)
    assert np.allclose(pose.apply((0, 0, 0)), HIP.centre)


@pytest.mark.parametrize("radius", [24.6, 25.5, 27.1])
def test_the_socket_is_fitted_and_the_right_cup_picked(radius: float) -> None:
    hip = Hip(rim_radius_mm=radius)
    exact = fitted_socket(wall(hip, 12))
    assert exact.diameter_mm == pytest.approx(2 * radius, abs=1e-6)
    assert np.allclose(exact.centre, hip.centre, atol=1e-6)
    noisy = fitted_socket(wall(hip, 60, 0.4))
    assert noisy.diameter_mm == pytest.approx(2 * radius, abs=0.4)
    assert cup_size(exact.diameter_mm, CUPS) == f"cup-{2 * math.ceil(radius)}"


def test_sockets_that_are_none_are_refused() -> None:
    with pytest.raises(StepFailed, match="in one plane"):
        fitted_socket([(0, 0, 0), (10, 0, 0), (0, 10, 0), (10, 10, 0)])
    with pytest.raises(StepFailed, match="has 3 points"):
        fitted_socket([(0, 0, 0), (10, 0, 0), (0, 10, 0)])
    with pytest.raises(StepFailed, match="do not lie on the sphere"):
        fitted_socket(wall(Hip(rim_radius_mm=60.0), 20))
    with pytest.raises(StepFailed, match="no cup of the catalogue"):
        cup_size(70.0, CUPS)


def largest(room_mm: float, radius: float, depth_to_top: float) -> str:
    """The largest stem that a canal of one radius takes, whose top lies so far below the stem's origin."""
    fitting = [one for one in STEMS if one.radius(max(depth_to_top, 0.0)) <= radius - room_mm]
    return fitting[-1].item


@pytest.mark.parametrize(("longer", "head"), [(0.0, 0.0), (6.0, 0.0), (-4.0, 3.5)])
def test_the_stem_is_the_largest_and_gives_the_wanted_length(
    canal: Shaft, longer: float, head: float
) -> None:
    tried = tried_stems(
        STEMS, canal, FEMUR.head_centre_lps, HIP.centre, PELVIS, longer_mm=longer, head_mm=head
    )
    found = fitted_stem(tried)
    leg = leg_after(FEMUR.head_centre_lps, found.head, HIP.centre, np.array(FEMUR.canal_ends), PELVIS)
    assert leg.lengthening_mm == pytest.approx(longer, abs=1e-6)
    assert np.allclose(leg.pose.apply(found.head), HIP.centre)
    top = np.asarray(FEMUR.canal_ends[1]) - found.pose.shift
    assert found.stem.item == largest(0.0, FEMUR.canal_radius_mm, float(top @ -FEMUR.shaft_axis))
    assert 0 <= found.room_mm < 0.5
    assert np.allclose(found.pose.rotation[:, 2], -FEMUR.shaft_axis, atol=1e-3)


def test_a_longer_head_lengthens_the_leg_and_widens_the_offset(canal: Shaft) -> None:
    native, cup = FEMUR.head_centre_lps, HIP.centre
    stem = fitted_stem(tried_stems(STEMS, canal, native, cup, PELVIS))
    legs = []
    for head in (0.0, 7.0):
        new = stem.pose.apply(stem.stem.head(head))
        legs.append(leg_after(native, new, cup, np.array(FEMUR.canal_ends), PELVIS))
    out, up = 7 * math.sin(math.radians(131)), -7 * math.cos(math.radians(131))
    assert legs[1].femoral_offset_mm - legs[0].femoral_offset_mm == pytest.approx(out, abs=1e-2)
    gained = math.hypot(
        legs[1].lengthening_mm - legs[0].lengthening_mm, legs[1].hip_offset_mm - legs[0].hip_offset_mm
    )
    assert gained == pytest.approx(math.hypot(out, up), abs=0.3)  # the rest goes to the front
    assert legs[1].lengthening_mm > legs[0].lengthening_mm


def test_a_cup_that_moves_up_shortens_the_leg() -> None:
    native = FEMUR.head_centre_lps
    raised = np.asarray(HIP.centre) + 5.0 * PELVIS.upwards - 3.0 * PELVIS.outwards
    leg = leg_after(native, native, raised, np.array(FEMUR.canal_ends), PELVIS)
    assert (leg.lengthening_mm, leg.hip_offset_mm, leg.femoral_offset_mm) == pytest.approx(
        (-5, -3, 0), abs=1e-9
    )


def test_a_canal_that_no_stem_fits_is_refused(canal: Shaft) -> None:
    thick = [Stem("thick", 20.0, 18.0, 120.0, 131.0, 36.0)]
    tried = tried_stems(thick, canal, FEMUR.head_centre_lps, HIP.centre, PELVIS)
    with pytest.raises(StepFailed, match=r"the smallest is \d\.\d mm too thick"):
        fitted_stem(tried)
