"""Murray's three definitions: golden values, twelve identities, and the cup of P20 (row 19)."""

from math import asin, atan, atan2, cos, degrees, radians, sin, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.algorithms.measures.cup import METHODS, Angles
from surgiplan.algorithms.measures.definition import Given
from surgiplan.algorithms.measures.registry import DEFINITIONS
from surgiplan.errors import StepFailed
from surgiplan.phantoms import Hip
from surgiplan.values import FloatArray, Landmarks, Measurement, Places, Side
from tests.algorithms.bodies import random_pose

GOLDEN = [
    ((40, 15), (38.38, 19.28), (42.27, 22.63)),
    ((45, 20), (41.64, 27.24), (48.36, 27.24)),
    ((50, 25), (43.97, 35.96), (54.37, 31.33)),
    ((30, 25), (26.95, 28.30), (38.29, 43.00)),
    ((40, 5), (39.82, 6.52), (40.26, 7.75)),
]


@pytest.mark.parametrize(("radiographic", "operative", "anatomical"), GOLDEN)
def test_golden_values(radiographic, operative, anatomical) -> None:
    cup = Angles(*radiographic, "radiographic")
    for method, told in (("operative", operative), ("anatomical", anatomical)):
        found = cup.told(method)  # type: ignore[arg-type]
        assert found.inclination_deg == pytest.approx(told[0], abs=0.005)
        assert found.anteversion_deg == pytest.approx(told[1], abs=0.005)


@settings(max_examples=500, deadline=None)
@given(st.floats(1, 89), st.floats(1, 80))
def test_the_twelve_identities(inclination: float, anteversion: float) -> None:
    cup = Angles(inclination, anteversion, "radiographic")
    oper, anat = cup.told("operative"), cup.told("anatomical")
    ri, ra = radians(inclination), radians(anteversion)
    oi, oa = radians(oper.inclination_deg), radians(oper.anteversion_deg)
    ai, aa = radians(anat.inclination_deg), radians(anat.anteversion_deg)
    identities = (
        (sin(oi), sin(ri) * cos(ra)),
        (tan(oa), tan(ra) / cos(ri)),
        (cos(ai), cos(ri) * cos(ra)),
        (tan(aa), tan(ra) / sin(ri)),
        (tan(ri), tan(oi) / cos(oa)),
        (sin(ra), sin(oa) * cos(oi)),
        (tan(ri), tan(ai) * cos(aa)),
        (sin(ra), sin(ai) * sin(aa)),
        (sin(oi), sin(ai) * cos(aa)),
        (tan(oa), tan(ai) * sin(aa)),
        (cos(ai), cos(oi) * cos(oa)),
        (tan(aa), sin(oa) / tan(oi)),
    )
    for one, other in identities:
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(st.floats(1, 89), st.floats(-60, 80), st.sampled_from(METHODS), st.sampled_from(METHODS))
def test_every_conversion_comes_back(inclination, anteversion, method, other) -> None:
    cup = Angles(inclination, anteversion, "radiographic").told(method)
    again = cup.told(other).told(method)
    assert again.inclination_deg == pytest.approx(cup.inclination_deg, abs=1e-9)
    assert again.anteversion_deg == pytest.approx(cup.anteversion_deg, abs=1e-9)
    assert np.linalg.norm(cup.axis) == pytest.approx(1.0)


def test_tilt_changes_the_operative_anteversion_one_to_one() -> None:
    cup = Angles(40, 15, "radiographic")
    turn = radians(10)
    x, y, z = cup.axis
    for sign, ra, ri in ((1, 22.5, 42.2), (-1, 7.3, 38.7)):
        a = sign * turn
        axis = np.array([x, y * cos(a) - z * sin(a), y * sin(a) + z * cos(a)])
        before, after = cup.told("operative"), degrees(atan2(axis[1], -axis[2]))
        assert after - before.anteversion_deg == pytest.approx(sign * 10, abs=1e-9)
        assert degrees(asin(axis[1])) == pytest.approx(ra, abs=0.05)
        assert degrees(atan(-axis[0] / axis[2])) == pytest.approx(ri, abs=0.05)


def on_rim(hip: Hip, turns: tuple[float, ...], noise: float = 0.0) -> list[FloatArray]:
    axis = np.asarray(hip.rim_plane.normal)
    u = np.cross(axis, (0.0, 1.0, 0.0))
    u /= np.linalg.norm(u)
    v = np.cross(axis, u)
    ring = [np.add(hip.centre, hip.rim_radius_mm * (cos(t) * u + sin(t) * v)) for t in turns]
    return [at + np.random.default_rng(n).normal(0, noise, 3) for n, at in enumerate(ring)]


def landmarks(hip: Hip, side: Side = "right") -> Landmarks:
    """P20 by construction; mirrored for a left hip."""
    names = ("cup_rim_superior", "cup_rim_anterior", "cup_rim_posterior")
    at = dict(zip(names, on_rim(hip, (0.2, 2.4, 4.3)), strict=True)) | dict(hip.landmarks)
    at.pop("cup_centre")
    if side == "left":
        swap = {"left": "right", "right": "left"}
        at = {
            swap.get(name.partition("_")[0], name.partition("_")[0]) + name[name.index("_") :]: place
            * np.array([-1, 1, 1])
            for name, place in at.items()
        }
    return Landmarks(Places(at), "pelvis", side, "", (1.0,) * len(at))


