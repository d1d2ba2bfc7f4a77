"""No arguments: the window; else the command line."""

import multiprocessing
import sys
from pathlib import Path

from . import cli


def open_window(path: Path | None, safe_graphics: bool = False) -> int:
    """Show the window, on a case, a DICOM folder or a mesh when one is given."""
    from .app.start import open_window as shown  # Qt is loaded only when a window is wanted

    return shown(path, safe_graphics)


def main() -> int:
    """The program."""
    multiprocessing.freeze_support()
    words = sys.argv[1:]
    return cli.main(words, open_window) if words else open_window(None)


if __name__ == "__main__":
    sys.exit(main())
