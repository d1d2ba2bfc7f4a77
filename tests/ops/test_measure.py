import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.algorithms.measures.registry import DEFINITIONS
from surgiplan.errors import Mismatch, NeedsHand, StepFailed, Usage
from surgiplan.ops.measure import Measure
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Landmarks, Measurement, Part, Places, Plane, Pose, Profile, Vec3, vec3
from tests.ops.shapes import FRAME, box, holed, inside_out, no_part
from tests.values.samples import poses

O, X, Y, Z = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)  # noqa: E741
GOLDEN: list[tuple[str, tuple[Vec3, ...], float, str]] = [
    ("distance", (O, (3, 4, 12)), 13, "mm"),
    ("distance", (X, X), 0, "mm"),
    ("angle", (X, O, Y), 90, "deg"),
    ("angle", (X, O, (2, 0, 0)), 0, "deg"),
    ("angle", (X, O, (-5, 0, 0)), 180, "deg"),
    ("angle", ((1, 1, 0), O, X), 45, "deg"),
    ("line-angle", (O, X, Z, (0, 1, 1)), 90, "deg"),
    ("line-angle", (O, X, Y, (-1, 1, 0)), 180, "deg"),
    ("line-angle", (O, Z, (5, 5, 5), (5, 5 + np.sin(0.3), 5 + np.cos(0.3))), np.degrees(0.3), "deg"),
    ("projected-angle", (O, X, O, Y, O, Z), 90, "deg"),
    ("projected-angle", (O, Y, O, X, O, Z), -90, "deg"),
    ("projected-angle", (O, X, O, Y, Z, O), -90, "deg"),
    ("projected-angle", (O, (1, 0, 7), O, (1, 1, -3), O, (0, 0, 2)), 45, "deg"),
]
FULL: dict[str, tuple[Vec3, ...]] = {
    "distance": ((1, 2, 3), (10, -4, 8)),
    "angle": ((25, 0, 3), (1, 2, 3), (10, -14, 8)),
    "line-angle": ((1, 2, 3), (30, 4, 5), (0, 0, 1), (4, 20, -15)),
    "projected-angle": ((1, 2, 3), (30, 4, 5), (0, 0, 1), (12, 20, -5), (2, 2, 2), (5, 9, 40)),
}


def measured(
    kind: str, points: tuple[Vec3, ...] = (), part: Part | None = None, **fields: object
) -> Measurement:
    return Measure(kind=kind, points=points, **fields).run(Work(), part=part)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "points", "value", "unit"), GOLDEN)
def test_golden_values(kind: str, points: tuple[Vec3, ...], value: float, unit: str) -> None:
    found = measured(kind, points)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.unit == unit
    assert found.points_lps == points
    assert len(found.definition.split()) > 3
    assert found.expected_error is None


@pytest.mark.parametrize("kind", FULL)
@settings(max_examples=20)
@given(pose=poses())
def test_a_motion_of_all_points_changes_nothing(kind: str, pose: Pose) -> None:
    moved = tuple(vec3(pose.apply(point)) for point in FULL[kind])
    assert measured(kind, moved).value == pytest.approx(measured(kind, FULL[kind]).value, abs=1e-9)


def test_a_mirror_turns_the_sign_of_a_torsion_alone() -> None:
    for kind, points in FULL.items():
        mirrored = tuple((-x, y, z) for x, y, z in points)
        sign = -1 if kind == "projected-angle" else 1
        assert measured(kind, mirrored).value == pytest.approx(sign * measured(kind, points).value)


@pytest.mark.parametrize("kind", FULL)
def test_the_expected_error_is_what_shaky_hands_give(kind: str) -> None:
    """Twenty thousand trials with landmarks off by 0.1 mm (standard deviation) along each axis."""
    shake = np.random.default_rng(5).normal(0, 0.1, (20_000, len(FULL[kind]), 3))
    trials = shake + np.array(FULL[kind])
    told = measured(kind, FULL[kind], landmark_sd=0.1).expected_error
    assert told == pytest.approx(spread_of(kind, trials), rel=0.05)


def spread_of(kind: str, trials: np.ndarray) -> float:
    """The same measures, computed for all trials in another way."""
    p = np.moveaxis(trials, 1, 0)
    if kind == "distance":
        return float(np.std(np.sqrt(((p[1] - p[0]) ** 2).sum(axis=1))))
    if kind == "angle":
        a, b = p[0] - p[1], p[2] - p[1]
    else:
        a, b = p[1] - p[0], p[3] - p[2]
    if kind == "projected-angle":
        w = p[5] - p[4]
        a, b = np.cross(w, a), np.cross(w, b)
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return float(np.std(np.degrees(np.arccos(cosine))))


