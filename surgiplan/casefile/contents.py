"""Contents and names: all that lies in a case is found by the digest of its bytes, and checked against it.

A content (a step, a line of the journal, a fact, a blob) never changes; only names move from one content to
another. A large blob lies in pieces and lets other threads in between two of them.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from typing import Any, Literal, TypeAlias

import zstandard

from ..errors import CaseError
from .database import APPLICATION, LAYOUT, Database

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Table: TypeAlias = Literal["text", "blob"]

_TABLES = f"""
CREATE TABLE text (digest TEXT, number INTEGER, data BLOB, PRIMARY KEY (digest, number)) WITHOUT ROWID;
CREATE TABLE blob (digest TEXT, number INTEGER, data BLOB, PRIMARY KEY (digest, number)) WITHOUT ROWID;
CREATE TABLE name (name TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT};
"""
_ALL = """SELECT 'text', digest FROM text UNION SELECT 'text', digest FROM name
UNION SELECT 'blob', digest FROM blob WHERE number = 0"""
_PIECE = 4 << 20  # bytes of a content in one row


def digest_of(data: bytes) -> str:
    """The name under which bytes are found: 32 hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


class Contents:
    """Keeps contents under their digests and gives names to some of them.

    database: the file they lie in
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.text = lru_cache(4096)(self._decoded)

    def begin(self) -> None:
        """Lay out the tables of a new file."""
        self._database.rows(_TABLES)

    def keep(self, table: Table, data: bytes) -> str:
        """Keep bytes, compressed, and return their digest; bytes kept before are not stored again."""
        digest, view = digest_of(data), memoryview(data)
        if not self._database.rows(f"SELECT 1 FROM {table} WHERE digest = ? AND number = 0", digest):
            for start in reversed(range(0, len(view) or 1, _PIECE)):  # number 0 comes last: it completes all
                row = digest, start // _PIECE, zstandard.compress(view[start : start + _PIECE], level=1)
                with self._database.atomically():
                    self._database.rows(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)", *row)
        return digest

    def kept(self, table: Table, digest: str) -> bytes:
        """The bytes of this digest; CaseError when they are missing or damaged."""
        data, number = BytesIO(), 0
        while data.tell() == number * _PIECE:  # all pieces but the last are full
            sql = f"SELECT data FROM {table} WHERE digest = ? AND number = ?"
            rows = self._database.rows(sql, digest, number)
            with suppress(IndexError, zstandard.ZstdError, TypeError, MemoryError):  # the digest will tell
                data.write(zstandard.decompress(rows[0][0], max_output_size=_PIECE))
            number += 1
        if digest_of(data.getvalue()) != digest:
            raise CaseError(f"{self._database.path}: the {table} {digest} is missing or damaged")
        return data.getvalue()

    def write(self, record: Json) -> str:
        """Keep a record as JSON and return its digest; ValueError when it holds a number JSON has not."""
        return self.keep("text", json.dumps(record, allow_nan=False).encode())

    def read(self, digest: str) -> Any:
        """The record of this digest."""
        return json.loads(self.text(digest))

    def point(self, name: str, digest: str) -> None:
        """Let a name mean the content of this digest from now on."""
        self._database.rows("INSERT OR REPLACE INTO name VALUES (?, ?)", name, digest)

    def pointed(self, name: str) -> Any:
        """The digest that a name means; None when nothing has this name."""
        rows = self._database.rows("SELECT digest FROM name WHERE name = ?", name)
        return rows[0][0] if rows else None

    def blobs(self) -> list[str]:
        """The digests of all blobs."""
        return [digest for (digest,) in self._database.rows("SELECT digest FROM blob WHERE number = 0")]

    def all(self) -> list[tuple[Table, str]]:
        """Table and digest of everything that is kept, or that a name means."""
        return self._database.rows(_ALL)

    def _decoded(self, digest: str) -> str:
        return self.kept("text", digest).decode()
