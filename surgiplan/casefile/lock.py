"""The lock of a plan: while it holds no revision follows. An approval is a lock that says of what."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import Locked, Usage
from .contents import Contents, digest_of
from .journal import Journal

NAME = "lock"  # means the newest line of the journal that locked, approved or unlocked
LOCK, APPROVE, UNLOCK = "lock", "approve", "unlock"


class Lock(NamedTuple):
    """Why a plan cannot be changed.

    by: who locked or approved it, "" when that was not said
    why: the reason, "" for an approval
    when: UTC, ISO 8601
    plan: digest of the approved plan, "" when it is only locked
    results: digest of the approved value of each step by its name
    line: digest of the line of the journal that seals it
    """

    by: str
    why: str
    when: str
    plan: str
    results: Mapping[str, str]
    line: str

    @property
    def approved(self) -> bool:
        """Whether the plan is approved, not only locked."""
        return bool(self.plan)

    @property
    def words(self) -> str:
        """One line for people, such as "Approved by A. Surgeon on 2026-11-27 14:05 UTC"."""
        on = f"on {self.when[:10]} {self.when[11:16]} UTC"
        if self.approved:
            return f"Approved by {self.by} {on}"
        by = f" by {self.by}" if self.by else ""
        return f"Locked{by} {on}: {self.why}"


def plan_digest(steps: Sequence[str]) -> str:
    """The digest of a plan: of the JSON texts of its steps in their order."""
    return digest_of("\n".join(steps).encode())


class Locks:
    """Locks, approves and unlocks the plan of a case, each as a line of the journal.

    contents, journal: of the case
    """

    def __init__(self, contents: Contents, journal: Journal) -> None:
        self._contents, self._journal = contents, journal

    def present(self) -> Lock | None:
        """The lock that holds now; None while the plan can be changed."""
        digest = self._contents.pointed(NAME)
        line: Mapping[str, Any] = self._contents.read(digest) if digest else {"act": UNLOCK}
        if line["act"] == UNLOCK:
            return None
        told = line["details"]
        plan, results = str(told.get("plan", "")), told.get("results", {})
        return Lock(told["by"], told.get("why", ""), line["when"], plan, results, digest)

    def require_none(self) -> None:
        """Raise Locked, with the way out, while a lock holds."""
        if (lock := self.present()) is not None:
            void = ", which voids the approval," if lock.approved else ""
            raise Locked(f"{lock.words}. Unlock the plan{void} before changing it, or work on a copy")

    def lock(self, by: str, why: str) -> None:
        """Let no revision follow. Raises Usage without a reason, Locked when a lock holds already."""
        self.require_none()
        self._turn(LOCK, {"by": by.strip(), "why": _said(why, "why the plan is locked")})

    def approve(self, by: str, revision: int, steps: Sequence[str], results: Mapping[str, str]) -> None:
        """Lock the plan as approved, or say of a locked one that it is.

        revision: number of the present revision
        steps: the JSON texts of its steps
        results: digest of the value of each step by its name
        Raises Usage when nobody is named, Locked when it is approved already.
        """
        if (lock := self.present()) is not None and lock.approved:
            self.require_none()
        said = {"by": _said(by, "who approves the plan"), "revision": revision, "plan": plan_digest(steps)}
        self._turn(APPROVE, said | {"results": dict(results)})

    def unlock(self, by: str, why: str) -> Lock:
        """Take the lock off, which voids an approval; gives what it was.

        Raises Usage without a reason, or when there is no lock.
        """
        lock = self.present()
        if lock is None:
            raise Usage("the plan is not locked: there is nothing to unlock")
        said = {"by": by.strip(), "why": _said(why, "why the plan is unlocked")}
        self._turn(UNLOCK, said | {"voids": lock.line} if lock.approved else said)
        return lock

    def faults(self, steps: Sequence[str]) -> list[str]:
        """What was done to the lock, or to the plan under it, by other means than these.

        steps: the JSON texts of the steps of the present plan
        """
        turns = [e.digest for e in self._journal.entries() if e.act in (LOCK, APPROVE, UNLOCK)]
        if self._contents.pointed(NAME) != (turns[-1] if turns else None):
            return ["the lock of the plan is not as the journal tells: it was changed by another program"]
        lock = self.present()
        if lock is not None and lock.approved and lock.plan != plan_digest(steps):
            return ["the plan is not the one that was approved: it was changed by another program"]
        return []

    def _turn(self, act: str, details: Mapping[str, Any]) -> None:
        self._contents.point(NAME, self._journal.enter(act, details))


def _said(words: str, what: str) -> str:
    if not (said := words.strip()):
        raise Usage(f"say {what}: it is kept in the journal")
    return said
