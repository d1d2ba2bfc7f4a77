"""What an operation is: typed parameters, what it needs, what it gives and how it runs.

One definition serves the form, the command line, the saved file, the cache key and the manual page.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from ..errors import NeedsHand, Usage
from .work import Work

T = TypeVar("T")
C = TypeVar("C")
Runs = Literal["here", "thread", "process"]
USUAL = "usual"  # marks references that may be empty: a new step takes the first for which there is a result


@dataclass(frozen=True)
class Ref(Generic[T]):
    """The result of an earlier step.

    step: its name
    output: which of its results, for an operation that gives several
    """

    step: str
    output: str = ""

    @classmethod
    def of(cls, text: str) -> "Ref[Any]":
        """The reference written as "step" or "step.output"."""
        step, _, output = text.partition(".")
        return Ref(step, output)

    def __str__(self) -> str:
        return f"{self.step}.{self.output}" if self.output else self.step


@dataclass(frozen=True)
class Number:
    """Marks a numeric parameter: unit, range, step of a spin box; whether a hand can pull it in the views."""

    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    step: float = 1.0
    pulled: bool = False


@dataclass(frozen=True)
class Hand:
    """Marks a parameter that a person must place; None means nobody has yet.

    what: what the person is to do
    least: how many places a list of places needs
    """

    what: str
    least: int = 1


@dataclass(frozen=True)
class Choice:
    """Marks a text parameter that must be one of some words, each with its meaning, known at the start."""

    words: Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Field:
    """One parameter as the form, the command line and the manual see it.

    kind: the bare type: float, int, bool, str, Ref, or a value type such as Plane
    takes: for a Ref, the type of value it must point to
    many: whether it is a list of them
    optional: whether it may be None
    choices: the allowed words, when there are only some
    told: what each of those words means; "" where it speaks for itself
    usual: whether a new step takes such a result when there is one, though it may be empty
    """

    name: str
    kind: Any
    help: str
    default: Any = MISSING
    takes: type | None = None
    many: bool = False
    optional: bool = False
    choices: tuple[str, ...] = ()
    number: Number | None = None
    hand: Hand | None = None
    told: tuple[str, ...] = ()
    usual: bool = False


@dataclass(frozen=True)
class Spec:
    """What the house knows of an operation.

    outputs: type of each result by name; a single result has the name ""
    group: the heading in the menu
    suggests: whether it can propose parameters from its inputs
    """

    name: str
    version: int
    runs: Runs
    outputs: Mapping[str, type]
    fields: tuple[Field, ...]
    summary: str
    group: str
    suggests: bool

    def field(self, name: str) -> Field:
        """The parameter of this name; Usage when there is none."""
        if found := [field for field in self.fields if field.name == name]:
            return found[0]
        known = ", ".join(f.name for f in self.fields)
        raise Usage(f"{self.name} has no field {name!r}; its fields are: {known}")


class Operation(Generic[T]):
    """A step of a plan: frozen parameters and a pure function of the values it refers to."""

    spec: ClassVar[Spec]

    def run(self, work: Work, *values: Any, **named: Any) -> Any:
        """The result; gets the value of each Ref field under the name of that field."""
        raise NotImplementedError

    def suggest(self, work: Work, *values: Any, **named: Any) -> Mapping[str, Mapping[str, Any]]:
        """Parameters to consider, by the name of the method that found them; gets what `run` gets."""
        return {}

    def sketch(self, *values: Any, **named: Any) -> tuple[Any, ...]:
        """Bodies that show, within milliseconds, what a hand places, as a blade; gets what `run` gets."""
        return ()

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters of an older version in the shape of this one."""
        raise Usage(f"{cls.spec.name}: parameters of version {version} cannot be read any more")

    def matters(self, field: str, word: str | None = None) -> bool:
        """Whether a field, or a word of its choice, has a say with the others as they are; else hide it."""
        return True

    def outputs(self) -> Mapping[str, type]:
        """Type of each result; for most operations what the spec says."""
        return self.spec.outputs

    def __post_init__(self) -> None:
        for field in self.spec.fields:
            given = getattr(self, field.name)
            if field.number is not None and given is not None:
                object.__setattr__(self, field.name, self._in_range(field, field.number, given))
            elif field.choices and given is not None and given not in field.choices:
                known = ", ".join(field.choices)
                raise Usage(f"{self.spec.name}: {field.name} must be one of {known}, not {given!r}")

    def _in_range(self, field: Field, number: Number, given: Any) -> float | int:
        value: float | int = field.kind(given) if math.isfinite(given) else given
        if not math.isfinite(value) or not number.low <= value <= number.high:
            span = f"between {number.low:g} and {number.high:g} {number.unit}".rstrip()
            raise Usage(f"{self.spec.name}: {field.name} must lie {span}, not {given:g}")
        return value

    def references(self) -> Mapping[str, tuple[Ref[Any], ...]]:
        """The references of each Ref field that is set, in order."""
        given = [(field, getattr(self, field.name)) for field in self.spec.fields if field.kind is Ref]
        return {f.name: tuple(to) if f.many else (to,) for f, to in given if to is not None}

    def require_placed(self, step: str) -> None:
        """Raise NeedsHand when a parameter that a person must place is still empty."""
        for field, hand in ((field, field.hand) for field in self.spec.fields if field.hand is not None):
            given = getattr(self, field.name)
            if given in (None, ()):
                raise NeedsHand(f"{step}: {field.name} is not placed yet: {hand.what}")
            if hand.least > 1 and len(given) < hand.least:
                some = f"{len(given)} of {hand.least}"
                raise NeedsHand(f"{step}: {some} {field.name} are placed: {hand.what}")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def operation(
    name: str,
    *,
    version: int = 1,
    runs: Runs = "thread",
    outputs: Mapping[str, type] | None = None,
    group: str = "",
) -> Callable[[type[C]], type[C]]:
    """Make a class an operation: a frozen dataclass with a spec read from its types and docstring.

    name: the word in files and on the command line; never changed once released
    version: raised when the parameters change shape; `upgrade` then reads the older ones
    runs: "here" for what takes under a millisecond, "thread" for what lets others breathe,
        "process" for what holds the interpreter or may crash
    outputs: name and type of each result when there are several
    group: the heading in the menu
    """

    def made(cls: type[C]) -> type[C]:
        kept = dataclass(frozen=True, kw_only=True)(cls)
        hints = get_type_hints(kept, include_extras=True)
        summary, helps = _read_docstring(kept.__doc__ or "")
        described = tuple(
            _field(f.name, hints[f.name], f.default, helps.get(f.name, ""))
            for f in fields(kept)  # type: ignore[arg-type]  # it became a dataclass two lines above
        )
        given = dict(outputs) if outputs else {"": _result_type(kept)}
        suggests = getattr(kept, "suggest", None) is not Operation.suggest
        kept.spec = Spec(name, version, runs, given, described, summary, group, suggests)  # type: ignore[attr-defined]
        return kept

    return made


