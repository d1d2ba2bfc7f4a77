from typing import Annotated, Generic, Literal, TypeVar

import pytest

from surgiplan.errors import NeedsHand, Usage
from surgiplan.plan.operation import Choice, Number, Operation, Ref, operation
from surgiplan.plan.work import Work
from surgiplan.values import Plane
from tests.integers import Apart, Divide, Given, Placed, Sum

Item = TypeVar("Item")


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
        name: Annotated[str, Choice(lambda: {"x": "a cross", "y": ""})] = "x"

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


def test_the_result_is_read_past_other_generic_bases() -> None:
    class Boxed(Generic[Item]):
        pass

    @operation("boxed")
    class InABox(Boxed[str], Operation[int]):
        """Be in a box."""

        def run(self, work: Work) -> int:
            return 1

    assert InABox.spec.outputs == {"": int}


def test_unions_and_named_results_count_as_any_object() -> None:
    @operation("either")
    class Either(Operation[int | str]):
        """Give one of two.

        other: another result of any kind
        """

        other: Ref[int | str] | None = None

        def run(self, work: Work, other: int | str | None) -> int | str:
            return other or 0

    assert Either.spec.outputs == {"": object}
    field = Either.spec.field("other")
    assert (field.takes, field.optional, field.many) == (object, True, False)
    assert Either().references() == {}


def test_a_field_without_a_word_in_the_docstring_has_no_help() -> None:
    @operation("silent")
    class Silent(Operation[int]):
        """Say little."""

        value: int = 3

        def run(self, work: Work) -> int:
            return self.value

    assert (Silent.spec.summary, Silent.spec.field("value").help) == ("Say little.", "")
    assert Silent.spec.field("value").number == Number()


def test_a_docstring_may_go_on_after_the_fields() -> None:
    @operation("told")
    class Told(Operation[int]):
        """Tell.

        value: the number
            that is told

        Words that belong to no field.
        """

        value: int = 3

        def run(self, work: Work) -> int:
            return self.value

    assert Told.spec.field("value").help == "the number that is told"


def test_a_number_that_may_be_empty_may_be_empty() -> None:
    @operation("perhaps")
    class Perhaps(Operation[int]):
        """Perhaps.

        by: a factor
        """

        by: Annotated[float, Number("mm", 0, 9)] | None = None

        def run(self, work: Work) -> int:
            return 0

    assert Perhaps().by is None
    assert isinstance(Perhaps(by=3).by, float)
    with pytest.raises(Usage, match="by must lie between 0 and 9 mm, not 10"):
        Perhaps(by=10)
