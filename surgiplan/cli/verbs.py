"""The verbs of the command line, one function each; all give the exit code."""

import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import SAFETY_LINE, __version__
from ..acts import intake, outlet
from ..algorithms.measures import registry
from ..casefile import CaseFile
from ..errors import BadInput, CaseError, NeedsHand, SurgiplanError, Usage
from ..formats import dicom
from ..ops import OPERATIONS
from ..plan.operation import Ref
from ..plan.plan import Plan
from ..plan.store import Store, cache_folder
from ..plan.work import Work
from ..scene.describe import describe, findings
from ..scene.view import View
from ..session import Failed, Ready, Result, Session, Waiting
from ..stage.offscreen import Kind, save_png, snapshot
from ..values import figures, vec3
from . import manual, words
from .phrases import brief
from .words import say


def passphrase() -> str | None:
    """The passphrase of an encrypted case, from the environment: no list of processes shows it."""
    return os.environ.get("SURGIPLAN_PASSPHRASE") or None


@contextmanager
def opened(
    path: Path, create: bool = False, only_look: bool = False, locked_too: bool = False
) -> Iterator[Session]:
    """A session on a case file.

    create: make the file when it is absent; it goes again when nothing came into it
    only_look: nothing will be changed, so a case that cannot be written now is opened read-only
    locked_too: the plan will stay as it is; else Locked is raised at once while it is locked or approved
    """
    fresh = create and not path.exists()
    if fresh:
        case = CaseFile.create(path, passphrase())
    else:
        case = _case_to_look_at(path) if only_look else CaseFile.open(path, passphrase())
    try:
        if not (only_look or locked_too):
            case.require_unlocked()
        session = Session(case, OPERATIONS, Store(folder=None if case.encrypted else cache_folder()))
    except CaseError:
        case.close()
        raise
    except SurgiplanError as problem:
        case.close()
        raise CaseError(f"{path}: its plan is not of this surgiplan ({problem})") from problem
    try:
        yield session
    finally:
        session.close()
        if fresh and not session.committed.steps:
            path.unlink()


def _case_to_look_at(path: Path) -> CaseFile:
    """The case; read-only when another program holds it or it lies where nothing can be written."""
    try:
        return CaseFile.open(path, passphrase())
    except CaseError as problem:
        if "read-only" not in str(problem):
            raise
        case = CaseFile.open(path, passphrase(), read_only=True)
    print(f"surgiplan: note: {path.name} cannot be written now, it is only looked at", file=sys.stderr)
    return case


def series(arguments: Namespace) -> int:
    """List the series of a path, usable or not, each with its reason."""
    if not arguments.path.exists():
        raise BadInput(f"{arguments.path} does not exist: check the path")
    found = dicom.scan(arguments.path)
    if not found.series:
        raise BadInput(f"no DICOM series in {arguments.path} ({found.skipped} other files): choose another")
    rows = [
        {
            "uid": one.uid,
            "modality": one.modality,
            "description": one.description,
            "shape": list(one.shape_kji),
            "spacing_mm": list(one.spacing_kji),
            "kji_to_lps": None if one.kji_to_lps is None else one.kji_to_lps.tolist(),
            "transfer_syntax": one.transfer_syntax,
            "usable": one.usable,
            "reason": one.reason,
            "choices": list(one.choices),
            "warnings": list(one.warnings),
        }
        for one in found.series
    ]
    lines = []
    for one in found.series:
        size = " x ".join(map(str, one.shape_kji))
        lines.append(
            f"{'usable ' if one.usable else 'refused'}  {one.modality:<3} {size:<16} {one.description}"
        )
        lines += [f"         {text}" for text in ([one.reason] if one.reason else []) + list(one.warnings)]
        lines += [f"         --accept {word}: {dicom.CHOICES[word]}" for word in one.choices]
        lines.append(f"         {one.uid}")
    say(arguments, rows, "\n".join(lines))
    return 0


