"""The journal of a case: each line holds the digest of the line before, so none is changed unseen."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .contents import Contents, Json


class Entry(NamedTuple):
    """One line of the journal; its digest seals it and every line before."""

    seq: int
    when: str
    act: str
    details: Mapping[str, Json]
    digest: str


class Journal:
    """Writes lines and reads them back.

    contents: where the lines are kept; the name "tip" means the last one
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def enter(self, act: str, details: Mapping[str, Json], **plan: Json) -> str:
        """Write a line and return its digest.

        act: what was done, in one word
        details: what belongs to it
        plan: for a commit: its steps, and the line it follows
        """
        before = self._contents.pointed("tip")
        seq = self._contents.read(before)["seq"] + 1 if before else 1
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"seq": seq, "when": when, "act": act, "details": details, "before": before, **plan}
        digest = self._contents.write(line)
        self._contents.point("tip", digest)
        return digest

    def lines(self, name: str, link: str) -> list[tuple[str, Any]]:
        """The lines up to the one of this name, each with its digest, the first one first.

        name: "tip" for the last line, "head" for the present commit
        link: the field that leads to the line before: "before", or "follows" from commit to commit
        """
        lines, digest = [], self._contents.pointed(name)
        while digest:
            lines.append((digest, self._contents.read(digest)))
            digest = lines[-1][1][link]
        return lines[::-1]

    def entries(self) -> list[Entry]:
        """All lines from the first; CaseError when one was altered or removed."""
        lines = self.lines("tip", "before")
        return [Entry(line["seq"], line["when"], line["act"], line["details"], at) for at, line in lines]
