from typing import Annotated, Literal

import pytest

from surgiplan.errors import NeedsHand, Usage
from surgiplan.plan.operation import Choice, Number, Operation, Ref, operation
from surgiplan.plan.work import Work
from surgiplan.values import Plane
from tests.integers import Apart, Divide, Given, Placed, Sum


def test_a_spec_is_read_from_types_and_docstring() -> None:
    field = Given.spec.field("value")
    assert (Given.spec.name, Given.spec.summary, Given.spec.runs) == ("number", "Give a number.", "here")
    assert field.help == "the number that is given"
    assert field.number == Number("apples", 0, 1000, 1)
    assert field.default == 1


def test_references_are_seen_with_the_type_they_need() -> None:
    assert Divide.spec.field("a").takes is int
    assert Sum.spec.field("terms").many
    assert Sum(terms=(Ref("x"), Ref.of("d.rest"))).references() == {"terms": (Ref("x"), Ref("d", "rest"))}
    assert str(Ref.of("d.rest")) == "d.rest"
    assert str(Ref.of("d")) == "d"


def test_outputs_are_named_or_single() -> None:
    assert Given.spec.outputs == {"": int}
    assert Divide.spec.outputs == {"quotient": int, "rest": int}


@pytest.mark.parametrize("value", [-1, 1001, float("nan"), float("inf")])
def test_numbers_keep_their_range(value: float) -> None:
    with pytest.raises((Usage, ValueError)):
        Given(value=value)  # type: ignore[arg-type]


def test_numbers_get_their_own_type_so_that_keys_agree() -> None:
    @operation("scaled")
    class Scaled(Operation[float]):
        """Scale.

        by: factor
        """

        by: Annotated[float, Number("mm", 0, 9)] = 1
        plain: float = 2

        def run(self, work: Work) -> float:
            return self.by

    assert isinstance(Scaled(by=3).by, float)
    assert isinstance(Scaled().plain, float)


def test_choices_are_held() -> None:
    @operation("chosen")
    class Chosen(Operation[str]):
        """Choose.

        word: one of two
        name: one of a list
        """

        word: Literal["a", "b"] = "a"
        name: Annotated[str, Choice(lambda: ("x", "y"))] = "x"

        def run(self, work: Work) -> str:
            return self.word

    assert Chosen.spec.field("word").choices == ("a", "b")
    with pytest.raises(Usage, match="word must be one of a, b, not 'c'"):
        Chosen(word="c")  # type: ignore[arg-type]
    with pytest.raises(Usage, match="name must be one of x, y"):
        Chosen(name="z")


def test_what_nobody_has_placed_needs_a_hand() -> None:
    with pytest.raises(NeedsHand, match="p: plane is not placed yet: lay the plane"):
        Placed(a=Ref("n")).require_placed("p")
    Placed(a=Ref("n"), plane=Plane((0, 0, 0), (0, 0, 1))).require_placed("p")


def test_unknown_fields_are_named_with_the_known_ones() -> None:
    with pytest.raises(Usage, match="apart has no field 'wy'; its fields are: a, how"):
        Apart.spec.field("wy")


def test_an_operation_must_say_what_it_gives() -> None:
    with pytest.raises(TypeError, match="must be derived from Operation"):

        @operation("nothing")
        class Nothing:
            """Nothing."""


def test_the_bare_operation_does_nothing_and_reads_no_old_parameters() -> None:
    with pytest.raises(NotImplementedError):
        Operation.run(Given(), Work())
    with pytest.raises(Usage, match="version 0"):
        Given.upgrade(0, {})
    assert Given().suggest(Work()) == {}
    assert not Given.spec.suggests
