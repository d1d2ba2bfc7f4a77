"""High tibial osteotomy on a leg of known axes."""

import math

import numpy as np
import pytest

from surgiplan.algorithms.corrections.osteotomy import Leg, high_tibial_osteotomy
from surgiplan.errors import StepFailed
from surgiplan.phantoms import Tibia
from surgiplan.values import vec3

# a leg in the frontal plane of a patient who stands straight: x to the left (medial of a right leg), z up
PLAIN = Leg(
    hip=(10.0, 0.0, 850.0), medial=(38.0, 0.0, 400.0), lateral=(-38.0, 0.0, 400.0), ankle=(30.0, 0.0, 30.0)
)
HINGE, CORTEX = (-30.0, 0.0, 378.0), (36.0, 0.0, 358.0)


def leg_of(bone: Tibia) -> Leg:
    marks = bone.landmarks
    return Leg(
        *(marks[n] for n in ("head_centre", "medial_plateau_edge", "lateral_plateau_edge", "ankle_centre"))
    )


def mirrored(leg: Leg) -> Leg:
    return Leg(*(vec3((-p[0], p[1], p[2])) for p in (leg.hip, leg.medial, leg.lateral, leg.ankle)))


def miniaci(leg: Leg, hinge: tuple[float, ...], percent: float) -> tuple[float, float]:
    """Angle and gap per mm of the cortex by Miniaci's circle, in the plane x, z alone."""
    flat = {
        n: np.array([p[0], p[2]])
        for n, p in zip("hmla", (leg.hip, leg.medial, leg.lateral, leg.ankle), strict=True)
    }
    p = np.array([hinge[0], hinge[2]])
    target = flat["m"] + percent / 100 * (flat["l"] - flat["m"])
    way = target - flat["h"]
    away = flat["h"] - p
    a, b, c = way @ way, 2 * away @ way, away @ away - (flat["a"] - p) @ (flat["a"] - p)
    far = (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)
    reached = flat["h"] + far * way - p
    arm = flat["a"] - p
    return abs(math.degrees(math.atan2(arm[0] * reached[1] - arm[1] * reached[0], arm @ reached))), far


@pytest.mark.parametrize("percent", [50.0, 62.5, 70.0])
def test_in_a_flat_leg_it_is_miniaci_s_construction(percent: float) -> None:
    found = high_tibial_osteotomy(PLAIN, HINGE, CORTEX, percent)
    angle, _ = miniaci(PLAIN, HINGE, percent)
    reach = math.dist(HINGE, CORTEX)
    assert found.degrees == pytest.approx(angle, abs=1e-9)
    assert found.gap_mm == pytest.approx(2 * reach * math.sin(math.radians(angle) / 2), abs=1e-9)
    assert math.dist(CORTEX, found.pose.apply(CORTEX)) == pytest.approx(found.gap_mm, abs=1e-9)
    assert found.after_percent == pytest.approx(percent, abs=1e-9)
    assert found.slope_degrees == pytest.approx(0.0, abs=1e-9)


def test_one_degree_is_one_millimetre_only_for_a_saw_of_57_mm() -> None:
    for reach, ratio in ((57.3, 1.0), (70.0, 1.22)):
        cortex = np.add(HINGE, np.array([66.0, 0, -20.0]) / math.hypot(66, 20) * reach)
        found = high_tibial_osteotomy(PLAIN, HINGE, cortex, 62.5)
        assert found.gap_mm / found.degrees == pytest.approx(ratio, abs=0.005)


def test_the_weight_bearing_line_and_the_axes_before_are_those_of_plane_geometry() -> None:
    share = (850.0 - 400.0) / (850.0 - 30.0)
    crossing = 10.0 + share * 20.0
    found = high_tibial_osteotomy(PLAIN, HINGE, CORTEX, 62.5)
    assert found.before_percent == pytest.approx(100 * (38.0 - crossing) / 76.0, abs=1e-9)
    thigh, shin = math.atan2(-10, -450), math.atan2(30, -370)
    assert found.before_degrees == pytest.approx(
        -abs(math.degrees(math.remainder(shin - thigh, math.tau))), abs=1e-9
    )
    assert 1 < found.after_degrees < 5  # 62.5 % is 3 to 5 degrees of valgus in most legs


