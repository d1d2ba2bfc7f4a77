"""The band round a cut: as thick as 95 % of the trials need it, and in the colour of its risk."""

from math import pi, radians

import numpy as np
import pytest

from surgiplan.ops import OPERATIONS
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.scene.bands import DOUBTFUL, RISKY, SAFE, band, revolved, tolerance_text
from surgiplan.scene.describe import describe, findings
from surgiplan.scene.view import View
from surgiplan.session import Ready, Stale
from surgiplan.values import Plane, Tolerance
from tests.ops.shapes import ball

PLAN = (
    Plan()
    .add("tumour", OPERATIONS["source"](digest="0" * 32, kind="part"))
    .add("check", OPERATIONS["tolerance"](body=Ref("tumour"), plane=Plane((0, 0, 0), (0, 0, 1))))
)
TUMOUR = ball(8.0, (0.0, 0.0, 14.0))


def made(short: float = 0.01, deep: float = 0.0, length: float = 0.0, angle: float = 2.0) -> Tolerance:
    return Tolerance(
        margin_mm=6.0,
        margin_mean_mm=5.9,
        margin_p5_mm=2.0,
        margin_p95_mm=9.9,
        least_margin_mm=5.0,
        short_chance=short,
        breach_mean_mm=0.0,
        breach_p95_mm=0.0,
        most_breach_mm=2.0,
        deep_chance=deep,
        trials=2,
        place_sd_mm=2.0,
        angle_sd_deg=angle,
        from_lps=(1, 2, 3),
        along=(0, 0, 1),
        length_mm=length,
        half_mm=0.5,
        reach_mm=40.0,
        at_lps=(0, 0, 6),
        margins_mm=np.array([5.0, 7.0]),
    )


def test_a_band_is_as_thick_as_the_kerf_and_95_percent_of_the_shifts() -> None:
    mesh = band("check", made(angle=0.0), False).mesh
    assert mesh.watertight
    half = 0.5 + 1.96 * 2.0
    low, high = mesh.bounds
    assert (high - low)[2] == pytest.approx(2 * half, abs=1e-3)
    assert (low + high)[2] / 2 == pytest.approx(3, abs=1e-3)
    assert mesh.volume_mm3 == pytest.approx(pi * (40 * 1.15) ** 2 * 2 * half, rel=0.005)


def test_a_tilt_thickens_the_rim_and_not_the_middle() -> None:
    mesh = band("check", made(angle=2.0), False).mesh
    points = mesh.points.astype(float) - (1, 2, 3)
    aside = np.linalg.norm(points[:, :2], axis=1)
    rim = 0.5 + 1.96 * np.hypot(2.0, 46 * radians(2.0))
    assert np.abs(points[aside < 0.1, 2]).max() == pytest.approx(0.5 + 1.96 * 2.0, abs=1e-3)
    assert np.abs(points[aside > 45.9, 2]).max() == pytest.approx(rim, abs=1e-3)


def test_a_trajectory_has_a_band_that_widens_to_the_tip() -> None:
    mesh = band("check", made(length=40.0), False).mesh
    assert mesh.watertight
    points = mesh.points.astype(float) - (1, 2, 3)
    aside = np.linalg.norm(points[:, :2], axis=1)
    assert aside[points[:, 2] < 0.1].max() == pytest.approx(0.5 + 2.448 * 2.0, abs=1e-3)
    assert aside[points[:, 2] > 39.9].max() == pytest.approx(
        0.5 + 2.448 * np.hypot(2.0, 40 * radians(2.0)), abs=1e-3
    )


def test_a_turned_profile_faces_outwards_whatever_the_axis() -> None:
    profile = np.array([[0, 0], [3, 0], [3, 10], [0, 10]], float)
    for axis in ((0, 0, 1), (0, 0, -1), (0.6, 0, 0.8), (1, 0, 0)):
        mesh = revolved(profile, np.array((5.0, 6.0, 7.0)), np.asarray(axis, float))
        assert mesh.volume_mm3 == pytest.approx(pi * 9 * 10, rel=0.005)


@pytest.mark.parametrize(
    ("short", "deep", "colour", "severity"),
    [(0.01, 0.0, SAFE, None), (0.1, 0.0, DOUBTFUL, "warning"), (0.01, 0.3, RISKY, "danger")],
)
def test_colour_and_finding_follow_the_chance(
    short: float, deep: float, colour: str, severity: str | None
) -> None:
    results = {"tumour": Ready(TUMOUR), "check": Ready(made(short, deep))}
    scene = describe(PLAN, results, View())
    shown = next(one for one in scene.surfaces if one.name == "check")
    assert shown.colour == colour
    assert 0 < shown.opacity < 1
    assert all(
        any(o.name == "check" for o in one.outlines) for one in scene.slices.values() if one.axis != "axial"
    )
    told = [one for one in findings(PLAN, results) if one.step == "check"]
    assert [one.severity for one in told] == ([severity] if severity else ["info"])
    assert told[0].at_lps == (0, 0, 6)
    mark = next(m for m in scene.marks if m.name == "check:margin")
    assert mark.text == "margin 6.0 mm (2.0 to 9.9)"


def test_words_name_the_body_and_the_limits() -> None:
    text = tolerance_text(PLAN["check"], made(0.034, 0.5))
    assert text == (
        "tumour: margin 6.0 mm as planned, 2.0 to 9.9 mm in 90 % of trials; below 5 mm in 3.4 %, "
        "breach above 2 mm in 50 %"
    )


def test_what_is_out_of_date_is_pale_and_says_so() -> None:
    results = {"tumour": Ready(TUMOUR), "check": Stale(made(0.5))}
    scene = describe(PLAN, results, View())
    assert next(one for one in scene.surfaces if one.name == "check").dimmed
    assert any("(out of date)" in m.text for m in scene.marks if m.name == "check:margin")


def test_no_two_items_share_a_name() -> None:
    results = {"tumour": Ready(TUMOUR), "check": Ready(made(0.5))}
    names = [item.name for item in describe(PLAN, results, View(chosen="check")).items]
    assert len(names) == len(set(names))