def add(arguments: Namespace) -> int:
    """Add a step and compute it. A step that fails is not kept; one that needs a hand is."""
    if arguments.operation not in OPERATIONS:
        raise Usage(f"there is no operation {arguments.operation!r}; see: surgiplan ops")
    operation = words.made(OPERATIONS[arguments.operation], words.split_fields(arguments.words))
    with opened(arguments.case) as session:
        plan = session.plan.add(arguments.name, operation)
        if arguments.suggest:
            plan = plan.edit(arguments.name, **_suggested(session, plan, arguments.name, arguments.suggest))
        return _commit_tried(arguments, session, plan, f"add {arguments.name}")


def edit(arguments: Namespace) -> int:
    """Change a step and compute it. A change that makes the step fail is not kept."""
    with opened(arguments.case) as session:
        operation = session.plan[arguments.name].operation
        changes = words.changed(operation, words.split_fields(arguments.words))
        if not changes:
            raise Usage("nothing to change: give at least one --field value")
        plan = session.plan.edit(arguments.name, **changes)
        return _commit_tried(arguments, session, plan, f"edit {arguments.name}: {', '.join(changes)}")


def remove(arguments: Namespace) -> int:
    """Take out a step that is not used."""
    with opened(arguments.case) as session:
        session.commit(session.plan.remove(arguments.name), f"remove {arguments.name}")
    say(arguments, {"removed": arguments.name}, f"{arguments.name} is removed")
    return 0


def _commit_tried(arguments: Namespace, session: Session, plan: Plan, why: str) -> int:
    """Compute the step first, then keep the plan; what fails changes nothing."""
    name = arguments.name
    session.draft(plan)
    session.pursue([name]).result()
    result = session.results([name])[name]
    if isinstance(result, Failed):
        raise result.error
    session.commit(plan, why)
    session.pursue([name]).result()
    if isinstance(result, Waiting) and result.error is not None:
        raise NeedsHand(f"{result.error} (the step is kept)")
    entry = entry_of(plan, name, result)
    say(arguments, entry, line_of(entry))
    return 0


def _suggested(session: Session, plan: Plan, name: str, method: str) -> Mapping[str, Any]:
    step = plan[name]
    if not step.operation.spec.suggests:
        raise Usage(f"{step.operation.spec.name} has nothing to suggest")
    values = {f: session.value(str(refs[0])) for f, refs in step.references.items()}
    found = step.operation.suggest(Work(), **values)
    if method not in found:
        raise Usage(f"{method!r} is not suggested; there are: {', '.join(found)}")
    return found[method]


def show(arguments: Namespace) -> int:
    """Compute everything; print status and figures of each step, and the findings."""
    with opened(arguments.case, only_look=True) as session:
        session.pursue().result()
        results = session.results()
        entries = [
            entry_of(session.plan, name, result) | intake.origin(session.case, session.plan[name])
            for name, result in results.items()
        ]
        found = [
            {"step": f.step, "text": f.text, "severity": f.severity, "at_lps": f.at_lps and list(f.at_lps)}
            for f in findings(session.plan, results)
        ]
        side = session.case.fact("side") or ""
    lines = [line_of(entry) for entry in entries] + [f"! {f['severity']}: {f['text']}" for f in found]
    say(arguments, {"steps": entries, "findings": found, "side": side, "use": SAFETY_LINE}, "\n".join(lines))
    return 0


def entry_of(plan: Plan, name: str, result: Result) -> dict[str, Any]:
    """A step with its status, its figures or what is wrong, as data."""
    entry: dict[str, Any] = {
        "name": name,
        "operation": plan[name].operation.spec.name,
        "status": result.status,
        "figures": figures(result.value) if isinstance(result, Ready) else {},
    }
    if isinstance(result, Failed | Waiting) and result.error is not None:
        entry["error"] = str(result.error)
    return entry


