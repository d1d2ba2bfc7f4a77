"""The stage shows a scene and changes no more than it must."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from surgiplan.plan.plan import Plan
from surgiplan.scene import PointMark, Scene, Surface, View, describe
from surgiplan.scene.items import PlaneMark, Scalars
from surgiplan.stage.colours import ACCENT, SEVERITIES, rgb, table_of
from surgiplan.stage.shapes import prepare, shape_of
from surgiplan.stage.stage import Stage
from surgiplan.values import IDENTITY, Collision, Measurement, Mesh, Part, Plane, Pose, digest
from tests.scene.steps import Ready, Ref, Ruler, Shape, Shift, Stale, Touch, box, cost_of, small_case, torus

pytestmark = pytest.mark.usefixtures("graphics")
SIZE = (320, 240)
IVORY = "#EADFC8"


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(captions=False)
    made.window.SetSize(*SIZE)
    yield made
    made.close()
    made.window.Finalize()


def scene_of(*items: object, low: float = -40.0, high: float = 40.0) -> Scene:
    return Scene(items=items, low_lps=(low,) * 3, high_lps=(high,) * 3)  # type: ignore[arg-type]


def near(pixel: np.ndarray, colour: str, within: float = 0.16) -> bool:
    """Whether a pixel has the hue of a colour, whatever the light."""
    given, wanted = np.asarray(pixel, float) / 255, np.asarray(rgb(colour))
    return bool(np.abs(given / given.max() - wanted / wanted.max()).max() < within)


def count(picture: np.ndarray, colour: str, within: int = 40) -> int:
    away = np.abs(picture.astype(int) - np.round(np.array(rgb(colour)) * 255)).max(axis=2)
    return int((away < within).sum())


# --- what is handed to the graphics card


def test_moving_a_part_hands_over_nothing(stage: Stage) -> None:
    plan, results = small_case()
    view = replace(View.of(plan, results), chosen="distal")
    stage.show(describe(plan, results, view))
    before, part = stage.uploads, results["cut"].value["b"]
    picture = stage.image()
    for n in range(1, 6):
        pose = Pose.of_rotation((0, 1, 0), 4.0 * n).after(Pose.of_shift((2.0 * n, 0.0, 0.0)))
        moved = {**results, "distal": Ready(part.moved(pose))}
        stage.show(describe(plan.edit("distal", motion=pose), moved, view))
    assert stage.uploads == before
    assert not np.array_equal(stage.image(), picture)


def test_dragging_a_plane_hands_over_nothing(stage: Stage) -> None:
    mark = PlaneMark("cut", "plane", Plane((0, 0, 0), (0, 0, 1)), 20.0, "#F2B705", active=True)
    stage.show(scene_of(mark))
    before = stage.uploads
    stage.show(scene_of(replace(mark, plane=Plane((0, 5, 0), (0, 1, 1)), half_extent_mm=25.0)))
    assert stage.uploads == before


def test_only_a_new_shape_is_handed_over(stage: Stage) -> None:
    bone = Surface("bone", torus(20, 12), IDENTITY, IVORY)
    stage.show(scene_of(bone))
    assert stage.uploads == 1
    for same in (
        replace(bone, colour="#56B4E9", opacity=0.4),
        replace(bone, dimmed=True),
        replace(bone, mesh=Mesh(bone.mesh.points.copy(), bone.mesh.triangles.copy())),
    ):
        stage.show(scene_of(same))
        stage.render()
    assert stage.uploads == 1
    stage.show(scene_of(replace(bone, mesh=torus(24, 12))))
    assert stage.uploads == 2


def test_showing_the_same_scene_again_changes_nothing(stage: Stage) -> None:
    plan, results = small_case()
    scene = describe(plan, results, View.of(plan, results))
    stage.show(scene)
    picture, uploads, props = stage.image(), stage.uploads, stage.renderer.GetViewProps().GetNumberOfItems()
    stage.show(scene)
    assert (stage.uploads, stage.renderer.GetViewProps().GetNumberOfItems()) == (uploads, props)
    assert np.array_equal(stage.image(), picture)


def test_what_is_no_longer_in_the_scene_leaves_the_stage(stage: Stage) -> None:
    empty = stage.renderer.GetViewProps().GetNumberOfItems()
    plan, results = small_case()
    stage.show(describe(plan, results, replace(View.of(plan, results), chosen="cut")))
    assert stage.renderer.GetViewProps().GetNumberOfItems() > empty
    stage.show(Scene())
    assert stage.renderer.GetViewProps().GetNumberOfItems() == empty
    assert stage.renderer.GetLights().GetNumberOfItems() == 3


def test_an_item_may_become_one_of_another_kind(stage: Stage) -> None:
    stage.show(scene_of(Surface("it", torus(20, 12), IDENTITY, IVORY)))
    stage.show(scene_of(PointMark("it", (0, 0, 0), "here", "danger")))
    assert stage.pick(SIZE[0] / 2, SIZE[1] / 2) is None
    assert count(stage.image(), SEVERITIES["danger"]) > 20


def test_the_values_are_left_as_they_were(stage: Stage) -> None:
    plan, results = small_case()
    before = {name: digest(result.value) for name, result in results.items()}
    stage.show(describe(plan, results, replace(View.of(plan, results), chosen="distal")))
    stage.image()
    stage.pick(SIZE[0] / 2, SIZE[1] / 2)
    assert before == {name: digest(result.value) for name, result in results.items()}


def test_a_drag_frame_costs_under_5_ms(stage: Stage) -> None:
    plan, results = Plan(), {}
    for n in range(12):
        mesh = torus(150, 100, 60.0 + n, 8.0)
        plan = plan.add(f"body{n}", Shape())
        results[f"body{n}"] = Ready(Part(mesh, Pose.of_shift((0.0, 0.0, 2.0 * n))))
    plan = plan.add("moved", Shift(part=Ref("body3")))
    part, view = results["body3"].value, View(chosen="moved")
    for n in range(24):
        plan = plan.add(f"check{n}", Touch(a=Ref("moved"), b=Ref("body5")))
        results[f"check{n}"] = Ready(Collision(0.0, 9.0, False, (0, 0, 0)))
    for n in range(23):
        plan = plan.add(f"length{n}", Ruler())
        results[f"length{n}"] = Ready(Measurement(1.0, "mm", "distance"))
    assert len(plan.steps) == 60
    results["moved"] = Ready(part)
    stage.show(describe(plan, results, view))
    stage.image()
    before = stage.uploads

    def frame(n: int) -> None:
        pose = Pose.of_shift((0.0, 0.1 * n, 0.0)).after(Pose.of_rotation((1, 0, 0), 0.5 * n))
        moved = plan.edit("moved", motion=pose)
        moved.keys()
        stage.show(describe(moved, {**results, "moved": Ready(part.moved(pose))}, view))

    assert cost_of(frame, goal=0.005) < 0.005
    assert stage.uploads == before


# --- what is seen


def test_the_middle_of_a_bone_is_bone_coloured_and_the_corner_dark(stage: Stage) -> None:
    stage.show(scene_of(Surface("bone", box((-20, -20, -20), (20, 20, 20)), IDENTITY, IVORY)))
    picture = stage.image()
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    assert near(picture[SIZE[1] // 2, SIZE[0] // 2], IVORY)
    assert picture[SIZE[1] // 2, SIZE[0] // 2].min() > 120
    assert picture[3, 3].max() < 70


@pytest.mark.parametrize(
    ("look", "right", "top"),
    [
        ("anterior", "L", "H"),
        ("posterior", "R", "H"),
        ("left", "P", "H"),
        ("right", "A", "H"),
        ("superior", "R", "A"),
        ("inferior", "L", "A"),
    ],
)
def test_nothing_is_ever_mirrored(stage: Stage, look: str, right: str, top: str) -> None:
    colours = {"L": "#E69F00", "R": "#0072B2", "P": "#009E73", "A": "#CC79A7", "H": "#F0E442", "F": "#D55E00"}
    towards = {
        "L": (1, 0, 0),
        "R": (-1, 0, 0),
        "P": (0, 1, 0),
        "A": (0, -1, 0),
        "H": (0, 0, 1),
        "F": (0, 0, -1),
    }
    balls = [
        Surface(letter, box((-5, -5, -5), (5, 5, 5)), Pose.of_shift(25.0 * np.array(towards[letter])), colour)
        for letter, colour in colours.items()
    ]
    stage.show(scene_of(*balls, low=-30.0, high=30.0))
    stage.camera.look(look)  # type: ignore[arg-type]
    picture = stage.image()
    for letter, step in ((right, (1, 0)), (top, (0, -1))):
        x, y = stage.world_to_pixel(25.0 * np.array(towards[letter]))
        away = (np.array([x, y]) - np.array(SIZE) / 2) @ step
        assert away > 30
        assert near(picture[round(y), round(x)], colours[letter])


def test_an_out_of_date_shape_is_hatched_not_only_paler(stage: Stage) -> None:
    bone = Surface("bone", box((-25, -25, -25), (25, 25, 25)), IDENTITY, IVORY)
    stage.show(scene_of(bone))
    patch = (slice(90, 150), slice(130, 190))
    plain = stage.image()[patch].astype(float)
    stage.show(scene_of(replace(bone, dimmed=True)))
    dimmed = stage.image()[patch].astype(float)
    assert plain.std(axis=(0, 1)).max() < 4
    assert dimmed.std(axis=(0, 1)).min() > 15
    assert dimmed.max() < plain.max()
    stage.show(scene_of(bone))
    assert np.array_equal(stage.image()[patch], plain)


def test_a_chosen_shape_has_a_line_round_it(stage: Stage) -> None:
    bone = Surface("bone", torus(60, 30, 25.0, 8.0), IDENTITY, IVORY)
    stage.show(scene_of(bone))
    assert count(stage.image(), ACCENT) == 0
    stage.show(scene_of(replace(bone, chosen=True)))
    front = count(stage.image(), ACCENT)
    assert front > 100
    stage.camera.look("superior")
    assert count(stage.image(), ACCENT) > front
    stage.show(scene_of(bone))
    assert count(stage.image(), ACCENT) == 0


def test_a_mark_inside_a_body_is_seen(stage: Stage) -> None:
    bone = Surface("bone", box((-25, -25, -25), (25, 25, 25)), IDENTITY, IVORY)
    stage.show(scene_of(bone, PointMark("check", (0, 0, 0), "depth 2.31 mm", "danger")))
    x, y = stage.world_to_pixel((0, 0, 0))
    assert near(stage.image()[round(y), round(x)], SEVERITIES["danger"])


def test_colours_by_number_reach_the_right_points(stage: Stage) -> None:
    mesh = box((-30, -5, -30), (30, 5, 30))
    values = np.where(mesh.points[:, 0] > 0, 2.0, -2.0).astype(np.float32)
    scalars = Scalars(values, -2.0, 2.0, "gap")
    stage.show(scene_of(Surface("fit", mesh, IDENTITY, IVORY, scalars=scalars)))
    picture = stage.image()
    table = table_of(scalars)
    for x in (-28.0, 28.0):
        column, row = stage.world_to_pixel((x, -5.0, 0.0))
        colour = [0.0, 0.0, 0.0]
        table.GetColor(2.0 * x / 30.0, colour)
        pixel = picture[round(row), round(column)].astype(float)
        assert np.abs(pixel / pixel.max() - np.array(colour) / max(colour)).max() < 0.15


def test_the_middle_of_a_range_on_both_sides_of_nothing_is_light() -> None:
    colour = [0.0, 0.0, 0.0]
    table_of(Scalars(np.zeros(1, np.float32), -3.0, 3.0, "gap")).GetColor(0.0, colour)
    assert min(colour) > 0.9


def test_the_safety_line_and_side_are_written_when_asked() -> None:
    pictures = []
    for captions in (False, True):
        stage = Stage(captions=captions)
        plan, results = small_case()
        stage.show(describe(plan, results, replace(View.of(plan, results), side="LEFT")))
        pictures.append(stage.image(SIZE))
        stage.close()
        stage.window.Finalize()
    changed = np.abs(pictures[0].astype(int) - pictures[1]).max(axis=2) > 40
    assert changed[-30:, 60:260].sum() > 100
    assert changed[:40, -110:].sum() > 100
    assert not changed[60:180].any()


def test_a_stale_measurement_says_so(stage: Stage) -> None:
    plan, results = small_case()
    scene = describe(plan, {**results, "length": Stale(results["length"].value)}, View.of(plan, results))
    stage.show(scene)
    assert stage._drawn["length"].text is not None
    assert "out of date" in stage._drawn["length"].text.GetInput()


# --- finding things


def test_a_pixel_knows_the_shape_under_it(stage: Stage) -> None:
    left = Surface("left", box((-5, -5, -5), (5, 5, 5)), Pose.of_shift((25, 0, 0)), IVORY)
    stage.show(scene_of(left, Surface("right", box((-30, -5, -5), (-20, 5, 5)), IDENTITY, IVORY)))
    x, y = stage.world_to_pixel((25, 0, 0))
    assert x > SIZE[0] / 2
    name, place = stage.pick(x, y) or ("", (0, 0, 0))
    assert name == "left"
    assert place == pytest.approx((25, -5, 0), abs=0.2)
    assert stage.pick(*stage.world_to_pixel((-25, 0, 0)))[0] == "right"  # type: ignore[index]
    assert stage.pick(SIZE[0] / 2, SIZE[1] / 2) is None
    assert stage.pick(2, 2) is None


def test_the_nearer_of_two_shapes_is_picked(stage: Stage) -> None:
    front = Surface("front", box((-5, -30, -5), (5, -20, 5)), IDENTITY, IVORY)
    stage.show(scene_of(Surface("behind", box((-20, -5, -20), (20, 5, 20)), IDENTITY, IVORY), front))
    assert stage.pick(SIZE[0] / 2, SIZE[1] / 2)[0] == "front"  # type: ignore[index]
    stage.camera.look("posterior")
    assert stage.pick(SIZE[0] / 2, SIZE[1] / 2)[0] == "behind"  # type: ignore[index]


def test_a_line_of_sight_goes_through_its_pixel(stage: Stage) -> None:
    stage.show(scene_of(Surface("bone", torus(20, 12), IDENTITY, IVORY)))
    stage.camera.orbit(30, 20)
    near_end, far_end = stage.ray(100.0, 60.0)
    for place in (near_end, far_end, (near_end + far_end) / 2):
        assert stage.world_to_pixel(place) == pytest.approx((100.0, 60.0), abs=1e-6)


def test_shapes_are_made_once_for_each_content() -> None:
    mesh = torus(30, 20)
    prepare(scene_of(Surface("one", mesh, IDENTITY, IVORY)))
    assert shape_of(Mesh(mesh.points.copy(), mesh.triangles.copy())) is shape_of(mesh)


def test_software_is_told_from_a_graphics_card(stage: Stage) -> None:
    stage.render()
    assert isinstance(stage.suit_the_machine(), bool)
    stage.image()
