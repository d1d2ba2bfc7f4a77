"""What comes in and what goes out: cases, scans, shapes, exports, pictures, reports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_bytes
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from ...acts import intake, outlet
from ...acts.deidentify import SECRET_BYTES, without_identity
from ...casefile import CaseFile
from ...errors import BadInput, Cancelled, CaseError, StepFailed
from ...formats import dicom
from ...formats.dicom.series import Scan, Series
from ...formats.privacy.pseudonyms import Options
from ...plan.operation import Ref
from ...plan.plan import Operations, Plan, Step
from ...plan.store import Store, cache_folder
from ...progress import part_of
from ...session import Ready, Session
from ...values import Mesh, Part, Volume
from ..desk import Desk
from ..inputs import seen_value
from ..jobs import Jobs, Report
from .browser import SeriesBrowser
from .dialogs import MeshDialog, PassphraseDialog, Place
from .volumes import LABELS, VolumeDialog

CASE_SUFFIX = ".surgiplan"
Load = Callable[[Report], Sequence[intake.Loaded]]


@dataclass(frozen=True)
class Opened:
    """A case that was opened beside the window.

    done: why and when of each plan that led to the present one
    """

    session: Session
    done: tuple[tuple[str, str], ...]


def opened(case: CaseFile, operations: Operations) -> Opened:
    """Make a session of an open case file; the file is closed again when that fails."""
    try:
        store = Store(folder=None if case.encrypted else cache_folder())
        session = Session(case, operations, store)
        session.results()  # what is made in place is made here, beside the window
        done = tuple((one.why, one.when) for one in case.history() if one.parent is not None)
    except BaseException:
        case.close()
        raise
    return Opened(session, done)


class Doors(QObject):
    """Opens cases and imports into them; all that takes time is done in a worker.

    window: the parent of all questions
    jobs: the worker
    operations: what a plan may hold

    opened: a case is open (Opened)
    refused: something could not be done (the exception)
    told: a sentence for the person
    """

    opened = Signal(object)
    refused = Signal(object)
    told = Signal(str)

    def __init__(self, window: QWidget, jobs: Jobs, operations: Operations) -> None:
        super().__init__(window)
        self._window, self._jobs, self._operations = window, jobs, operations
        self.desk: Desk | None = None
        self._looking = Jobs(self)

    def close(self) -> None:
        """Let no picture of a series be made any more."""
        self._looking.close()

    def _start(self, what: str, task: Callable[[Report], Any], done: Callable[[Any], None]) -> None:
        self._jobs.start(what, task, done, self._failed)

    def _failed(self, problem: Exception) -> None:
        if isinstance(problem, Cancelled):
            self.told.emit(self.tr("Stopped. Nothing was changed."))
        else:
            self.refused.emit(problem)

    # --- cases

    def bring(self, path: Path) -> None:
        """Open or import whatever lies at a path."""
        if path.suffix.lower() == CASE_SUFFIX:
            self.open_case(path)
        elif (kind := intake.kind_of(path)) == "mesh":
            self._read_mesh(path)
        elif kind == "dicom":
            self._scan(path)
        else:
            self._ask_volume(path, kind == "segments")

    def new_case(self, place: Place) -> None:
        """Start an empty case."""
        self._start(
            self.tr("Starting a case"),
            lambda _: opened(_created(place), self._operations),
            self.opened.emit,
        )

    def open_case(self, path: Path, passphrase: str | None = None, read_only: bool = False) -> None:
        """Open a case file; a passphrase is asked for when it needs one."""

        def failed(problem: Exception) -> None:
            text = str(problem)
            if isinstance(problem, CaseError) and "passphrase" in text and not read_only:
                self._ask_passphrase(
                    path, "" if passphrase is None else self.tr("It does not open the case.")
                )
            elif isinstance(problem, CaseError) and "read-only" in text and not read_only:
                self._offer_read_only(path, passphrase, text)
            else:
                self._failed(problem)

        self._jobs.start(
            self.tr("Opening {0}").format(path.name),
            lambda _: opened(CaseFile.open(path, passphrase, read_only), self._operations),
            self.opened.emit,
            failed,
        )

    def _ask_passphrase(self, path: Path, again: str) -> None:
        dialog = PassphraseDialog(self._window, path.name, again)
        dialog.accepted.connect(lambda: self.open_case(path, dialog.passphrase))
        dialog.open()

    def _offer_read_only(self, path: Path, passphrase: str | None, text: str) -> None:
        box = QMessageBox(QMessageBox.Icon.Question, path.name, text, parent=self._window)
        box.setObjectName("read_only_question")
        look = box.addButton(self.tr("Open read-only"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        look.clicked.connect(lambda: self.open_case(path, passphrase, read_only=True))
        box.open()

    # --- imports

    def _scan(self, path: Path) -> None:
        def scan(report: Report) -> Scan:
            if not path.exists():
                raise BadInput(f"{path} does not exist: check the path")
            found = dicom.scan(path, report)
            if not found.series:
                told = (
                    f"no DICOM was found in {path.name} ({found.skipped} other files): choose another folder"
                )
                raise BadInput("\n".join([told, *found.notes[:5]]))
            return found

        self._start(self.tr("Looking into {0}").format(path.name), scan, self._ask_series)

    def _ask_series(self, found: Scan) -> None:
        dialog = SeriesBrowser(self._window, found, self._looking, self._open_name(), self._side())
        dialog.accepted.connect(lambda: self._read_series(dialog))
        dialog.open()

    def _read_series(self, dialog: SeriesBrowser) -> None:
        names = ", ".join(one.description or one.modality for one in dialog.chosen)
        load = partial(_loaded, dialog.chosen, dialog.nameless.isChecked())
        self._keep(self.tr("Reading {0}").format(names), load, dialog.place.place, dialog.side.side)

    def _read_mesh(self, path: Path) -> None:
        def load(report: Report) -> intake.Loaded:
            if not path.exists():
                raise BadInput(f"{path} does not exist: check the path")
            loaded = intake.load_mesh(path, report)
            assert isinstance(loaded.value, Part)
            loaded.value.mesh.bounds  # noqa: B018  (worked out here, not in the window's thread)
            return loaded

        self._start(
            self.tr("Reading {0}").format(path.name), load, lambda loaded: self._ask_unit(path, loaded)
        )

    def _ask_unit(self, path: Path, loaded: intake.Loaded) -> None:
        assert isinstance(loaded.value, Part)
        mesh = loaded.value.mesh
        dialog = MeshDialog(self._window, path.name, mesh, loaded.warnings, self._open_name(), self._side())

        def accepted() -> None:
            unit, factor = dialog.unit
            sized = replace(loaded, value=Part(_scaled(mesh, factor)), about=loaded.about | {"unit": unit})
            what = self.tr("Keeping {0}").format(path.name)
            self._keep(what, lambda _: [sized], dialog.place.place, dialog.side.side)

        dialog.accepted.connect(accepted)
        dialog.open()

    def _ask_volume(self, path: Path, segments: bool) -> None:
        results = self.desk.results if self.desk is not None else {}
        grids = {
            name: result.value.grid
            for name, result in results.items()
            if isinstance(result, Ready) and isinstance(result.value, Volume)
        }
        dialog = VolumeDialog(self._window, path.name, segments, [*grids], self._open_name(), self._side())

        def load(kind: str, scan: str, report: Report) -> Sequence[intake.Loaded]:
            if kind != LABELS:
                return [intake.load(path, report=report, modality=kind)]
            found = intake.load_segments(path, report)
            return intake.put_on(found, grids[scan]) if scan else found

        def accepted() -> None:
            what = self.tr("Reading {0}").format(path.name)
            task = partial(load, dialog.kind, dialog.scan)
            self._keep(what, task, dialog.place.place, dialog.side.side)

        dialog.accepted.connect(accepted)
        dialog.open()

    def _keep(self, what: str, load: Load, place: Place, side: str) -> None:
        """Load in a worker and store in the open case, or in a new one that is then opened."""
        operations, desk = self._operations, self.desk

        def into_new(report: Report) -> Opened:
            loaded = load(report)
            case = _created(place)
            one = opened(case, operations)
            try:
                plan = intake.keep_all(case, operations, one.session.plan, loaded, side=side)
                one.session.commit(plan, _why(plan.steps))
            except BaseException:
                one.session.close()
                case.path.unlink(missing_ok=True)  # made a moment ago, and nothing is in it
                raise
            return replace(one, done=tuple((r.why, r.when) for r in case.history() if r.parent is not None))

        def into_open(report: Report) -> tuple[Step, ...]:
            assert desk is not None
            before, found = desk.kept, load(report)
            plan = intake.keep_all(desk.session.case, operations, before, found, side=side)
            return plan.steps[len(before.steps) :]

        def stored(steps: Sequence[Step]) -> None:
            if desk is None or desk is not self.desk:
                return
            plan = _with(desk.kept, steps)
            if desk.commit(plan, _why(plan.steps[-len(steps) :])):
                desk.choose(plan.steps[-1].name)
                desk.read_facts()

        if place.path is not None:
            self._start(what, into_new, self.opened.emit)
        else:
            self._start(what, into_open, stored)

    def _open_name(self) -> str:
        return self.desk.path.stem if self.desk is not None and self.desk.writable else ""

    def _side(self) -> str:
        return str(self.desk.session.case.fact("side") or "") if self.desk is not None else ""

    # --- exports

    def export(self, desk: Desk, name: str, path: Path) -> None:
        """Write an up-to-date result to a file; refused for anything else."""
        ref = Ref.of(name)
        result = desk.results.get(ref.step)
        if not isinstance(result, Ready) or desk.plan is not desk.kept:
            state = result.status if result is not None else "waiting"
            self.refused.emit(
                StepFailed(
                    f"{name} is {state}: only up-to-date results can be exported. Compute it first (F5)."
                )
            )
            return
        value, key = seen_value(desk.results, ref), desk.plan.keys()[ref.step]
        label = desk.plan[ref.step].label
        self._start(
            self.tr("Exporting {0}").format(name),
            lambda _: outlet.export(desk.session.case, name, key, value, path, label),
            lambda told: self.told.emit(_exported(name, path, told)),
        )


def _exported(name: str, path: Path, told: dict[str, Any]) -> str:
    figures = told["figures"]
    checked = "It was read back from the disk and compared."
    if figures.get("triangles"):
        volume = f"{figures['volume_mm3'] / 1000:.2f} cm³"
        closed = "closed" if figures["watertight"] else "NOT closed"
        checked = f"{checked} {figures['triangles']} triangles, {closed}, {volume}."
    return f"{name} was written to {path} ({told['bytes'] / 1e6:.2f} MB). {checked}"


def _loaded(chosen: Sequence[Series], nameless: bool, report: Report) -> list[intake.Loaded]:
    """All of the series, before any of them is kept: when one cannot be read, none comes in."""
    shares = [part_of(report, n / len(chosen), (n + 1) / len(chosen)) for n in range(len(chosen))]
    loaded = [intake.load_series(one, share) for one, share in zip(chosen, shares, strict=True)]
    return _without_identity(loaded) if nameless else loaded


def _without_identity(all_loaded: Sequence[intake.Loaded]) -> list[intake.Loaded]:
    """Scans that no longer say whose they are; those of one frame of reference still share one."""
    secret = token_bytes(SECRET_BYTES)
    bare = [without_identity(one, Options(), secret) for one in all_loaded]
    return [replace(one, patient=one.patient | {"patient_id": ""}) for one in bare]  # nobody keeps the secret


def _with(plan: Plan, steps: Sequence[Step]) -> Plan:
    """The plan with these steps at its end; one whose name was taken meanwhile gets a number."""
    for step in steps:
        names = (step.name, *(f"{step.name}{n}" for n in range(2, 999)))
        plan = plan.add(next(name for name in names if name not in plan.names), step.operation)
    return plan


def _why(steps: Sequence[Step]) -> str:
    return f"import {', '.join(step.name for step in steps)}"


def _created(place: Place) -> CaseFile:
    assert place.path is not None
    try:
        place.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise CaseError(
            f"{place.path.parent} cannot be made ({problem.strerror}): choose another folder"
        ) from problem
    return CaseFile.create(place.path, place.passphrase)


def _scaled(mesh: Mesh, factor: float) -> Mesh:
    return mesh if factor == 1.0 else Mesh(mesh.points * factor, mesh.triangles)
