import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.errors import BadInput, Usage
from surgiplan.plan.operation import Operation, Ref, operation
from surgiplan.plan.plan import Plan, Step, from_json, plan_of, step_of, to_json
from surgiplan.plan.work import Work
from surgiplan.values import Label, Plane
from tests.integers import INTEGERS, Divide, Given, Placed, Sum, Words


@pytest.fixture
def three_steps() -> Plan:
    return (
        Plan()
        .add("n", Given(value=7))
        .add("d", Divide(a=Ref("n")))
        .add("s", Sum(terms=(Ref("n"), Ref("d", "rest"))))
    )


def test_steps_refer_to_steps_above_only() -> None:
    with pytest.raises(Usage, match="d: a refers to 'n', but no step above has that name; above are: none"):
        Plan().add("d", Divide(a=Ref("n")))


def test_a_reference_must_name_one_of_several_results(three_steps: Plan) -> None:
    with pytest.raises(Usage, match=r"d2: a refers to 'd', but that step gives d\.quotient or d\.rest"):
        three_steps.add("d2", Divide(a=Ref("d")))


def test_a_reference_must_have_the_right_type() -> None:
    with pytest.raises(Usage, match="which is a str; a int is needed"):
        Plan().add("w", Words(text="x")).add("d", Divide(a=Ref("w")))


@pytest.mark.parametrize("name", ["", "1a", "a b", "a.b", "ä", "a" * 65])
def test_names_are_plain_words(name: str) -> None:
    with pytest.raises(Usage, match="cannot name a step"):
        Plan().add(name, Given())


def test_names_are_taken_once(three_steps: Plan) -> None:
    with pytest.raises(Usage, match="there is a step 'n' already"):
        three_steps.add("n", Given())


def test_an_edit_changes_the_keys_below_and_no_others(three_steps: Plan) -> None:
    edited = three_steps.edit("d", by=3)
    before, after = three_steps.keys(), edited.keys()
    assert before["n"] == after["n"]
    assert before["d"] != after["d"]
    assert before["s"] != after["s"]
    assert edited.edit("d", by=2) == three_steps
    assert edited.edit("d", by=2).keys() == before


def test_names_and_notes_do_not_count_for_keys(three_steps: Plan) -> None:
    renamed = Plan().add("m", Given(value=7)).add("e", Divide(a=Ref("m")), note="why not")
    assert renamed.keys()["e"] == three_steps.keys()["d"]
    assert three_steps.annotate("d", note="words").keys() == three_steps.keys()
    assert (
        three_steps.annotate("d", label=Label("Femur", "#56B4E9", "SCT:71341001", True)).keys()
        == three_steps.keys()
    )


def test_a_label_is_kept_with_its_step_and_only_where_there_is_one(three_steps: Plan) -> None:
    label = Label("Left femur", "#56B4E9", "SCT:71341001", locked=True)
    labelled = three_steps.annotate("d", label=label)
    assert plan_of(INTEGERS, [step.text for step in labelled.steps]) == labelled
    assert labelled["d"].label == label
    assert [a.text for a, b in zip(three_steps.steps, labelled.steps, strict=True) if a.text == b.text] == [
        step.text for step in three_steps.steps if step.name != "d"
    ]
    with pytest.raises(ValueError, match="#rrggbb"):
        Label(colour="blue")
    with pytest.raises(BadInput):
        plan_of(INTEGERS, [labelled["d"].text.replace("#56B4E9", "red")])


def test_which_output_is_used_counts_for_keys(three_steps: Plan) -> None:
    other = three_steps.edit("s", terms=(Ref("n"), Ref("d", "quotient")))
    assert other.keys()["s"] != three_steps.keys()["s"]


def test_a_step_in_use_is_not_removed(three_steps: Plan) -> None:
    with pytest.raises(Usage, match="d is used by s"):
        three_steps.remove("d")
    assert list(three_steps.remove("s").names) == ["n", "d"]


def test_steps_can_be_put_in_between(three_steps: Plan) -> None:
    assert list(three_steps.add("m", Given(), after="n").names) == ["n", "m", "d", "s"]


def test_missing_steps_and_fields_are_named(three_steps: Plan) -> None:
    with pytest.raises(Usage, match="there is no step 'x'; the steps are: n, d, s"):
        three_steps["x"]
    with pytest.raises(Usage, match="divide has no field 'bye'"):
        three_steps.edit("d", bye=1)


def test_needed_follows_the_references_up(three_steps: Plan) -> None:
    longer = three_steps.add("w", Words())
    assert [s.name for s in longer.needed(["d"])] == ["n", "d"]
    assert [s.name for s in longer.needed(["w"])] == ["w"]


def test_a_plan_survives_its_text(three_steps: Plan) -> None:
    texts = [step.text for step in three_steps.steps]
    assert plan_of(INTEGERS, texts) == three_steps
    assert plan_of(INTEGERS, texts).keys() == three_steps.keys()


