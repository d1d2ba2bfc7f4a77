"""The verb `diff`: what distinguishes two plans, with the consequences where both were computed."""

import json
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from ..acts.revisions import figures_computed, figures_kept, plan_at
from ..casefile import CaseFile
from ..difference import Known, between
from ..errors import Usage
from ..ops import OPERATIONS
from ..plan.plan import Plan, plan_of
from ..plan.store import Store, cache_folder
from ..recipes.files import steps_of
from .compare import CASE_SUFFIX
from .verbs import opened
from .words import say


class Side(NamedTuple):
    """One of two plans, what it is, and the case it is of; None for a plan file."""

    plan: Plan
    title: str
    case: CaseFile | None


def diff(arguments: Namespace) -> int:
    """Tell what distinguishes two cases, a case and a plan file, or two revisions of one case."""
    with ExitStack() as stack:
        before, now = _sides(arguments, stack)
        cases = [side.case for side in (before, now) if side.case is not None]
        found = between(before.plan, now.plan, *(_known(s, cases, arguments.compute) for s in (before, now)))
    data = {"before": before.title, "now": now.title} | found.data
    say(arguments, data, "\n".join([f"from {before.title} to {now.title}", *found.lines]))
    return 0


def _sides(arguments: Namespace, stack: ExitStack) -> tuple[Side, Side]:
    a, b = arguments.a, arguments.b
    revisions = (arguments.revision, arguments.to)
    if b is None and revisions == (None, None):
        raise Usage("say what to compare with: another case, a plan file, or --from REVISION")
    if b is not None and revisions != (None, None):
        raise Usage("--from and --to name revisions of one case: leave the second path out")
    if b is not None and a.resolve() == b.resolve():
        raise Usage(f"{a.name} is the same twice: compare revisions of it with --from and --to")
    if b is not None:
        return _of_path(a, stack), _of_path(b, stack)
    if a.suffix != CASE_SUFFIX:
        raise Usage(f"{a.name} is no case: only a case has revisions")
    case = stack.enter_context(opened(a, only_look=True)).case
    one, other = (Side(plan_at(case, OPERATIONS, n), _titled(case, n), case) for n in revisions)
    return one, other


def _titled(case: CaseFile, number: int | None) -> str:
    return f"revision {case.head().id if number is None else number}"


def _of_path(path: Path, stack: ExitStack) -> Side:
    if path.suffix == CASE_SUFFIX:
        session = stack.enter_context(opened(path, only_look=True))
        return Side(session.plan, path.name, session.case)
    texts = (json.dumps(step) for step in steps_of(path))
    return Side(plan_of(OPERATIONS, texts), path.name, None)


def _known(side: Side, cases: list[CaseFile], compute: bool) -> Known:
    """Figures of its results: as the cases keep them, or computed now from what was imported into them."""
    if not compute:
        return figures_kept(side.plan, cases)

    def blob(digest: str) -> bytes:
        held = next((case for case in cases if digest in case.blobs()), cases[0])
        return held.blob(digest)

    encrypted = any(case.encrypted for case in cases)
    return figures_computed(side.plan, blob, Store(folder=None if encrypted else cache_folder()))