def test_planes_are_compared_by_their_normals() -> None:
    planes = {"plane_a": Plane((1, 2, 3), (0, 0, 1)), "plane_b": Plane((9, 9, 9), (0, 1, 1))}
    found = measured("plane-angle", **planes)
    assert (found.value, found.unit) == (pytest.approx(45), "deg")
    turned = measured("plane-angle", plane_a=planes["plane_a"], plane_b=Plane((0, 0, 0), (0, -1, -1)))
    assert turned.value == pytest.approx(135)


def test_volume_and_area_of_a_part() -> None:
    volume, area = measured("volume", part=box()), measured("area", part=box())
    assert (volume.value, volume.unit, volume.frame_uid) == (pytest.approx(6000), "mm3", FRAME)
    assert (area.value, area.unit) == (pytest.approx(2200), "mm2")


def test_the_measurement_carries_the_patient_space_of_its_part() -> None:
    assert measured("distance", FULL["distance"], part=box()).frame_uid == FRAME


@pytest.mark.parametrize("part", [holed(box()), inside_out(box()), no_part()])
def test_an_open_or_inside_out_part_has_no_volume(part: Part) -> None:
    with pytest.raises(StepFailed, match="There is no volume to measure"):
        measured("volume", part=part)
    assert measured("area", part=part).value >= 0


@pytest.mark.parametrize("kind", ["volume", "area"])
def test_without_a_part_there_is_nothing_to_measure(kind: str) -> None:
    with pytest.raises(StepFailed, match="needs a part: choose the body to measure"):
        measured(kind)


@pytest.mark.parametrize("kind", FULL)
def test_missing_points_need_a_hand_and_surplus_ones_are_refused(kind: str) -> None:
    points, needed = FULL[kind], DEFINITIONS[kind].points
    with pytest.raises(NeedsHand, match=f"m: {needed - 1} of {needed} points are placed: click the others"):
        run_step(Step("m", Measure(kind=kind, points=points[:-1])), {}, Work())  # type: ignore[arg-type]
    with pytest.raises(StepFailed, match=f"takes {needed} points, not {needed + 1}: remove the others"):
        measured(kind, (*points, (0, 0, 0)))


def test_missing_planes_need_a_hand() -> None:
    for planes in ({}, {"plane_a": Plane(O, X)}, {"plane_b": Plane(O, X)}):
        with pytest.raises(NeedsHand, match="m: both planes must be placed"):
            run_step(Step("m", Measure(kind="plane-angle", **planes)), {}, Work())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("angle", (O, O, X)),
        ("angle", (X, O, O)),
        ("line-angle", (X, X, O, Y)),
        ("line-angle", (O, X, Y, Y)),
        ("projected-angle", (O, X, O, Y, Z, Z)),
        ("projected-angle", (O, Z, O, Y, O, Z)),
        ("projected-angle", (O, X, X, X, O, Z)),
    ],
)
def test_points_in_one_place_give_no_angle(kind: str, points: tuple[Vec3, ...]) -> None:
    with pytest.raises(StepFailed, match=r"lie in one place|points along the axis"):
        measured(kind, points)


def test_a_place_that_is_no_number_is_refused() -> None:
    with pytest.raises(StepFailed, match="three finite numbers"):
        measured("distance", (O, (1.0, float("nan"), 0.0)))


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Usage, match="kind must be one of distance, path, angle, line-angle"):
        Measure(kind="length")  # type: ignore[arg-type]


@given(st.floats(1e-7, 179.9999999))
def test_angles_are_exact_near_their_ends(degrees: float) -> None:
    turned = Pose.of_rotation((0, 0, 1), degrees).apply((50, 0, 0))
    assert measured("angle", ((30, 0, 0), O, vec3(turned))).value == pytest.approx(degrees, abs=1e-10)


# --- by landmarks

PLACES = {"head_centre": (0.0, 0.0, 420.0), "knee_centre": (3.0, 4.0, 420.0)}


def from_landmarks(kind: str, **fields: object) -> Measurement:
    found = Landmarks(Places(PLACES), "femur", "left", FRAME, (0.5, 0.7))
    step = Measure(kind=kind, landmarks=Ref("marks"), **fields)  # type: ignore[arg-type]
    step.require_placed("m")
    return step.run(Work(), landmarks=found)


