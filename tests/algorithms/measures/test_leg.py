import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.algorithms.measures.definition import Given
from surgiplan.algorithms.measures.registry import DEFINITIONS
from surgiplan.errors import NeedsHand, StepFailed
from surgiplan.values import Landmarks, Measurement, Places
from tests.algorithms.bodies import random_pose

from .legs import Leg

LEG = Leg()
TRUTH = {
    "leg.hka": "hka_deg",
    "leg.mldfa": "mldfa_deg",
    "leg.mpta": "mpta_deg",
    "leg.jlca": "jlca_deg",
    "tibia.slope": "slope_deg",
    "tibia.torsion": "torsion_deg",
}
sides = st.sampled_from(["left", "right"])


def measured(name: str, landmarks: Landmarks, frame: str = "") -> Measurement:
    found = DEFINITIONS[name].measure(Given(landmarks=landmarks, frame=frame))
    assert isinstance(found, Measurement)
    return found


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", TRUTH)
def test_a_leg_has_the_angles_it_was_built_with(name: str, side: str) -> None:
    """The frontal plane of this leg is that of its scan: it stands upright."""
    frame = "patient" if name.startswith("leg.") else ""
    found = measured(name, LEG.landmarks(side), frame)
    assert found.value == pytest.approx(getattr(LEG, TRUTH[name]), abs=1e-9)
    assert (found.unit, found.id) == ("deg", name)
    assert found.landmarks
    assert found.expected_error is not None


@settings(max_examples=30, deadline=None)
@given(
    hka=st.floats(-15, 12),
    mldfa=st.floats(80, 96),
    mpta=st.floats(78, 96),
    side=sides,
    seed=st.integers(0, 2**32 - 1),
)
def test_what_the_axes_leave_is_the_joint_line(hka, mldfa, mpta, side, seed) -> None:
    """HKA = MPTA - mLDFA - JLCA holds in any frontal plane and any pose."""
    leg = Leg(hka, mldfa, mpta)
    here, there = leg.landmarks(side), leg.landmarks(side, random_pose(seed, 500))
    for frame in ("condyles", "plateau"):
        value = {
            name: measured(f"leg.{name}", here, frame).value for name in ("hka", "mldfa", "mpta", "jlca")
        }
        assert value["hka"] == pytest.approx(value["mpta"] - value["mldfa"] - value["jlca"], abs=1e-9)
        for name in (*TRUTH, "leg.mad", "leg.wbl"):
            usual = frame if name.startswith("leg.") else ""
            assert measured(name, there, usual).value == pytest.approx(
                measured(name, here, usual).value, abs=1e-6
            )


@pytest.mark.parametrize("side", ["left", "right"])
def test_varus_is_negative_and_brings_the_load_to_medial(side: str) -> None:
    bowed, straight = Leg(hka_deg=-8.0), Leg(hka_deg=0.0)
    assert measured("leg.hka", bowed.landmarks(side)).value < -7.5
    assert (
        measured("leg.mad", bowed.landmarks(side)).value
        > 10
        > measured("leg.mad", straight.landmarks(side)).value
    )
    assert measured("leg.wbl", bowed.landmarks(side)).value < 35


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("percent", [0.0, 37.5, 62.5, 100.0, 130.0])
def test_the_load_crosses_the_plateau_where_it_was_made_to(side: str, percent: float) -> None:
    medial, lateral = np.array([-38.0, 4.0, 2.0]), np.array([37.0, -6.0, -1.0])
    at = medial + percent / 100 * (lateral - medial)
    sign = np.array([-1.0 if side == "right" else 1.0, 1, 1])
    places = {
        "head_centre": at + np.array([5.0, -20.0, 430.0]),
        "ankle_centre": at + np.array([-4.3, 33.0, -369.8]),
        "medial_plateau_edge": medial,
        "lateral_plateau_edge": lateral,
    }
    landmarks = Landmarks(Places({name: place * sign for name, place in places.items()}), side=side)  # type: ignore[arg-type]
    assert measured("leg.wbl", landmarks, "patient").value == pytest.approx(percent, abs=0.01)


def test_the_distance_of_the_axis_is_that_of_plane_geometry() -> None:
    places = {
        "head_centre": (0.0, 9.0, 400.0),
        "ankle_centre": (0.0, -5.0, -400.0),
        "tibial_spine_centre": (-8.0, 3.0, 0.0),
    }
    right = Landmarks(Places(places), side="right")
    assert measured("leg.mad", right, "patient").value == pytest.approx(8.0)
    left = Landmarks(Places(places), side="left")
    assert measured("leg.mad", left, "patient").value == pytest.approx(-8.0)


def test_all_axes_are_told_side_by_side() -> None:
    found = DEFINITIONS["leg.axes"].measure(Given(landmarks=LEG.landmarks()))
    assert list(found) == ["hka", "mldfa", "mpta", "jlca", "mad", "wbl"]
    assert list(found) == list(DEFINITIONS["leg.axes"].outputs)
    assert found["hka"] == measured("leg.hka", LEG.landmarks())


def test_the_expected_error_is_what_shaky_hands_give() -> None:
    leg = LEG.landmarks(error_mm=0.5)
    for name in ("leg.hka", "leg.mpta", "leg.wbl", "leg.mad", "tibia.slope"):
        told = measured(name, leg).expected_error
        chance = np.random.default_rng(3)
        values = []
        for _ in range(1500):
            shaken = {one: np.add(at, chance.normal(0, 0.5, 3)) for one, at in leg.places.items()}
            values.append(measured(name, Landmarks(Places(shaken), side="right")).value)
        assert told == pytest.approx(float(np.std(values)), rel=0.1)


def test_what_is_missing_or_wrong_is_named() -> None:
    leg = LEG.landmarks()
    without = Landmarks(leg.places.without("ankle_centre"), side="right")
    with pytest.raises(NeedsHand, match="landmark ankle_centre is not placed yet"):
        measured("leg.hka", without)
    with pytest.raises(NeedsHand, match=r"HKA.*choose a step that names them"):
        DEFINITIONS["leg.hka"].measure(Given())
    with pytest.raises(StepFailed, match="belongs to one side: choose left or right"):
        measured("leg.hka", Landmarks(leg.places))
    with pytest.raises(StepFailed, match="not told in the frame shaft: choose one of condyles, plateau, pat"):
        measured("leg.hka", leg, "shaft")
    with pytest.raises(StepFailed, match="behind the posterior one on a left leg"):
        measured("tibia.slope", Landmarks(leg.places, side="left"))
    flat = leg.places.put("head_centre", leg.places["ankle_centre"])
    with pytest.raises(StepFailed, match="has no direction"):
        measured("leg.hka", Landmarks(flat, side="right"))
