"""What the planner is told to look at."""

from surgiplan.errors import NeedsHand, StepFailed
from surgiplan.scene import findings
from surgiplan.values import Collision

from .steps import Failed, Ready, Stale, Waiting, small_case

PLAN, RESULTS = small_case()


def told(**changed: object) -> list[tuple[str, str, str]]:
    return [(f.step, f.severity, f.text) for f in findings(PLAN, {**RESULTS, **changed})]


def test_an_overlap_is_a_danger_with_its_depth_and_place() -> None:
    (one,) = findings(PLAN, RESULTS)
    assert (one.step, one.severity, one.text) == ("check", "danger", "screw - cut.a: depth 2.31 mm")
    assert one.at_lps == (-8.0, 0.0, 8.0)


def test_a_body_inside_another_is_a_danger() -> None:
    ((_, severity, text),) = told(check=Ready(Collision(4.0, 1.0, True, (0, 0, 0))))
    assert severity == "danger"
    assert text == "screw - cut.a: depth 4.00 mm, one wholly inside the other"


def test_a_clearance_below_2_mm_is_a_warning_and_above_it_nothing() -> None:
    near = told(check=Ready(Collision(0.0, 1.99, False, (0, 0, 0))))
    assert near == [("check", "warning", "screw - cut.a: clearance 1.99 mm, less than 2 mm")]
    assert told(check=Ready(Collision(0.0, 2.0, False, (0, 0, 0)))) == []


def test_a_failed_step_is_told_once_at_its_root_with_its_plane() -> None:
    failed = Failed(StepFailed("cut: the plane misses the bone by 12 mm: move it"))
    found = findings(PLAN, {**RESULTS, "cut": failed, "distal": failed, "check": failed})
    assert [(f.step, f.severity, f.text) for f in found] == [
        ("cut", "danger", "the plane misses the bone by 12 mm: move it")
    ]
    assert found[0].at_lps == PLAN["cut"].operation.where.point


def test_a_step_that_waits_for_a_hand_is_a_warning() -> None:
    waiting = Waiting(NeedsHand("cut: where is not placed yet: drag the plane"))
    assert told(cut=waiting, distal=waiting, check=waiting) == [
        ("cut", "warning", "where is not placed yet: drag the plane")
    ]


def test_a_step_that_is_merely_not_computed_is_no_finding() -> None:
    assert told(check=Waiting()) == []


def test_out_of_date_steps_are_told_and_their_collisions_say_so() -> None:
    assert told(check=Stale(RESULTS["check"].value)) == [
        ("check", "danger", "screw - cut.a: depth 2.31 mm (out of date)"),
        ("check", "info", "out of date: compute it again"),
    ]


def test_the_gravest_come_first() -> None:
    found = told(
        bone=Stale(RESULTS["bone"].value),
        distal=Waiting(NeedsHand("distal: place it")),
    )
    assert [severity for _, severity, _ in found] == ["danger", "warning", "info"]


def test_an_error_without_words_is_named() -> None:
    assert told(screw=Failed(ZeroDivisionError()))[0] == ("screw", "danger", "ZeroDivisionError")


def test_a_body_meant_to_sit_inside_is_judged_by_what_covers_it() -> None:
    inside = Collision(3.0, 4.0, True, (0, 0, 0), near_lps=(1, 2, 3), meant="inside", out_mm=0.0)
    assert told(check=Ready(inside)) == []
    thin = Collision(3.0, 1.5, True, (0, 0, 0), near_lps=(1, 2, 3), meant="inside", out_mm=0.0)
    ((_, severity, text),) = told(check=Ready(thin))
    assert severity == "warning"
    assert "covered by 1.50 mm at least, less than 2 mm" in text
    out = Collision(3.0, 0.0, False, (0, 0, 0), meant="inside", out_mm=2.25, out_lps=(4, 5, 6))
    ((_, severity, text),) = told(check=Ready(out))
    assert severity == "warning"
    assert "reaches out by 2.25 mm" in text
    away = Collision(0.0, 7.0, False, (0, 0, 0), near_lps=(0, 0, 0), meant="inside", out_mm=50.0)
    ((_, severity, text),) = told(check=Ready(away))
    assert severity == "danger"
    assert "7.00 mm outside, meant to sit inside" in text