def test_a_distance_follows_named_landmarks() -> None:
    found = from_landmarks("distance", names="head_centre, knee_centre")
    assert (found.value, found.frame_uid) == (5.0, FRAME)
    assert found.expected_error == pytest.approx(0.7 * 2**0.5)  # the worse of the two, for both
    typed = from_landmarks("distance", names="head_centre,knee_centre", landmark_sd=0.1)
    assert typed.expected_error == pytest.approx(0.1 * 2**0.5)


def test_named_landmarks_must_be_placed_and_be_as_many_as_needed() -> None:
    with pytest.raises(NeedsHand, match="landmark neck_centre is not placed yet"):
        from_landmarks("distance", names="head_centre,neck_centre")
    with pytest.raises(StepFailed, match="distance takes 2 points, not 1: name the others"):
        from_landmarks("distance", names="head_centre")


def test_a_clinical_measure_says_what_it_misses() -> None:
    landmarks = Landmarks(Places(PLACES), "femur", "left")
    step = Step("m", Measure(kind="femur.neck_shaft", landmarks=Ref("l")))
    with pytest.raises(NeedsHand, match=r"m: .*landmarks neck_centre, shaft_proximal, shaft_distal are not"):
        run_step(step, {"landmarks": landmarks}, Work())


def test_a_difference_refuses_what_is_unlike() -> None:
    one, other = measured("distance", (O, (3, 4, 0))), measured("distance", (O, (0, 0, 2)))
    run = Measure(kind="difference", first=Ref("a"), second=Ref("b")).run
    assert run(Work(), first=one, second=other).value == pytest.approx(3.0)
    with pytest.raises(Mismatch, match=r"unlike definitions.*distance - angle"):
        run(Work(), first=one, second=measured("angle", (X, O, Y)))
    with pytest.raises(StepFailed, match="needs two measurements"):
        run(Work(), first=one)


def test_kinds_that_give_several_say_so() -> None:
    step = Measure(kind="hu-line", points=((0, 0, 0), (0, 0, 5)), volume=Ref("ct"))
    assert list(step.outputs()) == ["mean", "deviation", "lowest", "highest", "profile"]
    assert next(iter(Measure(kind="cup").outputs())) == "inclination_radiographic"
    assert step.outputs()["profile"] is Profile
    with pytest.raises(StepFailed, match="needs a scan"):
        step.run(Work())


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (Measure(), {"kind", "points", "landmarks", "names", "landmark_sd", "part"}),
        (Measure(kind="volume"), {"kind", "part"}),
        (Measure(kind="femur.version.lee"), {"kind", "landmarks", "landmark_sd", "frame"}),
        (Measure(kind="difference"), {"kind", "first", "second"}),
        (Measure(kind="contact-area"), {"kind", "part", "other", "gap"}),
        (
            Measure(kind="distance", landmarks=Ref("l"), names="a,b"),
            {"kind", "landmarks", "names", "landmark_sd", "part"},
        ),
    ],
)
def test_only_what_a_kind_looks_at_has_a_say(step: Measure, shown: set[str]) -> None:
    assert {field.name for field in step.spec.fields if step.matters(field.name)} == shown


def test_a_choice_offers_the_frames_of_its_definition() -> None:
    lee, frames = Measure(kind="femur.version.lee"), Measure.spec.field("frame").choices
    assert {word for word in frames if lee.matters("frame", word)} == {"", "mechanical", "shaft", "patient"}
    assert [word for word in frames if Measure().matters("frame", word)] == [""]
    assert lee.matters("kind", "volume")


def test_a_section_waits_for_its_plane() -> None:
    with pytest.raises(NeedsHand, match="m: the plane must be placed"):
        Measure(kind="section-area", part=Ref("b")).require_placed("m")
    plane = Plane(vec3(box().bounds_lps.mean(axis=0)), (0, 0, 1))
    found = Measure(kind="section-area", part=Ref("b"), plane_a=plane).run(Work(), part=box())
    assert found.value > 0


def test_two_patient_spaces_are_not_mixed() -> None:
    here, there = Landmarks(Places(PLACES), frame_uid="1"), box()
    with pytest.raises(Mismatch, match="different patient spaces"):
        Measure(names="head_centre,knee_centre", landmarks=Ref("l"), part=Ref("b")).run(
            Work(), landmarks=here, part=there
        )
