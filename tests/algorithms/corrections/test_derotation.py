"""Derotation: the version that is measured afterwards is the target."""

import math

import numpy as np
import pytest

from surgiplan.algorithms.corrections.derotation import derotation
from surgiplan.algorithms.measures import lines
from surgiplan.errors import StepFailed
from surgiplan.phantoms import Femur, Tibia

FEMUR = Femur(version_deg=38.0)


def version(distal_moved=None, proximal_moved=None) -> float:
    """Version of the neck against the line behind the condyles, seen along the shaft."""
    marks = FEMUR.landmarks
    down = distal_moved.apply if distal_moved else np.asarray
    up = proximal_moved.apply if proximal_moved else np.asarray
    turned = lines.angle_projected(
        down(marks["lateral_condyle_posterior"]),
        down(marks["medial_condyle_posterior"]),
        up(marks["neck_base"]),
        up(marks["head_centre"]),
        marks["shaft_distal"],
        marks["shaft_proximal"],
    ).value
    return -turned  # a right femur: to the front is clockwise from above


@pytest.mark.parametrize("target", [15.0, 0.0, 50.0])
@pytest.mark.parametrize("turns", ["distal", "proximal"])
def test_the_femur_has_the_target_version_afterwards(target: float, turns: str) -> None:
    assert version() == pytest.approx(38.0, abs=1e-9)
    marks = FEMUR.landmarks
    ends = (marks["shaft_proximal"], marks["shaft_distal"])
    level = (np.asarray(ends[0]) + ends[1]) / 2 + (6.0, 3.0, 0.0)
    found = derotation(*ends, level, 38.0, target, "R", "femur", turns)
    moved = {f"{turns}_moved": found.pose}
    assert version(**moved) == pytest.approx(target, abs=1e-6)
    assert np.allclose(found.cut.normal, FEMUR.shaft_axis)
    assert abs(found.outwards_degrees) == pytest.approx(abs(target - 38.0))
    assert np.allclose(found.pose.apply(ends[0]), ends[0])  # the axis stays


def test_a_femur_with_too_much_anteversion_has_its_knee_turned_outwards() -> None:
    marks = FEMUR.landmarks
    ends = (marks["shaft_proximal"], marks["shaft_distal"])
    found = derotation(*ends, np.mean(ends, axis=0), 38.0, 15.0, "R")
    assert found.outwards_degrees == pytest.approx(23.0)
    ahead = FEMUR.pose.rotation @ (0.0, -1.0, 0.0)
    outwards = FEMUR.pose.rotation @ (-1.0, 0.0, 0.0)
    assert (found.pose.rotation @ ahead) @ outwards == pytest.approx(math.sin(math.radians(23.0)))


@pytest.mark.parametrize("side", ["R", "L"])
def test_the_tibia_has_the_target_torsion_afterwards(side: str) -> None:
    bone = Tibia(torsion_deg=40.0)
    flip = np.array([1.0 if side == "R" else -1.0, 1.0, 1.0])
    marks = {name: np.asarray(place) * flip for name, place in bone.landmarks.items()}
    ends = (marks["tibial_shaft_proximal"], marks["tibial_shaft_distal"])

    def torsion(pose=None) -> float:
        ankle = [marks[f"{name}_malleolus"] for name in ("medial", "lateral")]
        ankle = [pose.apply(p) for p in ankle] if pose else ankle
        line = (marks["medial_plateau_edge"], marks["lateral_plateau_edge"])
        turned = lines.angle_projected(*line, *ankle, ends[1], ends[0]).value
        return -turned if side == "R" else turned

    assert torsion() == pytest.approx(40.0, abs=1e-6)
    found = derotation(*ends, np.mean(ends, axis=0), 40.0, 25.0, side, "tibia")
    assert torsion(found.pose) == pytest.approx(25.0, abs=1e-6)
    assert found.outwards_degrees == pytest.approx(-15.0)


def test_it_refuses_what_it_cannot_do() -> None:
    ends = ((0.0, 0.0, 100.0), (0.0, 0.0, 0.0))
    with pytest.raises(StepFailed, match=r"20\.0 mm beyond the end"):
        derotation(*ends, (0, 0, 120), 30, 15, "R")
    with pytest.raises(StepFailed, match="nothing to turn"):
        derotation(*ends, (0, 0, 50), 15, 15, "R")
    with pytest.raises(StepFailed, match="has no direction"):
        derotation(ends[0], ends[0], (0, 0, 50), 30, 15, "R")
