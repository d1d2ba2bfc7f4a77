"""Files written whole or not at all."""

import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from ..errors import CaseError


def write_whole(path: Path, data: bytes, check: Callable[[Path], object] = Path.is_file) -> None:
    """Write a file so that at no moment a half of it is seen under its name.

    path: replaced when it exists
    data: the content
    check: looks at the finished file before it gets its name; what it raises is raised, nothing is left
    Raises CaseError when the disk is full or does not take it.
    """
    waiting = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        with waiting.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        check(waiting)
        os.replace(waiting, path)
        _settle(path.parent)
    except OSError as problem:
        raise not_written(path, len(data), problem) from problem
    finally:
        waiting.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Make the new name survive a power cut, where the system lets a folder be synchronised."""
    if os.name != "posix":
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def not_written(path: Path, size: int, problem: OSError) -> CaseError:
    """The error to raise when the system did not take a file of this many bytes."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        needed = max(size / 1e6, 0.1)
        return CaseError(
            f"{path} was not written, the disk is full: free {needed:.1f} MB or choose another place"
        )
    return CaseError(f"{path} was not written ({problem.strerror}): choose another place")
