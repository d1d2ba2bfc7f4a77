"""The report of a fault: what the program did, never what it worked on."""

import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from .. import __version__


def write_report(problem: BaseException) -> Path:
    """Write where the fault happened, without values, paths or names of the data; gives the file."""
    frames = traceback.extract_tb(problem.__traceback__)
    lines = [
        f"surgiplan {__version__}, Python {sys.version.split()[0]}, {sys.platform}",
        f"{type(problem).__name__}",
        *(f"  {Path(f.filename).name}:{f.lineno} in {f.name}" for f in frames),
    ]
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    for folder in (
        Path(platformdirs.user_log_dir("surgiplan", appauthor=False)),
        Path(tempfile.gettempdir()),
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / f"fault-{stamp}.txt"
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
            return file
        except OSError:
            continue
    return Path("(nowhere: no folder could be written)")
