"""Approving: the results that a person has looked at are frozen beside the plan, to be compared later."""

from collections.abc import Iterable, Mapping

from ..casefile import CaseFile, Lock
from ..errors import StepFailed
from ..values import Part, Value, decode, digest, encode

NOT_APPROVED = "not approved"


def approve(case: CaseFile, values: Iterable[tuple[str, Value]], by: str) -> Lock:
    """Lock the present plan as approved: who, when, its digest, the digest of each result; journalled.

    The shapes themselves are kept in the case, so that a later run can be held against them.

    values: name and up-to-date value of every step (as `Session.values` gives them)
    by: who approves
    Raises Locked when it is approved already, Usage when nobody is named, and whatever `values` raises: a
    plan with a step that fails or waits for a hand cannot be approved.
    """
    if (lock := case.lock) is not None and lock.approved:
        case.require_unlocked()
    seen, digests = case.head(), dict[str, str]()
    for step, value in values:
        for name, one in outputs_of(step, value).items():
            digests[name] = case.put_blob(encode(one)) if isinstance(one, Part) else digest(one)
    with case.atomically():
        if case.head() != seen:
            raise StepFailed("the plan was changed while it was being approved: look at it again")
        return case.approve(by, digests)


def outputs_of(step: str, value: Value) -> Mapping[str, Value]:
    """The results of a step by "step", or by "step.output" where it gives several."""
    return (
        {f"{step}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {step: value}
    )


def approved_shape(case: CaseFile, name: str) -> Part | None:
    """The shape that was approved under this name ("step" or "step.output"); None when it was no shape."""
    lock = case.lock
    at = lock.results.get(name, "") if lock is not None else ""
    value = decode(case.blob(at)) if at in case.blobs() else None
    return value if isinstance(value, Part) else None


def as_approved(case: CaseFile, name: str, value: Value) -> bool | None:
    """Whether a result is bit for bit the one that was approved; None when the plan is not approved.

    name: "step" or "step.output"
    """
    lock = case.lock
    return lock.results.get(name) == digest(value) if lock is not None and lock.approved else None


def approval_words(case: CaseFile, named: bool = True) -> str:
    """What a report, or without the name of the person an exported file, says of the approval."""
    lock = case.lock
    if lock is None or not lock.approved:
        return f"{NOT_APPROVED}. {lock.words}" if lock is not None and named else NOT_APPROVED
    return f"{lock.words if named else f'approved on {lock.when[:10]}'}; plan {lock.plan}"