def test_older_parameters_are_upgraded() -> None:
    old = {"operation": "sum", "version": 1, "with": {"a": "n", "b": "d.rest"}}
    assert from_json(INTEGERS, old) == Sum(terms=(Ref("n"), Ref("d", "rest")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"operation": "divide", "with": {}}, "the field a is missing"),
        ({"operation": "divide", "with": {"a": "n", "bye": 2}}, "divide has no field 'bye'"),
        (
            {"operation": "divide", "with": {"a": "n", "by": "many"}},
            "^divide.by: a whole number is needed, not 'many'$",
        ),
        ({"operation": "divide", "with": {"a": "n", "by": True}}, "by: a whole number is needed, not True"),
        ({"operation": "divide", "with": {"a": 5}}, "divide.a: .* another shape"),
        ({"operation": "divide", "with": {"a": "n", "by": 5000}}, "^divide: by must lie between 0 and 1000"),
        ({"operation": "multiply", "with": {}}, "there is no operation 'multiply'"),
        ({"operation": "sum", "version": 3, "with": {}}, "use a newer one"),
        (
            {"operation": "placed", "with": {"a": "n", "plane": {"point": [0, 0, 0], "normal": [0, 0, 0]}}},
            "zero",
        ),
        ({"operation": "placed", "with": {"a": "n", "plane": [1, 2]}}, "placed.plane: .* another shape"),
        ({"version": 1}, "needs an operation"),
    ],
)
def test_bad_data_says_what_is_wrong(content: dict[str, object], message: str) -> None:
    with pytest.raises(Usage, match=message):
        from_json(INTEGERS, content)


def test_what_is_no_step_text_is_refused() -> None:
    with pytest.raises(BadInput, match="does not hold a step"):
        step_of(INTEGERS, "{")


def test_hand_values_survive_their_text() -> None:
    placed = Placed(a=Ref("n"), plane=Plane((1, 2, 3), (0.1, 0.2, 0.3)))
    assert from_json(INTEGERS, json.loads(json.dumps(to_json(placed)))) == placed


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_any_plan_of_numbers_survives_its_text(values: list[int]) -> None:
    plan = Plan()
    for n, value in enumerate(values):
        plan = plan.add(f"n{n}", Given(value=value))
    plan = plan.add("s", Sum(terms=tuple(Ref(name) for name in plan.names)))
    assert plan_of(INTEGERS, [s.text for s in plan.steps]) == plan


def test_editing_a_plan_of_sixty_steps_is_cheap() -> None:
    plan = Plan().add("n0", Given())
    for n in range(1, 60):
        plan = plan.add(f"n{n}", Sum(terms=(Ref(f"n{n - 1}"),)))
    plan.keys()
    took = []
    for value in range(2, 22):
        start = time.perf_counter()
        plan.edit("n0", value=value).keys()
        took.append(time.perf_counter() - start)
    assert min(took) < 0.010


def test_a_step_is_compared_by_content() -> None:
    assert Step("n", Given(value=3)) == Step("n", Given(value=3))


@operation("switch", runs="here")
class Switch(Operation[int]):
    """Be on or off.

    on: whether it is on
    """

    on: bool = False

    def run(self, work: Work) -> int:
        return int(self.on)


@pytest.mark.parametrize(
    ("given_as", "means"),
    [(True, True), (False, False), ("true", True), ("False", False), ("YES", True), ("no", False)],
)
def test_a_truth_is_read_as_it_is_typed(given_as: object, means: bool) -> None:
    switch = from_json({"switch": Switch}, {"operation": "switch", "with": {"on": given_as}})
    assert switch == Switch(on=means)


@pytest.mark.parametrize("given_as", ["maybe", "", 1, 0, None, 2.5, [True]])
def test_what_is_no_truth_is_refused(given_as: object) -> None:
    with pytest.raises(Usage, match=r"switch\.on: true or false is needed, not"):
        from_json({"switch": Switch}, {"operation": "switch", "with": {"on": given_as}})


@pytest.mark.parametrize(
    "text", ["", "[]", "7", '{"operation": "number"}', '{"name": "n"}', '{"name": "n", "with": 3}']
)
def test_a_text_without_a_step_is_refused(text: str) -> None:
    with pytest.raises((BadInput, Usage)):
        step_of(INTEGERS, text)


def test_an_edit_that_breaks_a_reference_below_is_refused(three_steps: Plan) -> None:
    with pytest.raises(Usage, match="d: a refers to 's', but no step above has that name"):
        three_steps.edit("d", a=Ref("s"))


def test_a_changed_plan_shares_the_untouched_steps(three_steps: Plan) -> None:
    edited = three_steps.edit("s", terms=(Ref("n"),))
    assert edited.steps[0] is three_steps.steps[0]
    assert edited.steps[1] is three_steps.steps[1]
    assert three_steps["s"].operation == Sum(terms=(Ref("n"), Ref("d", "rest")))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1000)), max_size=8))
def test_equal_recipes_have_equal_keys_whatever_the_way_there(edits: list[tuple[int, int]]) -> None:
    plan = Plan()
    for n in range(10):
        plan = plan.add(f"n{n}", Given(value=n)).add(f"s{n}", Sum(terms=(Ref(f"n{n}"), Ref("n0"))))
    for n, value in edits:
        plan = plan.edit(f"n{n}", value=value)
    values = [plan[f"n{n}"].operation.value for n in range(10)]  # type: ignore[attr-defined]
    keys = plan.keys()
    assert plan_of(INTEGERS, [s.text for s in plan.steps]).keys() == keys
    for a in range(10):
        for b in range(10):
            assert (keys[f"n{a}"] == keys[f"n{b}"]) == (values[a] == values[b])
            assert (keys[f"s{a}"] == keys[f"s{b}"]) == (values[a] == values[b])
