"""Each fault is mended, and each mending is named."""

from dataclasses import replace

import numpy as np
import pytest

from surgiplan.algorithms.crossing import crossings
from surgiplan.algorithms.repair import repair
from surgiplan.algorithms.solid import boolean
from surgiplan.errors import StepFailed
from surgiplan.values import Mesh, Part
from tests.ops.shapes import CENTRE, ball, beside, inside_out, joined, no_part

BALL = ball()


def with_triangles(triangles: np.ndarray) -> Part:
    return replace(BALL, mesh=Mesh(BALL.mesh.points, triangles))


def mended(broken: Part, **fields: float) -> Part:
    part = repair(broken, **fields)
    assert part.mesh.watertight
    assert part.mesh.volume_mm3 > 0
    assert len(crossings(part.mesh)) == 0
    return part


def test_a_shape_without_a_fault_stays_as_it_is() -> None:
    for sound in (
        BALL,
        joined(BALL, inside_out(ball(8.0))),
        joined(BALL, ball(8.0, beside(CENTRE, 30, 0, 0))),
    ):
        assert repair(sound) is sound


def test_holes_are_closed() -> None:
    part = mended(with_triangles(np.delete(BALL.mesh.triangles, [5, 6, 7, 400, 900, 901], axis=0)))
    assert any("holes closed (the largest" in text for text in part.change.done)
    assert part.mesh.volume_mm3 == pytest.approx(BALL.mesh.volume_mm3, rel=0.002)


def test_a_large_hole_gets_a_lid() -> None:
    """Half a ball: its flat side is missing; the lid gives pi r^2 and the volume of the half."""
    upper = BALL.mesh.points[BALL.mesh.triangles][:, :, 2].max(axis=1) > CENTRE[2] + 1e-3
    part = mended(with_triangles(BALL.mesh.triangles[upper]))
    assert part.mesh.volume_mm3 == pytest.approx(BALL.mesh.volume_mm3 / 2, rel=0.001)
    assert "1 hole closed (the largest 75" in part.change.done[0]


def test_triangles_that_share_no_corners_are_joined() -> None:
    points = BALL.mesh.points[BALL.mesh.triangles].reshape(-1, 3)
    part = mended(replace(BALL, mesh=Mesh(points, np.arange(len(points)).reshape(-1, 3))))
    assert part.change.done == ("5518 corners joined to equal ones",)
    assert len(part.mesh.points) == len(BALL.mesh.points)


def test_flipped_triangles_and_parts_are_turned() -> None:
    some = BALL.mesh.triangles.copy()
    some[100:160] = some[100:160, ::-1]
    part = mended(with_triangles(some))
    assert part.change.done == ("60 flipped triangles turned",)
    assert part.mesh.volume_mm3 == pytest.approx(BALL.mesh.volume_mm3)
    part = mended(inside_out(BALL))
    assert part.change.done == ("1 part that faced inwards turned",)


def test_doubled_triangles_and_specks_are_taken_away() -> None:
    doubled = np.concatenate([BALL.mesh.triangles, BALL.mesh.triangles[:50]])
    assert mended(with_triangles(doubled)).change.done == ("50 doubled triangles taken away",)
    speckled = joined(BALL, ball(0.2, beside(CENTRE, 20, 0, 0), rings=4))
    (told,) = mended(speckled).change.done
    assert told.startswith("1 small part taken away (0.")
    assert repair(speckled, smallest=0.0) is speckled


def test_parts_that_cross_are_joined_as_a_union() -> None:
    other = ball(8.0, beside(CENTRE, 12, 0, 0))
    part = mended(joined(BALL, other))
    assert part.change.done == ("2 parts that ran through each other joined",)
    assert part.mesh.volume_mm3 == pytest.approx(boolean(BALL, other, "union").mesh.volume_mm3, rel=1e-5)


def test_a_spike_through_the_other_side_is_cut_out() -> None:
    points = BALL.mesh.points.copy()
    points[200] += 2.1 * (np.asarray(CENTRE, np.float32) - points[200])
    part = mended(replace(BALL, mesh=Mesh(points, BALL.mesh.triangles)))
    assert "where the surface ran through itself cut out and closed" in " ".join(part.change.done)
    assert part.mesh.volume_mm3 == pytest.approx(BALL.mesh.volume_mm3, rel=0.01)


def test_nothing_cannot_be_repaired() -> None:
    with pytest.raises(StepFailed, match="no triangles"):
        repair(no_part())


@pytest.mark.parametrize("seed", range(6))
def test_any_damage_ends_clean_or_in_words(seed: int) -> None:
    rng = np.random.default_rng(seed)
    triangles = BALL.mesh.triangles[rng.random(len(BALL.mesh.triangles)) > 0.05].copy()
    flip = rng.random(len(triangles)) < 0.02
    triangles[flip] = triangles[flip, ::-1]
    points = BALL.mesh.points + rng.normal(0, 0.05, BALL.mesh.points.shape).astype(np.float32)
    broken = replace(BALL, mesh=Mesh(points, triangles))
    told = ""
    try:
        part = mended(broken)
    except StepFailed as failure:
        told = str(failure)
    if told:
        assert "hoose another" in told or "ask less" in told
        return
    assert part.mesh.volume_mm3 == pytest.approx(BALL.mesh.volume_mm3, rel=0.05)
    assert part.change.done