def _result_type(cls: type) -> type:
    given = [get_args(b)[0] for b in getattr(cls, "__orig_bases__", ()) if get_origin(b) is Operation]
    if not given:
        raise TypeError(f"{cls.__name__} must be derived from Operation[its result]")
    return given[0] if isinstance(given[0], type) else object


def _field(name: str, hint: Any, default: Any, text: str) -> Field:
    marks: list[Any] = []
    kind, optional = _unwrapped(hint, marks)
    many = get_origin(kind) is tuple and get_origin(get_args(kind)[0]) is Ref
    kind = get_args(kind)[0] if many else kind
    takes = get_args(kind)[0] if get_origin(kind) is Ref else None
    fixed = dict.fromkeys(get_args(kind) if get_origin(kind) is Literal else (), "")
    told = next((mark.words() for mark in marks if isinstance(mark, Choice)), fixed)
    return Field(
        name=name,
        kind=Ref if takes is not None else str if told else kind,
        help=text,
        default=default,
        takes=takes if isinstance(takes, type) else object if takes is not None else None,
        many=many,
        optional=optional,
        choices=tuple(told),
        told=tuple(told.values()),
        number=next((m for m in marks if isinstance(m, Number)), Number() if kind in (int, float) else None),
        hand=next((m for m in marks if isinstance(m, Hand)), None),
        usual=USUAL in marks,
    )


def _unwrapped(hint: Any, marks: list[Any]) -> tuple[Any, bool]:
    """The bare type under Annotated and "| None", collecting the marks on the way."""
    optional = False
    while True:
        if get_origin(hint) is Annotated:
            hint, *found = get_args(hint)
            marks += found
        elif get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint):
            hint, optional = next(a for a in get_args(hint) if a is not NoneType), True
        else:
            return hint, optional


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """The first sentence, and one help text for each "name: text" line with its continuation."""
    lines = text.strip().splitlines()
    helps: dict[str, str] = {}
    current = ""
    for line in lines[1:]:
        if found := re.match(r"\s*(\w+): (.+)", line):
            current, words = found.groups()
            helps[current] = words.strip()
        elif current and line.strip():
            helps[current] += " " + line.strip()
        else:
            current = ""
    return (lines[0].strip() if lines else ""), helps
