"""The case file: one SQLite file that keeps all of a case, durable from one act to the next.

Inside are contents and names. A content (a step, a line of the journal, a fact, a blob) is found by the
digest of its bytes and checked against it when read; only names move from one content to another. A line of
the journal holds the digest of the line before; a commit is a line that lists the steps of the plan.

A rollback journal (not WAL) makes NAME.surgiplan alone the whole case between two commits, also on network
shares and read-only media. The writer holds SQLite's RESERVED lock while the case is open: others may read,
none may write, and the lock dies with the process. On POSIX, closing any handle of a file drops all locks of
the process on it: within this process, read the file of an open case only through SQLite.

Threads share one connection and take turns; a large blob lets others in between two of its pieces.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, Self, TypeAlias
from unicodedata import normalize

import apsw
import zstandard

from ..errors import CaseError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

APPLICATION, LAYOUT = 0x53504C4E, 1  # "SPLN"
# Of the ciphers that authenticate, AEGIS-256 is the fastest in and out (docs/benchmarks.md), and it notices a
# wrong key even when it meets an interrupted commit first. Argon2id with the costs that RFC 9106 recommends.
_CIPHER = """PRAGMA cipher='aegis'; PRAGMA algorithm='aegis-256';
PRAGMA tcost=3; PRAGMA mcost=65536; PRAGMA pcost=4; PRAGMA hexkey='{}'"""
# Pages of 8 KiB hold a line of the journal whole; smaller ones doubled the file, larger ones gained little.
_SETTINGS = """PRAGMA page_size=8192; PRAGMA synchronous=extra; PRAGMA fullfsync=on;
PRAGMA temp_store=memory; PRAGMA trusted_schema=off; PRAGMA cell_size_check=on"""
_TABLES = f"""
CREATE TABLE text (digest TEXT, number INTEGER, data BLOB, PRIMARY KEY (digest, number)) WITHOUT ROWID;
CREATE TABLE blob (digest TEXT, number INTEGER, data BLOB, PRIMARY KEY (digest, number)) WITHOUT ROWID;
CREATE TABLE name (name TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT};
"""
_ALL = """SELECT 'text', digest FROM text UNION SELECT 'text', digest FROM name
UNION SELECT 'blob', digest FROM blob WHERE number = 0"""
_PIECE = 4 << 20  # bytes of a content in one row
_PATIENCE_MS = 5000  # a commit waits that long for readers elsewhere, and they for a commit
_LULL_S = 0.01  # far longer than the writer lets go of its lock between two commits
_DAMAGED = apsw.NotADBError, apsw.CorruptError, UnicodeDecodeError
_WORDS = (
    (FileExistsError, "exists already: choose another name"),
    (apsw.FullError, "the disk is full: make room and try again; what was committed before is kept"),
    (apsw.BusyError, "in use elsewhere: close it there, or open it read-only"),
    (_DAMAGED, "damaged: leave it as it is and go back to a copy"),
    (Exception, "the disk refuses, here or in its folder; what was committed before is kept"),
)


class Revision(NamedTuple):
    """One state of the plan: the JSON texts of its steps, the revision it follows, why and when (UTC)."""

    id: int
    parent: int | None
    steps: tuple[str, ...]
    why: str
    when: str


class Entry(NamedTuple):
    """One line of the journal; its digest seals it and every line before."""

    seq: int
    when: str
    act: str
    details: Mapping[str, Json]
    digest: str


class CaseFile:
    """A case on disk: whatever a call has returned from is kept, also through a power cut.

    Come by one with `create` or `open`. Any call raises CaseError when the file cannot be read or written.
    """

    def __init__(self, path: Path, passphrase: str | None, read_only: bool, fresh: bool = False) -> None:
        self.path, self.read_only, self.encrypted = path, read_only, passphrase is not None
        self._lock, self._writing = RLock(), False
        self._text = lru_cache(4096)(lambda digest: self._kept("text", digest).decode())
        with _plainly(path):
            self._db = apsw.Connection(str(path.absolute()), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            self._unlock(passphrase, fresh)
            if not read_only:
                self._claim()
            if fresh:
                with self.atomically():
                    self._rows(_TABLES)
                    self.commit((), "new case")
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def create(cls, path: Path, passphrase: str | None = None) -> Self:
        """Start a case in a new file, with a revision that has no steps.

        passphrase: encrypts the whole file; without it nothing can be recovered
        Raises CaseError when the path exists or cannot be written, or the passphrase is empty.
        """
        if passphrase == "":
            raise CaseError("an empty passphrase protects nothing: choose another, or none")
        with _plainly(path):
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
        with _plainly(path):
            _require_case(path, passphrase)
        return cls(path, passphrase or None, read_only)

    def close(self) -> None:
        """Let go of the file; harmless when done twice."""
        with self._lock:
            self._db.close()

    @contextmanager
    def atomically(self) -> Iterator[None]:
        """Join several calls into one: all of it is kept, or after an error none."""
        if self.read_only:
            raise CaseError(f"{self.path}: opened read-only, nothing in it can be changed")
        with self._lock:
            if self._writing and self._db.in_transaction:
                yield
                return
            if self._writing:
                raise CaseError(f"{self.path}: the disk failed, nothing of this act is kept")
            if not self._db.in_transaction:
                self._rows("BEGIN IMMEDIATE")
            self._writing = True
            try:
                yield
                self._rows("COMMIT")
            finally:
                self._writing = False
                if self._db.in_transaction:
                    self._rows("ROLLBACK")
                with suppress(CaseError):  # what was committed stays; the next write asks for the lock again
                    self._rows("BEGIN IMMEDIATE")

    def commit(self, steps: Sequence[str], why: str) -> int:
        """Keep a new state of the plan after the present one; returns the number of the revision.

        steps: JSON texts of the steps in their order; a text seen before is not stored again
        why: what was done, as the history shows it
        """
        with self.atomically():
            head, listed = self._pointed("head"), [self._keep("text", step.encode()) for step in steps]
            parent = self._read(head)["seq"] if head else None
            line = self._enter("commit", {"why": why}, steps=listed, parent=parent, follows=head)
            self._point("head", line)
            self._point(f"after {head}", line)
            return int(self._read(line)["seq"])

    def head(self) -> Revision:
        """The present state of the plan."""
        return self._revision(self._read(self._pointed("head")))

    def history(self) -> list[Revision]:
        """The states of the plan from the first to the present one."""
        return [self._revision(line) for _, line in self._lines("head", "follows")]

    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self._read(self._pointed("head"))["follows"] is not None

    def can_redo(self) -> bool:
        """Whether a state that followed the present one was undone."""
        return self._pointed(f"after {self._pointed('head')}") is not None

    def undo(self) -> Revision | None:
        """Go back to the state before; None when there is none."""
        return self._move("undo", self._read(self._pointed("head"))["follows"])

    def redo(self) -> Revision | None:
        """Go forward to the newest state that followed this one and was undone; None when there is none."""
        return self._move("redo", self._pointed(f"after {self._pointed('head')}"))

    def put_blob(self, data: bytes) -> str:
        """Keep bytes, compressed, and return their digest; bytes kept before are not stored again."""
        return self._keep("blob", data)

    def blob(self, digest: str) -> bytes:
        """The bytes kept under this digest; CaseError when they are missing or damaged."""
        return self._kept("blob", digest)

    def blobs(self) -> list[str]:
        """The digests of all blobs."""
        return [digest for (digest,) in self._rows("SELECT digest FROM blob WHERE number = 0")]

    def put_fact(self, name: str, fact: Json) -> None:
        """Keep something known about the case (patient, side, view) in place of the fact of that name."""
        with self.atomically():
            self._point(f"fact {name}", self._write(fact))

    def fact(self, name: str) -> Any:
        """The fact of this name as JSON; None when there is none."""
        digest = self._pointed(f"fact {name}")
        return None if digest is None else self._read(digest)

    def put_evidence(self, key: str, evidence: Json) -> None:
        """Keep how a result came about, under the key of its step, in place of what was there."""
        self.put_fact(f"evidence {key}", evidence)

    def evidence(self, key: str) -> Any:
        """The evidence under this key as JSON; None when there is none."""
        return self.fact(f"evidence {key}")

    def journal(self, act: str, **details: Json) -> None:
        """Write down an act that touched the world (an import, an export); it can never be taken back."""
        with self.atomically():
            self._enter(act, details)

    def entries(self) -> list[Entry]:
        """The journal from its first line; CaseError when a line was altered or removed."""
        lines = self._lines("tip", "before")
        return [Entry(line["seq"], line["when"], line["act"], line["details"], at) for at, line in lines]

    def check(self) -> list[str]:
        """What is wrong with the file, in words; empty when all of it is as it was written."""
        faults: list[str] = []

        def tried(look: Callable[..., Any], *args: Any) -> Any:
            try:
                return look(*args)
            except CaseError as fault:
                faults.append(str(fault))
                return ()

        faults += [line for (line,) in tried(self._rows, "PRAGMA integrity_check") if line != "ok"]
        for table, digest in tried(self._rows, _ALL):
            tried(self._kept, table, digest)
        lines = tried(self._lines, "tip", "before")
        for step in {step for _, line in lines for step in line.get("steps", ())}:
            tried(self._kept, "text", step)
        return list(dict.fromkeys(faults))

    def _unlock(self, passphrase: str | None, fresh: bool) -> None:
        self._db.set_busy_timeout(_PATIENCE_MS)
        if passphrase is not None:
            self._rows(_CIPHER.format(normalize("NFC", passphrase).encode().hex()))
        with _plainly(self.path, locked=self.encrypted):
            found, layout = self._db.pragma("application_id"), self._db.pragma("user_version")
        if not fresh and found != APPLICATION:
            raise CaseError(f"{self.path}: not a case file, or one that was never begun")
        if layout > LAYOUT:
            raise CaseError(f"{self.path}: written by a newer surgiplan (layout {layout}): update this one")
        self._rows(_SETTINGS)

    def _claim(self) -> None:
        if self._db.readonly("main"):
            raise CaseError(f"{self.path}: can only be read here, open it read-only or copy it elsewhere")
        self._db.set_busy_timeout(0)
        self._rows("PRAGMA journal_mode=persist; PRAGMA journal_mode=delete")  # sweeps up after a kill
        self._rows("BEGIN IMMEDIATE; ROLLBACK")  # may have slipped in between two commits of the writer:
        time.sleep(_LULL_S)  # leave it the time to take the lock back
        self._rows("BEGIN IMMEDIATE")
        self._db.set_busy_timeout(_PATIENCE_MS)

    def _enter(self, act: str, details: Mapping[str, Json], **plan: Json) -> str:
        before = self._pointed("tip")
        seq = self._read(before)["seq"] + 1 if before else 1
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"seq": seq, "when": when, "act": act, "details": details, "before": before, **plan}
        digest = self._write(line)
        self._point("tip", digest)
        return digest

    def _lines(self, name: str, link: str) -> list[tuple[str, Any]]:
        """The lines of the journal up to the named one, each with its digest, the first one first."""
        lines, digest = [], self._pointed(name)
        while digest:
            lines.append((digest, self._read(digest)))
            digest = lines[-1][1][link]
        return lines[::-1]

    def _move(self, act: str, target: str | None) -> Revision | None:
        if target is None:
            return None
        with self.atomically():
            revision = self._revision(self._read(target))
            self._point("head", target)
            self._enter(act, {"revision": revision.id})
        return revision

    def _point(self, name: str, digest: str) -> None:
        self._rows("INSERT OR REPLACE INTO name VALUES (?, ?)", name, digest)

    def _pointed(self, name: str) -> Any:
        rows = self._rows("SELECT digest FROM name WHERE name = ?", name)
        return rows[0][0] if rows else None

    def _write(self, record: Json) -> str:
        return self._keep("text", json.dumps(record, allow_nan=False).encode())

    def _read(self, digest: str) -> Any:
        return json.loads(self._text(digest))

    def _revision(self, line: Any) -> Revision:
        steps = tuple(map(self._text, line["steps"]))
        return Revision(line["seq"], line["parent"], steps, line["details"]["why"], line["when"])

    def _keep(self, table: str, data: bytes) -> str:
        digest, view = _digest(data), memoryview(data)
        if not self._rows(f"SELECT 1 FROM {table} WHERE digest = ? AND number = 0", digest):
            for start in reversed(range(0, len(view) or 1, _PIECE)):  # number 0 comes last: it completes all
                row = digest, start // _PIECE, zstandard.compress(view[start : start + _PIECE], level=1)
                with self.atomically():
                    self._rows(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)", *row)
        return digest

    def _kept(self, table: str, digest: str) -> bytes:
        data, number = BytesIO(), 0
        while data.tell() == number * _PIECE:  # all pieces but the last are full
            rows = self._rows(f"SELECT data FROM {table} WHERE digest = ? AND number = ?", digest, number)
            with suppress(IndexError, zstandard.ZstdError, TypeError, MemoryError):  # the digest will tell
                data.write(zstandard.decompress(rows[0][0], max_output_size=_PIECE))
            number += 1
        if _digest(data.getvalue()) != digest:
            raise CaseError(f"{self.path}: the {table} {digest} is missing or damaged")
        return data.getvalue()

    def _rows(self, sql: str, *args: Any) -> list[Any]:
        with self._lock, _plainly(self.path):
            return self._db.execute(sql, args).fetchall()


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def _require_case(path: Path, passphrase: str | None) -> None:
    """Look at the first bytes, as SQLite might repair, and so change, a file that is no case of ours."""
    if not path.is_file():
        raise CaseError(f"{path}: there is no such file")
    file = apsw.VFSFile("", str(path.absolute()), [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY, 0])
    header = file.xRead(100, 0)
    file.xClose()
    plain = header.startswith(b"SQLite format 3")
    for wrong, words in (
        (not header, "empty, no case was ever begun in it"),
        # these three bytes stand in all SQLite files, also in encrypted ones
        (header[21:24] != b"\x40\x20\x20", "not a case file: choose one that ends in .surgiplan"),
        (plain and int.from_bytes(header[68:72]) != APPLICATION, "no case file but of another application"),
        (plain and passphrase, "not encrypted, open it without a passphrase"),
        (not plain and not passphrase, "encrypted, its passphrase is needed"),
    ):
        if wrong:
            raise CaseError(f"{path}: {words}")


@contextmanager
def _plainly(path: Path, locked: bool = False) -> Iterator[None]:
    """Say in plain words what SQLite, or the system, has against a file."""
    try:
        yield
    except (apsw.Error, OSError, UnicodeDecodeError) as problem:
        words = next(words for kinds, words in _WORDS if isinstance(problem, kinds))
        if locked and isinstance(problem, _DAMAGED):
            words = "the passphrase does not open this case"
        raise CaseError(f"{path}: {words} ({problem})") from problem
