"""Reading a procedure: one schema, checked whole on load; what is wrong is told with its place."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import Any

from ..errors import BadInput, Usage
from ..ops import OPERATIONS
from ..plan.plan import from_json
from .files import content_of
from .procedure import Check, Count, Given, Procedure, Stage

_KINDS = ("part", "mask", "volume")


def read_procedure(name: str, file: Traversable, count: int | None = None) -> Procedure:
    """Read a procedure and check it whole.

    name: its word
    file: where it stands
    count: how often its numbered steps shall be there; None takes the procedure's own number
    Raises BadInput, with the place of the fault, when it does not keep to the schema of docs/procedures.md.
    """
    return procedure_of(name, content_of(file), count)


def procedure_of(name: str, content: Mapping[str, Any], count: int | None = None) -> Procedure:
    """A procedure from its content; see `read_procedure`."""
    reader = _Reader(name)
    reader.keys(
        content, "", ("title", "about", "needs", "source", "stages", "steps", "checks"), ("given", "count")
    )
    times = reader.count(content.get("count"), count)
    full = (
        json.loads(_numbered(json.dumps(content), {"count": str(times.number)})) if times else dict(content)
    )
    steps = tuple(reader.steps(full["steps"], times))
    given = tuple(reader.given(one, n) for n, one in enumerate(full.get("given", ()), 1))
    made = Procedure(
        name,
        reader.text(full, "title", ""),
        reader.text(full, "about", ""),
        reader.text(full, "needs", ""),
        reader.text(full, "source", ""),
        given,
        times,
        tuple(reader.stage(one, f"stage {n}") for n, one in enumerate(full["stages"], 1)),
        steps,
        tuple(reader.check(one, f"check {n}") for n, one in enumerate(full["checks"], 1)),
    )
    reader.fits(made)
    return made


class _Reader:
    """Reads the parts of a procedure; whatever is wrong is told with its place."""

    def __init__(self, name: str) -> None:
        self._name = name

    def wrong(self, where: str, what: str) -> BadInput:
        return BadInput(f"The procedure {self._name} is not right{f' in {where}' if where else ''}: {what}.")

    def keys(
        self, given: Any, where: str, needed: Sequence[str], more: Sequence[str] = ()
    ) -> Mapping[str, Any]:
        if not isinstance(given, Mapping):
            raise self.wrong(where, "it must be a list of names with their values")
        missing = [key for key in needed if key not in given]
        strange = [key for key in given if key not in (*needed, *more)]
        if missing or strange:
            told = [f"{', '.join(missing)} is missing"] if missing else []
            told += [f"{', '.join(map(str, strange))} is not known"] if strange else []
            raise self.wrong(where, " and ".join(told))
        return given

    def text(self, given: Mapping[str, Any], key: str, where: str) -> str:
        if not isinstance(given[key], str) or not given[key].strip():
            raise self.wrong(where, f"{key} must be words")
        return str(given[key])

    def names(self, given: Any, where: str) -> tuple[str, ...]:
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise self.wrong(where, "names are given as a list of words")
        return tuple(name for one in given for name in _spread(one))

    def number(self, given: Any, where: str) -> float | None:
        if given is not None and (isinstance(given, bool) or not isinstance(given, int | float)):
            raise self.wrong(where, f"a limit is a number, not {given!r}")
        return None if given is None else float(given)

    def count(self, given: Any, wanted: int | None) -> Count | None:
        if given is None:
            if wanted is not None:
                raise Usage(f"{self._name} has nothing to count")
            return None
        self.keys(given, "count", ("title", "default", "low", "high"))
        low, number, high = (given[key] for key in ("low", "default", "high"))
        if not all(isinstance(n, int) for n in (low, number, high)) or not 1 <= low <= number <= high:
            raise self.wrong("count", "low, default and high are whole numbers, rising from 1")
        number = number if wanted is None else wanted
        if not low <= number <= high:
            raise Usage(f"{self._name}: {given['title']} must lie between {low} and {high}, not {number}")
        return Count(self.text(given, "title", "count"), number, low, high)

    def given(self, one: Any, n: int) -> Given:
        where = f"given {n}"
        self.keys(one, where, ("name", "title", "kind"), ("optional",))
        if one["kind"] not in _KINDS:
            raise self.wrong(where, f"kind is one of {', '.join(_KINDS)}")
        name, title = self.text(one, "name", where), self.text(one, "title", where)
        return Given(name, title, str(one["kind"]), bool(one.get("optional", False)))

    def steps(self, given: Any, times: Count | None) -> Iterator[dict[str, Any]]:
        if not isinstance(given, list):
            raise self.wrong("steps", "they are a list")
        for n, one in enumerate(given, 1):
            where = f"step {n}"
            if isinstance(one, Mapping) and "each" in one:
                self.keys(one, where, ("each",))
                if times is None:
                    raise self.wrong(where, "it is numbered, but there is no count")
                for number in range(1, times.number + 1):
                    yield from self.steps(
                        json.loads(_numbered(json.dumps(one["each"]), {"n": str(number)})), times
                    )
                continue
            self.keys(one, where, ("name", "operation", "with"), ("version", "note"))
            yield dict(one)

    def stage(self, one: Any, where: str) -> Stage:
        self.keys(one, where, ("title", "words", "step", "steps"), ("marks", "optional", "fields"))
        title, words, step = (self.text(one, key, where) for key in ("title", "words", "step"))
        marks, optional, fields, steps = (
            self.names(one.get(key, []), where) for key in ("marks", "optional", "fields", "steps")
        )
        if step not in steps or not set(optional) <= set(marks):
            raise self.wrong(where, "step must be one of steps, and optional must be some of marks")
        return Stage(title, words, step, marks, optional, fields, steps)

    def check(self, one: Any, where: str) -> Check:
        self.keys(one, where, ("title", "of", "words"), ("figure", "at_least", "at_most", "unit"))
        least, most = (self.number(one.get(key), where) for key in ("at_least", "at_most"))
        if least is None and most is None:
            raise self.wrong(where, "a check needs at_least or at_most")
        title, of, words = (self.text(one, key, where) for key in ("title", "of", "words"))
        return Check(title, of, str(one.get("figure", "value")), least, most, str(one.get("unit", "")), words)

    def fits(self, made: Procedure) -> None:
        """Check that steps can be made, and that stages and checks speak of them."""
        given = {one.name for one in made.given}
        outputs: dict[str, list[str]] = {}
        for n, content in enumerate(made.steps, 1):
            try:
                operation = from_json(OPERATIONS, content)
            except Usage as problem:
                raise self.wrong(f"step {n}", str(problem)) from problem
            for refs in operation.references().values():
                for ref in refs:
                    if str(ref) not in given and ref.output not in outputs.get(ref.step, []):
                        raise self.wrong(f"step {n}", f"it refers to {ref}, which no step above gives")
            outputs[str(content["name"])] = list(operation.outputs())
        for stage in made.stages:
            if strange := [name for name in stage.steps if name not in outputs]:
                raise self.wrong(f"stage {stage.title}", f"there is no step {strange[0]}")
        for check in made.checks:
            step, _, output = check.of.partition(".")
            if output not in outputs.get(step, []):
                raise self.wrong(f"check {check.title}", f"no step gives {check.of}")


def _numbered(text: str, names: Mapping[str, str]) -> str:
    """JSON in which "{n}" as a whole value becomes a number, and "{n}" in words its digits."""
    for name, number in names.items():
        text = text.replace(f'"{{{name}}}"', number)
        text = text.replace(f"{{{name}+1}}", str(int(number) + 1)).replace(f"{{{name}}}", number)
        for more in (0, 1):
            ends = f"{name}+1" if more else name
            text = text.replace(f"{{1..{ends}}}", f"{{1..{int(number) + more}}}")
    return text


def _spread(name: str) -> Iterator[str]:
    """jaw_{1..3} is jaw_1, jaw_2, jaw_3."""
    if (found := re.fullmatch(r"(.*)\{1\.\.(\d+)\}(.*)", name)) is None:
        yield name
        return
    for n in range(1, int(found[2]) + 1):
        yield f"{found[1]}{n}{found[3]}"
