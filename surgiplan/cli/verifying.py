"""The verb that checks a case: its file, its results beside the evidence, and beside what was approved."""

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from ..acts.approval import approval_words, approved_shape, as_approved, outputs_of
from ..algorithms.agreement import agreement
from ..errors import CaseError, StepFailed
from ..plan.evaluate import Evaluator
from ..plan.store import Store
from ..session import Session, evidence_of
from ..values import Part, Value
from .verbs import opened
from .words import say


def verify(arguments: Namespace) -> int:
    """Check the file, recompute every step from the sources alone and compare with the evidence."""
    with opened(arguments.case, only_look=True) as session:
        faults = session.case.check()
        if faults:
            raise CaseError(f"{arguments.case.name} is damaged: {faults[0]} ({len(faults)} faults in all)")
        fresh = Evaluator(Store(), session.case.blob)
        fresh.pursue(session.plan, session.plan.names).result()
        rows = [_compared(session, fresh, name) for name in session.plan.names]
        fresh.close()
        approval = approval_words(session.case)
    lines = [f"{row['verdict']:<12}{row['name']}{_approval_note(row)}" for row in rows]
    say(arguments, {"steps": rows, "approval": approval}, "\n".join([*lines, approval]))
    for what, field in (("from the evidence", "verdict"), ("from what was approved", "approval")):
        if differing := [row["name"] for row in rows if row.get(field) == "differs"]:
            raise StepFailed(f"recomputed results differ {what}: {', '.join(differing)}")
    return 0


def _approval_note(row: Mapping[str, Any]) -> str:
    moved = f", its surface by up to {row['moved_mm']:.4f} mm" if "moved_mm" in row else ""
    return f"  (differs from what was approved{moved})" if row.get("approval") == "differs" else ""


def _compared(session: Session, fresh: Evaluator, name: str) -> dict[str, Any]:
    """One step recomputed, beside what was kept of it when it was first computed."""
    key = session.plan.keys()[name]
    known, value = session.case.evidence(key), fresh.store.get(key)
    if value is None:
        lost = {"approval": "differs"} if session.case.lock and session.case.lock.approved else {}
        return {"name": name, "verdict": "no result"} | lost
    now: Mapping[str, Any] = evidence_of(value, 0.0)
    approval = _against_approval(session, name, value)
    if not isinstance(known, Mapping):
        return {"name": name, "verdict": "new", "fingerprint": now["fingerprint"], **approval}
    same = known["fingerprint"] == json.loads(json.dumps(now["fingerprint"]))
    row = {
        "name": name,
        "verdict": "same" if same else "differs",
        "libraries": known["libraries"],
        **approval,
    }
    return row if same else row | {"was": known["fingerprint"], "is": now["fingerprint"]}


def _against_approval(session: Session, step: str, value: Value) -> Mapping[str, Any]:
    """How a recomputed result stands to the approved one; empty when the plan is not approved.

    Gives "approval": "same" or "differs", and for a shape that differs "moved_mm": the largest distance
    between the two surfaces.
    """
    found: dict[str, Any] = {}
    for name, one in outputs_of(step, value).items():
        same = as_approved(session.case, name, one)
        if same is None:
            return {}
        found.setdefault("approval", "same")
        if not same:
            found["approval"] = "differs"
            before = approved_shape(session.case, name)
            if before is not None and isinstance(one, Part):
                far = agreement(before, one).hausdorff_mm
                found["moved_mm"] = max(found.get("moved_mm", 0.0), far)
    return found