def told(name: str, where: Landmarks, frame: str = "") -> Measurement:
    found = DEFINITIONS[name].measure(Given(landmarks=where, frame=frame))
    assert isinstance(found, Measurement)
    return found


CUPS = [(40.0, 15.0), (55.0, -12.0), (25.0, 40.0), (43.0, 19.0)]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(("inclination", "anteversion"), CUPS)
def test_row_19_the_cup_of_the_phantom(inclination, anteversion, side) -> None:
    """Within 0.05 degrees, by all three definitions, wherever the patient lies."""
    hip = Hip(inclination_deg=inclination, anteversion_deg=anteversion)
    for seed in range(20):
        where = landmarks(hip, side).moved(random_pose(seed, 500))
        for method in METHODS:
            truth = getattr(hip, method)
            for which in ("inclination", "anteversion"):
                found = told(f"cup.{which}.{method}", where)
                assert found.value == pytest.approx(getattr(truth, f"{which}_deg"), abs=1e-6)
    assert "Murray" in DEFINITIONS[f"cup.inclination.{method}"].source


def test_the_planes_of_the_scan_are_another_frame() -> None:
    hip = Hip()
    where = landmarks(hip)
    pelvic, lying = (told("cup.anteversion.radiographic", where, frame) for frame in ("app", "patient"))
    assert pelvic.value == pytest.approx(19.0, abs=1e-9)
    assert lying.value == pytest.approx(degrees(asin(-hip.axis[1])), abs=1e-9)
    assert abs(pelvic.value - lying.value) > 2
    assert pelvic.frame != lying.frame


def test_all_six_stand_side_by_side() -> None:
    found = DEFINITIONS["cup"].measure(Given(landmarks=landmarks(Hip())))
    assert len(found) == 6
    assert found["inclination_radiographic"].value == pytest.approx(43.0, abs=1e-9)
    assert found["anteversion_anatomical"].id == "cup.anteversion.anatomical"


def test_a_millimetre_at_the_rim_is_told_in_degrees() -> None:
    found = told("cup.anteversion.radiographic", landmarks(Hip()))
    assert found.expected_error is not None
    assert 1.0 < found.expected_error < 4.0


def test_three_points_on_one_line_span_no_plane() -> None:
    at = dict(landmarks(Hip()).places)
    start, end = np.asarray(at["cup_rim_superior"]), np.asarray(at["cup_rim_anterior"])
    at["cup_rim_posterior"] = tuple((start + end) / 2)
    with pytest.raises(StepFailed, match="lie on one line"):
        told("cup.inclination.radiographic", Landmarks(Places(at), side="right"))


# --- leg length and offset

PELVIS = {
    "left_teardrop": (30.0, 5.0, 0.0),
    "right_teardrop": (-30.0, 9.0, 0.0),
    "left_head_centre": (92.0, 3.0, 14.0),
    "right_head_centre": (-90.0, 6.0, 10.0),
    "left_lesser_trochanter": (88.0, 25.0, -45.0),
    "right_lesser_trochanter": (-85.0, 27.0, -57.0),
    "left_shaft_proximal": (132.0, 10.0, -60.0),
    "left_shaft_distal": (132.0, 10.0, -160.0),
    "right_shaft_proximal": (-132.0, 6.0, -60.0),
    "right_shaft_distal": (-132.0, 6.0, -160.0),
}


@pytest.mark.parametrize(
    ("name", "side", "value"),
    [
        ("hip.length.lesser_trochanter", "left", 45.0),
        ("hip.length.lesser_trochanter", "right", 57.0),
        ("hip.length.head_centre", "right", -10.0),
        ("hip.length_difference.lesser_trochanter", "", 12.0),
        ("hip.length_difference.head_centre", "", 4.0),
        ("hip.offset.acetabular", "left", 62.0),
        ("hip.offset.acetabular", "right", 60.0),
        ("hip.offset.femoral", "left", float(np.hypot(40, 7))),
        ("hip.offset.femoral", "right", 42.0),
        ("hip.offset.global", "right", 102.0),
    ],
)
def test_leg_length_and_offset(name: str, side: Side, value: float) -> None:
    frame = "" if name == "hip.offset.femoral" else "patient"
    found = told(name, Landmarks(Places(PELVIS), side=side), frame)
    assert found.value == pytest.approx(value, abs=1e-9)
    assert found.unit == "mm"


def test_a_tilted_pelvis_is_measured_along_its_teardrops() -> None:
    """Turned in its coronal plane by 6 degrees, the lengths stay what they are."""
    turn = np.radians(6.0)
    roll = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    rolled = Landmarks(Places({name: roll @ np.asarray(at) for name, at in PELVIS.items()}))
    found = told("hip.length_difference.lesser_trochanter", rolled, "patient")
    assert found.value == pytest.approx(12.0, abs=1e-9)
