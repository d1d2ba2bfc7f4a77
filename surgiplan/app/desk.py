"""The case on the desk: what is planned, what is known of it and how it is looked at."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from ..errors import Cancelled, SurgiplanError
from ..plan.plan import Key, Plan, Step
from ..scene import Scene, View, describe, findings
from ..scene.shapes import shown_volume
from ..scene.view import each_output, value_of
from ..session import Failed, Ready, Result, Session, Stale, Waiting
from ..stage.shapes import prepare
from ..values import Finding, Vec3
from .files.origins import Origins, takes_grey_values
from .jobs import Jobs
from .words import error_words

_SIDES = {"R": "RIGHT", "L": "LEFT"}


class Desk(QObject):
    """Joins a session with the window: every change goes through here, and is told to all views.

    session: the open case
    done: why and when of each plan that led to the present one, the oldest first
    lock: what keeps the plan from being changed, None when nothing does

    changed: the plan, a result or what is chosen is another: lists and forms read it again
    seen: the scene is another: views draw it again
    computing: step, fraction done and text, while results are computed
    rested: nothing is computed any more; with the reason when it was stopped
    refused: something could not be done; the exception
    """

    changed = Signal()
    seen = Signal()
    computing = Signal(str, float, str)
    rested = Signal(str)
    refused = Signal(object)
    _watched = Signal(object, str, float, str)
    _reached = Signal(object, object)

    def __init__(
        self, session: Session, done: Iterable[tuple[str, str]] = (), parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.origins = Origins(session.case)
        self.results: dict[str, Result] = {}
        self.patient: Mapping[str, str] = {}
        self.side = ""
        self.lock = session.case.lock
        self.view = View()
        self.scene = Scene()
        self._future: Future[None] | None = None
        self.done = list(done)
        self._undone: list[tuple[str, str]] = []
        self._evidence: dict[Key, Mapping[str, Any]] = {}
        self._token = object()
        self._running = ""
        self._warming, self._again = Jobs(self), False
        self._framed = False
        self._closed = False
        self._watched.connect(self._on_watched, Qt.ConnectionType.QueuedConnection)
        self._reached.connect(self._on_reached, Qt.ConnectionType.QueuedConnection)

    def read_facts(self) -> None:
        """Read again whose case it is and which side is planned."""
        self.origins.forget()
        self.patient = self.session.case.fact("patient") or {}
        self.side = str(self.session.case.fact("side") or "")
        self.view = replace(self.view, side=_SIDES.get(self.side, ""))
        self.refresh()

    def set_side(self, side: str) -> None:
        """Keep the planned side: "R", "L" or ""."""
        try:
            with self.session.case.atomically():
                self.session.case.put_fact("side", side)
                self.session.case.journal("side", side=side)
        except SurgiplanError as problem:
            self.refused.emit(problem)
        self.read_facts()

    @property
    def plan(self) -> Plan:
        """The plan that is seen."""
        return self.session.plan

    @property
    def kept(self) -> Plan:
        """The plan as it is on disk, without what a hand is just changing."""
        return self.session.committed

    @property
    def writable(self) -> bool:
        """Whether the plan can be changed: the file can be written, and no lock holds."""
        return self.lock is None and not self.session.case.read_only

    @property
    def path(self) -> Path:
        """The case file."""
        return self.session.case.path

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the planner should look at; a fault of ours is named but not spelled out."""
        return tuple(map(self._told, findings(self.plan, self.results)))

    def _told(self, one: Finding) -> Finding:
        result = self.results.get(one.step)
        ours = isinstance(result, Failed) and not isinstance(result.error, SurgiplanError)
        return replace(one, text=error_words(result.error)) if ours and isinstance(result, Failed) else one

    def evidence(self, name: str) -> Mapping[str, Any] | None:
        """What is kept beside the result of a step: its figures; None while there are none."""
        key = self.plan.keys()[name]
        if key not in self._evidence and isinstance(self.results.get(name), Ready):
            if (found := self.session.case.evidence(key)) is None:
                return None
            self._evidence[key] = found
        return self._evidence.get(key)

    def grey_at(self, at_lps: Vec3) -> str:
        """The grey value of the shown scan at a patient point, such as "226 HU"; "" outside of it."""
        volume = shown_volume(self.plan, self.results, self.view)
        index = volume.grid.nearest(at_lps) if volume is not None else None
        return f"{volume.voxels[index]:g} {volume.unit}".rstrip() if volume is not None and index else ""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What has to be kept in mind while the scan of the 2D views is looked at."""
        shown = shown_volume(self.plan, self.results, self.view)
        for step in self.plan.steps:
            values = each_output(step.name, value_of(self.results.get(step.name)))
            if shown is not None and any(value is shown for _, value in values):
                return self.origins.cautions(self.plan, step.name)
        return ()

    def cautions_for(self, step: Step) -> tuple[str, ...]:
        """What has to be kept in mind while the parameters of a step are chosen."""
        if step.operation.spec.name == "source":
            return self.origins.warnings(step)
        return self.origins.cautions(self.plan, step.name) if takes_grey_values(step) else ()

    # --- changing the plan

    def commit(self, plan: Plan, why: str) -> bool:
        """Keep a plan; False, and told by `refused`, when the case file does not take it."""
        try:
            if plan != self.kept:
                self.session.commit(plan, why)
                self._undone.clear()
                self.done.append((why, datetime.now(UTC).isoformat()))
            self.session.draft(None)
        except SurgiplanError as problem:
            self.session.draft(None)
            self.refresh()
            self.refused.emit(problem)
            return False
        self.refresh()
        self.pursue()
        return True

    def draft(self, plan: Plan | None) -> None:
        """See a plan while a hand is still changing it; None takes it back. A locked plan stays."""
        try:
            self.session.draft(plan)
        except SurgiplanError as problem:
            self.refused.emit(problem)
        self._read()
        self.seen.emit()

    def undo(self) -> None:
        """Go back to the plan before; told by `refused` when it is locked."""
        if self._travelled(self.session.undo):
            if self.done:
                self._undone.append(self.done.pop())
            self._moved()

    def redo(self) -> None:
        """Take back the last undo; told by `refused` when the plan is locked."""
        if self._travelled(self.session.redo):
            self.done.append(self._undone.pop() if self._undone else self._head())
            self._moved()

    def _travelled(self, way: Callable[[], bool]) -> bool:
        try:
            return way()
        except SurgiplanError as problem:
            self.refused.emit(problem)
            return False

    def _head(self) -> tuple[str, str]:
        head = self.session.case.head()
        return (head.why, head.when)

    @property
    def undo_name(self) -> str | None:
        """What undo would take back; None when there is nothing."""
        return self.done[-1][0] if self.done else None

    @property
    def redo_name(self) -> str | None:
        """What redo would bring again, "" when it was undone in an earlier session; None for nothing."""
        if self._undone:
            return self._undone[-1][0]
        return "" if self.session.case.can_redo() else None

    def _moved(self) -> None:
        if self.view.chosen not in self.plan.names:
            self.view = replace(self.view, chosen=None)
        self.refresh()
        self.pursue()

    # --- looking at it

    def look(self, view: View) -> None:
        """See the same plan another way."""
        if (view.crosshair_lps, view.window, view.level) != self._aim:
            self._framed = True  # the person looks where they want to
        chosen_before, hidden_before = self.view.chosen, self.view.hidden
        self.view = view
        if view.chosen != chosen_before or view.hidden != hidden_before:
            self.refresh()
            self.pursue()
            return
        self._describe()
        self.seen.emit()

    def choose(self, name: str | None) -> None:
        """Put a step in the middle of attention: its form, its handles, its outline."""
        if name != self.view.chosen:
            self.look(replace(self.view, chosen=name))

    def point_at(self, at_lps: Vec3) -> None:
        """Put the crosshair of all views at a patient point."""
        self.look(replace(self.view, crosshair_lps=at_lps))

    def hide(self, name: str, hidden: bool) -> None:
        """Show or hide "step" or "step.output"."""
        names = self.view.hidden | {name} if hidden else self.view.hidden - {name}
        self.look(replace(self.view, hidden=names))

    def refresh(self) -> None:
        """Read all results again and tell everyone."""
        self._read()
        self.changed.emit()
        self.seen.emit()

    def _read(self) -> None:
        self.lock = self.session.case.lock
        self.results = dict(self.session.results())
        if not self._framed:
            self._frame_first()
        self._describe()

    def _describe(self) -> None:
        self.scene = describe(self.plan, self.results, self.view)

    @property
    def _aim(self) -> tuple[Vec3, float, float]:
        return (self.view.crosshair_lps, self.view.window, self.view.level)

    def _frame_first(self) -> None:
        """Look at the middle of the scan, or of the shapes when there is none."""
        if any(isinstance(result, Ready) for result in self.results.values()):
            first = View.of(self.plan, self.results)
            self.view = replace(
                self.view, crosshair_lps=first.crosshair_lps, window=first.window, level=first.level
            )
            scan = shown_volume(self.plan, self.results, self.view)
            self._framed = scan is not None or not self.pending

    # --- computing

    def wanted(self) -> list[str]:
        """The steps whose results are looked at."""
        hidden = self.view.hidden
        chosen = self.view.chosen
        return [
            step.name
            for step in self.plan.steps
            if step.name == chosen or not self._hidden(step.name, step.operation.outputs(), hidden)
        ]

    @property
    def pending(self) -> bool:
        """Whether something that is looked at is still to be computed."""
        found = (self.results.get(name) for name in self.wanted())
        return any(isinstance(one, Stale) or one is None or one == Waiting() for one in found)

    @staticmethod
    def _hidden(name: str, outputs: Iterable[str], hidden: frozenset[str]) -> bool:
        return name in hidden or all(f"{name}.{output}" in hidden for output in outputs)

    def pursue(self) -> None:
        """Compute what is looked at and not known, in the background."""
        if self._closed:
            return
        names = self.wanted()
        if all(isinstance(self.results.get(name), Ready) for name in names):
            self._future = None
            self.rested.emit("")
            return
        token = object()
        self._token = token
        future = self.session.pursue(names, lambda *told: self._watched.emit(token, *told))
        self._future = future
        future.add_done_callback(lambda ended: self._tell_end(token, ended))

    def _tell_end(self, token: object, ended: "Future[None]") -> None:
        if not self._closed:
            self._reached.emit(token, ended.exception())

    def retry(self) -> None:
        """Compute failed steps again."""
        self.session.retry()
        self.refresh()
        self.pursue()

    def stop(self) -> None:
        """Stop computing; what is missing stays missing until the next change or `pursue`."""
        self.session.cancel()

    @Slot(object, str, float, str)
    def _on_watched(self, token: object, step: str, fraction: float, text: str) -> None:
        if token is not self._token or self._closed or self._future is None:
            return
        self.computing.emit(step, fraction, text)
        if step != self._running:  # the step before it has just got its result
            self._running = step
            self._settle()

    @Slot(object, object)
    def _on_reached(self, token: object, problem: Exception | None) -> None:
        if token is not self._token or self._closed:
            return
        self._future, self._running = None, ""
        self._settle()
        stopped = isinstance(problem, Cancelled)
        self.rested.emit(self.tr("Stopped. Press F5 to go on.") if stopped else "")

    def _settle(self) -> None:
        """Show new results, once what their drawing needs is made ready in a worker."""
        if self._warming.busy:
            self._again = True
            return
        plan, view, results = self.plan, self.view, dict(self.session.results())
        self._warming.start(
            "", lambda _: prepare(describe(plan, results, view)), self._on_warm, self._on_warm
        )

    def _on_warm(self, _: object) -> None:
        self.refresh()
        if self._again:
            self._again = False
            self._settle()

    def close(self) -> None:
        """Stop all work and close the case."""
        self._closed = True
        self.session.cancel()
        self._warming.close()
        self.session.close()