def test_a_left_leg_is_a_right_leg_in_a_mirror() -> None:
    right = high_tibial_osteotomy(PLAIN, HINGE, CORTEX, 62.5)
    left = high_tibial_osteotomy(mirrored(PLAIN), (30.0, 0.0, 378.0), (-36.0, 0.0, 358.0), 62.5)
    for name in ("degrees", "gap_mm", "before_percent", "after_percent", "before_degrees", "after_degrees"):
        assert getattr(left, name) == pytest.approx(getattr(right, name), abs=1e-9), name


@pytest.mark.parametrize("varus", [4.0, 9.0, 14.0])
def test_a_leg_that_lies_oblique_in_the_patient_reaches_its_target_and_keeps_its_slope(varus: float) -> None:
    bone = Tibia(varus_deg=varus)
    found = high_tibial_osteotomy(leg_of(bone), bone.hinge, bone.cortex, 62.5)
    assert found.before_percent < 62.5
    assert found.after_percent == pytest.approx(62.5, abs=1e-6)
    assert found.slope_degrees == pytest.approx(0.0, abs=1e-9)
    # the line drawn anew from the moved ankle, crossing counted by similar triangles in the bone's own frame
    own = bone.pose.inverse
    hip, ankle = (
        own.apply(bone.landmarks["head_centre"]),
        own.apply(found.pose.apply(bone.landmarks["ankle_centre"])),
    )
    crossing = hip[0] + hip[2] / (hip[2] - ankle[2]) * (ankle[0] - hip[0])
    assert 100 * (37.0 - crossing) / 73.0 == pytest.approx(62.5, abs=1e-6)


def test_a_hinge_axis_that_is_turned_changes_the_slope_by_its_sine() -> None:
    found = high_tibial_osteotomy(PLAIN, HINGE, CORTEX, 62.5, turn_degrees=20.0)
    assert found.after_percent == pytest.approx(62.5, abs=1e-9)
    assert abs(found.slope_degrees) == pytest.approx(found.degrees * math.sin(math.radians(20)), rel=0.02)


def test_closing_takes_a_wedge_out_whose_faces_meet() -> None:
    found = high_tibial_osteotomy(PLAIN, (30.0, 0.0, 370.0), (-36.0, 0.0, 372.0), 62.5, way="closing")
    assert found.after_percent == pytest.approx(62.5, abs=1e-9)
    met = found.second_cut.moved(found.pose)
    assert np.allclose(met.normal, found.cut.normal)
    assert float(found.cut.distance(met.point)) == pytest.approx(0.0, abs=1e-9)
    wedge = math.degrees(math.acos(np.dot(found.cut.normal, found.second_cut.normal)))
    assert wedge == pytest.approx(found.degrees, abs=1e-6)


def test_it_refuses_what_it_cannot_do() -> None:
    with pytest.raises(StepFailed, match="choose the opening way"):
        high_tibial_osteotomy(PLAIN, HINGE, CORTEX, 62.5, way="closing")
    with pytest.raises(StepFailed, match=r"hinge lies 0\.0 mm"):
        high_tibial_osteotomy(PLAIN, HINGE, HINGE, 62.5)
    with pytest.raises(StepFailed, match="nothing to correct"):
        high_tibial_osteotomy(PLAIN, HINGE, CORTEX, PLAIN.bearing_percent())
    swapped = Leg(PLAIN.hip, (0.0, 38.0, 400.0), (0.0, -38.0, 400.0), PLAIN.ankle)
    with pytest.raises(StepFailed, match="front to back"):
        high_tibial_osteotomy(swapped, HINGE, CORTEX, 62.5)
