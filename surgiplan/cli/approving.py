"""The verbs that lock, unlock and approve a plan."""

from argparse import Namespace
from typing import Any

from ..acts.approval import approve as keep_approval
from ..casefile import Lock
from .verbs import opened
from .words import say


def lock(arguments: Namespace) -> int:
    """Let nothing change the plan any more, from whatever program, until it is unlocked."""
    with opened(arguments.case, locked_too=True) as session:
        session.case.put_lock(arguments.why, arguments.by)
        told = session.case.lock
    assert told is not None
    say(arguments, _data(told), told.words)
    return 0


def unlock(arguments: Namespace) -> int:
    """Let the plan be changed again; an approval is void from then on."""
    with opened(arguments.case, locked_too=True) as session:
        before = session.case.unlock(arguments.why, arguments.by)
    void = " Its approval is void." if before.approved else ""
    say(arguments, {"unlocked": True, "was": _data(before)}, f"The plan can be changed again.{void}")
    return 0


def approve(arguments: Namespace) -> int:
    """Compute everything, keep it as what was approved and lock the plan."""
    with opened(arguments.case, locked_too=True) as session:
        told = keep_approval(session.case, session.values(), arguments.by)
    text = f"{told.words}. Plan {told.plan}, {len(told.results)} results are frozen."
    say(arguments, _data(told), text)
    return 0


def _data(told: Lock) -> dict[str, Any]:
    data = {"approved": told.approved, "by": told.by, "when": told.when, "seal": told.line}
    more = {"plan": told.plan, "results": dict(told.results)} if told.approved else {"why": told.why}
    return data | more
