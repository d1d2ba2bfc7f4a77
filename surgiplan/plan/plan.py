"""A plan: a straight list of named steps, each an operation that refers only to steps above it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

import cattrs
from cattrs.gen import make_dict_structure_fn
from cattrs.strategies import configure_union_passthrough

from ..errors import BadInput, Usage
from ..values import NO_LABEL, Bits, Label, Places
from .operation import Operation, Ref

Key = str
Operations = Mapping[str, type[Operation[Any]]]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Step:
    """One line of a plan.

    name: how other steps refer to it
    operation: what is done, with its parameters
    note: free words of the planner
    label: title, colour, code and lock
    """

    name: str
    operation: Operation[Any]
    note: str = ""
    label: Label = NO_LABEL

    @cached_property
    def references(self) -> Mapping[str, tuple[Ref[Any], ...]]:
        """The references of each Ref field of the operation."""
        return self.operation.references()

    @cached_property
    def text(self) -> str:
        """The step as canonical JSON."""
        label = {"label": asdict(self.label)} if self.label != NO_LABEL else {}
        content = {"name": self.name, **to_json(self.operation), "note": self.note, **label}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def own_digest(self) -> bytes:
        """Hash of the operation, its version and all parameters but the references."""
        content = to_json(self.operation)
        content["with"] = {k: v for k, v in content["with"].items() if k not in self.references}
        return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).digest()


@dataclass(frozen=True)
class Plan:
    """A recipe; every change gives a new plan that shares the untouched steps."""

    steps: tuple[Step, ...] = ()

    def add(self, name: str, operation: Operation[Any], note: str = "", after: str | None = None) -> "Plan":
        """This plan with a new step, at the end or right after another one.

        Raises Usage for a name that is taken or no plain word, and for a reference that is missing,
        lies below, or is of another type.
        """
        if not _NAME.fullmatch(name):
            raise Usage(f"{name!r} cannot name a step: a letter, then letters, digits, - or _ (64 at most)")
        if name in self.names:
            raise Usage(f"there is a step {name!r} already: choose another name, or edit that step")
        at = len(self.steps) if after is None else self._index(after) + 1
        return self._checked((*self.steps[:at], Step(name, operation, note), *self.steps[at:]))

    def edit(self, name: str, **parameters: Any) -> "Plan":
        """This plan with other parameters in one step."""
        at = self._index(name)
        operation = self.steps[at].operation
        for field in parameters:
            operation.spec.field(field)
        changed = replace(self.steps[at], operation=replace(operation, **parameters))  # type: ignore[type-var]
        return self._checked((*self.steps[:at], changed, *self.steps[at + 1 :]))

    def annotate(self, name: str, **words: Any) -> "Plan":
        """This plan with another note or label on one step; no result changes by it."""
        return Plan(tuple(replace(s, **words) if s is self[name] else s for s in self.steps))

    def remove(self, name: str) -> "Plan":
        """This plan without a step; Usage while another step refers to it."""
        at = self._index(name)
        users = [s.name for s in self.steps for refs in s.references.values() for r in refs if r.step == name]
        if users:
            raise Usage(f"{name} is used by {', '.join(dict.fromkeys(users))}: remove or edit that first")
        return Plan((*self.steps[:at], *self.steps[at + 1 :]))

    @cached_property
    def names(self) -> Mapping[str, int]:
        """Place of each step by its name."""
        return {step.name: n for n, step in enumerate(self.steps)}

    def __getitem__(self, name: str) -> Step:
        return self.steps[self._index(name)]

    def _index(self, name: str) -> int:
        if name not in self.names:
            raise Usage(f"there is no step {name!r}; the steps are: {', '.join(self.names) or 'none yet'}")
        return self.names[name]

    @cached_property
    def _keys(self) -> Mapping[str, Key]:
        keys: dict[str, Key] = {}
        for step in self.steps:
            hasher = blake2b(step.own_digest, digest_size=16)
            for field, refs in step.references.items():
                hasher.update(f"|{field}".encode())
                for ref in refs:
                    hasher.update(f"|{keys[ref.step]}.{ref.output}".encode())
            keys[step.name] = hasher.hexdigest()
        return keys

    def keys(self) -> Mapping[str, Key]:
        """The recipe key of each step: equal keys, equal results. Names, notes and labels do not count."""
        return self._keys

    def needed(self, names: Iterable[str]) -> list[Step]:
        """These steps and all they rest on, in the order of the plan."""
        wanted = {self[name].name for name in names}
        for step in reversed(self.steps):
            if step.name in wanted:
                wanted |= {ref.step for refs in step.references.values() for ref in refs}
        return [step for step in self.steps if step.name in wanted]

    def _checked(self, steps: tuple[Step, ...]) -> "Plan":
        above: dict[str, Mapping[str, type]] = {}
        for step in steps:
            for field, refs in step.references.items():
                for ref in refs:
                    _require_fitting(step, field, ref, above)
            above[step.name] = step.operation.outputs()
        return Plan(steps)


def _require_fitting(step: Step, field: str, ref: Ref[Any], above: Mapping[str, Mapping[str, type]]) -> None:
    where = f"{step.name}: {field} refers to {str(ref)!r}"
    if ref.step not in above:
        raise Usage(f"{where}, but no step above has that name; above are: {', '.join(above) or 'none'}")
    given = above[ref.step]
    if ref.output not in given:
        choice = " or ".join(f"{ref.step}.{name}".rstrip(".") for name in given)
        raise Usage(f"{where}, but that step gives {choice}")
    needed = step.operation.spec.field(field).takes or object
    if not issubclass(given[ref.output], needed):
        raise Usage(f"{where}, which is a {given[ref.output].__name__}; a {needed.__name__} is needed")


def _converter() -> cattrs.Converter:
    def is_a(wanted: Any) -> Callable[[Any], bool]:
        return lambda kind: getattr(kind, "__origin__", kind) is wanted

    converter = cattrs.Converter(forbid_extra_keys=True)
    configure_union_passthrough(bool | int | float | str | None, converter)
    for one, told in ((Bits, Bits.to_text), (Places, dict), (Ref, str)):
        converter.register_unstructure_hook(one, told)
    converter.register_structure_hook_func(is_a(Bits), lambda text, _: Bits.from_text(text))
    converter.register_structure_hook_func(is_a(Places), lambda given, _: Places(given))
    converter.register_structure_hook_func(is_a(Ref), lambda text, _: Ref.of(text))
    converter.register_structure_hook_func(is_a(Literal), lambda word, _: word)
    for kind in (float, int):
        converter.register_structure_hook(kind, _number)
    converter.register_structure_hook(bool, _truth)
    return converter


def _number(given: Any, kind: type) -> Any:
    try:
        return kind(None if isinstance(given, bool) else given)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"a {'whole ' * (kind is int)}number is needed, not {given!r}") from None


def _truth(given: Any, _: Any) -> bool:
    known = {True: True, False: False, "true": True, "false": False, "yes": True, "no": False}
    if isinstance(given, str | bool) and (key := given.lower() if isinstance(given, str) else given) in known:
        return known[key]
    raise ValueError(f"true or false is needed, not {given!r}")


_CONVERTER = _converter()


def to_json(operation: Operation[Any]) -> dict[str, Any]:
    """An operation as plain data: its name, version and all parameters."""
    spec = operation.spec
    content = {f.name: _CONVERTER.unstructure(getattr(operation, f.name)) for f in spec.fields}
    return {"operation": spec.name, "version": spec.version, "with": content}


def from_json(operations: Operations, content: Mapping[str, Any]) -> Operation[Any]:
    """The operation of such data; older parameters are upgraded.

    Raises Usage, with the path of the fault, for unknown operations and fields and for bad values.
    """
    try:
        name, version = str(content["operation"]), int(content.get("version", 1))
        parameters = dict(content.get("with", {}))
    except (KeyError, TypeError, ValueError) as problem:
        raise Usage("a step needs an operation, a version and its parameters under 'with'") from problem
    if name not in operations:
        raise Usage(f"there is no operation {name!r}; there are: {', '.join(operations)}")
    cls = operations[name]
    if version > cls.spec.version:
        raise Usage(
            f"{name} has version {version} here, this surgiplan knows {cls.spec.version}: use a newer one"
        )
    if version < cls.spec.version:
        parameters = cls.upgrade(version, parameters)
    for field in parameters:
        cls.spec.field(field)
    try:
        return make_dict_structure_fn(cls, _CONVERTER)(parameters, cls)
    except cattrs.ClassValidationError as problem:
        told = cattrs.transform_error(problem, path=name, format_exception=_told)
        raise Usage("; ".join(_placed(name, *t.rsplit(" @ ", 1)) for t in told)) from problem


def _placed(operation: str, text: str, path: str = "") -> str:
    """What is wrong after where it is; the operation's own words say that already."""
    return text if not path or text.startswith(f"{operation}: ") else f"{path}: {text}"


def _told(problem: BaseException, kind: type | None) -> str:
    if isinstance(problem, KeyError):
        return f"the field {problem.args[0]} is missing"
    if isinstance(problem, AttributeError | TypeError):
        return "what is given has another shape than is needed here"
    return str(problem)


def step_of(operations: Operations, text: str) -> Step:
    """The step that `Step.text` wrote; BadInput when it is no such text."""
    try:
        content = json.loads(text)
        name, operation = str(content["name"]), from_json(operations, content)
        return Step(name, operation, str(content.get("note", "")), Label(**content.get("label", {})))
    except (ValueError, KeyError, TypeError) as problem:
        raise BadInput("this text does not hold a step of a plan") from problem


def plan_of(operations: Operations, texts: Iterable[str]) -> Plan:
    """The plan of these step texts, with all references checked."""
    plan = Plan()
    for step in (step_of(operations, text) for text in texts):
        plan = plan.add(step.name, step.operation).annotate(step.name, note=step.note, label=step.label)
    return plan
