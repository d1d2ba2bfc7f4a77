"""From a plan to its results: lazily, in the background, one goal at a time."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Event, Thread
from typing import Any

from ..errors import Cancelled, SurgiplanError
from ..values import Value
from .operation import Operation, Ref
from .plan import Key, Plan, Step
from .process import Child
from .store import Store
from .work import Work

Watch = Callable[[str, float, str], None]
Keep = Callable[[Step, Key, Value, float], None]
_WORTH_KEEPING_SECONDS = 0.2


@dataclass
class _Goal:
    steps: list[Step]
    keys: dict[str, Key]
    future: "Future[None]"
    watch: Watch | None
    keep: Keep | None


class Evaluator:
    """Computes what a plan lacks in a thread of its own; a newer goal replaces the older.

    store: where results are looked up and kept
    blob: gives the bytes of a blob of the case by its digest
    """

    def __init__(self, store: Store, blob: Callable[[str], bytes]) -> None:
        self.store = store
        self.failures: dict[Key, Exception] = {}
        self._seconds: dict[Key, float] = {}
        self._blob = blob
        self._child = Child()
        self._goal: _Goal | None = None
        self._running: Key | None = None
        self._stop = Event()
        self._closed = False
        self._changed = Condition()
        self._thread = Thread(target=self._serve, name="evaluator", daemon=True)
        self._thread.start()

    def pursue(
        self, plan: Plan, names: Iterable[str], watch: Watch | None = None, keep: Keep | None = None
    ) -> "Future[None]":
        """Compute these steps and what they rest on.

        watch: is told step, fraction and text; keep: is given each result and the seconds it took
        (0 when it was taken from the disk).
        The future ends when all that can be computed is; failures stand in `failures` by key. It
        raises Cancelled when it was stopped or replaced. Work that the new goal needs goes on.
        """
        steps = plan.needed(names)
        keys = {step.name: plan.keys()[step.name] for step in steps}
        goal = _Goal(steps, keys, Future(), watch, keep)
        goal.future.set_running_or_notify_cancel()
        with self._changed:
            self._replace_goal(goal, stop=self._running not in keys.values())
        if any(s.operation.spec.runs == "process" and keys[s.name] not in self.failures for s in steps):
            Thread(target=self._child.warm, daemon=True).start()
        return goal.future

    def cancel(self) -> None:
        """Stop what is running; its future raises Cancelled."""
        with self._changed:
            self._replace_goal(None, stop=True)

    def close(self) -> None:
        """Stop, and end the thread and the child process."""
        with self._changed:
            self._closed = True
            self._replace_goal(None, stop=True)
        self._thread.join()
        self._child.close()

    def forget_failures(self) -> None:
        """Let failed steps be tried again."""
        self.failures.clear()

    def _replace_goal(self, goal: _Goal | None, stop: bool) -> None:
        older, self._goal = self._goal, goal
        if stop:
            self._stop.set()
        if older is not None and not older.future.done():
            older.future.set_exception(Cancelled("replaced by newer work" if goal else "stopped on request"))
        self._changed.notify_all()

    def value_of(self, ref: Ref[Any], key: Key, here: dict[str, Value]) -> Value | None:
        """The value a reference points to, None when there is none yet."""
        value = here.get(ref.step)
        if value is None:
            value = self.store.get(key)
        return value[ref.output] if ref.output and value is not None else value

    def _serve(self) -> None:
        while True:
            with self._changed:
                while self._goal is None and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                goal, self._stop = self._goal, Event()
                assert goal is not None
            try:
                self._reach(goal)
            except Exception as problem:  # what was computed could not be kept, such as on a full disk
                self._end(goal, problem)

    def _end(self, goal: _Goal, problem: Exception | None = None) -> None:
        """Tell those who wait, unless newer work has replaced the goal and told them already."""
        with self._changed:
            if self._goal is not goal:
                return
            self._goal = None
        if problem is None:
            goal.future.set_result(None)
        else:
            goal.future.set_exception(problem)

    def _reach(self, goal: _Goal) -> None:
        """Compute the steps of a goal in order, until it is reached or replaced."""
        here: dict[str, Value] = {}
        for step in goal.steps:
            key = goal.keys[step.name]
            if key in self.failures or self._rests_on_failure(step, goal):
                continue
            if (value := self.store.get(key)) is None:
                value = self._computed(step, key, goal, here)
            if self._goal is not goal:
                return
            if value is not None:
                here[step.name] = value
                if goal.keep is not None:
                    goal.keep(step, key, value, self._seconds.get(key, 0.0))
        self._end(goal)

    def _rests_on_failure(self, step: Step, goal: _Goal) -> bool:
        blocked = {name for name, key in goal.keys.items() if key in self.failures}
        for other in goal.steps:
            if any(ref.step in blocked for refs in other.references.values() for ref in refs):
                blocked.add(other.name)
        return step.name in blocked

    def _computed(self, step: Step, key: Key, goal: _Goal, here: dict[str, Value]) -> Value | None:
        with self._changed:
            self._running, stop = key, self._stop
        watch = goal.watch
        work = Work(self._blob, (lambda f, t: watch(step.name, f, t)) if watch else None, stop)
        started = time.perf_counter()
        try:
            work.report(0.0, step.operation.spec.name)
            values = {
                field: self._given(step, field, refs, goal, here) for field, refs in step.references.items()
            }
            value = run_step(step, values, work, self._child)
        except Cancelled:
            return None
        except Exception as problem:  # also a bug in an operation: the caller tells it from the class
            self.failures[key] = problem
            return None
        finally:
            self._running = None
        seconds = time.perf_counter() - started
        self._seconds[key] = seconds
        self.store.put(key, value, to_disk=seconds > _WORTH_KEEPING_SECONDS)
        return value

    def _given(
        self, step: Step, field: str, refs: tuple[Ref[Any], ...], goal: _Goal, here: dict[str, Value]
    ) -> Any:
        found = tuple(self.value_of(ref, goal.keys[ref.step], here) for ref in refs)
        return found if step.operation.spec.field(field).many else found[0]


def run_step(step: Step, values: dict[str, Any], work: Work, child: Child | None = None) -> Value:
    """The result of one step from the values of its Ref fields; unset ones are given as None.

    Raises NeedsHand before it runs when something is not placed, and SurgiplanError with the name of
    the step in front.
    """
    operation: Operation[Any] = step.operation
    operation.require_placed(step.name)
    unset = {f.name: None for f in operation.spec.fields if f.takes and f.name not in values}
    try:
        if operation.spec.runs == "process" and child is not None:
            return child.run(operation, unset | values, work)
        return operation.run(work, **(unset | values))
    except Cancelled:
        raise
    except SurgiplanError as problem:
        raise type(problem)(f"{step.name}: {problem}") from problem