def line_of(entry: Mapping[str, Any]) -> str:
    """The same in one line."""
    told = entry.get("error") or ", ".join(filter(None, (entry.get("study_date"), brief(entry["figures"]))))
    return f"{entry['status']:<8}{entry['name']:<16}{entry['operation']:<15}{told}"


def export(arguments: Namespace) -> int:
    """Write an up-to-date result to a file."""
    with opened(arguments.case, only_look=True) as session:
        value = session.value(arguments.name)
        step = Ref.of(arguments.name).step
        key, label = session.plan.keys()[step], session.plan[step].label
        told = outlet.export(session.case, arguments.name, key, value, arguments.to, label)
    say(arguments, told, f"{arguments.name} is written to {arguments.to} and was read back unchanged")
    return 0


def render(arguments: Namespace) -> int:
    """Draw the case as it stands into a PNG picture."""
    try:
        width, height = (int(n) for n in arguments.size.lower().split("x"))
    except ValueError:
        raise Usage(f"--size is width x height, such as 1280x960, not {arguments.size!r}") from None
    if arguments.to.suffix.lower() != ".png":
        raise Usage(f"a picture is written as .png, not {arguments.to.suffix or 'without an ending'}")
    if not (64 <= width <= 8192 and 64 <= height <= 8192):
        raise Usage("--size must lie between 64x64 and 8192x8192")
    with opened(arguments.case, only_look=True) as session:
        session.pursue().result()
        picture(session, arguments.view, arguments.to, (width, height), arguments.at)
    say(arguments, {"file": str(arguments.to), "view": arguments.view}, f"{arguments.to} is drawn")
    return 0


def picture(session: Session, kind: Kind, file: Path, size: tuple[int, int], at: str | None = None) -> None:
    """Draw what is known of a session into a file."""
    results = session.results()
    view = replace(View.of(session.plan, results), side=intake.SIDES[str(session.case.fact("side") or "")])
    if at:
        try:
            view = replace(view, crosshair_lps=vec3([float(n) for n in at.split(",")]))
        except ValueError:
            raise Usage(f"--at is x,y,z in mm, not {at!r}") from None
    save_png(snapshot(describe(session.plan, results, view), kind, size), file)


def undo(arguments: Namespace) -> int:
    """Go back by one change."""
    return _travel(arguments, "undo", "there is nothing to undo")


def redo(arguments: Namespace) -> int:
    """Take back one undo."""
    return _travel(arguments, "redo", "there is nothing to redo")


def _travel(arguments: Namespace, way: str, nothing: str) -> int:
    with opened(arguments.case) as session:
        if not getattr(session, way)():
            raise Usage(nothing)
        names = list(session.plan.names)
    say(arguments, {"steps": names}, f"the plan is now: {', '.join(names) or 'empty'}")
    return 0


def ops(arguments: Namespace) -> int:
    """The manual, made from the operations."""
    if arguments.markdown:
        if arguments.name != "measure":
            raise Usage("only measure has a page of definitions: surgiplan ops measure --markdown")
        print(registry.page(), end="")
        return 0
    if arguments.name is None:
        say(arguments, [manual.page_data(cls) for cls in OPERATIONS.values()], manual.overview(OPERATIONS))
        return 0
    if arguments.name not in OPERATIONS:
        raise Usage(f"there is no operation {arguments.name!r}; there are: {', '.join(OPERATIONS)}")
    cls = OPERATIONS[arguments.name]
    say(arguments, manual.page_data(cls), manual.page(cls))
    return 0


def plan(arguments: Namespace) -> int:
    """Print the plan as JSON."""
    with opened(arguments.case, only_look=True) as session:
        steps = [json.loads(step.text) for step in session.plan.steps]
    print(
        json.dumps(
            {"surgiplan": __version__, "use": SAFETY_LINE, "steps": steps}, indent=1, ensure_ascii=False
        )
    )
    return 0
