import math

import numpy as np
import pytest

from surgiplan.algorithms.cutting.bore import bench_of, bore, tool_body
from surgiplan.errors import StepFailed
from surgiplan.values import Part
from tests.algorithms.bodies import SCANNER, ball, box, part

BLOCK = box((0, 0, 0), (40, 30, 20))


def drilled(bone: Part, kind, points, diameter, tip=118.0, back=5.0):
    centre = bench_of(bone)
    return bore(bone, tool_body(kind, SCANNER.apply(points), diameter, tip, back, centre), centre)


def test_a_blind_hole_with_its_tip():
    """5 mm wide, the tip 12 mm deep: a cylinder and a cone of 118 degrees."""
    bone = part(BLOCK, SCANNER)
    rest, chips = drilled(bone, "drill", [(20, 15, 20), (20, 15, 8)], 5.0)
    tip = 2.5 / math.tan(math.radians(59))
    truth = math.pi * 2.5**2 * (12 - tip) + math.pi * 2.5**2 * tip / 3
    assert chips.mesh.volume_mm3 == pytest.approx(truth, rel=1e-3)
    assert rest.mesh.volume_mm3 + chips.mesh.volume_mm3 == pytest.approx(bone.mesh.volume_mm3, rel=1e-9)
    assert rest.mesh.euler_number == 2
    assert rest.mesh.watertight


def test_a_hole_right_through():
    rest, chips = drilled(part(BLOCK, SCANNER), "drill", [(20, 15, 20), (20, 15, -6)], 8.0)
    assert chips.mesh.volume_mm3 == pytest.approx(math.pi * 16 * 20, rel=1e-4)
    assert rest.mesh.euler_number == 0


def test_a_flat_drill_and_a_round_reamer():
    flat = drilled(part(BLOCK, SCANNER), "drill", [(20, 15, 20), (20, 15, 10)], 6.0, 180.0)[1]
    assert flat.mesh.volume_mm3 == pytest.approx(math.pi * 9 * 10, rel=1e-4)
    round_end = drilled(part(BLOCK, SCANNER), "ream", [(20, 15, 20), (20, 15, 10)], 6.0)[1]
    assert round_end.mesh.volume_mm3 == pytest.approx(math.pi * 9 * 7 + 2 / 3 * math.pi * 27, rel=2e-3)


def test_a_burr_takes_a_ball_and_what_it_sweeps():
    inside = drilled(part(BLOCK, SCANNER), "burr", [(20, 15, 10)], 6.0)[1]
    assert inside.mesh.volume_mm3 == pytest.approx(4 / 3 * math.pi * 27, rel=1e-4)
    swept = drilled(part(BLOCK, SCANNER), "burr", [(12, 15, 10), (24, 15, 10)], 6.0)[1]
    assert swept.mesh.volume_mm3 == pytest.approx(4 / 3 * math.pi * 27 + math.pi * 9 * 12, rel=3e-3)


def test_p8_napkin_ring_does_not_depend_on_the_ball():
    height = 10.0
    for radius in (12.0, 20.0):
        hole = 2 * math.sqrt(radius**2 - height**2 / 4)
        rest, _ = drilled(part(ball(radius, finer=6), SCANNER), "drill", [(0, 0, 30), (0, 0, -40)], hole)
        assert rest.mesh.volume_mm3 == pytest.approx(math.pi * height**3 / 6, rel=0.02)


@pytest.mark.parametrize(
    ("kind", "points", "words"),
    [
        ("drill", [(20, 15, 60), (20, 15, 30)], r"misses the body by 10\.\d+ mm"),
        ("drill", [(20, 15, 20)], "needs two points"),
        ("ream", [(20, 15, 20), (20, 15, 20)], "are the same"),
        ("drill", [(20, 15, 20.0), (20, 15, 19.9)], "tip of the drill is"),
        ("burr", np.zeros((0, 3)), "no way"),
    ],
)
def test_what_cannot_be_drilled(kind, points, words):
    with pytest.raises(StepFailed, match=words):
        drilled(part(BLOCK, SCANNER), kind, points, 5.0, back=0.0)


def test_a_tool_that_takes_all():
    with pytest.raises(StepFailed, match="takes the whole body"):
        drilled(part(BLOCK, SCANNER), "burr", [(20, 15, 10)], 90.0)
