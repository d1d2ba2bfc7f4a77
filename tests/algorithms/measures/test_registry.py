from dataclasses import replace
from pathlib import Path

import pytest

from surgiplan.algorithms.measures.definition import Given, difference
from surgiplan.algorithms.measures.registry import DEFINITIONS, FRAMES, GROUPS, page
from surgiplan.algorithms.measures.templates import read_template, templates
from surgiplan.errors import BadInput, Mismatch, NeedsHand, StepFailed
from surgiplan.values import Landmarks, Measurement, Places

from .legs import Leg

LEG = Leg()


def hka(frame: str = "", error: float = 1.0) -> Measurement:
    found = DEFINITIONS["leg.hka"].measure(Given(landmarks=LEG.landmarks(error_mm=error), frame=frame))
    assert isinstance(found, Measurement)
    return found


def test_numbers_of_one_definition_are_compared() -> None:
    before, after = hka(), replace(hka(), value=2.5)
    found = difference(after, before)
    assert found.value == pytest.approx(2.5 - before.value)
    assert found.unit == "deg"
    assert before.expected_error is not None
    assert found.expected_error == pytest.approx(2**0.5 * before.expected_error)
    assert found.id == "difference.leg.hka"
    assert difference(replace(before, expected_error=None), before).expected_error is None


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (hka("plateau"), "unlike frames.*condyles.* - plateau"),
        (replace(hka(), id="leg.mpta"), "unlike definitions.*leg.hka - leg.mpta"),
        (replace(hka(), unit="mm"), "unlike units.*deg - mm"),
        (replace(hka(), definition="in another way"), "unlike words"),
        (replace(hka(), id=""), "without a named definition is compared with nothing"),
    ],
)
def test_unlike_numbers_are_not_compared(other: Measurement, why: str) -> None:
    with pytest.raises(Mismatch, match=why):
        difference(hka(), other)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_each_definition_can_be_read_and_looked_up(name: str) -> None:
    one = DEFINITIONS[name]
    assert one.id == name
    assert one.title
    assert len(one.words.split()) > 1 or name in ("skull",)
    assert one.group in GROUPS
    assert one.needs


def test_each_frame_has_a_name_for_the_form() -> None:
    assert set(FRAMES) == {name for one in DEFINITIONS.values() for name in one.frames}


NAMED = [name for name, one in DEFINITIONS.items() if one.landmarks]


@pytest.mark.parametrize("name", NAMED)
def test_a_template_has_all_landmarks_of_a_definition_in_each_frame(name: str) -> None:
    one = DEFINITIONS[name]
    frames = list(one.frames.values()) or [None]
    for frame in frames:
        needed = {*one.landmarks, *(frame.landmarks if frame else ())}
        sided = {n.replace("own_", "left_").replace("other_", "right_") for n in needed}
        assert any(sided <= {mark.name for mark in template.marks} for template in templates().values()), (
            sided
        )


@pytest.mark.parametrize("name", NAMED)
def test_without_landmarks_a_hand_is_asked_for(name: str) -> None:
    with pytest.raises(NeedsHand, match="choose a step that names them"):
        DEFINITIONS[name].measure(Given())
    with pytest.raises(NeedsHand, match="not placed yet"):
        DEFINITIONS[name].measure(Given(landmarks=Landmarks(Places(), side="left")))


def test_the_page_of_definitions_is_up_to_date() -> None:
    """Made anew by: surgiplan ops measure --markdown > docs/measurements.md"""
    shown = Path(__file__).resolve().parents[3] / "docs" / "measurements.md"
    assert shown.read_text(encoding="utf-8") == page()


def test_templates_name_each_landmark_once_and_tell_how_it_is_found() -> None:
    assert {"femur", "tibia", "leg", "pelvis", "cephalometric", "spine_level", "orbit"} <= set(templates())
    for template in templates().values():
        assert template.title
        assert all(mark.title and mark.how for mark in template.marks)
    with pytest.raises(StepFailed, match="the template femur has no landmark sella; it has: head_centre"):
        templates()["femur"].mark("sella")


MARK = '{"name": "a", "title": "A", "how": "look", "snap": "surface"}'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "needs title, sided and landmarks"),
        ('{"title": "x", "sided": true}', "needs title, sided and landmarks.*'landmarks'"),
        (f'{{"title": "x", "sided": true, "landmarks": [{MARK}, {MARK}]}}', "must list a once"),
        (
            f'{{"title": "x", "sided": true, "landmarks": [{MARK}], "lateral": [["a", "b"]]}}',
            "must list b once",
        ),
        (
            f'{{"title": "x", "sided": true, "landmarks": [{MARK.replace("surface", "glue")}]}}',
            "snaps to 'glue'",
        ),
    ],
)
def test_a_damaged_template_is_told(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=f"template of landmarks mine.*{why}"):
        read_template("mine", text)
