"""Gap and step of fragments that were moved apart by known amounts."""

import numpy as np
import pytest

from surgiplan.algorithms.cutting.planes import cut
from surgiplan.algorithms.registering.fracture import gap_and_step
from surgiplan.errors import Mismatch, StepFailed
from surgiplan.values import Mesh, Part, Plane, Pose
from tests.ops.shapes import CENTRE, ELSEWHERE, box

LEVEL = Pose.of_rotation((1, 2, 3), 33.0, CENTRE).after(Pose.of_shift(CENTRE))


def plate() -> tuple[Part, Part]:
    """A plate sawn through its middle without a kerf, at right angles to its long side."""
    whole = box((60.0, 30.0, 8.0), LEVEL)
    sides = cut(whole, Plane(CENTRE, LEVEL.rotation[:, 0]), 0.0, "both")
    return sides.a, sides.b


def shaft() -> Part:
    """A cylinder of 15 mm along z, closed."""
    turns = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    ring = np.stack([15 * np.cos(turns), 15 * np.sin(turns)], axis=1)
    ends = [np.column_stack([ring, np.full(256, z)]) for z in (-40.0, 40.0)]
    points = np.vstack([*ends, [[0, 0, -40], [0, 0, 40]]])
    here = np.arange(256)
    there = (here + 1) % 256
    sides = np.concatenate(
        [
            np.stack([here, there, 256 + there], 1),
            np.stack([here, 256 + there, 256 + here], 1),
            np.stack([np.full(256, 512), there, here], 1),
            np.stack([np.full(256, 513), 256 + here, 256 + there], 1),
        ]
    )
    return Part(Mesh(points, sides))


def moved(part: Part, along: float, up: float) -> Part:
    return part.moved(Pose.of_shift(LEVEL.rotation @ (-along, 0.0, up)))


@pytest.mark.parametrize(
    ("gap", "step"), [(0.0, 0.0), (0.8, 0.0), (2.0, 0.0), (0.0, 1.1), (1.5, 0.7), (3.0, 2.0)]
)
def test_a_plate_that_was_pulled_apart_and_lifted(gap: float, step: float) -> None:
    a, b = plate()
    found = gap_and_step(a, moved(b, gap, step), 6.0).measurements
    assert found["largest_gap"].value == pytest.approx(gap, abs=0.02)
    assert found["largest_step"].value == pytest.approx(step, abs=0.02)
    assert found["largest_gap"].unit == "mm"


def test_the_step_of_a_shaft_is_largest_where_it_was_shifted_to() -> None:
    sides = cut(shaft(), Plane((0, 0, 0), (0, 0, 1)), 0.0, "both")
    b = sides.b.moved(Pose.of_shift((1.2, 0.0, -2.0)))
    found = gap_and_step(sides.a, b, 6.0).measurements
    assert found["largest_step"].value == pytest.approx(1.2, abs=0.03)
    assert found["mean_gap"].value == pytest.approx(2.0, abs=0.05)
    assert abs(found["largest_step"].points_lps[0][1]) < 4.0


def test_a_wedge_has_its_gap_at_the_open_end() -> None:
    """Opened by 6 degrees about one edge: 2 L sin(3 degrees) over the width of 30 mm."""
    a, b = plate()
    edge = LEVEL.apply((0.0, -15.0, 0.0))
    opened = b.moved(Pose.of_rotation(LEVEL.rotation[:, 2], 6.0, edge))
    found = gap_and_step(a, opened, 8.0).measurements
    assert found["largest_gap"].value == pytest.approx(30 * np.sin(np.radians(6)), abs=0.06)
    assert found["largest_step"].value < 0.02


def test_fragments_out_of_reach_or_of_another_patient_space_are_refused() -> None:
    a, b = plate()
    with pytest.raises(StepFailed, match=r"no edges within 4 mm .* raise the reach"):
        gap_and_step(a, moved(b, 30.0, 0.0), 4.0)
    with pytest.raises(StepFailed, match="reach is 0 mm"):
        gap_and_step(a, b, 0.0)
    with pytest.raises(Mismatch):
        gap_and_step(a, box(frame=ELSEWHERE), 4.0)
