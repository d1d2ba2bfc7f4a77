import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.errors import NeedsHand, StepFailed, Usage
from surgiplan.ops.measure import POINTS, Measure
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.plan import Step
from surgiplan.plan.work import Work
from surgiplan.values import Measurement, Part, Plane, Pose, Vec3, vec3
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
    return Measure(kind=kind, points=points, **fields).run(Work(), part)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "points", "value", "unit"), GOLDEN)
def test_golden_values(kind: str, points: tuple[Vec3, ...], value: float, unit: str) -> None:
    found = measured(kind, points)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.unit == unit
    assert found.points_lps == points
    assert len(found.definition.split()) > 3
    assert found.expected_error is None


@pytest.mark.parametrize("kind", POINTS)
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


@pytest.mark.parametrize("kind", POINTS)
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
    with pytest.raises(StepFailed, match=rf"{kind} needs a part: choose the body to measure"):
        measured(kind)


@pytest.mark.parametrize("kind", POINTS)
def test_missing_points_need_a_hand_and_surplus_ones_are_refused(kind: str) -> None:
    points, needed = FULL[kind], POINTS[kind][0]
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
    with pytest.raises(Usage, match="kind must be one of distance, angle, line-angle"):
        Measure(kind="length")  # type: ignore[arg-type]


@given(st.floats(1e-7, 179.9999999))
def test_angles_are_exact_near_their_ends(degrees: float) -> None:
    turned = Pose.of_rotation((0, 0, 1), degrees).apply((50, 0, 0))
    assert measured("angle", ((30, 0, 0), O, vec3(turned))).value == pytest.approx(degrees, abs=1e-10)
