"""The case file: one SQLite file that keeps all of a case, durable from one act to the next.

The database is opened, locked and encrypted; contents lie in it under their digests; lines of the journal are
contents that are chained; a lock is such a line; the case is made of these.
"""

from .case import CaseFile, Revision
from .contents import Json
from .journal import Entry
from .lock import Lock, plan_digest

__all__ = ["CaseFile", "Entry", "Json", "Lock", "Revision", "plan_digest"]
