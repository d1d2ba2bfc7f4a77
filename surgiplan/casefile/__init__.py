"""The case file: one SQLite file that keeps all of a case, durable from one act to the next.

The database is opened, locked and encrypted; contents lie in it under their digests; lines of the journal are
contents that are chained; the case is made of these.
"""

from .case import CaseFile, Revision
from .contents import Json
from .journal import Entry

__all__ = ["CaseFile", "Entry", "Json", "Revision"]
