"""The one mutable object of the core: the plan as it stands, its history on disk, its results."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, Literal

from .casefile import CaseFile
from .errors import NeedsHand, StepFailed, Usage
from .plan.evaluate import Evaluator, Watch, run_step
from .plan.operation import Ref
from .plan.plan import Key, Operations, Plan, Step, plan_of
from .plan.store import Store
from .plan.work import Work
from .values import Value, fingerprint

_LIBRARIES = ("numpy", "vtk", "SimpleITK", "manifold3d", "scipy")


@dataclass(frozen=True)
class Ready:
    """The value of a step as the plan stands."""

    value: Value
    status: Literal["ready"] = "ready"


@dataclass(frozen=True)
class Stale:
    """The last value of a step whose recipe has changed since; to be shown dimmed, never exported."""

    value: Value
    status: Literal["stale"] = "stale"


@dataclass(frozen=True)
class Failed:
    """Why a step, or the one it rests on, gives no value."""

    error: Exception
    status: Literal["failed"] = "failed"


@dataclass(frozen=True)
class Waiting:
    """Not computed yet, or waiting for a person to place something (`error` then says what)."""

    error: NeedsHand | None = None
    status: Literal["waiting"] = "waiting"


Result = Ready | Stale | Failed | Waiting


class Session:
    """Draft, commit, undo and pursue on one case. Knows no window.

    case: the open case file
    operations: the operations by name
    store: where results are kept
    """

    def __init__(self, case: CaseFile, operations: Operations, store: Store | None = None) -> None:
        self.case, self._operations = case, operations
        self._committed = plan_of(operations, case.head().steps)
        self._draft: Plan | None = None
        self._last: dict[str, Value] = {}
        self._evaluator = Evaluator(store or Store(), case.blob)

    @property
    def plan(self) -> Plan:
        """The plan that is seen: the draft while there is one, else the committed plan."""
        return self._draft if self._draft is not None else self._committed

    @property
    def committed(self) -> Plan:
        """The plan that is kept on disk."""
        return self._committed

    def draft(self, plan: Plan | None) -> None:
        """See a plan without keeping it (while dragging); None goes back to the committed one.

        Raises Locked while the plan is locked or approved, as commit, undo and redo do.
        """
        if plan is not None:
            self.case.require_unlocked()
        self._draft = plan

    def commit(self, plan: Plan, why: str) -> None:
        """Keep a plan, durably; it can be undone. CaseError when the disk does not take it."""
        if plan != self._committed:
            self.case.commit([step.text for step in plan.steps], why)
            self._committed = plan
        self._draft = None

    def undo(self) -> bool:
        """Go back to the plan before; False when there is none."""
        return self._moved(self.case.undo())

    def redo(self) -> bool:
        """Take back the last undo; False when there is none."""
        return self._moved(self.case.redo())

    def _moved(self, revision: Any) -> bool:
        if revision is None:
            return False
        self._committed, self._draft = plan_of(self._operations, revision.steps), None
        return True

    def results(self, names: Iterable[str] | None = None) -> Mapping[str, Result]:
        """What is known of each step of the seen plan; never waits for anything."""
        plan, keys = self.plan, self.plan.keys()
        steps = plan.steps if names is None else plan.needed(names)
        found: dict[str, Result] = {}
        for step in steps:
            found[step.name] = result = self._result(step, keys[step.name], found)
            if isinstance(result, Ready):
                self._last[step.name] = result.value
        return found

    def _result(self, step: Step, key: Key, above: Mapping[str, Result]) -> Result:
        if (value := self._evaluator.store.peek(key)) is not None:
            return Ready(value)
        if (problem := self._evaluator.failures.get(key)) is not None:
            return Waiting(problem) if isinstance(problem, NeedsHand) else Failed(problem)
        inputs = [above[ref.step] for refs in step.references.values() for ref in refs]
        for given in inputs:
            if isinstance(given, Failed) or (isinstance(given, Waiting) and given.error):
                return given
        if step.operation.spec.runs == "here" and all(isinstance(given, Ready) for given in inputs):
            return self._computed_here(step, above)
        return Stale(self._last[step.name]) if step.name in self._last else Waiting()

    def _computed_here(self, step: Step, above: Mapping[str, Result]) -> Result:
        values: dict[str, Any] = {}
        for field, refs in step.references.items():
            found = tuple(_value_at(above[ref.step], ref) for ref in refs)
            values[field] = found if step.operation.spec.field(field).many else found[0]
        try:
            return Ready(run_step(step, values, Work(self.case.blob)))
        except NeedsHand as problem:
            return Waiting(problem)
        except Exception as problem:  # a bug in an operation is shown at its step, not in the caller
            return Failed(problem)

    def pursue(self, names: Iterable[str] | None = None, watch: Watch | None = None) -> "Future[None]":
        """Compute what these steps (all, when None) lack, in the background; replaces earlier work.

        watch: is told step, fraction and text, from another thread
        """
        plan = self.plan
        keep = partial(self._keep, plan) if plan is self._committed and not self.case.read_only else None
        return self._evaluator.pursue(plan, plan.names if names is None else names, watch, keep)

    def _keep(self, plan: Plan, step: Step, key: Key, value: Value, seconds: float) -> None:
        if plan is self._committed and self.case.evidence(key) is None:
            self.case.put_evidence(key, evidence_of(value, seconds))

    def cancel(self) -> None:
        """Stop what is being computed."""
        self._evaluator.cancel()

    def retry(self) -> None:
        """Let failed steps be computed again."""
        self._evaluator.forget_failures()

    def value(self, text: str, watch: Watch | None = None) -> Value:
        """The value of "step" or "step.output" as the plan stands, computed now if need be.

        Raises what the step raised; Usage when it gives several and none of them is named.
        """
        ref = Ref.of(text)
        outputs = self.plan[ref.step].operation.outputs()
        if ref.output not in outputs:
            raise Usage(
                f"{text}: that step gives {' or '.join(f'{ref.step}.{o}'.rstrip('.') for o in outputs)}"
            )
        value = self._reached(ref.step, watch)
        return value[ref.output] if ref.output else value

    def values(self, watch: Watch | None = None) -> Iterator[tuple[str, Value]]:
        """Name and value of every step as the plan stands, computed now if need be, one after the other.

        Raises what the first step without a value raised.
        """
        for name in self.plan.names:
            yield name, self._reached(name, watch)

    def _reached(self, name: str, watch: Watch | None) -> Value:
        self.pursue([name], watch).result()
        result = self.results([name])[name]
        if isinstance(result, Failed | Waiting) and result.error is not None:
            raise result.error
        if not isinstance(result, Ready):
            raise StepFailed(f"{name} has no up-to-date result: compute it first")
        return result.value

    def close(self) -> None:
        """Stop the work and close the case file."""
        self._evaluator.close()
        self.case.close()


def _value_at(result: Result, ref: Ref[Any]) -> Value:
    if not isinstance(result, Ready):
        raise StepFailed(f"{ref.step} has no up-to-date result")
    return result.value[ref.output] if ref.output else result.value


def evidence_of(value: Value, seconds: float) -> dict[str, Any]:
    """What is kept beside a result: its fingerprint, the libraries that made it, the seconds it took."""
    libraries = {name: version(name) for name in _LIBRARIES}
    return {"fingerprint": fingerprint(value), "libraries": libraries, "seconds": round(seconds, 3)}
