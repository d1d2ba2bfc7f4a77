"""The SQLite file beneath a case: opened, encrypted, held by one writer, and changed whole or not at all.

A rollback journal (not WAL) makes NAME.surgiplan alone the whole case between two commits, also on network
shares and read-only media. The writer holds SQLite's RESERVED lock while the case is open: others may read,
none may write, and the lock dies with the process. On POSIX, closing any handle of a file drops all locks of
the process on it: within this process, read the file of an open case only through SQLite.

Threads share one connection and take turns.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any
from unicodedata import normalize

import apsw

from ..errors import CaseError

APPLICATION, LAYOUT = 0x53504C4E, 1  # "SPLN"
# Of the ciphers that authenticate, AEGIS-256 is the fastest in and out (docs/benchmarks.md), and it notices a
# wrong key even when it meets an interrupted commit first. Argon2id with the costs that RFC 9106 recommends.
_CIPHER = """PRAGMA cipher='aegis'; PRAGMA algorithm='aegis-256';
PRAGMA tcost=3; PRAGMA mcost=65536; PRAGMA pcost=4; PRAGMA hexkey='{}'"""
# Pages of 8 KiB hold a line of the journal whole; smaller ones doubled the file, larger ones gained little.
_SETTINGS = """PRAGMA page_size=8192; PRAGMA synchronous=extra; PRAGMA fullfsync=on;
PRAGMA temp_store=memory; PRAGMA trusted_schema=off; PRAGMA cell_size_check=on"""
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


class Database:
    """An SQLite file of this application, held open by one writer or by readers.

    path: the file
    passphrase: decrypts it; None for a file in the clear
    read_only: do not ask for the lock of the writer
    fresh: the file is empty and about to be filled
    Raises CaseError when the file is no case, newer, in use, or the passphrase is wrong.
    """

    def __init__(self, path: Path, passphrase: str | None, read_only: bool, fresh: bool = False) -> None:
        self.path, self.read_only, self.encrypted = path, read_only, passphrase is not None
        self._lock, self._writing = RLock(), False
        with plainly(path):
            self._db = apsw.Connection(str(path.absolute()), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            self._unlock(passphrase, fresh)
            if not read_only:
                self._claim()
        except BaseException:
            self._db.close()
            raise

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
                self.rows("BEGIN IMMEDIATE")
            self._writing = True
            try:
                yield
                self.rows("COMMIT")
            finally:
                self._writing = False
                if self._db.in_transaction:
                    self.rows("ROLLBACK")
                with suppress(CaseError):  # what was committed stays; the next write asks for the lock again
                    self.rows("BEGIN IMMEDIATE")

    def rows(self, sql: str, *args: Any) -> list[Any]:
        """What SQL statements answer. Raises CaseError, in plain words, when the file or disk refuses."""
        with self._lock, plainly(self.path):
            return self._db.execute(sql, args).fetchall()

    def _unlock(self, passphrase: str | None, fresh: bool) -> None:
        self._db.set_busy_timeout(_PATIENCE_MS)
        if passphrase is not None:
            self.rows(_CIPHER.format(normalize("NFC", passphrase).encode().hex()))
        with plainly(self.path, locked=self.encrypted):
            found, layout = self._db.pragma("application_id"), self._db.pragma("user_version")
        if not fresh and found != APPLICATION:
            raise CaseError(f"{self.path}: not a case file, or one that was never begun")
        if layout > LAYOUT:
            raise CaseError(f"{self.path}: written by a newer surgiplan (layout {layout}): update this one")
        self.rows(_SETTINGS)

    def _claim(self) -> None:
        if self._db.readonly("main"):
            raise CaseError(f"{self.path}: can only be read here, open it read-only or copy it elsewhere")
        self._db.set_busy_timeout(0)
        self.rows("PRAGMA journal_mode=persist; PRAGMA journal_mode=delete")  # sweeps up after a kill
        self.rows("BEGIN IMMEDIATE; ROLLBACK")  # may have slipped in between two commits of the writer:
        time.sleep(_LULL_S)  # leave it the time to take the lock back
        self.rows("BEGIN IMMEDIATE")
        self._db.set_busy_timeout(_PATIENCE_MS)


def require_case(path: Path, passphrase: str | None) -> None:
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
def plainly(path: Path, locked: bool = False) -> Iterator[None]:
    """Say in plain words what SQLite, or the system, has against a file.

    locked: a file that reads as noise means that the passphrase is wrong
    """
    try:
        yield
    except (apsw.Error, OSError, UnicodeDecodeError) as problem:
        words = next(words for kinds, words in _WORDS if isinstance(problem, kinds))
        if locked and isinstance(problem, _DAMAGED):
            words = "the passphrase does not open this case"
        raise CaseError(f"{path}: {words} ({problem})") from problem
