import numpy as np
import pytest

from surgiplan.algorithms.measures.definition import Given
from surgiplan.algorithms.measures.registry import DEFINITIONS
from surgiplan.errors import StepFailed
from surgiplan.values import Landmarks, Measurement, Part, Places
from tests.algorithms.bodies import ball, box, part, random_pose


def skull(sna: float = 82.0, snb: float = 79.0, aside: float = 0.0) -> Landmarks:
    """S, N, A and B in one sagittal plane with these angles; A and B may lie aside of it."""
    nasion = np.array([2.0, -60.0, 20.0])
    to_sella = np.array([0.0, np.cos(0.12), -np.sin(0.12)])
    downwards = np.array([0.0, -np.sin(0.12), -np.cos(0.12)])

    def at(degrees: float, away: float) -> np.ndarray:
        turn = np.radians(degrees)
        return nasion + away * (np.cos(turn) * to_sella + np.sin(turn) * downwards) + [aside, 0, 0]

    return Landmarks(
        Places(
            {
                "nasion": nasion,
                "sella": nasion + 68 * to_sella,
                "a_point": at(sna, 58.0),
                "b_point": at(snb, 97.0),
                "left_orbitale": (34.0, -52.0, 0.0),
                "right_orbitale": (-30.0, -52.0, 0.0),
                "left_porion": (64.0, 30.0, 0.0),
                "right_porion": (-60.0, 30.0, 0.0),
                "basion": (2.0, 30.0, -25.0),
                "opisthion": (2.0, 62.0, -28.0),
            }
        ),
        "cephalometric",
    )


def told(name: str, where: Landmarks, frame: str = "", body: Part | None = None) -> Measurement:
    found = DEFINITIONS[name].measure(Given(landmarks=where, frame=frame, part=body))
    assert isinstance(found, Measurement)
    return found


@pytest.mark.parametrize("frame", ["space", "fh-sella", "fh-basion", "fh-opisthion"])
def test_a_flat_skull_has_its_angles_in_every_frame(frame: str) -> None:
    where = skull()
    for pose in (None, random_pose(5, 300)):
        placed = where if pose is None else where.moved(pose)
        assert told("skull.sna", placed, frame).value == pytest.approx(82.0, abs=1e-6)
        assert told("skull.snb", placed, frame).value == pytest.approx(79.0, abs=1e-6)
        assert told("skull.anb", placed, frame).value == pytest.approx(3.0, abs=1e-6)


def test_a_jaw_that_lies_aside_is_seen_in_the_plane_and_not_in_space() -> None:
    aside = skull(aside=6.0)
    assert told("skull.sna", aside, "fh-sella").value == pytest.approx(82.0, abs=1e-6)
    assert told("skull.sna", aside, "space").value != pytest.approx(82.0, abs=0.01)
    assert told("skull.anb", skull(78.0, 81.0)).value == pytest.approx(-3.0, abs=1e-6)


def test_three_are_told_side_by_side() -> None:
    found = DEFINITIONS["skull"].measure(Given(landmarks=skull(), frame="fh-basion"))
    assert list(found) == ["sna", "snb", "anb"]


RIM = {
    "rim_superior": (0.0, 0.0, 17.0),
    "rim_medial": (-20.0, 0.0, 0.0),
    "rim_inferior": (0.0, 0.0, -17.0),
    "rim_lateral": (20.0, 0.0, 0.0),
    "optic_canal": (-8.0, 44.0, 3.0),
}


def test_the_orbit_is_closed_by_the_plane_of_its_rim() -> None:
    """Half of a ball lies behind it, a bulging front does not count."""
    orbit = part(ball(18.0, finer=5))
    rim = Landmarks(Places(RIM), "orbit", "left", "", (0.5,) * 5)
    found = told("orbit.volume", rim, body=orbit)
    assert found.value == pytest.approx(2 / 3 * np.pi * 18**3, rel=2e-3)
    assert found.frame.startswith("rim-plane")
    # the plane shifts by sd / sqrt(4) along its normal; its tilts do not change half a ball at first order
    assert found.expected_error == pytest.approx(np.pi * 18**2 * 0.25, rel=0.02)
    pose = random_pose(2, 100)
    there = told("orbit.volume", rim.moved(pose), body=orbit.moved(pose))
    assert there.value == pytest.approx(found.value, rel=1e-5)


def test_an_orbit_needs_a_closed_body() -> None:
    rim = Landmarks(Places(RIM), "orbit", "left")
    with pytest.raises(StepFailed, match="needs a part"):
        told("orbit.volume", rim)
    open_box = box((-10, -10, -10), (10, 10, 10))
    with pytest.raises(StepFailed, match="no volume to measure"):
        told("orbit.volume", rim, body=Part(type(open_box)(open_box.points, open_box.triangles[1:])))
