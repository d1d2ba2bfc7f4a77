"""Middles of joints, on the phantoms of a leg and on faces of known extent."""

import numpy as np
import pytest
import trimesh

from surgiplan.algorithms.measures import faces, fits
from surgiplan.algorithms.measures.snapping import snap_all, snapped
from surgiplan.algorithms.measures.templates import templates
from surgiplan.errors import StepFailed
from surgiplan.phantoms import Femur, Tibia
from surgiplan.values import Part, Pose
from tests.algorithms.bodies import ball, mesh_of, part

FEMUR, TIBIA, SPINED = Femur(), Tibia(), Tibia(spine_mm=8.0)
DOWN, UP = (0.0, 0.0, -1.0), (0.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def shin() -> Part:
    return SPINED.mesh(0.8)


@pytest.mark.parametrize("off", [(0.0, 0.0, 0.0), (5.0, 3.0, 0.0), (-6.0, -4.0, 0.0)])
def test_the_ankle_is_the_middle_of_its_dome_from_wherever_on_it_the_click_is(
    shin: Part, off: tuple[float, float, float]
) -> None:
    """The phantom ends in a ball of 19 mm: seen from below its middle is its lowest place."""
    click = np.add(TIBIA.landmarks["ankle_centre"], TIBIA.pose.rotation @ off)
    for template in ("leg", "tibia", "tibial_osteotomy"):
        found = snapped(shin, click, templates()[template].mark("ankle_centre").snap, "right")
        assert np.linalg.norm(np.subtract(found.centre, np.subtract(TIBIA.dome, (0, 0, 19)))) < 0.2


def test_the_middle_of_a_face_is_that_of_its_sides_however_it_leans() -> None:
    """A box of 30 by 20 by 50 mm, turned by up to 25 degrees: the middle of its lower face."""
    box = part(mesh_of(trimesh.creation.box((30.0, 20.0, 50.0)).subdivide_to_size(2.5)))
    for axis, degrees in (((1, 0, 0), 25.0), ((0.3, 1, 0.2), -18.0)):
        leaning = box.moved(Pose.of_rotation(axis, degrees))
        click, true = leaning.pose.apply([(9.0, -6.0, -25.0), (0.0, 0.0, -25.0)])
        found = faces.middle(fits.Near(leaning), click, DOWN)
        assert found.centre == pytest.approx(tuple(true), abs=0.05)


def test_a_click_beside_the_face_is_refused_with_its_lean() -> None:
    box = part(mesh_of(trimesh.creation.box((30.0, 20.0, 50.0)).subdivide_to_size(2.5)))
    with pytest.raises(StepFailed, match="looks 90 degrees away"):
        faces.middle(fits.Near(box), (15.0, 0.0, 0.0), DOWN)


@pytest.mark.parametrize("off", [(0.0, 0.0, 0.0), (2.0, 3.0, 1.0), (-2.0, -2.0, 1.0)])
def test_the_middle_between_the_spines_of_a_tibia(shin: Part, off: tuple[float, float, float]) -> None:
    """Both spines end in balls of 6 mm: their tops lie straight over the middles of those."""
    click = np.add(SPINED.between_spines, SPINED.pose.rotation @ off)
    found = snapped(shin, click, templates()["leg"].mark("tibial_spine_centre").snap, "right")
    aside = np.subtract(found.centre, np.mean(SPINED.spine_balls, axis=0))[:2]
    assert np.abs(aside).max() < 0.2
    flat = fits.Near(TIBIA.mesh(2.0))
    with pytest.raises(StepFailed, match="does not rise on both sides"):
        faces.between(flat, TIBIA.landmarks["tibial_spine_centre"], UP, 14.0)


@pytest.mark.parametrize("off", [(0.0, 0.0, 0.0), (0.0, -8.0, 0.0), (2.0, -12.0, -2.0), (1.0, 3.0, 5.0)])
def test_the_centre_of_the_notch_lies_midway_between_the_condyles(off: tuple[float, float, float]) -> None:
    """Sideways exactly; to the front and back the condyles are nearly level over some millimetres."""
    click = np.add(FEMUR.landmarks["knee_centre"], FEMUR.pose.rotation @ off)
    for template in ("leg", "femur"):
        snap = templates()[template].mark("knee_centre").snap
        found = snapped(FEMUR.mesh(1.4), click, snap, "right")
        aside, back, _ = np.subtract(found.centre, FEMUR.landmarks["knee_centre"])
        assert abs(aside) < 0.4
        assert abs(back) < 2.0


def test_where_nothing_rises_beside_a_click_it_is_told_with_the_name_of_the_landmark() -> None:
    mark = templates()["leg"].mark("knee_centre")
    with pytest.raises(StepFailed, match="knee_centre: The bone does not rise on both sides"):
        snap_all(part(ball(20, finer=4)), {mark: (0.0, 0.0, -20.0)}, "right")
