import numpy as np
import pytest

from surgiplan.errors import NeedsHand, StepFailed, Usage
from surgiplan.ops.fit import Fit
from surgiplan.ops.socket import Socket
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Part, Plane, vec3
from tests.ops.shapes import CENTRE, FRAME, ball, holed, inside_out

REF = Ref[Part]("limb")
R = 20.0
UP = np.array([0.2, -0.3, 0.93]) / np.linalg.norm([0.2, -0.3, 0.93])


def trim(height: float = 0.0) -> Plane:
    return Plane(vec3(CENTRE + height * UP), vec3(UP))


def made(limb: Part, plane: Plane, **fields: float) -> Part:
    return Socket(limb=REF, trim=plane, **fields).run(Work(), limb)


def zone(radius: float, height: float) -> float:
    """Volume of a ball below a plane at a height above its middle."""
    return float(np.pi * (2 * radius**3 / 3 + radius**2 * height - height**3 / 3))


@pytest.fixture(scope="module")
def limb() -> Part:
    return ball(R, rings=44)


@pytest.mark.parametrize(("offset", "wall", "height"), [(3.0, 4.0, 0.0), (0.0, 5.0, 6.0), (-1.5, 3.0, -4.0)])
def test_it_is_a_shell_of_even_thickness(limb: Part, offset: float, wall: float, height: float) -> None:
    """Round a ball the walls are balls: V = V(R + offset + wall) - V(R + offset), below the plane."""
    shell = made(limb, trim(height), offset=offset, wall=wall)
    inner, outer = R + offset, R + offset + wall
    assert shell.mesh.volume_mm3 == pytest.approx(zone(outer, height) - zone(inner, height), rel=0.005)
    assert shell.mesh.watertight
    assert shell.mesh.euler_number == 2
    assert shell.frame_uid == FRAME
    rim = trim(height).distance(shell.points_lps)
    assert rim.max() == pytest.approx(0, abs=1e-4)
    away = np.linalg.norm(shell.points_lps - CENTRE, axis=1)[rim < -0.01]
    assert np.minimum(np.abs(away - inner), np.abs(away - outer)).max() < 0.05


def test_its_fit_is_the_offset_it_was_made_with(limb: Part) -> None:
    """The skin below the trim line, held against the socket: 3 mm everywhere."""
    shell = made(limb, trim(), offset=3.0)
    fit = Fit(body=REF, against=Ref("socket"), contact=0.5, within=3.05).run(Work(), limb, shell)
    assert fit.mean_mm == pytest.approx(3.0, abs=0.06)
    assert fit.p95_mm == pytest.approx(3.0, abs=0.06)
    assert fit.contact_share == 0


def test_a_finer_lattice_comes_nearer(limb: Part) -> None:
    true = zone(R + 6, 0.0) - zone(R + 3, 0.0)
    coarse, fine = (made(limb, trim(), wall=3.0, resolution=mm).mesh.volume_mm3 for mm in (4.0, 2.0))
    assert abs(fine - true) < abs(coarse - true)


def test_a_limb_that_is_open_above_the_rim_will_do(limb: Part) -> None:
    """A skin scan ends somewhere: the opening lies 14 mm above the rim, out of reach of the walls."""
    corners = limb.points_lps[limb.mesh.triangles]
    below = trim().distance(corners.reshape(-1, 3)).reshape(-1, 3).max(axis=1) < 16
    scan = Part(type(limb.mesh)(limb.mesh.points, limb.mesh.triangles[below]), frame_uid=FRAME)
    assert not scan.mesh.watertight
    open_, whole = (made(one, trim(), offset=1.0, wall=3.0).mesh.volume_mm3 for one in (scan, limb))
    assert open_ == pytest.approx(whole, rel=1e-3)


def test_an_opening_below_the_rim_is_refused(limb: Part) -> None:
    with pytest.raises(StepFailed, match=r"opening .* mm distal of the trim plane"):
        made(holed_below(limb), trim())


def holed_below(limb: Part) -> Part:
    lowest = int(np.argmin(trim().distance(limb.points_lps[limb.mesh.triangles[:, 0]])))
    triangles = np.delete(limb.mesh.triangles, lowest, axis=0)
    return Part(type(limb.mesh)(limb.mesh.points, triangles), frame_uid=FRAME)


@pytest.mark.parametrize(("height", "side"), [(26.0, "proximal"), (-25.0, "distal")])
def test_a_plane_that_misses_says_by_how_much(limb: Part, height: float, side: str) -> None:
    with pytest.raises(
        StepFailed, match=rf"misses the limb: it passes {abs(height) - R:.1f} mm {side} of it"
    ):
        made(limb, trim(height))


def test_a_reduction_that_leaves_nothing_is_refused(limb: Part) -> None:
    with pytest.raises(StepFailed, match=r"Nothing is left of the limb at -25 mm"):
        made(limb, trim(), offset=-25.0)


def test_a_wall_needs_a_thickness(limb: Part) -> None:
    with pytest.raises(StepFailed, match="The wall cannot be 0 mm: give more than 0 mm"):
        made(limb, trim(), wall=0.0)
    with pytest.raises(Usage, match="wall must lie between 0 and 1000 mm, not -1"):
        Socket(limb=REF, wall=-1)
    with pytest.raises(Usage, match=r"resolution must lie between 0\.3 and 5 mm"):
        Socket(limb=REF, resolution=0.1)


def test_a_limb_that_is_inside_out_is_refused(limb: Part) -> None:
    with pytest.raises(StepFailed, match="The limb is inside out"):
        made(inside_out(limb), trim())


def test_a_plane_nobody_has_laid_needs_a_hand(limb: Part) -> None:
    with pytest.raises(NeedsHand, match="cup: trim is not placed yet: lay the plane at the proximal rim"):
        run_step(Step("cup", Socket(limb=REF)), {"limb": holed(limb)}, Work())
