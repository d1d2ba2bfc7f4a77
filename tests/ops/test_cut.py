import numpy as np
import pytest

from surgiplan.errors import NeedsHand, StepFailed
from surgiplan.ops.cut import Cut
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Part, Plane, Pose, vec3
from tests.ops.shapes import CENTRE, FRAME, TILTED, ball, box, holed, in_box

REF = Ref[Part]("bone")
R = 20.0
UP = np.array([0.3, -0.2, 0.93]) / np.linalg.norm([0.3, -0.2, 0.93])


def cap(height: float) -> float:
    """P7: V = pi h^2 (3R - h) / 3."""
    return float(np.pi * height**2 * (3 * R - height) / 3)


def across(part: Part, x: float, normal: tuple[float, float, float] = (1, 0, 0)) -> Plane:
    """A plane in the own coordinates of a block."""
    return Plane((x, 0, 0), normal).moved(part.pose)


def cut(part: Part, plane: Plane, **fields: object) -> dict[str, Part]:
    sides = Cut(part=REF, plane=plane, **fields).run(Work(), part)  # type: ignore[arg-type]
    assert isinstance(sides, dict)
    return sides


@pytest.fixture(scope="module")
def sphere() -> Part:
    return ball(R, rings=72)


@pytest.mark.parametrize("depth", [-13.0, 0.0, 7.0])
@pytest.mark.parametrize(
    ("kerf", "kerf_side", "into_a"),
    [(0.0, "both", 0.0), (1.2, "both", 0.6), (0.8, "a", 0.8), (0.8, "b", 0.0)],
)
def test_a_sphere_is_cut_into_caps(
    sphere: Part, depth: float, kerf: float, kerf_side: str, into_a: float
) -> None:
    """The caps of P7 on both sides of the kerf, and nothing is lost."""
    plane = Plane(vec3(CENTRE + depth * UP), vec3(UP))
    sides = cut(sphere, plane, kerf=kerf, kerf_side=kerf_side)
    volumes = {name: part.mesh.volume_mm3 for name, part in sides.items()}
    assert volumes["a"] == pytest.approx(cap(R - depth - into_a), rel=2e-3)
    assert volumes["b"] == pytest.approx(cap(R + depth - (kerf - into_a)), rel=2e-3)
    assert sum(volumes.values()) == pytest.approx(sphere.mesh.volume_mm3, rel=1e-6)
    for name in ("a", "b"):
        assert sides[name].mesh.watertight
        assert sides[name].mesh.euler_number == 2
        assert sides[name].frame_uid == FRAME


def test_side_a_is_where_the_normal_points(sphere: Part) -> None:
    plane = Plane(vec3(CENTRE + 3 * UP), vec3(UP))
    sides = cut(sphere, plane, kerf=1.0)
    assert plane.distance(sides["a"].points_lps).min() == pytest.approx(0.5, abs=1e-5)
    assert plane.distance(sides["b"].points_lps).max() == pytest.approx(-0.5, abs=1e-5)
    assert np.abs(plane.distance(sides["kerf"].points_lps)).max() == pytest.approx(0.5, abs=1e-5)
    turned = cut(sphere, Plane(plane.point, vec3(-UP)), kerf=1.0)
    assert turned["a"].mesh.volume_mm3 == pytest.approx(sides["b"].mesh.volume_mm3, rel=1e-6)


def test_a_block_is_cut_exactly_wherever_it_lies() -> None:
    """30 x 20 x 10 mm, sawn at x = 5 with a blade of 1 mm taken from side b."""
    block = box()
    sides = cut(block, across(block, 5.0), kerf=1.0, kerf_side="b")
    assert sides["a"].mesh.volume_mm3 == pytest.approx(10 * 200, rel=1e-5)
    assert sides["kerf"].mesh.volume_mm3 == pytest.approx(1 * 200, rel=1e-4)
    assert sides["b"].mesh.volume_mm3 == pytest.approx(19 * 200, rel=1e-5)
    low, high = (
        in_box(block, sides["b"].points_lps)[:, 0].min(),
        in_box(block, sides["b"].points_lps)[:, 0].max(),
    )
    assert (low, high) == (pytest.approx(-15, abs=1e-4), pytest.approx(4, abs=1e-4))


def test_a_slanting_cut_leaves_a_wedge() -> None:
    """P10: a plane through an edge of the block at 45 degrees takes half of a cube of 10 mm."""
    cube = box((10.0, 10.0, 10.0))
    plane = Plane((0, 0, 0), (1, 0, 1)).moved(cube.pose)
    sides = cut(cube, plane, kerf=0.0)
    assert sides["a"].mesh.volume_mm3 == pytest.approx(500, rel=1e-5)
    assert sides["a"].mesh.area_mm2 == pytest.approx(100 + 100 + 50 + 50 + 100 * np.sqrt(2), rel=1e-5)


def test_a_cut_without_thickness_has_an_empty_kerf() -> None:
    sides = cut(box(), across(box(), 0.0), kerf=0.0)
    assert len(sides["kerf"].mesh.triangles) == 0
    assert sides["kerf"].mesh.volume_mm3 == 0


def test_the_pose_of_a_part_is_worked_in() -> None:
    """The same cut, with the same body once moved by its pose and once by its points."""
    moved = box(pose=Pose.of_shift((5, 6, 7)).after(TILTED))
    worked_in = Part(moved.placed(), frame_uid=FRAME)
    plane = across(moved, -3.0, (1, 0.4, -0.2))
    one, other = cut(moved, plane), cut(worked_in, plane)
    for name in one:
        assert one[name].mesh.volume_mm3 == pytest.approx(other[name].mesh.volume_mm3, rel=1e-5)
        assert one[name].pose == Pose()


def test_a_plane_that_misses_says_by_how_much() -> None:
    block = box()
    for x, apart in ((18.0, "3.000"), (-16.5, "1.500")):
        with pytest.raises(StepFailed, match=f"The plane misses the body by {apart} mm. Move the plane"):
            cut(block, across(block, x))


def test_a_blade_that_leaves_nothing_of_a_side_is_refused() -> None:
    block = box()
    with pytest.raises(StepFailed, match=r"nothing on side a: it takes 2 mm there .* only 1\.000 mm past"):
        cut(block, across(block, 14.0), kerf=2.0, kerf_side="a")
    with pytest.raises(StepFailed, match="nothing on side b"):
        cut(block, across(block, -14.5), kerf=2.0, kerf_side="both")


def test_an_open_body_is_refused_with_the_number_of_its_open_edges() -> None:
    with pytest.raises(StepFailed, match="There is a hole: the body to cut has 3 open or badly joined edges"):
        cut(holed(box()), across(box(), 0.0))


def test_a_plane_nobody_has_placed_needs_a_hand() -> None:
    with pytest.raises(NeedsHand, match="osteotomy: plane is not placed yet: drag the plane"):
        run_step(Step("osteotomy", Cut(part=REF)), {"part": box()}, Work())


def test_a_plane_that_was_found_leaves_the_one_by_hand_without_a_say() -> None:
    found, by_hand = Cut(part=Ref("b"), at=Ref("solution", "cut")), Cut(part=Ref("b"))
    assert not found.matters("plane")
    assert found.matters("kerf")
    assert by_hand.matters("plane")
