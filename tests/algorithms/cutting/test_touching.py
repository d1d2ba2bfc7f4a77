import numpy as np
import pytest

from surgiplan.algorithms.cutting.bore import swept_mesh
from surgiplan.algorithms.cutting.path import saw
from surgiplan.algorithms.cutting.ribbon import ribbon
from surgiplan.algorithms.cutting.touching import TOUCH_MM, swept_drill, swept_saw, touched
from surgiplan.values import Part
from tests.algorithms.bodies import box, part

BLOCK = box((0, 0, 0), (40, 30, 20))
BELOW = box((0, 0, -30), (40, 30, -2))  # soft tissue 2 mm under the bone
DOWN = np.array((0.0, 0.0, -1.0))
WAY = np.array([(10.0, 15.0, 20.0), (30.0, 15.0, 20.0)])
ORIGIN = np.zeros(3)


def blade(**given) -> Part:
    saw_ = {"thick_mm": 1.0, "depth_mm": 12.0, "spread_mm": 0.0, "stroke_mm": 0.0}
    saw_ |= {"length_mm": 40.0, "handle_mm": 10.0}
    body = swept_saw(WAY, DOWN, **(saw_ | given), centre=ORIGIN)
    return Part(swept_mesh(body, ORIGIN))


def kerf_of(depth: float) -> Part:
    into = np.broadcast_to(DOWN, WAY.shape)
    return saw(part(BLOCK), ribbon(WAY, into, (0.5, 0.5), (2.0, depth)), "slot").kerf


def test_a_saw_in_its_own_kerf_touches_nothing():
    found = touched(blade(), part(BLOCK), kerf_of(12.0))
    assert found.depth_mm == 0.0
    assert found.clearance_mm <= TOUCH_MM


@pytest.mark.parametrize(("given", "beyond"), [({"spread_mm": 3.0}, 3.0), ({"stroke_mm": 2.0}, 2.0)])
def test_a_swing_or_stroke_beyond_the_kerf_is_told_in_mm(given, beyond):
    """A flat end of a blade 1 mm thick in bone: its middle is `beyond` away from the end of the kerf."""
    found = touched(blade(**given), part(BLOCK), kerf_of(12.0))
    assert found.depth_mm == pytest.approx(beyond, abs=0.02)


def test_soft_tissue_below_the_bone():
    tissue = part(BELOW)
    assert touched(blade(depth_mm=19.0), tissue, None).clearance_mm == pytest.approx(3.0, abs=0.01)
    assert touched(blade(depth_mm=26.0), tissue, None).depth_mm == pytest.approx(4.0, abs=0.01)


def test_a_blade_that_is_too_short_brings_the_handle_into_the_bone():
    deep = touched(blade(length_mm=9.0), part(BLOCK), kerf_of(12.0))
    assert deep.depth_mm == pytest.approx(3.0, abs=0.02)
    assert touched(blade(length_mm=13.0), part(BLOCK), kerf_of(12.0)).depth_mm == 0.0


def test_a_drill_and_its_chuck():
    way = np.array([(20.0, 15.0, 20.0), (20.0, 15.0, -1.0)])

    def drill(length: float) -> Part:
        return Part(swept_mesh(swept_drill(way, 4.0, 118.0, length, 10.0, ORIGIN), ORIGIN))

    hole = Part(box((17.5, 12.5, -1), (22.5, 17.5, 21)))
    assert touched(drill(60.0), part(BELOW), None).clearance_mm == pytest.approx(1.0, abs=0.01)
    assert touched(drill(60.0), part(BLOCK), hole).depth_mm == 0.0
    assert touched(drill(18.0), part(BLOCK), hole).depth_mm == pytest.approx(2.5, abs=0.1)
