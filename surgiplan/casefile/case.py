"""A case: its plan with all revisions, facts, evidence, blobs and the journal.

A commit is a line of the journal that lists the steps of the plan. Names in use: "head" is the present
commit, "after D" the newest one that followed the commit D, "tip" the last act, "fact N" a fact.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Self

from ..errors import CaseError
from .contents import Contents, Json
from .database import Database, plainly, require_case
from .journal import Entry, Journal
from .lock import Lock, Locks


class Revision(NamedTuple):
    """One state of the plan: the JSON texts of its steps, the revision it follows, why and when (UTC)."""

    id: int
    parent: int | None
    steps: tuple[str, ...]
    why: str
    when: str


class CaseFile:
    """A case on disk: whatever a call has returned from is kept, also through a power cut.

    Come by one with `create` or `open`. Any call raises CaseError when the file cannot be read or written.
    """

    def __init__(self, path: Path, passphrase: str | None, read_only: bool, fresh: bool = False) -> None:
        self._database = Database(path, passphrase, read_only, fresh)
        self._contents = Contents(self._database)
        self._journal = Journal(self._contents)
        self._locks = Locks(self._contents, self._journal)
        self.path, self.read_only, self.encrypted = path, read_only, self._database.encrypted
        if fresh:
            try:
                with self.atomically():
                    self._contents.begin()
                    self.commit((), "new case")
            except BaseException:
                self.close()
                raise

    @classmethod
    def create(cls, path: Path, passphrase: str | None = None) -> Self:
        """Start a case in a new file, with a revision that has no steps.

        passphrase: encrypts the whole file; without it nothing can be recovered
        Raises CaseError when the path exists or cannot be written, or the passphrase is empty.
        """
        if passphrase == "":
            raise CaseError("an empty passphrase protects nothing: choose another, or none")
        with plainly(path):
            path.touch(0o600, exist_ok=False)
        try:
            return cls(path, passphrase, read_only=False, fresh=True)
        except BaseException:
            path.unlink()
            raise

    @classmethod
    def open(cls, path: Path, passphrase: str | None = None, read_only: bool = False) -> Self:
        """Open a case; a file that is no case is left as it was.

        read_only: look at a case that another program has open, or that lies on read-only media
        Raises CaseError when the file is no case, newer, in use, or the passphrase is wrong or needed.
        """
        with plainly(path):
            require_case(path, passphrase)
        return cls(path, passphrase or None, read_only)

    def close(self) -> None:
        """Let go of the file; harmless when done twice."""
        self._database.close()

    def atomically(self) -> AbstractContextManager[None]:
        """Join several calls into one: all of it is kept, or after an error none."""
        return self._database.atomically()

    def commit(self, steps: Sequence[str], why: str) -> int:
        """Keep a new state of the plan after the present one; returns the number of the revision.

        steps: JSON texts of the steps in their order; a text seen before is not stored again
        why: what was done, as the history shows it
        Raises Locked while the plan is locked or approved.
        """
        with self.atomically():
            self._locks.require_none()
            head = self._contents.pointed("head")
            listed = [self._contents.keep("text", step.encode()) for step in steps]
            parent = self._contents.read(head)["seq"] if head else None
            line = self._journal.enter("commit", {"why": why}, steps=listed, parent=parent, follows=head)
            self._contents.point("head", line)
            self._contents.point(f"after {head}", line)
            return int(self._contents.read(line)["seq"])

    def head(self) -> Revision:
        """The present state of the plan."""
        return self._revision(self._contents.read(self._contents.pointed("head")))

    def history(self) -> list[Revision]:
        """The states of the plan from the first to the present one."""
        return [self._revision(line) for _, line in self._journal.lines("head", "follows")]

    def revisions(self) -> list[Revision]:
        """All states the plan has ever had, also those that were undone, in the order of their making."""
        lines = self._journal.lines("tip", "before")
        return [self._revision(line) for _, line in lines if line["act"] == "commit"]

    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self._contents.read(self._contents.pointed("head"))["follows"] is not None

    def can_redo(self) -> bool:
        """Whether a state that followed the present one was undone."""
        return self._contents.pointed(f"after {self._contents.pointed('head')}") is not None

    def undo(self) -> Revision | None:
        """Go back to the state before; None when there is none. Raises Locked like `commit`."""
        return self._move("undo", self._contents.read(self._contents.pointed("head"))["follows"])

    def redo(self) -> Revision | None:
        """Go forward to the newest state that followed this one and was undone; None when there is none.

        Raises Locked like `commit`.
        """
        return self._move("redo", self._contents.pointed(f"after {self._contents.pointed('head')}"))

    def put_blob(self, data: bytes) -> str:
        """Keep bytes, compressed, and return their digest; bytes kept before are not stored again."""
        return self._contents.keep("blob", data)

    def blob(self, digest: str) -> bytes:
        """The bytes kept under this digest; CaseError when they are missing or damaged."""
        return self._contents.kept("blob", digest)

    def blobs(self) -> list[str]:
        """The digests of all blobs."""
        return self._contents.blobs()

    def put_fact(self, name: str, fact: Json) -> None:
        """Keep something known about the case (patient, side, view) in place of the fact of that name.

        Raises Locked while the plan is locked or approved.
        """
        with self.atomically():
            self._locks.require_none()
            self._contents.point(f"fact {name}", self._contents.write(fact))

    def fact(self, name: str) -> Any:
        """The fact of this name as JSON; None when there is none."""
        digest = self._contents.pointed(f"fact {name}")
        return None if digest is None else self._contents.read(digest)

    def put_evidence(self, key: str, evidence: Json) -> None:
        """Keep how a result came about, under the key of its step, in place of what was there."""
        with self.atomically():
            self._contents.point(f"fact evidence {key}", self._contents.write(evidence))

    def evidence(self, key: str) -> Any:
        """The evidence under this key as JSON; None when there is none."""
        return self.fact(f"evidence {key}")

    @property
    def lock(self) -> Lock | None:
        """What keeps the plan from being changed, read anew; None when nothing does."""
        return self._locks.present()

    def require_unlocked(self) -> None:
        """Raise Locked while the plan is locked or approved."""
        self._locks.require_none()

    def put_lock(self, why: str, by: str = "") -> None:
        """Lock the plan: no commit, undo, redo or fact until it is unlocked, by whatever program.

        why: the reason; by: who locks it. Raises Usage without a reason, Locked when it is locked.
        """
        with self.atomically():
            self._locks.lock(by, why)

    def approve(self, by: str, results: Mapping[str, str]) -> Lock:
        """Lock the present plan as approved; gives what was written down.

        by: who approves
        results: digest of the value of each step by its name
        Raises Usage when nobody is named, Locked when it is approved already.
        """
        with self.atomically():
            head = self.head()
            self._locks.approve(by, head.id, head.steps, results)
        lock = self.lock
        assert lock is not None
        return lock

    def unlock(self, why: str, by: str = "") -> Lock:
        """Take the lock off, which voids an approval; gives what it was. Raises Usage without a reason."""
        with self.atomically():
            return self._locks.unlock(by, why)

    def journal(self, act: str, **details: Json) -> None:
        """Write down an act that touched the world (an import, an export); it can never be taken back."""
        with self.atomically():
            self._journal.enter(act, details)

    def entries(self) -> list[Entry]:
        """The journal from its first line; CaseError when a line was altered or removed."""
        return self._journal.entries()

    def check(self) -> list[str]:
        """What is wrong with the file, in words; empty when all of it is as it was written."""
        faults: list[str] = []

        def tried(look: Callable[..., Any], *args: Any) -> Any:
            try:
                return look(*args)
            except CaseError as fault:
                faults.append(str(fault))
                return ()

        faults += [line for (line,) in tried(self._database.rows, "PRAGMA integrity_check") if line != "ok"]
        for table, digest in tried(self._contents.all):
            tried(self._contents.kept, table, digest)
        lines = tried(self._journal.lines, "tip", "before")
        for step in {step for _, line in lines for step in line.get("steps", ())}:
            tried(self._contents.kept, "text", step)
        head = tried(self.head)
        faults += tried(self._locks.faults, head.steps) if head else ()
        return list(dict.fromkeys(faults))

    def _move(self, act: str, target: str | None) -> Revision | None:
        if target is None:
            self._locks.require_none()
            return None
        with self.atomically():
            self._locks.require_none()
            revision = self._revision(self._contents.read(target))
            self._contents.point("head", target)
            self._journal.enter(act, {"revision": revision.id})
        return revision

    def _revision(self, line: Any) -> Revision:
        steps = tuple(map(self._contents.text, line["steps"]))
        return Revision(line["seq"], line["parent"], steps, line["details"]["why"], line["when"])
