"""Errors of the figures of solved corrections, against draws of the landmarks they start from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from surgiplan.algorithms.corrections.components import components
from surgiplan.algorithms.corrections.hip import cup_size
from surgiplan.algorithms.corrections.pedicle import laid, plan_screw
from surgiplan.algorithms.distance import SignedDistance
from surgiplan.ops.plan_flap import PlanFlap
from surgiplan.ops.plan_screw import NAMES, PlanScrew
from surgiplan.ops.solved import errors_of, together, with_surface
from surgiplan.ops.template_hip import TemplateHip
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Deviation, FloatArray, Landmarks, Measurement, Part, Places
from tests.ops import templating
from tests.ops.templating import marked

WORK, M = Work(), Ref("marks")
HIP = marked(templating.hip_places(), "hip_replacement", templating.FEMUR.frame_uid)
DONOR = marked(dict(templating.FIBULA.landmarks), "fibula", templating.FIBULA.frame_uid)
JAW = marked(templating.jaw_places(2), "jaw_defect", "")


def known(landmarks: Landmarks, sd: float) -> Landmarks:
    """The same landmarks, each coordinate off by so much."""
    return replace(landmarks, errors_mm=(sd,) * len(landmarks.places))


def drawn(landmarks: Landmarks, sd: float, count: int) -> list[Landmarks]:
    """The landmarks where they may be as well."""
    chance = np.random.default_rng(11)
    return [
        replace(
            landmarks,
            places=Places({n: np.add(at, chance.normal(0, sd, 3)) for n, at in landmarks.places.items()}),
        )
        for _ in range(count)
    ]


def errors(found: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: one.expected_error for name, one in found.items() if isinstance(one, Measurement)}


def of_scan(part: Part, off_mm: float) -> Part:
    """The same body, made from a scan from whose grey edge it lies so far."""
    return replace(part, deviation=Deviation(off_mm, off_mm, off_mm, 1.0, off_mm, off_mm, off_mm, 0.0))


def shares_in(words: str) -> dict[str, float]:
    """What the words on a pick say of each, as shares."""
    told = words.partition(" it is ")[2].split(", ")
    return {name: float(share) / 100 for name, share, _ in (one.split(" ") for one in told)}


# --- a hip


def test_figures_of_a_hip_scatter_as_its_landmarks_do() -> None:
    """The leg is that of components which stay where the plan has put them."""
    sd, canal, operation = 1.0, templating.canal_of(), TemplateHip(landmarks=M, canal=Ref("c"))
    told = operation.run(WORK, known(HIP, sd), canal)
    moved, centre = told["femur_motion"].shift, told["head"].pose.shift
    new_head = np.subtract(centre, moved)
    rows = []
    for one in drawn(HIP, sd, 400):
        right, left, p, q = one.at("right_asis", "left_asis", "right_pubic_tubercle", "left_pubic_tubercle")
        outwards = (right - left) / np.linalg.norm(right - left)
        up = (right + left - p - q) / 2
        up -= outwards * (up @ outwards)
        up /= np.linalg.norm(up)
        head, upper, lower = one.at("head_centre", "canal_proximal", "canal_distal")
        axis = (lower - upper) / np.linalg.norm(lower - upper)
        offset = [np.linalg.norm(np.cross(at - upper, axis)) for at in (new_head, head)]
        rows.append(
            {
                "leg_length": -moved @ up,
                "hip_offset": moved @ outwards,
                "femoral_offset": offset[0] - offset[1],
            }
        )
    for name in rows[0]:
        assert told[name].expected_error == pytest.approx(np.std([r[name] for r in rows]), rel=0.12), name
        assert told[name].value == pytest.approx(np.mean([r[name] for r in rows]), abs=0.15), name


@pytest.mark.slow
def test_a_cup_is_told_with_its_neighbours_as_often_as_they_are_picked() -> None:
    sd, canal = 0.7, templating.canal_of()
    told = TemplateHip(landmarks=M, canal=Ref("c")).run(WORK, known(HIP, sd), canal)
    operation, picks, sockets = TemplateHip(landmarks=M, canal=Ref("c"), stem="stem-1"), Counter[str](), []
    for one in drawn(HIP, sd, 100):
        socket = operation.run(WORK, one, canal)["socket"].value
        sockets.append(socket)
        picks[cup_size(socket, components().cups)] += 1
    assert told["socket"].expected_error == pytest.approx(np.std(sockets), rel=0.2)
    shares = shares_in(told["cup_size"].definition)
    assert told["cup_size"].expected_error is None
    assert sum(shares.values()) == pytest.approx(1, abs=0.03)
    for cup, share in shares.items():
        assert picks[cup] / 100 == pytest.approx(share, abs=0.12), cup


def test_a_stem_that_hardly_fits_is_told_with_its_neighbour() -> None:
    """Stem-4 has 0.34 mm to spare, a size takes 0.5 mm more, and the wall of the canal is 0.3 mm off."""
    canal = of_scan(templating.canal_of(), 0.3)
    found = TemplateHip(landmarks=M, canal=Ref("c")).run(WORK, known(HIP, 0.3), canal)
    assert found["stem_room"].expected_error == pytest.approx(0.3, abs=0.02)
    shares = shares_in(found["stem_size"].definition)
    fits = [NormalDist(room, 0.3).cdf(0.0) for room in (0.338, 0.338 - 0.5)]
    assert shares["stem-3"] == pytest.approx(fits[0], abs=0.02)
    assert shares["stem-4"] == pytest.approx(fits[1] - fits[0], abs=0.02)
    chosen = TemplateHip(landmarks=M, canal=Ref("c"), stem="stem-3", cup="cup-54").run(
        WORK, known(HIP, 0.3), canal
    )
    assert "it is" not in chosen["stem_size"].definition + chosen["cup_size"].definition
    plain = TemplateHip(landmarks=M, canal=Ref("c")).run(WORK, HIP, templating.canal_of())
    assert set(errors(plain).values()) == {None}
    assert "it is" not in plain["cup_size"].definition


# --- a flap


@pytest.mark.slow
@pytest.mark.parametrize("line", ["centre", "outer"])
def test_figures_of_a_flap_scatter_as_its_landmarks_do(line: str) -> None:
    sd, fibula = 0.7, templating.FIBULA.mesh(2.5)
    operation = PlanFlap(fibula=Ref("f"), donor=M, jaw=Ref("j"), line=line, shortest=10)
    told = operation.run(WORK, fibula, known(DONOR, sd), known(JAW, sd))
    rows = []
    for jaw in drawn(JAW, sd, 16):
        found = operation.run(WORK, fibula, DONOR, jaw)
        rows.append({name: found[name].value for name in errors(told)})
    for name in ("length_1", "length_2", "shortest"):
        assert told[name].expected_error == pytest.approx(np.std([r[name] for r in rows]), rel=0.5), name
    assert told["length_1"].expected_error == pytest.approx(np.sqrt(2) * sd, rel=1e-3)
    assert np.std([r["step"] for r in rows]) / 3 < told["step"].expected_error < 0.3


def test_bone_left_at_the_ankle_errs_with_the_ankle_and_steps_with_the_surface() -> None:
    fibula = templating.FIBULA.mesh(3.0)
    operation = PlanFlap(fibula=Ref("f"), donor=M, jaw=Ref("j"), shortest=10)
    ankle = replace(DONOR, errors_mm=tuple(2.0 if n == "lateral_malleolus" else 0.0 for n in DONOR.places))
    exact = operation.run(WORK, fibula, ankle, known(JAW, 0.0))
    assert exact["left"].expected_error == pytest.approx(2.0, rel=1e-6)
    assert exact["length_1"].expected_error == 0.0
    rough = operation.run(WORK, of_scan(fibula, 0.2), known(DONOR, 0.0), known(JAW, 0.0))
    assert rough["step"].expected_error == pytest.approx(0.2 * np.sqrt(2))
    unknown = operation.run(WORK, fibula, DONOR, known(JAW, 1.0))
    assert set(errors(unknown).values()) == {None}, "nobody said how far the ends of the fibula are off"


def test_a_piece_just_long_enough_has_an_error_too() -> None:
    fibula = templating.FIBULA.mesh(3.0)
    free = PlanFlap(fibula=Ref("f"), donor=M, jaw=Ref("j"), shortest=10)
    shortest = free.run(WORK, fibula, known(DONOR, 1.0), known(JAW, 1.0))["shortest"]
    tight = replace(free, shortest=shortest.value - 0.1).run(WORK, fibula, known(DONOR, 1.0), known(JAW, 1.0))
    assert tight["shortest"].expected_error == pytest.approx(shortest.expected_error)


# --- a screw


@pytest.mark.slow
@pytest.mark.parametrize(("off", "sd", "aimed"), [(2.0, 0.5, True), (4.0, 0.5, True), (0.0, 0.5, False)])
def test_breach_and_grade_of_a_screw_scatter_as_its_landmarks_do(off: float, sd: float, aimed: bool) -> None:
    """Just inside, beyond the cortex, and aimed at the middle of the pedicle (it never breaches)."""
    bone = templating.VERTEBRA.mesh(1.4)
    places = templating.screw_places(off=(0.0, off))
    marks = marked({n: at for n, at in places.items() if aimed or n != "target"}, "pedicle", bone.frame_uid)
    told = PlanScrew(bone=Ref("b"), landmarks=M).run(WORK, bone, known(marks, sd))
    distance, grades, rows = SignedDistance(bone.mesh), Counter[str](), []
    names = [name for name in NAMES if name in marks.places]
    for one in drawn(marks, sd, 80):
        found = plan_screw(bone, laid(bone, one.at(*names), 45.0, 10.0), 5.5, 45.0, distance=distance)
        rows.append((found.breach_mm, found.anterior_mm, found.bone_mm))
        grades[found.grade] += 1
    for name, seen in zip(("breach", "anterior", "bone"), np.std(rows, axis=0), strict=True):
        assert told[name].expected_error == pytest.approx(seen, rel=0.3, abs=0.05), name
    shares = shares_in(told["grade"].definition)
    for grade in set(shares) | set(grades):
        assert grades[grade] / 80 == pytest.approx(shares.get(grade, 0.0), abs=0.12), grade
    assert told["grade"].expected_error is None


def test_a_screw_errs_with_the_surface_of_the_bone() -> None:
    """Landmarks without an error: what is left is the surface, and of a width both sides of it."""
    plain = templating.VERTEBRA.mesh(1.2)
    bone = of_scan(plain, 0.15)
    marks = known(marked(templating.screw_places(off=(0.0, 4.0)), "pedicle", bone.frame_uid), 0.0)
    found = PlanScrew(bone=Ref("b"), landmarks=M).run(WORK, bone, marks)
    assert found["breach"].expected_error == pytest.approx(0.15, rel=0.1)
    assert found["width"].expected_error == pytest.approx(0.15 * np.sqrt(2))
    assert found["widest"].expected_error == pytest.approx(0.8 * 0.15 * np.sqrt(2))
    assert found["bone"].expected_error == pytest.approx(0.15)
    nobody = marked(templating.screw_places(), "pedicle", bone.frame_uid)
    silent = PlanScrew(bone=Ref("b"), landmarks=M).run(WORK, plain, nobody)
    assert set(errors(silent).values()) == {None}
    assert "it is" not in silent["grade"].definition


def test_grey_values_along_a_screw_have_an_error() -> None:
    bone = templating.VERTEBRA.mesh(1.2)
    marks = known(marked(templating.screw_places(), "pedicle", bone.frame_uid), 1.0)
    scan = templating.VERTEBRA.volume((1.6, 1.0, 1.2))
    grey = PlanScrew(bone=Ref("b"), landmarks=M, volume=Ref("ct")).run(WORK, bone, marks, scan)["grey"]
    assert grey.expected_error is not None
    assert 0 < grey.expected_error < abs(grey.value)


# --- what they share


def test_a_stop_is_heard_while_errors_are_looked_for() -> None:
    told: list[float] = []
    marks = known(HIP, 1.0)

    def places_of(places: FloatArray) -> dict[str, float]:
        return {"first": float(places[0, 0])}

    found = errors_of(
        marks, ("head_centre",), places_of, {"first": "mm"}, lambda share, _: told.append(share)
    )
    assert found == {"first": pytest.approx(1.0)}
    assert told == sorted(told)
    assert len(told) == 6


def test_errors_add_in_squares_and_an_unknown_one_leaves_none() -> None:
    part = templating.canal_of(spacing_mm=4.0)
    assert together(3.0, 4.0) == pytest.approx(5.0)
    assert together(3.0, None) is None
    assert with_surface(0.3, of_scan(part, 0.4)) == pytest.approx(0.5)
    assert with_surface(0.3, part) == 0.3
    assert with_surface(None, of_scan(part, 0.4)) is None
